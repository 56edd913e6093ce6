// The behaviours of fixtures/sites in Chromium: the same programs, in pages as people have them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";
import { difference } from "./bench.js";
import { fixtures } from "./fixtures.js";

/** @typedef {import("./fixtures.js").Fixture} Fixture */
/** @typedef {import("../support/lsp-client.js").LspClient} LspClient */
/** @typedef {import("../support/chromium.js").Browser} Browser */

test("every behaviour of a function site holds in Chromium", async (t) => {
  const all = fixtures().filter(({ expected }) => expected.only !== "node");
  /** @type {Record<string, string>} */
  const files = {};
  for (const fixture of all) {
    for (const [name, text] of Object.entries(fixture.files)) files[`${fixture.name}/${name}`] = text;
    files[`${fixture.name}/index.html`] = html(fixture.main);
  }
  const project = await makeProject(t, files);
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  const browser = await launchChromium(t);
  const only = process.env.CAPUCHIN_FIXTURE;
  for (const fixture of all) {
    if (!only || fixture.name === only) await t.test(fixture.name, () => run(client, browser, new URL(url), project, fixture));
  }
});

/** The page's own script hands the program's exports to the observations. @param {string} main */
function html(main) {
  const what = main.endsWith(".cjs") ? "exports" : "* as exports";
  return `<!doctype html><script type="module">import ${what} from "./${main}"; globalThis.$exports = exports; globalThis.held = {};</script>`;
}

/**
 * @param {LspClient} client
 * @param {Browser} browser
 * @param {URL} url
 * @param {import("../support/project.js").Project} project
 * @param {Fixture} fixture
 */
async function run(client, browser, url, project, { name, main, files, edits, expected }) {
  const document = client.open(project.uri(`${name}/${main}`), files[main]);
  const page = await browser.newPage();
  let loads = 0;
  page.on("load", () => (loads += 1));
  try {
    await page.goto(new URL(`${name}/`, url).href);
    await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
    /** @param {import("./fixtures.js").Observations} [observations] */
    const see = async (observations) => {
      for (const [expression, value] of observations ?? []) assert.deepEqual(await page.evaluate(observer(expression)), value, expression);
    };
    await see(expected.start);
    for (const [index, edit] of expected.edits.entries()) {
      await apply(edits[index], edit);
      await see(edit.see);
    }
    await apply(files[main], undefined);
    await see(expected.undo);
  } finally {
    document.close();
    await page.close();
    await client.notification("capuchin/pagesChanged", (it) => it.count === 0);
  }

  /** @param {string} text @param {import("./fixtures.js").ExpectedEdit} [wanted] */
  async function apply(text, wanted) {
    const { start, end, middle } = difference(document.text, text);
    const before = loads;
    const version = document.edit(start, end, middle);
    const { verdict, sites } = await client.verdict(document, version);
    if (wanted !== undefined) assert.equal(verdict, wanted.verdict);
    if (verdict === "unchanged" || (verdict === "hold" && sites.length === 0)) return;
    if (verdict !== "updateModule") {
      const { outcome, reason } = await client.outcome(document, version);
      // Going back leaves closures behind, too, where the text between had other variables.
      const allowed = wanted === undefined ? ["live", "nextCall"] : [wanted.outcome ?? "live"];
      assert.ok(allowed.includes(outcome), `${outcome}: ${JSON.stringify(reason)}`);
      return;
    }
    document.save();
    const done = (/** @type {any} */ it) => it.uri === document.uri && it.version >= version && it.outcome !== "live" && it.outcome !== "nextCall";
    const { outcome } = await client.notification("capuchin/outcome", done);
    if (wanted !== undefined) assert.equal(outcome, wanted.outcome ?? "needsReload");
    if (outcome !== "needsReload") return;
    if (loads === before) await page.waitForEvent("load");
    await page.waitForFunction("globalThis.held !== undefined");
    await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  }
}

/** @param {string} expression */
function observer(expression) {
  return `(async () => {
    const plain = (value) => {
      if (value === undefined) return "undefined";
      if (typeof value === "function") return "function " + value.name;
      if (typeof value === "symbol" || typeof value === "bigint") return String(value);
      if (typeof value === "number" && !Number.isFinite(value)) return String(value);
      return JSON.parse(JSON.stringify(value) ?? "null");
    };
    try {
      const evaluate = new Function("$exports", "held", ${JSON.stringify(`with ($exports) { return (${expression}\n); }`)});
      return plain(await evaluate($exports, held));
    } catch (error) {
      return error instanceof Error ? error.name + ": " + error.message : "thrown: " + String(error);
    }
  })()`;
}
