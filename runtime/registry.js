// @ts-check
// The module map: id -> the newest program of that module, and the instance of it that runs.
//
//     Module    one per id, for as long as the page lives: namespace, patches, dispose data
//       Program   what the server sent for it: factory, dependencies; replaced by an update
//       Instance  one run of a program: exports, parents, children, what it said to `hot`
//
// A module without an instance was never run, or was disposed and nobody asked for it since. The registry stores and runs; what
// must run again is decided in plan.js and done in round.js. It needs no DOM: a host gives it `evaluate` and `importUrl`.

import { behind, createNamespace, fill, interop, withStars } from "./namespace.js";
import { Sites } from "./sites.js";
import { Cleanup } from "./cleanup.js";
import { Evaluator } from "./evaluate.js";
import { Context } from "./context.js";
import { sourceOf } from "./text.js";
import { Values } from "./values.js";

/** @typedef {import("./wire.js").ModuleDef} ModuleDef */
/** @typedef {import("./wire.js").Dep} Dep */
/** @typedef {import("./namespace.js").Getters} Getters */
/** @typedef {import("./hot.js").HotState} HotState */

/**
 * @typedef {object} RegistryHost
 * @property {(code: string) => any} evaluate indirect eval
 * @property {string} origin put before ids in stack traces and `import.meta.url`
 * @property {(url: string, type?: string) => Promise<any>} importUrl native `import()`
 * @property {(id: string) => Promise<import("./wire.js").Graph>} fetchGraph
 * @property {(message: string) => void} warn
 * @property {import("./cleanup.js").Setting} [cleanup] what becomes of timers and listeners of a module that runs again
 * @property {(id: string, css: string) => void} [injectStyle]
 * @property {(id: string) => void} [removeStyle]
 * @property {(id: string, css: string) => unknown} [styleSheet] an object that holds the CSS; the same one for every text of a module
 * @property {(modules: import("./wire.js").ModuleRev[]) => void} [loaded] told of modules that came with a dynamic import
 * @property {(module: string, patch: { id: number, rev: number, name: string }, error: unknown) => void} [refused]
 */

/** The code of a module as it was sent, compiled when it first runs. */
export class Program {
  /** @param {ModuleDef} def */
  constructor(def) {
    this.id = def.id;
    this.kind = def.kind;
    this.rev = def.rev;
    this.stamp = def.stamp;
    this.sites = def.sites;
    this.async = def.async === true;
    this.deps = def.deps;
    /** By what the source says; later entries do not hide earlier ones. @type {Map<string, Dep>} */
    this.specs = new Map();
    for (const dep of [...def.deps, ...(def.dynamic ?? [])]) if (!this.specs.has(dep.spec)) this.specs.set(dep.spec, dep);
    /** @type {Map<string, string | null>} */
    this.accepts = new Map(def.accepts ? Object.entries(def.accepts) : []);
    /** The text; given up once compiled, the factory knows its own source. */
    this.code = def.code;
    /** @type {Function | null} */
    this.factory = null;
    /** What the engine was given, for positions in it. */
    this.source = "";
    /** The form that `factory` was compiled in. */
    this.suspends = false;
    /** The names of a CSS module. */
    this.names = def.names ?? null;
    /** Which modules a call gathers; read from the code at first use. @type {import("./gathered.js").Gathered | null} */
    this.gathered = null;
    /** The file of it is gone. */
    this.gone = false;
  }
}

/** One run of a program. */
export class Instance {
  /** @param {Module} module @param {boolean} main */
  constructor(module, main) {
    this.module = module;
    this.id = module.id;
    this.program = /** @type {Program} */ (module.program);
    /** The revision of its top level: where it ran, or of the newest declarations that it took over since. */
    this.top = this.program?.rev ?? 0;
    /** Created by the page itself, not by another module. */
    this.main = main;
    /** Evaluates in the scope of the module, once its code has begun to run. @type {((code: string) => any) | null} */
    this.hook = null;
    /** What its top level took over since it ran. */
    this.values = new Values();
    /** Until disposed. */
    this.active = true;
    /** Who needed it, in the order they came. @type {Set<string>} */
    this.parents = new Set();
    /** @type {Set<string>} */
    this.children = new Set();
    /** Its static dependencies were gone through, so the names of its stars are known. */
    this.linked = false;
    /** What it said to `hot`; made on first use. @type {HotState | null} */
    this.hot = null;
    /** The CommonJS `module`, also for ES modules that mention it; made on first use. @type {any} */
    this.cjs = null;
    /** What it exports itself. @type {Getters} */
    this.own = new Map();
    /** `own` and what its stars add. @type {Getters} */
    this.getters = this.own;
    /** Modules of its `export * from`. @type {Module[]} */
    this.stars = [];
    /** json, css, url. @type {unknown} */
    this.value = undefined;
    /** Its own namespace, for `import()` and `require()`. @type {Record<string, unknown> | null} */
    this.fixed = null;
    /** What the instance before it left for `module.hot.data`. */
    this.data = module.data;
    /** How many times this id had been updated when it was made. */
    this.generation = module.updates;
    /** @type {{ webpack: any, vite: any } | null} */
    this.faces = null;
    /** It came back after its successor failed; its dispose handlers have run. */
    this.restored = false;
    /** It passed its update on to its importers, by Vite's `invalidate`. */
    this.handedOn = false;
    /** What its top level started. @type {import("./cleanup.js").Effect[]} */
    this.effects = [];
    /** When it was disposed it had handlers for that. */
    this.hadDisposer = false;
    /** Specifiers of modules that its top level asked for, and that were not there. It went on all the same. @type {Set<string> | null} */
    this.wentWithout = null;

    // Evaluation, by the names of the ECMAScript specification (see evaluate.js).
    /** @type {"new" | "evaluating" | "async" | "done" | "error"} */
    this.state = "new";
    /** @type {unknown} */
    this.error = undefined;
    this.index = 0;
    this.ancestor = 0;
    /** The first entered module of its cycle; itself when there is none. @type {Instance} */
    this.root = this;
    /** Position among modules that wait; 0: it does not. */
    this.asyncOrder = 0;
    this.pending = 0;
    /** Modules that wait for this one. Emptied when it is done. @type {Instance[]} */
    this.waiters = [];
    /** Goes on with the body when the dependencies are there. Cleared after use. @type {(() => void) | null} */
    this.resume = null;
    /** @type {{ promise: Promise<void>, resolve: () => void, reject: (error: unknown) => void } | null} */
    this.settled = null;
  }

  /** A module that it asks for is not there. @param {string} spec */
  lacks(spec) {
    if (this.state === "evaluating" || this.state === "async") (this.wentWithout ??= new Set()).add(spec);
  }

  /**
   * Whether a definition leads to something that its top level had to do without. One that lacks a static import could not run.
   * @param {ModuleDef} def
   */
  findsMore({ kind, deps, dynamic = [] }) {
    const { wentWithout } = this;
    if (wentWithout === null || (kind === "esm" && deps.some(({ error }) => error !== undefined))) return false;
    return [...deps, ...dynamic].some(({ spec, error }) => error === undefined && wentWithout.has(spec));
  }
}

/** All that is known of one id. Never removed: ids are as many as the program has files. */
export class Module {
  /** @param {string} id @param {Sites} sites */
  constructor(id, sites) {
    this.id = id;
    this.sites = sites;
    /** @type {Program | null} */
    this.program = null;
    /** The revision that the running code stands for, patches included. */
    this.rev = 0;
    /** Where it was before the first patch that it holds; null: it holds none. @type {number | null} */
    this.before = null;
    /** What the server calls this text with these site ids. @type {string | undefined} */
    this.stamp = undefined;
    /** The stamp of a new text that the program's own update went on without: it is not offered again. @type {string | undefined} */
    this.ignored = undefined;
    /** The newest update that threw, so that it is not run again when it is sent again. @type {{ rev: number, stamp: string | undefined, reason: import("./wire.js").Reason } | null} */
    this.threw = null;
    /** `rev` is a number of a server that is gone: the next change of the module builds on it whatever it says. */
    this.foreign = false;
    /** Length of guard arrays to come. */
    this.nsites = 0;
    /** The registry's "cache". @type {Instance | null} */
    this.current = null;
    /** Whose exports the live namespace shows: `current`, or the last one until there is a new one. @type {Instance | null} */
    this.shown = null;
    this.namespace = createNamespace();
    /** Who has `export * from` this. @type {Set<Module>} */
    this.starredBy = new Set();
    /** What the last dispose left for `module.hot.data`. @type {object | undefined} */
    this.data = undefined;
    /** `import.meta.hot.data`: one object until pruned. @type {Record<string, unknown> | null} */
    this.viteData = null;
    /** Updates that were applied to it. */
    this.updates = 0;
    /** A plain `<script src>`: no program, only sites. */
    this.classic = false;
  }
}

export class Registry {
  /** @param {RegistryHost} host */
  constructor(host) {
    this.host = host;
    /** @type {Map<string, Module>} */
    this.modules = new Map();
    /** Modules from elsewhere, loaded by the browser before their importers run. @type {Map<string, { namespace?: any, error?: unknown }>} */
    this.externals = new Map();
    this.evaluator = new Evaluator(this);
    this.cleanup = new Cleanup(host.cleanup ?? "off", host.warn);
    /** Ids whose evaluation may have to wait; null: to be found out. @type {Set<string> | null} */
    this.suspending = null;
    /** Set by hot.js: the two faces of an instance's hot object. @type {(instance: Instance) => { webpack: any, vite: any }} */
    this.makeFaces = () => ({ webpack: undefined, vite: undefined });
  }

  /** @param {string} id @returns {Module} */
  module(id) {
    let module = this.modules.get(id);
    if (module === undefined) {
      module = new Module(id, new Sites((patch, error) => this.host.refused?.(id, patch, error), this.urlOf(id)));
      this.modules.set(id, module);
    }
    return module;
  }

  /** What stack traces and DevTools call a module. @param {string} id */
  urlOf(id) {
    return encodeURI(this.host.origin + id).replace(/%25/g, "%");
  }

  /** An error that is the module's own: the frames of the runtime would only hide that. @param {string} message @param {string} id */
  failure(message, id) {
    const error = new Error(message);
    error.stack = `Error: ${message}\n    at ${this.urlOf(id)}`;
    return error;
  }

  /** The instance that runs under this id, if any. @param {string} id @returns {Instance | null} */
  cached(id) {
    return this.modules.get(id)?.current ?? null;
  }

  /**
   * Takes modules in that the page does not have yet. One that has run stays as it is: only an update replaces running code.
   * @param {ModuleDef[]} defs @returns {Module[]} those that were taken
   */
  define(defs) {
    const taken = [];
    for (const def of defs) {
      const module = this.module(def.id);
      const { program } = module;
      if (program !== null && !program.gone && (module.current !== null || module.rev >= def.rev)) continue;
      // Who required it while it was gone got nothing, and may ask again.
      if (program?.gone) module.current = null;
      this.install(module, new Program(def));
      taken.push(module);
    }
    return taken;
  }

  /**
   * What runs has this very code; only what its imports lead to is different. It goes on, and finds them when it asks.
   * @param {Module} module @param {ModuleDef} def @param {ModuleDef[]} added modules that it brings along
   */
  takeOver(module, def, added) {
    const taken = this.define(added);
    if (taken.length > 0) this.host.loaded?.(taken.map(({ id, rev, stamp }) => ({ id, rev, stamp })));
    const { current, program: old } = module;
    const program = new Program(def);
    if (old !== null) {
      program.factory = old.factory;
      program.source = old.source;
      program.suspends = old.suspends;
      if (old.factory !== null) program.code = "";
    }
    if (current !== null) current.program = program;
    this.install(module, program);
  }

  /** Whether everything that the page itself loads has failed, and no plain script is there: nothing of the program goes on. */
  neverRan() {
    let failed = false;
    for (const { classic, current } of this.modules.values()) {
      if (classic) return false;
      if (current === null || !current.main) continue;
      if (current.state !== "error") return false;
      failed = true;
    }
    return failed;
  }

  /** @param {Module} module @param {Program} program */
  install(module, program) {
    module.program = program;
    module.ignored = undefined;
    module.rev = program.rev;
    module.stamp = program.stamp;
    module.foreign = false;
    module.before = null;
    module.nsites = Math.max(module.nsites, program.sites);
    this.suspending = null;
  }

  /** Revisions of everything the page has, for hello. What was held is not had, so the server sends it again. */
  revisions() {
    const list = [];
    for (const module of this.modules.values()) {
      if (module.program === null && !module.classic) continue;
      module.rev = module.before ?? module.rev;
      module.before = null;
      list.push({ id: module.id, rev: module.rev, top: module.current?.top, stamp: module.stamp });
    }
    return list;
  }

  /**
   * Another server welcomed the page, so it knows every text here; but its revisions are other numbers.
   * @param {import("./wire.js").ModuleRev[]} revisions
   */
  renumber(revisions) {
    for (const module of this.modules.values()) module.foreign = true;
    for (const { id, rev } of revisions) {
      const module = this.modules.get(id);
      if (!module) continue;
      module.rev = rev;
      if (module.current !== null) module.current.top = rev;
      module.foreign = false;
    }
  }

  /**
   * Loads what the browser must load itself, so that evaluation needs not wait for it.
   * @param {Iterable<Program>} programs @returns {Promise<void> | null} null: nothing to wait for
   */
  preload(programs) {
    /** @type {Map<string, import("./wire.js").Dep>} */
    const missing = new Map();
    for (const program of programs) {
      for (const dep of program.deps) if (dep.url !== undefined && !this.externals.has(externalKey(dep))) missing.set(externalKey(dep), dep);
    }
    if (missing.size === 0) return null;
    return Promise.all([...missing].map(([key, { spec, url }]) => this.host.importUrl(/** @type {string} */ (url), typeOf(spec)).then(
      (namespace) => { this.externals.set(key, { namespace }); },
      (error) => { this.externals.set(key, { error }); },
    ))).then(() => undefined);
  }

  /**
   * Compiles a program without running it.
   * @param {Program} program @param {boolean} suspends a synchronous module that may have to wait for its dependencies
   * @returns {Function}
   */
  compile(program, suspends = false) {
    // A generator can also be run in one go, so it need not become an arrow again.
    if (program.factory !== null && (program.suspends || !suspends)) return program.factory;
    const code = program.factory === null ? program.code : sourceOf(program.factory);
    const form = program.async ? startsAtOnce(code) : suspends ? asGenerator(code) : code;
    // The very string that the engine keeps: it takes no memory of its own.
    const source = program.source = `${form}\n//# sourceURL=${this.urlOf(program.id)}`;
    const factory = this.host.evaluate(source);
    if (typeof factory !== "function") throw new TypeError(`${program.id} did not compile to a module`);
    program.suspends = suspends;
    program.factory = factory;
    program.code = "";
    return factory;
  }

  /** Whether the static dependencies of this module may make it wait. @param {string} id */
  maySuspend(id) {
    if (this.suspending === null) {
      /** @type {Map<string, string[]>} */
      const importers = new Map();
      const found = new Set();
      for (const { program } of this.modules.values()) {
        if (program === null || program.kind !== "esm" && program.kind !== "gathered") continue;
        if (program.async) found.add(program.id);
        for (const dep of program.deps) {
          if (dep.id === undefined) continue;
          const list = importers.get(dep.id);
          if (list) list.push(program.id);
          else importers.set(dep.id, [program.id]);
        }
      }
      // The set grows while it is walked: importers of importers follow.
      for (const waiting of found) for (const importer of importers.get(waiting) ?? []) found.add(importer);
      this.suspending = found;
    }
    return this.suspending.has(id);
  }

  /**
   * Gets the instance of a module, running it when there is none: what `require` and `import` come down to.
   * @param {Module} module @param {Instance | null} parent null: the page itself
   * @returns {Instance} it may still wait for something; see `settled`
   */
  load(module, parent) {
    let instance = module.current;
    // An old instance that still runs stands for the current one of its id; where there is none, nobody would hear of updates.
    const owner = parent === null || parent.active ? parent : parent.module.current;
    if (parent !== null && !parent.active) this.host.warn(`[HMR] unexpected require(${module.id}) from disposed module ${parent.id}`);
    if (owner !== null) owner.children.add(module.id);
    if (instance !== null) {
      if (owner !== null) instance.parents.add(owner.id);
      else if (parent === null) instance.main = true;
      if (instance.state === "error") throw instance.error;
      return instance;
    }
    if (module.program === null) throw new Error(`${module.id} is not part of the program`);
    instance = new Instance(module, owner === null);
    if (owner !== null) instance.parents.add(owner.id);
    return this.start(instance);
  }

  /** Runs a module for an importer that is about to run. @param {Module} module @param {string} parent */
  loadFor(module, parent) {
    if (module.current !== null) return;
    const instance = new Instance(module, false);
    instance.parents.add(parent);
    this.start(instance);
  }

  /** Runs an instance that was just made. @param {Instance} instance @returns {Instance} */
  start(instance) {
    instance.module.current = instance;
    this.evaluator.run(instance);
    return instance;
  }

  /** Runs the synchronous kinds; ES modules are run by the evaluator. @param {Instance} instance */
  execute(instance) {
    const { program, module } = instance;
    switch (program.kind) {
      case "cjs": {
        const cjs = moduleObject(this, instance);
        this.bind(instance);
        const context = new Context(this, instance);
        const directory = program.id.slice(0, program.id.lastIndexOf("/")) || "/";
        this.compile(program).call(cjs.exports, context, cjs, cjs.exports, context.require, program.id, directory);
        cjs.loaded = true;
        break;
      }
      case "json": instance.value = JSON.parse(program.code); break;
      case "css":
        // The sheets that its classes are composed of stand in front of it.
        for (const { id } of program.deps) if (id !== undefined) this.load(this.module(id), instance);
        instance.value = program.names === null ? program.code : { ...program.names };
        this.host.injectStyle?.(module.id, program.code);
        break;
      case "sheet": instance.value = this.host.styleSheet?.(module.id, program.code) ?? program.code; break;
      case "bytes": instance.value = Uint8Array.from(atob(program.code), (character) => character.charCodeAt(0)); break;
      case "url":
      case "text": instance.value = program.code; break;
      // Made when it is asked for.
      case "gathered": break;
      case "error": throw this.failure(program.code, program.id);
      case "esm": throw new Error("unreachable: the evaluator runs ES modules");
      default: unknownKind(program.kind);
    }
    this.bind(instance);
  }

  /**
   * Points the live namespace of the module at this instance, and tells those who re-export it.
   * @param {Instance} instance @param {Set<Module>} [seen]
   */
  bind(instance, seen = new Set()) {
    const { module } = instance;
    if (seen.has(module)) return;
    seen.add(module);
    module.shown = instance;
    instance.getters = this.gettersOf(instance);
    fill(module.namespace, instance.getters);
    if (instance.fixed !== null) fill(instance.fixed, instance.getters);
    if (instance.program.kind === "cjs") behind(module.namespace, () => module.shown?.cjs?.exports);
    else if (Object.getPrototypeOf(module.namespace) !== null) Object.setPrototypeOf(module.namespace, null);
    for (const { shown } of module.starredBy) if (shown?.linked) this.bind(shown, seen);
  }

  /** @param {Instance} instance @returns {Getters} */
  gettersOf(instance) {
    switch (instance.program.kind) {
      case "esm": return withStars(instance.own, instance.stars.map((star) => star.shown?.getters ?? new Map()));
      case "cjs": return interop(() => instance.cjs?.exports);
      case "json": {
        const getters = interop(() => instance.value);
        getters.set("default", () => instance.value);
        return getters;
      }
      case "css": {
        /** @type {Getters} */
        const getters = new Map();
        for (const [name, value] of Object.entries(instance.program.names ?? {})) getters.set(name, () => value);
        return getters.set("default", () => instance.value);
      }
      default: return new Map([["default", () => instance.value]]);
    }
  }

  /** The namespace of this very instance. @param {Instance} instance */
  fixedNamespace(instance) {
    if (instance.fixed === null) {
      const namespace = instance.fixed = createNamespace();
      fill(namespace, instance.getters);
      if (instance.program.kind === "cjs") behind(namespace, () => instance.cjs.exports);
      // What Babel and TypeScript output looks for when it requires an ES module.
      else if (instance.program.kind === "esm" && !instance.own.has("__esModule")) Object.defineProperty(namespace, "__esModule", { value: true });
    }
    return instance.fixed;
  }

  /** What `require()` of it gives. @param {Instance} instance */
  required(instance) {
    switch (instance.program.kind) {
      case "cjs": return instance.cjs.exports;
      case "esm":
        if (instance.state === "async") throw new Error(`require() cannot give ${instance.id}: it uses top-level await, so use import() instead`);
        return this.fixedNamespace(instance);
      default: return instance.value;
    }
  }

  /** When the instance, and the cycle it is part of, has run. @param {Instance} instance @returns {Promise<void> | null} null: it has */
  settled(instance) {
    const { root } = instance;
    if (root.state === "error") throw root.error;
    if (instance.state === "error") throw instance.error;
    if (root.state !== "async" && root.state !== "evaluating") return null;
    if (root.settled === null) {
      let resolve = () => {};
      let reject = (/** @type {unknown} */ _) => {};
      /** @type {Promise<void>} */
      const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
      root.settled = { promise, resolve, reject };
    }
    return root.settled.promise;
  }

  /**
   * `import()` from inside a module.
   * @param {Instance} from @param {unknown} specifier @param {any} [options] @returns {Promise<any>}
   */
  async dynamicImport(from, specifier, options) {
    const type = options?.with?.type;
    const spec = type === undefined ? String(specifier) : `${specifier}${WITH}${type}`;
    const target = this.resolve(from.program, spec);
    if (target.error !== undefined) {
      from.lacks(spec);
      throw new TypeError(target.error);
    }
    if (target.url !== undefined) return this.host.importUrl(target.url, type);
    // Never at once, also when it is there: the statements after the import() come first.
    const module = await this.available(/** @type {string} */ (target.id));
    const instance = this.load(module, from);
    const waiting = this.settled(instance);
    if (waiting !== null) await waiting;
    return this.fixedNamespace(instance);
  }

  /** Fetches a module and all it needs when the page lacks it. @param {string} id @returns {Promise<Module>} */
  async available(id) {
    const known = this.modules.get(id);
    if (known?.program && !this.lacksSomething(known.program)) return known;
    return this.blocking(async () => {
      const graph = await this.host.fetchGraph(id);
      const taken = this.define(graph.modules);
      const waiting = this.preload(taken.flatMap(({ program }) => program ?? []));
      if (waiting !== null) await waiting;
      if (taken.length > 0) this.host.loaded?.(taken.map(({ id, rev, stamp }) => ({ id, rev, stamp })));
      const module = this.modules.get(graph.entry || id) ?? this.modules.get(id);
      if (!module?.program) throw new TypeError(`Failed to load ${id}`);
      return module;
    });
  }

  /** Set by update.js: loads that an update in preparation waits for. @type {<T>(load: () => Promise<T>) => Promise<T>} */
  blocking = (load) => load();

  /** A program whose static dependencies did not all come along. @param {Program} program */
  lacksSomething(program) {
    const seen = new Set([program.id]);
    const list = [program];
    for (const { deps } of list) {
      for (const dep of deps) {
        if (dep.id === undefined || seen.has(dep.id)) continue;
        seen.add(dep.id);
        const module = this.modules.get(dep.id);
        if (!module?.program) return true;
        // What runs already has all it needs.
        if (module.current === null) list.push(module.program);
      }
    }
    return false;
  }

  /** What a specifier of this program means: as the server resolved it, or as a URL. @param {Program} program @param {string} spec @returns {Dep} */
  resolve(program, spec) {
    const known = program.specs.get(spec);
    if (known !== undefined) return known;
    const type = typeOf(spec);
    if (type !== undefined) {
      const found = this.resolve(program, spec.slice(0, spec.indexOf(WITH)));
      if (found.id === undefined) return { ...found, spec };
      const query = queryFor(type, found.id);
      if (query === undefined) return { spec, error: `Cannot import ${found.id} with the type "${type}"` };
      return { spec, id: query === "" ? found.id : `${found.id}${found.id.includes("?") ? "&" : "?"}${query}` };
    }
    if (this.modules.get(spec)?.program) return { spec, id: spec };
    if (!/^(?:[./]|[a-z][a-z+.-]*:)/i.test(spec)) return { spec, url: spec };
    let url;
    try {
      url = new URL(spec, this.host.origin + program.id);
    } catch {
      return { spec, error: `Failed to resolve module specifier "${spec}"` };
    }
    if (url.origin !== this.host.origin) return { spec, url: url.href };
    return { spec, id: url.pathname + url.search };
  }

  /** `require` of something that the server did not see as a literal. @param {Program} program @param {string} spec @returns {Dep} */
  resolveRequire(program, spec) {
    const dep = this.resolve(program, spec);
    if (dep.id === undefined || this.modules.get(dep.id)?.program) return dep;
    for (const ending of [".js", ".cjs", ".mjs", ".json", "/index.js", "/index.json"]) {
      if (this.modules.get(dep.id + ending)?.program) return { spec, id: dep.id + ending };
    }
    return dep;
  }

  /** The CommonJS `module` of an instance. @param {Instance} instance */
  moduleRecord(instance) {
    return moduleObject(this, instance);
  }

  /** The hot object of an instance, both faces. @param {Instance} instance */
  faces(instance) {
    return instance.faces ??= this.makeFaces(instance);
  }
}

/** The CommonJS `module` of an instance. @param {Registry} registry @param {Instance} instance */
export function moduleObject(registry, instance) {
  if (instance.cjs !== null) return instance.cjs;
  const object = instance.cjs = /** @type {any} */ ({
    id: instance.id,
    filename: instance.id,
    exports: {},
    loaded: false,
    paths: [],
  });
  Object.defineProperties(object, {
    parents: { get: () => [...instance.parents], enumerable: true },
    children: { get: () => [...instance.children], enumerable: true },
    hot: { get: () => registry.faces(instance).webpack, enumerable: true },
    require: { get: () => new Context(registry, instance).require },
  });
  return object;
}

/** Between a specifier and the type that its import asks for. The server writes it so, too. */
const WITH = " with ";

/** @param {string} spec */
function typeOf(spec) {
  const at = spec.indexOf(WITH);
  return at < 0 ? undefined : spec.slice(at + WITH.length);
}

/** What asks for a module of this type, as the server has it; undefined: there is no such type. @param {string} type @param {string} id */
function queryFor(type, id) {
  switch (type) {
    case "json": return /\.json(?:[?#]|$)/i.test(id) ? "" : "json";
    case "css": return "sheet";
    case "text": return "raw";
    case "bytes": return "bytes";
    default: return undefined;
  }
}

/** What a module from elsewhere is kept under. @param {Dep} dep */
export function externalKey({ spec, url }) {
  const type = typeOf(spec);
  return type === undefined ? /** @type {string} */ (url) : url + WITH + type;
}

/** The first line of an async factory, so that a body whose dependencies are there starts without a turn of the event loop. @param {string} code */
function startsAtOnce(code) {
  return code.replace(/await (\$cap\d*_)m\.link\(\);/, "const $1l=$1m.link();if($1l)await $1l;");
}

/**
 * A synchronous factory that can stop between its exports and its body. The language says that modules above one with top-level
 * await run synchronously, one after another, as soon as it is done; a promise would come too late.
 * @param {string} code
 */
function asGenerator(code) {
  // A program that has such names itself is given others.
  const head = /^\s*\(?\s*(\$cap\d*_m)\s*\)?\s*=>\s*\{/.exec(code);
  if (head === null) return code;
  const link = `${head[1]}.link();`;
  return `0,function*(${head[1]}){` + code.slice(head[0].length).replace(link, () => `yield ${link}`);
}

/** @param {never} kind @returns {never} */
function unknownKind(kind) {
  throw new Error(`This page does not know modules of the kind "${kind}"; reload it`);
}
