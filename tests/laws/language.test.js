// Law 11 on programs that try one thing of the language each: instrumented they do what they do plainly, and what is no program
// plainly is none instrumented.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Bench } from "./bench.js";
import { published } from "./histories/packages.js";
import { PATIENCE, instrumented, plainly, written } from "./language.js";

/** @typedef {import("./language.js").Result} Result */

/** What is known to differ, and why; `docs/language.md` has it in words. @type {Record<string, string>} */
const KNOWN = {
  "pass/32b635a9667a9fb1.js": "the words of an error name the code around a call",
  "pass/bc302492d441d561.js": "the words of an error name the code around a call",
  "pass/5654d4106d7025c2.js": "`let` as a name",
  "pass/ee4e8fa6257d810a.js": "`let` as a name",
  "early/d32d2f1285789b8e.js": "CommonJS is the body of a function",
  "early/fc9cad7477872ddf.js": "CommonJS is the body of a function",
  "es6-destructuring-empty.js": "the words of an error name a parameter",
  "fail/a8beb1480f385441.js": "a call that is assigned to",
};

test("programs of the parser tests of ECMAScript do the same, instrumented and plain", async (t) => {
  const bench = await Bench.start(t);
  const folder = await published("test262-parser-tests", "0.0.5");
  const counts = { programs: 0, endless: 0, differ: 0 };
  for (const kind of ["pass", "early", "fail"]) {
    const names = readdirSync(`${folder}/${kind}`).filter((it) => !it.includes(".module."));
    await compare(bench, names.map((it) => `${kind}/${it}`), names.map((it) => readFileSync(`${folder}/${kind}/${it}`, "utf8")), {}, counts);
  }
  t.diagnostic(JSON.stringify(counts));
});

test("tests of generators and of the newer syntax do the same, instrumented and plain", async (t) => {
  const bench = await Bench.start(t);
  const counts = { programs: 0, endless: 0, differ: 0 };
  const generators = await published("regenerator", "0.4.0");
  /** @type {string[]} */
  const results = [];
  const given = {
    required: assert,
    describe: (/** @type {string} */ name, /** @type {() => void} */ body) => {
      results.push(name);
      body();
    },
    it: (/** @type {string} */ name, /** @type {(done: () => void) => void} */ body) => {
      let result = "passes";
      try {
        body(() => results.push(`${name} is done`));
      } catch (error) {
        result = String(error);
      }
      results.push(`${name} ${result}`);
    },
  };
  const text = readFileSync(`${generators}/test/tests.es6.js`, "utf8");
  const name = await written(bench, [text]);
  assert.equal(plainly(text, given)?.end, "done");
  const plain = results.splice(0);
  assert.equal((await instrumented(bench, name, 0, given)).end, "done");
  assert.deepEqual(results, plain);
  assert.ok(plain.filter((it) => it.endsWith("passes")).length > 40, plain.join("\n"));

  const syntax = `${await published("es6-transpiler", "0.7.18")}/tests`;
  const names = readdirSync(syntax).filter((it) => it.endsWith(".js") && !it.endsWith("-out.js"));
  await compare(bench, names, names.map((it) => readFileSync(`${syntax}/${it}`, "utf8")), {}, counts);
  t.diagnostic(JSON.stringify(counts));
});

/**
 * @param {Bench} bench
 * @param {string[]} names
 * @param {string[]} texts
 * @param {Record<string, unknown>} given
 * @param {{ programs: number, endless: number, differ: number }} counts
 */
async function compare(bench, names, texts, given, counts) {
  const folder = await written(bench, texts);
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const [index, text] of texts.entries()) {
    counts.programs += 1;
    const plain = plainly(text, given, PATIENCE);
    if (plain === null) {
      counts.endless += 1;
      continue;
    }
    const { end, said, globals } = await instrumented(bench, folder, index, given);
    if (isDeepStrictEqual({ end, said, globals }, plain)) continue;
    counts.differ += 1;
    if (!(names[index] in KNOWN)) found[names[index]] = { text: text.slice(0, 300), is: { end, said, globals }, plain };
  }
  assert.deepEqual(found, {});
}
