// Who hears of an update, in a real page: names that importers use, several modules at once, modes and statuses, bad input.
import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import { test } from "node:test";
import { live, openTab, overlayText, remember, settle, until } from "../support/live.js";

const PARTIAL = {
  "main.js": 'import { View } from "./view.js";\nglobalThis.runs = (globalThis.runs ?? 0) + 1;\nglobalThis.view = () => View;\nimport.meta.hot.accept();\n',
  "view.js": `export const View = ["view 1"].join();
export const helper = ["helper 1"].join();
import.meta.hot.acceptExports(["View"], (next) => { globalThis.told = next.View; });
`,
};

test("an importer that uses only accepted exports is left alone", async (t) => {
  const { edit, documents, project, page, problems } = await live(t, PARTIAL, { open: ["view.js", "main.js"] });
  const document = documents["view.js"];
  assert.equal((await edit('"view 1"', '"view 2"', document)).outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("[runs, view(), told]"), [1, "view 2", "view 2"]);
  // Now it uses another one, by an import that was typed into it.
  const main = documents["main.js"];
  await edit("import { View }", "import { View, helper }", main);
  await edit("() => View;", "() => View + helper;", main);
  assert.equal(await page.evaluate("view()"), "view 2helper 1");
  assert.equal((await edit('"view 2"', '"view 3"', document)).outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("view()"), "view 3helper 1");
  assert.equal(await page.evaluate("runs"), 2);
  document.close();
  await project.write("view.js", PARTIAL["view.js"].replace("view 1", "view 4"));
  await until(page, "view() === 'view 4helper 1'");
  assert.deepEqual(problems, []);
});

test("a name that is changed in two files reaches the page as one", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    {
      "main.js": `import "./user.js";
globalThis.seen = [];
import.meta.hot.accept("./user.js", () => {});
`,
      "user.js": `import { area } from "./shape.js";
export function use() { return area(2); }
globalThis.use = use;
setInterval(() => { try { seen.push(use()); } catch (error) { seen.push(error.message); } }, 1);
`,
      "shape.js": "const unit = [1].at(0);\nexport { area };\nfunction area(side) { return side * side * unit; }\nimport.meta.hot.accept();\n",
    },
    { open: ["user.js", "shape.js"] },
  );
  await until(page, "seen.length > 3");
  const user = documents["user.js"];
  const shape = documents["shape.js"];
  // An editor sends one notification for each file.
  shape.setText(shape.text.replaceAll("area", "size"));
  const version = user.setText(user.text.replaceAll("area", "size"));
  await client.outcome(user, version);
  await client.outcome(shape);
  assert.equal(await page.evaluate("use()"), 4);
  assert.deepEqual(await page.evaluate("[...new Set(seen)]"), [4]);
  assert.deepEqual(problems, []);
});

test("files that change on disk together reach the page together", async (t) => {
  const { project, page, problems } = await live(
    t,
    {
      "main.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\nglobalThis.runs = [...(globalThis.runs ?? []), a + b];\nimport.meta.hot.accept();\n',
      "a.js": "export const a = ['a1'].join();\n",
      "b.js": "export const b = ['b1'].join();\n",
    },
    { open: [] },
  );
  const same = await remember(page);
  await project.write("new/a.js", "export const a = ['a2'].join();\n");
  await project.write("new/b.js", "export const b = ['b2'].join();\n");
  await Promise.all([rename(project.path("new/a.js"), project.path("a.js")), rename(project.path("new/b.js"), project.path("b.js"))]);
  await until(page, "runs.at(-1) === 'a2b2'");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("files that change on disk together are patched together, also where one gains or loses a function", async (t) => {
  const cart = "export class Cart { describe() { return 'cart'; } }\n";
  const counter = (/** @type {number} */ by) => `export function counter() { let n = 0; return () => (n += ${by}); }\n`;
  const { project, page, problems } = await live(
    t,
    {
      "main.js": 'import { Cart } from "./cart.js";\nimport { counter } from "./counter.js";\nglobalThis.cart = new Cart();\nglobalThis.count = counter();\n',
      "cart.js": cart,
      "counter.js": counter(1),
    },
    { open: [] },
  );
  const same = await remember(page);
  for (let round = 0; round < 8; round++) {
    const by = 10 * (round + 2);
    await project.write("new/cart.js", (round % 2 === 0 ? `function shout${round}(s) { return s; }\n` : "") + cart.replace("'cart'", `'cart ${round}'`));
    await project.write("new/counter.js", counter(by));
    await Promise.all(["cart.js", "counter.js"].map((name) => rename(project.path(`new/${name}`), project.path(name))));
    await until(page, `cart.describe() === 'cart ${round}' && (() => { const before = count(); return count() - before; })() === ${by}`);
  }
  assert.ok(await same(), "nothing has been loaded again");
  assert.deepEqual(problems, []);
});

test("two entries: each of them has to take an update", async (t) => {
  const { edit, page, problems } = await live(
    t,
    {
      "index.html": '<!doctype html><body><script type="module" src="/one.js"></script><script type="module" src="/two.js"></script></body>',
      "one.js": 'import { x } from "./shared.js";\nglobalThis.one = [...(globalThis.one ?? []), x];\nimport.meta.hot.accept();\n',
      "two.js": 'import { x } from "./shared.js";\nglobalThis.two = [...(globalThis.two ?? []), x];\nimport.meta.hot.accept("./shared.js", (next) => { two.push(next.x); });\n',
      "shared.js": "export const x = [1].at(0);\n",
    },
    { open: ["shared.js"] },
  );
  assert.equal((await edit("[1]", "[2]")).outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("[one, two]"), [[1, 2], [1, 2]]);
  assert.deepEqual(problems, []);
});

test("two versions of one package are two modules", async (t) => {
  const pack = (/** @type {string} */ where, /** @type {number} */ version) => ({
    [`${where}/kit/package.json`]: JSON.stringify({ name: "kit", version: `${version}.0.0`, type: "module", main: "index.js" }),
    [`${where}/kit/index.js`]: `export const version = ${version};\nexport const loads = (globalThis.loads ??= []);\nloads.push(version);\n`,
  });
  const { project, page, problems } = await live(
    t,
    {
      ...pack("node_modules", 1),
      ...pack("node_modules/old/node_modules", 2),
      "node_modules/old/package.json": JSON.stringify({ name: "old", version: "1.0.0", type: "module", main: "index.js" }),
      "node_modules/old/index.js": 'export { version } from "kit";\n',
      "main.js": 'import { version } from "kit";\nimport { version as other } from "old";\nglobalThis.versions = [version, other];\nimport.meta.hot.accept();\n',
    },
    { open: [] },
  );
  assert.deepEqual(await page.evaluate("versions"), [1, 2]);
  await project.write("main.js", 'import { version } from "kit";\nimport { version as other } from "old";\nglobalThis.versions = [version, other, "again"];\nimport.meta.hot.accept();\n');
  await until(page, "versions.length === 3");
  assert.deepEqual(await page.evaluate("[versions, loads.sort()]"), [[1, 2, "again"], [1, 2]]);
  assert.deepEqual(problems, []);
});

test("a module that throws at load for ever keeps its old instance, and heals", async (t) => {
  const { client, document, page } = await live(t, { "main.js": "globalThis.n = ['good'].at(0);\nimport.meta.hot.accept();\n" });
  const same = await remember(page);
  for (let round = 0; round < 5; round++) {
    const { outcome } = await settle(client, document, document.setText(`globalThis.n = ['bad ${round}'].at(0);\nthrow new Error("bad ${round}");\nimport.meta.hot.accept();\n`));
    assert.deepEqual([outcome.outcome, outcome.reason.message], ["threw", `Error: bad ${round}`]);
    assert.match(String(await overlayText(page)), new RegExp(`bad ${round}`));
  }
  const { outcome } = await settle(client, document, document.setText("globalThis.n = ['better'].at(0);\nimport.meta.hot.accept();\n"));
  assert.equal(outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("n"), "better");
  assert.equal(await overlayText(page), null);
  assert.ok(await same());
});

test("a cycle that needs itself says what is wrong, and heals", async (t) => {
  const { client, documents, page } = await live(
    t,
    {
      "main.js": 'import { a } from "./a.js";\nglobalThis.out = a;\nimport.meta.hot.accept();\n',
      "a.js": 'import { b } from "./b.js";\nexport const a = ["a"].join() + b();\n',
      "b.js": 'import { a } from "./a.js";\nexport function b() { return "b"; }\nconst later = () => a;\n',
    },
    { open: ["b.js"] },
  );
  assert.equal(await page.evaluate("out"), "ab");
  const document = documents["b.js"];
  const { outcome } = await settle(client, document, document.replace("const later = () => a;", "String(a);"));
  assert.equal(outcome.outcome, "threw");
  assert.match(outcome.reason.message, /ReferenceError.*'?a'? before initialization/);
  assert.equal(await page.evaluate("out"), "ab");
  const healed = await settle(client, document, document.replace("String(a);", "String.raw`x`;"));
  assert.equal(healed.outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("out"), "ab");
});

test("a file that becomes a folder, and a file again", async (t) => {
  const { project, page } = await live(
    t,
    { "main.js": 'import { part } from "./part";\nglobalThis.part = part;\nimport.meta.hot.accept();\n', "part.js": "export const part = ['file'].join();\n" },
    { open: [] },
  );
  const same = await remember(page);
  assert.equal(await page.evaluate("part"), "file");
  await project.write("part/index.js", "export const part = ['folder'].join();\n");
  await rm(project.path("part.js"));
  await project.write("main.js", 'import { part } from "./part";\nglobalThis.part = part + 1;\nimport.meta.hot.accept();\n');
  await until(page, "part === 'folder1'");
  await rm(project.path("part"), { recursive: true });
  await project.write("part.js", "export const part = ['file again'].join();\n");
  await project.write("main.js", 'import { part } from "./part";\nglobalThis.part = part + 2;\nimport.meta.hot.accept();\n');
  await until(page, "part === 'file again2'");
  assert.ok(await same());
});

test("a file whose name only changes its case", async (t) => {
  const { project, page } = await live(
    t,
    { "main.js": 'import { part } from "./part.js";\nglobalThis.part = part;\nimport.meta.hot.accept();\n', "part.js": "export const part = ['small'].join();\n" },
    { open: [] },
  );
  const same = await remember(page);
  await rename(project.path("part.js"), project.path("Part.js"));
  await project.write("Part.js", "export const part = ['large'].join();\n");
  await project.write("main.js", 'import { part } from "./Part.js";\nglobalThis.part = part + "!";\nimport.meta.hot.accept();\n');
  await until(page, "part === 'large!'");
  assert.ok(await same());
});

test("a page whose file was renamed shows the problem and goes on when the name is back", async (t) => {
  const { client, project, context, url } = await live(t, { "main.js": 'import "./a.js";\nimport.meta.hot.accept();\n', "a.js": "globalThis.a = 1;\n" }, { open: [] });
  await rename(project.path("a.js"), project.path("b.js"));
  const { page } = await openTab(context, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  // Or that it does not any more: the server may have noticed before.
  assert.match(String(await overlayText(page)), /a\.js\s+does not exist/);
  await rename(project.path("b.js"), project.path("a.js"));
  await until(page, "globalThis.a === 1");
});

const CLOCK = `const name = ["one"].join();
setInterval(() => { globalThis.ticks.add(name); }, 1);
document.addEventListener("ping", () => { globalThis.pings.push(name); });
new MutationObserver(() => { globalThis.seen.push(name); }).observe(document.body, { attributes: true });
import.meta.hot.accept();
`;
const CLOCK_PAGE = "globalThis.ticks = new Set();\nglobalThis.pings = [];\nglobalThis.seen = [];\nimport './clock.js';\n";

test("timers, listeners and observers of a module end when it runs again", async (t) => {
  const { edit, page, problems } = await live(t, { "index.html": `<!doctype html><body><script>${CLOCK_PAGE.replace(/import.*\n/, "")}</script><script type="module" src="/clock.js"></script>`, "clock.js": CLOCK }, { open: ["clock.js"] });
  await until(page, "ticks.has('one')");
  assert.equal((await edit('"one"', '"two"')).outcome.outcome, "moduleUpdated");
  await page.evaluate("ticks.clear()");
  await until(page, "ticks.has('two')");
  await page.evaluate("document.dispatchEvent(new Event('ping')); document.body.setAttribute('x', 1)");
  await until(page, "seen.length > 0");
  assert.deepEqual(await page.evaluate("[[...ticks], pings, seen]"), [["two"], ["two"], ["two"]]);
  assert.equal(await page.evaluate("String(setInterval)"), "function setInterval() { [native code] }");
  assert.deepEqual(problems, []);
});

test("with `capuchin.cleanup` set to warn they go on, and are named", async (t) => {
  const { edit, page } = await live(
    t,
    { "index.html": `<!doctype html><body><script>${CLOCK_PAGE.replace(/import.*\n/, "")}</script><script type="module" src="/clock.js"></script>`, "clock.js": CLOCK },
    { open: ["clock.js"], lsp: { initializationOptions: { cleanup: "warn" } } },
  );
  const said = page.waitForEvent("console", { predicate: (message) => message.text().includes("goes on") });
  await edit('"one"', '"two"');
  assert.equal((await said).text(), "[capuchin] /clock.js ran again, and what it started before goes on (1 interval, 1 listener, 1 observer): stop it in a dispose handler");
  await page.evaluate("document.dispatchEvent(new Event('ping'))");
  assert.deepEqual(await page.evaluate("pings"), ["one", "two"]);
});

const MODES = {
  "main.js": `globalThis.statuses = [];
module.hot.addStatusHandler((status) => { statuses.push(status); });
globalThis.hot = module.hot;
import "./part.js";
module.hot.accept("./part.js");
export const f = () => "f";
globalThis.f = f;
`,
  "part.js": "globalThis.part = ['one'].join();\n",
};

test("in manual mode updates wait for the program, functions do not", async (t) => {
  const { client, documents, edit, page, problems } = await live(
    t,
    { ...MODES, "index.html": '<!doctype html><html data-capuchin-mode="manual"><body><script type="module" src="/main.js"></script>' },
    { open: ["part.js", "main.js"] },
  );
  const part = documents["part.js"];
  const held = await edit("['one']", "['two']", part);
  assert.deepEqual([held.outcome.outcome, held.outcome.reason.code], ["held", "manual"]);
  assert.equal((await edit('"f"', '"g"', documents["main.js"])).outcome.outcome, "live");
  assert.deepEqual(await page.evaluate("[part, f(), hot.status()]"), ["one", "g", "idle"]);
  // As webpack 1 documents it, with callbacks.
  const changed = await page.evaluate("new Promise((resolve) => hot.check((error, ids) => resolve([error, ids, hot.status()])))");
  assert.deepEqual(changed, [null, ["/part.js"], "ready"]);
  const applied = client.outcome(part);
  assert.deepEqual(await page.evaluate("new Promise((resolve) => hot.apply({}, (error, ids) => resolve([error, ids, part])))"), [null, ["/part.js"], "two"]);
  assert.equal((await applied).outcome, "moduleUpdated");
  // The page can change its mind while it runs.
  await edit("['two']", "['three']", part);
  const now = client.outcome(part);
  await page.evaluate("__capuchin.setMode('automatic')");
  assert.equal((await now).outcome, "moduleUpdated");
  assert.equal(await page.evaluate("part"), "three");
  assert.equal((await edit("['three']", "['four']", part)).outcome.outcome, "moduleUpdated");
  assert.deepEqual(problems, []);
});

test("in watch mode updates are gathered", async (t) => {
  const { client, documents, edit, page, problems } = await live(t, MODES, { open: ["part.js"] });
  await page.evaluate("__capuchin.setMode('watch')");
  const part = documents["part.js"];
  const { outcome } = await edit("['one']", "['two']", part);
  assert.deepEqual([outcome.outcome, outcome.reason.code], ["held", "watch"]);
  assert.equal((await client.outcome(part)).outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("[part, statuses.join(' ')]"), ["two", "watch watch-delay prepare dispose apply watch"]);
  assert.deepEqual(problems, []);
});
