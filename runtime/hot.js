// @ts-check
// What a program says about its own updates. One state per instance, two faces of it: `module.hot` (which is also
// `import.meta.webpackHot`) as webpack documents it, from version 1 on, and `import.meta.hot` as Vite does. Saying is all that happens here; update.js listens.

/** @typedef {import("./registry.js").Instance} Instance */
/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./update.js").Updater} Updater */

/**
 * One accept call for one dependency. Calls in an ES module renew the modules they name, so the call itself is what is run once;
 * in CommonJS it is the callback, by identity.
 * @typedef {{ callback: Function, errorHandler: Function | undefined, key: unknown, renew: string[] | null }} Accepted
 */

/** The state behind both faces; gone with its instance. */
export class HotState {
  constructor() {
    /** A function is the handler of errors. @type {boolean | Function} */
    this.selfAccepted = false;
    this.selfDeclined = false;
    this.selfInvalidated = false;
    /** By dependency; a later call replaces an earlier one. @type {Map<string, Accepted>} */
    this.accepted = new Map();
    /** @type {Set<string>} */
    this.declined = new Set();
    /** Emptied when they have run. @type {Function[]} */
    this.disposers = [];
    /** Disposers given to `import.meta.hot`: called with Vite's data, and awaited. @type {Function[]} */
    this.viteDisposers = [];
    /** @type {Function[]} */
    this.prunes = [];
    /** Whether `import.meta.hot.accept()` was called without dependencies. */
    this.viteSelf = false;
    /** Told of the new namespace, all of them, in order. @type {Function[]} */
    this.viteCallbacks = [];
    /** @type {{ deps: (string | null)[], tell: (modules: unknown[]) => void }[]} */
    this.viteDeps = [];
    /** Names that importers need not run again for. @type {Set<string> | null} */
    this.acceptedExports = null;
  }
}

/** @param {Instance} instance @returns {HotState} */
export function hotState(instance) {
  return instance.hot ??= new HotState();
}

/** @param {Instance} instance */
export function acceptsItself({ hot, own }) {
  if (hot === null) return false;
  if (hot.selfAccepted !== false || hot.viteSelf) return true;
  return hot.acceptedExports !== null && [...own.keys()].every((name) => hot.acceptedExports?.has(name));
}

/**
 * Dependencies as the server resolved them; null for one that it did not find. What was no literal is taken as an id.
 * @param {Instance} instance @param {string} spec @returns {string | null}
 */
function dependency({ program }, spec) {
  const accepted = program.accepts.get(spec);
  if (accepted !== undefined) return accepted;
  return program.specs.get(spec)?.id ?? spec;
}

/** @param {Registry} registry @param {Updater} updater */
export function installHot(registry, updater) {
  registry.makeFaces = (instance) => ({ webpack: webpackFace(updater, instance), vite: viteFace(updater, instance) });
}

/** @param {Updater} updater @param {Instance} instance */
function webpackFace(updater, instance) {
  const state = () => hotState(instance);
  return {
    get active() { return instance.active; },
    get data() { return instance.data; },
    set data(value) { instance.data = value; },

    /**
     * `accept()`, `accept(errorHandler)`, `accept(dependency | dependencies, callback, errorHandler)`.
     * @param {any} [deps] @param {Function} [callback] @param {Function} [errorHandler]
     */
    accept(deps, callback, errorHandler) {
      if (deps === undefined) state().selfAccepted = true;
      else if (typeof deps === "function") state().selfAccepted = deps;
      else {
        const found = [];
        for (const spec of list(deps)) {
          const id = dependency(instance, spec);
          if (id !== null) found.push(id);
        }
        const call = { callback: callback ?? (() => {}), errorHandler };
        const renew = instance.program.kind === "esm" ? found : null;
        const key = renew === null && callback ? callback : call;
        for (const id of found) state().accepted.set(id, { ...call, key, renew });
      }
    },

    /** @param {any} [deps] */
    decline(deps) {
      if (deps === undefined) state().selfDeclined = true;
      else {
        for (const spec of list(deps)) {
          const id = dependency(instance, spec);
          if (id !== null) state().declined.add(id);
        }
      }
    },

    /** @param {Function} callback */
    dispose(callback) { state().disposers.push(callback); },
    /** @param {Function} callback */
    addDisposeHandler(callback) { state().disposers.push(callback); },
    /** @param {Function} callback */
    removeDisposeHandler(callback) {
      const at = state().disposers.indexOf(callback);
      if (at >= 0) state().disposers.splice(at, 1);
    },

    invalidate() { updater.invalidate(instance); },

    /** @param {any} [autoApply] @param {Function} [callback] */
    check(autoApply, callback) {
      if (typeof autoApply === "function") return told(updater.check(false), autoApply);
      return told(updater.check(autoApply), callback);
    },
    /** @param {any} [options] @param {Function} [callback] */
    apply(options, callback) {
      if (typeof options === "function") return told(updater.apply(undefined), options);
      return told(updater.apply(options), callback);
    },

    /** @param {(status: string) => unknown} [handler] */
    status(handler) {
      if (!handler) return updater.status;
      updater.statusHandlers.push(handler);
      return undefined;
    },
    /** @param {(status: string) => unknown} handler */
    addStatusHandler(handler) { updater.statusHandlers.push(handler); },
    /** @param {(status: string) => unknown} handler */
    removeStatusHandler(handler) {
      const at = updater.statusHandlers.indexOf(handler);
      if (at >= 0) updater.statusHandlers.splice(at, 1);
    },
  };
}

/** @param {Updater} updater @param {Instance} instance */
function viteFace(updater, instance) {
  const { module } = instance;
  const state = () => hotState(instance);
  return {
    get data() { return module.viteData ??= {}; },

    /** @param {any} [deps] @param {Function} [callback] */
    accept(deps, callback) {
      if (deps === undefined || typeof deps === "function") {
        state().viteSelf = true;
        if (deps) state().viteCallbacks.push(deps);
      } else if (typeof deps === "string") {
        state().viteDeps.push({ deps: [dependency(instance, deps)], tell: ([namespace]) => callback?.(namespace) });
      } else if (Array.isArray(deps)) {
        state().viteDeps.push({ deps: deps.map((spec) => dependency(instance, spec)), tell: (namespaces) => callback?.(namespaces) });
      } else {
        throw new Error("invalid hot.accept() usage.");
      }
    },

    /** @param {string | readonly string[]} names @param {Function} [callback] */
    acceptExports(names, callback) {
      state().acceptedExports = new Set([...(state().acceptedExports ?? []), ...list(names)]);
      if (callback) state().viteCallbacks.push(callback);
    },

    /** @param {Function} callback */
    dispose(callback) { state().viteDisposers.push(callback); },
    /** @param {Function} callback */
    prune(callback) { state().prunes.push(callback); },
    /** Does nothing, as in Vite: kept for old code. */
    decline() {},
    /** @param {string} [message] */
    invalidate(message) { updater.invalidateFromVite(instance, message); },

    /** @param {string} event @param {(payload: any) => unknown} callback */
    on(event, callback) { updater.events.on(event, callback, instance); },
    /** @param {string} event @param {(payload: any) => unknown} callback */
    off(event, callback) { updater.events.off(event, callback); },
    /** @param {string} event @param {unknown} [data] */
    send(event, data) { updater.host.send(event, data); },
  };
}

/** @param {any} value @returns {string[]} */
function list(value) {
  return typeof value === "object" && value !== null ? [...value] : [value];
}

/**
 * The callback form of webpack 1 beside the promise. @template T @param {Promise<T>} promise @param {Function | undefined} callback
 */
function told(promise, callback) {
  if (typeof callback !== "function") return promise;
  promise.then((value) => callback(null, value), (error) => callback(error));
  return undefined;
}
