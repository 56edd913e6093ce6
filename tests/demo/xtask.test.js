// `cargo xtask demo`, the first command of a newcomer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { atEnd } from "../support/cleanup.js";
import { within } from "../support/deadline.js";
import { makeTempFolder } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */

/** Building may take minutes where nothing was built yet. */
const BUILD_MS = 600_000;

/**
 * Starts the task as a user does, in the repository.
 *
 * @param {TestContext} t
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function xtask(t, args, env = {}) {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  // Cargo hands its own process over, so that a signal for it is one for the task.
  const child = spawn(process.env.CARGO || "cargo", ["xtask", ...args], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  /** @type {Promise<{ code: number | null, signal: string | null }>} */
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (data) => (text += data));
  atEnd(t, async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, ended, text: () => text };
}

test("help and mistakes are answered before anything is built", async (t) => {
  for (const [args, code, words] of /** @type {[string[], number, RegExp][]} */ ([
    [["demo", "--help"], 0, /^Usage: cargo xtask demo \[EXAMPLE\]/],
    [["demo", "nonsense"], 2, /there is no example 'nonsense'; the examples are clock, game, todo/],
    [["demo", "--port", "abc"], 2, /'abc' is no port: a port is a number from 0 to 65535/],
  ])) {
    const { ended, text } = xtask(t, args);
    const end = await within(() => `cargo xtask ${args.join(" ")} to end; it wrote:\n${text()}`, ended, BUILD_MS);
    assert.equal(end.code, code);
    assert.match(text(), words);
    assert.doesNotMatch(text(), /npm|Building/);
  }
});

// Windows has no signals that a program could take.
for (const signal of process.platform === "win32" ? [] : /** @type {const} */ (["SIGTERM", "SIGINT"])) {
  test(`${signal} ends the demo and takes its folder away`, async (t) => {
    const temp = await makeTempFolder(t, "temp");
    const { child, ended, text } = xtask(t, ["demo", "clock", "--no-open", "--port", "0"], { TMPDIR: temp });
    const url = await within(
      () => `the demo's address; it wrote:\n${text()}`,
      new Promise((resolve, reject) => {
        createInterface({ input: child.stdout }).on("line", (line) => {
          if (line.startsWith("http://")) resolve(line);
        });
        void ended.then(() => reject(new Error(`it ended:\n${text()}`)));
      }),
      BUILD_MS,
    );
    assert.equal((await fetch(url)).status, 200);
    child.kill(signal);
    assert.deepEqual(await within(`${signal} to end the demo`, ended), { code: 0, signal: null });
    await assert.rejects(fetch(url));
    assert.deepEqual(await readdir(temp), []);
  });
}
