// The histories of real programs, typed: all of them, or those of the packages whose names begin with BENCH_PACKAGE.
import { scope } from "./support/scope.js";
import { Bench } from "../laws/bench.js";
import { PACKAGES } from "../laws/histories/packages.js";
import { commits, replay } from "../laws/histories/replay.js";
import { makeTempFolder } from "../support/project.js";

const only = process.env.BENCH_PACKAGE ?? "";

await scope(async (t) => {
  const bench = await Bench.start(t);
  const plain = await makeTempFolder(t, "plain");
  for (const [index, commit] of commits(PACKAGES).entries()) {
    if (!commit.package.name.startsWith(only) || (process.env.BENCH_SKIP ?? "").split(",").includes(commit.package.name)) continue;
    const started = performance.now();
    const report = await replay(bench, commit, { savesEachHunk: index % 2 === 0, plain }).catch((error) => ({ commit: `${commit.package.name} ${commit.from} ${commit.to}`, keys: 0, verdicts: {}, reasons: {}, outcomes: {}, divergences: [String(error?.stack)] }));
    console.log(JSON.stringify({ ...report, ms: Math.round(performance.now() - started) }));
  }
});
