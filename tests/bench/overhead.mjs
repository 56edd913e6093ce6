// What instrumentation costs programs that nobody edits: real packages, with and without it, in turn, in one run. Then a function
// that was patched against the same function freshly loaded, and the memory of closures.
//
// "Without" is the same program from the same server through the same runtime, but from `node_modules`, where nothing is
// instrumented.
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
import { fetchGraph } from "./support/variants.js";
import { WORKLOADS, moduleOf, readInput, writeProgram } from "./support/workloads.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = promisify(execFile);

/** Processes for each variant of a program, in turn. */
const ROUNDS = 10;
/** Calls of loops that are compared inside one process. */
const CALLS = 60;
const WARM_UP = 30;

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

  const rows = [["program", "plain", "instrumented", "warm", "first call", "load"]];
  /** @type {{ name: string, warm: number, first: number }[]} */
  const ratios = [];
  for (const name of Object.keys(WORKLOADS)) {
    const id = moduleOf(name);
    const plain = join(folder, "plain.json");
    const instrumented = join(folder, "instrumented.json");
    await writeFile(plain, JSON.stringify(await fetchGraph(server.url, `/node_modules/plain${id}`)));
    await writeFile(instrumented, JSON.stringify(await fetchGraph(server.url, id)));
    const took = await inTurn({ plain, instrumented }, inputFile);
    const of = (/** @type {"load" | "first" | "warm"} */ what) => took.instrumented[what] / took.plain[what];
    rows.push([name, ms(took.plain.warm), ms(took.instrumented.warm), ratio(of("warm")), ratio(of("first")), ratio(of("load"))]);
    ratios.push({ name, warm: of("warm"), first: of("first") });
  }
  const warm = geometricMean(ratios.map((it) => it.warm));
  rows.push(["geometric mean", "", "", ratio(warm), ratio(geometricMean(ratios.map((it) => it.first))), ""]);
  const worst = ratios.reduce((a, b) => (a.warm > b.warm ? a : b));
  console.log(`\nPrograms that nobody edits, in Node ${process.version}, ${ROUNDS} processes each\n`);
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
 * Runs each variant in processes of its own, because what one leaves to the engine's caches changes the others, and in turn, because the
 * machine does other things too. Gives the fastest: a machine that is shared runs at half its speed for many seconds, which falls on
 * more than half of the processes of a variant and on none of the next; what it does besides only ever adds.
 *
 * @template {string} Name
 * @param {Record<Name, string>} files
 * @param {string} inputFile
 * @returns {Promise<Record<Name, { load: number, first: number, warm: number }>>}
 */
async function inTurn(files, inputFile) {
  const names = /** @type {Name[]} */ (Object.keys(files));
  /** @type {Map<Name, any[]>} */
  const runs = new Map(names.map((name) => [name, []]));
  const results = new Set();
  for (let n = 0; n < ROUNDS; n++) {
    for (const name of names) {
      const { stdout } = await run(process.execPath, [join(here, "support/variants.js"), "run", files[name], inputFile]);
      const figures = JSON.parse(stdout);
      results.add(figures.result);
      runs.get(name)?.push(figures);
    }
  }
  if (results.size !== 1) throw new Error(`the results differ: ${[...results].join(" and ")}`);
  const fastest = names.map((name) => {
    const of = (/** @type {string} */ what) => Math.min(...(runs.get(name) ?? []).map((it) => it[what]));
    return [name, { load: of("load"), first: of("first"), warm: of("warm") }];
  });
  return /** @type {any} */ (Object.fromEntries(fastest));
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
