// Function patches in a real page: what runs changes, what was there stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium, openPage } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

const HTML = `<!doctype html><html><head><title>t</title></head><body><p id="out"></p><script type="module" src="/main.js"></script></body></html>`;

/**
 * A project in a page, its main module open in an editor.
 *
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} files
 */
async function live(t, files) {
  const project = await makeProject(t, { "index.html": HTML, ...files });
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.notification("capuchin/ready");
  const browser = await launchChromium(t);
  const document = client.open(project.uri("main.js"), files["main.js"]);
  const { page, problems } = await openPage(browser, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  return { project, client, document, page, problems, url, browser };
}

test("a closure keeps its variable when its function is edited", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": `let made = 0;
export function createCounter(start) {
  let n = start;
  made += 1;
  return { inc() { n += 1; return n; } };
}
globalThis.a = createCounter(10);
globalThis.b = createCounter(20);
globalThis.held = a.inc;
globalThis.made = () => made;
`,
  });
  assert.equal(await page.evaluate("a.inc() + ',' + b.inc()"), "11,21");
  const version = document.replace("n += 1; return n", "n += 100; return n");
  const verdict = await client.notification("capuchin/verdict", (it) => it.version === version);
  assert.equal(verdict.verdict, "patch");
  assert.deepEqual(verdict.sites.map((/** @type {any} */ it) => [it.name, it.kind]), [["inc", "method"]]);
  const outcome = await client.notification("capuchin/outcome", (it) => it.version === version);
  assert.equal(outcome.outcome, "live");
  assert.equal(await page.evaluate("a.inc() + ',' + b.inc() + ',' + held() + ',' + made() + ',' + (held === a.inc)"), "111,121,211,2,true");
  assert.deepEqual(problems, []);
});
