// Modules that are no programs: styles and their names, addresses, texts, bytes, and imports that ask for a type.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, kind } from "./support.js";

/** A CSS module. */
const css = (code, names, deps = []) => (id, rev) => ({ id, kind: "css", rev, sites: 0, deps, code, ...(names ? { names } : {}) });
const uses = (spec, body = "") => esm({ imports: { it: spec }, body: `log("m");globalThis.__it=it;${body}` });

test("css module: its names, by default and one by one", async () => {
  const page = new Page();
  await page.load({ "/m.js": uses("./a.css"), "/a.css": css("._b_1{}", { b: "_b_1", "c-d": "_c-d_1 _b_1" }) });
  const it = globalThis.__it;
  assert.deepEqual([Object.keys(it), it.b, it["c-d"], { ...it.default }], [["b", "c-d", "default"], "_b_1", "_c-d_1 _b_1", { b: "_b_1", "c-d": "_c-d_1 _b_1" }]);
  assert.equal(page.styles.get("/a.css"), "._b_1{}");
});

test("css module: other rules for the same names run nobody again", async () => {
  const page = new Page();
  await page.load({ "/m.js": uses("./a.css"), "/a.css": css("1", { b: "_b" }) });
  assert.equal((await page.update({ "/a.css": css("2", { b: "_b" }) }))[0].outcome, "moduleUpdated");
  assert.deepEqual([page.styles.get("/a.css"), page.takeLog()], ["2", "m"]);
});

test("css module: other names are for its importers", async () => {
  for (const names of [{ c: "_b" }, { b: "_c" }, { b: "_b", c: "_c" }, undefined]) {
    const page = new Page();
    await page.load({ "/m.js": uses("./a.css"), "/a.css": css("1", { b: "_b" }) });
    assert.equal((await page.update({ "/a.css": css("2", names) }))[0].outcome, "needsReload");
    assert.equal(page.styles.get("/a.css"), "1");
    await page.load({ "/n.js": uses("./b.css", "hot.accept()"), "/b.css": css("1", { b: "_b" }) });
    page.takeLog();
    assert.equal((await page.update({ "/b.css": css("2", names) }))[0].outcome, "moduleUpdated");
    assert.deepEqual([page.styles.get("/b.css"), page.takeLog()], ["2", "m"]);
  }
});

test("css module: the sheets that it is composed of stand in front of it", async () => {
  const page = new Page();
  await page.load({ "/m.js": uses("./a.css"), "/a.css": css("a", { a: "_a _b" }, [{ spec: "./b.css", id: "/b.css" }]), "/b.css": css("b", { b: "_b" }) });
  assert.deepEqual([...page.styles], [["/b.css", "b"], ["/a.css", "a"]]);
});

test("css: new rules that came with a module that throws give way again", async () => {
  const page = new Page();
  await page.load({ "/m.js": uses("./a.css", "hot.accept()"), "/a.css": css("1") });
  const results = await page.update({ "/a.css": css("2"), "/m.js": uses("./a.css", 'throw new Error("x")') });
  assert.ok(results.some((it) => it.outcome === "threw"));
  assert.equal(page.styles.get("/a.css"), page.host.registry.module("/a.css").program.code);
});

test("an address takes its own update, unless somebody wants to hear of it", async () => {
  const page = new Page();
  await page.load({ "/m.js": uses("./a.svg"), "/a.svg": kind("url", "/a.svg") });
  assert.equal((await page.update({ "/a.svg": kind("url", "/a.svg?t=2") }))[0].outcome, "moduleUpdated");
  assert.deepEqual([globalThis.__it.default, page.takeLog()], ["/a.svg?t=2", "m"]);
  for (const body of ['hot.accept("./a.svg",it=>log(it.default))', 'whot.accept("./a.svg",()=>log(it.default))']) {
    const page = new Page();
    await page.load({ "/m.js": uses("./a.svg", body), "/a.svg": kind("url", "/a.svg") });
    page.takeLog();
    await page.update({ "/a.svg": kind("url", "/a.svg?t=2") });
    assert.equal(page.takeLog(), "/a.svg?t=2");
  }
});

test("texts and bytes", async () => {
  const page = new Page();
  await page.load({
    "/m.js": esm({ imports: { a: "/a?raw", b: "/b?bytes" }, body: "globalThis.__ab=[a.default,b.default]" }),
    "/a?raw": kind("text", "hé\n"), "/b?bytes": kind("bytes", Buffer.from([0, 255, 7]).toString("base64")),
  });
  const [text, bytes] = globalThis.__ab;
  assert.deepEqual([text, bytes], ["hé\n", new Uint8Array([0, 255, 7])]);
  await page.load({ "/n.js": cjs('globalThis.__text=require("/c?raw")'), "/c?raw": kind("text", "c") });
  assert.equal(globalThis.__text, "c");
});

test("a style sheet as an object stays the same object", async () => {
  const sheets = new Map();
  const page = new Page({ styleSheet: (id, css) => sheets.set(id, Object.assign(sheets.get(id) ?? {}, { css })).get(id) });
  await page.load({ "/m.js": uses("/a.css?sheet"), "/a.css?sheet": kind("sheet", "1") });
  const first = globalThis.__it.default;
  assert.equal((await page.update({ "/a.css?sheet": kind("sheet", "2") }))[0].outcome, "moduleUpdated");
  assert.deepEqual([first.css, globalThis.__it.default === first, page.takeLog()], ["2", true, "m"]);
});

test("import() with a type asks for the same module as an import with it", async () => {
  const page = new Page();
  const ask = (id) => { asked.push(id); return page.fetch(id); };
  const asked = [];
  page.host.registry.host.fetchGraph = ask;
  page.served.set("/a.txt?raw", kind("text", "a")("/a.txt?raw", 1));
  page.served.set("/a.txt?bytes", kind("bytes", "AA==")("/a.txt?bytes", 1));
  page.served.set("/d.json", kind("json", "{\"n\":1}")("/d.json", 1));
  await page.load({ "/m.js": esm({ body: "globalThis.__import=$cap_m.import" }) });
  const load = (spec, type) => globalThis.__import(spec, type && { with: { type } });
  assert.equal((await load("./a.txt", "text")).default, "a");
  assert.deepEqual((await load("./a.txt", "bytes")).default, new Uint8Array([0]));
  assert.deepEqual((await load("./d.json", "json")).default, { n: 1 });
  await assert.rejects(load("./a.txt", "other"), /Cannot import \/a.txt with the type "other"/);
  assert.deepEqual(asked, ["/a.txt?raw", "/a.txt?bytes", "/d.json"]);
});

test("a module from elsewhere is asked for with its type", async () => {
  const asked = [];
  const page = new Page({ importUrl: async (url, type) => { asked.push([url, type]); return { default: type ?? "none" }; } });
  const dep = (spec, url) => ({ spec, url });
  await page.load({
    "/m.js": (id, rev) => {
      const def = esm({ body: 'globalThis.__far=[$cap_m.ns("x").default,$cap_m.ns("x with json").default]' })(id, rev);
      return { ...def, deps: [dep("x", "https://far/x"), dep("x with json", "https://far/x")] };
    },
  });
  assert.deepEqual(asked, [["https://far/x", undefined], ["https://far/x", "json"]]);
  assert.deepEqual(globalThis.__far, ["none", "json"]);
});

test("what an importer uses is known only while nothing else is imported into it", async () => {
  const page = new Page();
  const main = (body) => esm({ imports: { a: "./a.js" }, names: { "./a.js": ["v"] }, body });
  const part = (n) => esm({ exports: { v: "v", w: "v" }, body: `const v=${n};hot.acceptExports(["v"])` });
  await page.load({ "/m.js": main("globalThis.__f=()=>a.v"), "/a.js": part(1) });
  assert.equal((await page.update({ "/a.js": part(2) }))[0].outcome, "moduleUpdated");
  // An import was typed into the running module.
  await page.push([page.patch("/m.js", [], { top: { steps: [] } })]);
  assert.equal((await page.update({ "/a.js": part(3) }))[0].outcome, "needsReload");
});

test("a dependency that is asked for in two ways", async () => {
  const page = new Page();
  const part = (n) => esm({ exports: { v: "v", w: "v" }, body: `const v=${n};hot.acceptExports(["v"])` });
  const main = (id, rev) => {
    const def = esm({ imports: { a: "./a.js", b: "./a" }, names: { "./a.js": ["v"] } })(id, rev);
    return { ...def, deps: def.deps.map((dep) => ({ ...dep, id: "/a.js" })) };
  };
  await page.load({ "/m.js": main, "/a.js": part(1) });
  assert.equal((await page.update({ "/a.js": part(2) }))[0].outcome, "needsReload");
});
