// The page that `capuchin demo` opens. This file only wires: each part is in a file of its own.

import "./style.css";
import { createCards } from "./cards.js";
import { fetchConfig, fetchText, readConfig } from "./config.js";
import { createConnection } from "./connection.js";
import { createDocuments, difference, extension } from "./documents.js";
import { showDiagnostics } from "./editor.js";
import { byId, element } from "./element.js";
import { flash } from "./flash.js";
import { makeSplitter } from "./splitter.js";
import { createStatus } from "./status.js";
import { commonFolder, createTabs } from "./tabs.js";
import { createToast } from "./toast.js";
import { parseTries, stateOf } from "./tries.js";
import { createTypist, isTyped, select } from "./typist.js";

const EDITABLE = ["js", "mjs", "cjs", "jsx", "css", "html"];

let config = readConfig(document);
let isFirstConnection = true;
let chosen = "";
/** The files whose newest text only a fresh load of the page can run. */
const waitForReload = new Set();
/** @type {import("./tries.js").Try | null} */
let typing = null;

const editable = config.files.filter((path) => EDITABLE.includes(extension(path)));
const folder = commonFolder(editable);
const { title, intro, tries } = await loadTries();
const paths = inOrder(editable);
const frame = /** @type {HTMLIFrameElement} */ (byId("app"));
const resetButton = /** @type {HTMLButtonElement} */ (byId("reset"));

const toast = createToast(byId("toast"));
const typist = createTypist();
const status = createStatus({
  said: byId("status"),
  beats: byId("beats"),
  pages: byId("pages"),
  connection: byId("connection"),
});

const connection = createConnection({
  async config() {
    if (!isFirstConnection) config = await fetchConfig();
    isFirstConnection = false;
    return config;
  },
  onHealth: status.health,
  onReady: () => documents.openAgain(config),
  onNotification: hear,
});

const documents = createDocuments({
  config,
  parent: byId("editors"),
  notify: connection.notify,
  onChange(file, transactions) {
    if (!transactions.every(isTyped)) typist.stop();
    tabs.mark(file.path, "changed", documents.isChanged(file));
    resetButton.disabled = !documents.all.some(documents.isChanged);
    cards.follow(file.path, file.view.state.doc.toString(), typist.isTyping ? typing : null);
  },
  onSave,
});

const tabs = createTabs(byId("tabs"), paths, (path) => void choose(path));
const cards = createCards(byId("cards"), tries, {
  onType: (it) => void typeTry(it),
  onShow: (it) => void showTry(it),
  onBack: (it) => void takeTryBack(it),
});

/** @param {string} path */
async function choose(path) {
  chosen = path;
  tabs.choose(path);
  try {
    const file = await documents.open(path);
    if (chosen !== path) return file;
    for (const other of documents.all) other.place.classList.toggle("shown", other === file);
    return file;
  } catch (error) {
    status.say("bad", error instanceof Error ? error.message : String(error));
    return null;
  }
}

/**
 * @param {string} method
 * @param {any} params
 */
function hear(method, params) {
  switch (method) {
    case "capuchin/verdict":
      return hearVerdict(params);
    case "capuchin/outcome":
      return hearOutcome(params);
    case "capuchin/pagesChanged":
      return status.pages(params);
    case "textDocument/publishDiagnostics":
      return hearDiagnostics(params);
    case "window/showMessage":
      return toast.show(params.message);
    default:
      return undefined;
  }
}

/** @param {import("./story.js").Verdict} verdict */
function hearVerdict(verdict) {
  const file = documents.byUri(verdict.uri);
  // Another tab shows another example.
  if (!file) return;
  // That a file is what the page runs already is no news.
  if (verdict.verdict === "unchanged" && verdict.version === file.opened) return;
  markReload(verdict.uri, verdict.verdict === "reloadPage");
  status.verdict(verdict);
  if (verdict.verdict === "hold") flash(file.view, []);
}

/**
 * @param {string} uri
 * @param {boolean} on
 */
function markReload(uri, on) {
  if (on) waitForReload.add(uri);
  else waitForReload.delete(uri);
  byId("reload").classList.toggle("wanted", waitForReload.size > 0);
}

/** @param {import("./story.js").Outcome} outcome */
function hearOutcome(outcome) {
  const verdict = status.outcome(outcome);
  if (verdict === null) return;
  if (outcome.outcome === "needsReload") markReload(outcome.uri, true);
  const file = documents.byUri(outcome.uri);
  const isLive = ["live", "nextCall", "moduleUpdated"].includes(outcome.outcome);
  if (file && isLive && verdict.sites.length > 0) flash(file.view, verdict.sites.map((site) => site.range));
}

/** @param {{ uri: string, version?: number, diagnostics: Parameters<typeof showDiagnostics>[1] }} params */
function hearDiagnostics({ uri, version, diagnostics }) {
  const file = documents.byUri(uri);
  // What was found in an older text is on its way out: the answer to the newer one follows.
  if (!file || (version !== undefined && version !== null && version < file.version)) return;
  showDiagnostics(file.view, diagnostics);
  tabs.mark(file.path, "problem", diagnostics.some(({ severity = 1 }) => severity === 1));
}

function runAgain() {
  waitForReload.clear();
  byId("reload").classList.remove("wanted");
  frame.src = config.app;
  status.say("calm", "The program starts again, with the text of the editor.");
}

function onSave() {
  if (waitForReload.size > 0) runAgain();
  toast.show("Nothing is written in the demo: the page already runs what you see.");
}

/** @param {import("./tries.js").Try} it */
async function typeTry(it) {
  const file = await choose(it.file);
  if (!file) return;
  typing = it;
  const follow = () => cards.follow(file.path, file.view.state.doc.toString(), typist.isTyping ? it : null);
  const typed = typist.type(file.view, it.before, it.after);
  follow();
  await typed;
  follow();
}

/** @param {import("./tries.js").Try} it */
async function showTry(it) {
  typist.stop();
  const file = await choose(it.file);
  if (!file) return;
  const text = file.view.state.doc.toString();
  const known = stateOf(text, it) === "after" ? it.after : it.before;
  const at = text.indexOf(known);
  if (at < 0) return toast.show("This place has been edited. Reset the file to find it again.");
  select(file.view, at + known.length - known.trimStart().length, at + known.length);
}

/** @param {import("./tries.js").Try} it */
async function takeTryBack(it) {
  const file = await choose(it.file);
  if (!file) return;
  const { view, original } = file;
  const text = view.state.doc.toString();
  const at = text.indexOf(it.after);
  const part = difference(it.after, it.before);
  const changes =
    at < 0 ? difference(text, original) : { from: at + part.from, to: at + part.to, insert: part.insert };
  view.dispatch({ changes, userEvent: "undo.try", scrollIntoView: true });
}

/** What TRY.md proposes; nothing, if the folder has none. */
async function loadTries() {
  const path = `${folder}TRY.md`;
  const text = config.files.includes(path) ? await fetchText(config, path).catch(() => "") : "";
  const found = parseTries(text);
  const known = found.tries.map((it) => ({ ...it, file: folder + it.file })).filter((it) => editable.includes(it.file));
  return { ...found, tries: known };
}

/**
 * What there is to try comes first, then the module that starts the program, other modules, styles and pages.
 *
 * @param {string[]} files
 */
function inOrder(files) {
  const rank = (/** @type {string} */ path) => {
    const tried = tries.findIndex((it) => it.file === path);
    if (tried >= 0) return tried - tries.length;
    if (path === `${folder}main.js`) return 0;
    return { css: 2, html: 3 }[extension(path)] ?? 1;
  };
  return [...files].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

byId("examples").append(
  ...config.examples.map((name) => {
    const link = element("a", { href: `?example=${encodeURIComponent(name)}` }, name);
    if (name === config.example) link.ariaCurrent = "page";
    return link;
  }),
);
byId("undo-key").textContent = /Mac/.test(navigator.platform) ? "⌘ Z" : "Ctrl Z";
byId("app-url").textContent = new URL(config.app, location.href).href;
/** @type {HTMLAnchorElement} */ (byId("open")).href = config.app;
byId("reload").addEventListener("click", runAgain);
resetButton.addEventListener("click", () => {
  typist.stop();
  documents.reset();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") typist.stop();
  if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
    event.preventDefault();
    onSave();
  }
});
if (title) document.title = `${title} · Capuchin demo`;
byId("intro").textContent = intro;
byId("tries").hidden = tries.length === 0;
makeSplitter(byId("splitter"), byId("split"));
status.pages({ count: 0, pages: [] });
status.say("calm", "Type in the editor. The program follows every key and keeps its state.");

frame.src = config.app;
void connection.connect();
if (paths[0] !== undefined) void choose(paths[0]);
