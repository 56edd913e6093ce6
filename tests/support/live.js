// A program that runs in a page while its files are open in an editor: what most browser tests begin with.
import { after } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM_ARGS, chromiumPath, watchProblems } from "./chromium.js";
import { atEnd } from "./cleanup.js";
import { within } from "./deadline.js";
import { startLsp } from "./lsp-client.js";
import { makeProject } from "./project.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("playwright-core").Browser} Browser */
/** @typedef {import("playwright-core").BrowserContext} BrowserContext */
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./lsp-document.js").ClientDocument} ClientDocument */
/** @typedef {import("./lsp-client.js").LspClient} LspClient */

/** A page whose only script is the module `/main.js`. */
export const HTML = `<!doctype html>
<html>
<head><title>t</title></head>
<body><p id="out"></p><script type="module" src="/main.js"></script></body>
</html>
`;

/** @type {Promise<Browser> | undefined} */
let shared;
// Said here and not where it is started: that is inside of a test, which would close it at its end.
after(async () => (await shared)?.close());

/**
 * The browser of a test file: started once, closed when the file is done. Tests are kept apart by their contexts.
 *
 * @returns {Promise<Browser>}
 */
export function sharedChromium() {
  shared ??= chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
  return shared;
}

/**
 * Tabs with a storage of their own, which are closed when the test ends.
 *
 * @param {TestContext} t
 */
export async function newContext(t) {
  const browser = await sharedChromium();
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  atEnd(t, () => context.close());
  return context;
}

/**
 * Opens a tab.
 *
 * @param {BrowserContext} context
 * @param {string} url
 * @returns {Promise<{ page: Page, problems: string[] }>} `problems` holds uncaught errors and console errors
 */
export async function openTab(context, url) {
  const page = await context.newPage();
  const problems = watchProblems(page);
  await page.goto(url);
  return { page, problems };
}

/**
 * The project in a page, some of its files open in an editor.
 *
 * @param {TestContext} t
 * @param {Record<string, string>} files `index.html` may be left out
 * @param {{ open?: string[], at?: string, context?: BrowserContext, lsp?: import("./lsp-client.js").Options }} [options]
 *   which files are open in the editor (`main.js`) and the address that is shown (`/`)
 */
export async function live(t, files, { open = ["main.js"], at = "", context, lsp = {} } = {}) {
  const project = await makeProject(t, { "index.html": HTML, ...files });
  const client = await startLsp(t, { root: project.folder, ...lsp });
  const { url } = await client.ready();
  /** @type {Record<string, ClientDocument>} */
  const documents = {};
  for (const name of open) documents[name] = client.open(project.uri(name), files[name]);
  for (const name of open) await client.verdict(documents[name]);
  const tabs = context ?? (await newContext(t));
  const { page, problems } = await openTab(tabs, new URL(at, url).href);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  const document = documents[open[0]];
  /**
   * Replaces the only place where `old` stands, and waits for what became of it.
   *
   * @param {string} old
   * @param {string} text
   * @param {ClientDocument} [of]
   */
  const edit = (old, text, of = document) => settle(client, of, of.replace(old, text));
  return { project, client, document, documents, page, problems, url, context: tabs, edit };
}

/**
 * The verdict on a version, and its outcome in the page that the test has open.
 *
 * @param {LspClient} client
 * @param {ClientDocument} document
 * @param {number} version
 */
export async function settle(client, document, version) {
  const verdict = await client.verdict(document, version);
  const outcome = await client.outcome(document, version);
  return { verdict, outcome };
}

/**
 * Says whether the page is still the one that was loaded now: a reload makes it answer `false`.
 *
 * @param {Page} page
 * @returns {Promise<() => Promise<boolean>>}
 */
export async function remember(page) {
  const origin = await page.evaluate("performance.timeOrigin");
  return async () => (await page.evaluate("performance.timeOrigin")) === origin;
}

/**
 * Waits until an expression is true in the page. While it throws it is not: what it names may still be to come.
 *
 * @param {Page} page
 * @param {string} expression
 */
export async function until(page, expression) {
  const tried = `(() => { try { return (${expression}); } catch { return false; } })()`;
  await page.waitForFunction(tried).catch(async (error) => {
    const found = await page.evaluate("document.documentElement.outerHTML").catch(() => "(no page)");
    throw new Error(`${expression} did not become true (${error.message}); the page is ${found}`);
  });
}

/**
 * Does something that makes the page load again, and waits until it has.
 *
 * @param {Page} page
 * @param {() => unknown} action
 */
export async function whileReloading(page, action) {
  const loaded = page.waitForEvent("load");
  // Looked at below; until then a failure of the action comes first.
  loaded.catch(() => {});
  await action();
  await within("the page to reload", loaded);
}

/** What the overlay of a page says. @param {Page} page */
export async function overlayText(page) {
  // Its shadow root is closed, which a debugger may look into.
  const session = await page.context().newCDPSession(page);
  try {
    const { root } = await session.send("DOM.getDocument", { depth: -1, pierce: true });
    return overlayIn(root);
  } finally {
    await session.detach();
  }
}

/**
 * @param {any} node
 * @returns {string | null}
 */
function overlayIn(node) {
  if (node.localName === "capuchin-overlay") return node.shadowRoots.map(textIn).join("\n");
  for (const child of node.children ?? []) {
    const text = overlayIn(child);
    if (text !== null) return text;
  }
  return null;
}

/**
 * @param {any} node
 * @returns {string}
 */
function textIn(node) {
  if (node.localName === "style" || node.localName === "button") return "";
  if (node.nodeType === 3) return `${node.nodeValue}\n`;
  return (node.children ?? []).map(textIn).join("");
}
