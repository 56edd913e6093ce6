// A light on the lines of the functions that have just been swapped in the page.

import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";
import { toOffset } from "./changes.js";

const DURATION = 900;

/** @type {import("@codemirror/state").StateEffectType<{ from: number, to: number }[]>} */
const setFlash = StateEffect.define();

// Two names for one animation: a change of the name starts it from the beginning.
const lines = [Decoration.line({ class: "cm-live-a" }), Decoration.line({ class: "cm-live-b" })];
let turn = 0;

/** @type {WeakMap<EditorView, number>} */
const timers = new WeakMap();

export const flashes = StateField.define({
  create: () => Decoration.none,
  update(decorations, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setFlash)) return decorate(transaction.state.doc, effect.value);
    }
    return decorations.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/**
 * @param {import("@codemirror/state").Text} doc
 * @param {{ from: number, to: number }[]} ranges
 */
function decorate(doc, ranges) {
  const starts = new Set();
  for (const { from, to } of ranges) {
    for (let at = from; at <= to; at = doc.lineAt(at).to + 1) starts.add(doc.lineAt(at).from);
  }
  const line = /** @type {Decoration} */ (lines[(turn = 1 - turn)]);
  return Decoration.set([...starts].sort((a, b) => a - b).map((start) => line.range(start)));
}

/**
 * @param {EditorView} view
 * @param {import("./changes.js").Range[]} ranges
 */
export function flash(view, ranges) {
  const { doc } = view.state;
  const spans = ranges.map(({ start, end }) => ({ from: toOffset(doc, start), to: toOffset(doc, end) }));
  view.dispatch({ effects: setFlash.of(spans) });
  // Taken away afterwards: lines that scroll into sight later would glow again.
  clearTimeout(timers.get(view));
  timers.set(view, window.setTimeout(() => view.dispatch({ effects: setFlash.of([]) }), DURATION));
}
