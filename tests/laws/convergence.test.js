// Random programs that are edited at random (sequence.js), 2,000 of them.
//
// CAPUCHIN_SEQUENCES: how many. CAPUCHIN_SEED: the first seed (from the clock). A failure prints its seed, and
// CAPUCHIN_SEED=… CAPUCHIN_SEQUENCES=1 plays it again. `cargo xtask bench convergence` runs more of them.
import { test } from "node:test";
import { Bench } from "./bench.js";
import { sequences } from "./sequence.js";

const SEQUENCES = Number(process.env.CAPUCHIN_SEQUENCES ?? 2000);
const FIRST = Number(process.env.CAPUCHIN_SEED ?? Date.now() % 1_000_000_000);

test(`patched programs answer like fresh ones: ${SEQUENCES} sequences from seed ${FIRST}`, async (t) => {
  const bench = await Bench.start(t);
  const counts = await sequences(bench, FIRST, SEQUENCES);
  t.diagnostic(`seed ${FIRST}: ${JSON.stringify(counts)}`);
});
