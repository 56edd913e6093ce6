// @ts-check
// What calls gather by a pattern: `require.context(…)` as webpack has it, `import.meta.glob(…)` as Vite does.
//
// Both are modules of the registry, whose list of files the server keeps up to date; a file that comes or goes is an update of that
// module. A context is the parent of what is asked of it, so a change of one of its files bubbles through it, and who accepts
// `context.id` hears of all of them. A glob stands for imports of the module that holds it, so its files have that module as parent.

/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./registry.js").Instance} Instance */
/** @typedef {import("./registry.js").Program} Program */

/** @typedef {{ mode: "glob" | "glob-eager" | "sync" | "eager" | "weak" | "lazy" | "lazy-once" | "async-weak", import?: string, files: Record<string, string> }} Gathered */

/** Endings that a request may leave out. */
const ENDINGS = ["", ".js", ".mjs", ".cjs", ".jsx", ".json", ".css", "/index.js"];

/** Files that run before the module that gathers them. @param {Program} program @returns {string[]} their ids */
export function eagerFiles(program) {
  if (program.kind !== "gathered") return [];
  const { mode, files } = read(program);
  return mode === "glob-eager" ? Object.values(files) : [];
}

/** @param {Program} program @returns {Gathered} */
function read(program) {
  return program.gathered ??= JSON.parse(program.code, (_, value) => (value !== null && typeof value === "object" ? Object.assign(Object.create(null), value) : value));
}

/** What a call gives. @param {Registry} registry @param {Instance} gathered @param {Instance} from the module that holds the call */
export function gather(registry, gathered, from) {
  const { mode, files, import: name } = read(gathered.program);
  if (mode !== "glob" && mode !== "glob-eager") return gathered.value ??= createContext(registry, gathered);
  const pick = (/** @type {any} */ namespace) => (name === undefined ? namespace : namespace[name]);
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const [key, id] of Object.entries(files)) {
    const value = mode === "glob"
      ? () => registry.dynamicImport(from, id).then(pick)
      : pick(registry.fixedNamespace(registry.load(registry.module(id), from)));
    // A file may be called `__proto__`.
    Object.defineProperty(found, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return found;
}

/** @param {Registry} registry @param {Instance} instance of the context */
function createContext(registry, instance) {
  const { mode, files } = read(instance.program);
  const resolve = (/** @type {unknown} */ request) => {
    for (const ending of ENDINGS) {
      const id = files[String(request) + ending];
      if (id !== undefined) return id;
    }
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: "MODULE_NOT_FOUND" });
  };
  const load = (/** @type {string} */ id) => registry.required(registry.load(registry.module(id), instance));
  const loaded = (/** @type {string} */ id) => {
    if (registry.cached(id) === null) throw Object.assign(new Error(`Module '${id}' is not available (weak dependency)`), { code: "MODULE_NOT_FOUND" });
    return load(id);
  };
  /** @type {Record<string, (id: string) => unknown>} */
  const asks = {
    sync: load,
    weak: loaded,
    eager: async (id) => registry.fixedNamespace(registry.load(registry.module(id), instance)),
    "async-weak": async (id) => {
      loaded(id);
      return registry.dynamicImport(instance, id);
    },
    lazy: (id) => registry.dynamicImport(instance, id),
    "lazy-once": (id) => registry.dynamicImport(instance, id),
  };
  const ask = asks[mode];
  const isSync = mode === "sync" || mode === "weak";
  /** @param {unknown} request */
  function webpackContext(request) {
    if (isSync) return ask(resolve(request));
    return Promise.resolve().then(() => ask(resolve(request)));
  }
  webpackContext.keys = () => Object.keys(files);
  webpackContext.resolve = (/** @type {unknown} */ request) => (isSync ? resolve(request) : Promise.resolve().then(() => resolve(request)));
  webpackContext.id = instance.id;
  return webpackContext;
}
