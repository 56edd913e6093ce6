const IDLE_AFTER = 3000;

/** Keys and taps. When nobody has touched anything for a while, the monkey plays by itself. */
export function createInput(target, jump) {
  let lastTouch = -Infinity;
  let shown;

  function press() {
    lastTouch = performance.now();
    jump();
  }

  target.addEventListener("keydown", (event) => {
    if (event.repeat || ![" ", "ArrowUp", "w"].includes(event.key)) return;
    event.preventDefault();
    press();
  });
  target.addEventListener("pointerdown", press);

  return {
    isIdle: () => performance.now() - lastTouch > IDLE_AFTER,
    show(document) {
      const text = this.isIdle() ? "autopilot" : "you are playing";
      if (text === shown) return;
      shown = text;
      document.querySelector("#player").textContent = text;
    },
  };
}

/** The autopilot: over rocks, and up for a mango that only a jump can reach. */
export function wantsToJump(monkey, course) {
  const ahead = (thing, near, far) => thing.x - monkey.x > near && thing.x - monkey.x < far;
  if (!monkey.canJump) return false;
  if (!monkey.inAir) {
    const rock = course.rocks.some((it) => !it.hit && ahead(it, 10, 95));
    const mango = course.fruits.some((it) => !it.eaten && it.y < monkey.y - 60 && ahead(it, 10, 45));
    return rock || mango;
  }
  return monkey.falling && course.fruits.some((it) => !it.eaten && it.y < monkey.middle - 60 && ahead(it, 0, 60));
}
