// A name that is typed letter by letter does not exist for a while: what is held is told, and repaired by the next good text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium, openPage } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

const HTML = `<!doctype html><html><head><title>t</title></head><body><script type="module" src="/main.js"></script></body></html>`;
const PROGRAM = `let counter = 5
export function count() {
  return 1
}
globalThis.count = count
`;

test("every letter of a name gets an outcome, and the whole name runs", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": PROGRAM });
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.notification("capuchin/ready");
  const document = client.open(project.uri("main.js"), PROGRAM);
  const { page, problems } = await openPage(await launchChromium(t), url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);

  let typed = "1";
  for (const name of ["c", "co", "cou", "coun", "counte", "counter"]) {
    const version = document.replace(`return ${typed}`, `return ${name}`);
    typed = name;
    const { verdict } = await client.notification("capuchin/verdict", (it) => it.version === version);
    const { outcome } = await client.notification("capuchin/outcome", (it) => it.version === version);
    const isWhole = name === "counter";
    assert.deepEqual([name, verdict, outcome], [name, isWhole ? "patch" : "hold", isWhole ? "live" : "held"]);
    assert.equal(await page.evaluate("count()"), isWhole ? 5 : 1);
  }
  assert.deepEqual(problems, []);
});

test("white space after a name that does not exist does not make it run", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": PROGRAM });
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.notification("capuchin/ready");
  const document = client.open(project.uri("main.js"), PROGRAM);
  const { page } = await openPage(await launchChromium(t), url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  document.replace("return 1", "return cou");
  const version = document.replace("return cou", "return cou ");
  const { verdict, reason } = await client.notification("capuchin/verdict", (it) => it.version === version);
  assert.deepEqual([verdict, reason.code], ["hold", "unresolved"]);
  assert.equal(await page.evaluate("count()"), 1);
});
