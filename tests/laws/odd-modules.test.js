// Modules whose functions cannot be patched one by one, and files that are no programs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench } from "./bench.js";

const accepts = "import.meta.hot.accept();\n";

test("an ES module with a direct eval, or with our own names, runs again for every change", async (t) => {
  const bench = await Bench.start(t);
  for (const text of [
    `export function look(code) { const local = 1; return eval(code); }\nexport function get() { return 1; }\n${accepts}`,
    `export function get() { return $cap_value; }\nconst $cap_value = 1;\n${accepts}`,
  ]) {
    const program = await bench.open({ "main.js": text });
    assert.equal(await program.see("get()"), 1);
    const { verdict, outcome } = await program.edit(text.replace(/get\(\) \{ return (.*?); \}/, "get() { return $1 + 1; }"));
    assert.equal(verdict.verdict, "updateModule");
    assert.equal(outcome?.outcome, "moduleUpdated");
    assert.equal(await program.see("get()"), 2);
    program.close();
  }
});

test("a TypeScript file is left alone", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": "export const n = 1;\n", "other.ts": "export const n: number = 1;\n" });
  const { document, listener } = program.also("other.ts");
  const { verdict } = await listener.verdictOn(document.replace("= 1", "= 2"));
  assert.ok(["unchanged", "patch"].includes(verdict));
  assert.equal(await program.see("n"), 1);
  program.close();
});
