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

/** Deeper than stacks are where nobody thinks of it; the last ones are deeper than any engine goes. @type {[what: string, text: string][]} */
const DEEP = [
  ["arrays", `const a = ${"[".repeat(1500)}${"]".repeat(1500)};`],
  ["terms", `const a = 1${"+1".repeat(12_000)};`],
  ["functions", `${"function f() {".repeat(1500)}${"}".repeat(1500)}`],
  ["objects", `const a = ${"{ a: ".repeat(9000)}1${" }".repeat(9000)};`],
  ["more terms than can be", `const a = 1${"+1".repeat(60_000)};`],
  ["more brackets than can be", `const a = ${"[".repeat(100_000)}`],
];

test("deep texts are taken or held, and what was there goes on", async (t) => {
  const bench = await Bench.start(t);
  for (const [what, deep] of DEEP) {
    await t.test(what, async () => {
      const program = await bench.open({ "main.js": "export const f = () => 1;\n" });
      const { document } = program;
      const { length } = document.text;
      const { verdict } = await program.judged(document.edit(length, length, `${deep}\n`));
      assert.ok(["updateModule", "patch", "hold"].includes(verdict), verdict);
      document.edit(length, document.text.length, "");
      await program.judged(document.version);
      const { outcome } = await program.edit("export const f = () => 2;\n");
      // What a page cannot make it says, and starts afresh.
      if (outcome?.outcome === "needsReload") await program.reload();
      assert.equal(await program.see("f()"), 2);
      program.close();
    });
  }
});
