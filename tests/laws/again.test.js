// Modules that run again after they were patched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, observe } from "./bench.js";

const files = {
  "main.js": `import * as a from "./a.js";
export { a };
import.meta.hot.accept("./a.js", () => {});
`,
  "a.js": `import { b } from "./b.js";
export const factor = 1;
export function f() { return b * factor; }
`,
  "b.js": `export const b = Number("1");
export function other() { return 1; }
`,
};

test("a module that took declarations over has them when it runs again for another's sake", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(files);
  const [a, b] = [program.also("a.js"), program.also("b.js")];
  assert.equal((await a.listener.verdictOn(a.document.replace("factor = 1", "factor = 10"))).verdict, "patch");
  assert.equal((await a.listener.verdictOn(a.document.edit(a.document.text.length, a.document.text.length, "function more() { return 100; }\n"))).verdict, "patch");
  assert.equal((await a.listener.verdictOn(a.document.replace("b * factor", "b * factor + more()"))).verdict, "patch");
  await a.listener.until("the patch", () => a.listener.outcomes.find((it) => it.version === a.document.version));
  assert.equal(await program.see("a.f()"), 110);

  assert.equal((await b.listener.verdictOn(b.document.replace('"1"', '"2"'))).verdict, "updateModule");
  b.document.save();
  await b.listener.until("the update", () => b.listener.outcomes.find((it) => it.outcome === "moduleUpdated"));
  assert.equal(await program.see("[a.f(), a.factor]").then(String), "120,10");

  // And it goes on being patched.
  assert.equal((await a.listener.verdictOn(a.document.replace("return 100", "return 200"))).verdict, "patch");
  await a.listener.until("the patch", () => a.listener.outcomes.find((it) => it.version === a.document.version));
  assert.equal(await program.see("a.f()"), 220);
  assert.deepEqual(program.problems, []);
  program.close();
});

test("a file that is opened after others were edited takes new values like the first", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(files);
  const b = program.also("b.js");
  for (const text of ["return 1", "return 2", "return 3"]) await b.listener.verdictOn(b.document.replace(text, `return ${Number(text.slice(7)) + 1}`));
  const a = program.also("a.js");
  assert.equal((await a.listener.verdictOn(a.document.replace("factor = 1", "factor = 10"))).verdict, "patch");
  await a.listener.until("the patch", () => a.listener.outcomes.find((it) => it.outcome === "live"));
  assert.equal(await program.see("a.f()"), 10);
  program.close();
});

test("a page that refused an update is behind until it is loaded again, and every version says so", async (t) => {
  const bench = await Bench.start(t);
  const main = `const n = Number("1");
export function f() { return n; }
export function g() { return 1; }
`;
  const program = await bench.open({ "main.js": main });
  const { document, listener } = program;
  /** @param {string} from @param {string} to @param {string} outcome */
  const typed = async (from, to, outcome) => {
    const version = document.replace(from, to);
    const { verdict, reason } = await listener.verdictOn(version);
    const came = await listener.until(`${outcome} of version ${version}`, () => listener.outcomes.find((it) => it.version === version && it.outcome === outcome));
    return { verdict, code: reason?.code, cameOf: came.reason?.code };
  };
  const update = { verdict: "updateModule", code: "variable", cameOf: "unaccepted" };
  assert.deepEqual(await typed('"1"', '"2"', "needsReload"), update);
  // What follows at the top level needs that one.
  assert.deepEqual(await typed("export function f", "const two = 2;\nexport function f", "needsReload"), update);
  // A comment changes nothing, so the page is as far behind as before.
  assert.deepEqual(await typed("const two", "/* of n */ const two", "needsReload"), update);
  // A function that names what is new can't be had without it, others can.
  assert.deepEqual(await typed("return n", "return n + two", "needsReload"), update);
  assert.deepEqual(await typed("return 1", "return 10", "live"), { verdict: "patch", code: "variable", cameOf: undefined });
  assert.equal(await program.see("[f(), g()]").then(String), "1,10");
  // Back at the top level that the page runs, it has everything.
  await listener.verdictOn(document.replace("n + two", "n"));
  await listener.verdictOn(document.replace("/* of n */ const two = 2;\n", ""));
  assert.equal((await listener.verdictOn(document.replace('"2"', '"1"'))).verdict, "unchanged");
  assert.equal((await typed("return n;", "return n + 5;", "live")).verdict, "patch");
  assert.equal(await program.see("[f(), g()]").then(String), "6,10");
  program.close();
});

test("what is shown of an update that threw goes with the next that does not, or when the text is back", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(files);
  const b = program.also("b.js");
  const threw = () => b.listener.until("the error", () => b.listener.outcomes.find((it) => it.outcome === "threw" && it.version === b.document.version));
  const updated = () => b.listener.until("the update", () => b.listener.outcomes.find((it) => it.outcome === "moduleUpdated" && it.version === b.document.version));
  b.document.replace('Number("1")', "Number(nothing.here)");
  b.document.save();
  await threw();
  assert.equal(program.problems.length, 1);
  b.document.replace("Number(nothing.here)", 'Number("3")');
  b.document.save();
  await updated();
  assert.deepEqual(program.problems, []);
  assert.equal(await program.see("a.f()"), 3);

  b.document.replace('Number("3")', "Number(nothing.here)");
  b.document.save();
  await threw();
  assert.equal(program.problems.length, 1);
  await b.listener.verdictOn(b.document.replace("Number(nothing.here)", 'Number("3")'));
  for (let tries = 0; tries < 20 && program.problems.length > 0; tries++) await bench.client.request("capuchin/pages", {});
  assert.deepEqual(program.problems, []);
  program.close();
});

const withLate = {
  "main.js": `import * as part from "./part.js";
export { part };
export const hot = import.meta.webpackHot;
hot.accept("./part.js", () => {});
`,
  "part.js": `exports.n = Number("1");
try { exports.late = require("./late.js").late; } catch { exports.late = "missing"; }
`,
};

test("a file that the editor has just made is there for the update that needs it, before the disk is looked at", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(withLate);
  assert.equal(await program.see("part.late"), "missing");
  const part = program.also("part.js");
  // What it requires has been looked for, and was not there.
  await part.listener.verdictOn(part.document.replace('"1"', '"2"'));
  await program.write("late.js", "");
  const late = program.also("late.js");
  late.document.edit(0, 0, "exports.late = 'here';\n");
  late.document.save();
  part.document.save();
  await part.listener.until("the update", () => part.listener.outcomes.find((it) => it.outcome === "moduleUpdated"));
  assert.equal(await program.see("part.n + part.late"), "2here");
  program.close();
});

test("a page that waits until everything is there has what a new file brings to an update that it holds", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(withLate);
  program.host.setMode("manual");
  const part = program.also("part.js");
  await part.listener.verdictOn(part.document.replace('"1"', '"2"'));
  part.document.save();
  await part.listener.until("the page to hold it", () => part.listener.outcomes.find((it) => it.outcome === "held"));
  await program.write("late.js", "exports.late = 'here';\n");
  await program.host.sync();
  await /** @type {any} */ (program.namespace.hot).check(true);
  assert.equal(await program.see("part.n + part.late"), "2here");
  program.close();
});

test("a page that is loaded with what none had taken runs it, and the editor is told", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": `export const n = Number("1");\n` });
  const { document, listener } = program;
  const version = document.replace('"1"', '"2"');
  await listener.until("the page to need a reload", () => listener.outcomes.find((it) => it.outcome === "needsReload"));
  await program.reload();
  const loaded = await listener.until("the outcome", () => listener.outcomes.find((it) => it.outcome === "live"));
  assert.deepEqual([loaded.version, loaded.page, loaded.reason?.code], [version, program.page, "loaded"]);
  assert.equal(program.namespace.n, 2);
  // Told once: the next page is loaded with what the last one ran already.
  await program.reload();
  await bench.client.request("capuchin/pages", {});
  assert.equal(listener.outcomes.filter((it) => it.outcome === "live").length, 1);
  program.close();
});

test("a page that was loaded with an older text is not said to have the newest until it has", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": "function f() { return 1; }\nexport { f };\n" });
  const { document, listener } = program;
  const graph = bench.graph.bind(bench);
  let version = 0;
  bench.graph = async (id, page) => {
    const old = await graph(id, page);
    version = document.replace("return 1", "return 2");
    await listener.verdictOn(version);
    return old;
  };
  await program.reload();
  const live = await listener.until("the outcome", () => listener.outcomes.find((it) => it.version === version && it.outcome === "live"));
  assert.equal(live.reason, undefined);
  assert.equal(await program.see("f()"), 2);
  await bench.client.request("capuchin/pages", {});
  assert.equal(listener.outcomes.filter((it) => it.version === version).length, 1);
  program.close();
});

test("a page that missed a function that is not async any more gets it with what it lacks", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": "async function f() { return 1; }\nexport const g = () => f();\n" });
  program.loses = (data) => data.includes("plain(");
  const missed = program.document.replace("async function", "function");
  assert.equal((await program.judged(missed)).verdict, "patch");
  program.loses = () => false;
  await program.edit("function f() { return 1; }\nexport const g = () => f() + 1;\n");
  assert.equal(await program.see("g()"), 2);
  program.close();
});

test("a page that says anew what it has goes on from there, whatever came and went", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": "const v = 1;\nexport class K { static { this.n = 1; } }\nexport const f = () => v;\n" });
  const { document } = program;
  assert.equal((await program.judged(document.replace("n = 1", "n = 2"))).verdict, "updateModule");
  await program.judged(document.replace("n = 2", "n = 1"));
  program.loses = (data) => data.includes('"push"');
  assert.equal((await program.judged(document.replace("() => v", "() => v + 1"))).verdict, "patch");
  program.loses = () => false;
  const { verdict, outcome } = await program.edit("const w = 1;\nexport class K { static { this.n = 1; } }\nexport const f = () => w + 2;\n");
  assert.deepEqual([verdict.verdict, outcome?.outcome, await program.see("f()"), program.reloads], ["patch", "live", 3, 0]);
  program.close();
});

test("an export that goes and comes back before a page has followed is no change", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": "function f() { return 1; }\nfunction g() { return 1; }\nexport { f, g };\n" });
  const { document, listener } = program;
  assert.equal((await program.judged(document.replace("f, g", "f"))).verdict, "updateModule");
  assert.equal((await program.judged(document.replace("{ f }", "{ f, g }"))).verdict, "unchanged");
  // With what else came with it.
  assert.equal((await program.judged(document.replace("f, g", "f"))).verdict, "updateModule");
  const { verdict, sites } = await program.judged(document.edit(0, document.text.length, "function f() { return 2; }\nfunction g() { return 1; }\nexport { f, g };\n"));
  assert.deepEqual([verdict, sites.map((it) => it.name)], ["patch", ["f"]]);
  await listener.until("the patch", () => listener.outcomes.find((it) => it.version === document.version && it.outcome === "live"));
  assert.equal(await program.see("f() + g()"), 3);
  program.close();
});

test("a module that was saved while a page loaded it runs again there", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": 'export const load = (name) => import(name);\n', "late.js": 'export const n = Number("1");\nimport.meta.hot.accept();\n' });
  const late = program.also("late.js");
  const graph = bench.graph.bind(bench);
  bench.graph = async (id, page) => {
    const old = await graph(id, page);
    late.document.replace('"1"', '"2"');
    late.document.save();
    await bench.client.request("capuchin/pages", {});
    return old;
  };
  await program.see('load("./late.js")');
  await late.listener.until("the update", () => late.listener.outcomes.find((it) => it.outcome === "moduleUpdated"));
  assert.equal(await program.see('load("./late.js").then((it) => it.n)'), 2);
  program.close();
});

test("a page that waits until everything is there has a new file, too, that only a module needs which nobody edited", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open(withLate);
  program.host.setMode("manual");
  await program.write("late.js", "exports.late = 'here';\n");
  await program.host.sync();
  await /** @type {any} */ (program.namespace.hot).check(true);
  assert.equal(await program.see("part.late"), "here");
  program.close();
});

test("what asked in vain while it ran runs again when the file is there; what asked in a function goes on", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({
    "main.js": 'import * as eager from "./eager.js";\nimport * as lazy from "./lazy.js";\nexport { eager, lazy };\n',
    "eager.js": 'export const late = await import("./late.js").then((it) => it.late, () => "missing");\nimport.meta.hot.accept();\n',
    "lazy.js": 'export let n = 0;\nexport const ask = () => { n += 1; return import("./late.js").then((it) => it.late, () => "missing"); };\nimport.meta.hot.accept();\n',
  });
  assert.deepEqual([await program.see("eager.late"), await program.see("lazy.ask()")], ["missing", "missing"]);
  await program.write("late.js", "export const late = 'here';\n");
  await program.host.sync();
  assert.deepEqual([await program.see("eager.late"), await program.see("lazy.ask()"), await program.see("lazy.n")], ["here", "here", 2]);
  program.close();
});

/** @type {Record<string, [first: string, rest: string, expression: string, value: number]>} */
const cuts = {
  "a function": ["export function helper(x) { return x + 1; }\n", "export const run = (x) => helper(x) * 2;\n", "run(1)", 4],
  "a recursive function": ["export function sum(n) { return n > 0 ? n + sum(n - 1) : 0; }\n", "export const other = () => 1;\n", "sum(3)", 6],
  "a class": ["export class P { m() { return 1; } }\n", "export const run = () => new P().m();\n", "run()", 1],
  "a constant": ["export const rate = 3;\n", "export const run = () => rate;\n", "run()", 3],
  "a variable": ["export let n = 1;\n", "export const run = () => n;\n", "run()", 1],
  "an import with a constant": ['import * as part from "./part.js";\nexport const rate = 3;\n', "export const run = () => part.n;\n", "run()", 7],
};

for (const [name, [first, rest, expression, value]] of Object.entries(cuts)) {
  test(`${name} that is cut and comes back is there for pages that were loaded before, in between and after`, async (t) => {
    const bench = await Bench.start(t);
    const program = await bench.open({ "main.js": first + rest, "part.js": "export const n = 7;\n" });
    const { document, listener } = program;
    const before = { page: program.page, exports: program.namespace };
    assert.equal((await program.judged(document.replace(first, ""))).verdict, "updateModule");
    await program.start();
    const between = { page: program.page, exports: program.namespace };
    const version = document.edit(0, 0, first);
    assert.equal((await program.judged(version)).verdict, "patch");
    for (const { page, exports } of [before, between]) {
      await listener.until("the patch", () => listener.outcomes.find((it) => it.page === page && it.version === version && it.outcome === "live"));
      assert.equal(await observe(exports, {}, expression), value);
    }
    await program.start();
    assert.equal(await program.see(expression), value);
    program.close();
  });
}

test("what a module made of an imported constant stays until it runs again; its functions see the new one", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({
    "main.js": 'import { rate } from "./rate.js";\nconst double = 2 * rate;\nexport const see = () => [rate, double];\n',
    "rate.js": "export const rate = 10;\n",
  });
  const { document, listener } = program.also("rate.js");
  const version = document.replace("10", "20");
  await listener.until("the patch", () => listener.outcomes.find((it) => it.version >= version));
  assert.deepEqual(await program.see("see()"), [20, 20]);
  await program.reload();
  assert.deepEqual(await program.see("see()"), [20, 40]);
  program.close();
});

test("while a module has to run again, its classes keep what a patch could not give back", async (t) => {
  const bench = await Bench.start(t);
  const getter = `get ["a" + "b"]() { return 2; }`;
  const program = await bench.open({ "main.js": `export class D {\n  m() { return 1; }\n  ${getter}\n}\n` });
  const outcome = (/** @type {string} */ word) =>
    program.listener.until(word, () => program.listener.outcomes.find((it) => it.outcome === word && it.version === program.document.version));
  assert.equal((await program.judged(program.document.replace(getter, "n() { return 3; }"))).verdict, "updateModule");
  await outcome("needsReload");
  assert.equal(await program.see("String([new D().ab, new D().n()])"), "2,3");

  assert.equal((await program.judged(program.document.replace("n() { return 3; }", getter))).verdict, "patch");
  await outcome("live");
  assert.equal(await program.see("String([new D().ab, new D().n])"), "2,");
  program.close();
});
