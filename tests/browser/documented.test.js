// The examples that webpack's documentation of hot module replacement gives, each from an unsaved buffer and from disk.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { live, remember, settle, until } from "../support/live.js";

/** @typedef {import("playwright-core").Page} Page */

const FIXTURES = fileURLToPath(new URL("../../fixtures/hot/", import.meta.url));

/** The files of an example. @param {string} name @returns {Record<string, string>} */
function files(name) {
  const folder = join(FIXTURES, name);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  return Object.fromEntries(names.map((it) => {
    const path = join(it.parentPath ?? it.path, it.name);
    return [path.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8")];
  }));
}

/**
 * @param {string} name of the example
 * @param {string} file the one that is edited
 * @param {(it: { page: Page, edit: (old: string, text: string) => Promise<void> }) => Promise<void>} steps
 */
function example(name, file, steps) {
  for (const from of ["an unsaved buffer", "disk"]) {
    test(`${name}, from ${from}`, async (t) => {
      const isBuffer = from !== "disk";
      const { client, documents, project, page, problems } = await live(t, files(name), { open: isBuffer ? [file] : [] });
      const same = await remember(page);
      const edit = async (/** @type {string} */ old, /** @type {string} */ text) => {
        if (isBuffer) {
          const { outcome } = await settle(client, documents[file], documents[file].replace(old, text));
          assert.equal(outcome.outcome, "moduleUpdated");
        } else {
          const before = await project.read(file);
          assert.ok(before.includes(old));
          await project.write(file, before.replace(old, text));
        }
      };
      await steps({ page, edit });
      assert.ok(await same());
      assert.deepEqual(problems, []);
    });
  }
}

example("request-handler", "handler.js", async ({ page, edit }) => {
  assert.equal(await page.evaluate("request('/')"), "1: hello /");
  await edit('"hello"', '"good day"');
  await until(page, "request('/a').endsWith('good day /a')");
  await edit('"good day"', '"bye"');
  await until(page, "request('/b').endsWith('bye /b')");
  assert.match(String(await page.evaluate("request('/c')")), /^\d+: bye \/c$/);
});

example("style-tag", "style.js", async ({ page, edit }) => {
  assert.equal(await page.evaluate("getComputedStyle(out).color"), "rgb(1, 0, 0)");
  for (const n of [2, 3]) {
    await edit(`rgb(${n - 1},`, `rgb(${n},`);
    await until(page, `getComputedStyle(out).color === "rgb(${n}, 0, 0)"`);
  }
  assert.equal(await page.evaluate("document.querySelectorAll('.added').length"), 1);
});

example("context", "templates/b.js", async ({ page, edit }) => {
  assert.equal(await page.evaluate("render()"), "a b");
  await edit('"b"', '"B"');
  await until(page, "render() === 'a B'");
  assert.deepEqual(await page.evaluate("reloaded"), ["./b.js"]);
});

example("entry", "step.js", async ({ page, edit }) => {
  assert.equal(await page.evaluate("count()"), "1 of 1");
  await edit("[1]", "[10]");
  await until(page, "count().endsWith('2')");
  const [first, second] = /** @type {string[]} */ (await page.evaluate("[count(), count()]")).map(parseFloat);
  assert.ok(first > 10);
  assert.equal(second - first, 10);
});

example("side-effect", "clock.js", async ({ page, edit }) => {
  await until(page, "globalThis.last === 'tick'");
  await edit('"tick"', '"tock"');
  await until(page, "globalThis.last === 'tock'");
  assert.deepEqual(await page.evaluate("[clocks.size, mainRuns, plainRuns]"), [1, 1, ["plain"]]);
});

example("side-effect", "plain.js", async ({ page, edit }) => {
  await edit('"plain"', '"other"');
  await until(page, "plainRuns.length === 2");
  assert.deepEqual(await page.evaluate("[clocks.size, mainRuns, plainRuns]"), [1, 1, ["plain", "other"]]);
});
