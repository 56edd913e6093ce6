import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, kind, settle } from "./support.js";

const guarded = (id, name, value) => `function ${name}(){if($cap_g[${id}])return $cap_g.c(${id},$cap_s0,new.target).apply(this,arguments);return ${value}}`;
const program = () => ({
  "/main.js": esm({ imports: { a: "./a.js" }, body: "globalThis.__keep=a.f" }),
  "/a.js": esm({ exports: { f: "f", g: "g" }, sites: 3, body: guarded(1, "f", 1) + guarded(2, "g", 1) }),
});
async function loaded() {
  const page = new Page();
  await page.load(program());
  return page;
}
const code = (value) => `function(){return ${value}}`;

test("hello names everything the page has", async () => {
  const page = new Page();
  const [hello] = page.socket.take("hello");
  assert.deepEqual(hello, { type: "hello", v: 1, page: "p1", server: "s1", url: "http://localhost:4177/", userAgent: "test", modules: [] });
});

test("all patches of a push are switched on before any code of the program runs", async () => {
  const page = await loaded();
  const { f, g } = page.ns("/a.js");
  page.send([page.patch("/a.js", [{ id: 1, code: code(2) }, { id: 2, code: code(3) }])]);
  assert.deepEqual([f(), g()], [2, 3], "applied synchronously");
});

test("patches of several modules apply together or not at all", async () => {
  const page = await loaded();
  await page.load({ "/b.js": esm({ exports: { h: "h" }, sites: 2, body: guarded(1, "h", 1) }) });
  const bad = await page.push([
    page.patch("/a.js", [{ id: 1, code: code(2) }]),
    page.patch("/b.js", [{ id: 1, code: code(2), needs: ["nowhereToBeFound"] }]),
  ]);
  assert.deepEqual(bad.map(({ outcome }) => outcome), ["held", "held"]);
  assert.equal(page.ns("/a.js").f(), 1);
  assert.equal(page.host.registry.module("/a.js").rev, bad[0].rev, "what comes next builds on what was seen");
});

test("held names what is missing, and goes through when it is there", async () => {
  const page = await loaded();
  const [held] = await page.push([page.patch("/a.js", [{ id: 1, code: "function(){return capuchinTestGlobal}", needs: ["capuchinTestGlobal"] }])]);
  assert.deepEqual([held.outcome, held.reason.code], ["held", "unresolved"]);
  assert.match(held.reason.message, /capuchinTestGlobal/);
  globalThis.capuchinTestGlobal = undefined;
  const [live] = await page.push([page.patch("/a.js", [{ id: 1, code: "function(){return capuchinTestGlobal}", needs: ["capuchinTestGlobal"] }])]);
  assert.equal(live.outcome, "live");
  delete globalThis.capuchinTestGlobal;
});

test("global let, const and class exist although they are no properties", async () => {
  const page = await loaded();
  const { runInThisContext } = await import("node:vm");
  runInThisContext("let capuchinLexical = 1");
  const [live] = await page.push([page.patch("/a.js", [{ id: 1, code: code(1), needs: ["capuchinLexical"] }])]);
  assert.equal(live.outcome, "live");
});

test("names that are no identifiers are held, not evaluated", async () => {
  const page = await loaded();
  const [held] = await page.push([page.patch("/a.js", [{ id: 1, code: code(1), needs: ["x;globalThis.__evil=1"] }])]);
  assert.equal(held.outcome, "held");
  assert.equal(globalThis.__evil, undefined);
});

test("a patch that older closures cannot run says next call", async () => {
  const page = await loaded();
  const [result] = await page.push([page.patch("/a.js", [{ id: 1, code: code(2), later: "closures keep their code" }])]);
  assert.equal(result.outcome, "nextCall");
});

test("a patch of a module that is not loaded here says so", async () => {
  const page = await loaded();
  const [result] = await page.push([{ type: "patch", module: "/other.js", from: 1, rev: 2, sites: [], nsites: 0 }]);
  assert.deepEqual([result.outcome, result.reason.code], ["live", "notLoaded"]);
});

test("a patch of a module that was sent but has not run waits for its first run", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ body: "globalThis.__late=()=>$cap_m.import('./late.js')", dynamic: ["./late.js"] }), "/late.js": esm({ exports: { f: "f" }, sites: 2, body: guarded(1, "f", 1) }) });
  await page.push([page.patch("/late.js", [{ id: 1, code: code(5) }])]);
  assert.equal((await globalThis.__late()).f(), 5);
});

test("a page that has not what a patch builds on says hello, and changes nothing", async () => {
  const page = await loaded();
  page.socket.take("hello");
  const results = await page.push([{ ...page.patch("/a.js", [{ id: 1, code: code(2) }]), from: 99 }]);
  assert.deepEqual(results, []);
  assert.deepEqual(page.socket.take("hello")[0].modules, [{ id: "/main.js", rev: 1, top: 1 }, { id: "/a.js", rev: 1, top: 1 }]);
  assert.equal(page.ns("/a.js").f(), 1);
});

test("hello is said once, however many pushes do not fit before the welcome", async () => {
  const page = await loaded();
  page.socket.take("hello");
  for (let i = 0; i < 3; i++) await page.push([{ ...page.patch("/a.js", [{ id: 1, code: code(2) }]), from: 99 }]);
  assert.equal(page.socket.take("hello").length, 1);
});

test("a page that can never follow says refused instead of hello for ever", async () => {
  const page = await loaded();
  let results = [];
  for (let i = 0; i < 4; i++) {
    results = await page.push([{ ...page.patch("/a.js", [{ id: 1, code: code(2) }]), from: 99 }]);
    page.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1" });
    page.seq = 0;
  }
  assert.deepEqual([results[0].outcome, results[0].reason.code], ["refused", "outOfSync"]);
});

test("what the page has already is acknowledged again", async () => {
  const page = await loaded();
  const change = page.patch("/a.js", [{ id: 1, code: code(2) }]);
  await page.push([change]);
  const [again] = await page.push([change]);
  assert.equal(again.outcome, "live");
});

test("undo is a patch", async () => {
  const page = await loaded();
  const { f } = page.ns("/a.js");
  await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]);
  assert.equal(f(), 2);
  await page.push([page.patch("/a.js", [{ id: 1, code: code(1) }])]);
  assert.equal(f(), 1);
});

test("a gap in the numbers leads to hello, once, and welcome starts anew", async () => {
  const page = await loaded();
  await page.push([]);
  page.socket.take("hello");
  page.seq += 2;
  await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]);
  assert.equal(page.socket.take("hello").length, 1);
  assert.equal(page.ns("/a.js").f(), 1);
  page.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1" });
  page.seq = 0;
  await page.push([page.patch("/a.js", [{ id: 1, code: code(3) }])]);
  assert.equal(page.ns("/a.js").f(), 3);
});

test("a push that came twice is dropped", async () => {
  const page = await loaded();
  await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]);
  page.seq -= 1;
  assert.deepEqual(await page.push([page.patch("/a.js", [{ id: 1, code: code(3) }])]), []);
});

test("coming back: waits longer each time, tries at once when woken, says what it has", async () => {
  const page = await loaded();
  await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]);
  page.socket.close();
  assert.equal(page.sockets.length, 1);
  page.clock.advance(250);
  assert.equal(page.sockets.length, 2);
  page.socket.close();
  page.clock.advance(250);
  assert.equal(page.sockets.length, 2);
  page.wake();
  assert.equal(page.sockets.length, 3);
  page.socket.accept();
  assert.deepEqual(page.socket.take("hello")[0].modules.find(({ id }) => id === "/a.js"), { id: "/a.js", rev: 2, top: 1 });
  page.socket.push({ type: "welcome", v: 1, server: "s2", page: "p1" });
  page.seq = 0;
  const [result] = await page.push([page.patch("/a.js", [{ id: 1, code: code(9) }])]);
  assert.equal(result.outcome, "live");
  assert.equal(page.ns("/a.js").f(), 9);
  assert.deepEqual(page.reloads, []);
});

test("another server with other numbers: its revisions are taken over, or the next change counts whatever it builds on", async () => {
  for (const modules of [[{ id: "/a.js", rev: 40 }, { id: "/main.js", rev: 40 }], undefined]) {
    const page = await loaded();
    await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]);
    const { f } = page.ns("/a.js");
    assert.equal(f(), 2);
    page.socket.close();
    page.wake();
    page.socket.accept();
    page.socket.push({ type: "welcome", v: 1, server: "s2", page: "p1", modules });
    page.seq = 0;
    const rev = modules ? 41 : 3;
    const [result] = await page.push([{ type: "patch", module: "/a.js", from: 40, rev, nsites: 3, sites: [{ id: 1, rev, how: "fn", name: "f", code: code(7) }] }]);
    assert.equal(result.outcome, "live");
    assert.equal(f(), 7);
    assert.deepEqual(page.socket.take("hello").length, 1);
  }
});

test("a hidden page does not try until it is looked at", async () => {
  const page = await loaded();
  page.hidden = true;
  page.socket.close();
  page.clock.advance(60_000);
  assert.equal(page.sockets.length, 1);
  page.hidden = false;
  page.wake();
  assert.equal(page.sockets.length, 2);
});

test("messages of a socket that was given up are not heard", async () => {
  const page = await loaded();
  const old = page.socket;
  old.close();
  page.wake();
  old.push({ type: "reload", reason: { code: "x", message: "x" } });
  page.clock.advance(100);
  assert.deepEqual(page.reloads, []);
});

test("a server that refuses the page has it reloaded, with the reason", async () => {
  const page = await loaded();
  const events = [];
  page.vite("/a.js").on("vite:beforeFullReload", () => events.push("before"));
  page.socket.push({ type: "reload", reason: { code: "olderServer", message: "another server" } });
  page.socket.push({ type: "reload", reason: { code: "olderServer", message: "another server" } });
  page.clock.advance(20);
  assert.deepEqual(page.reloads, [{ code: "olderServer", message: "another server" }]);
  assert.deepEqual(events, ["before"]);
});

test("an unknown message or change reloads with the reason; rubbish is ignored", async () => {
  const page = await loaded();
  page.socket.onmessage({ data: "{" });
  page.socket.push({ type: "surprise" });
  page.clock.advance(20);
  assert.match(page.reloads[0].message, /surprise/);
  await page.push([{ type: "teleport" }]);
  page.clock.advance(20);
  assert.match(page.reloads[1].message, /teleport/);
});

test("nobody accepts while typing: needs reload, old module keeps running, status is not touched", async () => {
  const page = await loaded();
  const seen = [];
  page.hot("/main.js").addStatusHandler((status) => seen.push(status));
  const [result] = await page.update({ "/a.js": esm({ exports: { f: "1" } }) });
  assert.deepEqual([result.outcome, result.reason.code], ["needsReload", "unaccepted"]);
  assert.match(result.reason.message, /\/a.js has to run again/);
  page.clock.advance(1000);
  assert.deepEqual([page.reloads, seen, page.ns("/a.js").f(), page.host.registry.module("/a.js").rev], [[], [], 1, 1]);
});

for (const when of ["save", "disk"]) {
  test(`nobody accepts on ${when}: the outcome is sent, then the page reloads`, async () => {
    const page = await loaded();
    const [result] = await page.update({ "/a.js": esm({}) }, when);
    assert.equal(result.outcome, "needsReload");
    assert.equal(page.reloads.length, 0);
    page.clock.advance(20);
    assert.equal(page.reloads[0].code, "unaccepted");
  });
}

test("a patch in a push whose update nobody accepts waits with it", async () => {
  const page = await loaded();
  const [update] = page.changes({ "/main.js": esm({}) });
  const results = await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }]), update]);
  assert.deepEqual(results.map(({ outcome }) => outcome), ["needsReload", "needsReload"]);
  assert.equal(page.ns("/a.js").f(), 1);
});

test("an update that does not parse is refused; nothing is disposed", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ exports: { v: "1" }, body: 'hot.accept();hot.dispose(()=>log("disposed"))' }) });
  const [result] = await page.update({ "/main.js": esm({ body: "let let = 1" }) });
  assert.deepEqual([result.outcome, result.reason.code], ["refused", "syntax"]);
  assert.equal(page.takeLog(), "");
  assert.equal(page.ns("/main.js").v, 1);
});

test("an update whose foreign module does not load is refused; nothing is disposed", async () => {
  const page = new Page({ importUrl: async () => { throw new TypeError("offline"); } });
  await page.load({ "/main.js": esm({ body: 'hot.accept();hot.dispose(()=>log("disposed"))' }) });
  const [result] = await page.update({ "/main.js": (id, rev) => ({ ...esm({})(id, rev), deps: [{ spec: "x", url: "https://x/x.js" }] }) });
  assert.deepEqual([result.outcome, result.reason.code], ["refused", "download"]);
  assert.equal(page.takeLog(), "");
});

test("new code that throws: threw, the old instance keeps running, the next update heals", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ imports: { a: "./a.js" }, body: "globalThis.__read=()=>a.v" }), "/a.js": esm({ exports: { v: "v" }, body: 'hot.accept();hot.dispose(d=>{d.n=(d.n??0)+1});const v=1' }) });
  const [threw] = await page.update({ "/a.js": esm({ exports: { v: "v" }, body: 'hot.accept();const v=2;throw new Error("boom")' }) });
  assert.equal(threw.outcome, "threw");
  assert.match(threw.reason.message, /boom/);
  assert.equal(globalThis.__read(), 1);
  assert.equal(page.status, "idle");
  assert.match(page.problems.get("/a.js"), /boom/);
  assert.equal(page.host.registry.module("/a.js").rev, 1);
  const [healed] = await page.update({ "/a.js": esm({ exports: { v: "v" }, body: "hot.accept();const v=3+hot.data.n" }) });
  assert.equal(healed.outcome, "moduleUpdated");
  assert.equal(globalThis.__read(), 4);
  assert.equal(page.problems.size, 0);
});

test("dispose handlers of an instance that came back have run; what they left is kept", async () => {
  const page = new Page();
  await page.load({ "/a.js": esm({ body: 'whot.accept();whot.dispose(d=>{log("d");d.n=5})' }) });
  await page.update({ "/a.js": esm({ body: 'throw new Error("x")' }) });
  await page.update({ "/a.js": esm({ body: "log(whot.data.n)" }) });
  assert.equal(page.takeLog(), "d 5");
});

test("when nobody took anything over, all of the update comes back", async () => {
  const page = new Page();
  const a = (more) => esm({ imports: { b: "./b.js" }, exports: { v: "b.v" }, body: more });
  const b = (n) => esm({ exports: { v: "v" }, body: `const v=${n}` });
  await page.load({ "/m.js": esm({ imports: { a: "./a.js" }, body: 'whot.accept("./a.js")' }), "/a.js": a(""), "/b.js": b(1) });
  const results = await page.update({ "/a.js": a('throw new Error("x")'), "/b.js": b(2) });
  assert.deepEqual(results.map(({ outcome }) => outcome), ["threw", "threw"]);
  assert.equal(page.ns("/b.js").v, 1);
  assert.deepEqual([...page.instance("/b.js").parents, ...page.instance("/a.js").children, ...page.instance("/m.js").children], ["/a.js", "/b.js", "/a.js"]);
  assert.deepEqual((await page.update({ "/b.js": b(3) })).map(({ outcome }) => outcome), ["moduleUpdated"]);
  assert.equal(page.ns("/a.js").v, 3);
});

test("an update that had to wait is forgotten once a later one went through", async () => {
  const page = new Page();
  await page.load({ "/m.js": esm({ imports: { a: "./a.js" } }), "/a.js": esm({ body: "globalThis.__accept=()=>whot.accept()" }) });
  assert.equal((await page.update({ "/a.js": esm({}) }))[0].outcome, "needsReload");
  globalThis.__accept();
  assert.equal((await page.update({ "/a.js": esm({}) }))[0].outcome, "moduleUpdated");
  assert.equal(await page.hot("/m.js").check(), null);
});

test("a second entry does not bring running modules again", async () => {
  const page = new Page();
  await page.load({ "/one.js": esm({ effects: ["./shared.js"] }), "/shared.js": esm({ body: 'log("shared")' }) });
  page.rev = 7;
  await page.load({ "/two.js": esm({ effects: ["./shared.js"], body: 'log("two")' }), "/shared.js": esm({ body: 'log("again")' }) });
  assert.equal(page.takeLog(), "shared two");
  assert.equal(page.host.registry.module("/shared.js").rev, 1);
});

test("a new instance that failed is disposed again, so its timers go", async () => {
  const page = new Page();
  await page.load({ "/a.js": esm({ body: "hot.accept()" }) });
  await page.update({ "/a.js": esm({ body: 'hot.accept();hot.dispose(()=>log("cleaned"));throw new Error("x")' }) });
  assert.equal(page.takeLog(), "cleaned");
});

test("when one of two modules fails, only that one comes back", async () => {
  const page = new Page();
  const v = (n, more = "") => esm({ exports: { v: "v" }, body: `hot.accept();const v=${n};${more}` });
  await page.load({ "/main.js": esm({ imports: { a: "./a.js", b: "./b.js" } }), "/a.js": v(1), "/b.js": v(1) });
  const results = await page.update({ "/a.js": v(2), "/b.js": v(2, 'throw new Error("b")') });
  assert.deepEqual(results.map(({ outcome }) => outcome), ["moduleUpdated", "threw"]);
  assert.deepEqual([page.ns("/a.js").v, page.ns("/b.js").v], [2, 1]);
});

test("after a module update, patches reach the new instance, and old closures that are still held", async () => {
  const page = new Page();
  const make = (n) => esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();const n=${n};${guarded(1, "f", "n")}` });
  await page.load({ "/a.js": make(1) });
  const old = page.ns("/a.js").f;
  await page.update({ "/a.js": make(2) });
  const now = page.ns("/a.js").f;
  assert.deepEqual([old(), now()], [1, 2]);
  await page.push([page.patch("/a.js", [{ id: 1, code: "function(){return n*10}" }])]);
  assert.deepEqual([old(), now()], [10, 20]);
});

test("patches older than an update do not come back in the new instance", async () => {
  const page = new Page();
  const make = (n) => esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();${guarded(1, "f", n)}` });
  await page.load({ "/a.js": make(1) });
  await page.push([page.patch("/a.js", [{ id: 1, code: code(5) }])]);
  await page.update({ "/a.js": make(6) });
  assert.equal(page.ns("/a.js").f(), 6);
});

test("patches show neither in the status nor in dispose", async () => {
  const page = new Page();
  await page.load({ "/a.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();hot.dispose(()=>log("disposed"));whot.addStatusHandler(s=>log(s));hot.on("vite:beforeUpdate",()=>log("event"));${guarded(1, "f", 1)}` }) });
  await page.push([page.patch("/a.js", [{ id: 1, code: code(5) }])]);
  assert.equal(page.takeLog(), "");
  assert.equal(page.hot("/a.js").data, undefined);
});

test("pushes apply in order also when the first has to wait", async () => {
  const page = new Page();
  await page.load({ "/a.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();hot.dispose(()=>new Promise(r=>setImmediate(r)));${guarded(1, "f", 1)}` }) });
  const [update] = page.changes({ "/a.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();${guarded(1, "f", 2)}` }) });
  page.send([update]);
  page.send([{ ...page.patch("/a.js", [{ id: 1, code: code(3) }]), from: update.rev }]);
  await settle();
  await settle();
  assert.deepEqual(page.outcomes().map(({ outcome }) => outcome), ["moduleUpdated", "live"]);
  assert.equal(page.ns("/a.js").f(), 3);
});

test("modules that come along with an update are there before it runs", async () => {
  const page = new Page();
  await page.load({ "/a.js": esm({ body: "hot.accept()" }) });
  const [result] = await page.update({ "/a.js": esm({ imports: { n: "./new.js" }, exports: { v: "v" }, body: "hot.accept();const v=n.x" }), "/new.js": esm({ exports: { x: "4" } }) });
  assert.equal(result.outcome, "moduleUpdated");
  assert.equal(page.ns("/a.js").v, 4);
});

test("css: the outcome comes when it loaded, and later pushes do not wait", async () => {
  let done;
  const page = new Page({ swapStyle: () => new Promise((resolve) => { done = resolve; }) });
  await page.load(program());
  assert.deepEqual(await page.push([{ type: "css", url: "/s.css", rev: 2 }]), []);
  assert.equal((await page.push([page.patch("/a.js", [{ id: 1, code: code(2) }])]))[0].outcome, "live");
  done(true);
  await settle();
  assert.deepEqual(page.outcomes().map(({ module, outcome }) => [module, outcome]), [["/s.css", "live"]]);
});

test("a module that re-exports everything shows the names and values of the new instance", async () => {
  const page = new Page();
  await page.load({
    "/m.js": esm({ imports: { all: "./all.js" }, body: "globalThis.__all=all" }),
    "/all.js": esm({ stars: ["./a.js"] }),
    "/a.js": esm({ exports: { x: "1", gone: "1" }, body: "hot.accept()" }),
  });
  await page.update({ "/a.js": esm({ exports: { x: "2", fresh: "3" }, body: "hot.accept()" }) });
  assert.deepEqual({ ...globalThis.__all }, { fresh: 3, x: 2 });
});

test("imported css takes its new text without running its importers", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ effects: ["./s.css"], body: 'log("main")' }), "/s.css": kind("css", "a{}") });
  const [result] = await page.update({ "/s.css": kind("css", "b{}") });
  assert.equal(result.outcome, "moduleUpdated");
  assert.equal(page.styles.get("/s.css"), "b{}");
  assert.equal(page.takeLog(), "main");
});

test("html: reload on save where it is shown, never while typing", async () => {
  const page = new Page({ html: "/index.html" });
  await page.load(program());
  assert.equal((await page.push([{ type: "html", url: "/index.html" }]))[0].outcome, "needsReload");
  await page.push([{ type: "html", url: "/other.html" }], "save");
  page.clock.advance(50);
  assert.equal(page.reloads.length, 0);
  await page.push([{ type: "html", url: "/index.html" }], "save");
  page.clock.advance(50);
  assert.equal(page.reloads.length, 1);
});

test("problems are shown and cleared", async () => {
  const page = await loaded();
  await page.push([{ type: "problem", module: "/a.js", message: "Unexpected token" }]);
  assert.equal(page.problems.get("/a.js"), "Unexpected token");
  await page.push([{ type: "problem", module: "/a.js", message: null }]);
  assert.equal(page.problems.size, 0);
});

test("an update of a plain script needs a reload", async () => {
  const page = new Page();
  page.host.script("/app.js", 1, 0);
  const [result] = await page.push([{ type: "update", module: "/app.js", from: 1, rev: 2, defs: [{ id: "/app.js", kind: "cjs", rev: 2, sites: 0, deps: [], code: "" }] }]);
  assert.deepEqual([result.outcome, result.reason.code], ["needsReload", "classicScript"]);
});

test("manual mode: updates wait for check, patches do not", async () => {
  const page = new Page();
  page.host.setMode("manual");
  await page.load({ "/a.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();log("v1");${guarded(1, "f", 1)}` }) });
  assert.equal((await page.push([page.patch("/a.js", [{ id: 1, code: code(5) }])]))[0].outcome, "live");
  const [held] = await page.update({ "/a.js": esm({ body: 'hot.accept();log("v2")' }) });
  assert.deepEqual([held.outcome, held.reason.code], ["held", "manual"]);
  assert.equal(page.takeLog(), "v1");
  assert.deepEqual(await page.hot("/a.js").check(true), ["/a.js"]);
  assert.equal(page.takeLog(), "v2");
  assert.deepEqual(page.outcomes().map(({ outcome }) => outcome), ["moduleUpdated"]);
});

test("a thousand updates leave nothing behind", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ imports: { a: "./a.js" } }), "/a.js": esm({ body: 'hot.accept();hot.on("x",()=>{});whot.dispose(()=>{})' }) });
  for (let i = 0; i < 1000; i++) {
    page.send(page.changes({ "/a.js": esm({ body: 'hot.accept();hot.on("x",()=>{});whot.dispose(()=>{})' }) }));
    if (i % 100 === 0) await settle();
  }
  await settle();
  await settle();
  const { registry, updater, applier } = page.host;
  assert.equal(updater.events.listeners.get("x").length, 1);
  assert.equal(updater.statusHandlers.length, 0);
  assert.equal(applier.queue.length, 0);
  assert.equal(registry.modules.size, 2);
  assert.equal(updater.waiting.size + updater.pending.size, 0);
  assert.equal(registry.cached("/main.js").children.size, 1);
});

test("an update that threw is not run again when it is sent again", async () => {
  const page = new Page();
  await page.load({ "/m.js": cjs("module.hot.accept()") });
  const [update] = page.changes({ "/m.js": cjs('log("runs");throw new Error("bad")') });
  assert.equal((await page.push([update]))[0].outcome, "threw");
  assert.equal(page.takeLog(), "runs");
  const [{ outcome, reason }] = await page.push([update]);
  assert.deepEqual([outcome, reason.message, page.takeLog()], ["threw", "Error: bad", ""]);
  const [newer] = page.changes({ "/m.js": cjs('log("runs");throw new Error("bad")') });
  await page.push([newer]);
  assert.equal(page.takeLog(), "runs");
});

test("asking for everything is answered by the answer to that very question", async () => {
  const page = new Page();
  await page.load({ "/m.js": cjs("module.hot.accept()") });
  const done = [];
  page.host.sync().then(() => done.push("first"));
  // The page says hello again meanwhile, for another reason.
  page.host.link.hello();
  assert.equal(page.socket.take("hello").filter(({ look }) => look).length, 2);
  page.socket.push({ type: "looked" });
  await settle();
  page.host.sync().then(() => done.push("second"));
  page.socket.push({ type: "looked" });
  await settle();
  assert.deepEqual(done, ["first"]);
  page.socket.push({ type: "looked" });
  await settle();
  assert.deepEqual(done, ["first", "second"]);
});

/** A page whose program has failed; its only function is asked for later. */
async function failed() {
  const page = new Page();
  await assert.rejects(async () => page.load({ "/main.js": esm({ body: `${guarded(1, "f", 1)}throw new Error("at load")`, sites: 2 }) }));
  return page;
}
const healing = (page) => page.patch("/main.js", [{ id: 1, code: code(2) }]);

test("where nothing of a program runs, new code loads the page again: after a pause while somebody types", async () => {
  const page = await failed();
  const [first] = await page.push([healing(page)]);
  assert.deepEqual([first.outcome, first.reason.code], ["needsReload", "failed"]);
  page.clock.advance(200);
  await page.push([healing(page)]);
  page.clock.advance(200);
  assert.deepEqual(page.reloads, [], "each key begins the pause anew");
  page.clock.advance(100);
  assert.deepEqual(page.reloads.map(({ code }) => code), ["failed"]);
});

test("where nothing of a program runs, saved code loads the page again at once, and what is typed then does not hold it up", async () => {
  const page = await failed();
  await page.push([healing(page)], "save");
  await page.push([healing(page)]);
  page.clock.advance(20);
  assert.equal(page.reloads.length, 1);
});

test("what a refused patch showed is over when its module has run again", async () => {
  const page = new Page();
  await page.load({ "/main.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();${guarded(1, "f", 1)}` }) });
  const { f } = page.ns("/main.js");
  await page.push([page.patch("/main.js", [{ id: 1, code: "function(){", how: "arrow" }])]);
  await page.push([page.patch("/main.js", [{ id: 1, code: "nowhere" }])]);
  assert.throws(f);
  assert.deepEqual([...page.problems.keys()], ["/main.js"]);
  await page.update({ "/main.js": esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();${guarded(1, "f", 3)}` }) });
  assert.deepEqual([...page.problems.keys()], []);
});
