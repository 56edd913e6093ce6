// @ts-check
// One round of an update, when it is known who must run again (plan.js), in webpack's order with Vite's callbacks and events at their
// places:
//
//     vite:beforeUpdate -> dispose (reverse) -> new code -> accept callbacks -> self-accepted modules -> Vite callbacks
//       -> what failed comes back -> prune -> vite:afterUpdate

import { isThenable } from "./events.js";
import { acceptsItself } from "./hot.js";
import { Instance, Program } from "./registry.js";

/** @typedef {import("./registry.js").Module} Module */
/** @typedef {import("./plan.js").ApplyOptions} ApplyOptions */
/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {import("./update.js").Update} Update */
/** @typedef {import("./update.js").Updater} Updater */

/** How long a disposer's promise is waited for: one that never settles must not stop all later updates. */
const DISPOSE_PATIENCE = 2000;

/**
 * An instance as it was before this update, so that it can come back.
 * @typedef {{ module: Module, instance: Instance, program: Program | null, rev: number, stamp: string | undefined, parents: string[] }} Snapshot
 */

export class Round {
  /**
   * @param {Updater} updater @param {Plan} plan what `install` and `dependencies` hold is used up
   * @param {Map<string, Update>} pending the new code, by id @param {ApplyOptions} options
   * @param {boolean} auto whether what goes wrong gives way to the instances before it
   */
  constructor(updater, plan, pending, options, auto) {
    this.updater = updater;
    this.registry = updater.registry;
    this.host = updater.host;
    this.events = updater.events;
    this.plan = plan;
    this.pending = pending;
    this.options = options;
    this.auto = auto;
    /** What went wrong. @type {{ module: string, error: unknown }[]} */
    this.errors = [];
    /** How many have taken something over. */
    this.accepted = 0;
    /** @type {Snapshot[]} */
    this.snapshots = [];
    /** The instances that run again by themselves. @type {Instance[]} */
    this.again = [];
    /** Vite's callbacks, to be called when everything has been loaded. @type {(() => void)[]} */
    this.vite = [];
  }

  async run() {
    const { registry, plan } = this;
    /** @type {(Promise<unknown> | null)[]} */
    const told = [];
    // Computed before anything is disposed: the old instances say who accepts.
    for (const id of plan.outdated) {
      const instance = registry.cached(id);
      if (instance === null || plan.removed.includes(id) || instance.hot?.selfInvalidated) continue;
      if (this.updater.takesItself(instance) || instance.main || instance.hot?.acceptedExports) this.again.push(instance);
    }
    const payload = this.payload();
    if (payload.updates.length > 0) {
      const before = this.events.emit("vite:beforeUpdate", payload);
      if (before) await before;
    }

    told.push(this.updater.setStatus("dispose"));
    /** @type {Promise<unknown>[]} */
    const disposing = [];
    for (const id of [...plan.outdated].reverse()) {
      const instance = registry.cached(id);
      if (instance === null) continue;
      const { module } = instance;
      this.snapshots.push({ module, instance, program: module.program, rev: module.rev, stamp: module.stamp, parents: [...instance.parents] });
      this.dispose(instance, disposing);
      plan.dependencies.delete(id);
    }
    for (const [id, deps] of plan.dependencies) for (const dep of deps) registry.cached(id)?.children.delete(dep);
    if (disposing.length > 0) await this.patiently(Promise.all(disposing));

    told.push(this.updater.setStatus("apply"));
    this.install();

    await this.acceptCallbacks();
    await this.selfAccepted();
    for (const tell of this.vite) {
      try {
        tell();
      } catch (error) {
        this.failed("", { type: "accept-errored", error }, error);
      }
    }
    if (this.auto && this.errors.length > 0) this.restore();
    for (const { instance } of this.snapshots) {
      if (instance.active) continue;
      this.events.forget(instance);
      registry.cleanup.end(instance);
    }
    if (this.errors.length === 0) await this.prune();
    if (payload.updates.length > 0) {
      const after = this.events.emit("vite:afterUpdate", payload);
      if (after) told.push(after);
    }
    const waiting = told.filter((promise) => promise !== null);
    if (waiting.length > 0) await Promise.all(waiting);
  }

  /** @param {string} module @param {any} event @param {unknown[]} errors */
  failed(module, event, ...errors) {
    this.heard(this.options.onErrored, event);
    if (!this.options.ignoreErrored) for (const error of errors) this.errors.push({ module, error });
  }

  /** @param {Instance} instance @param {Promise<unknown>[]} waiting gets what its disposers ask to wait for */
  dispose(instance, waiting) {
    const { module, hot } = instance;
    // One that came back after a failure has been disposed before: what it left then is still what the next one needs.
    const data = instance.restored && module.data ? module.data : {};
    const run = (/** @type {Function} */ disposer, /** @type {object} */ argument) => {
      try {
        const result = disposer(argument);
        if (isThenable(result)) return Promise.resolve(result).catch((error) => this.disposerFailed(instance, error));
      } catch (error) {
        this.disposerFailed(instance, error);
      }
      return null;
    };
    instance.hadDisposer ||= hot !== null && hot.disposers.length + hot.viteDisposers.length > 0;
    if (hot !== null) {
      for (const disposer of hot.disposers.splice(0)) run(disposer, data);
      for (const disposer of hot.viteDisposers.splice(0)) {
        const promise = run(disposer, module.viteData ??= {});
        if (promise) waiting.push(promise);
      }
    }
    module.data = data;
    instance.active = false;
    if (module.current === instance) module.current = null;
    for (const child of instance.children) this.registry.cached(child)?.parents.delete(instance.id);
  }

  /** @param {Instance} instance @param {unknown} error */
  disposerFailed(instance, error) {
    this.heard(this.options.onErrored, { type: "dispose-errored", moduleId: instance.id, error });
    this.host.report(instance.id, error);
  }

  /** Calls a hook of the program; its own error must not stop the update half-way. @param {Function | undefined} hook @param {unknown} event */
  heard(hook, event) {
    try {
      hook?.(event);
    } catch (error) {
      this.host.report("", error);
    }
  }

  install() {
    const { registry, plan, pending } = this;
    for (const id of plan.install) {
      const update = pending.get(id);
      if (!update?.program) continue;
      const taken = registry.define(update.added);
      if (taken.length > 0) registry.host.loaded?.(taken.map(({ id, rev, stamp }) => ({ id, rev, stamp })));
      const module = registry.module(id);
      if (module.program !== update.program) {
        registry.install(module, update.program);
        module.rev = Math.max(module.rev, update.rev);
        if (update.renewal) registry.host.loaded?.([{ id, rev: module.rev, stamp: module.stamp }]);
      }
      module.updates += 1;
    }
    for (const id of plan.removed) {
      const module = registry.module(id);
      const gone = new Program({ id, kind: "cjs", rev: pending.get(id)?.rev ?? module.rev, sites: 0, deps: [], code: "" });
      gone.gone = true;
      gone.factory = () => this.host.warn(`[HMR] unexpected require(${id}) to disposed module`);
      registry.install(module, gone);
    }
  }

  /** Tells the parents that accept a dependency, webpack's way, and loads what Vite's callbacks will be told of. */
  async acceptCallbacks() {
    const { registry } = this;
    const waiting = [];
    for (const [moduleId, ids] of this.plan.dependencies) {
      const parent = registry.cached(moduleId);
      if (parent === null || parent.hot === null) continue;
      const outdated = [...ids];
      /** @type {Map<unknown, import("./hot.js").Accepted & { dependencyId: string }>} */
      const calls = new Map();
      for (const dependencyId of outdated) {
        const accepted = parent.hot.accepted.get(dependencyId);
        if (accepted && !calls.has(accepted.key)) calls.set(accepted.key, { ...accepted, dependencyId });
      }
      for (const { callback, errorHandler, renew, dependencyId } of calls.values()) {
        const threw = (/** @type {unknown} */ error) => {
          if (typeof errorHandler === "function") {
            try {
              errorHandler(error, { moduleId, dependencyId });
              this.accepted += 1;
            } catch (second) {
              this.failed(moduleId, { type: "accept-error-handler-errored", moduleId, dependencyId, error: second, originalError: error }, second, error);
            }
          } else {
            this.failed(moduleId, { type: "accept-errored", moduleId, dependencyId, error }, error);
          }
        };
        try {
          const renewing = renew === null ? null : this.renew(parent, renew);
          const result = renewing === null ? callback(outdated) : renewing.then(() => callback(outdated));
          if (isThenable(result)) waiting.push(Promise.resolve(result).then(() => { this.accepted += 1; }, threw));
          else this.accepted += 1;
        } catch (error) {
          threw(error);
        }
      }
      for (const { deps, tell } of [...parent.hot.viteDeps]) {
        for (const id of outdated) {
          if (!deps.includes(id)) continue;
          /** @type {unknown} */
          let namespace = undefined;
          const got = (/** @type {Instance} */ instance) => { namespace = registry.fixedNamespace(instance); this.accepted += 1; };
          const threw = (/** @type {unknown} */ error) => this.failed(id, { type: "accept-errored", moduleId, dependencyId: id, error }, error);
          try {
            const instance = registry.load(registry.module(id), parent);
            const loading = registry.settled(instance);
            if (loading) waiting.push(loading.then(() => got(instance), threw));
            else got(instance);
          } catch (error) {
            threw(error);
          }
          this.vite.push(() => tell(deps.map((dep) => (dep === id ? namespace : undefined))));
        }
      }
    }
    if (waiting.length > 0) await Promise.all(waiting);
  }

  /** Runs the new code of dependencies that an accept call of an ES module names. @param {Instance} parent @param {string[]} ids */
  renew(parent, ids) {
    const { registry } = this;
    const loading = [];
    for (const id of ids) {
      const module = registry.modules.get(id);
      if (!module?.program) continue;
      const promise = registry.settled(registry.load(module, parent));
      if (promise) loading.push(promise);
    }
    return loading.length === 0 ? null : Promise.all(loading);
  }

  /** Runs the modules again that accept their own update. */
  async selfAccepted() {
    const { registry } = this;
    const waiting = [];
    for (const old of this.again) {
      const { id: moduleId, module } = old;
      const handler = old.hot?.selfAccepted;
      const threw = (/** @type {unknown} */ error) => {
        if (typeof handler !== "function") {
          this.failed(moduleId, { type: "self-accept-errored", moduleId, error }, error);
          return;
        }
        try {
          const record = module.current;
          handler(error, { moduleId, module: record === null ? undefined : registry.moduleRecord(record) });
          // The failed instance stays if the handler armed it for the next update; else nobody would hear of that.
          if (this.auto && record !== null && !acceptsItself(record)) this.bringBack(this.snapshots.filter(({ instance }) => instance === old));
          this.host.report(moduleId, error);
        } catch (second) {
          this.failed(moduleId, { type: "self-accept-error-handler-errored", moduleId, error: second, originalError: error }, second, error);
        }
      };
      try {
        const instance = this.rerun(old);
        const loading = registry.settled(instance);
        if (loading) waiting.push(loading.then(() => { this.accepted += 1; }, threw));
        else this.accepted += 1;
      } catch (error) {
        threw(error);
      }
      for (const callback of old.hot?.viteCallbacks ?? []) {
        this.vite.push(() => {
          const now = module.current;
          callback(now === null || now === old || now.state === "error" ? undefined : registry.fixedNamespace(now));
        });
      }
    }
    if (waiting.length > 0) await Promise.all(waiting);
  }

  /** Runs a module again in the place of a disposed instance, unless something else already did. @param {Instance} old */
  rerun(old) {
    const { registry } = this;
    const { module } = old;
    if (module.current !== null) {
      if (module.current.state === "error") throw module.current.error;
      return module.current;
    }
    const instance = new Instance(module, old.main);
    // Parents that were disposed have left it by now.
    instance.parents = new Set(old.parents);
    return registry.start(instance);
  }

  // -- Coming back from new code that does not run

  restore() {
    // When nobody took anything over yet, the whole update is undone; else only what failed.
    const lost = this.accepted === 0 ? this.snapshots : this.snapshots.filter(({ module }) => module.current?.state === "error");
    this.bringBack(lost);
  }

  /** @param {Snapshot[]} snapshots */
  bringBack(snapshots) {
    const { registry } = this;
    for (const { module, instance, program, rev, stamp, parents } of snapshots) {
      const failed = module.current;
      if (failed !== null && failed !== instance) {
        // It may have started timers before it threw. What it leaves is for nobody.
        const { data } = module;
        this.dispose(failed, []);
        module.data = data;
        this.events.forget(failed);
        registry.cleanup.end(failed);
      }
      if (program !== null) registry.install(module, program);
      if (program?.kind === "css") registry.host.injectStyle?.(module.id, program.code);
      module.rev = rev;
      module.stamp = stamp;
      module.current = instance;
      instance.active = true;
      instance.restored = true;
      instance.parents = new Set(parents);
    }
    for (const { instance, parents } of snapshots) {
      for (const child of instance.children) registry.cached(child)?.parents.add(instance.id);
      for (const parent of parents) registry.cached(parent)?.children.add(instance.id);
      registry.bind(instance);
    }
  }

  // -- Modules that nothing imports any more

  async prune() {
    const { registry } = this;
    /** @type {Set<string>} */
    const children = new Set();
    for (const { instance } of this.snapshots) for (const child of instance.children) children.add(child);
    const gone = [];
    for (const id of children) {
      const instance = registry.cached(id);
      if (instance === null || instance.main || instance.parents.size > 0) continue;
      if (instance.program.kind === "css" || (instance.hot?.prunes.length ?? 0) > 0) gone.push(instance);
    }
    if (gone.length === 0) return;
    void this.events.emit("vite:beforePrune", { type: "prune", paths: gone.map(({ id }) => id) });
    /** @type {Promise<unknown>[]} */
    const waiting = [];
    for (const instance of gone) this.dispose(instance, waiting);
    if (waiting.length > 0) await this.patiently(Promise.all(waiting));
    for (const instance of gone) {
      const { module } = instance;
      for (const prune of instance.hot?.prunes ?? []) {
        try {
          prune(module.viteData ??= {});
        } catch (error) {
          this.host.report(instance.id, error);
        }
      }
      if (instance.program.kind === "css") this.host.removeStyle?.(instance.id);
      module.viteData = null;
      this.events.forget(instance);
      registry.cleanup.end(instance);
    }
  }

  /** @param {Promise<unknown>} promise */
  patiently(promise) {
    return new Promise((resolve) => {
      const timer = this.host.setTimeout(() => {
        this.host.warn("[HMR] a dispose handler does not finish; going on without it");
        resolve(undefined);
      }, DISPOSE_PATIENCE);
      promise.then(() => {
        this.host.clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  /** Vite's description of an update: boundaries and what each accepts. */
  payload() {
    const { plan, again } = this;
    const { firstInvalidatedBy } = this.updater;
    const timestamp = this.host.now();
    const update = (/** @type {string} */ path, /** @type {string} */ acceptedPath) => ({
      type: "js-update", path, acceptedPath, timestamp, explicitImportRequired: false, isWithinCircularImport: false,
      ...(firstInvalidatedBy === null ? {} : { firstInvalidatedBy }),
    });
    const updates = [];
    for (const [path, deps] of plan.dependencies) {
      if (!plan.outdated.includes(path)) for (const dep of deps) updates.push(update(path, dep));
    }
    for (const { id } of again) updates.push(update(id, id));
    return { type: "update", updates };
  }
}
