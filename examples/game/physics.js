// Numbers to play with. The game asks for them in every frame.

/** How fast things fall, in units per second, per second. */
export function gravity() {
  return 2300;
}

/** How fast the monkey leaves the ground. */
export function jumpSpeed() {
  return 880;
}

/** How fast the monkey runs. */
export function runSpeed() {
  return 310;
}

/** A half-typed number must not get into the game's state. */
export function sane(value, otherwise) {
  return Number.isFinite(value) ? value : otherwise;
}
