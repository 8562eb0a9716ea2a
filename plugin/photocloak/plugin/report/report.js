"use strict";
document.documentElement.classList.add("live");
for (const compare of document.querySelectorAll(".compare")) {
  const slider = compare.querySelector("input");
  const stage = compare.querySelector(".stage");
  const show = () => {
    stage.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute(
      "aria-valuetext", `${slider.value} % original, ${100 - slider.value} % cloaked`
    );
  };
  slider.addEventListener("input", show);
  show();
}
