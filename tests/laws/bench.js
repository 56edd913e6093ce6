// The law test bench: programs that run in this process, in the real runtime, connected to the real binary over its socket,
// with an editor beside them that speaks to it over standard input. One binary serves many programs, so an edit takes about
// a millisecond and thousands of them can be tried.
import { mkdir, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { createHost } from "../../runtime/host.js";
import { within } from "../support/deadline.js";
import { startLsp } from "../support/lsp-client.js";
import { makeTempFolder } from "../support/project.js";
import { TestSocket } from "../support/web-socket.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {{ uri: string, version: number, verdict: string, reason?: { code: string, message: string }, sites: { name: string, kind: string }[] }} Verdict */
/** @typedef {{ uri: string, version: number, page: string, outcome: string, reason?: { code: string, message: string } }} Outcome */

/** What pages answer about a module update when they are done with it. */
const UPDATED = new Set(["moduleUpdated", "needsReload", "refused", "threw"]);

export class Bench {
  #agent = new Agent({ keepAlive: true });
  #programs = 0;
  /** Pages that are open: what a test that fails leaves behind would keep the process. @type {Set<{ close: () => void }>} */
  hosts = new Set();
  /** Who waits for what the server says of a document, by URI. @type {Map<string, Listener>} */
  #listeners = new Map();

  /**
   * @param {import("../support/lsp-client.js").LspClient} client
   * @param {string} folder
   * @param {URL} url
   * @param {string} token
   * @param {string} server
   */
  constructor(client, folder, url, token, server) {
    this.client = client;
    this.folder = folder;
    this.url = url;
    this.token = token;
    this.server = server;
    client.onNotification("capuchin/verdict", (it) => this.#listeners.get(it.uri)?.verdict(it));
    client.onNotification("capuchin/outcome", (it) => this.#listeners.get(it.uri)?.outcome(it));
    client.onNotification("capuchin/pagesChanged", () => {});
    client.onNotification("textDocument/publishDiagnostics", () => {});
  }

  /** @param {TestContext} t */
  static async start(t, args = ["lsp"]) {
    const folder = await makeTempFolder(t, "laws");
    await writeFile(`${folder}/index.html`, "<!doctype html><html><head></head><body></body></html>");
    const client = await startLsp(t, { root: folder, args });
    const { url } = await client.ready();
    const html = await (await fetch(url)).text();
    const attribute = (/** @type {string} */ name) => new RegExp(`data-${name}="([^"]*)"`).exec(html)?.[1] ?? "";
    const bench = new Bench(client, folder, new URL(url), attribute("token"), attribute("server"));
    t.after(() => { for (const host of bench.hosts) host.close(); });
    return bench;
  }

  /**
   * Writes a program, opens its first file in the editor and runs it in a page of its own.
   *
   * @param {Record<string, string>} files
   */
  async open(files) {
    const number = ++this.#programs;
    const folder = `${this.folder}/p${number}`;
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(`${folder}/${name}`), { recursive: true });
      await writeFile(`${folder}/${name}`, text);
    }
    const [main] = Object.keys(files);
    const program = new Program(this, `p${number}`, `/p${number}/${main}`, files);
    await program.start();
    return program;
  }

  /** @param {string} uri */
  listen(uri) {
    const listener = new Listener();
    this.#listeners.set(uri, listener);
    return listener;
  }

  /** @param {string} uri */
  forget(uri) {
    this.#listeners.delete(uri);
  }

  /** @param {string} path @returns {Promise<any>} */
  json(path) {
    return new Promise((resolve, reject) => {
      get(new URL(path, this.url), { agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (data) => (text += data));
        response.on("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      }).on("error", reject);
    });
  }

  /** @param {string} id @param {string} page */
  graph(id, page) {
    return this.json(`/@capuchin/graph?m=${encodeURIComponent(id)}&page=${page}&token=${this.token}`);
  }
}

/** What the server said of one document, and who waits for it. */
class Listener {
  /** @type {Verdict | undefined} */
  lastVerdict;
  /** The newest version that pages were sent a patch for. */
  due = 0;
  /** The module has run again since it last had to: with an older version, maybe, that functions of a newer one follow. */
  ranAgain = false;
  /** The version for which the module has to run again, and has not yet. */
  #due = 0;
  /** @type {Outcome[]} */
  outcomes = [];
  /** @type {Outcome | undefined} */
  lastOutcome;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {Verdict} it */
  verdict(it) {
    this.lastVerdict = it;
    if (it.verdict === "patch") this.due = it.version;
    if (it.verdict === "updateModule") this.ranAgain = false;
    if (it.verdict === "updateModule") this.#due = it.version;
    this.#wake();
  }

  /** @param {Outcome} it */
  outcome(it) {
    this.outcomes.push(it);
    this.lastOutcome = it;
    if (UPDATED.has(it.outcome)) this.ranAgain = it.outcome === "moduleUpdated";
    if (it.outcome === "moduleUpdated" && it.version >= this.#due) this.#due = 0;
    this.#wake();
  }

  /** The module has to run again, and has not yet. */
  get isDue() {
    return this.#due > 0;
  }

  #wake() {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The verdict on a version, or on a later one that it was planned with. @param {number} version @param {number} [ms] */
  verdictOn(version, ms) {
    return this.until(`the verdict on version ${version}`, () => (this.lastVerdict && this.lastVerdict.version >= version ? this.lastVerdict : undefined), ms);
  }

  /**
   * @template T
   * @param {string} what
   * @param {() => T | undefined} find
   * @param {number} [ms]
   * @returns {Promise<T>}
   */
  async until(what, find, ms) {
    let stopped = false;
    const search = async () => {
      for (;;) {
        const found = find();
        if (found !== undefined || stopped) return /** @type {T} */ (found);
        await new Promise((/** @type {(value: void) => void} */ resolve) => this.#waiting.push(resolve));
      }
    };
    try {
      return await within(() => `${what}; so far: ${JSON.stringify([this.lastVerdict, ...this.outcomes])}`, search(), ms);
    } finally {
      stopped = true;
      this.#wake();
    }
  }
}

let pages = 0;

export class Program {
  /** Other files of the program that the editor has open. @type {import("../support/lsp-document.js").ClientDocument[]} */
  #others = [];
  /** What the page shows as errors, by module. @type {Map<string, string>} */
  #problems = new Map();
  /** Kept from one observation to the next. @type {Record<string, any>} */
  held = {};
  /** Which messages of the server get lost on their way. @type {(data: string) => boolean} */
  loses = () => false;
  reloads = 0;
  /** The version of the text that the page loaded. */
  since = 0;

  /**
   * @param {Bench} bench
   * @param {string} name
   * @param {string} id
   * @param {Record<string, string>} files the first is the one that is edited
   */
  constructor(bench, name, id, files) {
    this.bench = bench;
    this.name = name;
    this.id = id;
    this.files = files;
    const { uri, listener, document } = this.#show(Object.keys(files)[0]);
    this.uri = uri;
    this.listener = listener;
    this.document = document;
    this.page = "";
    /** @type {ReturnType<typeof createHost>} */
    this.host = /** @type {any} */ (undefined);
  }

  /** Opens a file in the editor. @param {string} file */
  #show(file) {
    const { client, folder } = this.bench;
    const uri = pathToFileURL(`${folder}/${this.name}/${file}`).href;
    const listener = this.bench.listen(uri);
    return { uri, listener, document: client.open(uri, this.files[file] ?? "") };
  }

  /** Opens one more file of the program in the editor. @param {string} file */
  also(file) {
    const { listener, document } = this.#show(file);
    this.#others.push(document);
    return { listener, document };
  }

  /** Writes a file of the program to disk. @param {string} file @param {string} text */
  write(file, text) {
    return writeFile(`${this.bench.folder}/${this.name}/${file}`, text);
  }

  /** A fresh page with the program as it is in the editor now. */
  async start() {
    this.page = `laws-${process.pid}-${++pages}`;
    this.since = this.document.version;
    const { bench } = this;
    const graph = await bench.graph(this.id, this.page);
    const socket = new URL(`/@capuchin/socket?token=${bench.token}`, bench.url);
    let welcome = () => {};
    const greeted = new Promise((/** @type {(value: void) => void} */ resolve) => (welcome = resolve));
    const host = createHost({
      page: this.page,
      server: bench.server,
      origin: bench.url.origin,
      open: () => {
        const wire = new TestSocket(socket, "capuchin");
        const link = /** @type {any} */ (wire);
        let receive = /** @type {any} */ (null);
        Object.defineProperty(link, "onmessage", {
          get: () => receive,
          set: (/** @type {any} */ handler) => {
            receive = (/** @type {any} */ event) => {
              if (!this.loses(event.data)) handler(event);
              welcome();
            };
          },
        });
        return wire;
      },
      fetchGraph: (id) => bench.graph(id, this.page),
      showProblem: (module, message) => this.#problems.set(module, message),
      clearProblem: (module) => this.#problems.delete(module),
      reload: () => {},
    });
    this.host = host;
    bench.hosts.add(host);
    await host.enter(graph);
    host.connect();
    await within("the page to be welcomed", greeted);
  }

  get problems() {
    return [...this.#problems].map(([module, message]) => `${module}: ${message}`);
  }

  get namespace() {
    return this.host.registry.module(this.id).namespace;
  }

  /**
   * Brings the editor's text to `text` by one change that says what differs, and waits for what becomes of it.
   *
   * @param {string} text
   * @returns {Promise<{ verdict: Verdict, outcome?: Outcome }>}
   */
  edit(text) {
    const { start, end, middle } = difference(this.document.text, text);
    return this.settled(this.document.edit(start, end, middle));
  }

  /**
   * What becomes of a version. A module that has to run again does so at once, as on save.
   *
   * @param {number} version
   * @param {number} [ms]
   * @returns {Promise<{ verdict: Verdict, outcome?: Outcome }>}
   */
  async settled(version, ms) {
    const { listener } = this;
    const verdict = await listener.verdictOn(version, ms);
    const mine = (/** @type {Outcome} */ it) => it.page === this.page && it.version >= version;
    // A text on the way to this one may have made the page fall behind.
    const isBehind = verdict.verdict === "patch" && /: (the module|it) has to run again$/.test(verdict.reason?.message ?? "");
    if (verdict.verdict === "updateModule" || isBehind) {
      this.document.save();
      const outcome = await listener.until(
        `the outcome of the update of ${this.id} to version ${version}`,
        () => listener.outcomes.find((it) => mine(it) && UPDATED.has(it.outcome)) ?? listener.outcomes.find((it) => mine(it) && listener.ranAgain),
        ms,
      );
      if (outcome.outcome === "needsReload") await this.reload();
      return { verdict, outcome };
    }
    if (verdict.verdict === "unchanged" && !listener.outcomes.some((it) => it.page === this.page && it.version >= listener.due) && listener.due > this.since) {
      // The page may still be busy with a version before this one.
      await listener.until(`the outcome of version ${listener.due} of ${this.id}`, () => listener.outcomes.find((it) => it.page === this.page && it.version >= listener.due), ms);
    }
    if (verdict.verdict === "unchanged" || (verdict.verdict === "hold" && verdict.sites.length === 0)) return { verdict };
    const outcome = await listener.until(
      `the outcome of version ${version} of ${this.id}`,
      () => listener.outcomes.find(mine),
      ms,
    );
    return { verdict, outcome };
  }

  /** Waits for the verdict on a version only. @param {number} version */
  judged(version) {
    return this.listener.verdictOn(version);
  }

  /** The person at the browser reloads the page. */
  async reload() {
    this.#leave();
    this.#problems.clear();
    this.held = {};
    this.reloads += 1;
    await this.start();
  }

  /** The value of an expression over the program's exports, or what it throws. @param {string} expression */
  see(expression) {
    return observe(this.namespace, this.held, expression);
  }

  close() {
    for (const document of [this.document, ...this.#others]) {
      document.close();
      this.bench.forget(document.uri);
    }
    this.#leave();
  }

  #leave() {
    this.host.close();
    this.bench.hosts.delete(this.host);
  }
}

/**
 * The value of an expression over a program's exports and `held`, as something that can be compared; promises are waited for.
 * Each time it is code of its own: a template in it is another one for who remembers what it made of templates.
 *
 * @param {any} exports
 * @param {Record<string, any>} held
 * @param {string} expression
 * @returns {Promise<any>}
 */
export async function observe(exports, held, expression) {
  try {
    const evaluate = new Function("$exports", "held", `with ($exports) { return (${expression}\n); }`);
    return plain(await evaluate(exports, held));
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
  }
}

/** What JSON can't hold becomes a word. @param {any} value @returns {any} */
export function plain(value) {
  if (value === undefined) return "undefined";
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "symbol" || typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return JSON.parse(JSON.stringify(value) ?? "null");
}

/**
 * The one place that differs between two texts, in string indices that split no character.
 *
 * @param {string} from
 * @param {string} to
 */
export function difference(from, to) {
  let start = 0;
  const most = Math.min(from.length, to.length);
  while (start < most && from[start] === to[start]) start += 1;
  let tail = 0;
  while (tail < most - start && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail += 1;
  const splits = (/** @type {string} */ text, /** @type {number} */ at) =>
    (text[at - 1] === "\r" && text[at] === "\n") || (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  while (start > 0 && (splits(from, start) || splits(to, start))) start -= 1;
  while (tail > 0 && (splits(from, from.length - tail) || splits(to, to.length - tail))) tail -= 1;
  return { start, end: from.length - tail, middle: to.slice(start, to.length - tail) };
}
