// The convergence property (../laws/sequence.js) in a long run: blocks of a thousand sequences, each with a server of its own, on all
// processors. What fails is told with its seed, and the rest goes on.
//
// CAPUCHIN_SEQUENCES: how many (2,000). CAPUCHIN_SEED: the first seed (from the clock).
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Bench } from "../laws/bench.js";
import { sequences } from "../laws/sequence.js";
import { scope } from "./support/scope.js";

const BLOCK = 1000;

if (process.argv[2] === "block") {
  const [first, count] = process.argv.slice(3).map(Number);
  // Outside of the test runner, which watches every promise: that would take most of the time.
  await scope(async (t) => {
    const bench = await Bench.start(t);
    const counts = await sequences(bench, first, count);
    process.send?.({ counts });
  }).catch((error) => process.send?.({ seed: error.seed, message: error.message }));
  process.disconnect?.();
} else {
  const count = Number(process.env.CAPUCHIN_SEQUENCES ?? 2000);
  const first = Number(process.env.CAPUCHIN_SEED ?? Date.now() % 1_000_000_000);
  await longRun(first, count);
}

/** @param {number} first @param {number} count */
async function longRun(first, count) {
  const began = performance.now();
  /** @type {[first: number, count: number][]} */
  const blocks = [];
  for (let at = 0; at < count; at += BLOCK) blocks.push([first + at, Math.min(BLOCK, count - at)]);
  /** @type {Record<string, number>} */
  const totals = {};
  let passed = 0;
  /** @type {string[]} */
  const failures = [];
  const some = async () => {
    for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
      const [from, length] = block;
      const { counts, seed, message } = await runBlock(from, length);
      if (counts !== undefined) {
        passed += length;
        for (const [name, it] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + it;
      } else {
        failures.push(message);
        console.log(message);
        // Those before it are through, but for the few that ran beside it; those after it are a block of their own.
        const done = seed === undefined ? 0 : seed - from;
        passed += done;
        if (seed !== undefined && done + 1 < length) blocks.unshift([seed + 1, length - done - 1]);
      }
      const seconds = (performance.now() - began) / 1000;
      console.log(`${passed} passed, ${failures.length} failed, ${(passed / seconds).toFixed(1)} a second`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, some));
  console.log(`\nFrom seed ${first}: ${passed} sequences passed, ${failures.length} failed; ${JSON.stringify(totals)}`);
  for (const failure of failures) console.log(`FAILED  ${failure.split("\n", 1)[0]}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** @param {number} first @param {number} count @returns {Promise<{ counts?: Record<string, number>, seed?: number, message: string }>} */
function runBlock(first, count) {
  const child = fork(fileURLToPath(import.meta.url), ["block", String(first), String(count)]);
  /** @type {any} */
  let result = { message: `the block of ${count} from seed ${first} ended without a result` };
  child.on("message", (it) => (result = it));
  return new Promise((resolve) => child.once("close", () => resolve(result)));
}
