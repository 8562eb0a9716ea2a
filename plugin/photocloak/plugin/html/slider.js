// A slider between original and cloak: has `place` called with where it stands, in per cent.
function dressSlider(slider, place) {
  const show = () => {
    place(Number(slider.value));
    slider.setAttribute("aria-valuetext", `${slider.value} % original, ${100 - slider.value} % cloaked`);
  };
  slider.addEventListener("input", show);
  return show;
}
document.documentElement.classList.add("live");
