// Style sheets: an unsaved buffer shows in the page as it is typed, and the page is never without style.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, newContext, remember, settle, until } from "../support/live.js";

const PAGE = `<!doctype html>
<head><link rel="stylesheet" href="style.css"><link rel="stylesheet" href="/print.css" media="print"></head>
<body><p id="out">x</p><script type="module" src="/main.js"></script></body>
`;

test("a linked style sheet follows its buffer without a moment unstyled", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    { "index.html": PAGE, "style.css": "p { color: rgb(1, 0, 0); }\n", "print.css": "", "main.js": "globalThis.state = 1;\n" },
    { open: ["style.css"] },
  );
  const same = await remember(page);
  const color = "getComputedStyle(out).color";
  assert.equal(await page.evaluate(color), "rgb(1, 0, 0)");
  await page.evaluate(`
    globalThis.colors = new Set();
    (function look() { colors.add(${color}); requestAnimationFrame(look); })();
    new MutationObserver(() => colors.add(${color})).observe(document.head, { childList: true });
  `);
  const document = documents["style.css"];
  for (const n of [2, 3, 4]) {
    const { outcome } = await settle(client, document, document.setText(`p { color: rgb(${n}, 0, 0); }\n`));
    assert.equal(outcome.outcome, "live");
    assert.equal(await page.evaluate(color), `rgb(${n}, 0, 0)`);
  }
  assert.deepEqual(await page.evaluate("[...colors].filter((it) => !/^rgb\\([1234], 0, 0\\)$/.test(it))"), []);
  assert.equal(await page.evaluate("document.querySelectorAll('link').length"), 2);
  document.close();
  await until(page, `${color} === "rgb(1, 0, 0)"`);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("keys typed quickly end in the newest style", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    { "index.html": PAGE, "style.css": "p { width: 1px; }\n", "print.css": "", "main.js": "" },
    { open: ["style.css"] },
  );
  const document = documents["style.css"];
  const version = document.type("width: 1", "23");
  await client.outcome(document, version);
  await until(page, "getComputedStyle(out).width === '123px'");
  await until(page, "document.querySelectorAll('link').length === 2");
  assert.deepEqual(problems, []);
});

test("a newer style that is there before an older one takes the place of both", async (t) => {
  const context = await newContext(t);
  /** @type {((value: undefined) => void)[]} */
  const held = [];
  // The first new text is answered only after the second one is there.
  await context.route(/style\.css\?t=/, async (route) => {
    if (held.length === 0) await new Promise((resolve) => held.push(resolve));
    await route.continue().catch(() => {});
  });
  const { client, documents, page, problems } = await live(
    t,
    { "index.html": PAGE, "style.css": "p { width: 1px; }\n", "print.css": "", "main.js": "" },
    { open: ["style.css"], context },
  );
  const document = documents["style.css"];
  const first = document.replace("width: 1", "width: 2");
  await client.verdict(document, first);
  await until(page, "document.querySelectorAll('link').length === 3");
  const second = document.replace("width: 2", "width: 3");
  await client.verdict(document, second);
  await until(page, "document.querySelectorAll('link').length === 2 && getComputedStyle(out).width === '3px'");
  const outcomes = [await client.outcome(document, first), await client.outcome(document, first)];
  assert.deepEqual(outcomes.map((it) => [it.version, it.outcome]).sort(), [[first, "live"], [second, "live"]]);
  for (const go of held) go(undefined);
  assert.deepEqual(problems, []);
});

test("CSS that a module imports is replaced in place", async (t) => {
  const { client, documents, page, problems } = await live(
    t,
    { "main.js": 'import "./style.css";\nout.textContent = "x";\nglobalThis.runs = (globalThis.runs ?? 0) + 1;\n', "style.css": "p { color: rgb(1, 0, 0); }\n" },
    { open: ["style.css"] },
  );
  assert.equal(await page.evaluate("getComputedStyle(out).color"), "rgb(1, 0, 0)");
  const document = documents["style.css"];
  await settle(client, document, document.replace("1, 0", "2, 0"));
  await until(page, "getComputedStyle(out).color === 'rgb(2, 0, 0)'");
  assert.equal(await page.evaluate("runs"), 1);
  assert.deepEqual(problems, []);
});

test("an image that changes on disk is shown anew", async (t) => {
  const svg = (/** @type {number} */ size) => `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="1"/>`;
  const { project, page, problems } = await live(
    t,
    { "index.html": '<!doctype html><body><img id="picture" src="a.svg"><script type="module" src="/main.js"></script>', "main.js": "", "a.svg": svg(10) },
    { open: [] },
  );
  await until(page, "picture.naturalWidth === 10");
  await project.write("a.svg", svg(20));
  await until(page, "picture.naturalWidth === 20");
  assert.deepEqual(problems, []);
});
