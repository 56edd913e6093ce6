// @ts-check
// The order in which modules run: ECMAScript's InnerModuleEvaluation and its asynchronous sequel, driven by the factories.
//
// A factory calls `$cap_m.link()` after it has said what it exports and before its first user statement, so depth-first order, cycles
// and hoisted functions come about as in the language. Where something below uses top-level await, the modules above it stop
// inside `link()` (they are generators then, see registry.js) and go on in the order in which they came to wait.
//
// The names are those of the specification, so that the two can be read side by side: index and ancestor are [[DFSIndex]] and
// [[DFSAncestorIndex]], root is [[CycleRoot]], asyncOrder is [[AsyncEvaluationOrder]], pending is [[PendingAsyncDependencies]].

import { Context } from "./context.js";
import { eagerFiles } from "./gathered.js";
import { externalKey } from "./registry.js";

/** @typedef {import("./registry.js").Instance} Instance */
/** @typedef {import("./registry.js").Module} Module */
/** @typedef {import("./registry.js").Registry} Registry */

/** How many modules may be entered inside of one another before the list takes over. */
const SHALLOW = 50;

export class Evaluator {
  /** @param {Registry} registry */
  constructor(registry) {
    this.registry = registry;
    /** Modules being entered. Empty between two synchronous runs. @type {Instance[]} */
    this.stack = [];
    this.index = 0;
    this.asyncOrder = 0;
  }

  /** Enters a new instance; throws what its code throws synchronously. @param {Instance} instance */
  run(instance) {
    instance.state = "evaluating";
    instance.index = instance.ancestor = ++this.index;
    this.stack.push(instance);
    const { cleanup } = this.registry;
    const before = cleanup.enter(instance);
    try {
      if (instance.program.kind === "esm") this.runModule(instance);
      else this.registry.execute(instance);
    } catch (error) {
      // The others of its cycle did run; they must not carry this error into the next update.
      for (const other of this.stack.slice(this.stack.indexOf(instance) + 1)) this.leave(other);
      this.leave(instance);
      instance.state = "error";
      instance.error = error;
      throw error;
    } finally {
      cleanup.leave(before);
    }
    if (instance.ancestor === instance.index) this.leave(instance);
  }

  /** The cycle that this instance is the root of is complete. @param {Instance} root */
  leave(root) {
    for (;;) {
      const instance = this.stack.at(-1);
      if (instance === undefined || instance.index < root.index) return;
      this.stack.pop();
      instance.root = root;
      if (instance.state === "evaluating") instance.state = instance.asyncOrder > 0 ? "async" : "done";
      if (instance === root) return;
    }
  }

  /** @param {Instance} instance */
  runModule(instance) {
    const { registry } = this;
    const { program } = instance;
    const context = new Context(registry, instance);
    if (program.async) {
      const body = registry.compile(program)(context);
      if (context.linkError !== null) {
        body.catch(() => {});
        throw context.linkError.error;
      }
      body.then(() => this.fulfilled(instance), (/** @type {unknown} */ error) => this.rejected(instance, error));
      return;
    }
    const suspends = registry.maySuspend(program.id);
    const started = registry.compile(program, suspends)(context);
    if (!program.suspends) return;
    const { done } = started.next();
    if (done) return;
    if (instance.pending > 0) instance.resume = () => { started.next(); };
    else started.next();
  }

  /**
   * Runs the static dependencies of a module in order. Called by its factory.
   * @param {Instance} instance @returns {Promise<void> | undefined} what an async factory has to await
   */
  link(instance) {
    const { registry } = this;
    for (const dep of instance.program.deps) {
      if (dep.error !== undefined) throw registry.failure(dep.error, instance.id);
      if (dep.url !== undefined) {
        const external = registry.externals.get(externalKey(dep));
        if (external?.error !== undefined) throw external.error;
        continue;
      }
      this.linkTo(instance, /** @type {string} */ (dep.id), dep.spec);
      const program = registry.modules.get(/** @type {string} */ (dep.id))?.program;
      if (program?.kind === "gathered") for (const id of eagerFiles(program)) this.linkTo(instance, id, id);
    }
    instance.linked = true;
    if (instance.stars.length > 0 || instance.module.shown !== instance) registry.bind(instance);
    // One with top-level await waits from here on, if only for itself.
    if (instance.pending > 0 || instance.program.async) instance.asyncOrder = ++this.asyncOrder;
    if (instance.pending === 0 || !instance.program.async) return undefined;
    return new Promise((resolve) => { instance.resume = resolve; });
  }

  /** Runs one static dependency. @param {Instance} instance @param {string} id @param {string} spec */
  linkTo(instance, id, spec) {
    const { registry } = this;
    const module = registry.modules.get(id);
    if (!module?.program) throw registry.failure(`${spec}, imported by ${instance.id}, did not reach the page`, instance.id);
    if (this.stack.length > SHALLOW && module.current === null) this.runBelow(module);
    this.require(instance, registry.load(module, instance));
  }

  /**
   * Runs what a module needs, in the same order as its factory would, but with a list in the place of the call stack: long
   * chains of imports are common, and each link of the chain costs several frames. Cycles are left to the factories, whose hoisted
   * functions must be there before they run.
   * @param {Module} top
   */
  runBelow(top) {
    const { registry } = this;
    /** @type {{ module: Module, deps: import("./wire.js").Dep[], at: number, low: number }[]} */
    const path = [];
    /** Where a module is on the path, or where the cycle begins that it belongs to. @type {Map<string, number>} */
    const places = new Map();
    const enter = (/** @type {Module} */ module) => {
      places.set(module.id, path.length);
      path.push({ module, deps: module.program?.kind === "esm" ? module.program.deps : [], at: 0, low: path.length });
    };
    let failed = false;
    enter(top);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const dep = failed ? undefined : frame.deps[frame.at++];
      if (dep !== undefined && dep.error === undefined) {
        const module = dep.id === undefined ? undefined : registry.modules.get(dep.id);
        if (!module?.program || module.current !== null) continue;
        const place = places.get(module.id);
        if (place === undefined) enter(module);
        else frame.low = Math.min(frame.low, place);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent === undefined) return;
      parent.low = Math.min(parent.low, frame.low);
      if (frame.low < path.length) {
        places.set(frame.module.id, frame.low);
        continue;
      }
      try {
        registry.loadFor(frame.module, parent.module.id);
      } catch {
        // Kept by the instance. Those above it fail for the same reason and keep it too; their later imports do not run.
        failed = true;
      }
    }
  }

  /** Notes that one instance needs another that was entered. @param {Instance} instance @param {Instance} needed */
  require(instance, needed) {
    let awaited = needed;
    if (needed.state === "evaluating") {
      instance.ancestor = Math.min(instance.ancestor, needed.ancestor);
      // A cycle through a module that is still being linked: show it the names that its stars have so far.
      if (!needed.linked && needed.stars.length > 0) this.registry.bind(needed);
    } else {
      awaited = needed.root;
      if (awaited.state === "error") throw awaited.error;
    }
    if (awaited.asyncOrder > 0 && awaited.state !== "done") {
      instance.pending += 1;
      awaited.waiters.push(instance);
    }
  }

  /** The body of a module that waited has run. @param {Instance} instance */
  fulfilled(instance) {
    if (instance.state === "error" || instance.state === "done") return;
    this.finish(instance);
    /** @type {Instance[]} */
    const ready = [];
    this.gather(instance, ready);
    ready.sort((a, b) => a.asyncOrder - b.asyncOrder);
    for (const next of ready) {
      if (/** @type {string} */ (next.state) === "error") continue;
      const resume = next.resume;
      next.resume = null;
      const { cleanup } = this.registry;
      const before = cleanup.enter(next);
      try {
        resume?.();
      } catch (error) {
        this.rejected(next, error);
        continue;
      } finally {
        cleanup.leave(before);
      }
      if (!next.program.async) this.finish(next);
    }
  }

  /** @param {Instance} instance */
  finish(instance) {
    instance.state = "done";
    instance.settled?.resolve();
    instance.settled = null;
  }

  /** Those that wait for nothing else now. @param {Instance} instance @param {Instance[]} ready */
  gather(instance, ready) {
    const { waiters } = instance;
    instance.waiters = [];
    for (const waiter of waiters) {
      if (ready.includes(waiter) || waiter.root.state === "error") continue;
      waiter.pending -= 1;
      if (waiter.pending > 0) continue;
      ready.push(waiter);
      if (!waiter.program.async) this.gather(waiter, ready);
    }
  }

  /** @param {Instance} instance @param {unknown} error */
  rejected(instance, error) {
    if (instance.state === "error" || instance.state === "done") return;
    instance.state = "error";
    instance.error = error;
    const { waiters } = instance;
    instance.waiters = [];
    instance.resume = null;
    for (const waiter of waiters) this.rejected(waiter, error);
    instance.settled?.reject(error);
    instance.settled = null;
  }
}
