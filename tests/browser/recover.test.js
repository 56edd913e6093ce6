// A page that could not load its program: whatever mends it, unsaved or on disk, brings the page back by itself. Nothing of the
// program runs there, so a reload takes no state away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServe } from "../support/binary.js";
import { HTML, live, newContext, openTab, overlayText, remember, settle, until } from "../support/live.js";
import { makeProject } from "../support/project.js";

const SHAPES = "export const area = (r) => r * r;\n";
const HEALED = "globalThis.answer === 4 && document.querySelector('capuchin-overlay') === null";
const FAILED = "document.querySelector('capuchin-overlay') !== null";

/**
 * Programs that do not load, and the one edit that mends each.
 *
 * @type {Record<string, { files: Record<string, string>, in: string, edit: [string, string], says: RegExp }>}
 */
const BROKEN = {
  "an import that leads nowhere, taken out": {
    files: { "main.js": 'import "./gone.js";\nglobalThis.answer = 4;\n' },
    in: "main.js",
    edit: ['import "./gone.js";\n', ""],
    says: /'\.\/gone\.js' was not found/,
  },
  "an import whose name is misspelt": {
    files: { "main.js": 'import { area } from "./shape.js";\nglobalThis.answer = area(2);\n', "shapes.js": SHAPES },
    in: "main.js",
    edit: ["./shape.js", "./shapes.js"],
    says: /'\.\/shape\.js' was not found/,
  },
  "a syntax error in the entry": {
    files: { "main.js": "globalThis.answer = (4;\n" },
    in: "main.js",
    edit: ["(4", "(4)"],
    says: /\/main\.js:1:\d+\sdoes not parse: /,
  },
  "a syntax error in an imported module": {
    files: { "main.js": 'import { area } from "./shapes.js";\nglobalThis.answer = area(2);\n', "shapes.js": SHAPES.replace("r * r", "r *") },
    in: "shapes.js",
    edit: ["r *", "r * r"],
    says: /\/shapes\.js:1:\d+\sdoes not parse: /,
  },
  "an import that leads nowhere in an imported module": {
    files: {
      "main.js": 'import { area } from "./shapes.js";\nglobalThis.answer = area(2);\n',
      "shapes.js": `import { gone } from "./gone.js";\n${SHAPES}`,
    },
    in: "shapes.js",
    edit: ['import { gone } from "./gone.js";\n', ""],
    says: /'\.\/gone\.js' was not found/,
  },
  "a name that a module does not have": {
    files: { "main.js": "globalThis.answer = nine;\n" },
    in: "main.js",
    edit: ["nine", "4"],
    says: /nine is not defined/,
  },
  "a function that throws while the program starts": {
    files: { "main.js": "function start() {\n  return nine;\n}\nglobalThis.answer = start();\n" },
    in: "main.js",
    edit: ["return nine", "return 4"],
    says: /nine is not defined/,
  },
  "a module with top-level await that throws": {
    files: { "main.js": "await null;\nglobalThis.answer = nine;\n" },
    in: "main.js",
    edit: ["nine", "4"],
    says: /nine is not defined/,
  },
  "an inline script whose import leads nowhere": {
    files: {
      "index.html": '<!doctype html><script type="module">import { area } from "./shapes.js";\nglobalThis.answer = area(2);</script>',
      "shapes.js": `import "./gone.js";\n${SHAPES}`,
    },
    in: "shapes.js",
    edit: ['import "./gone.js";\n', ""],
    says: /'\.\/gone\.js' was not found/,
  },
};

for (const [what, { files, in: name, edit: [old, text], says }] of Object.entries(BROKEN)) {
  test(`${what}: the page comes back unsaved`, async (t) => {
    const { client, documents, page } = await live(t, files, { open: [name] });
    await until(page, FAILED);
    assert.match(String(await overlayText(page)), says);
    documents[name].replace(old, text);
    await until(page, HEALED);
    const { outcome, reason } = await client.outcome(documents[name]);
    assert.deepEqual([outcome, reason?.code], ["needsReload", "failed"]);
    assert.match(reason.message, /nothing of the program runs|the page is loaded again/);
  });

  test(`${what}: the page comes back on disk`, async (t) => {
    const project = await makeProject(t, { "index.html": HTML, ...files });
    const { url } = await startServe(t, project.folder);
    const { page } = await openTab(await newContext(t), url);
    await until(page, FAILED);
    assert.match(String(await overlayText(page)), says);
    await project.write(name, files[name].replace(old, text));
    await until(page, HEALED);
  });
}

test("the missing file is made while its importer is open and unsaved: the page comes back", async (t) => {
  const main = 'import { area } from "./shapes.js";\nglobalThis.answer = area(2);\n';
  const { client, document, page, project } = await live(t, { "main.js": main });
  await until(page, FAILED);
  await client.verdict(document, document.replace("area(2)", "area(2) // two"));
  await project.write("shapes.js", SHAPES);
  await until(page, HEALED);
});

test("edits that do not mend the program leave its page failed, and the one that does brings it back", async (t) => {
  const { client, document, page } = await live(t, { "main.js": 'import "./gone.js";\nfunction f() { return 1; }\nglobalThis.answer = f();\n' });
  await until(page, FAILED);
  const same = await remember(page);
  // What would fail again for sure is no reason to load it again.
  assert.equal((await client.verdict(document, document.replace("return 1", "return (1"))).verdict, "hold");
  await client.verdict(document, document.replace("./gone.js", "./gone2.js"));
  assert.ok(await same());
  document.replace('import "./gone2.js";\n', "");
  await client.verdict(document, document.replace("return (1", "return 4"));
  await until(page, HEALED);
});

test("a page where another program runs keeps its state: the failed one waits for the save", async (t) => {
  const { document, page, client, project } = await live(t, {
    "index.html": HTML.replace("</body>", '<script type="module" src="/other.js"></script></body>'),
    "main.js": 'import "./gone.js";\nglobalThis.answer = 4;\n',
    "other.js": "globalThis.other = 'works';\n",
  });
  await until(page, FAILED);
  const same = await remember(page);
  const { outcome } = await settle(client, document, document.replace('import "./gone.js";\n', ""));
  assert.equal(outcome.outcome, "needsReload");
  assert.match(outcome.reason.message, /save/);
  assert.ok(await same());
  await project.write("main.js", document.text);
  document.save();
  await until(page, HEALED);
});

test("a program that runs is never reloaded into an import that leads nowhere", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": "let n = 0;\nglobalThis.up = () => { n += 1; return n; };\n" });
  const { url } = await startServe(t, project.folder);
  const { page, problems } = await openTab(await newContext(t), url);
  const same = await remember(page);
  assert.equal(await page.evaluate("up()"), 1);
  const main = await project.read("main.js");
  await project.write("main.js", `import { area } from "./shapes.js";\n${main.replace("return n;", "return area(n);")}`);
  await until(page, FAILED);
  assert.match(String(await overlayText(page)), /'\.\/shapes\.js' was not found/);
  assert.equal(await page.evaluate("up()"), 2);
  await project.write("shapes.js", SHAPES);
  await until(page, "document.querySelector('capuchin-overlay') === null");
  assert.equal(await page.evaluate("up()"), 9);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});
