// The cases of fixtures/hot/rules, and running one of them. A program is edited by the steps of its case, and after each step what it
// logged, what the update gave and where the status stands is what the specification says.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { webpack } from "../../fixtures/hot/rules/webpack.js";
import { vite } from "../../fixtures/hot/rules/vite.js";
import { difference } from "../laws/bench.js";
import { CONTROL, html } from "./pages.js";

/** @typedef {import("./pages.js").RulesPage} RulesPage */
/** @typedef {import("./pages.js").Mode} Mode */
/** @typedef {import("../support/project.js").Project} Project */
/** @typedef {import("../support/lsp-client.js").LspClient} LspClient */
/** @typedef {import("../support/lsp-document.js").ClientDocument} ClientDocument */

/**
 * @typedef {object} Step
 * @property {Record<string, string | null>} [write] new texts of files; null: deleted
 * @property {string} [apply] the options that `check` is called with, as source text
 * @property {string} [run] what is done instead of `check`: the body of an async function
 * @property {string[]} [log] what the program logged, nothing unless said; on a step that reloads, what the reloaded page logged
 * @property {unknown} [gives] what `check` or `run` gave: the first line of the message where that was an error
 * @property {string} [status]
 * @property {string} [outcome] what the page answered, where updates come by themselves
 */

/** @typedef {{ name: string, folder: string, mode: Mode, files: Record<string, string>, start?: string[], steps: Step[] }} Case */

/** @type {Case[]} */
export const cases = [];
for (const [suite, mode, sections] of /** @type {const} */ ([["webpack", "manual", webpack], ["vite", "automatic", vite]])) {
  for (const [section, all] of Object.entries(sections)) {
    for (const [name, it] of Object.entries(/** @type {Record<string, any>} */ (all))) {
      cases.push({ mode, ...it, name: `${suite}: ${section}: ${name}`, folder: `/case-${cases.length + 1}` });
    }
  }
}

/** All programs as one project, each in a folder of its own. */
export function projectOfCases() {
  /** @type {Record<string, string>} */
  const project = { "index.html": "<!doctype html><html><head></head></html>", "control.js": CONTROL };
  for (const { folder, files, mode } of cases) {
    const base = folder.slice(1);
    project[`${base}/index.html`] = html(Object.keys(files)[0], mode);
    for (const [name, text] of Object.entries(files)) project[`${base}/${name}`] = text;
  }
  return project;
}

/** How new texts get to the server. @typedef {{ write: (files: Record<string, string | null>) => Promise<void>, close: () => Promise<void> }} Writer */

/**
 * Files are written to disk, where the server looks.
 *
 * @param {Project} project
 * @param {string} folder
 * @returns {Writer}
 */
export function diskWriter(project, folder) {
  return {
    write: async (files) => {
      for (const [name, text] of Object.entries(files)) {
        const path = `${folder.slice(1)}/${name}`;
        if (text === null) await rm(project.path(path), { recursive: true });
        else await project.write(path, text);
      }
    },
    close: () => Promise.resolve(),
  };
}

/**
 * An editor that never saves: on disk files only come, empty, and go.
 *
 * @param {Project} project
 * @param {string} folder
 * @param {LspClient} client
 * @param {Record<string, string>} files as they are on disk
 * @returns {Writer}
 */
export function bufferWriter(project, folder, client, files) {
  /** @type {Map<string, ClientDocument>} */
  const documents = new Map();
  return {
    write: async (changes) => {
      const edited = [];
      for (const [name, text] of Object.entries(changes)) {
        const path = `${folder.slice(1)}/${name}`;
        let document = documents.get(name);
        if (text === null) {
          document?.close();
          documents.delete(name);
          await rm(project.path(path), { recursive: true, force: true });
          continue;
        }
        if (document === undefined) {
          // Editors make new files empty.
          if (files[name] === undefined) await project.write(path, "");
          document = client.open(project.uri(path), files[name] ?? "");
          documents.set(name, document);
        }
        edited.push(document);
        if (document.text === text) continue;
        const { start, end, middle } = difference(document.text, text);
        document.edit(start, end, middle);
      }
      // What has to run again waits for a pause in the typing, or for this.
      for (const document of edited) document.save();
      await client.request("capuchin/pages", undefined);
    },
    close: async () => {
      for (const document of documents.values()) document.close();
      await client.request("capuchin/pages", undefined);
    },
  };
}

/**
 * @param {Case} it
 * @param {RulesPage} page
 * @param {Writer} writer
 */
export async function run({ folder, mode, files, start, steps }, page, writer) {
  await page.load(folder, Object.keys(files)[0], mode);
  const plain = (/** @type {unknown} */ value) => JSON.parse(JSON.stringify(value).replaceAll(`${folder}/`, "/"));
  const take = async () => plain(await page.evaluate("({ log: seen.log.splice(0), outcomes: seen.outcomes.splice(0) })"));
  const loaded = await take();
  if (start !== undefined) assert.deepEqual(loaded.log, start, "the log of the first load");
  for (const [index, step] of steps.entries()) {
    const at = `step ${index + 1}`;
    const several = Object.keys(step.write ?? {}).length > 1;
    // Files that are written together are one update.
    if (mode !== "manual" && several) await page.evaluate('setMode("manual")');
    if (step.write) await writer.write(step.write);
    if (mode !== "manual" && several) await page.evaluate(`sync().then(() => setMode(${JSON.stringify(mode)}))`);
    if (step.outcome === "reload") {
      await page.reloaded();
      assert.deepEqual((await take()).log, step.log ?? [], `the log of ${at}, loaded again`);
      continue;
    }
    const done = await page.evaluate(asking(step, mode));
    const { log, outcomes } = await take();
    assert.deepEqual(log, step.log ?? [], `the log of ${at}, which gave ${JSON.stringify(plain(done))} ${JSON.stringify(outcomes)}`);
    if (step.gives !== undefined) assert.deepEqual(plain(done.gives), step.gives, `the result of ${at}`);
    if (step.status !== undefined || mode === "manual") assert.equal(done.status, step.status ?? expectedStatus(step), `the status after ${at}`);
    if (mode !== "manual" && step.run === undefined) {
      // What the watcher has noticed may be on its way when the page asks for it: then it comes twice, and is there the second time.
      const last = new Map();
      for (const { module, outcome } of outcomes) if (outcome !== "live" || !last.has(module)) last.set(module, outcome);
      const words = new Set(last.values());
      words.delete("held");
      assert.deepEqual([...words], step.outcome === "none" ? [] : [step.outcome ?? "moduleUpdated"], `the outcome of ${at}: ${JSON.stringify(outcomes)}`);
    }
  }
}

/** What the page is asked to do after a step. @param {Step} step @param {Mode} mode */
function asking({ run, apply }, mode) {
  const ask = run !== undefined ? `(async () => { ${run}\n })()` : mode === "manual" ? `hot.check(${apply ?? "true"})` : "undefined";
  return `(async () => {
    await sync();
    const done = {};
    try { done.gives = (await ${ask}) ?? null; } catch (error) { done.gives = String(error?.message ?? error).split("\\n")[0]; }
    await sync();
    return { ...done, status: hot.status() };
  })()`;
}

/** A step that says nothing of the status ends well, or with what its message tells. @param {Step} step */
function expectedStatus({ gives }) {
  return typeof gives === "string" && gives.startsWith("Aborted because") ? "abort" : "idle";
}
