// Modules that are gathered by a pattern: files that come and go while the page runs, on disk and in the editor.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { live, remember, settle, until } from "../support/live.js";

// The form in which webpack's documentation has it.
const TEMPLATES = `const loadContext = () => require.context("./templates", false, /\\.js$/);
const modules = {};
let context = loadContext();
context.keys().forEach((key) => { modules[key] = context(key); });
globalThis.shown = () => Object.keys(modules).sort().map((key) => key + modules[key].default()).join();
globalThis.reloaded = [];
module.hot.accept(context.id, () => {
  const now = loadContext();
  const changed = now.keys().map((key) => [key, now(key)]).filter(([key, it]) => modules[key] !== it);
  for (const [key, it] of changed) { modules[key] = it; reloaded.push(key); }
  for (const key of Object.keys(modules)) if (!now.keys().includes(key)) delete modules[key];
});
`;
const template = (/** @type {string} */ text) => `const text = [${JSON.stringify(text)}].join();\nexport default () => text;\n`;

const FILES = {
  "templates/a.js": template("A"),
  "templates/b.js": template("B"),
  "templates/c.css": "",
};

test("require.context: files that change, come and go on disk", async (t) => {
  const { project, page, problems } = await live(t, { ...FILES, "main.js": TEMPLATES }, { open: [] });
  const same = await remember(page);
  assert.equal(await page.evaluate("shown()"), "./a.jsA,./b.jsB");
  await project.write("templates/b.js", template("BB"));
  await until(page, "shown() === './a.jsA,./b.jsBB'");
  assert.deepEqual(await page.evaluate("reloaded"), ["./b.js"]);
  await project.write("templates/c.js", template("C"));
  await until(page, "shown() === './a.jsA,./b.jsBB,./c.jsC'");
  await rm(project.path("templates/a.js"));
  await until(page, "shown() === './b.jsBB,./c.jsC'");
  await project.write("templates/a.js", template("A"));
  await until(page, "shown() === './a.jsA,./b.jsBB,./c.jsC'");
  assert.deepEqual(await page.evaluate("reloaded"), ["./b.js", "./c.js", "./a.js"]);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("require.context: unsaved buffers, and files that were never saved", async (t) => {
  const { client, project, documents, edit, page, problems } = await live(t, { ...FILES, "main.js": TEMPLATES }, { open: ["templates/a.js"] });
  assert.equal((await edit('["A"]', '["typed"]', documents["templates/a.js"])).outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("shown()"), "./a.jstyped,./b.jsB");
  assert.deepEqual(await page.evaluate("reloaded"), ["./a.js"]);
  const fresh = client.open(project.uri("templates/new.js"), template("new"));
  await until(page, "shown() === './a.jstyped,./b.jsB,./new.jsnew'");
  // Its functions are patched like any other.
  const { outcome } = await settle(client, fresh, fresh.replace("() => text", "() => text + '!'"));
  assert.equal(outcome.outcome, "live");
  assert.equal(await page.evaluate("shown()"), "./a.jstyped,./b.jsB,./new.jsnew!");
  fresh.close();
  await until(page, "shown() === './a.jstyped,./b.jsB'");
  assert.deepEqual(problems, []);
});

test("require.context in CommonJS, deep, with an editor's new pattern", async (t) => {
  const main = (/** @type {string} */ args) => `var context = require.context(${args});
globalThis.keys = context.keys().join();
module.hot.accept();
`;
  const { client, document, page, problems } = await live(
    t,
    {
      "index.html": '<!doctype html><script type="module" src="/main.cjs"></script>',
      "main.cjs": main('"./parts", true, /^\\.\\/.*\\.js$/'),
      "parts/one.js": "",
      "parts/deep/two.js": "",
    },
    { open: ["main.cjs"] },
  );
  assert.equal(await page.evaluate("keys"), "./deep/two.js,./one.js");
  const { verdict, outcome } = await settle(client, document, document.replace("parts\", true", "parts\", false"));
  assert.deepEqual([verdict.verdict, outcome.outcome], ["updateModule", "moduleUpdated"]);
  assert.equal(await page.evaluate("keys"), "./one.js");
  // As it is typed, the folder is none for a while.
  const broken = await settle(client, document, document.replace("./parts", "./part"));
  assert.equal(broken.outcome.outcome, "threw");
  assert.match(broken.outcome.reason.message, /'\.\/part' is no folder of this project/);
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  // The page still runs this one, so there is nothing to do but to take the error back.
  document.replace("./part", "./parts");
  await until(page, "document.querySelector('capuchin-overlay') === null");
  const healed = await settle(client, document, document.replace("./parts", "./parts/deep"));
  assert.equal(healed.outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("keys"), "./two.js");
  assert.equal(problems.length, 1);
});

test("import.meta.glob: lazy, eager, an export, a query, negative patterns", async (t) => {
  const { page, problems } = await live(
    t,
    {
      "src/main.js": `const lazy = import.meta.glob("./pages/*.js");
const eager = import.meta.glob(["./pages/**/*.js", "!**/b.js"], { eager: true });
const names = import.meta.glob("./pages/*.js", { eager: true, import: "name" });
const texts = import.meta.glob("./pages/*.txt", { query: "?raw", import: "default", eager: true });
const rooted = import.meta.glob("/src/pages/a.js");
const based = import.meta.glob("./*.js", { base: "./pages" });
const none = import.meta.glob("./none/*.js");
globalThis.result = {
  lazy: Object.keys(lazy), loaded: (await lazy["./pages/b.js"]()).name,
  eager: Object.entries(eager).map(([key, it]) => key + it.name), names, texts,
  rooted: Object.keys(rooted), based: Object.keys(based), none, same: eager["./pages/a.js"] === (await lazy["./pages/a.js"]()),
};
`,
      "index.html": '<!doctype html><script type="module" src="/src/main.js"></script>',
      "src/pages/a.js": 'export const name = "a";\n',
      "src/pages/b.js": 'export const name = "b";\n',
      "src/pages/deep/c.js": 'export const name = "c";\n',
      "src/pages/note.txt": "a note\n",
    },
    { open: [] },
  );
  await until(page, "'result' in globalThis");
  assert.deepEqual(await page.evaluate("result"), {
    lazy: ["./pages/a.js", "./pages/b.js"],
    loaded: "b",
    eager: ["./pages/a.jsa", "./pages/deep/c.jsc"],
    names: { "./pages/a.js": "a", "./pages/b.js": "b" },
    texts: { "./pages/note.txt": "a note\n" },
    rooted: ["/src/pages/a.js"],
    based: ["./a.js", "./b.js"],
    none: {},
    same: true,
  });
  assert.deepEqual(problems, []);
});

test("import.meta.glob: files that come and go run the module again that gathers them", async (t) => {
  const { client, project, page, problems } = await live(
    t,
    {
      "main.js": `const pages = import.meta.glob("./pages/*.js", { eager: true, import: "default" });
globalThis.pages = pages;
import.meta.hot.accept();
`,
      "pages/a.js": "export default 1;\n",
    },
    { open: [] },
  );
  const same = await remember(page);
  assert.deepEqual(await page.evaluate("pages"), { "./pages/a.js": 1 });
  await project.write("pages/b.js", "export default 2;\n");
  await until(page, "pages['./pages/b.js'] === 2");
  await rm(project.path("pages/a.js"));
  await until(page, "!('./pages/a.js' in pages)");
  const fresh = client.open(project.uri("pages/c.js"), "export default 3;\n");
  await until(page, "pages['./pages/c.js'] === 3");
  await client.verdict(fresh);
  // One of them changed.
  await client.outcome(fresh, fresh.replace("3", "[4].at(0)"));
  await until(page, "pages['./pages/c.js'] === 4");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("import.meta.glob that is typed into a running function", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "globalThis.list = () => 'none';\nimport.meta.hot.accept();\n",
    "pages/a.js": "export default 1;\n",
  });
  const { verdict, outcome } = await settle(client, document, document.replace("'none'", 'Object.keys(import.meta.glob("./pages/*.js")).join()'));
  assert.deepEqual([verdict.verdict, verdict.reason.code, outcome.outcome], ["updateModule", "context", "moduleUpdated"]);
  assert.equal(await page.evaluate("list()"), "./pages/a.js");
  assert.deepEqual(problems, []);
});
