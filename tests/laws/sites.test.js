// The behaviours of fixtures/sites in Node: the real program, the real runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTempFolder } from "../support/project.js";
import { Bench, observe } from "./bench.js";
import { fixtures } from "./fixtures.js";
import { runPlainly } from "./plain.js";

/** @typedef {import("./bench.js").Program} Program */
/** @typedef {import("./fixtures.js").Fixture} Fixture */

test("every behaviour of a function site holds in Node", async (t) => {
  const bench = await Bench.start(t);
  const plain = await makeTempFolder(t, "plain");
  const only = process.env.CAPUCHIN_FIXTURE;
  for (const fixture of fixtures()) {
    if (fixture.expected.only === "chromium" || (only && fixture.name !== only)) continue;
    await t.test(fixture.name, () => run(bench, plain, fixture));
  }
});

/**
 * @param {Bench} bench
 * @param {string} plain
 * @param {Fixture} fixture
 */
async function run(bench, plain, { main, files, edits, expected }) {
  const program = await bench.open(files);
  /** @param {import("./fixtures.js").Observations} [observations] */
  const see = async (observations) => {
    for (const [expression, value] of observations ?? []) assert.deepEqual(await program.see(expression), value, expression);
  };
  /** @param {string} text */
  const likeFresh = async (text) => {
    if (expected.fresh === undefined) return;
    const fresh = await runPlainly(plain, { [main]: text, ...others(files, main) });
    for (const it of expected.fresh) assert.deepEqual(await program.see(it), await observe(fresh, {}, it), `${it}, as in a fresh load`);
  };
  try {
    await likeFresh(files[main]);
    await see(expected.start);
    for (const [index, { verdict, outcome, reason, sites, see: seen, reloads }] of expected.edits.entries()) {
      const before = program.reloads;
      const got = await program.edit(edits[index]);
      const where = `edit ${index + 1}: ${JSON.stringify(got.verdict.reason ?? got.outcome?.reason ?? "")}`;
      assert.equal(got.verdict.verdict, verdict, `the verdict on ${where}`);
      if (sites !== undefined) assert.deepEqual(got.verdict.sites.map((it) => it.name), sites, `the sites of ${where}`);
      if (reason !== undefined) assert.equal((got.verdict.reason ?? got.outcome?.reason)?.code ?? null, reason, `the reason for ${where}`);
      if (got.outcome) {
        const wanted = outcome ?? (verdict === "updateModule" ? "needsReload" : "live");
        assert.equal(got.outcome.outcome, wanted, `the outcome of ${where}`);
      } else {
        assert.equal(outcome, undefined, `there is no outcome of ${where}`);
      }
      assert.equal(program.reloads > before, reloads ?? (verdict === "updateModule" && outcome === undefined), `reloading after ${where}`);
      await see(seen);
      if (verdict !== "hold") await likeFresh(edits[index]);
    }
    const undone = await program.edit(files[main]);
    assert.notEqual(undone.verdict.verdict, "hold", `undo: ${JSON.stringify(undone.verdict.reason)}`);
    const wanted = undone.verdict.verdict === "updateModule" ? ["needsReload", "moduleUpdated"] : [undefined, "live", "nextCall"];
    assert.ok(wanted.includes(undone.outcome?.outcome), `undo: ${JSON.stringify(undone.outcome)}`);
    await see(expected.undo);
    await likeFresh(files[main]);
    assert.deepEqual(program.problems, []);
  } finally {
    program.close();
  }
}

/** @param {Record<string, string>} files @param {string} main */
function others(files, main) {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== main));
}
