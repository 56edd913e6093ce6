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
let needsReload = false;
/** @type {import("./tries.js").Try | null} */
let typing = null;

const paths = inOrder(config.files.filter((path) => EDITABLE.includes(extension(path))));
const folder = commonFolder(paths);
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
    cards?.follow(file.path, file.view.state.doc.toString(), typist.isTyping ? typing : null);
  },
  onSave,
});

const tabs = createTabs(byId("tabs"), paths, (path) => void choose(path));
/** @type {ReturnType<typeof createCards> | null} */
let cards = null;

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
      needsReload = params.verdict === "reloadPage";
      return status.verdict(params);
    case "capuchin/outcome":
      return hearOutcome(params);
    case "capuchin/pagesChanged":
      return status.pages(params.count);
    case "textDocument/publishDiagnostics":
      return hearDiagnostics(params);
    case "window/showMessage":
      return toast.show(params.message);
    default:
      return undefined;
  }
}

/** @param {import("./story.js").Outcome} outcome */
function hearOutcome(outcome) {
  const verdict = status.outcome(outcome);
  if (verdict === null) return;
  needsReload ||= outcome.outcome === "needsReload";
  byId("reload").classList.toggle("wanted", needsReload);
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
  needsReload = false;
  byId("reload").classList.remove("wanted");
  frame.src = config.app;
}

function onSave() {
  if (needsReload) runAgain();
  toast.show("Nothing is written in the demo: the page already runs what you see.");
}

/** @param {import("./tries.js").Try} it */
async function typeTry(it) {
  const file = await choose(it.file);
  if (!file) return;
  typing = it;
  const follow = () => cards?.follow(file.path, file.view.state.doc.toString(), typist.isTyping ? it : null);
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

async function setUpTries() {
  const path = `${folder}TRY.md`;
  if (!config.files.includes(path)) return;
  const { title, intro, tries } = parseTries(await fetchText(config, path));
  const found = tries.map((it) => ({ ...it, file: folder + it.file })).filter((it) => paths.includes(it.file));
  document.title = `${title} · Capuchin demo`;
  if (found.length === 0) return;
  byId("intro").textContent = intro;
  cards = createCards(byId("cards"), found, {
    onType: (it) => void typeTry(it),
    onShow: (it) => void showTry(it),
    onBack: (it) => void takeTryBack(it),
  });
  for (const it of found) cards.follow(it.file, it.before, null);
  for (const file of documents.all) cards.follow(file.path, file.view.state.doc.toString(), null);
  byId("tries").hidden = false;
  await choose(found[0]?.file ?? chosen);
}

/**
 * Modules first, the one that starts the program in front; then styles, then pages.
 *
 * @param {string[]} files
 */
function inOrder(files) {
  const rank = (/** @type {string} */ path) =>
    path.endsWith("/main.js") || path === "main.js" ? 0 : path.endsWith(".css") ? 2 : path.endsWith(".html") ? 3 : 1;
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
makeSplitter(byId("splitter"), byId("split"));
status.pages(0);
status.say("calm", "Type in the editor. The program follows every key and keeps its state.");

frame.src = config.app;
void connection.connect();
setUpTries()
  .catch((error) => toast.show(error.message))
  .then(() => (chosen === "" && paths[0] !== undefined ? choose(paths[0]) : null));
