// @ts-check
// What the top level of a module started: timers, listeners and observers. When the module runs again and has no dispose handler to
// stop them itself, they are stopped for it, so that a clock does not tick twice.
//
// The browser's functions are wrapped only while some module's top level runs, and are the browser's own again afterwards: code that is not
// being loaded sees nothing of this. What happens in callbacks and behind an `await` is the program's own business.

/** @typedef {import("./registry.js").Instance} Instance */

/** `off`: nothing is noted. `warn`: it goes on, and is named. `on`: it is stopped. @typedef {"off" | "warn" | "on"} Setting */

/** Something that goes on until it is stopped. @typedef {{ what: string, stop: () => void }} Effect */

/** As much of a global object as is used here. @typedef {Record<string, any>} Scope */

const OBSERVERS = ["MutationObserver", "ResizeObserver", "IntersectionObserver", "PerformanceObserver", "ReportingObserver"];

export class Cleanup {
  /** @param {Setting} setting @param {(message: string) => void} warn @param {Scope} [scope] */
  constructor(setting, warn, scope = globalThis) {
    this.setting = setting;
    this.warn = warn;
    this.scope = scope;
    /** Whose top level runs. @type {Instance | null} */
    this.current = null;
    /** What gives the browser's functions back. Empty while no module runs. @type {(() => void)[]} */
    this.wrapped = [];
    this.depth = 0;
  }

  /** The top level of this instance begins or goes on. @param {Instance} instance @returns {Instance | null} to be given to `leave` */
  enter(instance) {
    const before = this.current;
    if (this.setting === "off") return before;
    if (this.depth++ === 0) this.wrap();
    this.current = instance;
    return before;
  }

  /** @param {Instance | null} before */
  leave(before) {
    if (this.setting === "off") return;
    this.current = before;
    if (--this.depth === 0) for (const unwrap of this.wrapped.splice(0)) unwrap();
  }

  wrap() {
    const { scope } = this;
    const timer = (/** @type {string} */ start, /** @type {string} */ stop, /** @type {string} */ what) => {
      const end = scope[stop];
      this.replace(scope, start, (handle) => ({ what, stop: () => end.call(scope, handle) }));
    };
    timer("setInterval", "clearInterval", "interval");
    timer("setTimeout", "clearTimeout", "timeout");
    timer("requestAnimationFrame", "cancelAnimationFrame", "animation frame");
    timer("requestIdleCallback", "cancelIdleCallback", "idle callback");
    const target = scope.EventTarget?.prototype;
    if (target) {
      const { removeEventListener } = target;
      this.replace(target, "addEventListener", (_, self, [type, listener, options]) => {
        if (listener === null || listener === undefined) return null;
        // The target holds its listeners; this must hold neither.
        const on = new WeakRef(self ?? scope);
        const with_ = new WeakRef(listener);
        const capture = typeof options === "object" && options !== null ? options.capture === true : options === true;
        return {
          what: "listener",
          stop: () => {
            const [alive, callback] = [on.deref(), with_.deref()];
            if (alive !== undefined && callback !== undefined) removeEventListener.call(alive, type, callback, { capture });
          },
        };
      });
    }
    for (const name of OBSERVERS) {
      const prototype = scope[name]?.prototype;
      if (!prototype) continue;
      const { disconnect } = prototype;
      this.replace(prototype, "observe", (_, self) => {
        const observer = new WeakRef(self);
        return { what: "observer", stop: () => { const alive = observer.deref(); if (alive) disconnect.call(alive); } };
      });
    }
  }

  /**
   * @param {Scope} owner @param {string} name
   * @param {(result: any, self: any, args: any[]) => Effect | null} effectOf what a call has started
   */
  replace(owner, name, effectOf) {
    const own = owner[name];
    if (typeof own !== "function") return;
    // A proxy has the name, the length and the text of what it stands for.
    const wrapper = new Proxy(own, {
      apply: (target, self, args) => {
        const result = Reflect.apply(target, self, args);
        // A program may have kept the wrapper.
        const effect = this.current === null ? null : effectOf(result, self, args);
        if (effect !== null) (this.current?.effects ?? []).push(effect);
        return result;
      },
    });
    owner[name] = wrapper;
    this.wrapped.push(() => {
      // What the program put there itself stays.
      if (owner[name] === wrapper) owner[name] = own;
    });
  }

  /** The instance gave its place to another one, or never got it. @param {Instance} instance */
  end(instance) {
    const effects = instance.effects.splice(0);
    if (effects.length === 0 || instance.hadDisposer || this.setting === "off") return;
    if (this.setting === "warn") {
      /** @type {Map<string, number>} */
      const counts = new Map();
      for (const { what } of effects) counts.set(what, (counts.get(what) ?? 0) + 1);
      const list = [...counts].map(([what, count]) => `${count} ${what}${count === 1 ? "" : "s"}`).join(", ");
      this.warn(`${instance.id} ran again, and what it started before goes on (${list}): stop it in a dispose handler`);
      return;
    }
    for (const { stop } of effects) {
      try {
        stop();
      } catch (error) {
        this.warn(`${instance.id}: something that it started could not be stopped: ${error}`);
      }
    }
  }
}
