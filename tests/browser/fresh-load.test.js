// A fresh load is the buffer: reloads and new tabs get the unsaved text, and closing without saving goes back to the disk's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HTML, live, openTab, overlayText, remember, settle, until, whileReloading } from "../support/live.js";

const MAIN = "let state = 0;\nexport function f() { return 'disk'; }\nglobalThis.f = f;\nglobalThis.up = () => { state += 1; return state; };\n";

test("a reload gets the unsaved text", async (t) => {
  const { edit, page, problems } = await live(t, { "main.js": MAIN });
  assert.equal((await edit("'disk'", "'buffer'")).outcome.outcome, "live");
  await page.reload();
  assert.equal(await page.evaluate("f()"), "buffer");
  assert.equal((await edit("'buffer'", "'newer'")).outcome.outcome, "live");
  await until(page, "f() === 'newer'");
  assert.deepEqual(problems, []);
});

test("a second tab gets the unsaved text, and both go on together", async (t) => {
  const { client, context, document, page, url, problems } = await live(t, { "main.js": MAIN });
  await page.evaluate("up()");
  await settle(client, document, document.replace("'disk'", "'buffer'"));
  const second = await openTab(context, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  assert.equal(await second.page.evaluate("f()"), "buffer");
  const version = document.replace("'buffer'", "`both ${state}`");
  const outcomes = [await client.outcome(document, version), await client.outcome(document, version)];
  assert.deepEqual(outcomes.map((it) => it.outcome), ["live", "live"]);
  assert.notEqual(outcomes[0].page, outcomes[1].page);
  assert.equal(await page.evaluate("f()"), "both 1");
  assert.equal(await second.page.evaluate("f()"), "both 0");
  assert.deepEqual([...problems, ...second.problems], []);
});

test("two pages with different histories get the same function", async (t) => {
  const { client, context, document, edit, page, url, problems } = await live(t, {
    "main.js": `export function make() {
  let n = 0;
  return () => { n += 1; return n; };
}
globalThis.old = make();
globalThis.make = make;
`,
  });
  await page.evaluate("old()");
  assert.equal((await edit("n += 1; return n;", "n += 10; return n;")).outcome.outcome, "live");
  assert.equal((await edit("let n = 0;", "let n = 5;")).outcome.outcome, "live");
  const second = await openTab(context, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  const version = document.replace("n += 10; return n;", "n += 100; return n;");
  const outcomes = [await client.outcome(document, version), await client.outcome(document, version)];
  assert.deepEqual(outcomes.map((it) => it.outcome), ["live", "live"]);
  assert.equal(await page.evaluate("old() + ',' + make()()"), "101,105");
  assert.equal(await second.page.evaluate("old() + ',' + make()()"), "105,105");
  assert.deepEqual([...problems, ...second.problems], []);
});

test("a scope that got another variable: old closures keep the newest code that they can run", async (t) => {
  const { client, context, document, edit, page, url, problems } = await live(t, {
    "main.js": `export function make() {
  let n = 0;
  return () => { n += 1; return n; };
}
globalThis.old = make();
globalThis.make = make;
`,
  });
  await settle(client, document, document.replace("let n = 0;", "let n = 0, step = 10;"));
  await settle(client, document, document.replace("n += 1; return n;", "n += step; return n;"));
  assert.equal(await page.evaluate("make()()"), 10);
  assert.equal(await page.evaluate("old()"), 1);
  // A tab that loaded the newest text has no older scopes.
  const second = await openTab(context, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  await edit("n += step; return n;", "n += step * 2; return n;");
  await client.outcome(document);
  assert.equal(await page.evaluate("make()()"), 20);
  assert.equal(await second.page.evaluate("old() + ',' + make()()"), "20,20");
  assert.deepEqual([...problems, ...second.problems], []);
});

test("closing a document without saving takes pages back to the disk's text", async (t) => {
  const { document, edit, page, problems } = await live(t, { "main.js": MAIN });
  await page.evaluate("up()");
  assert.equal((await edit("'disk'", "'buffer'")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "buffer");
  document.close();
  await until(page, "f() === 'disk'");
  assert.equal(await page.evaluate("up()"), 2);
  await page.reload();
  assert.equal(await page.evaluate("f()"), "disk");
  assert.deepEqual(problems, []);
});

test("text that is unsaved when the document is opened reaches pages", async (t) => {
  const { project, client, page, problems } = await live(t, { "main.js": MAIN }, { open: [] });
  assert.equal(await page.evaluate("f()"), "disk");
  client.open(project.uri("main.js"), MAIN.replace("'disk'", "'restored'"));
  await until(page, "f() === 'restored'");
  assert.equal(await page.evaluate("up()"), 1);
  assert.deepEqual(problems, []);
});

test("a half-typed document does not break a fresh load", async (t) => {
  const { client, document, page } = await live(t, { "main.js": MAIN });
  assert.equal((await client.verdict(document, document.replace("return 'disk';", "return ('disk';"))).verdict, "hold");
  await page.reload();
  assert.equal(await page.evaluate("f()"), "disk");
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  const { outcome } = await settle(client, document, document.replace("return ('disk';", "return ('whole');"));
  assert.equal(outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), "whole");
});

test("an HTML page comes from the buffer, and reloads when it is saved", async (t) => {
  const { client, documents, page, project } = await live(t, { "index.html": HTML, "main.js": MAIN }, { open: ["index.html"] });
  const document = documents["index.html"];
  await client.verdict(document, document.replace("<title>t</title>", "<title>unsaved</title>"));
  await page.reload();
  assert.equal(await page.title(), "unsaved");
  const loaded = await client.outcome(document, 2);
  assert.deepEqual([loaded.outcome, loaded.reason?.code], ["live", "loaded"]);
  await whileReloading(page, async () => {
    document.replace("<title>unsaved</title>", "<title>saved</title>");
    await project.write("index.html", document.text);
    document.save();
  });
  assert.equal(await page.title(), "saved");
  const saved = await client.outcome(document, 3);
  assert.deepEqual([saved.outcome, saved.reason?.code], ["live", "loaded"]);
});

test("a page with a module in its HTML can wait until everything is there", async (t) => {
  const html = HTML.replace('<script type="module" src="/main.js">', '<script type="module">import "./main.js";');
  const { page, problems } = await live(t, { "index.html": html, "main.js": MAIN });
  const same = await remember(page);
  await page.evaluate("__capuchin.sync()");
  await page.evaluate("__capuchin.sync()");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("a page whose address does not name its HTML file reloads with that file, too", async (t) => {
  const { client, documents, page, project, url } = await live(t, { "index.html": HTML, "main.js": MAIN }, { open: ["index.html"], at: "users/42" });
  const document = documents["index.html"];
  const save = async (/** @type {string} */ from, /** @type {string} */ to) => {
    const version = document.replace(`<title>${from}</title>`, `<title>${to}</title>`);
    await whileReloading(page, async () => {
      await project.write("index.html", document.text);
      document.save();
    });
    assert.equal(await page.title(), to);
    const { outcome, reason } = await client.outcome(document, version);
    assert.deepEqual([outcome, reason?.code], ["live", "loaded"]);
  };
  await save("t", "a route");
  await page.evaluate("history.pushState(null, '', '/about')");
  await save("a route", "another");
  assert.equal(page.url(), new URL("about", url).href);
});

test("a page that is loaded while its module has never parsed says so, and heals when it does", async (t) => {
  const { client, document, page } = await live(t, {
    "main.js": 'import { f } from "./dep.js";\nglobalThis.f = f;\n',
    "dep.js": "export function f() { return (; }\n",
  }, { open: ["dep.js"] });
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(String(await overlayText(page)), /\/dep\.js:1:\d+ does not parse/);
  document.replace("return (;", "return 1;");
  await client.verdict(document);
  document.save();
  await until(page, "globalThis.f?.() === 1");
});

test("a page that is loaded while the buffer is broken says that it runs an older text, and so does the editor", async (t) => {
  const { client, context, document, page, url } = await live(t, { "main.js": MAIN });
  await client.verdict(document, document.replace("return 'disk';", "return ('disk';"));
  // The page that was there is not bothered: the editor tells it.
  assert.equal(await overlayText(page), null);
  const second = await openTab(context, url);
  await until(second.page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(
    String(await overlayText(second.page)),
    /^\/main\.js:2:37\ndoes not parse: .*; pages keep the last version that does\n$/,
  );
  const { outcome, reason } = await client.outcome(document);
  assert.deepEqual([outcome, reason.code], ["held", "syntax"]);
  assert.equal(reason.message, "this page was loaded with the last version that works");
  assert.equal(await second.page.evaluate("f()"), "disk");
  // What it says follows the text.
  await client.verdict(document, document.replace("return ('disk';", "return ('disk' +;"));
  await until(second.page, "document.querySelector('capuchin-overlay') !== null");
  await client.verdict(document, document.replace("return ('disk' +;", "return 'whole';"));
  await until(second.page, "f() === 'whole'");
  await until(second.page, "document.querySelector('capuchin-overlay') === null");
  assert.equal(await overlayText(page), null);
  assert.deepEqual(second.problems, []);
});

test("a broken text that is taken back to the one that runs clears what a fresh page says", async (t) => {
  const { client, context, document, url } = await live(t, { "main.js": MAIN });
  await client.verdict(document, document.replace("return 'disk';", "return ('disk';"));
  const second = await openTab(context, url);
  await until(second.page, "document.querySelector('capuchin-overlay') !== null");
  assert.equal((await client.verdict(document, document.replace("return ('disk';", "return 'disk';"))).verdict, "unchanged");
  await until(second.page, "document.querySelector('capuchin-overlay') === null");
});

/**
 * Opens a page whose loading goes on only when it is told to: module scripts wait until the page is parsed, and so does its hello.
 *
 * @param {import("playwright-core").BrowserContext} context
 * @param {string} url of a page with the script `/slow.js`
 */
async function openSlowly(context, url) {
  const page = await context.newPage();
  /** @type {() => void} */
  let go = () => {};
  const waits = new Promise((resolve) => {
    void page.route("**/slow.js", async (route) => {
      const released = new Promise((release) => (go = () => release(undefined)));
      resolve(undefined);
      await released;
      await route.continue();
    }, { times: 1 });
  });
  const loading = page.goto(url, { waitUntil: "commit" });
  await waits;
  return { page, go: async () => { go(); await loading; } };
}

const SLOW = HTML.replace("</body>", '<script src="/slow.js"></script></body>');

test("HTML that is saved while a page of the older text is still loading reloads that page", async (t) => {
  const { client, context, documents, project, url } = await live(t, { "index.html": SLOW, "main.js": MAIN, "slow.js": "" }, { open: ["index.html"] });
  const document = documents["index.html"];
  const { page, go } = await openSlowly(context, url);
  await client.verdict(document, document.replace("<title>t</title>", "<title>saved</title>"));
  await project.write("index.html", document.text);
  document.save();
  // Answered when the save has been dealt with.
  await client.request("capuchin/pages");
  await go();
  await until(page, "document.title === 'saved'");
});

test("HTML that is typed while a page of the older text is still loading is live in the next page", async (t) => {
  const { client, context, documents, url } = await live(t, { "index.html": SLOW, "main.js": MAIN, "slow.js": "" }, { open: ["index.html"] });
  const document = documents["index.html"];
  const { page, go } = await openSlowly(context, url);
  const version = document.replace("<title>t</title>", "<title>typed</title>");
  await client.verdict(document, version);
  await go();
  const { pages: older } = await client.notification("capuchin/pagesChanged", (it) => it.count === 2);
  assert.equal(await page.title(), "t");
  const { page: next } = await openTab(context, url);
  const outcome = await client.outcome(document, version);
  assert.equal(await next.title(), "typed");
  assert.equal(outcome.outcome, "live");
  assert.ok(!older.includes(outcome.page), `${outcome.page} is none of ${older.join(", ")}`);
});
