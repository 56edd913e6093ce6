// What goes wrong outside of us: one clear sentence, and nobody dies.
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { runCapuchin, startServe } from "../support/binary.js";
import { atEnd } from "../support/cleanup.js";
import { within } from "../support/deadline.js";
import { HTML, live, newContext, openTab, overlayText, remember, until } from "../support/live.js";
import { LspClient, startLsp } from "../support/lsp-client.js";
import { makeProject, makeTempFolder } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */

const MAIN = "export function f() { return 1; }\nglobalThis.f = f;\n";

/**
 * A port that somebody else listens on.
 *
 * @param {TestContext} t
 */
async function takenPort(t) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  atEnd(t, () => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** @param {string} text */
function assertOneSentence(text) {
  assert.equal(text.trim().split("\n").length, 1, text);
  assert.doesNotMatch(text, /panicked|Error \{|os error \d+\).*\n/);
}

test("an unknown root is one sentence and an exit code", async (t) => {
  const folder = await makeTempFolder(t);
  for (const root of [join(folder, "nowhere"), join(folder, "file")]) {
    await makeProject(t, {}).then(() => {});
    const { code, stdout, stderr } = await runCapuchin(["serve", root, "--port", "0"]);
    assert.notEqual(code, 0);
    assert.equal(stdout, "");
    assertOneSentence(stderr);
    assert.match(stderr, /nowhere|file/);
  }
});

test("an unknown root of an editor fails its start with one sentence", async (t) => {
  const folder = await makeTempFolder(t);
  const client = new LspClient();
  atEnd(t, () => client.finish());
  await assert.rejects(client.initialize({ root: folder, initializationOptions: { root: "nowhere" } }), (error) => {
    const { message } = /** @type {Error} */ (error);
    assertOneSentence(message);
    assert.match(message, /the folder '.*nowhere' does not exist/);
    return true;
  });
  // No shutdown came before it.
  assert.equal(await client.exit(), 1);
});

test("a taken port is passed over", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": MAIN });
  const port = await takenPort(t);
  const { url } = await startServe(t, project.folder, { port });
  const found = Number(new URL(url).port);
  assert.ok(found > port && found <= port + 50, `${found} after ${port}`);
  const client = await startLsp(t, { root: project.folder, initializationOptions: { port } });
  const other = Number(new URL((await client.ready()).url).port);
  assert.ok(other > port && other !== found);
});

test("modules that cannot be read are errors of their own, others run", async (t) => {
  // The owner of everything reads what nobody may.
  const isRoot = process.getuid?.() === 0;
  const files = {
    "index.html": `<!doctype html><body>
<script type="module" src="/latin.js"></script><script type="module" src="/secret.js"></script><script type="module" src="/huge.js"></script>
<script type="module" src="/main.js"></script>`,
    "main.js": "globalThis.main = 'runs';\n",
    "secret.js": "globalThis.secret = true;\n",
  };
  const project = await makeProject(t, files);
  await project.write("latin.js", Buffer.from("globalThis.latin = 'caf\xe9';\n", "latin1"));
  await project.write("huge.js", Buffer.alloc(50 << 20, "//\n"));
  await chmod(project.path("secret.js"), 0o000);
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  const { page } = await openTab(await newContext(t), url);
  await until(page, "globalThis.main === 'runs'");
  const text = String(await overlayText(page));
  assert.match(text, /latin\.js is not UTF-8 text; save it as UTF-8 to load it/);
  assert.match(text, /huge\.js is larger than 20 MB/);
  if (!isRoot) assert.match(text, /secret\.js can't be read/);
  // Saved as UTF-8, it loads; what is large and no module is served all the same.
  await project.write("latin.js", "globalThis.latin = 'café';\n");
  await until(page, "globalThis.latin === 'café'");
  assert.equal(await page.evaluate("fetch('/huge.js').then((it) => it.blob()).then((it) => it.size)"), 50 << 20);
});

test("a large asset is streamed", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": MAIN });
  await project.write("big.bin", Buffer.alloc(50 << 20, 7));
  const { url } = await startServe(t, project.folder);
  const { page } = await openTab(await newContext(t), url);
  assert.equal(await page.evaluate("fetch('/big.bin').then((it) => it.arrayBuffer()).then((it) => it.byteLength)"), 50 << 20);
  assert.deepEqual(await page.evaluate("fetch('/big.bin', { headers: { range: 'bytes=10-12' } }).then(async (it) => [it.status, (await it.arrayBuffer()).byteLength])"), [206, 3]);
});

test("an edit outside the text stops that document until it is opened again, others go on", async (t) => {
  const { client, documents, edit, page, project, problems } = await live(
    t,
    { "main.js": MAIN, "other.js": "export function g() { return 1; }\nglobalThis.g = g;\n", "index.html": HTML.replace("</body>", '<script type="module" src="/other.js"></script></body>') },
    { open: ["main.js", "other.js"] },
  );
  const main = documents["main.js"];
  main.sendChanges([{ range: { start: { line: 99, character: 0 }, end: { line: 99, character: 5 } }, text: "x" }]);
  const { message, type } = await client.notification("window/showMessage");
  assert.equal(type, 2);
  assertOneSentence(message);
  assert.match(message, /main\.js/);
  assert.equal((await edit("return 1", "return 2", documents["other.js"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("f() + g()"), 3);
  main.close();
  const again = client.open(project.uri("main.js"), MAIN);
  assert.equal((await edit("return 1", "return 10", again)).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 10);
  assert.deepEqual(problems, []);
});

test("a version that goes backwards, and an edit of a document that is not open, cost a sentence", async (t) => {
  const { client, document, edit, page, project } = await live(t, { "main.js": MAIN, "closed.js": "" });
  assert.equal((await edit("return 1", "return 2")).outcome.outcome, "live");
  client.notify("textDocument/didChange", {
    textDocument: { uri: project.uri("closed.js"), version: 2 },
    contentChanges: [{ text: "x" }],
  });
  const closed = await client.notification("window/showMessage");
  assertOneSentence(closed.message);
  assert.match(closed.message, /closed\.js/);
  client.notify("textDocument/didChange", { textDocument: { uri: document.uri, version: 1 }, contentChanges: [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: "nonsense(" }] });
  const backwards = await client.notification("window/showMessage");
  assertOneSentence(backwards.message);
  assert.match(backwards.message, /main\.js/);
  document.close();
  const again = client.open(document.uri, document.text);
  assert.equal((await edit("return 2", "return 3", again)).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 3);
});

test("documents outside the root, and those that are no files, are edited in peace", async (t) => {
  const { client, edit, page } = await live(t, { "main.js": MAIN });
  const elsewhere = await makeProject(t, { "main.js": MAIN });
  for (const uri of [elsewhere.uri("main.js"), "untitled:Untitled-1", "git:/main.js?%7B%22ref%22%3A%22~%22%7D", "vscode-notebook-cell:/x.ipynb#1"]) {
    const other = client.open(uri, MAIN);
    const { verdict } = await client.verdict(other, other.replace("return 1", "return 2"));
    assert.equal(verdict, "unchanged", uri);
    other.close();
  }
  assert.equal((await edit("return 1", "return 5")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 5);
});

test("a module that does not resolve is told in the page and in the editor, others keep working, and creating the file heals", async (t) => {
  const { client, documents, edit, page, project } = await live(
    t,
    {
      "index.html": HTML.replace("</body>", '<script type="module" src="/other.js"></script></body>'),
      "main.js": 'import { late } from "./late.js";\nimport "no-such-package";\nglobalThis.late = late;\n',
      "other.js": "export function g() { return 1; }\nglobalThis.g = g;\n",
    },
    { open: ["main.js", "other.js"] },
  );
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(String(await overlayText(page)), /late\.js/);
  const { diagnostics } = await client.notification(
    "textDocument/publishDiagnostics",
    (it) => it.uri === documents["main.js"].uri && it.diagnostics.length > 0,
  );
  assert.ok(diagnostics.some((/** @type {any} */ it) => it.message.includes("late.js") && it.range.start.line === 0), JSON.stringify(diagnostics));
  assert.equal((await edit("return 1", "return 2", documents["other.js"])).outcome.outcome, "live");
  assert.equal(await page.evaluate("g()"), 2);
  await project.write("node_modules/no-such-package/package.json", '{"name":"no-such-package","main":"index.js"}');
  await project.write("node_modules/no-such-package/index.js", "");
  await project.write("late.js", "export const late = 'here';\n");
  await until(page, "globalThis.late === 'here'");
  await client.notification("textDocument/publishDiagnostics", (it) => it.uri === documents["main.js"].uri && it.diagnostics.length === 0);
});

test("an import that is typed and does not resolve yet keeps the page as it is", async (t) => {
  const { client, document, page, edit } = await live(t, { "main.js": `${MAIN}import.meta.hot.accept();\n` });
  const same = await remember(page);
  const version = document.edit(0, 0, 'import { x } from "./not-yet.js";\n');
  const { verdict, reason } = await client.verdict(document, version);
  assert.deepEqual([verdict, reason.code], ["hold", "import"]);
  assert.match(reason.message, /not-yet\.js/);
  assert.equal((await edit("return 1", "return 2")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 2);
  assert.ok(await same());
});

test("rubbish on the socket closes that socket and nothing else", async (t) => {
  const { edit, page, url, client } = await live(t, { "main.js": MAIN });
  const frames = [
    "rubbish",
    "{}",
    "[]",
    "null",
    '{"type":"hello"}',
    '{"type":"unheard of"}',
    '{"type":"outcome","seq":1,"results":[]}',
    `{"type":"hello","v":1,"page":"../../etc","server":"x","url":"","userAgent":"","modules":[]}`,
    `{"type":"hello","v":999,"page":"p9","server":"x","url":"","userAgent":"","modules":[]}`,
    "x".repeat(2 << 20),
  ];
  const token = await page.evaluate("__capuchin.token");
  for (const frame of frames) {
    const closed = await page.evaluate(
      ([address, text]) =>
        new Promise((resolve) => {
          const socket = new WebSocket(address, "capuchin");
          socket.onopen = () => socket.send(text);
          socket.onclose = ({ code, reason }) => resolve({ code, reason });
        }),
      [`${url.replace("http", "ws")}@capuchin/socket?token=${token}`, frame],
    );
    assert.ok([1003, 1006, 1007, 1008, 1009].includes(/** @type {any} */ (closed).code), `${frame.slice(0, 60)}: ${JSON.stringify(closed)}`);
    assertOneSentence(/** @type {any} */ (closed).reason || "x");
  }
  assert.equal((await client.request("capuchin/pages")).length, 1);
  assert.equal((await edit("return 1", "return 2")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 2);
});

test("lies of a page harm that page alone", async (t) => {
  const { edit, page, url } = await live(t, { "main.js": MAIN });
  const token = await page.evaluate("__capuchin.token");
  await page.evaluate(
    ([address]) =>
      new Promise((resolve) => {
        const socket = new WebSocket(address, "capuchin");
        /** @param {object} message */
        const say = (message) => socket.send(JSON.stringify(message));
        socket.onopen = () => {
          say({ type: "hello", v: 1, page: "p9-liar", server: "x", url: "", userAgent: "", modules: [{ id: "/main.js", rev: 7 }, { id: "/../../etc/passwd", rev: 1 }, { id: "/nothing.js", rev: Number.MAX_SAFE_INTEGER }] });
          say({ type: "outcome", seq: 99, results: [{ module: "/main.js", rev: 1, outcome: "live", ms: -1 }] });
          say({ type: "loaded", modules: [{ id: "/main.js", rev: Number.MAX_SAFE_INTEGER, stamp: "x" }, { id: "../x", rev: 3 }] });
          say({ type: "error", message: "x".repeat(100_000) });
        };
        socket.onmessage = () => setTimeout(() => resolve(undefined), 0);
        socket.onclose = resolve;
      }),
    [`${url.replace("http", "ws")}@capuchin/socket?token=${token}`],
  );
  assert.equal((await edit("return 1", "return 2")).outcome.outcome, "live");
  assert.equal((await edit("return 2", "return 3")).outcome.outcome, "live");
  assert.equal(await page.evaluate("f()"), 3);
});

test("capuchin serve ends in order, and says what it cannot do", async (t) => {
  const project = await makeProject(t, { "index.html": HTML, "main.js": MAIN });
  const served = await startServe(t, project.folder);
  served.process.kill("SIGINT");
  assert.equal(await within("the server to end", served.ended), 0);
  for (const args of [["serve", project.folder, "--port", "99999"], ["serve", "--nonsense"], ["nonsense"]]) {
    const { code, stderr } = await runCapuchin(args);
    assert.equal(code, 2);
    assert.doesNotMatch(stderr, /panicked/);
  }
});
