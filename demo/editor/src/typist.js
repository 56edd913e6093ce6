// Types an edit into the editor, key by key, for somebody to watch.

import { isolateHistory } from "@codemirror/commands";
import { Annotation } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { typedPart } from "./tries.js";

const LOOK = 650;
const KEY = 75;

/** @type {import("@codemirror/state").AnnotationType<boolean>} */
const byTypist = Annotation.define();

/** @param {import("@codemirror/state").Transaction} transaction */
export function isTyped(transaction) {
  return transaction.annotation(byTypist) === true;
}

export function createTypist() {
  /** @type {AbortController | null} */
  let running = null;

  return {
    get isTyping() {
      return running !== null;
    },

    /** Lets go of the keyboard: the person has started to type, or does not want to watch. */
    stop() {
      running?.abort();
      running = null;
    },

    /**
     * Resolves when the edit is typed or was stopped.
     *
     * @param {EditorView} view
     * @param {string} before  has to be in the text
     * @param {string} after
     */
    async type(view, before, after) {
      this.stop();
      const mine = new AbortController();
      running = mine;
      const at = view.state.doc.toString().indexOf(before);
      const part = typedPart(before, after);
      select(view, at + part.from, at + part.to);
      await pause(LOOK, mine.signal);

      let position = at + part.from;
      let replaced = part.to - part.from;
      for (const key of part.insert === "" ? [""] : part.insert) {
        if (mine.signal.aborted) return;
        view.dispatch({
          changes: { from: position, to: position + replaced, insert: key },
          selection: { anchor: position + key.length },
          annotations: [byTypist.of(true), ...(position === at + part.from ? [isolateHistory.of("before")] : [])],
          userEvent: "input.type",
          scrollIntoView: true,
        });
        position += key.length;
        replaced = 0;
        await pause(KEY * (0.6 + Math.random() * 0.8), mine.signal);
      }
      if (running === mine) running = null;
    },
  };
}

/**
 * @param {EditorView} view
 * @param {number} from
 * @param {number} to
 */
export function select(view, from, to) {
  view.dispatch({
    selection: { anchor: from, head: to },
    effects: EditorView.scrollIntoView(from, { y: "center" }),
  });
  view.focus();
}

/**
 * @param {number} duration
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(duration, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, duration);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
