import { test } from "node:test";
import { readFileSync } from "node:fs";
import { Bench } from "./bench.js";
test("x", async (t) => {
  const bench = await Bench.start(t);
  const at = (n) => readFileSync(`/tmp/h_${n}.js`, "utf8");
  const steps = JSON.parse(process.env.STEPS);
  const program = await bench.open({ "main.js": at(steps[0]) });
  for (const n of steps.slice(1)) {
    const { verdict, outcome } = await program.edit(at(n));
    console.log(n, verdict.verdict, JSON.stringify(verdict.reason), outcome?.outcome);
  }
  for (const e of (process.env.SEE ?? "t1(5)").split(";;")) console.log(e, JSON.stringify(await program.see(e)));
  if (process.env.CODE) for (const p of program.host.registry.module(program.id).sites.patches) if (p && p.name.includes(process.env.CODE)) console.log(p.id, p.name, p.rev, p.scope, p.code.code, "CELLS", JSON.stringify(p.code.cells));
  program.close();
});
