// Modules that calls gather by a pattern: `require.context` by webpack's rules, `import.meta.glob` by Vite's. The server lists the files;
// here it is the test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm } from "./support.js";

const KEY = "*1";
const GATHERED = "/@capuchin/gathered/*1/m.js";

/** The module that stands for a call. */
const gathered = (mode, files, more = {}) => (id, rev) => {
  const deps = Object.entries(files).map(([spec, id]) => ({ spec, id }));
  return { id, kind: "gathered", rev, sites: 0, deps: mode === "glob-eager" ? deps : [], dynamic: mode === "glob-eager" ? [] : deps, code: JSON.stringify({ mode, files, ...more }) };
};
/** A module that holds the call. */
const holder = (make, first = false) => (id, rev) => {
  const def = make(id, rev);
  const dep = { spec: KEY, id: GATHERED };
  return first ? { ...def, deps: [dep, ...def.deps] } : { ...def, dynamic: [...(def.dynamic ?? []), dep] };
};
const ab = { "./a.js": "/d/a.js", "./b.js": "/d/b.js" };
const call = `$cap_m.gathered("${KEY}")`;

async function load(main, mode, files, modules, more) {
  const page = new Page();
  await page.load({ "/m.js": main, [GATHERED]: gathered(mode, files, more), ...modules });
  return page;
}
const value = (n) => esm({ exports: { v: "v", default: "v" }, body: `const v=${n};log("run"+v)` });

test("context: asks for modules by key, runs them then", async () => {
  const main = holder(cjs(`const c=${call};log("m");log(c.keys().join());log(c("./a.js").v,c.resolve("./b.js"));globalThis.__c=c`));
  const page = await load(main, "sync", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  assert.equal(page.takeLog(), "m ./a.js,./b.js run1 1");
  assert.equal(globalThis.__c.resolve("./b.js"), "/d/b.js");
  assert.equal(globalThis.__c.id, GATHERED);
  // As in bundlers, endings can be left out.
  assert.equal(globalThis.__c("./a"), globalThis.__c("./a.js"));
  assert.throws(() => globalThis.__c("./none.js"), { code: "MODULE_NOT_FOUND", message: "Cannot find module './none.js'" });
});

const documented = `
const context=()=>${call};
let c=context();const modules={};
c.keys().forEach((key)=>{modules[key]=c(key)});
module.hot.accept(c.id,()=>{
  const now=context();
  const changed=now.keys().map((key)=>[key,now(key)]).filter(([key,it])=>modules[key]!==it);
  for(const [key,it] of changed)modules[key]=it;
  for(const key of Object.keys(modules))if(!now.keys().includes(key)){delete modules[key];log("gone"+key)}
  log("changed",changed.map(([key])=>key).join());log("="+changed.map(([key])=>key).join());
});`;

test("context: the parent that accepts it learns by identity which module changed", async () => {
  const page = await load(holder(cjs(documented)), "sync", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  page.takeLog();
  const [{ outcome }] = await page.update({ "/d/b.js": value(3) });
  assert.deepEqual([outcome, page.takeLog()], ["moduleUpdated", "run3 changed =./b.js"]);
});

test("context: the same in an ES module", async () => {
  const page = await load(holder(esm({ body: documented.replaceAll("module.hot", "whot") })), "sync", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  page.takeLog();
  await page.update({ "/d/a.js": value(3) });
  assert.equal(page.takeLog(), "run3 changed =./a.js");
});

test("context: a file that comes, and one that goes", async () => {
  const page = await load(holder(cjs(documented)), "sync", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  page.takeLog();
  const three = { ...ab, "./c.js": "/d/c.js" };
  const [{ outcome }] = await page.update({ [GATHERED]: gathered("sync", three), "/d/c.js": value(3) });
  assert.deepEqual([outcome, page.takeLog()], ["moduleUpdated", "run3 changed =./c.js"]);
  const results = await page.update({ [GATHERED]: gathered("sync", { "./b.js": "/d/b.js", "./c.js": "/d/c.js" }), "/d/a.js": null });
  assert.deepEqual(results.map((it) => it.outcome), ["moduleUpdated", "moduleUpdated"]);
  assert.equal(page.takeLog(), "gone./a.js changed =");
  // It is there again.
  await page.update({ [GATHERED]: gathered("sync", three), "/d/a.js": value(4) });
  assert.equal(page.takeLog(), "run4 changed =./a.js");
});

test("context: nobody accepts it", async () => {
  const page = await load(holder(cjs(`const c=${call};c("./a.js")`)), "sync", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  assert.equal((await page.update({ "/d/a.js": value(3) }))[0].outcome, "needsReload");
  // What was never asked for is no dependency.
  assert.equal((await page.update({ "/d/b.js": value(3) }))[0].outcome, "moduleUpdated");
});

test("context: lazy modes give promises", async () => {
  for (const mode of ["lazy", "lazy-once", "eager"]) {
    const page = await load(holder(cjs(`globalThis.__c=${call}`)), mode, ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
    assert.equal(page.takeLog(), "");
    assert.equal((await globalThis.__c("./a.js")).v, 1);
    assert.equal(await globalThis.__c.resolve("./a.js"), "/d/a.js");
    await assert.rejects(globalThis.__c("./none.js"), { code: "MODULE_NOT_FOUND" });
  }
});

test("context: weak modes give only what runs already", async () => {
  const main = holder(cjs(`globalThis.__c=${call};globalThis.__a=()=>require("./d/a.js")`));
  const page = await load(main, "weak", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  assert.throws(() => globalThis.__c("./a.js"), /not available \(weak dependency\)/);
  globalThis.__a();
  assert.equal(globalThis.__c("./a.js").v, 1);
  assert.equal(page.takeLog(), "run1");
  await load(main, "async-weak", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  await assert.rejects(globalThis.__c("./b.js"), /weak/);
});

test("glob: lazy entries import when they are called", async () => {
  const page = await load(holder(esm({ body: `globalThis.__g=${call}` })), "glob", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  assert.deepEqual([Object.keys(globalThis.__g), page.takeLog()], [["./a.js", "./b.js"], ""]);
  assert.equal((await globalThis.__g["./b.js"]()).v, 2);
});

test("glob: one export of each", async () => {
  await load(holder(esm({ body: `globalThis.__g=${call}` })), "glob", ab, { "/d/a.js": value(1), "/d/b.js": value(2) }, { import: "default" });
  assert.equal(await globalThis.__g["./b.js"](), 2);
  await load(holder(esm({ body: `globalThis.__g=${call}` }), true), "glob-eager", ab, { "/d/a.js": value(1), "/d/b.js": value(2) }, { import: "v" });
  assert.deepEqual(globalThis.__g, { "./a.js": 1, "./b.js": 2 });
});

test("glob: eager ones run before the module that holds the call, top-level await included", async () => {
  const slow = esm({ async: true, exports: { v: "v" }, body: 'await 0;const v=2;log("slow")' });
  const page = await load(holder(esm({ body: `log("m"+${call}["./b.js"].v)` }), true), "glob-eager", ab, { "/d/a.js": value(1), "/d/b.js": slow });
  assert.equal(page.takeLog(), "run1 slow m2");
});

const accepting = (body) => holder(esm({ body: `const g=${call};log("m"+Object.values(g).map(it=>it.v));${body}` }), true);

test("glob: its files are dependencies of the module that holds the call", async () => {
  const page = await load(accepting('hot.accept("./d/a.js",it=>log("accepted"+it.v))'), "glob-eager", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  page.takeLog();
  await page.update({ "/d/a.js": value(3) });
  assert.equal(page.takeLog(), "run3 accepted3");
  assert.equal((await page.update({ "/d/b.js": value(4) }))[0].outcome, "needsReload");
});

test("glob: a file that comes or goes runs the module again that holds the call", async () => {
  const page = await load(accepting("hot.accept()"), "glob-eager", ab, { "/d/a.js": value(1), "/d/b.js": value(2) });
  page.takeLog();
  await page.update({ [GATHERED]: gathered("glob-eager", { ...ab, "./c.js": "/d/c.js" }), "/d/c.js": value(3) });
  assert.equal(page.takeLog(), "run3 m1,2,3");
  await page.update({ [GATHERED]: gathered("glob-eager", { "./b.js": "/d/b.js" }), "/d/a.js": null });
  assert.equal(page.takeLog(), "m2");
  assert.deepEqual(page.warnings, []);
});

test("calls with other arguments than literals say so", async () => {
  for (const body of ["$cap_m.meta.glob(x)", "$cap_m.meta.webpackContext(x)", "$cap_m.require.context(x)"]) {
    const page = new Page();
    await page.load({ "/m.js": esm({ body: `const x="./";try{${body}}catch(e){log(e.message)}` }) });
    assert.match(page.takeLog(), /takes literals only/);
  }
});
