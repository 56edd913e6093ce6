// What a page does with a module whose text is the same while what it imports comes and goes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page, cjs, esm, settle } from "./support.js";

/** Text that stays the same while what it imports comes and goes. */
const stamped = (make) => (id, rev) => ({ ...make(id, rev), stamp: "same" });
const lateOr = (found) => (found ? { spec: "./late.js", id: "/late.js" } : { spec: "./late.js", error: "Cannot find ./late.js" });
const LATE = { "/late.js": cjs('log("late")') };

test("what has only other imports goes on with them, and runs again where its top level had to do without one", async () => {
  const page = new Page();
  const ask = (name) => `try{require("./late.js");log("${name} ok")}catch{log("${name} without")}`;
  const modules = (found) => ({
    "/asks.js": stamped(cjs(`module.hot.accept();${ask("asks")}`, { requires: [lateOr(found)] })),
    "/resolves.js": stamped(cjs('module.hot.accept();try{log(require.resolve("./late.js"))}catch{log("unresolved")}', { requires: [lateOr(found)] })),
    "/imports.js": stamped(esm({ body: 'hot.accept();$cap_m.import("./late.js").then(()=>log("import ok"),()=>log("import failed"))', dynamic: [lateOr(found)] })),
    "/meta.js": stamped(esm({ body: 'hot.accept();try{log($cap_m.meta.resolve("./late.js"))}catch{log("not there")}', dynamic: [lateOr(found)] })),
    "/later.js": stamped(cjs(`module.hot.accept();log("later");globalThis.__ask=()=>{${ask("later")}}`, { requires: [lateOr(found)] })),
  });
  await page.load({ "/main.js": cjs('require("./asks.js");require("./resolves.js");require("./imports.js");require("./meta.js");require("./later.js")'), ...modules(false) });
  await settle();
  globalThis.__ask();
  assert.equal(page.takeLog(), "asks without unresolved not there later import failed later without");
  const results = await page.update({ ...modules(true), ...LATE });
  globalThis.__ask();
  assert.deepEqual(results.map(({ outcome }) => outcome), ["live", "moduleUpdated", "moduleUpdated", "moduleUpdated", "moduleUpdated"]);
  assert.equal(page.takeLog(), "late asks ok http://localhost:4177/late.js /late.js import ok later ok");
});

test("what went without one import does not run again for another, nor where it could not run", async () => {
  const page = new Page();
  const module = (late, other, still) => stamped(esm({
    effects: [still ? "./still.js" : { spec: "./still.js", error: "Cannot find ./still.js" }],
    dynamic: [lateOr(late), other ? { spec: "./other.js", id: "/other.js" } : { spec: "./other.js", error: "Cannot find ./other.js" }],
    body: 'hot.accept();log("ran");globalThis.__other=()=>$cap_m.import("./other.js").then(()=>log("found"),()=>log("no"));$cap_m.import("./late.js").catch(()=>log("without"))',
  }));
  await page.load({ "/main.js": esm({ effects: ["./m.js"] }), "/m.js": module(false, false, true), "/still.js": esm() });
  await settle();
  assert.equal(page.takeLog(), "ran without");
  let [result] = await page.update({ "/m.js": module(false, true, true), "/other.js": esm() });
  await globalThis.__other();
  assert.deepEqual([result.outcome, page.takeLog()], ["live", "found"]);
  [result] = await page.update({ "/m.js": module(true, true, false), ...LATE });
  assert.deepEqual([result.outcome, page.takeLog()], ["live", ""]);
  [result] = await page.update({ "/m.js": module(true, true, true) });
  assert.deepEqual([result.outcome, page.takeLog()], ["moduleUpdated", "ran late"]);
});

test("what cannot run again finds later what it went without", async () => {
  const page = new Page();
  const module = (found) => stamped(cjs(
    'module.hot.accept();if(globalThis.__once)throw new Error("twice");globalThis.__once=true;globalThis.__ask=()=>require("./late.js");try{__ask()}catch{log("without")}',
    { requires: [lateOr(found)] },
  ));
  await page.load({ "/main.js": cjs('require("./m.js")'), "/m.js": module(false) });
  assert.equal(page.takeLog(), "without");
  const ask = globalThis.__ask;
  const [result] = await page.update({ "/m.js": module(true), ...LATE });
  assert.equal(result.outcome, "threw");
  ask();
  assert.equal(page.takeLog(), "late");
  delete globalThis.__once;
});
