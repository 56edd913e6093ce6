// What a person with the browser's own tools sees: their file, their lines, before and after patches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { live } from "../support/live.js";

/** @typedef {{ functionName: string, location: { scriptId: string, lineNumber: number } }} Frame */

const MAIN = `let n = 0;
export function step(by) {
  n += by;
  return n;
}

function wait() {
  debugger;
  return n;
}

class Counter {
  up() {
    n += 1;
    return n;
  }
}
const counter = new Counter();
Object.assign(globalThis, { step, wait, counter, fail: () => null.x, text: () => [step.toString(), String(Counter)] });
`;

/** @param {import("playwright-core").Page} page @param {string} expression */
async function pausedAt(page, expression) {
  const { session, url, scripts } = await debuggerOf(page);
  const paused = new Promise((/** @type {(frames: Frame[]) => void} */ resolve) => session.once("Debugger.paused", (it) => resolve(/** @type {any} */ (it).callFrames)));
  const done = page.evaluate(expression);
  const [top] = await within(`the debugger to pause in ${expression}`, paused, 5000);
  await session.send("Debugger.resume");
  await done;
  return { line: top.location.lineNumber + 1, name: top.functionName, isMain: scripts.get(top.location.scriptId) === url };
}

/** @type {WeakMap<import("playwright-core").Page, { session: import("playwright-core").CDPSession, url: string, scripts: Map<string, string> }>} */
const sessions = new WeakMap();

/** @param {import("playwright-core").Page} page */
async function debuggerOf(page) {
  const known = sessions.get(page);
  if (known) return known;
  const session = await page.context().newCDPSession(page);
  /** @type {Map<string, string>} */
  const scripts = new Map();
  session.on("Debugger.scriptParsed", ({ scriptId, url }) => scripts.set(scriptId, url));
  await session.send("Debugger.enable");
  const made = { session, scripts, url: new URL("/main.js", page.url()).href };
  sessions.set(page, made);
  return made;
}

test("breakpoints on lines of the user's file stop before and after patches", async (t) => {
  const { edit, page } = await live(t, { "main.js": MAIN });
  const { session, url } = await debuggerOf(page);
  const set = (/** @type {number} */ line) => session.send("Debugger.setBreakpointByUrl", { url, lineNumber: line - 1 });
  await set(3);
  await set(14);
  assert.deepEqual(await pausedAt(page, "step(1)"), { line: 3, name: "step", isMain: true });
  assert.deepEqual(await pausedAt(page, "counter.up()"), { line: 14, name: "up", isMain: true });
  assert.equal((await edit("n += by;", "n += by * 10;")).outcome.outcome, "live");
  assert.deepEqual(await pausedAt(page, "step(1)"), { line: 3, name: "step", isMain: true });
  assert.equal((await edit("    n += 1;", "    n += 2;")).outcome.outcome, "live");
  assert.deepEqual(await pausedAt(page, "counter.up()"), { line: 14, name: "up", isMain: true });
  assert.equal(await page.evaluate("n => n", 1), 1);
});

test("debugger statements stop in the user's file", async (t) => {
  const { edit, page } = await live(t, { "main.js": MAIN });
  assert.deepEqual(await pausedAt(page, "wait()"), { line: 8, name: "wait", isMain: true });
  assert.equal((await edit("debugger;\n  return n;", "n += 1;\n  debugger;\n  return -n;")).outcome.outcome, "live");
  assert.deepEqual(await pausedAt(page, "wait()"), { line: 9, name: "wait", isMain: true });
});

test("errors and functions speak of the user's text", async (t) => {
  const { edit, page } = await live(t, { "main.js": MAIN });
  const where = () => page.evaluate("(() => { try { fail(); } catch (error) { return error.stack.split('\\n').filter((it) => it.includes('main.js')).map((it) => it.replace(/http\\S*\\/main/, 'main')); } })()");
  const column = MAIN.split("\n")[18].indexOf("x, text") + 1;
  assert.deepEqual(await where(), [`    at fail (main.js:19:${column})`]);
  assert.deepEqual(await page.evaluate("text()"), ["function step(by) {\n  n += by;\n  return n;\n}", "class Counter {\n  up() {\n    n += 1;\n    return n;\n  }\n}"]);
  assert.equal(await page.evaluate("(0, eval)('(' + Function.prototype.toString.toString().replace('function toString', 'function f') .replace('[native code]', '') + ').name')"), "f");
  assert.equal((await edit("() => null.x", "() => [n, null.x]")).outcome.outcome, "live");
  assert.deepEqual(await where(), [`    at fail (main.js:19:${column + 4})`]);
  assert.equal((await edit("n += 1;", "n += 1; // one")).verdict.verdict, "unchanged");
  assert.equal((await edit("return n;\n}\n\nfunction wait", "return n + 0;\n}\n\nfunction wait")).outcome.outcome, "live");
  assert.equal(await page.evaluate("text()[0]"), "function step(by) {\n  n += by;\n  return n + 0;\n}");
});
