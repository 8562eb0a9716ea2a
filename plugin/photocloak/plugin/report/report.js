for (const compare of document.querySelectorAll(".compare")) {
  const stage = compare.querySelector(".stage");
  const slider = compare.querySelector("input");
  dressSlider(slider, (share) => stage.style.setProperty("--cut", `${share}%`))();
}
