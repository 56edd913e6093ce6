// The samples of all messages in fixtures/wire/, which the server's tests read too: a page understands those for it, and says nothing
// that they do not show.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Page, esm, settle } from "./support.js";

const FOLDER = new URL("../../fixtures/wire/", import.meta.url);
const samples = (start) => readdirSync(FOLDER).filter((name) => name.startsWith(start)).map((name) => [name, JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"))]);

for (const [name, message] of samples("to-page.")) {
  test(`a page understands ${name}`, async () => {
    const page = new Page();
    await page.load({ "/main.js": esm({ body: "hot.accept();" }) });
    page.host.receive(message);
    await settle();
    page.clock.advance(1000);
    assert.deepEqual(page.reloads.filter(({ code }) => code === "unknownMessage"), []);
    // Only what it was told to do reloads it.
    assert.equal(page.reloads.length, message.type === "reload" ? 1 : 0);
  });
}

test("a page takes the sample of a graph", async () => {
  const page = new Page();
  for (const [, graph] of samples("graph.")) page.host.registry.define(graph.modules);
  assert.ok(page.host.registry.modules.size > 1);
});

test("what a page says has the fields that the samples show", async () => {
  const known = new Set(samples("from-page.").flatMap(([, message]) => fields(message.type, message)));
  const page = new Page({ rev: 3 });
  await page.load({ "/main.js": esm({ sites: 1 }) });
  page.host.link.resync();
  await page.host.enter({ entry: "/late.js", server: "s1", modules: [esm()("/late.js", 1)] });
  page.send([page.patch("/main.js", [{ id: 0, code: "() => nowhere", needs: ["nowhere"] }])]);
  await settle();
  const said = page.socket.sent.flatMap((message) => fields(message.type, message));
  assert.deepEqual(said.filter((it) => !known.has(it)), []);
  assert.deepEqual([...new Set(page.socket.sent.map(({ type }) => type))].sort(), ["hello", "loaded", "outcome"]);
});

/** @param {string} path @param {unknown} value @returns {string[]} */
function fields(path, value) {
  if (value === null || typeof value !== "object") return [path];
  if (Array.isArray(value)) return value.flatMap((it) => fields(path, it));
  return Object.entries(value).flatMap(([key, it]) => fields(`${path}.${key}`, it));
}
