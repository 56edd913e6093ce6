import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Page, esm } from "./support.js";

/** A page with one module; `sites` guards are written by hand as the server writes them. */
async function one(body, exports, sites = 10) {
  const page = new Page();
  await page.load({ "/m.js": esm({ exports, body, sites }) });
  return page;
}
const patched = async (page, sites, more) => (await page.push([page.patch("/m.js", sites, more)]))[0];

test("a patched function is the same object, keeps module state and runs new code", async () => {
  const page = await one("let n=1;function f(a){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target).apply(this,arguments);return n+a}", { f: "f", n: "n" });
  const { f } = page.ns("/m.js");
  assert.equal(f(1), 2);
  assert.equal((await patched(page, [{ id: 1, code: "function(a){n+=10;return n*a}" }])).outcome, "live");
  assert.equal(f(2), 22);
  assert.equal(page.ns("/m.js").f, f);
  assert.equal(page.ns("/m.js").n, 11);
  await patched(page, [{ id: 1, code: "function f(a){return -n}" }]);
  assert.equal(f(2), -11);
});

test("closures made before a patch keep what they captured, each its own", async () => {
  const page = await one("function make(n){const $s=$c=>eval($c);return function inc(){if($cap_g[2])return $cap_g.c(2,$s,new.target).apply(this,arguments);return ++n}}", { make: "make" });
  const { make } = page.ns("/m.js");
  const a = make(0);
  const b = make(100);
  a(); a(); b();
  await patched(page, [{ id: 2, code: "function(){return n+=10}" }]);
  assert.deepEqual([a(), b(), a()], [12, 111, 22]);
});

test("new code is made once per scope and revision", async () => {
  const page = await one("let made=0;function f(){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target).apply(this,arguments)}", { f: "f", made: "made" });
  const { f } = page.ns("/m.js");
  await patched(page, [{ id: 1, code: "(made++,function(){return made})" }]);
  assert.deepEqual([f(), f(), f()], [1, 1, 1]);
  await patched(page, [{ id: 1, code: "(made++,function(){return made})" }]);
  assert.deepEqual([f(), f()], [2, 2]);
});

test("functions of one scope that are called in turn are made once each", async () => {
  const guarded = (id, name) => `function ${name}(){if($cap_g[${id}])return $cap_g.c(${id},$cap_s0,new.target).apply(this,arguments)}`;
  const page = await one(`let made=0;${guarded(1, "f")}${guarded(2, "g")}`, { f: "f", g: "g", made: "made" });
  const { f, g } = page.ns("/m.js");
  await patched(page, [1, 2].map((id) => ({ id, code: "(made++,function(){return made})" })));
  f();
  assert.deepEqual([g(), f(), g(), f()], [2, 2, 2, 2]);
});

test("two hooks keep two functions", async () => {
  const page = await one("const make=k=>{const $s=$c=>eval($c);return (x)=>{if($cap_g[1])return $cap_g.c(1,$s)(x);return k}}", { make: "make" });
  const fs = [1, 2, 3].map(page.ns("/m.js").make);
  await patched(page, [{ id: 1, how: "arrow", code: "(x)=>k*x" }]);
  assert.deepEqual(fs.map((f) => f(10)), [10, 20, 30]);
});

test("arrows keep the this of their scope", async () => {
  const page = await one("class A{constructor(){this.v=5;const $s=$c=>eval($c);this.get=()=>{if($cap_g[1])return $cap_g.c(1,$s)();return this.v}}}", { A: "A" });
  const a = new (page.ns("/m.js").A)();
  await patched(page, [{ id: 1, how: "arrow", code: "()=>this.v+1" }]);
  assert.equal(a.get(), 6);
});

test("this, arguments, throw and return pass through", async () => {
  const page = await one("function f(){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target).apply(this,arguments)}", { f: "f" });
  const { f } = page.ns("/m.js");
  await patched(page, [{ id: 1, code: "function(){if(arguments.length===3)throw new RangeError('three');return [this,arguments.length]}" }]);
  const self = {};
  assert.deepEqual(f.call(self, 1, 2), [self, 2]);
  assert.equal(f.call(self)[0], self);
  assert.throws(() => f(1, 2, 3), RangeError);
});

test("new.target and the prototype are right when a patched function is constructed", async () => {
  const page = await one("function F(){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target).apply(this,arguments);this.a=1}", { F: "F" });
  const { F } = page.ns("/m.js");
  await patched(page, [{ id: 1, code: "function(){this.a=2;this.t=new.target}" }]);
  const made = new F();
  assert.ok(made instanceof F);
  assert.equal(made.a, 2);
  assert.equal(made.t, F);
  class G extends F {}
  assert.ok(new G() instanceof G);
});

test("methods with super and private names through a hook inside the class", async () => {
  const page = await one(`class P{hi(){return "P"}}let $h;class C extends P{#x=3;static{$h=$c=>eval($c)}
    hi(){if($cap_g[1])return $cap_g.c(1,$h).apply(this,arguments);return "C"}get v(){if($cap_g[2])return $cap_g.c(2,$h).call(this);return 0}
    static s(){if($cap_g[3])return $cap_g.c(3,$h).call(this);return 0}}`, { C: "C" });
  const { C } = page.ns("/m.js");
  const c = new C();
  await patched(page, [
    { id: 1, how: "fn", code: "({__proto__:P.prototype,hi(){return super.hi()+this.#x}}).hi" },
    { id: 2, how: "fn", code: "Object.getOwnPropertyDescriptor({get v(){return this.#x*2}},'v').get" },
    { id: 3, how: "fn", code: "({__proto__:P,s(){return super.name+this.name}}).s" },
  ]);
  assert.equal(c.hi(), "P3");
  assert.equal(c.v, 6);
  assert.equal(C.s(), "PC");
});

test("a class takes over members that are newer than its text and fit its scope, and no others", async () => {
  const body = `let $cap_k1;
function make(rev){return class{static{$cap_g.k(1,$cap_k1=$cap_c=>eval($cap_c),this,"",rev)}m(){if($cap_g[2])return $cap_g.c(2,$cap_k1).apply(this,arguments);return "old"}}}`;
  const page = await one(body, { make: "make" });
  const { make } = page.ns("/m.js");
  const code = (name, site) => `({c:class{${name}(){}},k:[[2,0,"value","m"],[${site},0,"value","${name}"]],x:[],h:$cap_h=>{$cap_k1=$cap_h}})`;
  const classes = [make(), make(50), make(100)];
  const members = () => classes.map((it) => Object.getOwnPropertyNames(it.prototype).slice(1).join());
  await patched(page, [{ id: 1, how: "class", code: code("n", 3), rev: 10 }], { rev: 10 });
  assert.deepEqual(members(), ["m,n", "m", "m"]);
  // Its members name what scopes have only since revision 50.
  await patched(page, [{ id: 1, how: "class", code: code("p", 4), rev: 80, scope: 50 }], { rev: 80 });
  assert.deepEqual(members(), ["m,n", "m,p", "m"]);
});

test("generators and async generators forward", async () => {
  const page = await one(`function*g(){if($cap_g[1])return yield* $cap_g.c(1,$cap_s0).apply(this,arguments);yield 1}
    async function*ag(){if($cap_g[2])return yield* $cap_g.c(2,$cap_s0).apply(this,arguments);yield 1}
    async function af(){if($cap_g[3])return $cap_g.c(3,$cap_s0).apply(this,arguments);return 1}`, { g: "g", ag: "ag", af: "af" });
  const { g, ag, af } = page.ns("/m.js");
  await patched(page, [
    { id: 1, how: "fn", code: "function*(){const x=yield 2;yield x}" },
    { id: 2, how: "fn", code: "async function*(){yield 3}" },
    { id: 3, code: "async function(){return 4}" },
  ]);
  const it = g();
  assert.equal(it.next().value, 2);
  assert.equal(it.next(7).value, 7);
  const seen = [];
  for await (const v of ag()) seen.push(v);
  assert.deepEqual(seen, [3]);
  assert.equal(await af(), 4);
});

test("a named function expression sees itself, each its own self", async () => {
  const page = await one("const make=()=>function me(n){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target,me).apply(this,arguments);return me}", { make: "make" });
  const [a, b] = [page.ns("/m.js").make(), page.ns("/m.js").make()];
  await patched(page, [{ id: 1, how: "named", code: "(me)=>function(n){return n?me(n-1):me}" }]);
  assert.equal(a(2), a);
  assert.equal(b(2), b);
});

test("nested guards in new code look for patches newer than it", async () => {
  const page = await one("function f(){if($cap_g[1])return $cap_g.c(1,$cap_s0,new.target).apply(this,arguments);return ()=>0}", { f: "f" }, 2);
  const { f } = page.ns("/m.js");
  const change = page.patch("/m.js", [{ id: 1, code: "function(){const $s=$c=>eval($c);let k=7;return ()=>{if($cap_g[2]>2)return $cap_g.c(2,$s)();return k}}" }], { nsites: 3 });
  await page.push([change]);
  const inner = f();
  assert.equal(inner(), 7);
  await patched(page, [{ id: 2, how: "arrow", code: "()=>k+1" }], { nsites: 3 });
  assert.equal(inner(), 8);
});

test("code that does not parse is refused, nothing of the push applies", async () => {
  const page = await one("function f(){if($cap_g[1])return $cap_g.c(1,$cap_s0).apply(this,arguments);return 1}function g(){if($cap_g[2])return $cap_g.c(2,$cap_s0).apply(this,arguments);return 1}", { f: "f", g: "g" });
  const result = await patched(page, [{ id: 1, code: "function(){return 2}" }, { id: 2, code: "function(){return (}" }]);
  assert.equal(result.outcome, "refused");
  assert.equal(result.reason.code, "syntax");
  assert.equal(page.ns("/m.js").f(), 1);
});

test("code that cannot be made in a scope: reported once, the scope keeps what it ran", async () => {
  const page = await one("const make=()=>{const $s=$c=>eval($c);return function f(){if($cap_g[1])return $cap_g.c(1,$s).apply(this,arguments);return 1}}", { make: "make" });
  const fs = [page.ns("/m.js").make(), page.ns("/m.js").make()];
  await patched(page, [{ id: 1, code: "function(){return 2}" }]);
  assert.deepEqual(fs.map((f) => f()), [2, 2]);
  await patched(page, [{ id: 1, code: "(()=>{throw new ReferenceError('not here')})()" }]);
  assert.deepEqual(fs.map((f) => f()), [2, 2]);
  const [refused, ...more] = page.outcomes();
  assert.equal(refused.outcome, "refused");
  assert.equal(refused.reason.code, "scope");
  assert.equal(more.length, 0);
});

test("code that cannot be made where nothing ran before: one error, then the loaded code", async () => {
  const page = await one("function f(){if($cap_g[1])return $cap_g.c(1,$cap_s0).apply(this,arguments);return 1}", { f: "f" });
  const { f } = page.ns("/m.js");
  await patched(page, [{ id: 1, code: "#x in this" }]);
  assert.throws(f, SyntaxError);
  assert.equal(f(), 1);
  await patched(page, [{ id: 1, code: "()=>3" , how: "arrow" }]);
  assert.equal(f(), 3);
});

test("scopes older than a patch needs run its base", async () => {
  const page = await one("const make=()=>{const $s=$c=>eval($c);return function f(){if($cap_g[1])return $cap_g.c(1,$s).apply(this,arguments);return 1}}", { make: "make" });
  const [a, b] = [page.ns("/m.js").make(), page.ns("/m.js").make()];
  await patched(page, [{ id: 1, code: "function(){return 2}" }]);
  assert.equal(a(), 2);
  await patched(page, [{ id: 1, code: "function(){return notInOldScopes}", scope: 9, base: { code: "function(){return 'base'}", how: "fn" } }]);
  assert.deepEqual([a(), b()], ["base", "base"], "the newest code that all scopes can run");
});

test("the guard array has small integers without holes, and c", async () => {
  const page = await one("globalThis.__guards=$cap_g", {}, 3);
  assert.deepEqual([...globalThis.__guards], [0, 0, 0]);
  assert.equal(typeof globalThis.__guards.c, "function");
  await patched(page, [{ id: 6, code: "()=>1", how: "arrow" }], { nsites: 7 });
  assert.equal(globalThis.__guards.length, 7);
  assert.deepEqual(Object.keys(globalThis.__guards).slice(0, 3), ["0", "1", "2"]);
});

test("loaded code asks switches, which follow the guard array", async () => {
  const body = `const $cap_on0=$cap_g.on(new function(){this._1=this._2=0});
    function f(){if($cap_on0._1)return $cap_g.c(1,$cap_s0).apply(this,arguments);return "f"}
    function g(){if($cap_on0._2)return $cap_g.c(2,$cap_s0).apply(this,arguments);return "g"}hot.accept();`;
  const page = await one(body, { f: "f", g: "g" });
  const { f, g } = page.ns("/m.js");
  await patched(page, [{ id: 1, code: "()=>'new f'", how: "arrow" }]);
  assert.deepEqual([f(), g()], ["new f", "g"]);
  assert.equal((await patched(page, [{ id: 2, code: "()=>notThere", how: "arrow" }, { id: 8, code: "()=>0", how: "arrow" }])).outcome, "live");
  assert.throws(g, ReferenceError);
  await patched(page, [{ id: 1, code: "()=>'newer f'", how: "arrow" }]);
  assert.equal(f(), "newer f");
});

test("calls that wait are counted until they end, and the outcome says so", async () => {
  const page = await one(`const $cap_on0=$cap_g.on(new function(){this._1=this._2=0});
    function* f(){if($cap_on0._1)return yield* $cap_g.c(1,$cap_s0).apply(this,arguments);$cap_g.begin(1);try{yield 1}finally{$cap_g.end(1)}}
    function* g(){if($cap_on0._2)return yield* $cap_g.c(2,$cap_s0).apply(this,arguments);$cap_g.begin(2);try{yield 2}finally{$cap_g.end(2)}}`, { f: "f", g: "g" });
  const { f, g } = page.ns("/m.js");
  const code = (id) => ({ id, name: id === 1 ? "f" : "", code: `function*(){$cap_g.begin(${id});try{yield 'new'}finally{$cap_g.end(${id})}}` });
  const said = async (...sites) => {
    const { outcome, reason } = await patched(page, sites);
    return [outcome, reason?.code, reason?.message];
  };
  f();
  assert.deepEqual(await said(code(1), code(2)), ["live", undefined, undefined], "one that was not asked for anything has not begun");
  const [one1, one2, one3] = [f(), g(), g()];
  for (const it of [one1, one2, one3]) it.next();
  assert.deepEqual(await said(code(1)), ["nextCall", "running", "1 call of f has begun and not ended: it goes on with the code that it began with"]);
  assert.deepEqual(await said(code(1), code(2)), ["nextCall", "running", "1 call of f, 2 calls of a function have begun and not ended: they go on with the code that they began with"]);
  one1.return();
  one2.next();
  assert.throws(() => one3.throw(new Error("stop")), /stop/);
  assert.deepEqual(await said(code(1), code(2)), ["live", undefined, undefined]);
});

test("switches that are made after a patch of their site are on", async () => {
  const page = new Page();
  const code = (value) => esm({ exports: { f: "f" }, sites: 2, body: `hot.accept();const $cap_on0=$cap_g.on(new function(){this._1=0});
    function f(){if($cap_on0._1)return $cap_g.c(1,$cap_s0).apply(this,arguments);return ${value}}` });
  await page.load({ "/m.js": code(1) });
  const { registry } = page.host;
  await patched(page, [{ id: 1, code: "()=>2", how: "arrow" }]);
  // The same text runs again, as when what it depends on is updated.
  const { sites, current } = registry.module("/m.js");
  const guards = sites.guards(2, current.program.rev);
  const group = guards.on({ _1: 0 });
  assert.equal(group._1, guards[1]);
  assert.notEqual(group._1, 0);
});

test("a guard array is a record to the engine, not a table", async () => {
  const page = await one("globalThis.__guards=$cap_g;$cap_g.on(new function(){this._1=0});$cap_g.begin(1);$cap_g.end(1);", {}, 3);
  await patched(page, [{ id: 6, code: "()=>1", how: "arrow" }], { nsites: 7 });
  setFlagsFromString("--allow-natives-syntax");
  const isRecord = new Function("it", "return %HasFastProperties(it)");
  setFlagsFromString("--no-allow-natives-syntax");
  assert.equal(isRecord(globalThis.__guards), true);
});

test("guard arrays of instances that nobody holds are not kept", async () => {
  const page = await one("hot.accept();", {}, 1);
  const { sites } = page.host.registry.module("/m.js");
  for (let i = 0; i < 50; i++) await page.update({ "/m.js": esm({ body: `hot.accept();/*${i}*/`, sites: 1 }) });
  assert.ok(sites.arrays.length <= 52);
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  await page.update({ "/m.js": esm({ body: "hot.accept();", sites: 1 }) });
  assert.ok(sites.arrays.length < 10, String(sites.arrays.length));
});

test("plain scripts: patched through the array they got before the runtime was there", async () => {
  const page = new Page();
  const early = { _1: 0 };
  const guards = Object.assign([0, 0], { switches: [early] });
  page.host.script("/app.js", 1, 2, "stamp", undefined, guards);
  Object.assign(globalThis, { __g: guards, __early: early });
  const f = (0, eval)("(function f(){if(__early._1)return __g.c(1,__g.s).apply(this,arguments);return 1})");
  const [result] = await page.push([page.patch("/app.js", [{ id: 1, code: "function(){return 2}" }])]);
  assert.equal(result.outcome, "live");
  assert.equal(f(), 2);
  assert.deepEqual(page.socket.take("loaded").at(-1).modules, [{ id: "/app.js", rev: 1, stamp: "stamp" }]);
});

test("a hot patched call costs a lookup", async () => {
  const page = await one("function f(a){if($cap_g[1])return $cap_g.c(1,$cap_s0)(a);return a}", { f: "f" });
  const { f } = page.ns("/m.js");
  await patched(page, [{ id: 1, how: "arrow", code: "(a)=>a+1" }]);
  let made = 0;
  const patches = page.host.registry.module("/m.js").sites.patches;
  const { code } = patches[1];
  Object.defineProperty(patches[1], "code", { get: () => { made++; return code; } });
  for (let i = 0; i < 1000; i++) f(i);
  assert.equal(made, 1);
});
