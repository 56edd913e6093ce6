// A page that a program of fixtures/hot/rules runs in: in this process, or a tab of Chromium. Both take the same expressions, and tell
// what the program logged and what the page answered to the server.
import { get } from "node:http";
import { createHost } from "../../runtime/host.js";
import { within } from "../support/deadline.js";
import { TestSocket } from "../support/web-socket.js";

/** @typedef {"automatic" | "manual" | "watch"} Mode */

/**
 * @typedef {object} RulesPage
 * @property {(folder: string, entry: string, mode: Mode) => Promise<void>} load
 * @property {(expression: string) => Promise<any>} evaluate
 * @property {() => Promise<void>} reloaded fulfilled when the page has loaded itself again, after `load` or the last call
 * @property {() => Promise<void>} leave
 * @property {() => Promise<void>} close
 */

/** Its `hot` is how the suite asks for updates: it belongs to no program. */
export const CONTROL = "globalThis.hot = import.meta.webpackHot;\n";

/**
 * The page of a program in Chromium.
 *
 * @param {string} entry
 * @param {Mode} mode
 */
export function html(entry, mode) {
  return `<!doctype html>
<html data-capuchin-mode="${mode}">
<head><script type="module" src="/control.js"></script><script type="module" src="./${entry}"></script></head>
</html>
`;
}

/** What programs find in every page, before they run. */
const GLOBALS = `
  globalThis.state = {};
  globalThis.seen = { log: [], outcomes: [] };
  globalThis.log = (...values) => { seen.log.push(values.map(String).join(" ")); };
`;

/** The same in a browser, where what the runtime says has to be caught on its way. */
const BROWSER_GLOBALS = `${GLOBALS}
  const { warn } = console;
  console.warn = (message, ...more) => {
    if (String(message).startsWith("[HMR]")) log(message);
    warn(message, ...more);
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (message.type === "outcome") seen.outcomes.push(...message.results);
    return send.call(this, text);
  };
  globalThis.sync = () => __capuchin.sync();
  globalThis.setMode = (mode) => __capuchin.setMode(mode);
`;

let pages = 0;

/**
 * Pages in this process: one after another, because they share its globals.
 *
 * @param {string} url where the program is served
 * @returns {Promise<RulesPage>}
 */
export async function nodePage(url) {
  const origin = new URL(url).origin;
  const page = await fetchText(`${origin}/`);
  const attribute = (/** @type {string} */ name) => new RegExp(`data-${name}="([^"]*)"`).exec(page)?.[1] ?? "";
  const [token, server] = ["token", "server"].map(attribute);
  const socket = new URL(`/@capuchin/socket?token=${token}`, origin);
  /** @type {ReturnType<typeof createHost> | undefined} */
  let host;
  /** @type {Promise<void>} */
  let reloading = Promise.resolve();
  const global = /** @type {any} */ (globalThis);

  /** @type {RulesPage["load"]} */
  async function load(folder, entry, mode) {
    host?.close();
    (0, eval)(GLOBALS);
    const { seen } = global;
    const id = `rules-${process.pid}-${++pages}`;
    const graph = async (/** @type {string} */ module) =>
      JSON.parse(await fetchText(`${origin}/@capuchin/graph?m=${encodeURIComponent(module)}&page=${id}&token=${token}`));
    /** @type {(loaded: Promise<void>) => void} */
    let reloads = () => {};
    reloading = new Promise((resolve) => (reloads = resolve));
    const mine = createHost({
      page: id,
      server,
      origin,
      open: () => {
        const wire = new TestSocket(socket, "capuchin");
        const send = wire.send.bind(wire);
        wire.send = (text) => {
          const message = JSON.parse(text);
          if (message.type === "outcome") seen.outcomes.push(...message.results);
          send(text);
        };
        return wire;
      },
      fetchGraph: graph,
      // What a page that was left still wants is nobody's concern.
      reload: () => { if (host === mine) reloads(load(folder, entry, mode)); },
      log: (level, message) => {
        if (level === "warn" && message.startsWith("[HMR]")) global.log(message);
      },
    });
    host = mine;
    host.setMode(mode);
    global.sync = () => mine.sync();
    global.setMode = mine.setMode;
    for (const module of ["/control.js", `${folder}/${entry}`]) {
      // As in a page: a program that fails to load is there all the same.
      await Promise.resolve(await graph(module)).then((it) => mine.enter(it)).catch(() => {});
    }
    // Left meanwhile.
    if (host !== mine) return;
    mine.connect();
    await within(`${folder} to be connected`, mine.sync());
  }

  return {
    load,
    evaluate: (expression) => within(expression, Promise.resolve((0, eval)(expression))),
    reloaded: () => within("the page to reload", reloading),
    leave: () => {
      host?.close();
      return Promise.resolve();
    },
    close: () => {
      host?.close();
      host = undefined;
      return Promise.resolve();
    },
  };
}

/**
 * A tab of Chromium.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @returns {Promise<RulesPage>}
 */
export async function chromiumPage(browser, url) {
  const page = await browser.newPage();
  await page.addInitScript(BROWSER_GLOBALS);
  /** @type {Promise<void>} */
  let reloading = Promise.resolve();
  const expectReload = () => {
    reloading = page.waitForEvent("load", { timeout: 0 }).then(settled);
    // Most pages are left before they reload.
    reloading.catch(() => {});
  };
  const settled = async () => {
    await page.evaluate("sync()");
    expectReload();
  };
  return {
    load: async (folder) => {
      await page.goto(new URL(`${folder}/`, url).href, { waitUntil: "domcontentloaded" });
      await settled();
    },
    evaluate: (expression) => page.evaluate(expression),
    reloaded: () => within("the page to reload", reloading),
    // What is closed in the editor is on disk as it was: a page that is still there may reload for that, into the next case.
    leave: async () => {
      await page.goto("about:blank");
    },
    close: () => page.close(),
  };
}

/** @param {string} url @returns {Promise<string>} */
function fetchText(url) {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data) => (text += data));
      response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${url}: ${response.statusCode} ${text}`))));
    }).on("error", reject);
  });
}
