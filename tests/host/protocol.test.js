// The host that docs/protocol.md shows, run as it stands there: a program in plain Node that `capuchin serve` serves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { startServe } from "../support/binary.js";
import { atEnd } from "../support/cleanup.js";
import { makeProject, makeTempFolder } from "../support/project.js";

const DOCUMENT = new URL("../../docs/protocol.md", import.meta.url);
const RUNTIME = new URL("../../runtime/host.js", import.meta.url);
const SOCKET = new URL("../support/web-socket.js", import.meta.url);

/** The example, with the places of what it imports. */
function example() {
  const blocks = [...readFileSync(DOCUMENT, "utf8").matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code);
  const code = blocks.find((it) => it.includes("createHost"));
  assert.ok(code, "docs/protocol.md has no example of a host");
  return code.replace('"./runtime/host.js"', JSON.stringify(RUNTIME.href));
}

const FILES = {
  "index.html": '<!doctype html><script type="module" src="/main.js"></script>\n',
  "main.js": `import { part } from "./part.js";
globalThis.program = { runs: [], parts: () => Object.keys(require.context("./parts", false, /\\.js$/).keys()).length };
const context = require.context("./parts", false, /\\.js$/);
program.part = () => part + context.keys().map((key) => context(key).name).join("");
module.hot.accept("./part.js", () => { program.runs.push("part"); });
module.hot.accept(context.id, () => { program.runs.push("context"); });
`,
  "part.js": "export const part = ['one'].join();\n",
  "parts/a.js": "export const name = 'a';\n",
};

test("the documented host loads, gathers updates and knows when all have come", async (t) => {
  const project = await makeProject(t, FILES);
  const { url } = await startServe(t, project.folder);
  const folder = await makeTempFolder(t, "host");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(`${folder}/package.json`, '{"type":"module"}');
  await writeFile(`${folder}/host.js`, example());
  await writeFile(`${folder}/open-socket.js`, `import { TestSocket } from ${JSON.stringify(SOCKET.href)};\nexport const openSocket = (url, protocol) => new TestSocket(new URL(url), protocol);\n`);
  const argv = process.argv[2];
  process.argv[2] = url.replace(/\/$/, "");
  atEnd(t, () => { process.argv[2] = argv; });
  const { host } = await import(pathToFileURL(`${folder}/host.js`).href);
  atEnd(t, () => host.close());
  const { program, update } = /** @type {any} */ (globalThis);
  assert.equal(program.part(), "onea");
  assert.equal(await update(), null);

  // Nobody waits for the watcher: the answer comes behind what was written.
  for (const text of ["two", "three", "four"]) {
    await project.write("part.js", `export const part = ['${text}'].join();\n`);
    assert.deepEqual(await update(), ["/part.js"]);
    assert.equal(program.part(), `${text}a`);
  }
  assert.deepEqual(program.runs, ["part", "part", "part"]);

  // Several changes are one update; check alone only says what there is.
  await project.write("part.js", "export const part = ['five'].join();\n");
  await project.write("parts/b.js", "export const name = 'b';\n");
  const changed = await update(false);
  assert.equal(host.updater.status, "ready");
  assert.equal(changed.length, 2);
  assert.ok(changed.includes("/part.js"));
  await host.updater.apply();
  assert.equal(host.updater.status, "idle");
  assert.deepEqual(program.runs.slice(3).sort(), ["context", "part"]);

  await rm(project.path("parts/a.js"));
  await update();
  assert.equal(program.runs.at(-1), "context");

  // What no module takes is refused with webpack's words.
  await project.write("main.js", `${FILES["main.js"]}globalThis.changed = [1].at(0);\n`);
  await assert.rejects(update(), /^Error: Aborted because \/main.js is not accepted/);
  assert.equal(host.updater.status, "abort");
});
