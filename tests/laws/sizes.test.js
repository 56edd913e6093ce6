// Programs that are large in one way or another, made here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, observe } from "./bench.js";
import { runPlainly } from "./plain.js";
import { makeTempFolder } from "../support/project.js";

const numbers = (/** @type {number} */ n) => Array.from({ length: n }, (_, index) => index);

/** @type {{ what: string, text: (k: number) => string, see: string }[]} */
const PROGRAMS = [
  {
    what: "a function of ten thousand lines",
    text: (k) => `let calls = 0;\nexport function long(x) {\n  calls += 1;\n${numbers(10_000).map((i) => `  x = (x + ${i}) % 1000003;\n`).join("")}  return x + ${k};\n}\n`,
    see: "long(5)",
  },
  {
    what: "two hundred functions, each in the one before",
    text: (k) => `export function deep() {\n${numbers(200).map((i) => `return (function f${i}() { let v${i} = ${i};\n`).join("")}return v0 + v199 + ${k};\n${"})();\n".repeat(200)}}\n`,
    see: "deep()",
  },
  {
    what: "two hundred arrows, each in the one before",
    text: (k) => `export const deep = (x) => ${numbers(200).map((i) => `((a${i}) => `).join("")}a0 + a199 + ${k}${")(x)".repeat(200)};\n`,
    see: "deep(4)",
  },
  {
    what: "five thousand functions on one line",
    text: (k) => `export const all = [${numbers(5000).map((i) => `(x)=>x+${i}`).join(",")},(x)=>x*${k}];export const sum=(x)=>all.reduce((s,f)=>s+f(x),0);`,
    see: "sum(3)",
  },
];

test("large programs are patched like small ones", async (t) => {
  const bench = await Bench.start(t);
  const folder = await makeTempFolder(t, "plain");
  for (const { what, text, see } of PROGRAMS) {
    await t.test(what, async () => {
      const program = await bench.open({ "main.js": text(1) });
      for (const k of [2, 30, 1]) {
        const { verdict } = await program.edit(text(k));
        assert.equal(verdict.verdict, "patch");
        const plain = await runPlainly(folder, { "main.js": text(k) });
        assert.deepEqual(await program.see(see), await observe(plain, {}, see));
      }
      program.close();
    });
  }
});
