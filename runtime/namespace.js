// @ts-check
// Namespace objects: what `import * as x`, every compiled import and `import()` read.
//
// There are two sorts. A module id has one *live* namespace for ever; importers hold it, and after an update it shows the new
// instance. An instance has a *fixed* one, made on demand for `import()`, `require()` and accept callbacks: results of those are
// never renewed, and two versions of a module must compare as different.
//
// Reading `$cap_i0.name` is the price of every imported name, so the shape of these objects is chosen for the engine: an object
// with a prototype of its own starts a map of its own, and V8 inlines its getters; a `{__proto__: null}` would be a hash table.

/** @typedef {Map<string, () => unknown>} Getters */

/** @returns {Record<string, unknown>} */
export function createNamespace() {
  return Object.create({});
}

/**
 * Makes the namespace show these exports, sorted as the language wants it.
 * @param {Record<string, unknown>} namespace @param {Getters} getters
 */
export function fill(namespace, getters) {
  const names = [...getters.keys()].sort();
  const shown = Object.keys(namespace);
  // New names among the old ones would come last; take the old away so that the order is right again.
  const keeps = names.length >= shown.length && shown.every((name, at) => names[at] === name);
  if (!keeps) for (const name of shown) delete namespace[name];
  for (const name of names) {
    Object.defineProperty(namespace, name, { get: getters.get(name), enumerable: true, configurable: true });
  }
  if (!Object.hasOwn(namespace, Symbol.toStringTag)) {
    Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
    // Only now: an object made with a null prototype would be a hash table.
    Object.setPrototypeOf(namespace, null);
  }
}

/**
 * Exports of a CommonJS module can be added at any time, also after its importers were linked. What is known has a getter; the rest is
 * found by a fallback behind the object, which costs nothing where it is not used.
 * @param {Record<string, unknown>} namespace @param {() => any} exports
 */
export function behind(namespace, exports) {
  if (!Object.hasOwn(namespace, Symbol.toStringTag)) Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
  const has = (/** @type {string | symbol} */ name) => {
    const value = exports();
    return typeof name === "string" && value !== null && value !== undefined && name in Object(value);
  };
  Object.setPrototypeOf(namespace, new Proxy(Object.create(null), {
    get: (_, name) => (has(name) ? exports()[name] : undefined),
    has: (_, name) => has(name),
    set: () => false,
    ownKeys: () => [],
    getPrototypeOf: () => null,
    setPrototypeOf: () => false,
  }));
}

/**
 * What an ES module sees of CommonJS exports: the own enumerable names, and `default`, which is the whole unless the file says
 * by `__esModule` that it was an ES module once.
 * @param {() => any} exports @returns {Getters}
 */
export function interop(exports) {
  /** @type {Getters} */
  const getters = new Map();
  const value = exports();
  if (value !== null && (typeof value === "object" || typeof value === "function")) {
    for (const name of Object.keys(value)) getters.set(name, () => exports()[name]);
  }
  getters.set("default", () => {
    const value = exports();
    return value !== null && value !== undefined && value.__esModule ? value.default : value;
  });
  return getters;
}

/**
 * The names of a module that has `export * from`: its own, and those of the others that are not ambiguous. Two sources of one name
 * are the same binding when they give the same value; a binding that cannot be read yet keeps its first source.
 * @param {Getters} own @param {Getters[]} stars @returns {Getters}
 */
export function withStars(own, stars) {
  if (stars.length === 0) return own;
  /** @type {Getters} */
  const getters = new Map(own);
  /** @type {Set<string>} */
  const ambiguous = new Set();
  for (const star of stars) {
    for (const [name, getter] of star) {
      if (name === "default" || own.has(name) || ambiguous.has(name)) continue;
      const other = getters.get(name);
      if (other === undefined) getters.set(name, getter);
      else if (other !== getter && !same(other, getter)) {
        ambiguous.add(name);
        getters.delete(name);
      }
    }
  }
  return getters;
}

/** @param {() => unknown} a @param {() => unknown} b */
function same(a, b) {
  try {
    return Object.is(a(), b());
  } catch {
    return true;
  }
}
