// @ts-check
// Makes `__capuchin`, the one global of Capuchin, before any script of the page runs. A classic script, because instrumented classic scripts ask it for
// their guard arrays while the page is still being parsed; the rest of the runtime is modules and comes later.
(() => {
  "use strict";
  if (Object.hasOwn(globalThis, "__capuchin")) return;

  // Elements can take the names of properties of `document`; the getter of the prototype cannot be taken.
  const tag = Object.getOwnPropertyDescriptor(Document.prototype, "currentScript")?.get?.call(document) ?? null;
  const attribute = (/** @type {string} */ name) => (tag === null ? null : Element.prototype.getAttribute.call(tag, name)) ?? "";
  const source = tag === null ? "" : attribute("src");
  const base = new URL(source || "/@capuchin/boot.js", location.href);

  // Programs replace these, fake timers for instance; the runtime goes on with what the browser gave.
  const natives = {
    WebSocket: globalThis.WebSocket,
    fetch: globalThis.fetch.bind(globalThis),
    setTimeout: globalThis.setTimeout.bind(globalThis),
    clearTimeout: globalThis.clearTimeout.bind(globalThis),
    now: performance.now.bind(performance),
    eval: globalThis.eval,
    functionText: Function.prototype.toString,
    /** The user's text of a function that was not patched; text.js knows of patches, too, and takes this place. @param {string} source */
    readable: (source) => source
      .replace(/^[^\f\v]*\v/, "")
      .replace(/\f\f|\f(?:\/\*(.*?)\*\/)?[^\f\v]*(?:\v|$)|\v/gs, (mark, /** @type {string | undefined} */ instead) => (instead === undefined ? "" : decodeURIComponent(instead))),
  };

  // Functions say what their user wrote, without what instrumentation put in.
  const { apply } = Reflect;
  const { toString } = {
    toString() {
      if (this === toString) return apply(natives.functionText, natives.functionText, []);
      const source = apply(natives.functionText, this, []);
      return source.includes("\v") ? natives.readable(source) : source;
    },
  };
  Object.defineProperty(Function.prototype, "toString", { value: toString, writable: true, enumerable: false, configurable: true });

  // Guard arrays of scripts that ran before the runtime was there. Taken over and emptied by client.js.
  /** @type {{ url: string, rev: number, nsites: number, stamp: string, guards: number[] }[]} */
  const waiting = [];
  const capuchin = {
    token: attribute("data-token"),
    page: attribute("data-page"),
    server: attribute("data-server"),
    rev: Number(attribute("data-rev")) || 0,
    html: attribute("data-html"),
    cleanup: attribute("data-cleanup") || "on",
    // When updates of modules are applied: `<html data-capuchin-mode="manual">`, or whenever the program says so.
    mode: Element.prototype.getAttribute.call(document.documentElement, "data-capuchin-mode") || "automatic",
    setMode(/** @type {string} */ mode) { capuchin.mode = mode; },
    /** Replaced by the runtime. @returns {Promise<void>} */
    sync: () => loading.then(() => capuchin.sync()),
    origin: base.origin,
    natives,
    waiting,
    /**
     * The guard array of a plain script. Strict ones bring their hook.
     * @param {string} url @param {number} rev @param {number} nsites @param {string} stamp @param {(code: string) => any} [hook]
     */
    script(url, rev, nsites, stamp, hook) {
      /** @type {number[]} */
      const guards = [];
      for (let id = 0; id < nsites; id++) guards.push(0);
      // The hook of the global scope; each script has its own, because what is made through it is kept on it.
      /** @type {any} */ (guards).s = hook ?? ((/** @type {string} */ code) => natives.eval(code));
      // What waits in async functions and generators.
      /** @type {number[]} */
      const begun = [];
      Object.assign(guards, { begun, begin: (/** @type {number} */ id) => { begun[id] = (begun[id] ?? 0) + 1; }, end: (/** @type {number} */ id) => { begun[id] -= 1; } });
      // Classes that are made before the runtime is there wait for it.
      /** @type {unknown[][]} */
      const classes = [];
      /** @type {object[]} */
      const switches = [];
      Object.assign(guards, { switches, on: (/** @type {object} */ group) => {
        switches.push(group);
        return group;
      } });
      Object.assign(guards, { classes, k: (/** @type {unknown[]} */ ...made) => { classes.push(made); } });
      waiting.push({ url, rev, nsites, stamp, guards });
      return guards;
    },
  };
  Object.defineProperty(globalThis, "__capuchin", { value: capuchin });

  // Pages of plain scripts have no entry that would load it.
  const loading = import(new URL("runtime/client.js", base).href);
  loading.catch((error) => {
    console.error("[capuchin] the runtime did not load; this page is not live.", error);
  });
})();
