// Pages that lose their server and find it again: what they missed comes without a reload, as long as that is honest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../support/deadline.js";
import { live, newContext, openTab, remember, settle, until } from "../support/live.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

/** @typedef {import("playwright-core").BrowserContext} BrowserContext */

const MAIN = `let state = 0;
export function f() { return 'first'; }
export function g() { return 'g'; }
globalThis.f = f;
globalThis.g = g;
globalThis.up = () => { state += 1; return state; };
`;

/**
 * Lets the test cut the pages of a context off from their server.
 *
 * @param {BrowserContext} context
 */
async function cable(context) {
  /** @type {Set<import("playwright-core").WebSocketRoute>} */
  const sockets = new Set();
  /** @type {Inbox<string>} messages of pages, by their type */
  const said = new Inbox();
  let isCut = false;
  await context.routeWebSocket(/@capuchin\/socket/, (socket) => {
    if (isCut) {
      void socket.close();
      return;
    }
    const server = socket.connectToServer();
    sockets.add(socket);
    socket.onMessage((message) => {
      said.put(JSON.parse(String(message)).type);
      server.send(message);
    });
  });
  return {
    said,
    async cut() {
      isCut = true;
      for (const socket of sockets) await socket.close();
      sockets.clear();
    },
    mend() {
      isCut = false;
    },
  };
}

test("a page that was offline gets what it missed, without a reload", async (t) => {
  const context = await newContext(t);
  const line = await cable(context);
  const { client, document, edit, page, problems } = await live(t, { "main.js": MAIN }, { context });
  const same = await remember(page);
  await page.evaluate("up()");
  await line.cut();
  await client.notification("capuchin/pagesChanged", (it) => it.count === 0);
  await client.verdict(document, document.replace("'first'", "'second'"));
  await client.verdict(document, document.replace("'second'", "`third ${state}`"));
  await client.verdict(document, document.replace("'g'", "'G'"));
  assert.equal(await page.evaluate("f()"), "first");
  line.mend();
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  await until(page, "f() === 'third 1' && g() === 'G'");
  assert.equal((await edit("'G'", "'GG'")).outcome.outcome, "live");
  assert.equal(await page.evaluate("g()"), "GG");
  assert.ok(await same());
  assert.deepEqual(problems.filter((it) => !it.includes("WebSocket")), []);
});

test("what was undone while a page was offline leaves it as it is", async (t) => {
  const context = await newContext(t);
  const line = await cable(context);
  const { client, document, edit, page } = await live(t, { "main.js": MAIN }, { context });
  const same = await remember(page);
  assert.equal((await edit("'first'", "'second'")).outcome.outcome, "live");
  await line.cut();
  await client.notification("capuchin/pagesChanged", (it) => it.count === 0);
  await client.verdict(document, document.replace("'second'", "'third'"));
  await client.verdict(document, document.replace("'third'", "'first'"));
  line.mend();
  await until(page, "f() === 'first'");
  assert.equal((await edit("'first'", "'fourth'")).outcome.outcome, "live");
  assert.ok(await same());
});

test("a page that held an edit and was offline gets the whole one", async (t) => {
  const context = await newContext(t);
  const line = await cable(context);
  const { client, document, page } = await live(t, { "main.js": MAIN }, { context });
  const held = await settle(client, document, document.replace("return 'first'", "return 1 + sta"));
  assert.equal(held.outcome.outcome, "held");
  await line.cut();
  await client.notification("capuchin/pagesChanged", (it) => it.count === 0);
  await client.verdict(document, document.type("return 1 + sta", "te"));
  line.mend();
  await until(page, "f() === 1");
});

test("an update of a module that a page missed comes when it is back", async (t) => {
  const context = await newContext(t);
  const line = await cable(context);
  const { client, document, page } = await live(
    t,
    { "main.js": "globalThis.value = [1].at(0);\nimport.meta.hot.accept();\n" },
    { context },
  );
  const same = await remember(page);
  await line.cut();
  await client.notification("capuchin/pagesChanged", (it) => it.count === 0);
  await client.verdict(document, document.replace("[1].at(0)", "[2].at(0)"));
  line.mend();
  await until(page, "value === 2");
  assert.ok(await same());
});

test("a restarted server with the same buffers keeps the page", async (t) => {
  const project = await makeProject(t, {
    "index.html": '<!doctype html><body><script src="/classic.js"></script><script type="module" src="/main.js"></script>',
    "main.js": MAIN,
    "classic.js": "function classic() { return 1; }\n",
  });
  const context = await newContext(t);
  const first = await startLsp(t, { root: project.folder });
  const { url } = await first.ready();
  const before = first.open(project.uri("main.js"), MAIN);
  const { page, problems } = await openTab(context, url);
  await first.notification("capuchin/pagesChanged", (it) => it.count === 1);
  const same = await remember(page);
  await page.evaluate("up()");
  for (const [old, text] of [["'first'", "'second'"], ["'g'", "'G'"], ["'second'", "`buffer ${state}`"]]) {
    assert.equal((await settle(first, before, before.replace(old, text))).outcome.outcome, "live");
  }
  assert.equal(await first.shutDown(), 0);

  const second = await startLsp(t, { root: project.folder, initializationOptions: { port: Number(new URL(url).port) } });
  assert.equal((await second.ready()).url, url);
  const after = second.open(project.uri("main.js"), before.text);
  await second.verdict(after);
  await second.notification("capuchin/pagesChanged", (it) => it.count === 1);
  assert.ok(await same());
  assert.equal(await page.evaluate("f() + up()"), "buffer 12");
  const { outcome } = await settle(second, after, after.replace("`buffer ${state}`", "`again ${state}`"));
  assert.equal(outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "again 2");
  // The numbers of the first server are behind: going back is a patch as ever.
  assert.equal((await settle(second, after, after.replace("`again ${state}`", "'first'"))).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "first");
  assert.ok(await same());
  assert.deepEqual(problems.filter((it) => !/WebSocket|ERR_CONNECTION|403/.test(it)), []);
});

test("a restarted server with another text reloads the page", async (t) => {
  const project = await makeProject(t, { "index.html": '<!doctype html><script type="module" src="/main.js"></script>', "main.js": MAIN });
  const context = await newContext(t);
  const first = await startLsp(t, { root: project.folder });
  const { url } = await first.ready();
  const { page } = await openTab(context, url);
  await first.notification("capuchin/pagesChanged", (it) => it.count === 1);
  assert.equal(await first.shutDown(), 0);
  await project.write("main.js", MAIN.replace("'first'", "'other'"));
  const second = await startLsp(t, { root: project.folder, initializationOptions: { port: Number(new URL(url).port) } });
  assert.equal((await second.ready()).url, url);
  await until(page, "globalThis.f?.() === 'other'");
});

test("a page of another project on the same port is never patched with this one's code", async (t) => {
  const context = await newContext(t);
  const one = await makeProject(t, { "index.html": '<!doctype html><title>one</title><script type="module" src="/main.js"></script>', "main.js": MAIN });
  const first = await startLsp(t, { root: one.folder });
  const { url } = await first.ready();
  const { page } = await openTab(context, url);
  await first.notification("capuchin/pagesChanged", (it) => it.count === 1);
  assert.equal(await first.shutDown(), 0);
  const two = await makeProject(t, { "index.html": '<!doctype html><title>two</title><script type="module" src="/main.js"></script>', "main.js": "globalThis.two = true;\n" });
  const second = await startLsp(t, { root: two.folder, initializationOptions: { port: Number(new URL(url).port) } });
  await second.ready();
  await until(page, "document.title === 'two' && globalThis.two");
});
