// Laws 5 and 6 as a property: a random program is edited at random, half of the time through texts that do not parse. Whatever was
// done to it, the patched program answers like the same text run plainly by JavaScript itself; and when everything is undone, as at
// first.
//
// CAPUCHIN_EDITS: how many edits a sequence has (8). CAPUCHIN_SHOW=1 prints the last two texts of one that failed.
import assert from "node:assert/strict";
import { difference, observe, plain } from "./bench.js";
import { Generator, random } from "./generate.js";

/** @typedef {import("./bench.js").Bench} Bench */

const AT_ONCE = 4;
const EDITS = Number(process.env.CAPUCHIN_EDITS ?? 8);
const CALLS = ["t0(1, 2, 3)", "t0()", "t1(5)", "t1({ a: 3, c: [4] }, 1)", "t2(2, { b: 7 }, 9, 10)", "t2()"];
const GARBAGE = ["(", ")", "{", "}", "[", "\"", "'", "`", "/*", "=>", "function", "class A", "${", "@", "1 2", "if (", ";)", "let", "\\", "...", "= 5", "await", "x.", "// "];

/**
 * Runs the sequences with these seeds. The first that fails ends them.
 *
 * @param {Bench} bench
 * @param {number} first
 * @param {number} count
 * @returns {Promise<Record<string, number>>} how many edits there were, and what became of them
 */
export async function sequences(bench, first, count) {
  const counts = { edits: 0, patch: 0, unchanged: 0, hold: 0, updateModule: 0, broken: 0 };
  let next = first;
  /** @type {Error[]} */
  const failures = [];
  const some = async () => {
    while (next < first + count && failures.length === 0) {
      const seed = next++;
      try {
        await sequence(bench, seed, counts);
      } catch (error) {
        failures.push(Object.assign(new Error(`seed ${seed}: ${/** @type {Error} */ (error).message}`, { cause: error }), { seed }));
      }
    }
  };
  // While the server plans one, this process compares another.
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  if (failures.length > 0) throw failures[0];
  return counts;
}

/**
 * @param {Bench} bench
 * @param {number} seed
 * @param {Record<string, number>} counts
 */
async function sequence(bench, seed, counts) {
  const generator = new Generator(seed);
  const choose = random(seed + 1);
  const first = generator.text();
  const program = await bench.open({ "main.js": first });
  const history = [first];
  try {
    await compare(program, first);
    await keepClosures(program);
    for (let i = 0; i < EDITS; i++) {
      // Some edits go back to where the program has been.
      let tree = null;
      if (choose.chance(0.1)) tree = generator.copy();
      generator.edit();
      const text = generator.text();
      if (tree !== null) generator.program = tree;
      if (choose.chance(0.5)) counts.broken += await stumble(program, text, choose);
      const { verdict, outcome } = await program.edit(text);
      history.push(text);
      counts.edits += 1;
      counts[verdict.verdict] += 1;
      assert.notEqual(verdict.verdict, "hold", `a whole program is held: ${JSON.stringify(verdict.reason)}`);
      if (outcome !== undefined) {
        assert.ok(["live", "nextCall", "needsReload", "moduleUpdated"].includes(outcome.outcome), JSON.stringify(outcome));
      }
      await compare(program, text);
      await callClosures(program);
      if (outcome?.outcome === "needsReload") await keepClosures(program);
    }
    await program.edit(first);
    await compare(program, first);
    assert.deepEqual(program.problems, []);
  } catch (error) {
    if (process.env.CAPUCHIN_SHOW) for (const [index, text] of history.slice(-2).entries()) console.log(`--- ${index}\n${text}`);
    throw error;
  } finally {
    program.close();
  }
}

/**
 * The patched program against the text, run plainly.
 *
 * @param {import("./bench.js").Program} program
 * @param {string} text
 */
async function compare(program, text) {
  for (let tries = 1; ; tries++) {
    try {
      return await compareOnce(program, text);
    } catch (error) {
      // What a page held comes again once the server has heard of it: what is on its way gets the time to arrive.
      if (tries === 20) throw error;
      await program.bench.client.request("capuchin/pages", {});
    }
  }
}

/**
 * @param {import("./bench.js").Program} program
 * @param {string} text
 */
async function compareOnce(program, text) {
  const fresh = runPlain(text);
  for (const call of CALLS) assert.deepEqual(await program.see(call), await observe(fresh, {}, call), call);
  for (const name of Object.keys(fresh)) {
    if (name.startsWith("f") && /^(async )?function \w/.test(fresh[name].toString())) {
      const call = `${name}(3, { a: 1 })`;
      const answer = "(async () => { const it = " + call + "; return typeof it?.next === 'function' ? [...it] : it; })()";
      assert.deepEqual(await program.see(answer), await observe(fresh, {}, answer), call);
    }
  }
}

/** @param {string} text */
function runPlain(text) {
  return new Function(`"use strict";${text.replace(/^export (\{.*\});$/m, "return $1;")}`)();
}

/** Functions and objects that a page holds on to over all edits. @param {import("./bench.js").Program} program */
async function keepClosures(program) {
  program.held.kept = Object.values(program.namespace).filter((it) => typeof it === "function" && !/^class/.test(Function.prototype.toString.call(it)));
  program.held.instances = Object.values(program.namespace).flatMap((it) => (typeof it === "function" && /^class/.test(Function.prototype.toString.call(it)) ? [Reflect.construct(it, [1, 2])] : []));
}

/** Whatever they answer, they run: no name is missing and nothing fails to be made. @param {import("./bench.js").Program} program */
async function callClosures(program) {
  for (const it of [...(program.held.kept ?? []), ...(program.held.instances ?? []).map((/** @type {any} */ o) => () => o.run(1))]) {
    try {
      plain(await it(1, 2));
    } catch (error) {
      const lacks = error instanceof TypeError && /private|Receiver must/.test(error.message);
      if (error instanceof ReferenceError || error instanceof SyntaxError || lacks) throw new Error(`what was held threw ${error}`, { cause: error });
    }
  }
}

/**
 * Gets the editor into texts that do not parse, on the way to `text`: rubbish typed somewhere, or the text half typed.
 *
 * @param {import("./bench.js").Program} program
 * @param {string} text
 * @param {ReturnType<typeof random>} choose
 */
async function stumble(program, text, choose) {
  const { document } = program;
  if (choose.chance(0.5)) {
    const at = choose.below(document.text.length + 1);
    const rubbish = choose.pick(GARBAGE);
    let version = document.edit(at, at, rubbish);
    if (choose.chance(0.5)) await program.judged(version);
    if (choose.chance(0.5)) {
      const from = choose.below(document.text.length);
      version = document.edit(from, Math.min(document.text.length, from + choose.below(20)), "");
      if (choose.chance(0.5)) await program.judged(version);
    }
    return 1;
  }
  // As a person types: what differs goes, what is new comes piece by piece; sometimes each piece is planned by itself.
  const { start, end, middle } = difference(document.text, text);
  const waits = choose.chance(0.3);
  document.edit(start, end, "");
  const piece = Math.max(1, Math.ceil(middle.length / 30));
  for (let at = 0; at + piece < middle.length; at += piece) {
    const version = document.edit(start + at, start + at, middle.slice(at, at + piece));
    if (waits) await program.judged(version);
  }
  return 1;
}
