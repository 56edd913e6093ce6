// A strict LSP client over standard input and output. It drives the real program and fails the test for what editors
// might forgive: output outside of messages, answers nobody asked for, unknown methods, a wrong exit code, and error
// messages to the user that the test did not expect.
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { capuchinBinary } from "./binary.js";
import { atEnd } from "./cleanup.js";
import { Inbox, within } from "./deadline.js";
import { ClientDocument } from "./lsp-document.js";
import { Decoder, encode, ProtocolError } from "./lsp-framing.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("./lsp-document.js").PositionEncoding} PositionEncoding */
/** @typedef {{ method: string, params: any }} Notification */
/** @typedef {{ code: number, message: string, data?: unknown }} ResponseError */

/**
 * @typedef {object} Options
 * @property {string | null} [root] the workspace folder
 * @property {string[]} [folders] several of them, instead of `root`
 * @property {Record<string, unknown>} [initializationOptions] port 0 unless it says otherwise
 * @property {PositionEncoding[] | null} [positionEncodings] what the client offers; null: says nothing, as old ones do
 * @property {object} [capabilities] laid over the client's own
 * @property {string[]} [args] instead of `lsp`
 * @property {Record<string, string>} [env]
 * @property {string} [cwd]
 */

const SERVER_NOTIFICATIONS = new Set([
  "window/showMessage",
  "window/logMessage",
  "telemetry/event",
  "textDocument/publishDiagnostics",
  "$/progress",
  "$/logTrace",
  "$/cancelRequest",
  "capuchin/ready",
  "capuchin/verdict",
  "capuchin/outcome",
  "capuchin/pagesChanged",
  "capuchin/event",
]);

/** The only ones that a server may send before it has answered `initialize`. */
const EARLY_NOTIFICATIONS = new Set(["window/showMessage", "window/logMessage", "telemetry/event", "$/progress"]);

const MESSAGE_TYPE_ERROR = 1;

/**
 * Starts the server and takes it through `initialize` and `initialized`. When the test ends, the server is shut down
 * in order, and everything it did wrong is an error of the test.
 *
 * @param {TestContext} t
 * @param {Options} [options]
 */
export async function startLsp(t, options = {}) {
  const client = new LspClient(options);
  atEnd(t, () => client.finish());
  await client.initialize(options);
  return client;
}

export class LspClient {
  #child;
  #decoder = new Decoder();
  #stderr = "";
  /** @type {Promise<{ code: number | null, signal: NodeJS.Signals | null }>} */
  #ended;
  /** @type {Inbox<Notification>} */
  #inbox = new Inbox();
  /** Everything that arrived, read or not. @type {Notification[]} */
  #all = [];
  /** @type {string[]} what the server did wrong */
  #violations = [];
  /** @type {Map<number, { method: string, resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map();
  /** @type {Set<number | string>} ids of the server's own requests */
  #serverRequests = new Set();
  /** Results for the server's own requests, by method. @type {Map<string, (params: any) => unknown>} */
  #answers = new Map(
    /** @type {[string, (params: any) => unknown][]} */ ([
      ["client/registerCapability", () => null],
      ["client/unregisterCapability", () => null],
      ["window/workDoneProgress/create", () => null],
      ["window/showMessageRequest", () => null],
      ["workspace/configuration", (params) => params.items.map(() => null)],
      ["workspace/diagnostic/refresh", () => null],
    ]),
  );
  /** Who takes notifications out of the inbox's way, by method. @type {Map<string, (params: any) => void>} */
  #takers = new Map();
  #nextId = 1;
  /** @type {"new" | "initializing" | "running" | "shutDown" | "gone"} */
  #state = "new";
  /** Set when the test itself ends the server. */
  #finished = false;

  /** What the server said it can do. @type {any} */
  capabilities;
  /** @type {PositionEncoding} */
  positionEncoding = "utf-16";

  /** @param {Options} [options] */
  constructor({ args = ["lsp"], env, cwd } = {}) {
    this.#child = spawn(capuchinBinary(), args, { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
    this.#child.stdout.on("data", (data) => this.#receive(data));
    this.#child.stderr.setEncoding("utf8").on("data", (data) => (this.#stderr += data));
    // Writing to a server that has ended is told by its exit, not by a broken pipe.
    this.#child.stdin.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#violations.push(`the server could not be started: ${error.message}`);
        resolve({ code: null, signal: null });
      });
      this.#child.once("close", (code, signal) => {
        this.#gone(code, signal);
        resolve({ code, signal });
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The server's log. */
  get stderr() {
    return this.#stderr;
  }

  /** The process's end: its code and signal. */
  get ended() {
    return this.#ended;
  }

  /** @param {Options} options */
  async initialize({ root = null, folders, initializationOptions, positionEncodings = ["utf-16"], capabilities = {} } = {}) {
    this.#state = "initializing";
    const paths = folders ?? (root === null ? [] : [root]);
    const uris = paths.map((path) => pathToFileURL(path).href);
    const result = await this.request("initialize", {
      processId: process.pid,
      clientInfo: { name: "Capuchin's tests" },
      rootUri: uris[0] ?? null,
      workspaceFolders: uris.length === 0 ? null : uris.map((uri) => ({ uri, name: uri })),
      initializationOptions: { port: 0, ...initializationOptions },
      capabilities: {
        ...(positionEncodings === null ? {} : { general: { positionEncodings } }),
        textDocument: { synchronization: { didSave: true }, publishDiagnostics: { versionSupport: true } },
        window: { workDoneProgress: true },
        workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true } },
        ...capabilities,
      },
    });
    this.capabilities = result.capabilities;
    this.#checkCapabilities(positionEncodings);
    this.#state = "running";
    this.notify("initialized", {});
    return result;
  }

  /**
   * @param {string} method
   * @param {unknown} [params] left out when undefined
   * @returns {Promise<any>} the result; a response error is thrown with its `code`
   */
  request(method, params) {
    const id = this.#nextId++;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { method, resolve, reject }));
    this.sendMessage({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
    return within(() => `the answer to ${method}\n${this.#report()}`, answer);
  }

  /**
   * @param {string} method
   * @param {unknown} [params]
   */
  notify(method, params) {
    this.sendMessage({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** @param {object} message */
  sendMessage(message) {
    this.sendBytes(encode(message));
  }

  /**
   * For input that is no message.
   *
   * @param {Uint8Array | string} bytes
   */
  sendBytes(bytes) {
    this.#child.stdin.write(bytes);
  }

  /** Ends the input, as an editor that died does. */
  closeInput() {
    this.#finished = true;
    this.#child.stdin.end();
  }

  /**
   * @param {string} uri
   * @param {string} text
   * @param {string} [languageId]
   */
  open(uri, text, languageId = "javascript") {
    const document = new ClientDocument(uri, text, this.positionEncoding, (method, params) => this.notify(method, params));
    this.notify("textDocument/didOpen", { textDocument: { uri, languageId, version: document.version, text } });
    return document;
  }

  /**
   * Takes the first unread notification of that method which the predicate accepts, or waits for it. What it does not
   * accept stays for others.
   *
   * @param {string} method
   * @param {(params: any) => boolean} [accepts]
   * @param {number} [ms]
   * @returns {Promise<any>} its params
   */
  async notification(method, accepts = () => true, ms) {
    try {
      return (await this.#inbox.take(method, (it) => it.method === method && accepts(it.params), ms)).params;
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}\n${this.#report()}`, { cause: error });
    }
  }

  /** Waits until pages can be opened. @returns {Promise<{ url: string, root: string }>} */
  ready() {
    return this.notification("capuchin/ready");
  }

  /**
   * The verdict on a document's version, or on a later one that it was planned together with.
   *
   * @param {ClientDocument} document
   * @param {number} [version]
   */
  verdict(document, version = document.version) {
    return this.notification("capuchin/verdict", (it) => it.uri === document.uri && it.version >= version);
  }

  /**
   * @param {ClientDocument} document
   * @param {number} [version]
   */
  outcome(document, version = document.version) {
    return this.notification("capuchin/outcome", (it) => it.uri === document.uri && it.version >= version);
  }

  /**
   * All notifications so far, in order, read or not.
   *
   * @param {string} [method]
   */
  seen(method) {
    return this.#all.filter((it) => method === undefined || it.method === method);
  }

  /**
   * Answers a request of the server in the test's own way.
   *
   * @param {string} method
   * @param {(params: any) => unknown} answer
   */
  onRequest(method, answer) {
    this.#answers.set(method, answer);
  }

  /**
   * Hands every notification of a method to the test as it arrives, instead of keeping it: for runs of many thousands.
   *
   * @param {string} method
   * @param {(params: any) => void} take
   */
  onNotification(method, take) {
    this.#takers.set(method, take);
  }

  /** `shutdown` and `exit` as an editor does them. @returns the exit code */
  async shutDown() {
    const result = await this.request("shutdown");
    if (result !== null) this.#violations.push(`shutdown was answered with ${JSON.stringify(result)} instead of null`);
    this.#state = "shutDown";
    return this.exit();
  }

  /** Sends `exit` and waits for the end; the input stays open, as some clients leave it. */
  async exit() {
    this.#finished = true;
    this.notify("exit");
    const { code, signal } = await within(() => `the server to exit\n${this.#report()}`, this.#ended);
    return code ?? signal;
  }

  /** Shuts the server down if it runs, and throws what it did wrong. */
  async finish() {
    try {
      if (this.#state === "running" && !this.#finished) {
        const code = await this.shutDown();
        if (code !== 0) this.#violations.push(`the server exited with ${code} after shutdown and exit`);
      } else if (this.#finished) {
        await within("the server to end", this.#ended);
      }
    } finally {
      this.#child.kill("SIGKILL");
      await this.#ended;
    }
    for (const { method, params } of this.#inbox.takeAll()) {
      const isMessage = method === "window/showMessage" || method === "window/logMessage";
      if (isMessage && params.type === MESSAGE_TYPE_ERROR) {
        this.#violations.push(`an error message that the test did not expect: ${params.message}`);
      }
    }
    if (this.#violations.length > 0) throw new Error(this.#report());
  }

  /** @param {Buffer} data */
  #receive(data) {
    try {
      for (const message of this.#decoder.push(data)) this.#dispatch(/** @type {any} */ (message));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#violations.push(error.message);
      this.#inbox.close(error);
      this.#child.stdout.removeAllListeners("data").resume();
    }
  }

  /** @param {any} message */
  #dispatch(message) {
    if (message === null || typeof message !== "object" || message.jsonrpc !== "2.0") {
      this.#violations.push(`this is no message: ${JSON.stringify(message)}`);
    } else if (typeof message.method !== "string") {
      this.#onResponse(message);
    } else if ("id" in message) {
      this.#onRequest(message);
    } else {
      this.#onNotification(message);
    }
  }

  /** @param {{ id: number, result?: unknown, error?: ResponseError }} message */
  #onResponse(message) {
    const request = this.#pending.get(message.id);
    if (request === undefined) {
      this.#violations.push(`an answer that nobody waits for: ${JSON.stringify(message)}`);
      return;
    }
    this.#pending.delete(message.id);
    if ("result" in message === "error" in message) {
      this.#violations.push(`an answer to ${request.method} needs either a result or an error: ${JSON.stringify(message)}`);
    }
    if (message.error !== undefined) {
      const { code, message: text, data } = message.error;
      request.reject(Object.assign(new Error(`${request.method}: ${text}`), { code, data }));
    } else {
      request.resolve(message.result);
    }
  }

  /** @param {{ id: number | string, method: string, params: any }} message */
  #onRequest({ id, method, params }) {
    if (this.#serverRequests.has(id)) this.#violations.push(`the server used the request id ${JSON.stringify(id)} twice`);
    this.#serverRequests.add(id);
    if (this.#state !== "running") this.#violations.push(`the server asked ${method} while the session was ${this.#state}`);
    const answer = this.#answers.get(method);
    if (answer === undefined) {
      this.#violations.push(`the server asked ${method}, which this client does not know`);
      this.sendMessage({ jsonrpc: "2.0", id, error: { code: -32601, message: `no ${method} here` } });
    } else {
      this.sendMessage({ jsonrpc: "2.0", id, result: answer(params) });
    }
  }

  /** @param {Notification} message */
  #onNotification({ method, params }) {
    if (!SERVER_NOTIFICATIONS.has(method)) this.#violations.push(`the server sent ${method}, which is no notification of its`);
    if (this.#state === "initializing" && !EARLY_NOTIFICATIONS.has(method)) {
      this.#violations.push(`the server sent ${method} before it answered initialize`);
    }
    const taker = this.#takers.get(method);
    if (taker !== undefined) {
      taker(params);
      return;
    }
    const notification = { method, params };
    this.#all.push(notification);
    this.#inbox.put(notification);
  }

  /** @param {PositionEncoding[] | null} offered */
  #checkCapabilities(offered) {
    const { positionEncoding, textDocumentSync } = this.capabilities;
    this.positionEncoding = positionEncoding ?? "utf-16";
    if (!(offered ?? ["utf-16"]).includes(this.positionEncoding)) {
      this.#violations.push(`the server chose ${this.positionEncoding}, which was not offered`);
    }
    const change = typeof textDocumentSync === "object" ? textDocumentSync.change : textDocumentSync;
    if (change !== 2) this.#violations.push("the server does not ask for incremental changes, which VS Code would hold back");
  }

  /**
   * @param {number | null} code
   * @param {NodeJS.Signals | null} signal
   */
  #gone(code, signal) {
    if (!this.#finished) this.#violations.push(`the server ended by itself with ${code ?? signal}`);
    this.#state = "gone";
    const gone = new Error(`the server has ended with ${code ?? signal}`);
    this.#inbox.close(gone);
    for (const { reject } of this.#pending.values()) reject(gone);
    this.#pending.clear();
    try {
      this.#decoder.end();
    } catch (error) {
      this.#violations.push(/** @type {Error} */ (error).message);
    }
  }

  #report() {
    const log = this.#stderr.trim().split("\n").slice(-40).join("\n");
    return [...this.#violations, log === "" ? "(the server's log is empty)" : `the server's log ends:\n${log}`].join("\n");
  }
}
