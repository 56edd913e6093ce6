// What a person with the browser's own tools sees: their file, their lines, before and after patches.
import assert from "node:assert/strict";
import { test } from "node:test";
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

/**
 * A debugger for `/main.js`: where it pauses while expressions are evaluated.
 *
 * @param {import("playwright-core").Page} page
 */
async function attach(page) {
  const url = new URL("/main.js", page.url()).href;
  const session = await page.context().newCDPSession(page);
  /** @type {Map<string, string>} */
  const scripts = new Map();
  /** @type {[name: string, line: number][]} */
  let pauses = [];
  session.on("Debugger.scriptParsed", (it) => scripts.set(it.scriptId, it.url));
  session.on("Debugger.paused", (it) => {
    const [{ functionName, location }] = /** @type {{ callFrames: Frame[] }} */ (it).callFrames;
    pauses.push([scripts.get(location.scriptId) === url ? functionName : `${functionName} elsewhere`, location.lineNumber + 1]);
    void session.send("Debugger.resume");
  });
  await session.send("Debugger.enable");
  return {
    /** @param {number} line */
    stopAt: (line) => session.send("Debugger.setBreakpointByUrl", { url, lineNumber: line - 1 }),
    /** @param {string} expression */
    pausedIn: async (expression) => {
      pauses = [];
      await page.evaluate(expression);
      return pauses;
    },
  };
}

test("breakpoints on lines of the user's file stop before and after patches", async (t) => {
  const { edit, page } = await live(t, { "main.js": MAIN });
  const { stopAt, pausedIn } = await attach(page);
  await stopAt(3);
  await stopAt(14);
  assert.deepEqual(await pausedIn("step(1)"), [["step", 3]]);
  assert.deepEqual(await pausedIn("counter.up()"), [["up", 14]]);
  assert.equal((await edit("n += by;", "n += by * 10;")).outcome.outcome, "live");
  assert.deepEqual(await pausedIn("step(1)"), [["step", 3]]);
  assert.equal((await edit("    n += 1;", "    n += 2;")).outcome.outcome, "live");
  assert.deepEqual(await pausedIn("counter.up()"), [["up", 14]]);
  assert.deepEqual(await pausedIn("counter.up()"), [["up", 14]]);
});

test("debugger statements stop in the user's file", async (t) => {
  const { edit, page } = await live(t, { "main.js": MAIN });
  const { pausedIn } = await attach(page);
  assert.deepEqual(await pausedIn("wait()"), [["wait", 8]]);
  assert.equal((await edit("debugger;\n  return n;", "n += 1;\n  debugger;\n  return -n;")).outcome.outcome, "live");
  assert.deepEqual(await pausedIn("wait()"), [["wait", 9]]);
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
  assert.equal((await edit("return n;\n}\n\nfunction wait", "return n + 0;\n}\n\nfunction wait")).outcome.outcome, "live");
  assert.equal(await page.evaluate("text()[0]"), "function step(by) {\n  n += by;\n  return n + 0;\n}");
});
