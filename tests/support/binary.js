// Finding the program under test and running it.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { atEnd } from "./cleanup.js";
import { within } from "./deadline.js";

/** @typedef {import("node:test").TestContext} TestContext */

/** The program under test: the one that CAPUCHIN_BIN names, or Cargo's debug build. */
export function capuchinBinary() {
  const name = process.platform === "win32" ? "capuchin.exe" : "capuchin";
  const path =
    process.env.CAPUCHIN_BIN ||
    (process.env.CARGO_TARGET_DIR
      ? `${process.env.CARGO_TARGET_DIR}/debug/${name}`
      : fileURLToPath(new URL(`../../target/debug/${name}`, import.meta.url)));
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`There is no program ${path}: run "cargo build -p capuchin" first, or set CAPUCHIN_BIN.`);
  }
  return path;
}

/**
 * Runs the program to its end.
 *
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, input?: string }} [options]
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
export async function runCapuchin(args, { cwd, env, input = "" } = {}) {
  const child = spawn(capuchinBinary(), args, { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (data) => (stdout += data));
  child.stderr.setEncoding("utf8").on("data", (data) => (stderr += data));
  // A program that does not read its input closes the pipe under us, which is its right.
  child.stdin.on("error", () => {}).end(input);
  try {
    const code = await within(
      () => `capuchin ${args.join(" ")} to end; it wrote:\n${stdout}${stderr}`,
      new Promise((resolve, reject) => child.once("error", reject).once("close", resolve)),
    );
    return { code, stdout, stderr };
  } finally {
    child.kill("SIGKILL");
  }
}

/**
 * Starts `capuchin serve` and waits for its first line, the address. It is stopped when the test ends.
 *
 * @param {TestContext} t
 * @param {string} root
 * @param {{ port?: number, args?: string[], env?: Record<string, string> }} [options]
 */
export function startServe(t, root, { port = 0, args = [], env } = {}) {
  return startServer(t, ["serve", root, "--port", String(port), ...args], env);
}

/**
 * Starts `capuchin demo` and waits for its first line, the address. It is stopped when the test ends.
 *
 * @param {TestContext} t
 * @param {string} example
 * @param {{ env?: Record<string, string> }} [options]
 */
export function startDemo(t, example, { env } = {}) {
  return startServer(t, ["demo", example, "--no-open", "--port", "0"], env);
}

/**
 * @param {TestContext} t
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
async function startServer(t, args, env) {
  const name = `capuchin ${args[0]}`;
  const child = spawn(capuchinBinary(), args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (data) => (stderr += data));
  /**
   * Waits until the log has a line like this after the lines that were waited for before, and returns it without its time.
   *
   * @param {RegExp} pattern
   * @returns {Promise<string>}
   */
  const logged = (pattern) => {
    /** @type {(line: string) => void} */
    let found = () => {};
    const look = () => {
      const lines = stderr.slice(read).split("\n");
      const at = lines.slice(0, -1).findIndex((it) => pattern.test(it));
      if (at === -1) return;
      read += lines.slice(0, at + 1).join("\n").length + 1;
      child.stderr.off("data", look);
      found(lines[at].replace(/^\S+Z +/, ""));
    };
    const line = /** @type {Promise<string>} */ (new Promise((resolve) => (found = resolve)));
    child.stderr.on("data", look);
    look();
    return within(() => `${name} to log ${pattern}; it wrote after that which was read:\n${stderr.slice(read)}`, line);
  };
  let read = 0;
  const ended = new Promise((resolve) => child.once("close", resolve));
  atEnd(t, async () => {
    child.kill("SIGTERM");
    await within(`${name} to end`, ended).catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
  });

  const lines = createInterface({ input: child.stdout });
  const url = await within(
    () => `${name} to print its address; it wrote to stderr:\n${stderr}`,
    new Promise((resolve, reject) => {
      lines.once("line", resolve);
      child.once("error", reject);
      child.once("close", (code) => reject(new Error(`${name} ended with code ${code}:\n${stderr}`)));
    }),
  );
  return { url: /** @type {string} */ (url), process: child, ended, stderr: () => stderr, logged };
}
