// Programs that try one thing of the language each, run plainly and instrumented, each in a realm of its own.
import { mkdir, writeFile } from "node:fs/promises";
import vm from "node:vm";
import { createHost } from "../../runtime/host.js";

/** @typedef {import("./bench.js").Bench} Bench */
/** What a program did: how it ended, what it said, and which globals it made. @typedef {{ end: string, said: string[], globals: string[] }} Result */

/** Milliseconds. Programs that run longer than this, plainly, are not tried: some are loops without an end. */
export const PATIENCE = 50;

let programs = 0;

/** @param {Record<string, unknown>} given */
function realm(given) {
  /** @type {string[]} */
  const said = [];
  const context = vm.createContext({ ...given });
  context.console = { log: (/** @type {unknown[]} */ ...values) => said.push(values.map(String).join(" ")) };
  const before = new Set(Object.getOwnPropertyNames(context));
  const globals = () => Object.getOwnPropertyNames(context).filter((it) => !before.has(it) && !it.startsWith("$cap")).map((it) => `${it}: ${typeof context[it]}`).sort();
  return { context, said, globals };
}

/** Errors of another realm have names, too; messages of syntax errors are the parser's own. @param {any} error */
function ending(error) {
  return error?.name === "SyntaxError" ? "SyntaxError" : `${error?.name ?? "threw"}: ${String(error?.message ?? error)}`;
}

/**
 * A program as CommonJS, run plainly; null if it does not end.
 *
 * @param {string} text
 * @param {Record<string, unknown>} given
 * @param {number} [patience] milliseconds; undefined: it does end
 * @returns {Result | null}
 */
export function plainly(text, given, patience) {
  const { context, said, globals } = realm(given);
  try {
    // Alone first: what closes the wrapper is no program.
    new vm.Script(`async()=>{}\n${text.startsWith("#!") ? `//${text}` : text}`);
  } catch (error) {
    if (!String(error).includes("Illegal return")) return { end: "SyntaxError", said, globals: [] };
  }
  try {
    const made = vm.runInContext(`(function(module,exports,require,__filename,__dirname){${text.startsWith("#!") ? `//${text}` : text}\n})`, context);
    const module = { exports: {} };
    context.$run = () => made.call(module.exports, module, module.exports, () => given.required, "", "");
    vm.runInContext("$run()", context, patience === undefined ? {} : { timeout: patience });
    delete context.$run;
    return { end: "done", said, globals: globals() };
  } catch (error) {
    delete context.$run;
    if (/** @type {any} */ (error).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return null;
    return { end: ending(error), said, globals: globals() };
  }
}

/**
 * The same programs, instrumented.
 *
 * @param {Bench} bench
 * @param {string[]} texts
 */
export async function written(bench, texts) {
  const folder = `language${++programs}`;
  await mkdir(`${bench.folder}/${folder}/node_modules/assert`, { recursive: true });
  await writeFile(`${bench.folder}/${folder}/node_modules/assert/index.js`, "module.exports = required;");
  for (const [index, text] of texts.entries()) await writeFile(`${bench.folder}/${folder}/${index}.cjs`, text);
  return folder;
}

/**
 * @param {Bench} bench
 * @param {string} folder
 * @param {number} index
 * @param {Record<string, unknown>} given
 * @returns {Promise<Result & { message?: string }>}
 */
export async function instrumented(bench, folder, index, given = {}) {
  const id = `/${folder}/${index}.cjs`;
  const graph = await bench.graph(id, "nobody");
  const module = graph.modules.find((/** @type {any} */ it) => it.id === id);
  const { context, said, globals } = realm(given);
  if (module.kind === "error") return { end: "SyntaxError", said, globals: [], message: module.code };
  const host = createHost({ origin: bench.url.origin, evaluate: (code) => vm.runInContext(code, context) });
  try {
    await host.enter(graph);
    return { end: "done", said, globals: globals() };
  } catch (error) {
    return { end: ending(error), said, globals: globals() };
  }
}
