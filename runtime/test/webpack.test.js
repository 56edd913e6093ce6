// webpack's rules, run: what happens in which order, in CommonJS and in ES modules. Programs are asked to update by `check(options)`, as
// webpack's own clients do; what the server's pushes do on top of that is in apply.test.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, settle } from "./support.js";

const modules = (sources) => Object.fromEntries(Object.entries(sources).map(([id, source]) => [`/${id}.js`, typeof source === "string" ? cjs(source) : source]));

/** Runs one update; gives the ids or the first line of the error. */
async function update(page, sources, options = true) {
  page.host.setMode("manual");
  await page.update(modules(sources));
  try {
    const ids = await page.host.updater.check(options);
    return ids === null ? "nothing" : ids.map((id) => id.slice(1, -3)).join(",");
  } catch (error) {
    return error.message.split("\n")[0];
  }
}

/**
 * @param {string} name @param {object} program first one is the entry @param {object | object[]} updates
 * @param {string} log what was written after the load @param {string} [result] of the last update @param {object} [options]
 */
function hmr(name, program, updates, log, result, options) {
  test(`webpack: ${name}`, async () => {
    const page = new Page();
    try {
      await page.load(modules(program));
    } catch {
      // Programs that fail to load are cases, too.
    }
    await settle();
    page.takeLog();
    let last;
    for (const one of [updates].flat()) last = await update(page, one, options);
    await settle();
    assert.equal(page.takeLog(), log);
    if (result !== undefined) assert.equal(last, result);
  });
}

const again = 'require("./a.js")';
// -- accept
hmr("the callback runs after the new code is there, in CommonJS it requires it", { m: `${again};module.hot.accept("./a.js",()=>{log("cb");${again}})`, a: 'log("a1")' }, { a: 'log("a2")' }, "cb a2", "a");
hmr("in CommonJS nothing is renewed by itself", { m: `${again};module.hot.accept("./a.js",()=>log("cb"))`, a: 'log("a1")' }, { a: 'log("a2")' }, "cb", "a");
hmr("accept without a callback in CommonJS: gone until required again", { m: `${again};module.hot.accept("./a.js");globalThis.__r=()=>${again}`, a: "" }, { a: 'log("a2")' }, "", "a");
hmr("accept of a list, one changed", { m: 'require("./a.js");require("./b.js");module.hot.accept(["./a.js","./b.js"],d=>log(d))', a: "", b: "" }, { b: "1" }, "/b.js", "b");
hmr("accept of a list, both changed: one call with both", { m: 'require("./a.js");require("./b.js");module.hot.accept(["./a.js","./b.js"],d=>log(d.join("+")))', a: "", b: "" }, { a: "1", b: "1" }, "/a.js+/b.js", "a,b");
hmr("accept of an empty list accepts nothing", { m: `${again};module.hot.accept([],()=>log("cb"))`, a: "" }, { a: "1" }, "", "Aborted because /a.js is not accepted");
hmr("one callback for two dependencies, given twice, runs once with both", { m: 'require("./a.js");require("./b.js");const f=d=>log(d.join("+"));module.hot.accept("./a.js",f);module.hot.accept("./b.js",f)', a: "", b: "" }, { a: "1", b: "1" }, "/a.js+/b.js");
hmr("two callbacks hear of all changed dependencies each", { m: 'require("./a.js");require("./b.js");module.hot.accept("./a.js",d=>log("1"+d));module.hot.accept("./b.js",d=>log("2"+d))', a: "", b: "" }, { a: "1", b: "1" }, "1/a.js,/b.js 2/a.js,/b.js");
hmr("a later accept of the same dependency replaces the earlier", { m: `${again};module.hot.accept("./a.js",()=>log("1"));module.hot.accept("./a.js",()=>log("2"))`, a: "" }, { a: "1" }, "2");
hmr("accept by an id that was computed", { m: `${again};module.hot.accept(require.resolve("./a.js"),()=>log("cb"))`, a: "" }, { a: "1" }, "cb");
hmr("accept of something that did not resolve is no error and accepts nothing", { m: cjs(`${again};module.hot.accept("./gone.js");log("x")`, { accepts: { "./gone.js": null } }), a: "" }, { a: "1" }, "", "Aborted because /a.js is not accepted");
hmr("accept of what is no dependency has no effect", { m: `${again};module.hot.accept("./b.js",()=>log("cb"))`, a: 'require("./b.js")', b: "" }, { b: "1" }, "", "Aborted because /b.js is not accepted");
hmr("a module between is disposed and not run by itself", { m: 'require("./a.js");module.hot.accept("./a.js",()=>log("cb"))', a: 'require("./b.js");log("a")', b: "" }, { b: 'log("b")' }, "cb", "b,a");
hmr("a module between runs again when it is required", { m: `${again};module.hot.accept("./a.js",()=>${again})`, a: 'log("a>");require("./b.js");log("<a")', b: "" }, { b: 'log("b")' }, "a> b <a", "b,a");
hmr("what the changed module needs keeps its instance", { m: `${again};module.hot.accept("./a.js",()=>${again})`, a: 'require("./b.js")', b: 'log("b")' }, { a: 'require("./b.js");log("a")' }, "a", "a");
hmr("the same update again runs again", { m: `${again};module.hot.accept("./a.js",()=>${again})`, a: "" }, [{ a: 'log("2")' }, { a: 'log("3")' }, { a: 'log("3")' }], "2 3 3");

hmr("a parent that was disposed and is there again does not hear of what it came with", { m: `${again};module.hot.accept("./a.js",()=>${again})`, a: 'require("./b.js");module.hot.accept("./b.js",()=>log("cb"))', b: "" }, { a: 'log("a2");require("./b.js");module.hot.accept("./b.js",()=>log("cb"))', b: "" }, "a2", "a,b");
hmr("a dependency that is not required again is no child any more", { m: `${again};module.hot.accept("./a.js",()=>log(module.children.length))`, a: "" }, { a: "" }, "0");
hmr("what the server says of a specifier in accept beats what it says of it in require", { m: cjs(`${again};module.hot.accept("./a.js",()=>log("cb"))`, { accepts: { "./a.js": null } }), a: "" }, { a: "" }, "", "Aborted because /a.js is not accepted");

// -- accept in ES modules
const m = (body, more = {}) => esm({ imports: { a: "./a.js" }, body, ...more });
const v = (n, body = "") => esm({ exports: { v: "v" }, body: `const v=${n};${body}` });
hmr("in ES modules the new code has run when the callback is called, bindings are new", { m: m('whot.accept("./a.js",()=>log("cb"+a.v))'), a: v(1) }, { a: v(2, 'log("a2")') }, "a2 cb2", "a");
hmr("in ES modules bindings are renewed without a callback", { m: m('whot.accept("./a.js");setImmediate(()=>0);globalThis.__see=()=>a.v'), a: v(1) }, { a: v(2, 'log("a2")') }, "a2");
hmr("module.hot in an ES module does the same", { m: m('$cap_m.module.hot.accept("./a.js",()=>log(a.v))'), a: v(1) }, { a: v(2) }, "2");
hmr("dependencies of the call are renewed in its order", { m: esm({ imports: { a: "./a.js", b: "./b.js" }, body: 'whot.accept(["./b.js","./a.js"],()=>log("cb"))' }), a: v(1), b: v(1) }, { a: v(2, 'log("a")'), b: v(2, 'log("b")') }, "b a cb");
hmr("an importer of a re-export sees the new value", { m: esm({ imports: { r: "./r.js" }, body: 'globalThis.__v=()=>r.v' }), r: esm({ imports: { a: "./a.js" }, exports: { v: "a.v" }, body: 'whot.accept("./a.js",()=>log(globalThis.__v()))' }), a: v(1) }, { a: v(2) }, "2");
hmr("a renewed dependency with top-level await is awaited before the callback", { m: m('whot.accept("./a.js",()=>log("cb"+a.v))'), a: v(1) }, { a: esm({ async: true, exports: { v: "v" }, body: 'await 0;const v=2;log("a")' }) }, "a cb2");
hmr("an error of the renewed dependency reaches the error handler", { m: m('whot.accept("./a.js",()=>log("cb"),(e,c)=>log(e.message+c.moduleId+c.dependencyId))'), a: v(1) }, { a: v(2, 'throw new Error("bad")') }, "bad/m.js/a.js", "a");
hmr("two calls in an ES module are two callbacks even with one function", { m: esm({ imports: { a: "./a.js", b: "./b.js" }, body: 'const f=()=>log("f");whot.accept("./a.js",f);whot.accept("./b.js",f)' }), a: v(1), b: v(1) }, { a: v(2), b: v(2) }, "f f");
hmr("import.meta.webpackHot and module.hot are one object", { m: esm({ body: 'whot.accept();whot.dispose(()=>log(whot===$cap_m.module.hot))' }) }, { m: esm({}) }, "true");
hmr("results of import() are not renewed", { m: esm({ dynamic: ["./a.js"], body: 'whot.accept("./a.js",()=>log(globalThis.__old.v));$cap_m.import("./a.js").then(ns=>{globalThis.__old=ns})' }), a: v(1) }, { a: v(2) }, "1");
hmr("a namespace of require() is another one after the update", { m: 'const old=require("./a.js");module.hot.accept("./a.js",()=>log(old!==require("./a.js"),old.v+require("./a.js").v))', a: v(1) }, { a: v(2) }, "true");

// -- self accept
hmr("a module that accepts itself runs again, its parents do not", { m: `${again};log("m")`, a: "module.hot.accept()" }, { a: 'module.hot.accept();log("a2")' }, "a2", "a");
hmr("an entry that accepts itself", { m: "module.hot.accept()" }, { m: 'log("m2")' }, "m2", "m");
hmr("without accepting again the next update bubbles", { m: again, a: "module.hot.accept()" }, [{ a: 'log("2")' }, { a: 'log("3")' }], "2", "Aborted because /a.js is not accepted");
hmr("the error handler gets the error, the id and the new module", { m: again, a: 'module.hot.accept((e,c)=>log(e.message+c.moduleId+c.module.id))' }, { a: 'throw new Error("bad")' }, "bad/a.js/a.js", "a");
hmr("an error handler can arm the failed module, and the next update heals it", { m: again, a: 'module.hot.accept((e,c)=>{log(e.message);c.module.hot.accept()})' }, [{ a: 'throw new Error("bad")' }, { a: 'log("good")' }], "bad good", "a");
hmr("what the failed module said before it threw counts", { m: again, a: 'module.hot.accept(()=>log("1"))' }, [{ a: 'module.hot.accept(()=>log("2"));throw new Error("x")' }, { a: 'throw new Error("y")' }], "1 2");
hmr("parent and child accept themselves: both run, child first, as the list says", { m: again, a: 'require("./b.js");module.hot.accept()', b: "module.hot.accept()" }, { a: 'log("a");require("./b.js");module.hot.accept()', b: 'log("b");module.hot.accept()' }, "a b");
hmr("a module that runs again through another one does not run twice", { m: again, a: 'require("./b.js");module.hot.accept()', b: "" }, { b: 'log("b")', a: 'log("a");require("./b.js")' }, "a b");
hmr("accept through a module object that was passed on", { m: 'require("./a.js")', a: 'require("./helper.js")(module)', helper: 'module.exports=m=>m.hot.accept()' }, { a: 'log("a2")' }, "a2");
hmr("a module that accepts itself keeps its parents", { m: `${again}`, a: "module.hot.accept()" }, { a: "log(module.parents)" }, "/m.js");
hmr("a module that accepts itself stays an entry", { m: "module.hot.accept()" }, [{ m: "" }, { m: 'log("never")' }], "", "Aborted because /m.js is not accepted");

// -- decline
hmr("a declined dependency", { m: `${again};module.hot.decline("./a.js")`, a: "" }, { a: "1" }, "", "Aborted because of declined dependency: /a.js in /m.js");
hmr("declined in a list", { m: 'require("./a.js");require("./b.js");module.hot.decline(["./b.js","./a.js"])', a: "", b: "" }, { a: "1" }, "", "Aborted because of declined dependency: /a.js in /m.js");
hmr("a module that declines itself", { m: `${again};module.hot.accept("./a.js")`, a: "module.hot.decline()" }, { a: "1" }, "", "Aborted because of self decline: /a.js");
hmr("declined and accepted by the same parent: declined", { m: `${again};module.hot.accept("./a.js",()=>log("cb"));module.hot.decline("./a.js")`, a: "" }, { a: "1" }, "", "Aborted because of declined dependency: /a.js in /m.js");
hmr("an abort changes nothing, also of the other modules", { m: 'require("./a.js");require("./b.js");module.hot.accept("./a.js",()=>log("cb"))', a: 'module.hot.dispose(()=>log("d"))', b: "" }, { a: "1", b: "1" }, "", "Aborted because /b.js is not accepted");

// -- options
const two = { m: 'require("./a.js");require("./b.js");module.hot.accept("./a.js",()=>log("cb"))', a: "", b: "" };
hmr("ignoreUnaccepted: the others go on", two, { a: "1", b: "1" }, "cb", "a", { ignoreUnaccepted: true });
hmr("ignoreUnaccepted does not ignore what is declined", { m: `${again};module.hot.decline("./a.js")`, a: "" }, { a: "1" }, "", "Aborted because of declined dependency: /a.js in /m.js", { ignoreUnaccepted: true });
hmr("ignoreDeclined: the others go on", { ...two, m: `${two.m};module.hot.decline("./b.js")` }, { a: "1", b: "1" }, "cb", "a", { ignoreDeclined: true });
hmr("ignored code is dropped for good", { m: `${again};module.hot.accept();`, a: "module.hot.decline()" }, [{ a: 'log("a2")' }, { m: again }], "", "m", { ignoreDeclined: true });
const hook = (name) => ({ [name]: (effect) => { globalThis.__effect = effect; }, ignoreDeclined: true, ignoreUnaccepted: true });
for (const [name, program, changed, expected] of [
  ["onAccepted", two, { a: "1" }, { type: "accepted", moduleId: "/a.js" }],
  ["onUnaccepted", two, { b: "1" }, { type: "unaccepted", moduleId: "/m.js", chain: ["/b.js", "/m.js"] }],
  ["onDeclined", { m: `${again};module.hot.decline("./a.js")`, a: "" }, { a: "1" }, { type: "declined", moduleId: "/a.js", parentId: "/m.js", chain: ["/a.js", "/m.js"] }],
  ["onDeclined", { m: again, a: "module.hot.decline()" }, { a: "1" }, { type: "self-declined", moduleId: "/a.js", chain: ["/a.js"] }],
]) {
  test(`webpack: ${name} is told of ${expected.type}`, async () => {
    const page = new Page();
    await page.load(modules(program));
    await update(page, changed, hook(name));
    const { outdatedModules, outdatedDependencies, ...effect } = globalThis.__effect;
    assert.deepEqual(effect, expected);
  });
}
test("webpack: onDisposed is told of removed modules; requiring one warns", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept();globalThis.__get=()=>${again}`, a: 'module.hot.dispose(()=>log("d"))' }));
  page.host.setMode("manual");
  await page.push([{ type: "remove", module: "/a.js", rev: ++page.rev }]);
  const seen = [];
  assert.deepEqual(await page.host.updater.check({ onDisposed: (effect) => seen.push(effect) }), ["/a.js"]);
  assert.deepEqual(seen, [{ type: "disposed", moduleId: "/a.js" }]);
  assert.equal(page.takeLog(), "d");
  globalThis.__get();
  assert.deepEqual(page.warnings, ["[HMR] unexpected require(/a.js) to disposed module"]);
});
for (const [type, program, changed, ignored] of [
  ["accept-errored", { m: `${again};module.hot.accept("./a.js",()=>{throw new Error("cb")})`, a: "" }, { a: "1" }],
  ["accept-error-handler-errored", { m: `${again};module.hot.accept("./a.js",()=>{throw new Error("cb")},()=>{throw new Error("h")})`, a: "" }, { a: "1" }],
  ["self-accept-errored", { m: again, a: "module.hot.accept()" }, { a: 'throw new Error("cb")' }],
  ["self-accept-error-handler-errored", { m: again, a: 'module.hot.accept(()=>{throw new Error("h")})' }, { a: 'throw new Error("cb")' }],
]) {
  test(`webpack: ${type}: onErrored, the first error, status fail`, async () => {
    const page = new Page();
    await page.load(modules(program));
    const seen = [];
    const result = await update(page, changed, { onErrored: (event) => seen.push(event) });
    const handler = type.includes("handler");
    assert.equal(result, handler ? "h" : "cb");
    assert.equal(seen[0].type, type);
    if (handler) assert.equal(seen[0].originalError.message, "cb");
    assert.equal(page.status, "fail");
  });
  test(`webpack: ${type} with ignoreErrored: idle`, async () => {
    const page = new Page();
    await page.load(modules(program));
    const seen = [];
    assert.equal(await update(page, changed, { ignoreErrored: true, onErrored: (event) => seen.push(event.type) }), "a");
    assert.deepEqual([seen[0], page.status], [type, "idle"]);
  });
}
hmr("errors do not stop the other callbacks", { m: 'require("./a.js");require("./b.js");module.hot.accept("./a.js",()=>{throw new Error("1")});module.hot.accept("./b.js",()=>log("2"))', a: "", b: "" }, { a: "1", b: "1" }, "2", "1");
hmr("a rejected callback is like one that threw", { m: `${again};module.hot.accept("./a.js",async()=>{throw new Error("late")},e=>log("h"+e.message))`, a: "" }, { a: "1" }, "hlate", "a");
hmr("promises of callbacks are awaited before modules that accept themselves", { m: 'require("./a.js");require("./b.js");module.hot.accept("./a.js",async()=>{await 0;await 0;log("cb")})', a: "", b: "module.hot.accept()" }, { a: "1", b: 'log("b")' }, "cb b");

// -- dispose, data
hmr("dispose gets data, the next one finds it", { m: again, a: 'module.hot.accept();module.hot.dispose(d=>{d.n=5})' }, { a: "log(module.hot.data.n)" }, "5");
hmr("addDisposeHandler is the same; handlers run in order with one object", { m: again, a: 'module.hot.accept();module.hot.addDisposeHandler(d=>{d.s="x"});module.hot.dispose(d=>{d.s+="y"})' }, { a: "log(module.hot.data.s)" }, "xy");
hmr("removeDisposeHandler takes the first of the same away", { m: again, a: 'module.hot.accept();const f=()=>log("f");module.hot.dispose(f);module.hot.dispose(f);module.hot.removeDisposeHandler(f);module.hot.removeDisposeHandler(()=>0)' }, { a: "" }, "f");
hmr("without handlers data is an empty object", { m: again, a: "module.hot.accept()" }, { a: "log(JSON.stringify(module.hot.data))" }, "{}");
hmr("data of the last dispose only", { m: again, a: 'module.hot.accept();module.hot.dispose(d=>{d.n=1})' }, [{ a: "module.hot.accept()" }, { a: "log(JSON.stringify(module.hot.data))" }], "{}");
hmr("data over three generations", { m: again, a: 'module.hot.accept();module.hot.dispose(d=>{d.n=(module.hot.data?.n??0)+1})' }, Array.from({ length: 3 }, () => ({ a: 'module.hot.accept();log(module.hot.data.n);module.hot.dispose(d=>{d.n=module.hot.data.n+1})' })), "1 2 3");
hmr("data is not used up by reading", { m: again, a: 'module.hot.accept();module.hot.dispose(d=>{d.n=1})' }, { a: "log(module.hot.data===module.hot.data)" }, "true");
test("webpack: data is undefined at first", async () => {
  const page = new Page();
  await page.load(modules({ m: "log(module.hot.data)" }));
  assert.equal(page.log[0], undefined);
  assert.equal(page.log.length, 1);
});
hmr("disposed in reverse order of the list", { m: `${again};module.hot.accept("./a.js",()=>log("cb"))`, a: 'require("./b.js");module.hot.dispose(()=>log("a"))', b: 'module.hot.dispose(()=>log("b"))' }, { b: "" }, "a b cb", "b,a");
hmr("a parent that is disposed does not hear of its dependency", { m: 'require("./a.js");module.hot.accept()', a: 'require("./b.js");module.hot.accept("./b.js",()=>log("cb"))', b: "" }, { a: "", b: "" }, "");
hmr("active until disposed", { m: again, a: 'const h=module.hot;h.accept();h.dispose(()=>{log(h.active);globalThis.__h=h})' }, { a: "log(globalThis.__h.active)" }, "true false");
hmr("a throwing dispose handler does not stop the update", { m: again, a: 'module.hot.accept();module.hot.dispose(()=>{throw new Error("d")});module.hot.dispose(()=>log("second"))' }, { a: 'log("a2")' }, "second a2", "a");
hmr("dispose runs before any new code", { m: 'require("./a.js");require("./b.js")', a: 'module.hot.accept();module.hot.dispose(()=>log("da"))', b: 'module.hot.accept();module.hot.dispose(()=>log("db"))' }, { a: 'log("a")', b: 'log("b")' }, "db da a b");

// -- loading and edges
hmr("a disposed module that requires is warned about", { m: `${again};module.hot.accept()`, a: 'module.hot.accept();setTimeout(()=>0);globalThis.__req=()=>require("./b.js")', b: 'log("b")' }, { a: "module.hot.accept();globalThis.__req()" }, "b");
hmr("the error of a module stays until it is disposed", { m: `try{${again}}catch{}module.hot.accept("./a.js",()=>{try{${again}}catch(e){log(e.message)}})`, a: 'throw new Error("1")' }, [{ a: 'throw new Error("2")' }, { a: 'log("good")' }], "2 good", "a");
hmr("a module that failed to load can be healed by the parent that accepts it", { m: `module.hot.accept("./a.js",()=>log(require("./a.js")));try{${again}}catch(e){}`, a: 'throw new Error("x")' }, { a: "module.exports=7" }, "7");
hmr("import() makes an edge like require", { m: esm({ dynamic: ["./a.js"], body: 'whot.accept("./a.js",()=>log("cb"));$cap_m.import("./a.js")' }), a: v(1) }, { a: v(2) }, "cb");
hmr("a dependency that is no longer needed keeps running unaccepted by nobody", { m: again, a: 'module.hot.accept();require("./b.js")', b: 'log("b")' }, [{ a: "module.hot.accept()" }, { b: 'log("b2")' }], "", "b");
hmr("children are those of the new instance", { m: again, a: 'module.hot.accept();require("./b.js")', b: "", c: "" }, { a: cjs('module.hot.accept();require("./c.js");log(module.children)') }, "/c.js");
hmr("an ES module cycle is disposed and run as one", { m: esm({ imports: { a: "./a.js" }, body: 'whot.accept("./a.js",()=>log("cb"+a.v))' }), a: esm({ imports: { b: "./b.js" }, exports: { v: "v" }, body: 'var v="a"+b.w' }), b: esm({ imports: { a: "./a.js" }, exports: { w: "w" }, body: "var w=1" }) }, { b: esm({ imports: { a: "./a.js" }, exports: { w: "w" }, body: 'var w=2;log("b")' }) }, "b cba2", "b,a");

// -- status machine
const accepting = { m: "module.hot.accept()" };
async function statuses(program, changed, options, entry = "/m.js") {
  const page = new Page();
  await page.load(modules(program));
  const seen = [];
  page.hot(entry).addStatusHandler((status) => { seen.push(status); });
  await update(page, changed, options);
  return seen.join(" ");
}
for (const [name, program, changed, options, expected] of [
  ["a whole update", accepting, { m: "" }, true, "check prepare dispose apply idle"],
  ["nothing new", accepting, {}, true, "check idle"],
  ["aborted", { m: "" }, { m: "1" }, true, "check prepare abort"],
  ["failed", accepting, { m: 'throw new Error("x")' }, true, "check prepare dispose apply fail"],
  ["check only", accepting, { m: "" }, false, "check prepare ready"],
]) test(`webpack: status of ${name}`, async () => assert.equal(await statuses(program, changed, options), expected));

test("webpack: status of a push by the server", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  const seen = [];
  page.hot("/m.js").status((status) => { seen.push(status); });
  await page.update(modules({ m: "" }));
  assert.deepEqual(seen, ["check", "prepare", "dispose", "apply", "idle"]);
});
test("webpack: check is only allowed in idle, and throws at once", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  await update(page, { m: "" }, false);
  assert.throws(() => page.hot("/m.js").check(), /^Error: check\(\) is only allowed in idle status$/);
});
test("webpack: apply is only allowed in ready, and rejects", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  await assert.rejects(page.hot("/m.js").apply(), /^Error: apply\(\) is only allowed in ready status \(state: idle\)$/);
});
test("webpack: check gives what changed, apply what was disposed", async () => {
  const page = new Page();
  await page.load(modules({ m: 'require("./a.js");module.hot.accept()', a: 'require("./b.js")', b: "" }));
  page.host.setMode("manual");
  await page.update(modules({ b: "" }));
  assert.deepEqual(await page.hot("/m.js").check(), ["/b.js"]);
  assert.deepEqual(await page.hot("/m.js").apply(), ["/b.js", "/a.js", "/m.js"]);
});
test("webpack: callback forms of check and apply", async () => {
  const page = new Page();
  await page.load(modules({ m: "module.hot.accept()" }));
  page.host.setMode("manual");
  await page.update(modules({ m: "module.hot.accept()" }));
  const asked = (run) => new Promise((resolve) => { assert.equal(run((...args) => resolve(args)), undefined); });
  assert.deepEqual(await asked((cb) => page.hot("/m.js").check(cb)), [null, ["/m.js"]]);
  assert.deepEqual(await asked((cb) => page.hot("/m.js").apply({}, cb)), [null, ["/m.js"]]);
  assert.deepEqual(await asked((cb) => page.hot("/m.js").check(true, cb)), [null, null]);
  const [error] = await asked((cb) => page.hot("/m.js").apply(cb));
  assert.match(error.message, /only allowed in ready/);
});
for (const [state, changed] of [["abort", { m: "1" }], ["fail", { m: 'throw new Error("x")' }]]) {
  test(`webpack: ${state} is final for the program`, async () => {
    const page = new Page();
    await page.load(modules({ m: state === "fail" ? "module.hot.accept()" : "" }));
    const hot = page.hot("/m.js");
    await update(page, changed);
    assert.equal(hot.status(), state);
    assert.throws(() => hot.check(), /idle/);
    await assert.rejects(hot.apply(), new RegExp(state));
    hot.invalidate();
    assert.equal(hot.status(), state);
  });
}
test("webpack: a failed download leaves idle, and is asked for again", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  const { manifest } = page.host.updater;
  page.host.updater.manifest = async () => { throw new Error("offline"); };
  assert.equal(await update(page, { m: "" }), "offline");
  assert.equal(page.status, "idle");
  page.host.updater.manifest = manifest;
  assert.deepEqual(await page.hot("/m.js").check(true), ["/m.js"]);
});
test("webpack: status handlers that take their time are waited for", async () => {
  const page = new Page();
  await page.load(modules({ m: 'module.hot.accept();module.hot.dispose(()=>log("dispose"))' }));
  const slow = async (status) => {
    await settle();
    page.log.push(`after-${status}`);
  };
  page.hot("/m.js").addStatusHandler(slow);
  assert.equal(await update(page, { m: 'log("new")' }), "m");
  assert.equal(page.takeLog(), "after-check after-prepare dispose new after-dispose after-apply after-idle");
});
test("webpack: removeStatusHandler", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  const hot = page.hot("/m.js");
  const handler = () => page.log.push("no");
  hot.addStatusHandler(handler);
  hot.removeStatusHandler(handler);
  await update(page, { m: "" });
  assert.equal(page.takeLog(), "");
});
test("webpack: a status handler that throws does not stop the update", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  page.hot("/m.js").addStatusHandler(() => { throw new Error("x"); });
  assert.equal(await update(page, { m: 'log("m2")' }), "m");
});
test("webpack: a handler that calls check again gets its error and nothing else happens", async () => {
  const page = new Page();
  await page.load(modules({ m: 'module.hot.accept();module.hot.dispose(()=>{try{module.hot.check()}catch(e){log(e.message)}})' }));
  assert.equal(await update(page, { m: 'log("m2")' }), "m");
  assert.equal(page.takeLog(), "check() is only allowed in idle status m2");
});
test("webpack: a load that starts while an update is ready holds it back", async () => {
  const page = new Page();
  let serve;
  page.fetch = () => new Promise((resolve) => { serve = () => resolve({ entry: "/l.js", server: "s1", modules: [cjs('log("l")')("/l.js", 9)] }); });
  await page.load(modules({ m: esm({ body: "whot.accept();globalThis.__load=()=>$cap_m.import('./l.js')" }) }));
  await update(page, { m: "" }, false);
  const loading = globalThis.__load();
  await settle();
  assert.equal(page.status, "prepare");
  serve();
  await loading;
  assert.equal(page.status, "ready");
});

// -- modes
test("webpack: the states of watching", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept("./a.js",()=>${again})`, a: "", b: "" }));
  const seen = [];
  page.hot("/m.js").addStatusHandler((status) => { seen.push(status); });
  page.host.setMode("watch");
  assert.equal(page.status, "watch");
  assert.throws(() => page.hot("/m.js").check(), /only allowed in idle/);
  const [{ outcome, reason }] = await page.update(modules({ a: 'log("2")' }));
  assert.deepEqual([outcome, reason.code, page.status], ["held", "watch", "watch-delay"]);
  page.clock.advance(150);
  await page.update(modules({ a: 'log("3")' }));
  page.clock.advance(150);
  await settle();
  assert.deepEqual([page.status, page.takeLog()], ["watch-delay", ""]);
  page.clock.advance(50);
  await settle();
  assert.deepEqual([page.status, page.takeLog()], ["watch", "3"]);
  assert.deepEqual(page.outcomes().map((it) => it.outcome), ["moduleUpdated"]);
  assert.equal(seen.join(" "), "watch watch-delay watch-delay prepare dispose apply watch");
});
test("webpack: an update that nobody takes while watching", async () => {
  const page = new Page();
  await page.load(modules({ m: "" }));
  page.host.setMode("watch");
  await page.update(modules({ m: "1" }), "save");
  page.clock.advance(200);
  await settle();
  assert.deepEqual([page.status, page.outcomes()[0].outcome], ["watch", "needsReload"]);
  page.clock.advance(20);
  assert.equal(page.reloads[0].code, "unaccepted");
});
test("webpack: invalidate while watching applies by itself", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept("./a.js",()=>${again})`, a: 'log("a");module.hot.accept()' }));
  page.takeLog();
  page.host.setMode("watch");
  page.hot("/a.js").invalidate();
  await settle();
  assert.deepEqual([page.status, page.takeLog()], ["watch", "a"]);
});
test("webpack: from manual to automatic: what waits is applied", async () => {
  const page = new Page();
  await page.load(modules({ m: "module.hot.accept()" }));
  page.host.setMode("manual");
  assert.equal((await page.update(modules({ m: 'module.hot.accept();log("2")' })))[0].outcome, "held");
  page.host.setMode("automatic");
  await settle();
  assert.deepEqual([page.takeLog(), page.outcomes()[0].outcome], ["2", "moduleUpdated"]);
  assert.equal((await page.update(modules({ m: 'log("3")' })))[0].outcome, "moduleUpdated");
  assert.throws(() => page.host.setMode("other"), /There is no mode "other"/);
});
test("webpack: from watching to manual: what was gathered waits for check", async () => {
  const page = new Page();
  await page.load(modules({ m: "module.hot.accept()" }));
  page.host.setMode("watch");
  await page.update(modules({ m: 'log("2")' }));
  page.host.setMode("manual");
  page.clock.advance(1000);
  await settle();
  assert.deepEqual([page.status, page.takeLog()], ["idle", ""]);
  assert.deepEqual(await page.hot("/m.js").check(true), ["/m.js"]);
});

// -- invalidate
test("webpack: invalidate in idle: ready, nothing runs until apply, then it bubbles", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept("./a.js",()=>${again})`, a: 'log("a");module.hot.accept()' }));
  page.takeLog();
  page.hot("/a.js").invalidate();
  assert.deepEqual([page.status, page.takeLog()], ["ready", ""]);
  assert.deepEqual(await page.hot("/m.js").apply(), ["/a.js"]);
  assert.deepEqual([page.status, page.takeLog()], ["idle", "a"]);
});
test("webpack: an invalidated entry aborts although it accepts itself", async () => {
  const page = new Page();
  await page.load(modules(accepting));
  page.hot("/m.js").invalidate();
  await assert.rejects(page.hot("/m.js").apply(), /Aborted because \/m.js is not accepted/);
});
hmr("invalidate while an update is applied: another round at once", { m: `${again};module.hot.accept("./a.js",()=>log(require("./a.js")))`, a: "module.hot.accept()" }, { a: 'module.hot.accept();module.exports="a2";if(!globalThis.__once){globalThis.__once=1;log("inv");module.hot.invalidate()}' }, "inv a2", "a");
test("webpack: no idle between the rounds", async () => {
  globalThis.__once = 0;
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept("./a.js",()=>${again})`, a: "module.hot.accept()" }));
  const seen = [];
  page.hot("/m.js").addStatusHandler((status) => { seen.push(status); });
  await update(page, { a: 'if(!globalThis.__once){globalThis.__once=1;module.hot.accept();module.hot.invalidate()}' });
  assert.equal(seen.join(" "), "check prepare dispose apply dispose apply idle");
});
test("webpack: invalidate in ready keeps the new code that is waiting", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept("./a.js",()=>${again})`, a: "module.hot.accept()" }));
  await update(page, { a: 'log("new")' }, false);
  page.hot("/a.js").invalidate();
  await page.hot("/m.js").apply();
  assert.equal(page.takeLog(), "new");
});

// -- the documentation's examples
hmr("example: a request handler is replaced by the parent", {
  m: 'const on=globalThis.__on=new Set();let h=require("./h.js");on.add(h);module.hot.accept("./h.js",()=>{on.delete(h);h=require("./h.js");on.add(h);for(const f of on)log(f())})',
  h: "module.exports=()=>1",
}, [{ h: "module.exports=()=>2" }, { h: "module.exports=()=>3" }], "2 3");
hmr("example: a module with a side effect accepts itself and takes it back", {
  m: 'require("./style.js")', style: 'const l=globalThis.__tags??=[];l.push("a");module.hot.accept();module.hot.dispose(()=>l.splice(l.indexOf("a"),1))',
}, { style: 'const l=globalThis.__tags;l.push("b");log(l)' }, "b");
hmr("example: comparing modules tells which one changed", {
  m: cjs(`const keep={};for(const n of ["./x.js","./y.js"])keep[n]=require(n);module.hot.accept(["./x.js","./y.js"],()=>{for(const n of ["./x.js","./y.js"])if(keep[n]!==require(n))log(n)})`, { requires: ["./x.js", "./y.js"] }),
  x: "module.exports={}", y: "module.exports={}",
}, { y: "module.exports={}" }, "./y.js");
test("webpack: an update that was ignored is not offered again, a newer one is", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept()`, a: "module.hot.decline()" }));
  page.host.setMode("manual");
  const send = async (source, stamp) => {
    const changes = page.changes(modules({ a: source }));
    changes[0].defs[0].stamp = stamp;
    return (await page.push(changes))[0];
  };
  const check = (options) => page.host.updater.check(options);
  assert.equal((await send('log("2")', "two")).outcome, "held");
  assert.deepEqual(await check({ ignoreDeclined: true }), []);
  assert.equal(page.outcomes()[0].reason.code, "ignored");
  const { outcome, reason } = await send('log("2")', "two");
  assert.deepEqual([outcome, reason.code, await check(true)], ["needsReload", "ignored", null]);
  assert.equal((await send('module.hot.accept()', "three")).outcome, "held");
  assert.deepEqual(await check({ ignoreDeclined: true }), []);
  page.outcomes();
  assert.equal((await send('log("2")', "two")).outcome, "held");
});
test("webpack: a text that was ignored once is offered again when another came between", async () => {
  const page = new Page();
  await page.load(modules({ m: again, a: "" }));
  page.host.setMode("manual");
  const send = async (source, stamp) => {
    const changes = page.changes(modules({ a: source }));
    changes[0].defs[0].stamp = stamp;
    const [{ outcome }] = await page.push(changes);
    return outcome;
  };
  assert.equal(await send('log("2")', "two"), "held");
  assert.deepEqual(await page.host.updater.check({ ignoreUnaccepted: true }), []);
  page.outcomes();
  page.hot("/m.js").accept("/a.js");
  assert.equal(await send('log("3")', "three"), "held");
  assert.deepEqual(await page.host.updater.check(true), ["/a.js"]);
  page.outcomes();
  assert.equal(await send('log("2")', "two"), "held");
});
test("webpack: a module that was gone comes back with the next that needs it", async () => {
  const page = new Page();
  await page.load(modules({ m: `${again};module.hot.accept()`, a: "" }));
  await page.push([{ type: "remove", module: "/a.js", rev: ++page.rev }]);
  await page.update(modules({ m: `${again};module.hot.accept()` }));
  assert.deepEqual(page.warnings, ["[HMR] unexpected require(/a.js) to disposed module"]);
  const [change] = page.changes(modules({ m: `log(${again}.v);module.hot.accept()` }));
  change.defs.push(cjs("module.exports={v:2}")("/a.js", page.rev));
  await page.push([change]);
  assert.equal(page.takeLog(), "2");
});
