// Timers, listeners and observers of a module that runs again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, settle } from "./support.js";

/** A program that starts things; `__live` counts those that go on. */
const START = `
const intervals=[setInterval(()=>0,1e6)];
const target=globalThis.__target??=new EventTarget();
target.addEventListener("x",()=>log("heard"+N));
`;
const program = (n, more = "hot.accept();") => esm({ body: `const N=${n};${START}globalThis.__intervals??=[];globalThis.__intervals.push(intervals[0]);${more}` });

async function load(setting, make = program(1)) {
  globalThis.__target = undefined;
  globalThis.__intervals = [];
  const page = new Page({ cleanup: setting });
  await page.load({ "/m.js": make });
  return page;
}
const heard = (page) => {
  globalThis.__target.dispatchEvent(new Event("x"));
  return page.takeLog();
};
const running = () => globalThis.__intervals.map((it) => !it._destroyed);
const stopAll = () => { for (const it of globalThis.__intervals) clearInterval(it); };

test("cleanup: what the old instance started ends when the new one runs", async () => {
  const page = await load("on");
  await page.update({ "/m.js": program(2) });
  assert.deepEqual([heard(page), running()], ["heard2", [false, true]]);
  await page.update({ "/m.js": program(3) });
  assert.deepEqual([heard(page), running()], ["heard3", [false, false, true]]);
  stopAll();
});

test("cleanup: a module with a dispose handler does it itself", async () => {
  for (const dispose of ["hot.dispose(()=>0);hot.accept()", "whot.dispose(()=>0);hot.accept()"]) {
    const page = await load("on", program(1, dispose));
    await page.update({ "/m.js": program(2, dispose) });
    assert.deepEqual([heard(page), running()], ["heard1 heard2", [true, true]]);
    stopAll();
  }
});

test("cleanup: warn names what goes on, off says nothing", async () => {
  const page = await load("warn");
  await page.update({ "/m.js": program(2) });
  assert.deepEqual([heard(page), running()], ["heard1 heard2", [true, true]]);
  assert.deepEqual(page.warnings, ["/m.js ran again, and what it started before goes on (1 interval, 1 listener): stop it in a dispose handler"]);
  stopAll();
  const quiet = await load("off");
  await quiet.update({ "/m.js": program(2) });
  assert.deepEqual([heard(quiet), quiet.warnings], ["heard1 heard2", []]);
  stopAll();
});

test("cleanup: the old instance keeps what it started when the new one fails", async () => {
  const page = await load("on");
  const [{ outcome }] = await page.update({ "/m.js": program(2, 'throw new Error("x")') });
  assert.equal(outcome, "threw");
  // What the failed one started is for nobody.
  assert.deepEqual([heard(page), running()], ["heard1", [true, false]]);
  await page.update({ "/m.js": program(3) });
  assert.deepEqual([heard(page), running()], ["heard3", [false, false, true]]);
  stopAll();
});

test("cleanup: only what the module's own top level started", async () => {
  globalThis.__target = new EventTarget();
  const page = new Page({ cleanup: "on" });
  const listen = (name) => `globalThis.__target.addEventListener("x",()=>log("${name}"));`;
  await page.load({
    "/m.js": esm({ imports: { a: "./a.js" }, body: `${listen("m")}hot.accept();globalThis.__later=()=>{${listen("later")}}` }),
    "/a.js": cjs(listen("a")),
  });
  globalThis.__later();
  await page.update({ "/m.js": esm({ imports: { a: "./a.js" }, body: "hot.accept()" }) });
  assert.equal(heard(page), "a later");
});

test("cleanup: a module that waited for another one", async () => {
  globalThis.__target = new EventTarget();
  const page = new Page({ cleanup: "on" });
  const main = (n) => esm({ imports: { a: "./a.js" }, body: `hot.accept();globalThis.__target.addEventListener("x",()=>log("m${n}"))` });
  await page.load({ "/m.js": main(1), "/a.js": esm({ async: true, body: "await 0" }) });
  await settle();
  assert.equal(heard(page), "m1");
  await page.update({ "/m.js": main(2) });
  assert.equal(heard(page), "m2");
});

test("cleanup: listeners for capturing, with options, and none", async () => {
  globalThis.__target = new EventTarget();
  const page = new Page({ cleanup: "on" });
  const body = (n) => `hot.accept();const f=()=>log("f${n}");const t=globalThis.__target;t.addEventListener("x",f,true);const g=()=>log("g${n}");t.addEventListener("x",g,{capture:true});t.addEventListener("x",null)`;
  await page.load({ "/m.js": esm({ body: body(1) }) });
  await page.update({ "/m.js": esm({ body: body(2) }) });
  assert.equal(heard(page), "f2 g2");
});

test("cleanup: the functions are the browser's own while no module runs, and look like it while one does", async () => {
  const own = [globalThis.setInterval, EventTarget.prototype.addEventListener];
  const body = "globalThis.__looks=[setInterval.name,setInterval.length,String(EventTarget.prototype.addEventListener)];hot.accept()";
  const page = new Page({ cleanup: "on" });
  const looks = [own[0].name, own[0].length];
  await page.load({ "/m.js": esm({ body }) });
  assert.deepEqual(globalThis.__looks.slice(0, 2), looks);
  assert.match(globalThis.__looks[2], /function|native/);
  assert.deepEqual([globalThis.setInterval, EventTarget.prototype.addEventListener], own);
  assert.throws(() => new Page({ cleanup: "on" }).load({ "/x.js": esm({ body: 'throw new Error("x")' }) }), /x/);
  assert.deepEqual([globalThis.setInterval, EventTarget.prototype.addEventListener], own);
  assert.equal(page.warnings.length, 0);
});

test("cleanup: what the program puts in the place of a function stays", async () => {
  const own = globalThis.setTimeout;
  const page = new Page({ cleanup: "on" });
  await page.load({ "/m.js": esm({ body: "globalThis.__fake=globalThis.setTimeout=()=>7" }) });
  assert.equal(globalThis.setTimeout, globalThis.__fake);
  globalThis.setTimeout = own;
});
