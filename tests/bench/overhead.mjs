// What instrumentation costs programs that nobody edits: real packages, with and without it, in turn, in one run. Then a function
// that was patched against the same function freshly loaded, and the memory of closures.
//
// "Without" is the same program from the same server through the same runtime, but from `node_modules`, where nothing is
// instrumented. The way Node loads the files by itself is shown beside it; the two differ, because module variables of Node's own
// loader are not the local variables of a function.
import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { capuchinBinary, startServe } from "../support/binary.js";
import { makeTempFolder } from "../support/project.js";
import { geometricMean, median, ms, ratio, table, verdict } from "./support/figures.js";
import { scope } from "./support/scope.js";
import { fetchGraph, loadGraph, loadNative } from "./support/variants.js";
import { WORKLOADS, moduleOf, readInput, writeProgram } from "./support/workloads.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = promisify(execFile);

const WARM_UP = 30;
const CALLS = 60;
const COLD_RUNS = 9;

/** Forms of a function, called three million times by code that is not patched. */
const LOOPS = {
  "a function": ["function step(x) { return (x * 31 + 7) % 1000003; }", "step(x)"],
  "a closure": ["const step = ((by) => (x) => (x * 31 + by) % 1000003)(7);", "step(x)"],
  "a method": ["class Machine { step(x) { return (x * 31 + 7) % 1000003; } }\nconst machine = new Machine();", "machine.step(x)"],
};
const CALLS_IN_LOOP = 3_000_000;

/** Closures that live, each from a call of its own. */
const CLOSURES = {
  "an object with two methods": "function make(n) { let count = n; const label = 'counter ' + n; return { add(by) { count += by; return count; }, show() { return label + count; } }; }",
  "one arrow function": "const make = (n) => { let count = n; return () => (count += 1); };",
};
const LIVING = 100_000;

// Kept apart from the packages of the tests: who does not measure need not install a parser of Babel's.
if (!existsSync(join(here, "node_modules"))) {
  execFileSync(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });
}

await scope(async (t) => {
  const folder = await makeTempFolder(t, "overhead");
  await writeProgram(folder);
  // Dependencies are served without guards.
  await writeProgram(join(folder, "node_modules/plain"));
  const input = await readInput();
  const inputFile = join(folder, "input.json");
  await writeFile(inputFile, JSON.stringify(input));
  const server = await startServe(t, folder);

  const rows = [["program", "plain", "instrumented", "warm", "first call", "load", "warm, to Node's loader"]];
  /** @type {{ name: string, warm: number, cold: number }[]} */
  const ratios = [];
  for (const name of Object.keys(WORKLOADS)) {
    const id = moduleOf(name);
    const graphs = { plain: await fetchGraph(server.url, `/node_modules/plain${id}`), instrumented: await fetchGraph(server.url, id) };
    const files = { plain: join(folder, "plain.json"), instrumented: join(folder, "instrumented.json") };
    for (const kind of /** @type {const} */ (["plain", "instrumented"])) await writeFile(files[kind], JSON.stringify(graphs[kind]));
    const warm = compare({
      plain: await loadGraph(graphs.plain),
      instrumented: await loadGraph(graphs.instrumented),
      native: await loadNative(folder, id),
    }, input);
    const cold = { plain: /** @type {any[]} */ ([]), instrumented: /** @type {any[]} */ ([]) };
    for (let n = 0; n < COLD_RUNS; n++) {
      for (const kind of /** @type {const} */ (["plain", "instrumented"])) cold[kind].push(await firstCall(files[kind], inputFile));
    }
    const first = median(cold.instrumented.map((it) => it.first)) / median(cold.plain.map((it) => it.first));
    const load = median(cold.instrumented.map((it) => it.load)) / median(cold.plain.map((it) => it.load));
    const own = warm.instrumented / warm.plain;
    rows.push([name, ms(warm.plain), ms(warm.instrumented), ratio(own), ratio(first), ratio(load), ratio(warm.instrumented / warm.native)]);
    ratios.push({ name, warm: own, cold: first });
  }
  const warm = geometricMean(ratios.map((it) => it.warm));
  rows.push(["geometric mean", "", "", ratio(warm), ratio(geometricMean(ratios.map((it) => it.cold))), "", ""]);
  const worst = ratios.reduce((a, b) => (a.warm > b.warm ? a : b));
  console.log(`\nPrograms that nobody edits, in Node ${process.version}; ${CALLS} calls in turn after ${WARM_UP}, ${COLD_RUNS} first calls\n`);
  console.log(table(rows));
  console.log(`\n${verdict("geometric mean, warm", warm, 1.05, ratio)}\n${verdict(`the worst, ${worst.name}, warm`, worst.warm, 1.15, ratio)}`);

  await patchedLoop(folder);
  await closures(folder);
});

/**
 * Calls the variants in turn, so that what else the machine does falls on all of them, and gives the median of each.
 *
 * @template {string} Name
 * @param {Record<Name, (input: any) => unknown>} variants
 * @param {any} input
 * @returns {Record<Name, number>}
 */
function compare(variants, input) {
  const names = /** @type {Name[]} */ (Object.keys(variants));
  const times = /** @type {Record<Name, number[]>} */ (/** @type {unknown} */ (Object.fromEntries(names.map((name) => [name, []]))));
  for (let n = 0; n < WARM_UP + CALLS; n++) {
    const results = new Set();
    // Nobody is always the one that comes after another's garbage.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(n + turn) % names.length];
      const began = performance.now();
      results.add(variants[name](input));
      if (n >= WARM_UP) times[name].push(performance.now() - began);
    }
    if (results.size !== 1) throw new Error(`the results differ: ${[...results].join(" and ")}`);
  }
  return /** @type {Record<Name, number>} */ (Object.fromEntries(names.map((name) => [name, median(times[name])])));
}

/**
 * @param {string} graphFile
 * @param {string} inputFile
 * @returns {Promise<{ load: number, first: number }>}
 */
async function firstCall(graphFile, inputFile) {
  const { stdout } = await run(process.execPath, [join(here, "support/variants.js"), "cold", graphFile, inputFile]);
  return JSON.parse(stdout);
}

/** @param {string} folder */
async function patchedLoop(folder) {
  const rows = [["a function in a hot loop", "fresh", "patched", "ratio"]];
  let worst = 0;
  for (const [name, [text, call]] of Object.entries(LOOPS)) {
    const source = (/** @type {string} */ text) => `${text}
take((n) => {
  let x = 1;
  for (let i = 0; i < n; i++) x = ${call};
  return x;
});
`;
    const edited = text.replace("* 31", "* 37");
    const before = await diff(folder, source(text), source(edited));
    const after = await diff(folder, source(edited), source(edited));
    const fresh = await loadDiffed(after);
    const patched = await loadDiffed(before);
    patched.host.receive({ type: "push", seq: 1, when: "typing", changes: [{
      type: "patch", module: "/m.js", from: 1, rev: 2, nsites: before.loaded.sites,
      sites: before.sites.map((/** @type {any} */ it) => ({ ...it, rev: 2 })),
    }] });
    const took = compare({ fresh: fresh.run, patched: patched.run }, CALLS_IN_LOOP);
    rows.push([name, ms(took.fresh), ms(took.patched), ratio(took.patched / took.fresh)]);
    worst = Math.max(worst, took.patched / took.fresh);
  }
  console.log(`\n${table(rows)}\n\n${verdict("a patched function in a hot loop", worst, 1.5, ratio)}`);
}

/** @param {string} folder @param {string} old @param {string} text */
async function diff(folder, old, text) {
  await writeFile(join(folder, "old.js"), old);
  await writeFile(join(folder, "new.js"), text);
  const { stdout } = await run(capuchinBinary(), ["diff", join(folder, "old.js"), join(folder, "new.js"), "--json"]);
  return JSON.parse(stdout);
}

/** @param {any} diffed */
async function loadDiffed({ loaded }) {
  const { createHost } = await import("../../runtime/host.js");
  const host = createHost({ origin: "http://localhost:4177" });
  /** @type {any} */
  let taken;
  Object.assign(globalThis, { take: (/** @type {unknown} */ given) => { taken = given; } });
  const kind = loaded.code.startsWith("(function($cap_m,module") ? "cjs" : "esm";
  await host.enter({ entry: "/m.js", server: "", modules: [{ id: "/m.js", kind, rev: 1, sites: loaded.sites, deps: [], code: loaded.code }] });
  return { host: /** @type {any} */ (host), run: /** @type {(n: number) => unknown} */ (taken) };
}

/** @param {string} folder */
async function closures(folder) {
  const rows = [[`${LIVING.toLocaleString("en")} closures`, "plain", "instrumented", "ratio"]];
  let worst = 0;
  for (const [name, text] of Object.entries(CLOSURES)) {
    const source = `${text}\ntake((n) => Array.from({ length: n }, (_, index) => make(index)));\n`;
    const { loaded } = await diff(folder, source, source);
    const graph = { entry: "/m.js", server: "", modules: [{ id: "/m.js", kind: "esm", rev: 1, sites: loaded.sites, deps: [], code: loaded.code }] };
    await writeFile(join(folder, "closures.json"), JSON.stringify(graph));
    await writeFile(join(folder, "closures.mjs"), source);
    const plain = await living("plain", folder);
    const instrumented = await living("instrumented", join(folder, "closures.json"));
    const megabytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
    rows.push([name, megabytes(plain), megabytes(instrumented), ratio(instrumented / plain)]);
    worst = Math.max(worst, instrumented / plain);
  }
  console.log(`\n${table(rows)}\n\n${verdict("memory of living closures", worst, 1.3, ratio)}`);
}

/** @param {string} kind @param {string} where @returns {Promise<number>} bytes */
async function living(kind, where) {
  const script = join(here, "support/living.js");
  const { stdout } = await run(process.execPath, ["--expose-gc", script, kind, where, String(LIVING)]);
  return Number(stdout);
}
