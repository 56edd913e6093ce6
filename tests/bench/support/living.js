// The heap that living closures take, in a process of its own. Run with --expose-gc.
import { readFile } from "node:fs/promises";
import { loadGraph, loadNative } from "./variants.js";

const [, , kind, where, count] = process.argv;
const make = /** @type {any} */ (kind === "plain"
  ? await loadNative(where, "/closures.mjs")
  : await loadGraph(JSON.parse(await readFile(where, "utf8"))));
// The first ones bring code and shapes along.
const first = make(1000);
const gc = /** @type {() => void} */ (globalThis.gc);
gc();
const before = process.memoryUsage().heapUsed;
const kept = make(Number(count));
gc();
process.stdout.write(String(process.memoryUsage().heapUsed - before));
if (kept.length + first.length === 0) throw new Error("they have to live until here");
