// One commit of a real program: the old version runs in a page, the difference to the new one is typed, and what runs in the end
// is held against a page that loads the new version.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { createHost } from "../../../runtime/host.js";
import { observe } from "../bench.js";
import { api, differences } from "./api.js";
import { outdated } from "./functions.js";
import { dependencies, published, texts } from "./packages.js";
import { hunks } from "./typing.js";

/** @typedef {import("../bench.js").Bench} Bench */
/** @typedef {import("../bench.js").Program} Program */
/** @typedef {import("./packages.js").Package} Package */
/** @typedef {{ from: string, to: string, package: Package }} Commit */

/**
 * `verdicts` and `outcomes` are counted; `reasons` are those of the verdicts. `divergences` are sentences.
 * @typedef {{ commit: string, files: number, hunks: number, keys: number, checks: number, verdicts: Record<string, number>,
 *   reasons: Record<string, number>, outcomes: Record<string, number>, divergences: string[] }} Report
 */

/** Another run of the same text. @typedef {{ what: string, exports: any, isCommonJs: boolean, graph?: any, host?: ReturnType<typeof createHost>, seen: any[], api: import("./api.js").Api }} Other */

/** About so many times in a commit the page is looked at. */
const CHECKS = 10;

/** How often to look before what is on its way to the page must have arrived. */
const TRIES = 300;

/** What a program may ask for and a page does not have: something that can be called, constructed, extended and asked for anything. */
const STAND_IN = `const it = new Proxy(function () {}, {
  get: (target, key) => (key in target ? target[key] : typeof key === "symbol" ? undefined : it),
  apply: () => it,
});
module.exports = it;
`;

/** @param {Package[]} packages @returns {Commit[]} */
export function commits(packages) {
  return packages.flatMap((it) => it.versions.flatMap((run) => run.slice(1).map((to, index) => ({ from: run[index], to, package: it }))));
}

/** Of a CommonJS module what it assigned. @param {any} namespace @param {boolean} isCommonJs */
function assigned(namespace, isCommonJs) {
  return isCommonJs ? namespace?.default : namespace;
}

/** @param {Record<string, number>} counts @param {string} what */
function count(counts, what) {
  counts[what] = (counts[what] ?? 0) + 1;
}

/**
 * @param {Bench} bench
 * @param {Commit} commit
 * @param {{ savesEachHunk: boolean, plain: string }} options
 * @returns {Promise<Report>}
 */
export async function replay(bench, commit, { savesEachHunk, plain }) {
  const { from, to, package: it } = commit;
  const [before, after] = [texts(await published(it.name, from), it), texts(await published(it.name, to), it)];
  /** @type {Report} */
  const report = {
    commit: `${it.name} ${from} → ${to}`, files: 0, hunks: 0, keys: 0, checks: 0,
    verdicts: {}, reasons: {}, outcomes: {}, divergences: [],
  };
  const program = await bench.open(project(it, { ...after, ...before }, Object.values(after)));
  try {
    const run = new Replay(bench, program, it, report, plain);
    const fresh = await run.check("as loaded", before);
    if (!fresh) return report;
    const changed = Object.keys(before).filter((name) => name in after && before[name] !== after[name] && run.isLoaded(name)).sort();
    report.files = changed.length;
    // Only what both versions of the program name is typed; what comes new is on the disk from the start.
    const now = { ...after, ...before };
    const all = changed.map((name) => /** @type {const} */ ([name, hunks(before[name], after[name])]));
    const every = Math.ceil(all.reduce((sum, [, list]) => sum + list.length, 0) / CHECKS);
    for (const [name, list] of all) {
      for (const hunk of list) {
        report.hunks += 1;
        await run.type(name, hunk);
        now[name] = run.text(name);
        if (savesEachHunk) await run.save();
        if (report.hunks % every === 0 && run.isWhole && !run.isDue) await run.check(`after hunk ${report.hunks}, in ${name}`);
      }
      now[name] = after[name];
    }
    await run.save();
    await run.check("in the end", now);
    for (const name of changed) await run.replace(name, before[name]);
    await run.save();
    await run.check("after undoing it all", { ...now, ...before });
  } finally {
    program.close();
  }
  return report;
}

/**
 * The files of a program that runs a package and takes its updates.
 *
 * @param {Package} it
 * @param {Record<string, string>} files
 * @param {string[]} others texts that are not there yet
 */
function project({ entry }, files, others) {
  const spec = JSON.stringify(`./it/${entry}`);
  /** @type {Record<string, string>} */
  const project = {
    "main.js": `import * as it from ${spec};\nexport { it };\nif (import.meta.hot) import.meta.hot.accept(${spec}, () => {});\n`,
  };
  for (const [name, text] of Object.entries(files)) project[`it/${name}`] = text;
  for (const name of new Set([...Object.values(files), ...others].flatMap(dependencies))) {
    const folder = name.replace(/^node:/, "");
    project[`node_modules/${folder}${/\.\w+$/.test(folder) ? "" : "/index.js"}`] = STAND_IN;
  }
  return project;
}

let plains = 0;

class Replay {
  /** @type {Map<string, Awaited<ReturnType<Program["also"]>>>} */
  #open = new Map();
  /** Modules whose closures keep older code, as the page said. @type {Set<string>} */
  #keeps = new Set();

  /**
   * @param {Bench} bench
   * @param {Program} program
   * @param {Package} it
   * @param {Report} report
   * @param {string} plain
   */
  constructor(bench, program, it, report, plain) {
    this.bench = bench;
    this.program = program;
    this.package = it;
    this.report = report;
    this.plain = plain;
  }

  /** @param {string} name */
  isLoaded(name) {
    return this.program.host.registry.modules.has(this.#id(name));
  }

  /** @param {string} name */
  #id(name) {
    return `/${this.program.name}/it/${encodeURI(name)}`;
  }

  /** No text is held as it is now, neither by the server nor by the page. */
  get isWhole() {
    return [...this.#open.values()].every(({ listener: { lastVerdict, lastOutcome } }) => {
      const isHeld = lastVerdict?.verdict === "hold" || ["syntax", "unresolved"].includes(lastVerdict?.reason?.code ?? "");
      return !isHeld && lastOutcome?.outcome !== "held";
    });
  }

  /** Some module has to run again. */
  get isDue() {
    return [...this.#open.values()].some(({ listener }) => listener.isDue);
  }

  /** @param {string} id */
  #isOpen(id) {
    return [...this.#open.keys()].some((name) => this.#id(name) === id);
  }

  /** @param {string} name */
  text(name) {
    return this.#document(name).document.text;
  }

  /** @param {string} name */
  #document(name) {
    let open = this.#open.get(name);
    if (open === undefined) this.#open.set(name, (open = this.program.also(`it/${name}`)));
    return open;
  }

  /**
   * One key after the other; each is planned before the next.
   *
   * @param {string} name
   * @param {import("./typing.js").Edit[]} edits
   */
  async type(name, edits) {
    const { document, listener } = this.#document(name);
    for (const { start, end, text } of edits) {
      const version = document.edit(start, end, text);
      const { verdict, reason } = await listener.verdictOn(version);
      this.report.keys += 1;
      count(this.report.verdicts, verdict);
      if (reason) count(this.report.reasons, `${verdict}: ${reason.code}`);
    }
  }

  /** @param {string} name @param {string} text */
  async replace(name, text) {
    const { document, listener } = this.#document(name);
    if (document.text === text) return;
    await listener.verdictOn(document.setText(text));
  }

  /** Saves everything; what has to run again does. */
  async save() {
    for (const { document } of this.#open.values()) document.save();
    for (let tries = 0; tries < TRIES && this.isDue; tries++) await this.bench.client.request("capuchin/pages", {});
  }

  /**
   * Whether the page does what a fresh one does.
   *
   * @param {string} when
   * @param {Record<string, string>} [files] the texts, where a plain run is compared, too
   */
  async check(when, files) {
    this.report.checks += 1;
    // The answer comes when everything is on its way to the page.
    await this.bench.client.request("capuchin/pages", {});
    const others = await this.#others(files);
    /** @type {string[]} */
    let found = [];
    for (let tries = 0; tries < TRIES; tries++) {
      this.#listen();
      found = typeof others === "string" ? [others] : await this.#differences(others);
      if (found.length === 0) break;
      await this.bench.client.request("capuchin/pages", {});
    }
    this.#tell();
    for (const it of found.slice(0, 5)) this.report.divergences.push(`${when}: ${it}`);
    if (found.length > 5) this.report.divergences.push(`${when}: and ${found.length - 5} more`);
    return found.length === 0;
  }

  /**
   * What the text does elsewhere; a sentence if it fails here and works there.
   *
   * @param {Record<string, string>} [files]
   */
  async #others(files) {
    const { bench, program } = this;
    const graph = await bench.graph(program.id, "nobody");
    const host = createHost({ origin: bench.url.origin });
    const failed = await (async () => host.enter(graph))().then(() => undefined, String);
    const plain = this.package.plain === false || files === undefined ? undefined : await this.#plainly(files);
    // A text on the way may be whole and not run; then there is nothing to compare with.
    if (failed !== undefined && (plain === undefined || plain.failed !== undefined)) return [];
    if (failed !== undefined) return `a fresh load fails, as a plain run does not: ${failed}`;
    if (plain?.failed !== undefined) return `a plain run fails, as a fresh load does not: ${plain.failed}`;
    const isCommonJs = graph.modules.some((/** @type {any} */ it) => it.id === this.#id(this.package.entry) && it.kind === "cjs");
    /** @type {Other[]} */
    const others = [{ what: "a fresh load", exports: host.registry.module(program.id).namespace.it, graph, host, isCommonJs, seen: [], api: {} }];
    if (plain !== undefined) others.push({ what: "a plain run", exports: plain.namespace, isCommonJs, seen: [], api: {} });
    for (const other of others) {
      other.exports = assigned(other.exports, isCommonJs);
      // First the calls: some programs make things at the first call, and the page has had some.
      for (const it of this.package.see) other.seen.push(await observe(other.exports, {}, it));
      other.api = api(other.exports);
    }
    return others;
  }

  /** @param {Other[]} others */
  async #differences(others) {
    const { program } = this;
    const found = [...program.problems];
    for (const { what, seen, api: wanted, graph, host, isCommonJs } of others) {
      const is = assigned(program.namespace.it, isCommonJs);
      for (const [index, it] of this.package.see.entries()) {
        const [here, there] = [JSON.stringify(await observe(is, {}, it)), JSON.stringify(seen[index])];
        // What was removed stays for the code that still uses it.
        const isGone = there.includes("is not defined") && here !== there;
        if (here !== there && !isGone) found.push(`${it} is ${here}, in ${what} ${there}`);
      }
      found.push(...differences(api(is), wanted, what).filter((it) => this.package.state === undefined || !it.includes(this.package.state)));
      for (const module of graph?.modules ?? []) {
        if (host === undefined || !this.#isOpen(module.id)) continue;
        if (!this.#keeps.has(module.id)) found.push(...outdated(program.host, host, module.id));
        const { stamp } = program.host.registry.module(module.id);
        // A page that held something on the way has a stamp again when something changes.
        if (stamp && stamp !== module.stamp) found.push(`${module.id} has the stamp ${stamp}, in ${what} ${module.stamp}`);
      }
    }
    return found;
  }

  /** @param {Record<string, string>} files */
  async #plainly(files) {
    const folder = `${this.plain}/${++plains}`;
    // As pages do it: module syntax makes a module, whatever the package says.
    const isModule = Object.entries(files).some(([name, text]) => name === this.package.entry && /^(import|export)\b/m.test(text));
    if (isModule) files = { ...files, "package.json": '{ "type": "module" }' };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(`${folder}/it/${name}`), { recursive: true });
      await writeFile(`${folder}/it/${name}`, text);
    }
    try {
      return { namespace: await import(pathToFileURL(`${folder}/it/${this.package.entry}`).href) };
    } catch (error) {
      return { failed: String(error) };
    }
  }

  /** Which functions the page said to leave with older code, until their module runs again. */
  #listen() {
    for (const [name, { listener }] of this.#open) {
      for (const { outcome, reason } of listener.outcomes) {
        if (outcome === "nextCall" && reason?.code === "scope") this.#keeps.add(this.#id(name));
        if (outcome === "moduleUpdated") this.#keeps.delete(this.#id(name));
      }
    }
  }

  /** What pages answered since. */
  #tell() {
    for (const { listener } of this.#open.values()) {
      for (const { outcome, reason } of listener.outcomes.splice(0)) {
        count(this.report.outcomes, reason ? `${outcome}: ${reason.code}` : outcome);
        // A text on the way may throw; out of sync is what a page says that held something, and it gets what it lacks.
        if (outcome === "refused" && reason?.code !== "outOfSync") this.report.divergences.push(`refused: ${reason?.message}`);
      }
    }
  }
}
