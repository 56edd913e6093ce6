// @ts-check
// The runtime without a browser: everything a page does, given what a host brings. client.js is the host that is a page; tests
// and other programs make their own, in plain Node for instance:
//
//     const host = createHost({ page: "p1", server: "s1", origin: "http://localhost:4177", open: () => socket });
//     host.connect();
//     await host.enter(graph);

import { Applier, UnknownMessage } from "./apply.js";
import { installHot } from "./hot.js";
import { messageOf } from "./reasons.js";
import { Registry } from "./registry.js";
import { Link } from "./socket.js";
import { showStacks } from "./stack.js";
import { showTexts } from "./text.js";
import { Updater } from "./update.js";

/** @typedef {import("./wire.js").Graph} Graph */
/** @typedef {import("./wire.js").Reason} Reason */
/** @typedef {import("./wire.js").FromPage} FromPage */
/** @typedef {import("./wire.js").ToPage} ToPage */

/**
 * What a host brings. Only `origin` must be given; the rest does nothing, or what plain JavaScript can do.
 * @typedef {object} HostOptions
 * @property {string} origin
 * @property {string} [page]
 * @property {string} [server]
 * @property {number} [rev] the server's revision when it read the HTML of the page; 0: not known
 * @property {string} [url]
 * @property {string} [html] the id of the HTML file that the page was made from
 * @property {string} [userAgent]
 * @property {() => import("./socket.js").Wire} [open] the transport
 * @property {() => Promise<void>} [renew] asks a server that was started again for its token
 * @property {(code: string) => any} [evaluate] indirect eval
 * @property {(url: string, type?: string) => Promise<any>} [importUrl]
 * @property {(id: string) => Promise<Graph>} [fetchGraph]
 * @property {() => number} [now]
 * @property {(callback: () => void, ms: number) => unknown} [setTimeout]
 * @property {(handle: any) => void} [clearTimeout]
 * @property {import("./cleanup.js").Setting} [cleanup] what becomes of timers and listeners of a module that runs again; `off`
 * @property {() => void} [connected] told whenever the server can be reached
 * @property {(wake: () => void) => void} [onWake]
 * @property {() => boolean} [asleep]
 * @property {(reason: Reason) => void} [reload]
 * @property {(id: string, css: string) => void} [injectStyle]
 * @property {(id: string) => void} [removeStyle]
 * @property {(id: string, css: string) => unknown} [styleSheet]
 * @property {(url: string, rev: number) => Promise<boolean>} [swapStyle]
 * @property {(url: string, rev: number) => Promise<boolean>} [swapAsset]
 * @property {(module: string, message: string, line?: number, column?: number) => void} [showProblem]
 * @property {(module: string) => void} [clearProblem]
 * @property {(level: "debug" | "warn" | "error", message: string, error?: unknown) => void} [log]
 */

/** A program that talks to nobody must not fill the memory. */
const MOST_UNSENT = 100;

/** @param {HostOptions} options */
export function createHost(options) {
  const log = options.log ?? (() => {});
  const now = options.now ?? (() => performance.now());
  const setTimer = options.setTimeout ?? ((callback, ms) => globalThis.setTimeout(callback, ms));
  const clearTimer = options.clearTimeout ?? ((handle) => globalThis.clearTimeout(handle));
  const evaluate = options.evaluate ?? globalThis.eval;
  const page = options.page ?? "";
  let server = options.server ?? "";
  let rev = options.rev ?? 0;
  /** Whether the server takes events of the program; null: it has not said yet. @type {boolean | null} */
  let customAllowed = null;
  /** Events that the program sent while there was no connection. @type {FromPage[]} */
  let unsent = [];
  /** The reload that is about to happen. @type {{ timer: unknown, canWait: boolean } | null} */
  let reloading = null;
  /** Errors that were shown for a module and not by the server: the next success clears them. @type {Set<string>} */
  const shown = new Set();
  /** Problems that the server showed. @type {Set<string>} */
  const told = new Set();

  /** @param {string} module @param {unknown} error */
  const show = (module, error) => {
    shown.add(module);
    options.showProblem?.(module, messageOf(error));
  };

  /** @param {string} module @param {unknown} error */
  const report = (module, error) => {
    log("error", module ? `${module} failed` : "an update failed", error);
    show(module, error);
  };

  /**
   * The one way to reload the page.
   * @param {Reason} reason @param {number} [patience] how long it waits for a further reason, in milliseconds
   */
  const reload = (reason, patience = 0) => {
    if (reloading === null) {
      log("warn", `reloading: ${reason.message}`);
      void updater.events.emit("vite:beforeFullReload", { type: "full-reload", path: "*" });
    } else if (!reloading.canWait) {
      return;
    } else clearTimer(reloading.timer);
    // At least time for the outcome to leave, and for further reasons to become one reload.
    const timer = setTimer(() => {
      reloading = null;
      options.reload?.(reason);
    }, Math.max(20, patience));
    reloading = { timer, canWait: patience > 0 };
  };

  const registry = new Registry({
    evaluate,
    origin: options.origin,
    importUrl: options.importUrl ?? ((url, type) => (type === undefined ? import(url) : evaluate("(url,type)=>import(url,{with:{type}})")(url, type))),
    fetchGraph: options.fetchGraph ?? ((id) => Promise.reject(new TypeError(`Failed to fetch dynamically imported module: ${options.origin}${id}`))),
    warn: (message) => log("warn", message),
    cleanup: options.cleanup,
    injectStyle: options.injectStyle,
    removeStyle: options.removeStyle,
    styleSheet: options.styleSheet,
    loaded: (modules) => link?.send({ type: "loaded", modules }),
    refused: (module, patch, error) => {
      report(module, error);
      applier.refusedLater(module, patch, error);
    },
  });

  showTexts(registry);
  showStacks(registry);

  const updater = new Updater(registry, {
    send: (event, data) => {
      /** @type {FromPage} */
      const message = { type: "custom", event, data };
      if (customAllowed === false || link === null) log("debug", `the server does not take events; "${event}" was not sent`);
      else if (customAllowed && link.open && !link.greeting) link.send(message);
      else if (unsent.length < MOST_UNSENT) unsent.push(message);
      else log("warn", `"${event}" was not sent: there is no connection, and ${MOST_UNSENT} events wait for one`);
    },
    report,
    warn: (message) => log("warn", message),
    now,
    setTimeout: setTimer,
    clearTimeout: clearTimer,
    enqueue: (work) => applier.enqueue(work),
    reload: (reason) => applier.reloadWanted(reason),
    removeStyle: options.removeStyle,
  });
  installHot(registry, updater);

  const applier = new Applier(registry, updater, {
    outcome: (seq, results) => link?.send({ type: "outcome", seq, results }),
    resync: () => link?.resync(),
    reload,
    now,
    setTimeout: setTimer,
    clearTimeout: clearTimer,
    evaluate,
    swapStyle: options.swapStyle ?? (() => Promise.resolve(true)),
    swapAsset: options.swapAsset ?? (() => Promise.resolve(true)),
    html: options.html,
    problem: (module, message, line, column) => {
      if (message === null) {
        told.delete(module);
        options.clearProblem?.(module);
      } else {
        told.add(module);
        options.showProblem?.(module, message, line, column);
      }
      shown.delete(module);
    },
    report,
    recovered: (module) => {
      for (const id of [module, ""]) {
        if (!shown.delete(id)) continue;
        options.clearProblem?.(id);
      }
    },
  });

  /** Who waits until everything is here. @type {(() => void)[]} */
  let waitingForAll = [];
  /** The same, as they were when each hello went out that has not been answered by a `looked`. @type {(() => void)[][]} */
  let looks = [];

  /** @param {ToPage} message */
  const receive = (message) => {
    switch (message.type) {
      case "welcome":
        if (message.server !== server) {
          registry.renumber(message.modules ?? []);
          // The new server says what it finds wrong; it does not know what the old one said.
          for (const module of told) options.clearProblem?.(module);
          told.clear();
          // It counts its own.
          rev = 0;
        }
        server = message.server;
        customAllowed = message.custom === true;
        for (const event of unsent.splice(0)) if (customAllowed) link?.send(event);
        break;
      case "push":
        try {
          applier.push(message);
        } catch (error) {
          log("error", "a push could not be applied", error);
        }
        break;
      case "looked": {
        // Answers come in the order of the hellos. What was written after one of them is not in its answer.
        const done = looks.shift() ?? [];
        waitingForAll = waitingForAll.filter((tell) => !done.includes(tell));
        applier.enqueue(() => { for (const tell of done) tell(); return undefined; });
        break;
      }
      case "reload": reload(message.reason); break;
      case "custom": void updater.events.emit(message.event, message.data); break;
      default: unknownMessage(message);
    }
  };

  /** @param {never} message */
  const unknownMessage = (message) => {
    reload({ code: "unknownMessage", message: `the server sent "${/** @type {any} */ (message)?.type}", which this page does not know` });
  };

  const { open } = options;
  const link = open === undefined ? null : new Link({
    open,
    setTimeout: setTimer,
    clearTimeout: clearTimer,
    renew: options.renew,
    onWake: options.onWake ?? (() => {}),
    asleep: options.asleep ?? (() => false),
    hello: () => {
      const look = waitingForAll.length > 0;
      if (look) looks.push([...waitingForAll]);
      return {
        type: "hello", v: 1, page, server, ...(rev > 0 ? { rev } : {}), url: options.url ?? "", ...(options.html ? { html: options.html } : {}), userAgent: options.userAgent ?? "",
        modules: registry.revisions(), ...(look ? { look: true } : {}),
      };
    },
    receive,
    changed: (isOpen, webSocket) => {
      // The next hello asks again.
      if (!isOpen) looks = [];
      if (isOpen) options.connected?.();
      void updater.events.emit(isOpen ? "vite:ws:connect" : "vite:ws:disconnect", { webSocket });
    },
    debug: (message) => log("debug", message),
  });

  /** Entries that still wait for modules from elsewhere; later ones keep their place. @type {Promise<unknown> | null} */
  let entering = null;

  /**
   * Takes a graph in and runs its entry: at once when nothing has to be waited for, so that scripts keep their order.
   * @param {Graph} graph @returns {Promise<void>}
   */
  function enter(graph) {
    const taken = registry.define(graph.modules);
    // A second entry script, or one made later: the server knows of the first only.
    if (link?.open) link.send({ type: "loaded", modules: taken.map(({ id, rev, stamp }) => ({ id, rev, stamp })) });
    const preloading = registry.preload(taken.flatMap(({ program }) => program ?? []));
    if (preloading === null && entering === null) return run(graph.entry);
    const turn = Promise.all([entering, preloading]).then(() => run(graph.entry));
    const settled = turn.catch(() => {}).then(() => { if (entering === settled) entering = null; });
    entering = settled;
    return turn;
  }

  /** @param {string} id @returns {Promise<void>} */
  function run(id) {
    try {
      const waiting = registry.settled(registry.load(registry.module(id), null));
      if (waiting === null) return Promise.resolve();
      waiting.catch((error) => show(id, error));
      return waiting;
    } catch (error) {
      // Whoever calls tells it; a browser writes it to the console.
      show(id, error);
      throw error;
    }
  }

  /**
   * A plain script: its guard array.
   * @param {string} url @param {number} rev @param {number} nsites @param {string} [stamp]
   * @param {(code: string) => any} [hook] a strict script's, which evaluates strictly
   * @param {any} [guards] one that was made before the runtime was there
   */
  function script(url, rev, nsites, stamp, hook = (code) => evaluate(code), guards = undefined) {
    const module = registry.module(url);
    const known = module.classic;
    module.classic = true;
    module.rev = Math.max(module.rev, rev);
    module.stamp = stamp;
    module.nsites = Math.max(module.nsites, nsites);
    if (guards === undefined) guards = module.sites.guards(module.nsites, rev);
    else module.sites.adopt(guards, rev);
    // Each script has a hook of its own: what is made through it is kept on it.
    guards.s ??= hook;
    if (!known && link?.open) link.send({ type: "loaded", modules: [{ id: url, rev, stamp }] });
    return guards;
  }

  return {
    enter,
    script,
    registry,
    updater,
    applier,
    link,
    reload,
    receive,
    /**
     * Fulfilled when everything is here, and applied or waiting, that the server knows by now; it looks at the files on disk first.
     * @returns {Promise<void>}
     */
    sync: () => new Promise((resolve, reject) => {
      if (link === null) return reject(new Error("this host has no connection"));
      waitingForAll.push(resolve);
      // Without a connection the next hello asks.
      if (link.open) link.hello();
      return undefined;
    }),
    connect: () => link?.start(),
    close: () => link?.stop(),
    /** Whether the message is on its way. @param {FromPage} message */
    send: (message) => link?.send(message) ?? false,
    /** When updates of modules are applied. @param {import("./apply.js").Mode} mode */
    setMode: (mode) => {
      if (!["automatic", "manual", "watch"].includes(mode)) throw new TypeError(`There is no mode "${mode}": it is automatic, manual or watch`);
      applier.setMode(mode);
    },
  };
}

export { UnknownMessage };
