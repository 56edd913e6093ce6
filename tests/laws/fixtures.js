// The behaviours under fixtures/sites: each is a folder with a program, its numbered edits, and what must be seen.
//
//     fixtures/sites/<behaviour>/
//       main.js              the program (main.cjs for CommonJS; other files beside it can be imported)
//       main.edit-1.js …     the whole text after each edit
//       expect.json
//
// expect.json:
//     about    one sentence
//     start    observations of the loaded program
//     edits    for each edit its `verdict`, its `outcome` (live unless said), the code of its `reason` (null: none), and what is seen then
//     fresh    expressions that need no state: they must give what the same text gives when it is run plainly, by
//              JavaScript itself, at the start and after every edit
//     undo     observations after everything was undone in one step
//
// Observations are pairs of an expression and its value. Expressions see the exports of the program and `held`, an object that
// lasts as long as the page; promises are waited for.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @typedef {[expression: string, value: unknown][]} Observations */
/** @typedef {{ verdict: string, outcome?: string, reason?: string | null, sites?: string[], see?: Observations, reloads?: boolean }} ExpectedEdit */
/** @typedef {{ about: string, start?: Observations, edits: ExpectedEdit[], fresh?: string[], undo?: Observations, only?: "chromium" | "node" }} Expected */
/** @typedef {{ name: string, main: string, files: Record<string, string>, edits: string[], expected: Expected }} Fixture */

const FOLDER = new URL("../../fixtures/sites/", import.meta.url);

/** @returns {Fixture[]} */
export function fixtures() {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((it) => it.isDirectory())
    .map((it) => it.name)
    .sort()
    .map(read);
}

/** @param {string} name @returns {Fixture} */
function read(name) {
  const folder = fileURLToPath(new URL(`${name}/`, FOLDER));
  const all = readdirSync(folder).sort();
  const main = all.find((it) => /^main\.c?js$/.test(it));
  if (main === undefined) throw new Error(`${name} has no main.js`);
  /** @type {Record<string, string>} */
  const files = { [main]: readFileSync(`${folder}${main}`, "utf8") };
  /** @type {Expected} */
  const expected = JSON.parse(readFileSync(`${folder}expect.json`, "utf8"));
  const edits = expected.edits.map((_, index) => readFileSync(`${folder}main.edit-${index + 1}${main.slice(4)}`, "utf8"));
  const count = all.filter((it) => it.startsWith("main.edit-")).length;
  if (count !== edits.length) throw new Error(`${name} has ${count} edits and expectations for ${edits.length}`);
  for (const file of all) {
    if (file !== "expect.json" && !file.startsWith("main.")) files[file] = readFileSync(`${folder}${file}`, "utf8");
  }
  return { name, main, files, edits, expected };
}
