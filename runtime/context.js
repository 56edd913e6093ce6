// @ts-check
// What the factory of a module gets: `$cap_m`. Everything that instrumented code asks of the registry goes through here, so this is
// the contract between the compiler and the page.

import { gather } from "./gathered.js";
import { plain, rename } from "./names.js";
import { createNamespace, fill } from "./namespace.js";
import { externalKey, moduleObject } from "./registry.js";

/** @typedef {import("./registry.js").Instance} Instance */
/** @typedef {import("./registry.js").Registry} Registry */

const ENV = { MODE: "development", DEV: true, PROD: false, SSR: false, BASE_URL: "/" };

export class Context {
  /** @type {Registry} */ #registry;
  /** @type {Instance} */ #instance;
  /** @type {any} */ #meta = null;
  /** @type {any} */ #require = null;

  /** @param {Registry} registry @param {Instance} instance */
  constructor(registry, instance) {
    this.#registry = registry;
    this.#instance = instance;
    /** What `link` threw: an async factory hides it in its promise. @type {{ error: unknown } | null} */
    this.linkError = null;
    /** Takes over added declarations and other initial values. */
    this.values = instance.values;
    /** Takes over a function that is no longer async. */
    this.plain = plain;
    /** Takes over another name of a variable. */
    this.rename = (/** @type {Parameters<typeof rename>} */ ...all) => {
      const [overlay, to, from] = all;
      if (!instance.values.renamed(overlay, to, from)) rename(...all);
    };
    /** `import()`. @param {unknown} specifier @param {unknown} [options] */
    this.import = (specifier, options) => registry.dynamicImport(instance, specifier, options);
  }

  /** The guard array of this instance, whose scope the hook reaches. @param {(code: string) => any} hook */
  guards(hook) {
    this.#instance.hook = hook;
    const { module, program } = this.#instance;
    return module.sites.guards(Math.max(program.sites, module.nsites), program.rev);
  }

  /** @param {Record<string, () => unknown>} getters */
  exports(getters) {
    const { own } = this.#instance;
    for (const name of Object.keys(getters)) own.set(name, getters[name]);
    this.#registry.bind(this.#instance);
  }

  /** `export * from`. @param {string} spec */
  star(spec) {
    const dep = this.#instance.program.specs.get(spec);
    if (dep?.url !== undefined) {
      const { own } = this.#instance;
      const external = this.ns(spec);
      for (const name of Object.keys(external)) if (name !== "default" && !own.has(name)) own.set(name, () => external[name]);
      return;
    }
    if (dep?.id === undefined) return;
    const module = this.#registry.module(dep.id);
    module.starredBy.add(this.#instance.module);
    this.#instance.stars.push(module);
  }

  link() {
    try {
      return this.#registry.evaluator.link(this.#instance);
    } catch (error) {
      this.linkError = { error };
      throw error;
    }
  }

  /** The live namespace of a dependency: the same object for every importer, for ever. @param {string} spec @returns {any} */
  ns(spec) {
    const dep = this.#instance.program.specs.get(spec);
    if (dep?.id !== undefined) return this.#registry.module(dep.id).namespace;
    if (dep?.url !== undefined) {
      const external = this.#registry.externals.get(externalKey(dep));
      if (external?.namespace !== undefined) return external.namespace;
    }
    const empty = createNamespace();
    fill(empty, new Map());
    return empty;
  }

  /** `require.context(…)`, `import.meta.webpackContext(…)` and `import.meta.glob(…)`. @param {string} key what the server calls it */
  gathered(key) {
    const registry = this.#registry;
    const instance = this.#instance;
    const dep = instance.program.specs.get(key);
    const module = dep?.id === undefined ? undefined : registry.modules.get(dep.id);
    if (!module?.program) throw new Error(`${instance.id} gathers modules that did not reach the page`);
    return gather(registry, registry.load(module, instance), instance);
  }

  get meta() {
    if (this.#meta !== null) return this.#meta;
    const registry = this.#registry;
    const instance = this.#instance;
    const url = registry.host.origin + instance.id;
    const meta = this.#meta = Object.create(null);
    meta.url = url;
    meta.env = { ...ENV };
    meta.resolve = (/** @type {unknown} */ specifier) => {
      const dep = registry.resolve(instance.program, String(specifier));
      if (dep.error !== undefined) {
        instance.lacks(String(specifier));
        throw new TypeError(dep.error);
      }
      return dep.id === undefined ? new URL(/** @type {string} */ (dep.url), url).href : registry.host.origin + dep.id;
    };
    // The server rewrites calls with literals.
    const onlyLiterals = (/** @type {string} */ name) => () => { throw new TypeError(`${name} takes literals only, and patterns that begin with ./, ../ or /`); };
    Object.defineProperties(meta, {
      glob: { value: onlyLiterals("import.meta.glob"), configurable: true },
      webpackContext: { value: onlyLiterals("import.meta.webpackContext"), configurable: true },
      hot: { get: () => registry.faces(instance).vite, enumerable: true, configurable: true },
      webpackHot: { get: () => registry.faces(instance).webpack, enumerable: true, configurable: true },
    });
    return meta;
  }

  /** `module`, in CommonJS and in ES modules that mention it. */
  get module() {
    return moduleObject(this.#registry, this.#instance);
  }

  get require() {
    return this.#require ??= createRequire(this.#registry, this.#instance);
  }
}

/** @param {Registry} registry @param {Instance} instance */
function createRequire(registry, instance) {
  /** @param {unknown} specifier */
  function require(specifier) {
    const spec = String(specifier);
    const dep = registry.resolveRequire(instance.program, spec);
    if (dep.url !== undefined) {
      const external = registry.externals.get(externalKey(dep));
      if (external?.namespace !== undefined) return external.namespace;
    }
    const module = dep.id === undefined ? undefined : registry.modules.get(dep.id);
    if (!module?.program) throw notFound(spec, instance, dep.error);
    const loaded = registry.load(module, instance);
    // A cycle that goes through require() is one all the same.
    if (instance.state === "evaluating" && loaded.state === "evaluating") instance.ancestor = Math.min(instance.ancestor, loaded.ancestor);
    return registry.required(loaded);
  }
  /** @param {unknown} specifier */
  require.resolve = (specifier) => {
    const spec = String(specifier);
    const dep = registry.resolveRequire(instance.program, spec);
    if (dep.id === undefined) throw notFound(spec, instance, dep.error);
    return dep.id;
  };
  require.context = () => { throw new TypeError("require.context takes literals only"); };
  require.cache = cacheView(registry);
  Object.defineProperty(require, "main", {
    get: () => {
      for (const { current } of registry.modules.values()) if (current?.main) return moduleObject(registry, current);
      return undefined;
    },
  });
  return require;
}

/** @param {string} spec @param {Instance} from @param {string} [reason] */
function notFound(spec, from, reason) {
  from.lacks(spec);
  return Object.assign(new Error(reason ?? `Cannot find module '${spec}' from ${from.id}`), { code: "MODULE_NOT_FOUND" });
}

/** `require.cache`: modules that run, by id; deleting one makes the next require run it again. @param {Registry} registry */
function cacheView(registry) {
  const find = (/** @type {string | symbol} */ id) => (typeof id === "string" ? registry.cached(id) : null);
  return new Proxy(Object.create(null), {
    get: (_, id) => {
      const instance = find(id);
      return instance === null ? undefined : moduleObject(registry, instance);
    },
    has: (_, id) => find(id) !== null,
    ownKeys: () => [...registry.modules.values()].filter(({ current }) => current !== null).map(({ id }) => id),
    getOwnPropertyDescriptor: (_, id) => {
      const instance = find(id);
      return instance === null ? undefined : { value: moduleObject(registry, instance), enumerable: true, configurable: true, writable: true };
    },
    deleteProperty: (_, id) => {
      const instance = find(id);
      if (instance !== null) instance.module.current = null;
      return true;
    },
    set: () => false,
  });
}
