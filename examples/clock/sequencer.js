import { tempo } from "./notes.js";

/** Counts the steps with one timer that sets itself again, and makes up for timers that come late. */
export function createSequencer({ steps, onStep }) {
  let step = -1;
  let due = 0;
  let length = 0.1;
  let timer = null;

  function stepLength() {
    const seconds = 60 / tempo() / 4;
    // A tempo that is still being typed must not stop the clock or run it wild.
    return Math.min(0.6, Math.max(0.03, Number.isFinite(seconds) ? seconds : length));
  }

  function tick() {
    const now = performance.now() / 1000;
    length = stepLength();
    // After a long sleep the missed steps are dropped.
    due = now - due > 0.5 ? now + length : due + length;
    timer = setTimeout(tick, Math.max(0, due - now) * 1000);
    step = (step + 1) % steps;
    onStep(step, length);
  }

  return {
    start() {
      if (timer !== null) return;
      due = performance.now() / 1000;
      tick();
    },

    /** Where the sweep is, in steps. It runs between the steps, so that the sweep turns smoothly. */
    position() {
      const left = due - performance.now() / 1000;
      return step + 1 - Math.min(1, Math.max(0, left / length));
    },
  };
}
