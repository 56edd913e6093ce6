// A server that is started again on the same port, with the same files and buffers: the page stays as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium, openPage } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

const HTML = `<!doctype html><html><head><title>t</title></head><body><script type="module" src="/main.js"></script></body></html>`;
const MAIN = `let hits = 0;
export function hit() { hits += 1; return hits; }
globalThis.hit = hit;
`;

for (const route of ["", "users/42"]) test(`a page at /${route} comes back to a server that was started again, with its state`, async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": MAIN });
  const first = await startLsp(t, { root: project.folder });
  const { url } = await first.ready();
  const before = first.open(project.uri("main.js"), MAIN);
  const browser = await launchChromium(t);
  const { page } = await openPage(browser, new URL(route, url).href);
  await first.notification("capuchin/pagesChanged", (it) => it.count === 1);
  assert.equal(await page.evaluate("hit()"), 1);
  before.replace("hits += 1", "hits += 10");
  assert.equal((await first.outcome(before)).outcome, "live");
  assert.equal(await page.evaluate("hit()"), 11);
  await first.shutDown();

  const port = Number(new URL(url).port);
  const second = await startLsp(t, { root: project.folder, initializationOptions: { port } });
  assert.equal((await second.ready()).url, url);
  const after = second.open(project.uri("main.js"), before.text);
  await second.notification("capuchin/pagesChanged", (it) => it.count === 1);
  assert.equal(await page.evaluate("hit()"), 21);
  after.replace("hits += 10", "hits += 100");
  assert.equal((await second.outcome(after)).outcome, "live");
  assert.equal(await page.evaluate("hit()"), 121);
});
