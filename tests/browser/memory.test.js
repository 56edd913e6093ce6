// A page that is worked on all day: what an update replaces must be let go of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live } from "../support/live.js";

const UPDATES = 1000;
const MEGABYTE = 1 << 20;

/** A module of about 180 KB. */
function large() {
  const functions = [];
  for (let n = 0; functions.join("").length < 180_000; n++) {
    functions.push(`export function work${n}(value) {\n  const list = [value, ${n}].map((it) => it * 2);\n  return { list, total() { return list.reduce((a, b) => a + b, ${n}); } };\n}\n`);
  }
  return `globalThis.n = [0].at(0);\nimport.meta.hot.accept();\n${functions.join("")}`;
}

test("a thousand updates of a large module leave the heap as it was", { timeout: 600_000 }, async (t) => {
  const { client, document, page, problems } = await live(t, { "main.js": large() });
  const session = await page.context().newCDPSession(page);
  const used = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return usedSize;
  };
  let n = 0;
  const update = async () => {
    const version = document.replace(`[${n}]`, `[${n + 1}]`);
    n += 1;
    // At once, not when nobody has typed for a while.
    document.save();
    const { outcome } = await client.outcome(document, version);
    assert.equal(outcome, "moduleUpdated");
  };
  await update();
  const before = await used();
  while (n <= UPDATES) await update();
  const grown = (await used()) - before;
  assert.equal(await page.evaluate("globalThis.n"), UPDATES + 1);
  t.diagnostic(`${(grown / MEGABYTE).toFixed(2)} MB after ${UPDATES} updates of ${Math.round(document.text.length / 1000)} KB`);
  assert.ok(grown < 10 * MEGABYTE, `the heap grew by ${(grown / MEGABYTE).toFixed(1)} MB`);
  assert.deepEqual(problems, []);
});
