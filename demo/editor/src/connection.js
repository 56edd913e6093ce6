// The language server at the other end of a WebSocket, one JSON-RPC message in each text frame.
//
// `@codemirror/lsp-client` is not used: it holds changes back until a request or for half a second, sends documents below
// 1,024 characters whole, and does not connect again. Here every transaction is sent at once, as its ranges.

const RETRY_FIRST = 300;
const RETRY_MOST = 4000;

/** The code with which the server closes: another tab has opened the same files, and a file has one editor. */
const TAKEN_OVER = 4001;

/** @typedef {"connecting" | "ready" | "lost" | "elsewhere"} Health */

/**
 * @typedef {object} Wiring
 * @property {() => Promise<import("./config.js").Config>} config  asked before each connection
 * @property {(health: Health) => void} onHealth
 * @property {() => void} onReady  the server is initialized: open the documents
 * @property {(method: string, params: any) => void} onNotification
 */

/** @param {Wiring} wiring */
export function createConnection({ config, onHealth, onReady, onNotification }) {
  /** @type {WebSocket | null} */
  let socket = null;
  let isReady = false;
  let nextId = 1;
  let retryIn = RETRY_FIRST;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();

  /** @param {object} message */
  function write(message) {
    socket?.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  /**
   * @param {string} method
   * @param {object | null} params
   * @returns {Promise<any>}
   */
  function request(method, params) {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      write({ id, method, params });
    });
  }

  /** @param {string} text */
  function take(text) {
    const message = JSON.parse(text);
    if (message.method === undefined) settle(message);
    else if (message.id === undefined) onNotification(message.method, message.params);
    else write({ id: message.id, ...answer(message.method, message.params) });
  }

  /** @param {{ id: number, result?: unknown, error?: { message: string } }} message */
  function settle({ id, result, error }) {
    const request_ = waiting.get(id);
    waiting.delete(id);
    if (error) request_?.reject(new Error(error.message));
    else request_?.resolve(result);
  }

  /** @param {import("./config.js").Config} settings */
  async function initialize(settings) {
    await request("initialize", {
      processId: null,
      clientInfo: { name: "capuchin-demo" },
      rootUri: settings.rootUri,
      workspaceFolders: [{ uri: settings.rootUri, name: settings.example }],
      initializationOptions: { root: settings.root },
      capabilities: {
        general: { positionEncodings: ["utf-16"] },
        textDocument: {
          synchronization: { dynamicRegistration: false, didSave: false },
          publishDiagnostics: { versionSupport: true },
        },
      },
    });
    write({ method: "initialized", params: {} });
    isReady = true;
    retryIn = RETRY_FIRST;
    onHealth("ready");
    onReady();
  }

  async function connect() {
    onHealth("connecting");
    try {
      const settings = await config();
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const url = `${scheme}://${location.host}/@capuchin/lsp?token=${encodeURIComponent(settings.token)}`;
      const next = new WebSocket(url, "capuchin-lsp");
      socket = next;
      next.addEventListener("message", (event) => take(event.data));
      next.addEventListener("close", (event) => lose(event.code));
      next.addEventListener("open", () => initialize(settings).catch(() => next.close()));
    } catch {
      lose();
    }
  }

  /** @param {number} [code] */
  function lose(code) {
    socket = null;
    isReady = false;
    for (const { reject } of waiting.values()) reject(new Error("The connection was lost."));
    waiting.clear();
    if (code === TAKEN_OVER) {
      onHealth("elsewhere");
      whenUsed(connect);
      return;
    }
    onHealth("lost");
    setTimeout(connect, retryIn);
    retryIn = Math.min(RETRY_MOST, retryIn * 2);
  }

  return {
    connect,
    /** Before the server is ready nothing is sent: the documents are opened with their newest text then. */
    get isReady() {
      return isReady;
    },
    /**
     * @param {string} method
     * @param {object} params
     */
    notify(method, params) {
      if (isReady) write({ method, params });
    },
  };
}

/**
 * Calls back once, when somebody comes to this tab or goes on in it.
 *
 * @param {() => void} callback
 */
function whenUsed(callback) {
  const waiting = new AbortController();
  const go = () => {
    if (document.visibilityState === "hidden") return;
    waiting.abort();
    callback();
  };
  for (const event of ["focus", "pointerdown", "keydown"]) {
    window.addEventListener(event, go, { capture: true, signal: waiting.signal });
  }
  document.addEventListener("visibilitychange", go, { signal: waiting.signal });
}

/**
 * The requests of a server that a client has to answer.
 *
 * @param {string} method
 * @param {any} params
 */
function answer(method, params) {
  switch (method) {
    case "client/registerCapability":
    case "client/unregisterCapability":
    case "window/workDoneProgress/create":
    case "window/showMessageRequest":
      return { result: null };
    case "workspace/configuration":
      return { result: params.items.map(() => null) };
    case "window/showDocument":
      return { result: { success: false } };
    default:
      return { error: { code: -32601, message: `${method} is not known here` } };
  }
}
