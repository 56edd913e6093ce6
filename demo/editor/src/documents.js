// The files of the example that have been opened, each with an editor of its own, and their life on the language server.

import { EditorView } from "@codemirror/view";
import { fetchText, uriOf } from "./config.js";
import { toContentChanges } from "./changes.js";
import { createState } from "./editor.js";
import { element } from "./element.js";

/** @typedef {import("@codemirror/state").Transaction} Transaction */

/**
 * @typedef {object} OpenFile
 * @property {string} path
 * @property {string} uri
 * @property {string} original  the text on disk; the demo never writes it
 * @property {number} version   grows with every transaction that changes the text
 * @property {number} opened    the version that the server was told of when it opened the file
 * @property {HTMLElement} place  the element that holds the view
 * @property {EditorView} view
 */

const LANGUAGE_IDS = new Map([
  ["js", "javascript"],
  ["mjs", "javascript"],
  ["cjs", "javascript"],
  ["jsx", "javascriptreact"],
  ["css", "css"],
  ["html", "html"],
  ["json", "json"],
]);

/**
 * @param {object} wiring
 * @param {import("./config.js").Config} wiring.config
 * @param {HTMLElement} wiring.parent  where the editors are put
 * @param {(method: string, params: object) => void} wiring.notify
 * @param {(file: OpenFile, transactions: readonly Transaction[]) => void} wiring.onChange  the text is another one now
 * @param {() => void} wiring.onSave
 */
export function createDocuments({ config, parent, notify, onChange, onSave }) {
  /** @type {Map<string, OpenFile>} */
  const files = new Map();
  /** @type {Map<string, Promise<OpenFile>>} */
  const loading = new Map();
  let rootUri = config.rootUri;
  let token = config.token;

  /** @param {OpenFile} file */
  function tellOpen(file) {
    const { path, uri, version, view } = file;
    file.opened = version;
    const languageId = LANGUAGE_IDS.get(extension(path)) ?? "plaintext";
    notify("textDocument/didOpen", { textDocument: { uri, languageId, version, text: view.state.doc.toString() } });
  }

  /** @param {string} path */
  async function load(path) {
    const text = await fetchText({ ...config, token }, path);
    const place = element("div", { className: "editor" });
    parent.append(place);
    /** @type {OpenFile} */
    const file = {
      path,
      uri: uriOf(rootUri, path),
      original: "",
      version: 1,
      opened: 1,
      place,
      view: new EditorView({
        parent: place,
        state: createState(text, extension(path), {
          onUpdate(update) {
            if (!update.docChanged) return;
            const changing = update.transactions.filter((it) => it.docChanged);
            for (const transaction of changing) tellChange(file, transaction);
            onChange(file, changing);
          },
          onSave,
        }),
      }),
    };
    // CodeMirror may have normalised the line ends.
    file.original = file.view.state.doc.toString();
    files.set(path, file);
    tellOpen(file);
    return file;
  }

  /**
   * @param {OpenFile} file
   * @param {Transaction} transaction
   */
  function tellChange(file, transaction) {
    file.version += 1;
    notify("textDocument/didChange", {
      textDocument: { uri: file.uri, version: file.version },
      contentChanges: toContentChanges(transaction.startState.doc, transaction.changes),
    });
  }

  return {
    /** @param {string} path */
    open(path) {
      let file = loading.get(path);
      if (!file) {
        file = load(path);
        file.catch(() => loading.delete(path));
        loading.set(path, file);
      }
      return file;
    },

    /** @param {string} path */
    get: (path) => files.get(path),

    /** @param {string} uri */
    byUri: (uri) => all(files).find((file) => sameUri(file.uri, uri)),

    get all() {
      return all(files);
    },

    /** @param {OpenFile} file */
    isChanged: (file) => file.view.state.doc.toString() !== file.original,

    /**
     * Takes all files back to what is on disk, as one edit each: the page is patched and keeps its state.
     */
    reset() {
      for (const { view, original } of files.values()) {
        const now = view.state.doc.toString();
        if (now !== original) view.dispatch({ changes: difference(now, original), userEvent: "reset" });
      }
    },

    /**
     * The server is there, for the first time or again: it gets every open file with its newest text.
     *
     * @param {import("./config.js").Config} current
     */
    openAgain(current) {
      ({ rootUri, token } = current);
      for (const file of files.values()) {
        file.uri = uriOf(rootUri, file.path);
        tellOpen(file);
      }
    },
  };
}

/** @param {Map<string, OpenFile>} files */
function all(files) {
  return [...files.values()];
}

/** @param {string} path */
export function extension(path) {
  return path.slice(path.lastIndexOf(".") + 1);
}

/**
 * Servers may encode a path in another way than the client did.
 *
 * @param {string} a
 * @param {string} b
 */
function sameUri(a, b) {
  return a === b || decodeURIComponent(a) === decodeURIComponent(b);
}

/**
 * @param {string} from
 * @param {string} to
 */
export function difference(from, to) {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  return { from: start, to: from.length - end, insert: to.slice(start, to.length - end) };
}
