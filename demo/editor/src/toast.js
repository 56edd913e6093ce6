// One sentence that goes away by itself.

const SHOWN = 4000;

/** @param {HTMLElement} place */
export function createToast(place) {
  let timer = 0;
  return {
    /** @param {string} text */
    show(text) {
      place.textContent = text;
      place.classList.add("shown");
      clearTimeout(timer);
      timer = window.setTimeout(() => place.classList.remove("shown"), SHOWN);
    },
  };
}
