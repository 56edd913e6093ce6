// Modules in a real page: every kind that loads, and module updates with the program's consent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HTML, live, newContext, openTab, overlayText, remember, settle, until, whileReloading } from "../support/live.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

const PACKAGES = {
  "node_modules/esm-one/package.json": JSON.stringify({
    name: "esm-one",
    version: "1.0.0",
    type: "module",
    exports: { ".": { browser: "./browser.js", import: "./index.js", require: "./index.cjs" }, "./sub": "./sub.js" },
  }),
  "node_modules/esm-one/index.js": 'export const where = "import";\n',
  "node_modules/esm-one/browser.js": 'export const where = "browser";\n',
  "node_modules/esm-one/index.cjs": 'exports.where = "require";\n',
  "node_modules/esm-one/sub.js": 'export default "sub";\nexport * from "./deep/more.js";\n',
  "node_modules/esm-one/deep/more.js": "export const more = 3;\n",
  "node_modules/cjs-one/package.json": JSON.stringify({ name: "cjs-one", version: "1.0.0", main: "./lib" }),
  "node_modules/cjs-one/lib/index.js": `'use strict';
if (process.env.NODE_ENV === 'production') {
  module.exports = require('./production.js');
} else {
  module.exports = require('./development.js');
}
`,
  "node_modules/cjs-one/lib/production.js": "throw new Error('not for development');\n",
  "node_modules/cjs-one/lib/development.js": "exports.mode = process.env.NODE_ENV;\nexports.file = __filename;\nexports.self = this === exports;\nexports.json = require('./data.json').x;\n",
  "node_modules/cjs-one/lib/data.json": '{"x": [1, 2]}\n',
};

test("ES modules, CommonJS, JSON, packages and top-level await load together", async (t) => {
  const { page, problems } = await live(t, {
    ...PACKAGES,
    "main.js": `import { where } from "esm-one";
import sub, { more } from "esm-one/sub";
import cjs, { mode } from "cjs-one";
import data from "./data.json" with { type: "json" };
import * as all from "./all.js";
import { late } from "./late.js";
import "./side.js";
const lazy = await import("./lazy.js");
const name = "lazy";
const again = await import(\`./\${name}.js\`);
globalThis.result = { where, sub, more, mode, file: cjs.file, self: cjs.self, json: cjs.json, data, all: Object.keys(all), late, lazy: lazy.default, same: lazy === again, url: import.meta.url, side: globalThis.side };
`,
    "data.json": '{"__proto__": {"a": 1}, "list": [1]}',
    "all.js": 'export * from "./a.js";\nexport * as b from "./b.js";\nexport { default as c, x as y } from "./b.js";\n',
    "a.js": "export let a = 1;\nexport function f() {}\nexport default class {}\n",
    "b.js": "const x = 5;\nexport { x, x as default };\n",
    // Comes in a task of its own.
    "late.js": "const { port1, port2 } = new MessageChannel();\nexport const late = await new Promise((resolve) => {\n  port1.onmessage = ({ data }) => resolve(data);\n  port2.postMessage('late');\n});\n",
    "side.js": "globalThis.side = typeof require + typeof module;\n",
    "lazy.js": "export default 'lazy';\n",
  });
  await until(page, "'result' in globalThis");
  const result = /** @type {any} */ (await page.evaluate("({ ...result, proto: Object.hasOwn(result.data, '__proto__'), list: result.data.list, data: 0 })"));
  assert.deepEqual(result, {
    where: "browser",
    sub: "sub",
    more: 3,
    mode: "development",
    file: "/node_modules/cjs-one/lib/development.js",
    self: true,
    json: [1, 2],
    data: 0,
    proto: true,
    list: [1],
    all: ["a", "b", "c", "f", "y"],
    late: "late",
    lazy: "lazy",
    same: true,
    url: new URL("/main.js", page.url()).href,
    side: result.side,
  });
  assert.deepEqual(problems, []);
});

test("functions of dependencies, of lazy modules and of CommonJS are patched", async (t) => {
  const files = {
    "main.js": `import { f } from "./dep.js";
import c from "./old.cjs";
globalThis.f = f;
globalThis.c = c;
globalThis.lazy = () => import("./lazy.js");
`,
    "dep.js": "let n = 0;\nexport const f = () => ++n;\n",
    "old.cjs": "var n = 0;\nmodule.exports = function c() { n += 1; return arguments.length + n; };\n",
    "lazy.js": "let n = 0;\nexport default function () { n++; return n; }\n",
  };
  const { documents, edit, page, problems } = await live(t, files, { open: ["main.js", "dep.js", "old.cjs", "lazy.js"] });
  assert.equal(await page.evaluate("f()"), 1);
  assert.equal((await edit("++n", "++n * 10", documents["dep.js"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 20);
  assert.equal(await page.evaluate("c(0, 0)"), 3);
  assert.equal((await edit("return arguments.length + n", "return -n", documents["old.cjs"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("c(0, 0)"), -2);
  assert.equal(await page.evaluate("lazy().then((it) => (globalThis.g = it.default)())"), 1);
  assert.equal((await edit("return n;", "return n + 'th';", documents["lazy.js"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("g()"), "2th");
  assert.deepEqual(problems, []);
});

test("a lazy module that is edited before it is loaded comes in its newest text", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    { "main.js": 'globalThis.lazy = () => import("./lazy.js");\n', "lazy.js": "export default function f() { return 1; }\n" },
    { open: ["lazy.js"] },
  );
  const document = documents["lazy.js"];
  await settle(client, document, document.replace("return 1", "return 2"));
  assert.equal(await page.evaluate("lazy().then((it) => (globalThis.f = it.default)())"), 2);
  const { outcome } = await settle(client, document, document.replace("return 2", "return 1"));
  assert.equal(outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 1);
  assert.deepEqual(problems, []);
});

test("inline module scripts run in order, with the lines of their page", async (t) => {
  const { page, problems, url } = await live(
    t,
    {
      "index.html": `<!doctype html>
<body>
<script type="module">
globalThis.log = ["first"];
globalThis.stack = new Error("x").stack;
</script>
<script type="module" src="/main.js"></script>
<script type="module">
  import { one } from "./main.js";
  log.push(\`third \${one}\`);
</script>
`,
      "main.js": 'export const one = 1;\nglobalThis.log.push("second");\n',
    },
    { open: [] },
  );
  await until(page, "log.length === 3");
  assert.deepEqual(await page.evaluate("log"), ["first", "second", "third 1"]);
  assert.match(String(await page.evaluate("stack")), new RegExp(`${url}index\\.html\\?inline=0:5:\\d+`));
  assert.deepEqual(problems, []);
});

test("import maps lead to files, to packages and elsewhere", async (t) => {
  const { page, problems } = await live(
    t,
    {
      "index.html": `<!doctype html>
<script type="importmap">{ "imports": { "app/": "./src/", "exact": "./src/exact.js", "far": "data:text/javascript,export default 'far'" }, "scopes": { "./src/": { "exact": "./src/scoped.js" } } }</script>
<script type="module" src="/main.js"></script>
`,
      "main.js": `import { a } from "app/a.js";
import exact from "exact";
import far from "far";
globalThis.result = [a, exact, far];
`,
      "src/a.js": 'import exact from "exact";\nexport const a = `a ${exact}`;\n',
      "src/exact.js": 'export default "exact";\n',
      "src/scoped.js": 'export default "scoped";\n',
    },
    { open: [] },
  );
  await until(page, "'result' in globalThis");
  assert.deepEqual(await page.evaluate("result"), ["a scoped", "exact", "far"]);
  assert.deepEqual(problems, []);
});

test("plain scripts are patched, and share their names with other scripts", async (t) => {
  const { page, problems, edit, documents, client } = await live(
    t,
    {
      "index.html": `<!doctype html>
<body><p id="out"></p>
<script src="/lib.js"></script>
<script>globalThis.early = helper();</script>
<script src="app.js"></script>
<button onclick="press()">x</button>
`,
      "lib.js": `var count = 0;
function helper() { count++; return "help " + count; }
const hidden = { n: 1 };
class Tool { use() { return hidden.n; } }
`,
      "app.js": `var self = this;
function press() { out.textContent = helper() + (self === window) + new Tool().use(); }
setInterval(function () { globalThis.beat = "old"; }, 5);
`,
    },
    { open: ["lib.js", "app.js"] },
  );
  assert.equal(await page.evaluate("early"), "help 1");
  await page.click("button");
  assert.equal(await page.textContent("#out"), "help 2true1");
  assert.equal((await edit('return "help " + count', 'return "HELP " + count', documents["lib.js"])).outcome.outcome, "live");
  assert.equal((await edit("return hidden.n", "return hidden.n + 1", documents["lib.js"])).outcome.outcome, "live");
  assert.equal((await edit('"old"', '"new"', documents["app.js"])).outcome.outcome, "live");
  assert.equal((await edit("out.textContent = helper()", "out.textContent = 'pressed ' + helper()", documents["app.js"])).outcome.outcome, "live");
  await page.click("button");
  assert.equal(await page.textContent("#out"), "pressed HELP 3true2");
  await until(page, "beat === 'new'");
  const verdict = await client.verdict(documents["lib.js"], documents["lib.js"].replace("var count = 0", "var count = 10"));
  assert.equal(verdict.verdict, "updateModule");
  const outcome = await client.outcome(documents["lib.js"]);
  assert.equal(outcome.outcome, "needsReload");
  await whileReloading(page, () => documents["lib.js"].save());
  assert.equal(await page.evaluate("early"), "HELP 11");
  assert.deepEqual(problems, []);
});

test("a plain script is as strict as it says", async (t) => {
  const { page, problems, edit, documents } = await live(
    t,
    {
      "index.html": `<!doctype html><script src="/app.js"></script><script src="/other.js"></script>`,
      "app.js": `"use strict";\nfunction receiver() { return  this; }\nfunction other() { return this; }\n`,
      "other.js": `/* sloppy */ function loose() { return this === window; }
let goOn;
async function waits() { await new Promise((resolve) => { goOn = resolve; }); return "old"; }
const waiting = waits();
`,
    },
    { open: ["app.js", "other.js"] },
  );
  assert.deepEqual(await page.evaluate("[receiver(), other(), loose()].map(String)"), ["undefined", "undefined", "true"]);
  assert.equal((await edit("return  this;", "return [this];")).outcome.outcome, "live");
  assert.deepEqual(await page.evaluate("[receiver()[0], other(), loose()].map(String)"), ["undefined", "undefined", "true"]);
  // It began before the runtime was there.
  const { outcome } = await edit('return "old"', 'return "new"', documents["other.js"]);
  assert.deepEqual([outcome.outcome, outcome.reason?.code], ["nextCall", "running"]);
  assert.deepEqual(await page.evaluate("(goOn(), waiting.then((first) => { const next = waits(); goOn(); return next.then((it) => [first, it]); }))"), ["old", "new"]);
  assert.deepEqual(problems, []);
});

test("a page of plain scripts keeps their text for those who read it", async (t) => {
  const { page } = await live(
    t,
    { "index.html": '<!doctype html><script src="/app.js"></script>', "app.js": "function f() { return 1; }\n" },
    { open: [] },
  );
  assert.equal(await page.evaluate("fetch('/app.js').then((it) => it.text())"), "function f() { return 1; }\n");
});

test("a module that accepts itself runs again, with what its disposer kept", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": `import { dep } from "./dep.js";
globalThis.runs = (globalThis.runs ?? 0) + 1;
const old = import.meta.hot.data.kept;
globalThis.seen = [old, dep];
const timer = setInterval(() => {}, 1000);
import.meta.hot.dispose((data) => { clearInterval(timer); data.kept = "kept " + globalThis.runs; });
import.meta.hot.accept();
`,
    "dep.js": "globalThis.depRuns = (globalThis.depRuns ?? 0) + 1;\nexport const dep = 1;\n",
  });
  const same = await remember(page);
  assert.deepEqual(await page.evaluate("seen"), [undefined, 1]);
  const { verdict, outcome } = await settle(client, document, document.replace("[old, dep]", "[old, dep, 'again']"));
  assert.equal(verdict.verdict, "updateModule");
  assert.equal(outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("[seen, runs, depRuns]"), [["kept 1", 1, "again"], 2, 1]);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("an importer that accepts a dependency gets the new one, and keeps its own state", async (t) => {
  const { documents, edit, page, problems } = await live(
    t,
    {
      "main.js": `import { color } from "./color.js";
import "./between.js";
let started = 0;
started += 1;
globalThis.color = () => color;
globalThis.started = () => started;
globalThis.calls = [];
import.meta.hot.accept("./color.js", (next) => { calls.push(next.color); });
import.meta.hot.accept(["./between.js"], ([next]) => { calls.push(next.between); });
`,
      "color.js": 'export const color = ["red"].join();\n',
      "between.js": 'import { leaf } from "./leaf.js";\nexport const between = `between ${leaf}`;\n',
      "leaf.js": "export const leaf = ['1'].at(0);\n",
    },
    { open: ["color.js", "leaf.js"] },
  );
  assert.equal((await edit('"red"', '"blue"', documents["color.js"])).outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("[color(), started(), calls]"), ["blue", 1, ["blue"]]);
  // Nobody between the leaf and the importer of its importer accepts.
  assert.equal((await edit("'1'", "'2'", documents["leaf.js"])).outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("calls"), ["blue", "between 2"]);
  assert.deepEqual(problems, []);
});

test("functions are still patched after the module has run again", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `const label = ["a"].join();
export function f() { return label + 1; }
globalThis.f = f;
globalThis.first ??= f;
import.meta.hot.accept();
`,
  });
  assert.equal((await edit("label + 1", "label + 2")).outcome.outcome, "live");
  assert.equal((await edit('["a"]', '["b"]')).outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("f() + first()"), "b2a2");
  assert.equal((await edit("label + 2", "label + 3")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f() + first()"), "b3a3");
  assert.equal((await edit("label + 3", "label + 1")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f() + first()"), "b1a1");
  assert.deepEqual(problems, []);
});

test("CommonJS accepts with module.hot, as under webpack", async (t) => {
  const { documents, edit, page, problems } = await live(
    t,
    {
      "index.html": '<!doctype html><script type="module" src="/main.cjs"></script>',
      "main.cjs": `var part = require('./part.cjs');
globalThis.log = ['start ' + part.value];
globalThis.statuses = [];
if (module.hot) {
  module.hot.addStatusHandler(function (status) { globalThis.statuses.push(status); });
  module.hot.accept('./part.cjs', function (outdated) {
    part = require('./part.cjs');
    globalThis.log.push('now ' + part.value + ' ' + outdated.join());
  });
}
`,
      "part.cjs": `var kept = module.hot && module.hot.data ? module.hot.data.n : 0;
exports.value = 'v1 ' + kept;
module.hot.dispose(function (data) { data.n = kept + 1; });
`,
    },
    { open: ["part.cjs", "main.cjs"] },
  );
  const same = await remember(page);
  assert.equal((await edit("'v1 '", "'v2 '", documents["part.cjs"])).outcome.outcome, "moduleUpdated");
  assert.deepEqual(await page.evaluate("log"), ["start v1 0", "now v2 1 /part.cjs"]);
  assert.deepEqual(await page.evaluate("statuses.slice(-1)"), ["idle"]);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("where nobody accepts, the page waits for the save before it reloads", async (t) => {
  const { client, document, project, page, problems } = await live(t, {
    "main.js": 'import { list } from "./list.js";\nglobalThis.out = list.concat("main").join();\nglobalThis.state = 0;\n',
    "list.js": "export const list = [];\n",
  });
  const same = await remember(page);
  await page.evaluate("state = 5");
  const { verdict, outcome } = await settle(client, document, document.replace('"main"', '"MAIN"'));
  assert.equal(verdict.verdict, "updateModule");
  assert.equal(outcome.outcome, "needsReload");
  assert.ok(await same());
  assert.equal(await page.evaluate("out + state"), "main5");
  await whileReloading(page, async () => {
    await project.write("main.js", document.text);
    document.save();
  });
  assert.equal(await page.evaluate("globalThis.out"), "MAIN");
  assert.deepEqual(problems, []);
});

test("functions go on being patched while a page waits for its reload", async (t) => {
  const { client, document, edit, page, problems } = await live(t, {
    "main.js": "let state = 0;\nconst x = [1].at(0);\nfunction f() { return x + state; }\nglobalThis.f = f;\nglobalThis.up = () => { state += 1; };\n",
  });
  await page.evaluate("up()");
  assert.equal((await settle(client, document, document.replace("[1].at(0)", "[100].at(0)"))).outcome.outcome, "needsReload");
  assert.equal((await edit("return x + state", "return `${x} ${state}`")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "1 1");
  assert.deepEqual(problems, []);
});

test("going back to what the page runs takes the need of a reload back", async (t) => {
  const { client, document, page, project, edit } = await live(t, {
    "main.js": "const x = [1].at(0);\nfunction f() { return x; }\nglobalThis.f = f;\n",
  });
  const same = await remember(page);
  assert.equal((await settle(client, document, document.replace("[1].at(0)", "[100].at(0)"))).outcome.outcome, "needsReload");
  await client.verdict(document, document.replace("[100].at(0)", "[1].at(0)"));
  await project.write("main.js", document.text);
  document.save();
  assert.equal((await edit("return x", "return -x")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), -1);
  assert.ok(await same());
});

test("an update that throws leaves the old module running", async (t) => {
  const { document, client, page, problems } = await live(t, {
    "main.js": "let state = 'good';\nglobalThis.f = () => state;\nimport.meta.hot.accept();\n",
  });
  const { outcome } = await settle(client, document, document.replace("let state = 'good';", "nothing.here();\nlet state = 'good';"));
  assert.equal(outcome.outcome, "threw");
  assert.match(outcome.reason.message, /nothing/);
  assert.equal(await page.evaluate("f()"), "good");
  assert.match(String(await overlayText(page)), /main\.js\n.*nothing is not defined/);
  const again = await settle(client, document, document.replace("nothing.here();\nlet state = 'good';", "String.raw``;\nlet state = 'better';"));
  assert.equal(again.outcome.outcome, "moduleUpdated");
  assert.equal(await page.evaluate("f()"), "better");
  assert.equal(await overlayText(page), null);
  // The error was told once.
  assert.equal(problems.length, 1);
});

test("a function that is added is there for the modules that import it", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    {
      "main.js": 'import * as tools from "./tools.js";\nglobalThis.names = () => Object.keys(tools).join();\nimport.meta.hot.accept("./tools.js", () => {});\n',
      "tools.js": "export function one() { return 1; }\n",
    },
    { open: ["tools.js"] },
  );
  const document = documents["tools.js"];
  const version = document.edit(document.text.length, document.text.length, "export function two() { return 2; }\n");
  assert.equal((await client.outcome(document, version)).outcome, "live");
  assert.equal(await page.evaluate("names()"), "one,two");
  assert.deepEqual(problems, []);
});

test("an import that is added brings its module along", async (t) => {
  const { documents, client, edit, page, problems } = await live(
    t,
    {
      "main.js": "globalThis.value = 1;\nimport.meta.hot.accept();\n",
      "extra.js": 'import { deeper } from "./deeper.js";\nexport const extra = deeper() + 1;\n',
      "deeper.js": "export const deeper = () => 40;\nglobalThis.deeper = deeper;\n",
    },
    { open: ["main.js", "deeper.js"] },
  );
  const document = documents["main.js"];
  const version = document.setText('import { extra } from "./extra.js";\nglobalThis.value = extra;\nimport.meta.hot.accept();\n');
  assert.equal((await client.outcome(document, version)).outcome, "moduleUpdated");
  assert.equal(await page.evaluate("value"), 41);
  assert.equal((await edit("=> 40", "=> 50", documents["deeper.js"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("deeper()"), 50);
  assert.deepEqual(problems, []);
});

test("routes of a single-page program get its page, files that are missing do not", async (t) => {
  const { page, problems } = await live(t, { "main.js": "globalThis.path = location.pathname;\n" }, { open: [], at: "/users/7?x=1" });
  assert.equal(await page.evaluate("path"), "/users/7");
  assert.equal(await page.evaluate("fetch('/missing.js').then((it) => it.status)"), 404);
  assert.deepEqual(
    problems.filter((it) => !it.includes("/missing.js")),
    [],
  );
});

test("a project without an index page says so", async (t) => {
  const project = await makeProject(t, { "main.js": "" });
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  const context = await newContext(t);
  const { page } = await openTab(context, url);
  assert.match(String(await page.textContent("body")), /index\.html/);
});

test("the whole graph comes in one request", async (t) => {
  const context = await newContext(t);
  /** @type {string[]} */
  const asked = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const { page } = await live(
    t,
    {
      "index.html": HTML,
      "main.js": 'import "./a.js";\nimport "./b.js";\nglobalThis.done = true;\n',
      "a.js": 'import "./c.js";\n',
      "b.js": "",
      "c.js": "",
    },
    { open: [], context },
  );
  await until(page, "done");
  assert.deepEqual(asked.filter((it) => /^\/(main|a|b|c)\.js$/.test(it)), []);
  assert.equal(asked.filter((it) => it === "/@capuchin/entry").length, 1);
});
