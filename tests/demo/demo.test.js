// `capuchin demo`, as somebody uses it who has just installed it: one browser tab, an editor, a running program.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCapuchin, startDemo } from "../support/binary.js";
import { launchChromium, openPage } from "../support/chromium.js";
import { within } from "../support/deadline.js";
import { makeTempFolder } from "../support/project.js";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("node:test").TestContext} TestContext */

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/**
 * The demo with its temporary files in a folder of the test.
 *
 * @param {TestContext} t
 * @param {string} example
 */
async function startInFolder(t, example) {
  const temp = await makeTempFolder(t, "temp");
  const demo = await startDemo(t, example, { env: { TMPDIR: temp, TEMP: temp, TMP: temp } });
  const [name] = await readdir(temp);
  return { ...demo, temp, folder: join(temp, name) };
}

/**
 * A tab whose program runs and whose editor is ready.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 */
async function openDemo(browser, url) {
  const { page, problems } = await openPage(browser, url);
  await page.waitForSelector(".editor.shown .cm-content");
  await page.waitForFunction(() => /^[1-9]/.test(document.querySelector("#pages")?.textContent ?? ""));
  const frame = page.frame({ url: (it) => it.pathname === `/${new URL(url).searchParams.get("example")}/` });
  assert.ok(frame, "the program is in a frame");
  return { page, problems, frame };
}

/**
 * Waits for what the status line says.
 *
 * @param {Page} page
 * @param {RegExp} words
 */
async function said(page, words) {
  await page
    .waitForFunction((source) => new RegExp(source).test(document.querySelector("#status")?.textContent ?? ""), words.source)
    .catch(async (error) => {
      throw new Error(`the status line says "${await page.textContent("#status")}", not ${words}`, { cause: error });
    });
}

/**
 * Puts the caret before the last character of the line that has this text.
 *
 * @param {Page} page
 * @param {string} file
 * @param {string} text
 */
async function goTo(page, file, text) {
  await page.getByRole("tab", { name: file, exact: true }).click();
  await page.locator(".editor.shown .cm-line", { hasText: text }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
}

/** The texts of a folder, by path. @param {string} folder */
async function texts(folder) {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((it) => it.isFile());
  const paths = names.map((it) => join(it.parentPath ?? it.path, it.name)).sort();
  return Promise.all(paths.map(async (path) => [path.slice(folder.length), await readFile(path, "utf8")]));
}

test("the running game follows the keys typed in the editor and keeps its state", async (t) => {
  const before = await texts(EXAMPLES);
  const demo = await startInFolder(t, "game");
  const browser = await launchChromium(t);
  const { page, problems, frame } = await openDemo(browser, demo.url);

  /** Whether the sky is green rather than blue. */
  const skyIsGreen = () => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#scene"));
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(0, 0, 200, 40);
    let balance = 0;
    for (let at = 0; at < data.length; at += 4) balance += data[at + 1] - data[at + 2];
    return balance > 0;
  };
  const points = () => Number(document.querySelector("#points")?.textContent);

  await frame.waitForFunction(() => Number(document.querySelector("#points")?.textContent) > 0);
  assert.equal(await frame.evaluate(skyIsGreen), false);
  const started = await frame.evaluate(() => {
    Object.assign(globalThis, { mark: "the same page" });
    return performance.timeOrigin;
  });
  const pointsBefore = await frame.evaluate(points);

  await goTo(page, "palette.js", "return 264;");
  for (let n = 0; n < 3; n++) await page.keyboard.press("Backspace");
  await page.keyboard.type("150");
  await said(page, /^live .*duskHue$/);
  await frame.waitForFunction(skyIsGreen);

  // Half-typed code is held, and going back is a patch.
  await page.keyboard.type(" +");
  await said(page, /^held: .*last good code/);
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("0");
  await said(page, /^live/);

  assert.equal(await frame.evaluate(() => performance.timeOrigin), started, "the page was not loaded again");
  assert.equal(await frame.evaluate("mark"), "the same page");
  assert.ok((await frame.evaluate(points)) >= pointsBefore, "the score is kept");
  assert.deepEqual(problems, []);

  // The editor opens files as they are on disk, where nothing was written.
  const meta = JSON.parse((await page.getAttribute('meta[name="capuchin-demo"]', "content")) ?? "");
  const answer = await fetch(new URL(`/@capuchin/demo/file?path=game/palette.js&token=${meta.token}`, demo.url));
  assert.match(await answer.text(), /return 264;/);
  assert.deepEqual(await texts(demo.folder), before);
  assert.deepEqual(await texts(EXAMPLES), before);

  demo.process.kill("SIGTERM");
  assert.equal(await within("the demo to end", demo.ended), 0);
  assert.deepEqual(await readdir(demo.temp), [], "the temporary folder goes with the demo");
});

for (const example of ["game", "todo", "clock"]) {
  test(`${example}: each thing to try goes live`, async (t) => {
    const demo = await startInFolder(t, example);
    const { page, problems, frame } = await openDemo(await launchChromium(t), demo.url);
    await frame.evaluate(() => Object.assign(globalThis, { mark: "the same page" }));
    const cards = page.locator(".card");
    assert.equal(await cards.count(), 3);
    for (const card of await cards.all()) {
      await card.getByText("Type it for me").click();
      await card.getByText("Take it back").waitFor();
      await said(page, /^live/);
    }
    await page.getByText("Reset the code").click();
    await said(page, /^live/);
    for (const card of await cards.all()) await card.getByText("Type it for me").waitFor();
    assert.equal(await frame.evaluate("mark"), "the same page");
    assert.deepEqual(problems, []);
  });
}

test("styles change as they are typed, and a page's HTML when it is loaded again", async (t) => {
  const demo = await startInFolder(t, "todo");
  const { page, frame } = await openDemo(await launchChromium(t), demo.url);
  await page.getByRole("tab", { name: "style.css", exact: true }).click();
  await page.locator(".editor.shown .cm-line", { hasText: ":root" }).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("h1 { color: rgb(1, 2, 3) }");
  await said(page, /^live/);
  await frame.waitForFunction(() => getComputedStyle(document.querySelector("h1") ?? document.body).color === "rgb(1, 2, 3)");

  await page.getByRole("tab", { name: "index.html", exact: true }).click();
  await page.locator(".editor.shown .cm-line", { hasText: "<h1>" }).click();
  await page.keyboard.press("End");
  await page.keyboard.insertText("<h2>New</h2>");
  await said(page, /^needs a reload/);
  await page.keyboard.press("Control+s");
  await page.frameLocator("#app").getByRole("heading", { name: "New" }).waitFor();
});

test("a file has one editor: the tab in which somebody goes on", async (t) => {
  const demo = await startInFolder(t, "todo");
  const browser = await launchChromium(t);
  const first = await openDemo(browser, demo.url);
  await goTo(first.page, "format.js", "return `${minutes} min`;");
  await first.page.keyboard.press("ArrowLeft");
  await first.page.keyboard.type("utes");
  await said(first.page, /^live .*age/);
  const age = () => document.querySelector("#list li")?.textContent ?? "";
  await first.frame.waitForFunction(() => /58 minutes/.test(document.querySelector("#list")?.textContent ?? ""));

  const second = await openDemo(browser, demo.url);
  await said(first.page, /^Another tab edits these files now/);
  // The text of the new editor is the one that counts, for every page.
  await first.frame.waitForFunction(() => !/minutes/.test(document.querySelector("#list")?.textContent ?? ""));

  await first.page.keyboard.type("!");
  await said(second.page, /^Another tab/);
  await first.frame.waitForFunction(() => /58 minutes!/.test(document.querySelector("#list")?.textContent ?? ""));
  await second.frame.waitForFunction(() => /58 minutes!/.test(document.querySelector("#list")?.textContent ?? ""));

  // A tab that is closed takes its text along.
  await first.page.close();
  await second.frame.waitForFunction(() => !/minutes/.test(document.querySelector("#list")?.textContent ?? ""));
  assert.match(await second.frame.evaluate(age), /min/);
});

test("only the demo's own page is let in", async (t) => {
  const demo = await startInFolder(t, "game");
  const { origin, host } = new URL(demo.url);
  const html = await (await fetch(demo.url)).text();
  const token = /&quot;token&quot;:&quot;([\w-]+)&quot;/.exec(html)?.[1] ?? "";
  assert.notEqual(token, "");

  /** @param {string} path @param {Record<string, string>} [headers] */
  const status = async (path, headers = {}) => {
    const asked = request(new URL(path, demo.url), { headers });
    const answered = new Promise((resolve, reject) => {
      asked.once("response", (it) => resolve(it.resume().statusCode));
      asked.once("upgrade", (it, socket) => resolve((socket.destroy(), it.statusCode)));
      asked.once("error", reject);
    });
    asked.end();
    return within(`an answer to ${path}`, answered);
  };
  const page = "/@capuchin/demo/";
  assert.equal(await status(page), 200);
  assert.equal(await status("/"), 307);
  assert.equal(await status(`${page}?example=nonsense`), 404);
  assert.equal(await status(page, { host: "evil.example" }), 403);
  assert.equal(await status(page, { origin: "http://localhost:1" }), 403);
  assert.equal(await status(page, { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }), 403);

  const file = (/** @type {string} */ path, /** @type {string} */ given) =>
    status(`${page}file?path=${encodeURIComponent(path)}&token=${given}`);
  assert.equal(await file("game/main.js", token), 200);
  assert.equal(await file("game/main.js", ""), 403);
  assert.equal(await file("game/main.js", `${token}x`), 403);
  for (const path of ["../x", "game/../game/main.js", "/etc/hosts", "game", ""]) assert.equal(await file(path, token), 404, path);

  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "capuchin-lsp",
    origin,
  };
  const socket = `/@capuchin/lsp?token=${token}`;
  assert.equal(await status(socket, upgrade), 101);
  assert.equal(await status("/@capuchin/lsp?token=wrong", upgrade), 403);
  assert.equal(await status("/@capuchin/lsp", upgrade), 403);
  assert.equal(await status(socket, { ...upgrade, origin: "http://localhost:1" }), 403);
  assert.equal(await status(socket, Object.fromEntries(Object.entries(upgrade).filter(([name]) => name !== "origin"))), 403);
  assert.equal(await status(socket, { ...upgrade, "sec-websocket-protocol": "capuchin" }), 400);
  assert.equal(await status(socket, { ...upgrade, host: host.replace("localhost", "evil.example") }), 403);
});

test("an example that does not exist is a wrong command line", async () => {
  const { code, stderr } = await runCapuchin(["demo", "nonsense"]);
  assert.equal(code, 2);
  assert.match(stderr, /game, todo, clock/);
});
