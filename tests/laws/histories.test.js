// Commits of real programs, typed key by key: a slice of the list. `cargo xtask bench histories` types them all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTempFolder } from "../support/project.js";
import { Bench } from "./bench.js";
import { PACKAGES } from "./histories/packages.js";
import { commits, replay } from "./histories/replay.js";

test("pages run what was typed: commits of real programs", async (t) => {
  const bench = await Bench.start(t);
  const plain = await makeTempFolder(t, "plain");
  const slice = commits(PACKAGES).filter(({ from, package: it }) => it.slice?.includes(from));
  for (const [index, commit] of slice.entries()) {
    await t.test(`${commit.package.name} ${commit.from} → ${commit.to}`, async () => {
      const { divergences } = await replay(bench, commit, { savesEachHunk: index % 2 === 0, plain });
      assert.deepEqual(divergences, []);
    });
  }
});
