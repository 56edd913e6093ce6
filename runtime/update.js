// @ts-check
// Running modules again: the status machine that programs can watch (`check`, `apply`, `invalidate`), and the way of an update through it:
// its effects and their hooks, then rounds (round.js) until nothing is invalidated any more.
//
// Two ways lead in. The program asks (`check`, `apply`): then what goes wrong ends in abort or fail, which are final, as webpack has
// it. Or the server pushes (`auto`): then a module that throws while it runs gives way to the instance before it, and the status comes back to idle.
//
// Between the steps nothing is awaited unless somebody asked for it, so a plain update is one synchronous run.

import { Events, isThenable } from "./events.js";
import { acceptsItself, hotState } from "./hot.js";
import { abortMessage, effectOf, merge } from "./plan.js";
import { Program, externalKey } from "./registry.js";
import { Round } from "./round.js";

/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./registry.js").Instance} Instance */
/** @typedef {import("./plan.js").ApplyOptions} ApplyOptions */
/** @typedef {import("./plan.js").Effect} Effect */
/** @typedef {import("./plan.js").Plan} Plan */
/** @typedef {"idle" | "check" | "prepare" | "ready" | "dispose" | "apply" | "abort" | "fail" | "watch" | "watch-delay"} Status */

/**
 * One module that has to run again. `program`: its new code, or null when the file is gone. `added`: modules it brings along.
 * `renewal`: the page asked for it, so the server does not know that it is here.
 * @typedef {{ id: string, rev: number, program: Program | null, added: import("./wire.js").ModuleDef[], renewal?: true }} Update
 */

/**
 * @typedef {object} UpdaterHost
 * @property {(event: string, data: unknown) => void} send to the server
 * @property {(module: string, error: unknown) => void} report an error of the program during an update; shown to the user
 * @property {(message: string) => void} warn
 * @property {() => number} now
 * @property {(callback: () => void, ms: number) => unknown} setTimeout
 * @property {(handle: any) => void} clearTimeout
 * @property {(work: () => Promise<void>) => void} enqueue after the push that is being applied
 * @property {(reason: import("./wire.js").Reason) => void} reload asked for by the program, by way of `invalidate`
 * @property {(id: string) => void} [removeStyle]
 */

export class Updater {
  /** @param {Registry} registry @param {UpdaterHost} host */
  constructor(registry, host) {
    this.registry = registry;
    this.host = host;
    /** @type {Status} */
    this.status = "idle";
    /** The status between two updates: `watch` where updates are gathered for a while before they are applied. @type {"idle" | "watch"} */
    this.rest = "idle";
    /** @type {((status: string) => unknown)[]} */
    this.statusHandlers = [];
    this.events = new Events((error) => host.report("", error));
    /** Updates that wait for the program to call `check()` (manual mode). @type {Map<string, Update>} */
    this.waiting = new Map();
    /** The update that `apply()` is to apply. @type {Map<string, Update>} */
    this.pending = new Map();
    /** The updates whose effects are being looked at. @type {Map<string, Update>} */
    this.coming = new Map();
    /** Ids that were invalidated while an update was on its way. @type {Set<string>} */
    this.invalidated = new Set();
    /** Importers that Vite's `invalidate` hands the update on to. @type {Set<string>} */
    this.handedOn = new Set();
    /** Who began the chain of invalidations that is being followed. @type {string | null} */
    this.firstInvalidatedBy = null;
    this.blockingLoads = 0;
    /** @type {(() => void)[]} */
    this.unblocked = [];
    /** Told what the program's own `apply` brought into effect, and what failed. @type {(updates: Update[], errors: { module: string, error: unknown }[]) => void} */
    this.applied = () => {};
    registry.blocking = (load) => this.trackBlocking(load());
  }

  /** Where `check` learns of updates. A host may put something slower here. @type {() => Promise<Map<string, Update> | null>} */
  manifest = async () => {
    if (this.waiting.size === 0) return null;
    const update = this.waiting;
    this.waiting = new Map();
    return update;
  };

  // -- The status machine

  /** @param {Status} status @returns {Promise<unknown> | null} what handlers asked to wait for */
  setStatus(status) {
    this.status = status;
    const waiting = [];
    for (const handler of [...this.statusHandlers]) {
      try {
        const result = handler(status);
        if (isThenable(result)) waiting.push(Promise.resolve(result).catch((error) => this.host.report("", error)));
      } catch (error) {
        this.host.report("", error);
      }
    }
    return waiting.length === 0 ? null : Promise.all(waiting);
  }

  /** Whether updates are gathered for a while, as webpack 1 does it while it watches. @param {boolean} watches */
  watch(watches) {
    this.rest = watches ? "watch" : "idle";
    const isResting = this.status === "idle" || this.status === "watch" || this.status === "watch-delay";
    if (isResting && this.status !== this.rest) this.setStatus(this.rest);
  }

  /** @param {any} autoApply @returns {Promise<string[] | null>} */
  check(autoApply) {
    if (this.status !== "idle") throw new Error("check() is only allowed in idle status");
    return this.runCheck(this.setStatus("check"), autoApply);
  }

  /** @param {Promise<unknown> | null} told @param {any} autoApply @returns {Promise<string[] | null>} */
  async runCheck(told, autoApply) {
    /** @type {Map<string, Update> | null} */
    let update = null;
    try {
      if (told) await told;
      update = await this.manifest();
      if (update === null) {
        const invalidated = this.takeInvalidated();
        const told = this.setStatus(invalidated ? "ready" : "idle");
        if (told) await told;
        return null;
      }
      const preparing = this.setStatus("prepare");
      if (preparing) await preparing;
      await this.prepare(update.values());
      await this.blockers();
    } catch (error) {
      // Nothing was changed yet. What could not be fetched is asked for again next time.
      for (const [id, one] of update ?? []) if (!this.waiting.has(id)) this.waiting.set(id, one);
      const told = this.setStatus("idle");
      if (told) await told;
      throw error;
    }
    this.pending = update;
    if (autoApply) return this.finishProgramApply(typeof autoApply === "object" ? autoApply : {});
    const ids = [...update.keys()];
    const ready = this.setStatus("ready");
    if (ready) await ready;
    return ids;
  }

  /** @param {ApplyOptions | undefined} options @returns {Promise<string[]>} */
  apply(options) {
    if (this.status !== "ready") return Promise.reject(new Error(`apply() is only allowed in ready status (state: ${this.status})`));
    return this.finishProgramApply(typeof options === "object" && options !== null ? options : {});
  }

  /** @param {ApplyOptions} options */
  async finishProgramApply(options) {
    const updates = [...this.pending.values()];
    // What was sent twice is applied once.
    for (const { id, rev } of updates) if (this.waiting.get(id)?.rev === rev) this.waiting.delete(id);
    try {
      const outdated = await this.applyPending(options, false);
      this.applied(updates, []);
      return outdated;
    } catch (error) {
      this.applied(updates, [{ module: updates[0]?.id ?? "", error }]);
      throw error;
    }
  }

  /** Marks an instance so that its own acceptance does not count, and has it updated. @param {Instance} instance */
  invalidate(instance) {
    hotState(instance).selfInvalidated = true;
    switch (this.status) {
      case "idle":
        this.pending = new Map();
        this.addInvalidated(instance.id);
        this.setStatus("ready");
        break;
      case "ready": this.addInvalidated(instance.id); break;
      case "check":
      case "prepare":
      case "dispose":
      case "apply": this.invalidated.add(instance.id); break;
      case "watch":
      case "watch-delay":
        // Those apply by themselves.
        this.invalidated.add(instance.id);
        this.host.enqueue(async () => {
          const { refused } = await this.auto([]);
          if (refused) this.host.reload(refused);
        });
        break;
      case "abort":
      case "fail": break;
      default: unreachable(this.status);
    }
  }

  /** @param {string} id */
  addInvalidated(id) {
    const program = this.registry.modules.get(id)?.program;
    if (program && !this.pending.has(id)) this.pending.set(id, { id, rev: program.rev, program, added: [] });
  }

  /** @returns {boolean} whether there was something to take */
  takeInvalidated() {
    const ids = [...this.invalidated];
    this.invalidated.clear();
    for (const id of ids) this.addInvalidated(id);
    return ids.length > 0;
  }

  /** Vite's `invalidate`: the module stays, those that import it run again. @param {Instance} caller @param {string} [message] */
  invalidateFromVite(caller, message) {
    // Accept callbacks are those of the instance before, and speak for the one that has just taken its place.
    const instance = caller.module.current ?? caller;
    const firstInvalidatedBy = this.firstInvalidatedBy ?? instance.id;
    void this.events.emit("vite:invalidate", { path: instance.id, message, firstInvalidatedBy });
    // As in Vite: only an update that the module took itself can be handed on, and only once.
    if (!instance.active || instance.generation === 0 || instance.handedOn || !acceptsItself(instance)) return;
    instance.handedOn = true;
    const busy = !["idle", "ready", "watch", "watch-delay"].includes(this.status);
    const chain = this.firstInvalidatedBy ?? instance.id;
    const importers = [...instance.parents].filter((id) => id !== instance.id);
    if (importers.length === 0) {
      this.host.reload({ code: "invalidated", message: `${instance.id} gave its update up${message ? `: ${message}` : ""}, and nothing imports it` });
      return;
    }
    for (const id of importers) this.handedOn.add(id);
    this.nextInvalidatedBy = chain;
    if (busy) return;
    this.host.enqueue(async () => {
      const result = await this.auto([]);
      if (result.refused) this.host.reload(result.refused);
    });
  }

  /** The chain that `handedOn` belongs to. @type {string | null} */
  nextInvalidatedBy = null;

  /** Loads that start while an update waits to be applied hold it back. @template T @param {Promise<T>} loading @returns {Promise<T>} */
  trackBlocking(loading) {
    if (this.status === "ready") this.setStatus("prepare");
    if (this.status !== "prepare") return loading;
    this.blockingLoads += 1;
    const done = () => {
      this.blockingLoads -= 1;
      if (this.blockingLoads > 0) return;
      // In the preparation of `check`, it is check that says when it is ready.
      if (this.unblocked.length === 0) this.setStatus("ready");
      for (const go of this.unblocked.splice(0)) go();
    };
    loading.then(done, done);
    return loading;
  }

  /** @returns {Promise<void> | undefined} */
  blockers() {
    if (this.blockingLoads === 0) return undefined;
    return new Promise((resolve) => { this.unblocked.push(resolve); });
  }

  /**
   * Everything that can fail before something is changed: compiles the new code, loads what the browser must load.
   * @param {Iterable<Update>} updates
   */
  prepare(updates) {
    /** @type {Program[]} */
    const programs = [];
    for (const { program, added } of updates) {
      if (program !== null) programs.push(program);
      for (const def of added) programs.push(new Program(def));
    }
    for (const program of programs) if (program.kind === "esm" || program.kind === "cjs") this.registry.compile(program);
    for (const program of programs) if (program.kind === "json") JSON.parse(program.code);
    const loading = this.registry.preload(programs);
    if (loading === null) return undefined;
    return loading.then(() => {
      for (const { deps } of programs) {
        for (const dep of deps) {
          const external = dep.url === undefined ? undefined : this.registry.externals.get(externalKey(dep));
          if (external?.error === undefined) continue;
          // Asked for again next time.
          this.registry.externals.delete(externalKey(dep));
          throw external.error;
        }
      }
    });
  }

  // -- Updates that the server pushes

  /**
   * Why these updates cannot be applied without reloading the page; null: they can.
   * @param {Update[]} updates @returns {import("./wire.js").Reason | null}
   */
  refusal(updates) {
    if (this.status === "abort" || this.status === "fail") {
      return { code: this.status, message: `The program's own update ended in "${this.status}", so only a reload helps` };
    }
    this.coming = new Map(updates.map((update) => [update.id, update]));
    for (const update of updates) {
      const effect = effectOf({ id: update.id, removed: update.program === null }, this.view);
      const message = abortMessage(effect, update.id, {});
      if (message !== null) return { code: effect.type, message: inWords(effect, update.id) };
    }
    return null;
  }

  /**
   * Applies updates now. Never rejects.
   * @param {Update[]} updates prepared, and not refused
   * @returns {Promise<{ errors: { module: string, error: unknown }[], refused: import("./wire.js").Reason | null, ran: string[] }>} `ran`: what
   *   ran again, and nothing went wrong
   */
  async auto(updates) {
    /** @type {Status[]} */
    const first = this.rest === "watch" ? ["prepare"] : ["check", "prepare"];
    for (const status of first) {
      const told = this.setStatus(status);
      if (told) await told;
    }
    for (const update of updates) this.pending.set(update.id, update);
    /** @type {{ module: string, error: unknown }[]} */
    const errors = [];
    try {
      const ran = await this.applyPending({}, true, errors);
      return { errors, refused: null, ran: errors.length === 0 ? ran : [] };
    } catch (error) {
      if (error instanceof Aborted) return { errors, refused: { code: error.code, message: error.message }, ran: [] };
      if (errors.length === 0) errors.push({ module: updates[0]?.id ?? "", error });
      return { errors, refused: null, ran: [] };
    } finally {
      if (this.status !== this.rest) this.setStatus(this.rest);
    }
  }

  // -- One update, step by step

  /** What planning sees of the module map. @type {(id: string) => import("./plan.js").View | null} */
  view = (id) => {
    const instance = this.registry.cached(id);
    if (instance === null) return null;
    const { hot } = instance;
    return {
      selfAccepted: this.takesItself(instance),
      selfInvalidated: hot?.selfInvalidated ?? false,
      selfDeclined: hot?.selfDeclined ?? false,
      main: instance.main,
      parents: instance.parents,
      accepts: (dep) => this.accepts(hot, dep),
      declines: (dep) => hot !== null && hot.declined.has(dep),
      acceptedExports: hot?.acceptedExports ?? null,
      imports: (dep) => importedNames(instance.program, dep),
    };
  };

  /**
   * Whether a module takes its own update. Styles do, and addresses that nobody listens to: they only have to be shown. The names of a
   * CSS module are what its importers have made things of.
   * @param {Instance} instance
   */
  takesItself(instance) {
    const { program } = instance;
    switch (program.kind) {
      case "css": {
        const next = this.coming.get(instance.id)?.program;
        return !next || sameNames(program.names, next.names);
      }
      case "sheet": return true;
      case "url": return ![...instance.parents].some((id) => this.accepts(this.registry.cached(id)?.hot ?? null, instance.id));
      default: return acceptsItself(instance);
    }
  }

  /** @param {import("./hot.js").HotState | null} hot @param {string} dep */
  accepts(hot, dep) {
    return hot !== null && (hot.accepted.has(dep) || hot.viteDeps.some(({ deps }) => deps.includes(dep)));
  }

  /**
   * Applies what is pending, and what is invalidated by that, round after round.
   * @param {ApplyOptions} options @param {boolean} auto @param {{ module: string, error: unknown }[]} [seen] gets all errors
   * @returns {Promise<string[]>} all outdated ids
   */
  async applyPending(options, auto, seen = []) {
    /** @type {Set<string>} */
    const outdated = new Set();
    try {
      for (;;) {
        this.takeInvalidated();
        for (const id of this.handedOn) this.addInvalidated(id);
        this.handedOn.clear();
        this.firstInvalidatedBy = this.nextInvalidatedBy;
        this.nextInvalidatedBy = null;
        const pending = this.pending;
        this.pending = new Map();
        const effects = this.effects(pending, options);
        if (effects instanceof Aborted) {
          const told = this.setStatus("abort");
          if (told) await told;
          throw effects;
        }
        const plan = merge(effects);
        const renewing = this.renewals(plan, pending);
        if (renewing !== null) await renewing;
        const round = new Round(this, plan, pending, options, auto);
        await round.run();
        for (const id of plan.outdated) outdated.add(id);
        seen.push(...round.errors);
        if (round.errors.length > 0) {
          const told = this.setStatus("fail");
          if (told) await told;
          throw round.errors[0].error;
        }
        if (this.invalidated.size === 0 && this.handedOn.size === 0) break;
      }
    } finally {
      this.firstInvalidatedBy = null;
    }
    const told = this.setStatus(this.rest);
    if (told) await told;
    return [...outdated];
  }

  /**
   * Modules that run again without new code of their own, and took declarations over since they ran: the code that they were
   * loaded with does not have these, so they get their text as it is now.
   * @param {Plan} plan @param {Map<string, Update>} pending @returns {Promise<unknown> | null} null: there are none
   */
  renewals(plan, pending) {
    const stale = plan.outdated.filter((id) => {
      const instance = this.registry.cached(id);
      return instance !== null && instance.top > instance.program.rev && !plan.removed.includes(id) && (pending.get(id)?.program ?? instance.program) === instance.program;
    });
    if (stale.length === 0) return null;
    return Promise.all(stale.map(async (id) => {
      const { modules } = await this.registry.host.fetchGraph(id);
      const def = modules.find((it) => it.id === id);
      if (def === undefined) throw new TypeError(`The server did not send ${id}`);
      /** @type {Update} */
      const update = { id, rev: def.rev, program: new Program(def), added: modules.filter((it) => it !== def), renewal: true };
      const preparing = this.prepare([update]);
      if (preparing !== undefined) await preparing;
      pending.set(id, update);
      if (!plan.install.includes(id)) plan.install.push(id);
    }));
  }

  /** @param {Map<string, Update>} pending @param {ApplyOptions} options @returns {Effect[] | Aborted} */
  effects(pending, options) {
    this.coming = pending;
    const effects = [];
    for (const id of [...pending.keys()].sort()) {
      const effect = effectOf({ id, removed: pending.get(id)?.program === null }, this.view);
      switch (effect.type) {
        case "self-declined":
        case "declined": options.onDeclined?.(effect); break;
        case "unaccepted": options.onUnaccepted?.(effect); break;
        case "accepted": options.onAccepted?.(effect); break;
        case "disposed": options.onDisposed?.(effect); break;
        default: unreachable(effect.type);
      }
      const message = abortMessage(effect, id, options);
      if (message !== null) return new Aborted(effect.type, message);
      effects.push(effect);
      // Dropped for good: the server need not offer it again.
      if (effect.type !== "accepted" && effect.type !== "disposed") this.registry.module(id).ignored = pending.get(id)?.program?.stamp;
    }
    const first = this.firstInvalidatedBy;
    if (first !== null && effects.some(({ outdatedModules }) => outdatedModules?.includes(first))) {
      return new Aborted("circular", `${first} gave its update up and would get it back: circular import`);
    }
    return effects;
  }
}

/** The names that a program imports of a module; null: not known. @param {Program} program @param {string} id @returns {string[] | null} */
function importedNames(program, id) {
  const names = [];
  let isKnown = false;
  for (const dep of program.specs.values()) {
    if (dep.id !== id) continue;
    if (dep.names === undefined) return null;
    isKnown = true;
    names.push(...dep.names);
  }
  return isKnown ? names : null;
}

/** @param {Record<string, string> | null} a @param {Record<string, string> | null} b */
function sameNames(a, b) {
  if (a === null || b === null) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The walk met somebody who does not want the update; nothing was changed. */
class Aborted extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "Error";
    this.code = code;
  }
}

/** @param {never} value @returns {never} */
function unreachable(value) {
  throw new Error(`Unexpected ${value}`);
}

/**
 * Why an update needs a reload, for somebody who has never heard of accepting.
 * @param {import("./plan.js").Effect} effect @param {string} id
 */
function inWords(effect, id) {
  const what = `${id} has to run again`;
  switch (effect.type) {
    case "self-declined": return `${what}, and ${effect.moduleId} declines updates while the page runs`;
    case "declined": return `${what}, and ${effect.parentId} declines updates of ${effect.moduleId}`;
    default: return `${what}, and no module of this page takes its new code over (import.meta.hot.accept)`;
  }
}
