// @ts-check
// The runtime of a page: wires a host (host.js) to the browser it runs in. Entry scripts call `enter(graph)`.

import { Errors } from "./errors.js";
import { createHost } from "./host.js";
import { createOverlay } from "./overlay.js";
import { createStyles } from "./css.js";

/** @typedef {import("./wire.js").Graph} Graph */
/** @typedef {import("./wire.js").Reason} Reason */

/**
 * What boot.js left.
 * @type {{ token: string, page: string, server: string, rev: number, html: string, mode: import("./apply.js").Mode, origin: string,
 *   natives: { WebSocket: typeof WebSocket, fetch: typeof fetch, setTimeout: (callback: () => void, ms: number) => number, clearTimeout: (handle: number) => void, now: () => number, eval: (code: string) => any },
 *   waiting: { url: string, rev: number, nsites: number, stamp: string, guards: number[] }[],
 *   script: (url: string, rev: number, nsites: number, stamp?: string, hook?: (code: string) => any) => number[],
 *   cleanup: import("./cleanup.js").Setting,
 *   setMode: (mode: import("./apply.js").Mode) => void,
 *   sync: () => Promise<void> }}
 */
const boot = /** @type {any} */ (globalThis).__capuchin;
const { natives, origin } = boot;
const console = globalThis.console;

const overlay = createOverlay(document);
const styles = createStyles(document, natives);

const errors = new Errors({ origin, now: natives.now, send: (message) => host.send(message) });

const host = createHost({
  origin,
  page: boot.page,
  server: boot.server,
  rev: boot.rev,
  url: location.href,
  html: boot.html,
  userAgent: navigator.userAgent,
  evaluate: natives.eval,
  cleanup: boot.cleanup,
  // Not every browser parses the second argument.
  importUrl: (url, type) => (type === undefined ? import(url) : natives.eval("(url,type)=>import(url,{with:{type}})")(url, type)),
  now: natives.now,
  setTimeout: natives.setTimeout,
  clearTimeout: natives.clearTimeout,
  open: () => {
    const url = new URL("/@capuchin/socket", origin);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("token", boot.token);
    return /** @type {any} */ (new natives.WebSocket(url.href, "capuchin"));
  },
  renew: async () => {
    const answer = await natives.fetch(new URL(boot.html || location.href, origin).href, { headers: { "x-capuchin-page": boot.page }, cache: "no-store" });
    const html = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = html.querySelector('script[src="/@capuchin/boot.js"]')?.getAttribute("data-token");
    if (token) boot.token = token;
  },
  connected: () => errors.sendWaiting(),
  onWake: (wake) => {
    addEventListener("online", wake);
    addEventListener("pageshow", wake);
    addEventListener("focus", wake);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") wake();
    });
  },
  asleep: () => document.visibilityState === "hidden",
  fetchGraph,
  reload,
  injectStyle: styles.inject,
  removeStyle: styles.remove,
  styleSheet: styles.object,
  swapStyle: styles.swap,
  swapAsset: styles.swapAsset,
  showProblem: overlay.show,
  clearProblem: overlay.clear,
  log,
});

if (boot.mode !== "automatic") host.setMode(boot.mode);
boot.setMode = host.setMode;
boot.sync = host.sync;
boot.script = host.script;
for (const { url, rev, nsites, stamp, guards } of boot.waiting.splice(0)) host.script(url, rev, nsites, stamp, undefined, guards);
let connected = false;
watchErrors();
// The first hello names what the page loaded with, so it waits for the entry scripts.
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", connect, { once: true });
else connect();

/**
 * Takes the modules of an entry script in and runs it.
 * @param {Graph} graph
 */
export function enter(graph) {
  queueMicrotask(connect);
  return host.enter(graph);
}

function connect() {
  if (connected) return;
  connected = true;
  host.connect();
}

/** @param {string} id @returns {Promise<Graph>} */
async function fetchGraph(id) {
  const url = new URL("/@capuchin/graph", origin);
  url.searchParams.set("m", id);
  url.searchParams.set("page", boot.page);
  url.searchParams.set("token", boot.token);
  const failure = `Failed to fetch dynamically imported module: ${origin}${id}`;
  const answer = await natives.fetch(url.href).catch(() => {
    throw new TypeError(failure);
  });
  if (!answer.ok) throw new TypeError(failure);
  return answer.json();
}

/**
 * Reloads, unless that was just tried for the same reason: a page and a server that do not get along must not flicker for ever.
 * @param {Reason} reason
 */
function reload(reason) {
  const key = "capuchin:reloads";
  let recent = [];
  try {
    recent = JSON.parse(sessionStorage.getItem(key) ?? "[]").filter((/** @type {any} */ it) => it.code === reason.code && Date.now() - it.at < 10_000);
    sessionStorage.setItem(key, JSON.stringify([...recent, { code: reason.code, at: Date.now() }].slice(-10)));
  } catch {
    // No storage: nothing to count with.
  }
  // A person saving the same file again and again is no loop; those reloads come from edits.
  const isEdit = reason.code === "unaccepted" || reason.code === "failed" || reason.code === "html";
  if (recent.length >= 5 && !isEdit) {
    overlay.show("", `This page was reloaded ${recent.length} times in ten seconds (${reason.message}). Reload it yourself when the reason is gone.`);
    return;
  }
  location.reload();
}

/** Uncaught errors of the program are told to the server, never kept from the console. */
function watchErrors() {
  addEventListener("error", (event) => {
    if (event instanceof ErrorEvent) errors.tell(event.error, event.message, event.filename);
  });
  addEventListener("unhandledrejection", (event) => {
    let text = "Unhandled rejection";
    try {
      text = String(event.reason);
    } catch {
      // Kept as it is.
    }
    errors.tell(event.reason, text);
  });
}

/** @param {"debug" | "warn" | "error"} level @param {string} message @param {unknown} [error] */
function log(level, message, error) {
  const text = `[capuchin] ${message}`;
  if (message.startsWith("[HMR]")) console.warn(message);
  else if (error !== undefined) console[level](text, error);
  else console[level](text);
}
