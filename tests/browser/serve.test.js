// `capuchin serve`: pages follow the files on disk, whoever changes them.
import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import { test } from "node:test";
import { startServe } from "../support/binary.js";
import { HTML, live, newContext, openTab, overlayText, remember, until, whileReloading } from "../support/live.js";
import { makeProject } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */

/**
 * @param {TestContext} t
 * @param {Record<string, string>} files
 */
async function served(t, files) {
  const project = await makeProject(t, { "index.html": HTML, ...files });
  const { url, stderr } = await startServe(t, project.folder, { args: ["--log-level", "debug"] });
  const context = await newContext(t);
  const { page, problems } = await openTab(context, url);
  return { project, url, stderr, context, page, problems };
}


test("a function changed on disk is patched", async (t) => {
  const { project, page, problems } = await served(t, {
    "main.js": "let n = 0;\nexport const f = () => { n += 1; return n; };\nglobalThis.f = f;\n",
  });
  const same = await remember(page);
  assert.equal(await page.evaluate("f()"), 1);
  await project.write("main.js", (await project.read("main.js")).replace("return n;", "return `now ${n}`;"));
  await until(page, "String(f()).startsWith('now')");
  assert.ok(Number((await page.evaluate("f()")).slice(4)) > 1);
  // As editors save that write a new file beside the old one.
  await project.write("main.js.tmp", (await project.read("main.js")).replace("now ", "then "));
  await rename(project.path("main.js.tmp"), project.path("main.js"));
  await until(page, "String(f()).startsWith('then')");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("a module whose top level changed on disk runs again or reloads the page", async (t) => {
  const { project, page, problems } = await served(t, {
    "main.js": 'import { value } from "./value.js";\nglobalThis.value = () => value;\nimport.meta.hot.accept("./value.js", () => {});\n',
    "value.js": "export const value = [1].at(0);\n",
  });
  const same = await remember(page);
  await project.write("value.js", "export const value = [2].at(0);\n");
  await until(page, "value() === 2");
  assert.ok(await same());
  await whileReloading(page, () => project.write("main.js", "globalThis.value = () => 'anew';\n"));
  assert.equal(await page.evaluate("value()"), "anew");
  assert.deepEqual(problems, []);
});

test("a syntax error on disk is shown and keeps the last good program, the next good text clears it", async (t) => {
  const { project, page, problems } = await served(t, {
    "main.js": "globalThis.f = f;\nfunction f() { return 1; }\nfunction g() {}\n",
  });
  await project.write("main.js", "globalThis.f = f;\nfunction f() { return 1 +; }\nfunction g() {}\n");
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(String(await overlayText(page)), /\/main\.js:2:\d+\sdoes not parse: /);
  assert.equal(await page.evaluate("f()"), 1);
  await project.write("main.js", "globalThis.f = f;\nfunction f() { return 1 + 1; }\nfunction g() {}\n");
  await until(page, "f() === 2");
  await until(page, "document.querySelector('capuchin-overlay') === null");
  assert.deepEqual(problems, []);
});

test("a missing module is a clear error; creating the file heals it", async (t) => {
  const { project, page, problems } = await served(t, {
    "index.html": HTML.replace("</body>", '<script type="module" src="/other.js"></script></body>'),
    "main.js": 'import { late } from "./late.js";\nglobalThis.late = late;\n',
    "other.js": "globalThis.other = 'works';\n",
  });
  await until(page, "globalThis.other === 'works'");
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  const text = String(await overlayText(page));
  assert.match(text, /\.\/late\.js/);
  assert.match(text, /main\.js/);
  assert.ok(problems.some((it) => it.includes("./late.js")), problems.join("\n"));
  await project.write("late.js", "export const late = 'here';\n");
  await until(page, "globalThis.late === 'here'");
  await until(page, "document.querySelector('capuchin-overlay') === null");
});

test("a module that does not parse when the page loads is a clear error, and heals", async (t) => {
  const { project, page } = await served(t, {
    "main.js": 'import { f } from "./broken.js";\nglobalThis.f = f;\n',
    "broken.js": "export function f() {\n  return (;\n}\n",
  });
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(String(await overlayText(page)), /\/broken\.js:2:\d+ does not parse: /);
  await project.write("broken.js", "export function f() {\n  return 1;\n}\n");
  await until(page, "globalThis.f?.() === 1");
  await until(page, "document.querySelector('capuchin-overlay') === null");
});

test("a deleted file is told, and its return heals", async (t) => {
  const { project, page } = await served(t, {
    "main.js": 'import { a } from "./a.js";\nglobalThis.a = () => a;\nimport.meta.hot?.accept("./a.js", () => {});\n',
    "a.js": "export const a = [1].at(0);\n",
  });
  assert.equal(await page.evaluate("a()"), 1);
  await rm(project.path("a.js"));
  // What runs goes on, and the page does not go away.
  await project.write("a.js", "export const a = [2].at(0);\n");
  await until(page, "globalThis.a?.() === 2");
});

test("new files are served, old ones from the newest text", async (t) => {
  const { project, page, problems } = await served(t, { "main.js": "globalThis.load = (name) => import(`./${name}.js`);\n" });
  await project.write("fresh.js", "export default 'fresh';\n");
  assert.equal(await page.evaluate("load('fresh').then((it) => it.default)"), "fresh");
  assert.deepEqual(problems, []);
});

test("a new HTML file on disk reloads the pages made from it", async (t) => {
  const { project, page, problems } = await served(t, { "main.js": "" });
  await whileReloading(page, () => project.write("index.html", HTML.replace("<title>t</title>", "<title>new</title>")));
  assert.equal(await page.title(), "new");
  assert.deepEqual(problems, []);
});

test("files that no editor has open are followed while one edits others", async (t) => {
  const { project, page, edit, problems } = await live(t, {
    "main.js": 'import { g } from "./other.js";\nfunction f() { return `f ${g()}`; }\nglobalThis.f = f;\n',
    "other.js": "export function g() { return 1; }\n",
  });
  await project.write("other.js", "export function g() { return 2; }\n");
  await until(page, "f() === 'f 2'");
  assert.equal((await edit("`f ${g()}`", "`F ${g()}`")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "F 2");
  // The disk's text of an open document does not count.
  await project.write("main.js", "globalThis.f = () => 'disk';\n");
  await project.write("other.js", "export function g() { return 3; }\n");
  await until(page, "f() === 'F 3'");
  assert.deepEqual(problems, []);
});

test("an import that is missing for good does not run its module again whenever a file is written", async (t) => {
  const { project, page, problems } = await served(t, {
    "main.js": 'import "./optional.cjs";\nglobalThis.f = function () { return 1; };\n',
    "optional.cjs": "globalThis.tries = (globalThis.tries ?? 0) + 1;\ntry { require('not-there'); } catch (error) { globalThis.code = error.code; }\n",
  });
  const same = await remember(page);
  assert.equal(await page.evaluate("code"), "MODULE_NOT_FOUND");
  await project.write("new.js", "export default 'new';\n");
  assert.equal(await page.evaluate("fetch('/new.js').then((it) => it.ok)"), true);
  // This change comes after that of the new file.
  await project.write("main.js", (await project.read("main.js")).replace("return 1", "return 2"));
  await until(page, "f() === 2");
  assert.ok(await same());
  assert.equal(await page.evaluate("tries"), 1);
  assert.deepEqual(problems, []);
});

test("data on disk that cannot be read keeps what runs, and its next good text is taken", async (t) => {
  const { project, page, problems } = await served(t, {
    "main.js": 'import data from "./data.json";\nglobalThis.data = () => data.n;\nimport.meta.hot.accept("./data.json", () => {});\n',
    "data.json": '{ "n": 1 }\n',
  });
  const same = await remember(page);
  await project.write("data.json", '{ "n": \n');
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.equal(await overlayText(page), "/data.json\ncould not be loaded: /data.json is not valid JSON\n");
  assert.equal(await page.evaluate("data()"), 1);
  await project.write("data.json", '{ "n": 2 }\n');
  await until(page, "data() === 2 && document.querySelector('capuchin-overlay') === null");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("a lazy import that led nowhere finds its file once that is there, and nothing runs again", async (t) => {
  const { project, page } = await served(t, {
    "main.js": "globalThis.runs = (globalThis.runs ?? 0) + 1;\nglobalThis.load = () => import('./late.js').then((it) => it.late, (error) => error.message);\n",
  });
  const same = await remember(page);
  assert.match(await page.evaluate("load()"), /'\.\/late\.js' was not found/);
  await project.write("late.js", "export const late = 'here';\n");
  await until(page, "load().then((it) => it === 'here')");
  assert.equal(await page.evaluate("runs"), 1);
  assert.ok(await same());
});
