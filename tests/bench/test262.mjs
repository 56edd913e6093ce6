// ECMAScript's own tests of functions, classes, generators and async code, instrumented and plain: CAPUCHIN_TEST262 names a folder
// with a checkout of them. No package has them, so this is done by hand; `docs/language.md` says what else is tried.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Bench } from "../laws/bench.js";
import { PATIENCE, instrumented, plainly, written } from "../laws/language.js";
import { scope } from "./support/scope.js";

const PARTS = /^(expressions|statements)\/(arrow-function|async-|class|function|generators|object\/method-definition|yield|await|super|new\.target|template-literal|tagged-template|assignment\/fn-name|dynamic-import\/.*-function)/;
const AT_ONCE = 500;

const folder = process.env.CAPUCHIN_TEST262;
if (folder === undefined) {
  console.error("CAPUCHIN_TEST262 names no folder: a checkout of ECMAScript's tests is needed");
  process.exit(1);
}

/** @param {string} name */
const harness = (name) => readFileSync(join(folder, "harness", name), "utf8");

/** @param {string} path */
function program(path) {
  const text = readFileSync(path, "utf8");
  const about = /\/\*---([^]*?)---\*\//.exec(text)?.[1] ?? "";
  const flags = /^flags:\s*\[(.*)\]/m.exec(about)?.[1].split(/,\s*/).filter(Boolean) ?? [];
  if (flags.includes("module") || flags.includes("raw") || /^negative:/m.test(about)) return null;
  const includes = /^includes:\s*\[(.*)\]/m.exec(about)?.[1].split(/,\s*/).filter(Boolean) ?? [];
  const before = ["assert.js", "sta.js", ...(flags.includes("async") ? ["doneprintHandle.js"] : []), ...includes].map(harness).join("\n");
  const isStrict = flags.includes("onlyStrict");
  return { path, text: `${isStrict ? '"use strict";' : ""}var print = console.log;\n${before}\n${text}` };
}

await scope(async (t) => {
  const bench = await Bench.start(t);
  const root = join(folder, "test/language");
  const paths = readdirSync(root, { recursive: true }).map(String).filter((it) => PARTS.test(it) && it.endsWith(".js") && !it.endsWith("_FIXTURE.js"));
  const programs = paths.sort().flatMap((it) => program(join(root, it)) ?? []);
  const counts = { programs: programs.length, same: 0, endless: 0, differ: 0 };
  for (let start = 0; start < programs.length; start += AT_ONCE) {
    const some = programs.slice(start, start + AT_ONCE);
    const name = await written(bench, some.map((it) => it.text));
    for (const [index, { path, text }] of some.entries()) {
      const plain = plainly(text, {}, PATIENCE);
      const ours = await instrumented(bench, name, index);
      // What is asynchronous says how it ended a few turns later.
      for (let i = 0; i < 3; i++) await turn();
      if (plain === null) counts.endless += 1;
      else if (JSON.stringify([plain.end, plain.said]) === JSON.stringify([ours.end, ours.said])) counts.same += 1;
      else {
        counts.differ += 1;
        console.log(path.slice(root.length + 1), JSON.stringify({ plain: [plain.end, ...plain.said], ours: [ours.end, ...ours.said] }));
      }
    }
  }
  console.log(JSON.stringify(counts));
});
