// Law 11 on programs that nobody here wrote: libraries, instrumented as if they were the user's own code, must do what they do plainly.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { makeTempFolder } from "../support/project.js";
import { Bench, observe } from "./bench.js";
import { runPlainly } from "./plain.js";

const require = createRequire(import.meta.url);

/** A text to work on that has a bit of everything. */
const SAMPLE = JSON.stringify(readFileSync(new URL("./generate.js", import.meta.url), "utf8"));

/** @type {{ name: string, path: string, main: string, see: string[] }[]} */
const LIBRARIES = [
  {
    name: "acorn", path: "acorn/dist/acorn.mjs", main: "main.js",
    see: [
      `JSON.stringify(parse(${SAMPLE}, { ecmaVersion: 2022, sourceType: "module", locations: true }))`,
      `[...tokenizer(${SAMPLE}, { ecmaVersion: 2022, sourceType: "module" })].map((it) => it.type.label)`,
      `parse("let a = ;", { ecmaVersion: 2022 })`,
      `[parse.name, parse.length, Parser.name, Parser.length, Object.getOwnPropertyNames(Parser.prototype).length]`,
    ],
  },
  {
    name: "acorn as CommonJS", path: "acorn/dist/acorn.js", main: "main.cjs",
    see: [`JSON.stringify(parse(${SAMPLE}, { ecmaVersion: 2022, sourceType: "module" }))`],
  },
  {
    name: "esquery", path: "esquery/dist/esquery.min.js", main: "main.cjs",
    see: [`JSON.stringify(parse("CallExpression > Identifier[name=/a+/]:not(:first-child) ~ *"))`, `parse("[")`],
  },
  { name: "flatted", path: "flatted/esm.js", main: "main.js", see: [`stringify(parse('[["1","2"],"a",{"b":"0"}]'))`] },
];

test("libraries do the same instrumented and plain", async (t) => {
  const bench = await Bench.start(t);
  const folder = await makeTempFolder(t, "plain");
  for (const { name, path, main, see } of LIBRARIES) {
    let file;
    try {
      file = require.resolve(path);
    } catch {
      // Not every library exports its files by path.
      file = new URL(`../node_modules/${path}`, import.meta.url);
    }
    const text = readFileSync(file, "utf8");
    await t.test(name, async () => {
      const program = await bench.open({ [main]: text });
      const plain = await runPlainly(folder, { [main]: text });
      for (const it of see) assert.deepEqual(await program.see(it), await observe(plain, {}, it), it.slice(0, 80));
      program.close();
    });
  }
});
