// Vite's rules: `import.meta.hot` as its documentation and its source have it, minus the accidents. Updates come as pushes, as in
// Vite, where the server decides when.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, kind, settle } from "./support.js";

const modules = (sources) => Object.fromEntries(Object.entries(sources).map(([id, make]) => [`/${id}.js`, typeof make === "string" ? esm({ body: make }) : make]));

/** @param {object | object[]} updates @param {string} log @param {(page: Page, results: any[]) => unknown} [more] */
function hmr(name, program, updates, log, more = () => {}) {
  test(`vite: ${name}`, async () => {
    const page = new Page();
    await page.load(modules(program));
    await settle();
    page.takeLog();
    let results = [];
    for (const one of [updates].flat()) results = await page.update(modules(one));
    assert.equal(page.takeLog(), log);
    await more(page, results);
  });
}
const outcome = (word) => (_, results) => assert.deepEqual([...new Set(results.map((it) => it.outcome))], [word]);
const a = (body, more = {}) => esm({ imports: { a: "./a.js" }, body, ...more });
const v = (n, body = "") => esm({ exports: { v: "v" }, body: `const v=${n};${body}` });

// -- accept itself
hmr("accept() alone", { m: "hot.accept()" }, { m: 'hot.accept();log("2")' }, "2", outcome("moduleUpdated"));
hmr("the callback of the old instance gets the new namespace", { m: v(1, "hot.accept(n=>log(n.v))") }, { m: v(2, 'log("run")') }, "run 2");
hmr("every accept adds a callback, all run in order", { m: 'hot.accept(()=>log("1"));hot.accept(()=>log("2"));hot.accept()' }, { m: "hot.accept()" }, "1 2");
hmr("callbacks are those of the instance before, not of older ones", { m: 'hot.accept(()=>log("1"))' }, [{ m: 'hot.accept(()=>log("2"))' }, { m: "hot.accept()" }], "1 2");
hmr("removing accept still applies that edit, the next one needs a reload", { m: "hot.accept()" }, [{ m: 'log("2")' }, { m: 'log("3")' }], "2", outcome("needsReload"));
hmr("the callback gets undefined when the new instance failed", { m: 'hot.accept(n=>log(n))' }, { m: 'hot.accept();throw new Error("x")' }, "", (page, [{ outcome }]) => {
  assert.equal(outcome, "threw");
  assert.equal(page.log.length, 0);
});
test("vite: undefined is what a callback gets for a failed instance", async () => {
  const page = new Page();
  const seen = [];
  globalThis.__seen = seen;
  await page.load(modules({ m: "hot.accept(n=>globalThis.__seen.push(n))" }));
  await page.update(modules({ m: 'throw new Error("x")' }));
  assert.deepEqual(seen, [undefined]);
});
hmr("importers are not run", { m: a('log("m")'), a: "hot.accept()" }, { a: 'hot.accept();log("a2")' }, "a2");
hmr("importers see the new values", { m: a("globalThis.__v=()=>a.v"), a: v(1, "hot.accept()") }, { a: v(2, "hot.accept()") }, "", () => assert.equal(globalThis.__v(), 2));
hmr("an importer in between runs with the boundary above it", { m: "1", ...{ m: a("hot.accept();log('m'+a.v)") }, a: esm({ imports: { b: "./b.js" }, exports: { v: "b.v" }, body: 'log("a")' }), b: v(1) }, { b: v(2, 'log("b")') }, "b a m2");
hmr("a module with top-level await is awaited before the callback", { m: v(1, "hot.accept(n=>log(n.v))") }, { m: esm({ async: true, exports: { v: "v" }, body: 'await 0;const v=2;log("run")' }) }, "run 2");

// -- accept dependencies
hmr("one dependency: the callback gets its namespace", { m: a('hot.accept("./a.js",n=>log(n.v));log("m")'), a: v(1) }, { a: v(2, 'log("a")') }, "a 2", outcome("moduleUpdated"));
hmr("one dependency without a callback", { m: a('hot.accept("./a.js")'), a: v(1) }, { a: v(2, 'log("a")') }, "a");
const ab = (body) => esm({ imports: { a: "./a.js", b: "./b.js" }, body });
hmr("several: only the one that changed is filled in", { m: ab('hot.accept(["./a.js","./b.js"],l=>log(l.map(n=>n?.v).join("|")))'), a: v(1), b: v(1) }, { b: v(2) }, "|2");
hmr("several changed: called once for each", { m: ab('hot.accept(["./a.js","./b.js"],l=>log(l.map(n=>n?.v).join("|")))'), a: v(1), b: v(1) }, { a: v(2), b: v(3) }, "2| |3");
hmr("two calls for one dependency are both told", { m: a('hot.accept("./a.js",()=>log("1"));hot.accept("./a.js",()=>log("2"))'), a: v(1) }, { a: v(2) }, "1 2");
hmr("all modules have run before any callback", { m: ab('hot.accept("./a.js",()=>log("ca"));hot.accept("./b.js",()=>log("cb"))'), a: v(1), b: v(1) }, { a: v(2, 'log("a")'), b: v(2, 'log("b")') }, "a b ca cb");
hmr("a dependency of the dependency", { m: a('hot.accept("./a.js",n=>log(n.w))'), a: esm({ imports: { b: "./b.js" }, exports: { w: "b.v" }, body: 'log("a")' }), b: v(1) }, { b: v(2) }, "a 2");
hmr("a dependency that is not direct is not accepted", { m: a('hot.accept("./b.js",()=>log("no"))'), a: esm({ effects: ["./b.js"] }), b: v(1) }, { b: v(2) }, "", outcome("needsReload"));
hmr("a dependency that did not resolve", { m: a('hot.accept("./nope.js",()=>log("no"))', { accepts: { "./nope.js": null } }), a: v(1) }, { a: v(2) }, "", outcome("needsReload"));
hmr("a null place in a list keeps the others at theirs", { m: a('hot.accept(["./nope.js","./a.js"],l=>log(l.length+""+l[1].v))', { accepts: { "./nope.js": null, "./a.js": "/a.js" } }), a: v(1) }, { a: v(2) }, "22");
hmr("accepting itself and a dependency: the dependency's update is for the callback", { m: a('hot.accept();hot.accept("./a.js",()=>log("cb"));log("m")'), a: v(1) }, { a: v(2) }, "cb");
hmr("a failed dependency: undefined, and the old one keeps running", { m: a('hot.accept("./a.js",n=>log(n===undefined,a.v));globalThis.__v=()=>a.v'), a: v(1) }, { a: v(2, 'throw new Error("x")') }, "true", (page, [{ outcome }]) => {
  assert.equal(outcome, "threw");
  assert.equal(globalThis.__v(), 1);
});
hmr("nobody accepts", { m: a(""), a: v(1) }, { a: v(2) }, "", outcome("needsReload"));
for (const bad of ["5", "null", "{}", "true", "Symbol()"]) {
  hmr(`accept(${bad}) is a mistake`, { m: `try{hot.accept(${bad})}catch(e){globalThis.__e=e.message}` }, [], "", () => assert.equal(globalThis.__e, "invalid hot.accept() usage."));
}
hmr("in a CommonJS file too, by module.hot's sibling", { m: cjs('$cap_m.meta.hot.accept("./a.js",n=>log(n.default));require("./a.js")'), a: cjs("module.exports=1") }, { a: cjs("module.exports=2") }, "2");

// -- acceptExports
hmr("acceptExports of all exports is accepting itself", { m: a(""), a: v(1, 'hot.acceptExports(["v"],n=>log(n.v))') }, { a: v(2) }, "2", outcome("moduleUpdated"));
hmr("acceptExports of a single name", { m: a(""), a: v(1, 'hot.acceptExports("v")') }, { a: v(2, 'log("a")') }, "a");
const partial = (n) => esm({ exports: { v: "v", w: "v" }, body: `const v=${n};hot.acceptExports(["v"]);log("a${n}")` });
hmr("importers that use only accepted names are left alone", { m: a('log("m")', { names: { "./a.js": ["v"] } }), a: partial(1) }, { a: partial(2) }, "a2", outcome("moduleUpdated"));
hmr("importers that use others are asked", { m: a("", { names: { "./a.js": ["v", "w"] } }), a: partial(1) }, { a: partial(2) }, "", outcome("needsReload"));
hmr("the module itself runs before the importers that have to", { m: a('hot.accept();log("m"+a.w)', { names: { "./a.js": ["w"] } }), a: partial(1) }, { a: partial(2) }, "a2 m2");
hmr("a namespace import uses everything", { m: a("", { names: { "./a.js": ["*"] } }), a: partial(1) }, { a: partial(2) }, "", outcome("needsReload"));

// -- dispose, prune, data
hmr("dispose runs before the new code, with the data of the module", { m: 'hot.accept();hot.dispose(d=>{log("d"+(d===hot.data))})' }, { m: 'log("2")' }, "dtrue 2");
hmr("data is one object for all instances", { m: "hot.accept();hot.data.n=1" }, { m: "log(++hot.data.n)" }, "2");
hmr("data is made empty, at first use", { m: "hot.accept();log(JSON.stringify(hot.data))" }, { m: "log(Object.keys(hot.data).length)" }, "0");
hmr("a dispose handler is not run again by later instances", { m: 'hot.accept();hot.dispose(()=>log("d1"))' }, [{ m: "hot.accept()" }, { m: "hot.accept()" }], "d1");
hmr("every dispose handler runs, not only the last", { m: 'hot.accept();hot.dispose(()=>log("1"));hot.dispose(()=>log("2"))' }, { m: "" }, "1 2");
hmr("a dispose handler that takes its time is awaited", { m: 'hot.accept();hot.dispose(async()=>{await 0;await 0;log("d")})' }, { m: 'log("2")' }, "d 2");
test("vite: a dispose handler that never ends holds the update back only for a while", async () => {
  const page = new Page();
  await page.load(modules({ m: "hot.accept();hot.dispose(()=>new Promise(()=>{}))" }));
  await page.update(modules({ m: 'log("2")' }));
  assert.equal(page.takeLog(), "");
  page.clock.advance(2000);
  await settle();
  assert.equal(page.takeLog(), "2");
  assert.equal(page.outcomes()[0].outcome, "moduleUpdated");
});
hmr("a rejected dispose handler does not stop the update", { m: 'hot.accept();hot.dispose(async()=>{throw new Error("d")})' }, { m: 'log("2")' }, "2");
hmr("the dependency is disposed, not the one that accepts it", { m: a('hot.accept("./a.js");hot.dispose(()=>log("dm"))'), a: v(1, 'hot.dispose(()=>log("da"))') }, { a: v(2) }, "da");
hmr("prune when nothing imports it any more: dispose, prune, data gone", { m: a("hot.accept()"), a: 'hot.data.n=1;hot.dispose(d=>log("d"+d.n));hot.prune(d=>log("p"+d.n))' }, { m: "hot.accept()" }, "d1 p1", (page) => {
  assert.equal(page.instance("/a.js"), null);
  assert.equal(page.host.registry.module("/a.js").viteData, null);
});
hmr("no prune while somebody still imports it", { m: esm({ imports: { a: "./a.js", b: "./b.js" } }), a: esm({ effects: ["./b.js"], body: "hot.accept()" }), b: 'hot.prune(()=>log("p"))' }, { a: "hot.accept()" }, "");
hmr("a pruned module runs anew when it is imported again", { m: a("hot.accept()"), a: 'log("a");hot.prune(()=>log("p"))' }, [{ m: "hot.accept()" }, { m: a("hot.accept()") }], "p a");
hmr("beforePrune comes first", { m: a('hot.accept()'), a: 'hot.prune(()=>log("p"));hot.on("vite:beforePrune",e=>log(e.type+e.paths))' }, { m: "hot.accept()" }, "prune/a.js p");
test("vite: css that nothing imports any more is taken out", async () => {
  const page = new Page();
  await page.load({ "/m.js": esm({ effects: ["./s.css"], body: "hot.accept()" }), "/s.css": kind("css", "a{}") });
  assert.equal(page.styles.size, 1);
  await page.update({ "/m.js": esm({ body: "hot.accept()" }) });
  assert.equal(page.styles.size, 0);
});

// -- events
hmr("beforeUpdate, the update, afterUpdate", { m: a('for(const e of ["before","after"])hot.on(`vite:${e}Update`,()=>log(e))'), a: 'hot.accept();hot.dispose(()=>log("d"))' }, { a: 'hot.accept();log("a")' }, "before d a after");
hmr("what beforeUpdate tells", { m: a('hot.accept("./a.js");hot.on("vite:beforeUpdate",({type,updates:[u]})=>log([type,u.type,u.path,u.acceptedPath].join()))'), a: v(1) }, { a: v(2) }, "update,js-update,/m.js,/a.js");
hmr("path and acceptedPath of a module that accepts itself", { m: a('hot.on("vite:afterUpdate",({updates:[u]})=>log(u.path+u.acceptedPath))'), a: "hot.accept()" }, { a: "" }, "/a.js/a.js");
hmr("beforeUpdate listeners are awaited", { m: 'hot.accept();hot.on("vite:beforeUpdate",async()=>{await 0;log("b")})' }, { m: 'log("2")' }, "b 2");
hmr("a listener that throws does not stop the rest", { m: 'hot.accept();hot.on("vite:beforeUpdate",()=>{throw new Error("x")});hot.on("vite:beforeUpdate",()=>log("b"))' }, { m: 'log("2")' }, "b 2");
hmr("a listener that rejects does not stop the rest", { m: 'hot.accept();hot.on("vite:beforeUpdate",async()=>{throw new Error("x")})' }, { m: 'log("2")' }, "2");
hmr("listeners of the old instance are gone with the new one", { m: 'hot.accept();hot.on("vite:beforeUpdate",()=>log("1"))' }, [{ m: 'hot.accept();hot.on("vite:beforeUpdate",()=>log("2"))' }, { m: "hot.accept()" }], "1 2");
hmr("off takes a listener away", { m: 'hot.accept();const f=()=>log("f");hot.on("vite:beforeUpdate",f);hot.off("vite:beforeUpdate",f)' }, { m: "" }, "");
hmr("no update events when nothing is applied", { m: a('hot.on("vite:beforeUpdate",()=>log("no"))'), a: v(1) }, { a: v(2) }, "");
test("vite: custom events of the server are heard", async () => {
  const page = new Page();
  await page.load(modules({ m: 'hot.on("my:event",d=>log(d.n))' }));
  page.socket.push({ type: "custom", event: "my:event", data: { n: 4 } });
  assert.deepEqual(page.log, [4]);
});
test("vite: send goes out when the server takes events, and only then", async () => {
  const page = new Page();
  await page.load(modules({ m: "globalThis.__send=()=>hot.send('e',{x:1})" }));
  globalThis.__send();
  assert.deepEqual(page.socket.take("custom"), []);
  page.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1", custom: true });
  globalThis.__send();
  assert.deepEqual(page.socket.take("custom"), [{ type: "custom", event: "e", data: { x: 1 } }]);
});
test("vite: what is sent while there is no connection goes out later, in order", async () => {
  const page = new Page();
  page.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1", custom: true });
  page.socket.close();
  await page.load(modules({ m: "for(let n=0;n<101;n++)hot.send('e'+n)" }));
  assert.match(page.warnings.at(-1), /"e100" was not sent/);
  page.wake();
  page.socket.accept();
  assert.deepEqual(page.socket.take("custom"), []);
  page.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1", custom: true });
  const sent = page.socket.take("custom").map(({ event }) => event);
  assert.deepEqual([sent.length, sent[0], sent.at(-1)], [100, "e0", "e99"]);
});
test("vite: ws:connect and ws:disconnect", async () => {
  const page = new Page();
  await page.load(modules({ m: 'hot.on("vite:ws:connect",e=>log("on"+!!e.webSocket));hot.on("vite:ws:disconnect",()=>log("off"))' }));
  page.socket.close();
  page.wake();
  page.socket.accept();
  assert.equal(page.takeLog(), "off ontrue");
});
test("vite: decline does nothing", async () => {
  const page = new Page();
  await page.load(modules({ m: "hot.accept();hot.decline()" }));
  assert.equal((await page.update(modules({ m: 'log("2")' })))[0].outcome, "moduleUpdated");
});

// -- invalidate
const giving = (n, more = "") => v(n, `hot.accept(()=>log("hot-a"));log("a${n}");${more}`);
hmr("invalidate hands the update on to the importers; the module itself stays", { m: a('hot.accept();log("m"+a.v)'), a: v(1, 'hot.accept(()=>hot.invalidate("no"))') }, { a: giving(2) }, "a2 m2");
hmr("the events come in Vite's order", { m: a('hot.accept(()=>log("hot-m"));log("m")'), a: v(1, 'hot.accept(()=>{hot.invalidate();log("hot-a")})'), e: "1", ...{ m: esm({ imports: { a: "./a.js" }, effects: ["./e.js"], body: 'hot.accept(()=>log("hot-m"));log("m")' }) }, e: 'for(const e of ["beforeUpdate","afterUpdate","invalidate"])hot.on("vite:"+e,()=>log(e))' }, { a: giving(2) }, "beforeUpdate a2 invalidate hot-a afterUpdate beforeUpdate m hot-m afterUpdate");
hmr("what vite:invalidate tells", { m: a('hot.accept();hot.on("vite:invalidate",e=>log([e.path,e.message,e.firstInvalidatedBy].join()))'), a: v(1, 'hot.accept(()=>hot.invalidate("why"))') }, { a: v(2) }, "/a.js,why,/a.js");
// The callback above belongs to the old instance; as in Vite, its hot object stands for the module.
hmr("nobody above accepts: needs a reload", { m: a(""), a: giving(1) }, { a: giving(2, "hot.invalidate()") }, "a2 hot-a", (_, results) => assert.equal(results[0].outcome, "needsReload"));
hmr("an entry that gives up: needs a reload", { m: giving(1) }, { m: giving(2, "hot.invalidate()") }, "a2 hot-a", outcome("needsReload"));
hmr("a module that does not accept itself cannot hand on", { m: a('hot.accept("./a.js");log("m")'), a: v(1) }, { a: v(2, "hot.invalidate()") }, "");
test("vite: before its first update there is nothing to hand on", async () => {
  const page = new Page();
  await page.load(modules({ m: a('hot.accept();log("m")'), a: v(1, "hot.accept();globalThis.__first=()=>hot.invalidate()") }));
  globalThis.__first();
  await settle();
  assert.equal(page.takeLog(), "m");
});
hmr("once per update, however often it is called", { m: a('hot.accept();log("m")'), a: v(1, "hot.accept()") }, { a: v(2, "hot.accept();hot.invalidate();hot.invalidate()") }, "m");
hmr("once per update, also when it is called again later", { m: a('hot.accept();log("m")'), a: v(1, "hot.accept()") }, { a: v(2, "hot.accept();globalThis.__again=()=>hot.invalidate();hot.invalidate()") }, "m", async (page) => {
  globalThis.__again();
  await settle();
  assert.equal(page.takeLog(), "");
});
hmr("a chain of giving up goes on above", { m: a('hot.accept();log("m")'), a: esm({ imports: { b: "./b.js" }, exports: { v: "b.v" }, body: "hot.accept();log('a');if(hot.data.n=(hot.data.n??0)+1,hot.data.n>1)hot.invalidate()" }), b: v(1, "hot.accept()") }, { b: v(2, "hot.accept();hot.invalidate()") }, "a m");
test("vite: giving up later, when nothing is being applied, works the same", async () => {
  const page = new Page();
  await page.load(modules({ m: a('hot.accept();log("m")'), a: "hot.accept()" }));
  await page.update(modules({ a: "hot.accept();globalThis.__later=()=>hot.invalidate()" }));
  page.takeLog();
  globalThis.__later();
  await settle();
  assert.equal(page.takeLog(), "m");
  assert.equal(page.status, "idle");
});
test("vite: what comes back to where it began needs a reload", async () => {
  const page = new Page();
  await page.load(modules({
    m: a("hot.accept()"), a: esm({ imports: { b: "./b.js" }, body: "hot.accept()" }),
    b: esm({ imports: { a: "./a.js" } }),
  }));
  await page.update(modules({ a: esm({ imports: { b: "./b.js" }, body: "hot.accept();hot.invalidate()" }) }), "save");
  page.clock.advance(20);
  assert.equal(page.reloads.length, 1);
  assert.match(page.reloads[0].message, /circular/);
});

// -- both faces in one module
hmr("module.hot's dispose data and import.meta.hot's data are two things", { m: 'hot.accept();hot.data.v=1;whot.dispose(d=>{d.w=2})' }, { m: 'log(JSON.stringify(hot.data)+JSON.stringify(whot.data))' }, '{"v":1}{"w":2}');
hmr("accepted by one face, told by both", { m: a('hot.accept("./a.js",()=>log("vite"));whot.accept("./a.js",()=>log("webpack"))'), a: v(1) }, { a: v(2, 'log("a")') }, "a webpack vite");
