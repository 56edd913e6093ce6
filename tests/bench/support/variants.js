// One workload, loaded as Node loads it or as a page of Capuchin does.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createHost } from "../../../runtime/host.js";
import { percentile } from "./figures.js";

/** @typedef {{ code: string, prose: string }} Input */

/**
 * The instrumented modules of an entry, asked for as a page asks for them.
 *
 * @param {string} url the server's
 * @param {string} id
 */
export async function fetchGraph(url, id) {
  const html = await (await fetch(url)).text();
  const attribute = (/** @type {string} */ name) => new RegExp(`${name}="([^"]*)"`).exec(html)?.[1] ?? "";
  const query = new URLSearchParams({ m: id, page: attribute("data-page"), token: attribute("data-token") });
  const answer = await fetch(new URL(`/@capuchin/graph?${query}`, url));
  if (!answer.ok) throw new Error(`${id} was not served: ${answer.status}`);
  const graph = await answer.json();
  const broken = graph.modules.find((/** @type {any} */ it) => it.kind === "error");
  if (broken !== undefined) throw new Error(broken.code);
  return graph;
}

/**
 * @param {string} folder
 * @param {string} id
 * @returns {Promise<(input: Input) => unknown>}
 */
export async function loadNative(folder, id) {
  return taken(() => import(pathToFileURL(join(folder, id)).href));
}

/**
 * @param {any} graph
 * @returns {Promise<(input: Input) => unknown>}
 */
export async function loadGraph(graph) {
  const host = createHost({ origin: "http://localhost:4177", log: (level, message, error) => {
    if (level === "error") throw error ?? new Error(message);
  } });
  return taken(() => host.enter(graph));
}

/** @param {() => Promise<unknown>} load */
async function taken(load) {
  /** @type {any} */
  let run;
  Object.assign(globalThis, { take: (/** @type {unknown} */ given) => { run = given; } });
  await load();
  return run;
}

/** Milliseconds until a program counts as optimised, and for as many calls as fit. */
const WARM_UP = 1200;
const MEASURED = 800;

// As a process of its own: the first call, before anything is optimised, and of later ones the lower quartile, which has its share of
// collecting garbage, but not of what else the machine does.
if (process.argv[2] === "run") {
  const [, , , file, inputFile] = process.argv;
  const input = JSON.parse(await readFile(inputFile, "utf8"));
  const graph = JSON.parse(await readFile(file, "utf8"));
  const began = performance.now();
  const run = await loadGraph(graph);
  const loaded = performance.now();
  const result = run(input);
  const first = performance.now() - loaded;
  while (performance.now() - loaded < WARM_UP) run(input);
  /** @type {number[]} */
  const times = [];
  for (const end = performance.now() + MEASURED; performance.now() < end; ) {
    const began = performance.now();
    run(input);
    times.push(performance.now() - began);
  }
  process.stdout.write(JSON.stringify({ load: loaded - began, first, warm: percentile(times, 0.25), result }));
}
