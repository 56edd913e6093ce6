// @ts-check
// One push of the server, applied: everything that can fail first (prepare), then everything at once (commit). No code of the
// program runs between the patches of one push. What happened to each change goes back as an outcome.

import { lacking, laterOf, messageOf, wasIgnored, wereKept } from "./reasons.js";
import { check, missing } from "./sites.js";
import { Program } from "./registry.js";

/** @typedef {import("./wire.js").Push} Push */
/** @typedef {import("./wire.js").Change} Change */
/** @typedef {import("./wire.js").Result} Result */
/** @typedef {import("./wire.js").Reason} Reason */
/** @typedef {import("./wire.js").OutcomeWord} OutcomeWord */
/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./registry.js").Module} Module */
/** @typedef {import("./update.js").Updater} Updater */
/** @typedef {import("./update.js").Update} Update */

/**
 * @typedef {object} ApplierHost
 * @property {(seq: number, results: Result[]) => void} outcome
 * @property {() => void} resync tell the server what this page has
 * @property {(reason: Reason, patience?: number) => void} reload
 * @property {() => number} now
 * @property {(callback: () => void, ms: number) => unknown} setTimeout
 * @property {(handle: any) => void} clearTimeout
 * @property {(code: string) => any} evaluate
 * @property {(url: string, rev: number) => Promise<boolean>} swapStyle a `<link>` has a new text; false: it did not load
 * @property {(url: string, rev: number) => Promise<boolean>} swapAsset
 * @property {string} [html] the id of the HTML file that this page was made from
 * @property {(module: string, message: string | null, line?: number, column?: number) => void} problem
 * @property {(module: string, error: unknown) => void} report
 * @property {(module: string) => void} recovered an error shown for it is over
 */

/** What prepare found. @typedef {{ patches: [Module, import("./wire.js").PatchChange][], updates: Update[], results: Result[] }} Prepared */

/** @typedef {"automatic" | "manual" | "watch"} Mode */

/** Ends a push without changing anything. @typedef {(outcome: OutcomeWord, reason: Reason) => true} Stop */

/** How long updates are gathered. */
const WATCH_DELAY = 200;
/** While somebody types, a page that has failed is loaded again after this long without an edit, in milliseconds. */
const TYPING_PAUSE = 300;

/** How often in a row a page says hello again before it says that it cannot follow. */
const RESYNCS = 3;

export class Applier {
  /** @param {Registry} registry @param {Updater} updater @param {ApplierHost} host */
  constructor(registry, updater, host) {
    this.registry = registry;
    this.updater = updater;
    this.host = host;
    /**
     * `manual`: updates wait until the program calls `check()`. `watch`: they wait until there have been no others for a while.
     * Functions are patched at once in all of them. @type {Mode}
     */
    this.mode = "automatic";
    /** Until what was gathered is applied. @type {unknown} */
    this.delay = null;
    /** @type {(() => Promise<void> | undefined)[]} */
    this.queue = [];
    this.busy = false;
    /** Of the push that is being applied. @type {import("./wire.js").When} */
    this.when = "save";
    /** The push that last changed a module, for what is found out later. @type {Map<string, number>} */
    this.seqs = new Map();
    this.resyncs = 0;
    /** Variables that a change of their initializer left alone. @type {Map<Module, string[]>} */
    this.keeping = new Map();
    /** The modules that an error is shown for, by the module whose update went wrong. @type {Map<string, Set<string>>} */
    this.blamed = new Map();
    /** An update of this push asked for a reload. @type {Reason | null} */
    this.wantsReload = null;
    updater.applied = (updates, errors) => this.programApplied(updates, errors);
  }

  /** @param {Push} push */
  push(push) {
    this.enqueue(() => this.apply(push));
  }

  /** One after another; at once when nothing is being done. @param {() => Promise<void> | undefined} work */
  enqueue(work) {
    this.queue.push(work);
    if (!this.busy) void this.drain();
  }

  async drain() {
    this.busy = true;
    for (let work = this.queue.shift(); work !== undefined; work = this.queue.shift()) {
      try {
        const running = work();
        // A push of patches is done by now; what comes next need not wait for a turn of the event loop.
        if (running !== undefined) await running;
      } catch (error) {
        if (error instanceof UnknownMessage) this.host.reload({ code: "unknownMessage", message: error.message });
        else this.host.report("", error);
      }
    }
    this.busy = false;
  }

  /** @param {Push} push @returns {Promise<void> | undefined} undefined: it is done */
  apply(push) {
    const started = this.host.now();
    this.when = push.when;
    this.wantsReload = null;
    for (const change of push.changes) if ("module" in change && change.type !== "problem") this.seqs.set(change.module, push.seq);
    const prepared = this.prepare(push, started);
    if (prepared === null) {
      this.host.resync();
      return undefined;
    }
    const { patches, updates, results } = prepared;
    const stop = this.stopper(push, prepared, started);
    // Whether or not the code of the push is taken.
    for (const change of push.changes) {
      if (change.type !== "problem") continue;
      this.host.problem(change.module, change.message, change.line, change.column);
      if (change.message === null) this.over(change.module);
    }
    if (this.failedStop(prepared, stop) || this.patchesStop(patches, stop)) return undefined;
    const imports = patches.some(([, { top }]) => top?.deps !== undefined && top.deps.length > 0);
    if (updates.length > 0 || imports) return this.applyUpdates(push, prepared, started, stop);
    if (this.stepsStop(patches, stop)) return undefined;
    const classes = this.classesReady(patches, stop);
    if (classes === null) return undefined;
    this.commit(patches, classes, started, results);
    this.finish(push, this.swap(push, started), results);
    return undefined;
  }

  /** @param {Push} push @param {Prepared} prepared @param {number} started @param {Stop} stop */
  async applyUpdates(push, { patches, updates, results }, started, stop) {
    await this.whenIdle();
    if (await this.importsStop(patches, stop)) return;
    if (updates.length > 0 && await this.updatesStop(patches, updates, stop)) return;
    if (this.stepsStop(patches, stop)) return;
    const classes = this.classesReady(patches, stop);
    if (classes === null) return;
    this.commit(patches, classes, started, results);
    const swapping = this.swap(push, started);
    await this.runAgain(updates, started, results);
    this.finish(push, swapping, results);
  }

  /**
   * What classes will take over; null: one cannot. @param {Prepared["patches"]} patches @param {Stop} stop
   * @returns {Map<Module, (() => void)[]> | null}
   */
  classesReady(patches, stop) {
    const ready = new Map();
    for (const [module, { sites }] of patches) {
      try {
        ready.set(module, module.sites.prepareClasses(sites));
      } catch (error) {
        stop("refused", { code: "class", message: `The class cannot take over its new text: ${messageOf(error)}` });
        return null;
      }
    }
    return ready;
  }

  /**
   * The point of no return, and it cannot fail.
   * @param {Prepared["patches"]} patches @param {Map<Module, (() => void)[]>} classes @param {number} started @param {Result[]} results
   */
  commit(patches, classes, started, results) {
    for (const [module, { sites, nsites, rev, stamp, top }] of patches) {
      module.sites.commit(sites, nsites, classes.get(module));
      if (top !== undefined && module.current !== null) module.current.top = rev;
      module.nsites = Math.max(module.nsites, nsites);
      module.rev = rev;
      module.stamp = stamp;
      module.foreign = false;
    }
    for (const [module, { sites, rev, top }] of patches) {
      const [lack, later] = [lacking(module), laterOf(module, sites)];
      if (lack !== undefined && top !== undefined && module.current?.values.threw) results.push(this.result(module.id, rev, "threw", started, lack));
      else if (later !== undefined) results.push(this.result(module.id, rev, "nextCall", started, later));
      else results.push(this.result(module.id, rev, "live", started, this.kept(module) ?? lack));
      this.host.recovered(module.id);
    }
    this.resyncs = 0;
  }

  /**
   * Sends the outcome; waits for files that are being swapped, but lets the next push begin.
   * @param {Push} push @param {Promise<Result[]> | null} swapping @param {Result[]} results
   */
  finish({ seq, when }, swapping, results) {
    const reload = when === "typing" ? null : this.wantsReload;
    const end = (/** @type {Result[]} */ all) => {
      this.host.outcome(seq, all);
      if (reload !== null) this.host.reload(reload);
    };
    // Who looks at the page comes before who types: the program has the rest of this turn.
    if (swapping === null) queueMicrotask(() => end(results));
    else void swapping.then((swapped) => end([...results, ...swapped]));
  }

  /**
   * @param {Push} push @param {number} started
   * @returns {Prepared | null} null: this page does not have what the push builds on
   */
  prepare(push, started) {
    /** @type {Prepared} */
    const prepared = { patches: [], updates: [], results: [] };
    for (const change of push.changes) {
      switch (change.type) {
        case "patch": {
          const module = this.registry.modules.get(change.module);
          if (!module || (module.program === null && !module.classic)) prepared.results.push(this.notLoaded(change.module, change.rev, started));
          else if (isThere(module, change.rev, change.stamp)) prepared.results.push(this.result(change.module, change.rev, "live", started));
          else if (module.rev !== change.from && !module.foreign) {
            if (this.resyncs < RESYNCS) {
              this.resyncs += 1;
              return null;
            }
            prepared.results.push(this.result(change.module, change.rev, "refused", started,
              { code: "outOfSync", message: `The page has revision ${module.rev} of ${change.module}, the patch is for ${change.from}` }));
          } else {
            // What becomes of it is another question: page and server mean the same.
            this.resyncs = 0;
            prepared.patches.push([module, change]);
          }
          break;
        }
        case "update": {
          const [def, ...added] = change.defs;
          const module = this.registry.modules.get(change.module);
          if (!def) prepared.results.push(this.result(change.module, change.rev, "refused", started, { code: "empty", message: "The update brought no code" }));
          else if (module?.classic) {
            prepared.results.push(this.result(change.module, change.rev, "needsReload", started,
              { code: "classicScript", message: `${change.module} is a plain script; only a reload runs it again` }));
            this.wantsReload ??= { code: "classicScript", message: `${change.module} changed outside of its functions` };
          } else if (!module?.program) {
            this.registry.define(change.defs);
            prepared.results.push(this.notLoaded(change.module, change.rev, started));
          } else if (runsTheSame(module, def)) {
            const hasMore = module.current?.findsMore(def) === true;
            this.registry.takeOver(module, def, added);
            if (hasMore) prepared.updates.push({ id: change.module, rev: change.rev, program: new Program(def), added: [] });
            else prepared.results.push(this.result(change.module, change.rev, "live", started));
          } else if (def.stamp !== undefined && module.ignored === def.stamp) {
            prepared.results.push(this.result(change.module, change.rev, "needsReload", started, wasIgnored(change.module)));
          } else if (module.threw?.rev === change.rev && module.threw.stamp === def.stamp) {
            // Sent again because the page says that it lacks it. It was tried.
            prepared.results.push(this.result(change.module, change.rev, "threw", started, module.threw.reason));
          // Its functions may be of that revision already while its top level is not.
          } else if (module.program.rev === change.rev && isThere(module, change.rev, def.stamp)) prepared.results.push(this.result(change.module, change.rev, "moduleUpdated", started));
          else prepared.updates.push({ id: change.module, rev: change.rev, program: new Program(def), added });
          break;
        }
        case "remove":
          if (this.registry.modules.get(change.module)?.program) prepared.updates.push({ id: change.module, rev: change.rev, program: null, added: [] });
          break;
        case "css":
        case "asset":
        case "html":
        case "problem": break;
        default: return unknownChange(change);
      }
    }
    return prepared;
  }

  /**
   * Makes the function that ends a push with one outcome for all of it: the changes of one edit apply together or not at all.
   * @param {Push} push @param {Prepared} prepared @param {number} started @returns {Stop}
   */
  stopper(push, { patches, updates, results }, started) {
    return (outcome, reason) => {
      // The page has seen these patches and goes on without them, unless later ones need what the top level did not take over.
      for (const [module, { rev, top }] of patches) {
        if (top !== undefined) continue;
        module.before ??= module.rev;
        module.rev = rev;
        module.stamp = undefined;
        module.foreign = false;
      }
      const all = [...patches.map(([{ id }, { rev }]) => ({ id, rev })), ...updates];
      this.host.outcome(push.seq, [...results, ...all.map(({ id, rev }) => this.result(id, rev, outcome, started, reason))]);
      return true;
    };
  }

  /**
   * New code for what has failed cannot be taken over by what runs. Where nothing runs, there is nothing to lose: such a page loads
   * itself again, whatever brought the new code.
   * @param {Prepared} prepared @param {Stop} stop
   */
  failedStop({ patches, updates }, stop) {
    const ids = [...patches.map(([{ id }]) => id), ...updates.map(({ id }) => id)];
    if (ids.length === 0) return false;
    if (this.registry.neverRan()) {
      const reason = { code: "failed", message: `${ids[0]} has changed, and the page is loaded again: nothing of its program runs, so nothing is lost` };
      stop("needsReload", reason);
      this.host.reload(reason, this.when === "typing" ? TYPING_PAUSE : 0);
      return true;
    }
    const failed = patches.find(([{ current }]) => current?.state === "error");
    if (failed === undefined) return false;
    const reason = { code: "failed", message: `${failed[0].id} stopped with an error when it ran, and runs again when you save or reload the page` };
    stop("needsReload", reason);
    if (this.when !== "typing") this.host.reload(reason);
    return true;
  }

  /** @param {Prepared["patches"]} patches @param {Stop} stop */
  patchesStop(patches, stop) {
    for (const [, { sites }] of patches) {
      for (const site of sites) {
        const name = missing(site.needs ?? [], this.host.evaluate);
        if (name !== null) return stop("held", { code: "unresolved", message: `${name} does not exist on this page yet` });
        const error = check(site);
        if (error !== null) return stop("refused", { code: "syntax", message: `The new ${site.name || "function"} does not parse: ${error.message}` });
      }
    }
    return false;
  }

  /** Runs the modules of added imports. @param {Prepared["patches"]} patches @param {Stop} stop */
  async importsStop(patches, stop) {
    for (const [module, { top }] of patches) {
      const { program, current } = module;
      if (top?.deps === undefined || program === null || current === null) continue;
      const taken = this.registry.define(top.defs ?? []);
      if (taken.length > 0) this.registry.host.loaded?.(taken.map(({ id, rev, stamp }) => ({ id, rev, stamp })));
      for (const dep of top.deps) {
        if (!program.specs.has(dep.spec)) program.specs.set(dep.spec, dep);
        try {
          await this.registry.dynamicImport(current, dep.spec);
        } catch (error) {
          return stop(dep.error === undefined ? "threw" : "refused", { code: "import", message: `The import of ${dep.spec} failed: ${messageOf(error)}` });
        }
      }
    }
    return false;
  }

  /**
   * Takes over what changed at the top level of modules: added declarations and other values of constants. The server sends only what does
   * nothing but make values, and where making one throws, that value is left out. Another error is ours or the engine's: only the text as a
   * whole helps then.
   * @param {Prepared["patches"]} patches @param {Stop} stop
   */
  stepsStop(patches, stop) {
    for (const [module, { rev, top }] of patches) {
      this.keeping.delete(module);
      if (top === undefined) continue;
      // It may import other names now.
      for (const dep of module.program?.specs.values() ?? []) delete dep.names;
      const hook = module.current?.hook;
      if (!hook) {
        // It has not run yet: it is fetched as it is now when it does.
        if (module.current === null) module.program = null;
        continue;
      }
      const kept = [];
      module.current?.values.begin();
      for (const { code, line, keeps } of top.steps) {
        try {
          const placed = module.sites.place(code, line);
          module.sites.added.push({ code: placed, rev, isPatch: true });
          if (hook(placed) === false && keeps !== undefined) kept.push(keeps);
        } catch (error) {
          const reason = { code: "top", message: `What changed at the top level of ${module.id} cannot be taken over: ${messageOf(error)}` };
          stop("needsReload", reason);
          if (this.when !== "typing") this.host.reload(reason);
          return true;
        }
      }
      if (kept.length > 0) this.keeping.set(module, kept);
    }
    return false;
  }

  /** @param {Module} module @returns {Reason | undefined} */
  kept(module) {
    const names = this.keeping.get(module);
    if (names === undefined) return undefined;
    this.keeping.delete(module);
    return wereKept(names);
  }

  /** @param {Prepared["patches"]} patches @param {Update[]} updates @param {Stop} stop */
  async updatesStop(patches, updates, stop) {
    try {
      const loading = this.updater.prepare(updates);
      if (loading !== undefined) await loading;
    } catch (error) {
      return stop("refused", { code: error instanceof SyntaxError ? "syntax" : "download", message: messageOf(error) });
    }
    const refusal = this.mode === "automatic" ? this.updater.refusal(updates) : null;
    if (refusal === null && this.mode === "automatic") return false;
    // A program that calls `check()` finds them.
    for (const update of updates) this.updater.waiting.set(update.id, update);
    if (refusal === null) {
      const what = patches.length === 0 ? "The update waits" : "The change waits with an update";
      if (this.mode === "manual") return stop("held", { code: "manual", message: `${what} until the program checks for it` });
      this.gather();
      return stop("held", { code: "watch", message: `${what} for further ones` });
    }
    stop("needsReload", { ...refusal, message: `${refusal.message}: ${this.when === "typing" ? "save to reload the page" : "the page reloads"}` });
    if (this.when !== "typing") this.host.reload(refusal);
    return true;
  }

  /** @param {Update[]} updates @param {number} started @param {Result[]} results */
  async runAgain(updates, started, results) {
    for (const { id } of updates) this.updater.waiting.delete(id);
    const { errors, refused, ran } = await this.updater.auto(updates);
    // An error is shown for the module that took the update, which can be another than the one that changed.
    for (const { module, error } of errors) {
      this.host.report(module, error);
      for (const { id } of updates) this.blamed.set(id, (this.blamed.get(id) ?? new Set()).add(module));
    }
    for (const id of ran) this.over(id);
    for (const { id, rev, program } of updates) {
      const module = this.registry.module(id);
      const own = errors.find((error) => error.module === id) ?? (module.program?.rev === rev && updates.length > 1 ? undefined : errors[0]);
      if (own !== undefined) {
        const reason = { code: "threw", message: messageOf(own.error) };
        module.threw = { rev, stamp: program?.stamp, reason };
        results.push(this.result(id, rev, "threw", started, reason));
      } else if (refused !== null) results.push(this.result(id, rev, "needsReload", started, refused));
      else if (this.wantsReload !== null) results.push(this.result(id, rev, "needsReload", started, this.wantsReload));
      else {
        results.push(this.result(id, rev, "moduleUpdated", started, program === null ? { code: "removed", message: `${id} is gone` } : undefined));
        this.over(id);
      }
    }
    if (refused !== null) this.wantsReload ??= refused;
  }

  /** What was shown of an update of this module that went wrong is so no more. @param {string} id */
  over(id) {
    for (const module of this.blamed.get(id) ?? []) this.host.recovered(module);
    this.blamed.delete(id);
    this.host.recovered(id);
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = mode;
    this.host.clearTimeout(this.delay);
    this.updater.watch(mode === "watch");
    if (mode === "automatic") this.enqueue(() => this.applyWaiting());
    if (mode === "watch" && this.updater.waiting.size > 0) this.gather();
  }

  /** Waits for further updates before those that wait are applied. */
  gather() {
    this.host.clearTimeout(this.delay);
    this.updater.setStatus("watch-delay");
    this.delay = this.host.setTimeout(() => this.enqueue(() => this.applyWaiting()), WATCH_DELAY);
  }

  /** Applies the updates that wait. */
  async applyWaiting() {
    await this.whenIdle();
    const updates = [...this.updater.waiting.values()];
    if (updates.length === 0) return;
    const started = this.host.now();
    /** @type {Result[]} */
    const results = [];
    const all = (/** @type {OutcomeWord} */ outcome, /** @type {Reason} */ reason) => {
      for (const { id, rev } of updates) results.push(this.result(id, rev, outcome, started, reason));
    };
    this.wantsReload = this.updater.refusal(updates);
    try {
      if (this.wantsReload !== null) all("needsReload", this.wantsReload);
      else {
        await this.updater.prepare(updates);
        await this.runAgain(updates, started, results);
      }
    } catch (error) {
      all("refused", { code: error instanceof SyntaxError ? "syntax" : "download", message: messageOf(error) });
    }
    if (this.updater.status === "watch-delay") this.updater.setStatus(this.updater.rest);
    for (const result of results) this.host.outcome(this.seqs.get(result.module) ?? 0, [result]);
    if (this.wantsReload !== null && this.when !== "typing") this.host.reload(this.wantsReload);
  }

  /** A reload that the program asked for while an update ran. @param {Reason} reason */
  reloadWanted(reason) {
    if (this.busy) this.wantsReload ??= reason;
    else this.host.reload(reason);
  }

  /** Lets the program finish what it does with its own `check` and `apply`. */
  whenIdle() {
    const { updater } = this;
    const atRest = () => ["idle", "watch", "watch-delay", "ready", "abort", "fail"].includes(updater.status);
    if (atRest()) return Promise.resolve();
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      const handler = () => {
        if (!atRest()) return;
        updater.statusHandlers.splice(updater.statusHandlers.indexOf(handler), 1);
        // The one that set the status goes on first.
        queueMicrotask(() => resolve());
      };
      updater.statusHandlers.push(handler);
    });
  }

  /** Changes that are no code. @param {Push} push @param {number} started @returns {Promise<Result[]> | null} */
  swap(push, started) {
    const swaps = [];
    for (const change of push.changes) {
      if (change.type === "css" || change.type === "asset") {
        const loading = change.type === "css" ? this.host.swapStyle(change.url, change.rev) : this.host.swapAsset(change.url, change.rev);
        swaps.push(loading.then((loaded) => (loaded
          ? this.result(change.url, change.rev, "live", started)
          : this.result(change.url, change.rev, "refused", started, { code: "download", message: `${change.url} did not load; the old one stays` }))));
      } else if (change.type === "html") {
        const reason = { code: "html", message: `${change.url} changed` };
        const shown = change.url === this.host.html;
        if (shown) this.wantsReload ??= reason;
        swaps.push(Promise.resolve(this.result(change.url, change.rev, shown ? "needsReload" : "live", started, shown ? reason : undefined)));
      }
    }
    return swaps.length === 0 ? null : Promise.all(swaps);
  }

  /** A patch that could not be made in its scope, found out at its first call. @param {string} module @param {{ rev: number, name: string }} patch @param {unknown} error */
  refusedLater(module, { rev, name }, error) {
    const message = `The new ${name || "function"} cannot run where the old one was made: ${messageOf(error)}`;
    this.host.outcome(this.seqs.get(module) ?? 0, [this.result(module, rev, "refused", this.host.now(), { code: "scope", message })]);
  }

  /** The program applied updates itself. @param {Update[]} updates @param {{ module: string, error: unknown }[]} errors */
  programApplied(updates, errors) {
    for (const { module, error } of errors) this.host.report(module, error);
    const now = this.host.now();
    for (const { id, rev } of updates) {
      const seq = this.seqs.get(id);
      if (seq === undefined) continue;
      const module = this.registry.module(id);
      const [error] = errors;
      if (error) this.host.outcome(seq, [this.result(id, rev, "threw", now, { code: "threw", message: messageOf(error.error) })]);
      else if (module.ignored !== undefined) this.host.outcome(seq, [this.result(id, rev, "needsReload", now, wasIgnored(id))]);
      else this.host.outcome(seq, [this.result(id, Math.max(rev, module.rev), "moduleUpdated", now)]);
    }
  }

  /** @param {string} module @param {number} rev @param {number} started @returns {Result} */
  notLoaded(module, rev, started) {
    return this.result(module, rev, "live", started, { code: "notLoaded", message: `${module} is not loaded in this page` });
  }

  /**
   * @param {string} module @param {number} rev @param {OutcomeWord} outcome @param {number} started @param {Reason} [reason]
   * @returns {Result}
   */
  result(module, rev, outcome, started, reason) {
    const result = { module, rev, outcome, ms: Math.max(0, this.host.now() - started) };
    return reason === undefined ? result : { ...result, reason };
  }
}

/**
 * Whether a module that runs has this very code: then only what its imports lead to is different.
 * @param {Module} module @param {import("./wire.js").ModuleDef} def
 */
function runsTheSame({ current, stamp }, def) {
  return current !== null && current.state === "done" && stamp !== undefined && stamp === def.stamp && def.kind === current.program.kind;
}

/** Whether the page runs that revision already. @param {Module} module @param {number} rev @param {string} [stamp] */
function isThere(module, rev, stamp) {
  return module.rev === rev && !module.foreign && (stamp === undefined || module.stamp === undefined || stamp === module.stamp);
}

/** @param {never} change @returns {never} */
function unknownChange(change) {
  throw new UnknownMessage(`The server sent a change that this page does not know: ${/** @type {any} */ (change)?.type}`);
}

/** The server is newer than this page; only a reload helps. */
export class UnknownMessage extends Error {}
