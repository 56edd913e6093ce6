// Events of the program: `import.meta.hot.send` reaches the editor, and what the editor sends is heard by `import.meta.hot.on`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, openTab, until } from "../support/live.js";

const MAIN = `globalThis.heard = [];
import.meta.hot.on("my:answer", (data) => { heard.push(data); });
// Sent while there is no connection yet.
import.meta.hot.send("my:question", { n: 1 });
globalThis.send = (event, data) => import.meta.hot.send(event, data);
`;

test("events go from the page to the editor and back", async (t) => {
  const { client, page, problems, context, url } = await live(t, { "main.js": MAIN });
  const first = await client.notification("capuchin/event");
  assert.deepEqual([first.event, first.data], ["my:question", { n: 1 }]);
  const [{ id }] = await client.request("capuchin/pages");
  assert.equal(first.page, id);
  client.notify("capuchin/event", { event: "my:answer", data: [1, { a: null }] });
  await until(page, "heard.length === 1");
  assert.deepEqual(await page.evaluate("heard"), [[1, { a: null }]]);

  const other = await openTab(context, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  client.notify("capuchin/event", { page: id, event: "my:answer", data: "for one" });
  client.notify("capuchin/event", { event: "my:answer", data: "for all" });
  await until(page, "heard.at(-1) === 'for all'");
  await until(other.page, "heard.at(-1) === 'for all'");
  assert.deepEqual(await page.evaluate("heard.slice(1)"), ["for one", "for all"]);
  assert.deepEqual(await other.page.evaluate("heard"), ["for all"]);
  assert.deepEqual(problems, []);
});

test("events of Vite's own stay in the page, and rubbish from the editor is said and survived", async (t) => {
  const { client, page } = await live(t, { "main.js": MAIN });
  await client.notification("capuchin/event");
  await page.evaluate("send('vite:invoke'); send('vite:invalidate', null); send('after')");
  assert.equal((await client.notification("capuchin/event")).event, "after");
  client.notify("capuchin/event", { data: 1 });
  client.notify("capuchin/event", { event: "my:answer" });
  await until(page, "heard.length === 1");
  assert.equal(await page.evaluate("heard[0] === undefined"), true);
});
