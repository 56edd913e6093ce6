// What `capuchin serve` and the language server log without being asked for more: one calm line for what is worth knowing.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { startServe } from "../support/binary.js";
import { within } from "../support/deadline.js";
import { HTML, live, newContext, openTab, remember, until, whileReloading } from "../support/live.js";
import { makeProject } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */

const MAIN = "let n = 0;\nfunction tick() {\n  n += 1;\n  return n;\n}\nglobalThis.tick = () => tick();\n";

/**
 * @param {TestContext} t
 * @param {Record<string, string>} files
 */
async function served(t, files) {
  const project = await makeProject(t, { "index.html": HTML, ...files });
  const server = await startServe(t, project.folder);
  const context = await newContext(t);
  const { page } = await openTab(context, server.url);
  assert.equal(await server.logged(/page connected/), `INFO page connected: ${server.url} (1 page now)`);
  const edit = async (/** @type {string} */ old, /** @type {string} */ text) => {
    const before = await project.read("main.js");
    assert.equal(before.split(old).length, 2, `${old} is there once`);
    await project.write("main.js", before.replace(old, text));
  };
  return { ...server, project, context, page, edit };
}

test("every edit on disk says what became of it, and a problem its place and its end", async (t) => {
  const { page, logged, edit, stderr } = await served(t, { "main.js": MAIN });
  await edit("n += 1", "n += 2");
  assert.equal(await logged(/main\.js/), "INFO /main.js: live");
  await edit("return n;", "return (n;");
  assert.equal(
    await logged(/main\.js/),
    "WARN /main.js:4:12 does not parse: Expected `,` or `)` but found `;`; pages keep the last version that does",
  );
  await edit("return (n;", "return n + 0;");
  assert.equal(await logged(/main\.js/), "INFO /main.js: the problem is solved");
  assert.equal(await logged(/main\.js/), "INFO /main.js: live");
  await edit("return n + 0", "return cou");
  assert.equal(await logged(/main\.js/), "INFO /main.js: held: cou does not exist on this page yet");
  await edit("return cou", "return n");
  assert.equal(await logged(/main\.js/), "INFO /main.js: live");
  const same = await remember(page);
  await whileReloading(page, () => edit("globalThis.tick =", "globalThis.started = true;\nglobalThis.tick ="));
  assert.equal(
    await logged(/main\.js/),
    "INFO /main.js has to run again, and no module of this page takes its new code over (import.meta.hot.accept): the page reloads",
  );
  assert.match(await logged(/page gone/), /\(no page now\)$/);
  assert.match(await logged(/page connected/), /\(1 page now\)$/);
  assert.ok(!(await same()));
  assert.doesNotMatch(stderr(), /capuchin::|ERROR/);
});

test("an import that is not found is told with its place, and when it is there", async (t) => {
  const { logged, edit, project, page } = await served(t, { "main.js": MAIN });
  const same = await remember(page);
  await edit("let n = 0;", 'import { area } from "./shapes.js";\nlet n = 0;');
  assert.equal(await logged(/main\.js/), "WARN /main.js:1:22 './shapes.js' was not found (imported by /main.js)");
  await project.write("shapes.js", "export const area = (r) => r * r;\n");
  assert.equal(await logged(/main\.js/), "INFO /main.js: the problem is solved");
  assert.ok(await same());
});

test("an HTML file that is moved away is told, and its pages go on until it is back", async (t) => {
  const { logged, project, page } = await served(t, { "main.js": MAIN });
  const same = await remember(page);
  const html = await project.read("index.html");
  await rm(project.path("index.html"));
  assert.equal(await logged(/index\.html/), "WARN /index.html does not exist any more: pages that show it go on");
  assert.equal(await page.evaluate("tick()"), 1);
  assert.ok(await same());
  await whileReloading(page, () => project.write("index.html", html));
  await until(page, "tick() > 0");
});

test("a file that is deleted is told, and its return", async (t) => {
  const { logged, project, page } = await served(t, { "main.js": 'import { a } from "./a.js";\nglobalThis.a = () => a();\n', "a.js": "export function a() { return 1; }\n" });
  const same = await remember(page);
  await rm(project.path("a.js"));
  assert.equal(await logged(/a\.js/), "WARN /a.js does not exist any more: pages that run it go on");
  assert.equal(await page.evaluate("a()"), 1);
  await project.write("a.js", "export function a() { return 2; }\n");
  assert.equal(await logged(/a\.js/), "INFO /a.js: the problem is solved");
  assert.equal(await logged(/a\.js/), "INFO /a.js: live");
  await until(page, "a() === 2");
  await until(page, "document.querySelector('capuchin-overlay') === null");
  assert.ok(await same());
});

test("an error of the program is told once, with the program's frames, and not as a flood", async (t) => {
  const { logged, page, stderr } = await served(t, { "main.js": MAIN });
  await page.evaluate(`globalThis.timer = setInterval(() => { tick(); globalThis.nothing.here; }, 1)`);
  assert.equal(
    await logged(/threw/),
    "WARN the program threw: TypeError: Cannot read properties of undefined (reading 'here')",
  );
  assert.match(await logged(/threw/), /^WARN the program threw, 10 times by now: TypeError: /);
  assert.match(await logged(/threw/), /^WARN the program threw, 100 times by now: TypeError: /);
  assert.equal(stderr().split("the program threw").length, 4);
});

test("a program that fails to start is told when the page has connected, without frames of the runtime", async (t) => {
  const project = await makeProject(t, {
    "index.html": HTML,
    "main.js": 'import { start } from "./start.js";\nstart();\n',
    "start.js": "export function start() {\n  null.here;\n}\n",
  });
  const { url, logged, stderr } = await startServe(t, project.folder);
  const { problems } = await openTab(await newContext(t), url);
  assert.equal(await logged(/threw/), "WARN the program threw in /start.js: TypeError: Cannot read properties of null (reading 'here')");
  assert.match(await logged(/^ +at/), /^ +at start \(\/start\.js:2:8\)$/);
  assert.match(await logged(/^ +at/), /^ +at \/main\.js:2:/);
  assert.doesNotMatch(stderr(), /@capuchin/);
  // The browser's own line is enough.
  assert.equal(problems.length, 1, problems.join("\n"));
});

test("an import that leads nowhere is an error of its module, not of the runtime", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": 'import "./gone.js";\n' });
  const { url, logged } = await startServe(t, project.folder);
  const { problems } = await openTab(await newContext(t), url);
  assert.equal(await logged(/threw/), "WARN the program threw in /main.js: Error: './gone.js' was not found (imported by /main.js)");
  assert.deepEqual(problems, [`Error: './gone.js' was not found (imported by /main.js)\n    at ${url}main.js`]);
});

test("a folder without a page says what to do", async (t) => {
  const empty = await makeProject(t, { "src/main.js": "" });
  const { logged } = await startServe(t, empty.folder);
  assert.equal(
    await logged(/index\.html/),
    `WARN there is no index.html in ${empty.folder}: put one there, or name the folder that has it: capuchin serve FOLDER`,
  );
  const other = await makeProject(t, { "game.html": HTML });
  const second = await startServe(t, other.folder);
  assert.equal(await second.logged(/index\.html/), `WARN there is no index.html in ${other.folder}: open ${second.url}game.html instead`);
});

test("the language server logs what is held and when it no longer is, not every key", async (t) => {
  const { client, document, edit } = await live(t, { "main.js": MAIN });
  assert.equal((await edit("n += 1", "n += 2")).outcome.outcome, "live");
  for (const [old, text] of [["return n", "return (n"], ["return (n", "return ((n"], ["return ((n", "return (((n"]]) {
    assert.equal((await client.verdict(document, document.replace(old, text))).verdict, "hold");
  }
  assert.equal((await edit("return (((n", "return (n + 2)")).outcome.outcome, "live");
  for (const [old, text] of [["n + 2", "c"], ["(c)", "(co)"]]) assert.equal((await edit(old, text)).outcome.outcome, "held");
  assert.equal((await edit("(co)", "(n)")).outcome.outcome, "live");
  // The log comes by another pipe.
  const logged = async () => {
    while (!client.stderr.includes("/main.js: live")) await client.request("capuchin/pages", {});
  };
  await within("the last line of the log", logged());
  const lines = client.stderr.split("\n").filter((it) => it.includes("/main.js")).map((it) => it.replace(/^\S+ +/, ""));
  assert.deepEqual(lines.map((it) => it.replace(/parse: .*/, "parse").replace(/ \(\d+ ms\)$/, "")), [
    "INFO /main.js:4:12 does not parse",
    "INFO /main.js: the problem is solved",
    "INFO /main.js: held: c does not exist on this page yet",
    "INFO /main.js: held: co does not exist on this page yet",
    "INFO /main.js: live",
  ]);
});
