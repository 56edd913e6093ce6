// Changes of the top level that need no new run of the module: what is added, changed and removed while the page runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium, openPage } from "../support/chromium.js";
import { remember, settle } from "../support/live.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

const HTML = `<!doctype html><html><head><title>t</title></head><body><script type="module" src="/main.js"></script></body></html>`;
const OTHER = `globalThis.otherRan = (globalThis.otherRan ?? 0) + 1;
export const double = (x) => x * 2;
`;

/**
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} files
 */
async function live(t, files) {
  const project = await makeProject(t, { "index.html": HTML, ...files });
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  const document = client.open(project.uri("main.js"), files["main.js"]);
  const browser = await launchChromium(t);
  const { page, problems } = await openPage(browser, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  /** @param {string} old @param {string} text @param {string} verdict @param {string} outcome */
  const edit = async (old, text, verdict, outcome) => {
    const version = document.replace(old, text);
    const told = await client.verdict(document, version);
    assert.equal(told.verdict, verdict, JSON.stringify(told));
    const came = await client.outcome(document, version);
    assert.equal(came.outcome, outcome, JSON.stringify(came));
    return came;
  };
  return { project, client, document, page, problems, url, browser, edit };
}

const COUNTER = `let hits = 0;
const step = 1;
const limit = step * 10;
export function hit() { hits += step; return hits; }
globalThis.hit = hit;
globalThis.limit = () => limit;
globalThis.runs = (globalThis.runs ?? 0) + 1;
`;

test("an added function is used by an edited one, and the module does not run again", async (t) => {
  const { page, problems, edit, document } = await live(t, { "main.js": COUNTER });
  assert.equal(await page.evaluate("hit()"), 1);
  await edit("export function hit", "function twice(n) { return n * 2; }\nexport function hit", "patch", "live");
  await edit("return hits; }", "return twice(hits); }", "patch", "live");
  assert.equal(await page.evaluate("hit()"), 4);
  await edit("return n * 2", "return n * 3", "patch", "live");
  assert.equal(await page.evaluate("hit()"), 9);
  assert.equal(await page.evaluate("runs"), 1);
  // A page that loads now has it as a plain binding; patches reach it all the same.
  await page.reload();
  await page.waitForFunction("globalThis.hit !== undefined");
  assert.equal(await page.evaluate("hit()"), 3);
  assert.deepEqual(problems, []);
  assert.ok(document.text.includes("twice"));
});

test("a function that is used before it is written is held, then patched", async (t) => {
  const { page, edit } = await live(t, { "main.js": COUNTER });
  await edit("return hits; }", "return later(hits); }", "hold", "held");
  assert.equal(await page.evaluate("hit()"), 1);
  await edit("let hits", "const later = (n) => n + 100;\nlet hits", "patch", "live");
  assert.equal(await page.evaluate("hit()"), 102);
});

test("a constant gets its new value, and so do the constants made of it", async (t) => {
  const { page, edit } = await live(t, { "main.js": COUNTER });
  assert.equal(await page.evaluate("hit() + ',' + limit()"), "1,10");
  await edit("const step = 1", "const step = 5", "patch", "live");
  assert.equal(await page.evaluate("hit() + ',' + limit()"), "6,50");
  await edit("const step = 5", "const step = 1", "patch", "live");
  assert.equal(await page.evaluate("hit() + ',' + limit() + ',' + runs"), "7,10,1");
});

test("a variable takes its new initial value only if nothing was written to it", async (t) => {
  const { page, edit } = await live(t, { "main.js": COUNTER });
  await edit("let hits = 0", "let hits = 50", "patch", "live");
  assert.equal(await page.evaluate("hit()"), 51);
  const kept = await edit("let hits = 50", "let hits = 7", "patch", "live");
  assert.equal(kept.reason?.code, "kept");
  assert.equal(await page.evaluate("hit()"), 52);
});

test("an added import loads its module first", async (t) => {
  const { page, edit } = await live(t, { "main.js": COUNTER, "other.js": OTHER });
  await edit("let hits", 'import { double } from "./other.js";\nlet hits', "patch", "live");
  assert.equal(await page.evaluate("otherRan"), 1);
  await edit("return hits; }", "return double(hits); }", "patch", "live");
  assert.equal(await page.evaluate("hit() + ',' + runs"), "2,1");
});

test("a function that is removed and written again is the same one for who holds it", async (t) => {
  const source = `function helper() { return 1; }\nexport function ask() { return 0; }\nglobalThis.ask = ask;\nglobalThis.old = () => helper();\n`;
  const { page, edit } = await live(t, { "main.js": source });
  assert.equal(await page.evaluate("old()"), 1);
  await edit("function helper() { return 1; }\n", "", "patch", "live");
  assert.equal(await page.evaluate("old()"), 1);
  await edit("export function ask", "function helper() { return 2; }\nexport function ask", "patch", "live");
  await edit("return 0", "return helper()", "patch", "live");
  assert.equal(await page.evaluate("old() + ',' + ask()"), "2,2");
});

test("an added export is seen by who imports the module", async (t) => {
  const main = `import * as other from "./other.js";\nglobalThis.names = () => Object.keys(other).join();\nglobalThis.more = () => other.triple?.(2);\n`;
  const { client, project, page } = await live(t, { "main.js": main, "other.js": OTHER });
  const other = client.open(project.uri("other.js"), OTHER);
  other.replace("export const double", "export function triple(x) { return x * 3; }\nexport const double");
  assert.equal((await client.verdict(other)).verdict, "patch");
  assert.equal((await client.outcome(other)).outcome, "live");
  assert.equal(await page.evaluate("names() + ',' + more() + ',' + otherRan"), "double,triple,6,1");
});

test("a constant object takes what the program left alone, and stays the same object", async (t) => {
  const source = `const state = { score: 0, lives: 3, list: [1, 2] };
globalThis.state = state;
globalThis.play = () => { state.score += 5; return state.lives; };
`;
  const { page, edit } = await live(t, { "main.js": source });
  await page.evaluate("globalThis.before = state; play()");
  await edit("lives: 3", "lives: 9", "patch", "live");
  await edit("[1, 2]", "[1, 2, 3]", "patch", "live");
  assert.equal(await page.evaluate("[play(), state.score, state.list.length, before === state].join()"), "9,10,3,true");
  const kept = await edit("score: 0", "score: 100", "patch", "live");
  assert.equal(kept.reason?.code, "kept");
  assert.equal(await page.evaluate("state.score"), 10);
});

test("an anonymous default export is patched", async (t) => {
  const main = `import next from "./other.js";\nglobalThis.next = next;\nglobalThis.ask = () => next();\n`;
  const other = `export default function () { return 1; }\n`;
  const { client, project, page } = await live(t, { "main.js": main, "other.js": other });
  const document = client.open(project.uri("other.js"), other);
  document.replace("return 1", "return 2");
  assert.equal((await client.verdict(document)).verdict, "patch");
  assert.equal((await client.outcome(document)).outcome, "live");
  assert.equal(await page.evaluate("[next(), ask(), next.name].join()"), "2,2,default");
});

test("an import that is typed letter by letter is held until it leads somewhere, and then taken over", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "let n = 0;\nexport function f() { n += 1; return n; }\nglobalThis.f = f;\n",
    "shapes.js": "export const area = (r) => r * r;\n",
  });
  const same = await remember(page);
  assert.equal(await page.evaluate("f()"), 1);
  document.edit(0, 0, 'import { area } from "";\n');
  const type = (/** @type {string} */ keys) => document.type(document.text.slice(0, document.text.indexOf('";')), keys);
  for (const key of "./shape") {
    const { verdict, reason } = await client.verdict(document, type(key));
    assert.deepEqual([verdict, reason.code], ["hold", "import"]);
  }
  // The module is found without the ending of its name, not with half of it, and is the same one with all of it.
  assert.equal((await client.outcome(document, type("s"))).outcome, "live");
  assert.equal((await client.verdict(document, type("."))).verdict, "hold");
  assert.equal((await settle(client, document, document.replace("return n;", "return area(n);"))).outcome.outcome, "live");
  assert.equal((await client.verdict(document, type("j"))).verdict, "hold");
  assert.notEqual((await client.verdict(document, type("s"))).verdict, "updateModule");
  assert.equal(await page.evaluate("f()"), 4);
  assert.equal((await settle(client, document, document.replace("area(n)", "area(n) + 1"))).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 10);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("an import that leads nowhere does not hold up what else changes at the top level", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "const step = 1;\nlet n = 0;\nexport function f() { n += step; return n; }\nglobalThis.f = f;\n",
  });
  document.edit(0, 0, 'import { area } from "./shapes.js";\n');
  const { verdict, outcome } = await settle(client, document, document.replace("step = 1", "step = 10"));
  assert.deepEqual([verdict.verdict, verdict.reason.code, outcome.outcome], ["patch", "import", "live"]);
  assert.equal(await page.evaluate("f()"), 10);
  assert.deepEqual(problems, []);
});
