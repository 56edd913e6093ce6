// The bar between editor and program: dragged with the pointer, moved with the arrow keys.

/**
 * @param {HTMLElement} bar
 * @param {HTMLElement} split
 */
export function makeSplitter(bar, split) {
  let percent = 50;

  /** @param {number} next */
  function set(next) {
    percent = Math.min(80, Math.max(20, next));
    split.style.setProperty("--left", `${percent}%`);
    bar.ariaValueNow = String(Math.round(percent));
  }

  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    // The frame would swallow the pointer while it passes over it.
    split.classList.add("dragging");
  });
  bar.addEventListener("pointermove", (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const { left, width } = split.getBoundingClientRect();
    set(((event.clientX - left) / width) * 100);
  });
  bar.addEventListener("lostpointercapture", () => split.classList.remove("dragging"));
  bar.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") set(percent - 2);
    if (event.key === "ArrowRight") set(percent + 2);
  });
  set(percent);
}
