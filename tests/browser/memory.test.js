// A page that is worked on all day: what an update replaces must be let go of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live } from "../support/live.js";

const UPDATES = 1000;
const MEGABYTE = 1 << 20;

/** A module of about 180 KB. */
function large() {
  const functions = [];
  for (let n = 0, length = 0; length < 180_000; n++) {
    const text = `export function work${n}(value) {\n  const list = [value, ${n}].map((it) => it * 2);\n  return { list, total() { return list.reduce((a, b) => a + b, ${n}); } };\n}\n`;
    functions.push(text);
    length += text.length;
  }
  return `globalThis.n = [0].at(0);\nimport.meta.hot.accept();\n${functions.join("")}`;
}

// The page takes what the server made of the module once, and then a thousand updates of it that no server has to make: a second host in the
// page, as another program would have one.
const SETUP = `(async () => {
const { createHost } = await import("/@capuchin/runtime/host.js");
const { page, token, origin, server } = __capuchin;
const query = new URLSearchParams({ m: "/large.js", page, token });
const graph = await (await fetch("/@capuchin/graph?" + query)).json();
const [def] = graph.modules;
const outcomes = new Set();
const host = createHost({ origin, server, page: "another", cleanup: "on", log: (level, message, error) => outcomes.add(message + error) });
await host.enter(graph);
let rev = def.rev;
let seq = 0;
globalThis.update = async (times) => {
  for (let n = 0; n < times; n++) {
    rev += 1;
    const change = { type: "update", module: def.id, from: rev - 1, rev, defs: [{ ...def, rev, stamp: String(rev), code: def.code.replace("[0]", "[" + rev + "]") }] };
    host.receive({ type: "push", seq: ++seq, when: "save", changes: [change] });
    await new Promise((resolve) => host.applier.enqueue(() => resolve()));
    if (globalThis.n !== rev) throw new Error("update " + n + " was not applied: " + [...outcomes]);
  }
  return [...outcomes];
};
})()`;

test("a thousand updates of a large module leave the heap as it was", { timeout: 600_000 }, async (t) => {
  const source = large();
  const { page, problems } = await live(t, { "main.js": "", "large.js": source }, { open: [] });
  await page.evaluate(SETUP);
  const session = await page.context().newCDPSession(page);
  const used = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    return usedSize;
  };
  await page.evaluate("update(20)");
  const before = await used();
  assert.deepEqual(await page.evaluate(`update(${UPDATES})`), []);
  const grown = (await used()) - before;
  t.diagnostic(`${(grown / MEGABYTE).toFixed(2)} MB after ${UPDATES} updates of ${Math.round(source.length / 1000)} KB`);
  assert.ok(grown < 10 * MEGABYTE, `the heap grew by ${(grown / MEGABYTE).toFixed(1)} MB`);
  assert.deepEqual(problems, []);
});
