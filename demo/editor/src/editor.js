// How one file is edited: CodeMirror, put together for typing that is seen at once.

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { css } from "@codemirror/lang-css";
import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { minimalSetup } from "codemirror";
import { toOffset } from "./changes.js";
import { flashes } from "./flash.js";
import { theme } from "./theme.js";

/**
 * @param {string} text
 * @param {string} kind  the file name's extension
 * @param {{ onUpdate: (update: import("@codemirror/view").ViewUpdate) => void, onSave: () => void }} wiring
 */
export function createState(text, kind, { onUpdate, onSave }) {
  const save = () => {
    onSave();
    return true;
  };
  return EditorState.create({
    doc: text,
    extensions: [
      lintGutter(),
      lineNumbers(),
      minimalSetup,
      highlightActiveLine(),
      highlightActiveLineGutter(),
      bracketMatching(),
      closeBrackets(),
      indentOnInput(),
      indentUnit.of("  "),
      keymap.of([{ key: "Mod-s", run: save, preventDefault: true }, ...closeBracketsKeymap, indentWithTab]),
      language(kind),
      flashes,
      theme,
      EditorView.updateListener.of(onUpdate),
      EditorView.contentAttributes.of({ "aria-label": "Code", spellcheck: "false" }),
    ],
  });
}

/** @param {string} kind */
function language(kind) {
  switch (kind) {
    case "js":
    case "mjs":
    case "cjs":
    case "jsx":
      return javascript({ jsx: kind === "jsx" });
    case "css":
      return css();
    case "html":
      return html();
    default:
      return [];
  }
}

const SEVERITIES = /** @type {const} */ (["error", "error", "warning", "info", "hint"]);

/**
 * @param {EditorView} view
 * @param {{ range: import("./changes.js").Range, severity?: number, message: string }[]} diagnostics
 */
export function showDiagnostics(view, diagnostics) {
  const { doc } = view.state;
  view.dispatch(
    setDiagnostics(
      view.state,
      diagnostics.map(({ range, severity = 1, message }) => {
        const from = toOffset(doc, range.start);
        return { from, to: Math.max(from, toOffset(doc, range.end)), severity: SEVERITIES[severity] ?? "error", message };
      }),
    ),
  );
}
