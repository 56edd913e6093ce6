import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, kind, settle } from "./support.js";

/** Loads a program and compares what it wrote. */
function loads(name, modules, log, more = async () => {}) {
  test(name, async () => {
    const page = new Page();
    await page.load(modules);
    await settle();
    assert.equal(page.takeLog(), log);
    await more(page);
  });
}

loads("imports run in source order, depth first, each once", {
  "/main.js": esm({ effects: ["./a.js", "./b.js"], body: 'log("main")' }),
  "/a.js": esm({ effects: ["./c.js"], body: 'log("a")' }),
  "/b.js": esm({ effects: ["./c.js", "./a.js"], body: 'log("b")' }),
  "/c.js": esm({ body: 'log("c")' }),
}, "c a b main");

loads("bindings are live", {
  "/main.js": esm({ imports: { a: "./a.js" }, body: "log(a.n);a.inc();log(a.n)" }),
  "/a.js": esm({ exports: { n: "n", inc: "inc" }, body: "let n=1;function inc(){n++}" }),
}, "1 2");

loads("a cycle sees hoisted functions", {
  "/a.js": esm({ imports: { b: "./b.js" }, exports: { f: "f" }, body: "log(b.v);function f(){return 7}" }),
  "/b.js": esm({ imports: { a: "./a.js" }, exports: { v: "v" }, body: "const v=a.f()" }),
}, "7");

loads("a cycle that reads too early gets the language's error", {
  "/a.js": esm({ imports: { b: "./b.js" }, exports: { v: "v" }, body: "const v=1;" }),
  "/b.js": esm({ imports: { a: "./a.js" }, body: "try{a.v}catch(e){log(e.name)}" }),
}, "ReferenceError");

loads("export * gives all but default, and own names win", {
  "/main.js": esm({ imports: { m: "./mid.js" }, body: 'log(Object.keys(m).join());log(m.x)' }),
  "/mid.js": esm({ stars: ["./a.js"], exports: { x: "x" }, body: 'const x="own"' }),
  "/a.js": esm({ exports: { default: "1", x: '"a"', y: "2" } }),
}, "x,y own");

loads("own names win over stars, whatever their values", {
  "/main.js": esm({ imports: { m: "./mid.js" }, body: "log(m.x())" }),
  "/mid.js": esm({ stars: ["./a.js"], exports: { x: "x" }, body: 'function x(){return "own"}' }),
  "/a.js": esm({ exports: { x: "x" }, body: 'function x(){return "star"}' }),
}, "own");

loads("a name from two stars is ambiguous when they are two bindings", {
  "/main.js": esm({ imports: { m: "./mid.js" }, body: "log(Object.keys(m).join())" }),
  "/mid.js": esm({ stars: ["./a.js", "./b.js"] }),
  "/a.js": esm({ exports: { same: "1", a: "1" } }),
  "/b.js": esm({ exports: { same: "2", b: "2" } }),
}, "a,b");

loads("a name from two stars is fine when it is one binding", {
  "/main.js": esm({ imports: { m: "./mid.js" }, body: "log(m.v.n)" }),
  "/mid.js": esm({ stars: ["./a.js", "./b.js"] }),
  "/a.js": esm({ imports: { c: "./c.js" }, exports: { v: "c.v" } }),
  "/b.js": esm({ imports: { c: "./c.js" }, exports: { v: "c.v" } }),
  "/c.js": esm({ exports: { v: "v" }, body: "const v={n:5}" }),
}, "5");

loads("stars in a cycle", {
  "/main.js": esm({ imports: { i: "./index.js" }, body: "log(i.a()+i.b())" }),
  "/index.js": esm({ stars: ["./a.js", "./b.js"] }),
  "/a.js": esm({ exports: { a: "a" }, body: 'function a(){return "a"}' }),
  "/b.js": esm({ imports: { i: "./index.js" }, exports: { b: "b" }, body: 'log(i.a());function b(){return i.a()+"b"}' }),
}, "a aab");

loads("export * from CommonJS", {
  "/main.js": esm({ imports: { m: "./mid.js" }, body: "log(m.q)" }),
  "/mid.js": esm({ stars: ["./c.js"] }),
  "/c.js": cjs("exports.q=4"),
}, "4");

loads("a namespace is a Module with sorted names", {
  "/main.js": esm({ imports: { a: "./a.js" }, body: "log(Object.prototype.toString.call(a)+Object.keys(a).join()+Object.getPrototypeOf(a))" }),
  "/a.js": esm({ exports: { z: "1", a: "2" } }),
}, "[object Module]a,znull");

loads("export names like __proto__ and constructor are names like others", {
  "/main.js": esm({ imports: { a: "./a.js" }, body: 'log(a["constructor"]+a.hasOwnProperty)' }),
  "/a.js": esm({ exports: { constructor: "1", hasOwnProperty: "2" } }),
}, "3");

test("import() keeps __proto__ in specifiers harmless", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ body: '$cap_m.import("__proto__").catch(()=>log("no"))' }) });
  await settle();
  await settle();
  assert.equal(page.takeLog(), "no");
});

// Order with top-level await, as engines have it.
const tla = [
  ["siblings go on while one waits", {
    "/main.js": esm({ effects: ["./a.js", "./b.js"], body: 'log("main")' }),
    "/a.js": esm({ async: true, body: 'log("a1");await 0;log("a2")' }),
    "/b.js": esm({ body: 'log("b")' }),
  }, "a1 b a2 main"],
  ["two waiters run side by side", {
    "/main.js": esm({ effects: ["./a.js", "./b.js"], body: 'log("main")' }),
    "/a.js": esm({ async: true, body: 'log("a1");await 0;log("a2")' }),
    "/b.js": esm({ async: true, body: 'log("b1");await 0;log("b2")' }),
  }, "a1 b1 a2 b2 main"],
  ["importers of a waiter run in the order they came to wait", {
    "/main.js": esm({ effects: ["./p.js", "./q.js"], body: 'log("main")' }),
    "/p.js": esm({ effects: ["./r.js"], body: 'log("p")' }),
    "/r.js": esm({ effects: ["./b.js"], body: 'log("r")' }),
    "/q.js": esm({ effects: ["./b.js"], body: 'log("q")' }),
    "/b.js": esm({ async: true, body: 'await 0;log("b")' }),
  }, "b r p q main"],
  ["a synchronous sibling of a waiting branch is not held up", {
    "/main.js": esm({ effects: ["./p.js", "./s.js"], body: 'log("main")' }),
    "/p.js": esm({ effects: ["./b.js"], body: 'log("p")' }),
    "/b.js": esm({ async: true, body: 'await 0;log("b")' }),
    "/s.js": esm({ body: 'log("s")' }),
  }, "s b p main"],
  ["a cycle with top-level await inside", {
    "/a.js": esm({ imports: { b: "./b.js" }, exports: { f: "f" }, body: 'log("a"+b.v);function f(){return 1}' }),
    "/b.js": esm({ async: true, imports: { a: "./a.js" }, exports: { v: "v" }, body: 'await 0;const v=a.f();log("b")' }),
  }, "b a1"],
  ["one outside of a cycle waits for the whole of it", {
    "/main.js": esm({ effects: ["./a.js", "./out.js"], body: 'log("main")' }),
    "/a.js": esm({ effects: ["./b.js"], body: 'log("a")' }),
    "/b.js": esm({ async: true, effects: ["./a.js"], body: 'await 0;log("b")' }),
    "/out.js": esm({ effects: ["./b.js"], body: 'log("out")' }),
  }, "b a out main"],
  ["those who can go on do so in the order they came to wait, not as they are found", {
    "/main.js": esm({ effects: ["./r.js", "./q.js", "./w.js"], body: 'log("main")' }),
    "/r.js": esm({ effects: ["./b.js"], body: 'log("r")' }),
    "/q.js": esm({ effects: ["./b.js"], body: 'log("q")' }),
    "/w.js": esm({ effects: ["./r.js"], body: 'log("w")' }),
    "/b.js": esm({ async: true, body: 'await 0;log("b")' }),
  }, "b r q w main"],
  ["one outside of a cycle does not go on when its part of the cycle is done", {
    "/main.js": esm({ effects: ["./a.js", "./out.js"], body: 'log("main")' }),
    "/a.js": esm({ effects: ["./b.js", "./c.js"], body: 'log("a")' }),
    "/b.js": esm({ async: true, effects: ["./a.js"], body: 'await 0;log("b")' }),
    "/c.js": esm({ async: true, body: 'for(let i=0;i<20;i++)await 0;log("c")' }),
    "/out.js": esm({ effects: ["./b.js"], body: 'log("out")' }),
  }, "b c a out main"],
  ["hoisted functions of a module that waits can be called", {
    "/main.js": esm({ imports: { a: "./a.js" }, exports: { hi: "hi" }, effects: ["./t.js"], body: 'log("main");function hi(){return "hi"}' }),
    "/a.js": esm({ imports: { m: "./main.js" }, body: "log(m.hi())" }),
    "/t.js": esm({ async: true, body: "await 0" }),
  }, "hi main"],
];
for (const [name, modules, log] of tla) loads(`top-level await: ${name}`, modules, log);

test("top-level await: a rejection reaches all above it, not those beside it", async () => {
  const page = new Page();
  await assert.rejects(page.load({
    "/main.js": esm({ effects: ["./p.js", "./s.js"], body: 'log("main")' }),
    "/p.js": esm({ effects: ["./b.js"], body: 'log("p")' }),
    "/b.js": esm({ async: true, body: 'await 0;throw new Error("no")' }),
    "/s.js": esm({ body: 'log("s")' }),
  }), /no/);
  assert.equal(page.takeLog(), "s");
});

test("top-level await: a dependency that throws at once throws at once", async () => {
  const page = new Page();
  assert.throws(() => page.load({
    "/main.js": esm({ async: true, effects: ["./b.js"], body: 'log("main")' }),
    "/b.js": esm({ body: 'throw new Error("no")' }),
  }), /no/);
});

// ES modules and CommonJS in each other.
loads("default of CommonJS is module.exports", {
  "/main.js": esm({ imports: { c: "./c.js" }, body: "log(c.default()+c.extra)" }),
  "/c.js": cjs("module.exports=()=>1;module.exports.extra=2"),
}, "3");
loads("default of CommonJS with __esModule is its default", {
  "/main.js": esm({ imports: { c: "./c.js" }, body: "log(c.default+c.x)" }),
  "/c.js": cjs('Object.defineProperty(exports,"__esModule",{value:true});exports.default=1;exports.x=2'),
}, "3");
loads("named imports of CommonJS are live, also those added later", {
  "/main.js": esm({ imports: { c: "./c.js" }, body: "log(c.n);c.later();log(c.n+c.added)" }),
  "/c.js": cjs("exports.n=1;exports.later=()=>{exports.n=2;exports.added=3}"),
}, "1 5");
loads("a primitive as module.exports", {
  "/main.js": esm({ imports: { c: "./c.js" }, body: "log(c.default)" }),
  "/c.js": cjs("module.exports=5"),
}, "5");
loads("CommonJS cycles see what was exported so far", {
  "/a.js": cjs('exports.early=1;const b=require("./b.js");log(b.saw);exports.late=2'),
  "/b.js": cjs('const a=require("./a.js");exports.saw=a.early+","+a.late'),
}, "1,undefined");
loads("require runs a module where it stands, once", {
  "/main.js": cjs('log("1");require("./a.js");log("2");require("./a.js")'),
  "/a.js": cjs('log("a")'),
}, "1 a 2");
loads("require of an ES module gives a namespace with __esModule", {
  "/main.js": cjs('const a=require("./a.js");log(a.__esModule+":"+a.default+":"+Object.keys(a))'),
  "/a.js": esm({ exports: { default: "1", b: "2" } }),
}, "true:1:b,default");
loads("require inside an ES module", {
  "/main.js": esm({ effects: [], body: 'log($cap_m.require("./c.js").v)', dynamic: ["./c.js"] }),
  "/c.js": cjs("exports.v=3"),
}, "3");
loads("this is module.exports in CommonJS, and the parameters are there", {
  "/dir/main.js": cjs('this.a=1;log(exports.a+__filename+__dirname+module.id+(require.main===module)+require.resolve("./x.js"))', { requires: ["./x.js"] }),
  "/dir/x.js": cjs(""),
}, "1/dir/main.js/dir/dir/main.jstrue/dir/x.js");
loads("require of what is not there says so with a code", {
  "/main.js": cjs('try{require("nope")}catch(e){log(e.code)}', { requires: [{ spec: "nope", error: "Cannot find nope" }] }),
}, "MODULE_NOT_FOUND");
loads("a computed require finds loaded modules by path, with and without ending", {
  "/main.js": cjs('const n="a";log(require("./"+n)+require("./"+n+".js"))', { requires: ["./a.js"] }),
  "/a.js": cjs("module.exports=2"),
}, "4");
loads("module.parents and module.children are ids", {
  "/main.js": cjs('log(require("./a.js")+"|"+module.children)'),
  "/a.js": cjs("module.exports=module.parents.join()"),
}, "/main.js|/a.js");
loads("deleting from require.cache makes the next require run it again", {
  "/main.js": cjs('require("./a.js");delete require.cache[require.resolve("./a.js")];require("./a.js")'),
  "/a.js": cjs('log("a")'),
}, "a a");
loads("the error of a module that failed is thrown again, the code does not run again", {
  "/main.js": cjs('for(let i=0;i<2;i++)try{require("./a.js")}catch(e){log(e.message)}'),
  "/a.js": cjs('log("run");throw new Error("bad")'),
}, "run bad bad");

// Other kinds.
loads("json: default and names; text of css; url", {
  "/main.js": esm({ imports: { j: "./d.json", c: "./s.css", u: "./i.png" }, body: "log(j.default.a+j.a);log(c.default);log(u.default)" }),
  "/d.json": kind("json", '{"a":1,"default":9}'),
  "/s.css": kind("css", "p{}"),
  "/i.png": kind("url", "/i.png?1"),
}, "2 p{} /i.png?1", (page) => assert.equal(page.styles.get("/s.css"), "p{}"));
loads("json in require is the value", { "/main.js": cjs('log(require("./d.json").length)'), "/d.json": kind("json", "[1,2]") }, "2");

test("a module that could not be made throws its message and leaves others alone", async () => {
  const page = new Page();
  assert.throws(() => page.load({ "/main.js": esm({ effects: ["./x.js"] }), "/x.js": kind("error", "x.js: Unexpected token") }), /Unexpected token/);
  await page.load({ "/other.js": esm({ body: 'log("other")' }) });
  assert.equal(page.takeLog(), "other");
  assert.match(page.problems.get("/main.js"), /Unexpected token/);
});
test("an import that does not resolve throws its sentence", () => {
  const page = new Page();
  assert.throws(() => page.load({ "/main.js": esm({ effects: [{ spec: "nope", error: 'Cannot find "nope"' }] }) }), /Cannot find "nope"/);
});

// import()
loads("import() comes after the statements behind it, and gives a namespace", {
  "/main.js": esm({ body: '$cap_m.import("./a.js").then(a=>log(a.x));log("sync")', dynamic: ["./a.js"] }),
  "/a.js": esm({ exports: { x: "1" }, body: 'log("a")' }),
}, "sync a 1");
loads("a computed import() of a loaded module", {
  "/main.js": esm({ body: 'const n="a";$cap_m.import(`./${n}.js`).then(a=>log(a.x))' }),
  "/a.js": esm({ exports: { x: "1" } }),
}, "1");
test("import() fetches what the page lacks, and says that it was loaded", async () => {
  const page = new Page();
  page.served.set("/late.js", esm({ exports: { x: "8" } })("/late.js", 5));
  await page.load({ "/main.js": esm({ body: '$cap_m.import("./late.js").then(a=>log(a.x))' }) });
  await settle();
  assert.equal(page.takeLog(), "8");
  assert.deepEqual(page.socket.take("loaded").at(-1).modules, [{ id: "/late.js", rev: 5 }]);
});
test("import() of what does not exist rejects", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ body: '$cap_m.import("./nope.js").catch(e=>log(e.constructor.name))' }) });
  await settle();
  assert.equal(page.takeLog(), "TypeError");
});
test("import() waits for top-level await", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ body: '$cap_m.import("./a.js").then(a=>log(a.x))' }), "/a.js": esm({ async: true, exports: { x: "x" }, body: "await 0;const x=1" }) });
  await settle();
  assert.equal(page.takeLog(), "1");
});
test("modules from elsewhere are loaded by the browser before their importer runs", async () => {
  const page = new Page({ importUrl: async (url) => ({ url }) });
  const make = (id, rev) => ({ ...esm({ imports: { e: "e" }, body: "log(e.url)" })(id, rev), deps: [{ spec: "e", url: "https://cdn/x.js" }] });
  await page.load({ "/main.js": make });
  assert.equal(page.takeLog(), "https://cdn/x.js");
});
test("a module from elsewhere that does not load throws in its importer", async () => {
  const page = new Page({ importUrl: async () => { throw new TypeError("offline"); } });
  const make = (id, rev) => ({ ...esm({ imports: { e: "e" }, body: "log(e.url)" })(id, rev), deps: [{ spec: "e", url: "https://cdn/x.js" }] });
  await assert.rejects(page.load({ "/main.js": make }), /offline/);
});
loads("import.meta has url, env and resolve", {
  "/a/main.js": esm({ body: 'const m=$cap_m.meta;log(m.url+m.env.MODE+m.resolve("./x.js"))' }),
}, "http://localhost:4177/a/main.jsdevelopmenthttp://localhost:4177/a/x.js");

const chain = (length, last, more = () => ({})) => {
  const modules = {};
  for (let i = 0; i < length; i++) {
    const effects = i < length - 1 ? [`./m${i + 1}.js`] : [];
    modules[`/m${i}.js`] = esm({ effects: [...effects, ...(more(i).effects ?? [])], body: i === length - 1 ? last : more(i).body ?? "" });
  }
  return modules;
};
test("a chain of 10000 modules runs", async () => {
  const page = new Page();
  await page.load(chain(10_000, 'log("deep")'));
  assert.equal(page.takeLog(), "deep");
});
test("a deep chain runs in the same order as a short one, cycles and top-level await included", async () => {
  const more = (i) => ({
    80: { effects: ["./x.js", "./cycle.js"], body: 'log("80")' }, 81: { body: 'log("81")' }, 120: { effects: ["./t.js"], body: 'log("120")' },
  })[i] ?? {};
  const page = new Page();
  await page.load({
    ...chain(200, 'log("last")', more),
    "/x.js": esm({ body: 'log("x")' }),
    "/cycle.js": esm({ imports: { d: "./d.js" }, exports: { f: "f" }, body: 'log("cycle"+d.v);function f(){return 1}' }),
    "/d.js": esm({ imports: { c: "./cycle.js" }, exports: { v: "v" }, body: 'const v=c.f();log("d")' }),
    "/t.js": esm({ async: true, body: 'await 0;log("t")' }),
  });
  assert.equal(page.takeLog(), "last x d cycle1 t 120 81 80");
});
test("a deep chain that throws stops where a short one does, and every module above keeps the error", async () => {
  const page = new Page();
  assert.throws(() => page.load({
    ...chain(200, 'log("last");throw new Error("deep")', (i) => (i === 150 ? { effects: ["./never.js"] } : {})),
    "/never.js": esm({ body: 'log("never")' }),
  }), /deep/);
  assert.equal(page.takeLog(), "last");
  for (const i of [0, 60, 120, 199]) assert.match(page.instance(`/m${i}.js`).error.message, /deep/);
});
test("a synchronous program has run when enter returns", () => {
  const page = new Page();
  void page.load({ "/main.js": esm({ body: 'log("now")' }) });
  assert.equal(page.takeLog(), "now");
});
