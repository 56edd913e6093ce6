// What a program shows to others, as something that can be compared: names and kinds of all functions, and the values that are
// no functions. Not how many parameters functions have: a function that was patched keeps the `length` that it was made with.

/** How far to look into objects. */
const DEPTH = 5;
/** How many members of a list to look at. */
const MEMBERS = 50;

/** @typedef {Record<string, string>} Api what stands at each path */

/** @param {any} value @returns {Api} */
export function api(value) {
  /** @type {Api} */
  const found = {};
  see(value, "", DEPTH, found, new Map());
  return found;
}

/**
 * Paths at which two differ, each with what stands there.
 *
 * @param {Api} is
 * @param {Api} other
 * @param {string} what the other is
 */
export function differences(is, other, what) {
  const paths = new Set([...Object.keys(is), ...Object.keys(other)]);
  return [...paths].filter((path) => is[path] !== other[path]).map((path) => `${path || "the module"} is ${is[path]}, in ${what} ${other[path]}`);
}

/**
 * @param {any} value
 * @param {string} path
 * @param {number} depth
 * @param {Api} found
 * @param {Map<object, string>} seen
 */
function see(value, path, depth, found, seen) {
  if (typeof value === "function" || (typeof value === "object" && value !== null)) {
    const before = seen.get(value);
    if (before !== undefined) {
      found[path] = `the same as ${before || "the module"}`;
      return;
    }
    seen.set(value, path);
    const native = nativeName(value);
    found[path] = native ?? (typeof value === "function" ? kind(value) : Array.isArray(value) ? `a list of ${value.length}` : "an object");
    if (native !== undefined || depth === 0) return;
    members(value, path, depth, found, seen);
  } else {
    found[path] = typeof value === "string" ? JSON.stringify(value) : String(value);
  }
}

/**
 * @param {any} value
 * @param {string} path
 * @param {number} depth
 * @param {Api} found
 * @param {Map<object, string>} seen
 */
function members(value, path, depth, found, seen) {
  const isFunction = typeof value === "function";
  for (const key of Reflect.ownKeys(value).slice(0, Array.isArray(value) ? MEMBERS : undefined)) {
    if (isFunction && (key === "name" || key === "length" || key === "arguments" || key === "caller")) continue;
    const at = `${path}.${String(key)}`;
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    // A module says its exports by getters, here and there; what they give is what counts. Others' getters may do anything.
    const isExport = path.split(".").length <= 1;
    if (descriptor?.get && !isExport) {
      see(descriptor.get, `${at} (get)`, depth - 1, found, seen);
      if (descriptor.set) see(descriptor.set, `${at} (set)`, depth - 1, found, seen);
      continue;
    }
    try {
      see(descriptor?.get ? value[key] : descriptor?.value, at, depth - 1, found, seen);
    } catch (error) {
      found[at] = `throws ${error}`;
    }
  }
  const above = Object.getPrototypeOf(value);
  if (above !== null && nativeName(above) === undefined) see(above, `${path}.[[Prototype]]`, depth - 1, found, seen);
}

/** @param {Function} it */
function kind(it) {
  const text = Function.prototype.toString.call(it);
  return `${/^class\b/.test(text) ? "class" : Object.prototype.toString.call(it).slice(8, -1)} ${JSON.stringify(it.name)}`;
}

/** What the engine brings is known by where it is found. @type {Map<object, string>} */
const NATIVE = new Map();
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value = /** @type {any} */ (Object.getOwnPropertyDescriptor(globalThis, name)?.value);
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) continue;
  NATIVE.set(value, name);
  if (value === globalThis) continue;
  if (typeof value === "function" && value.prototype) NATIVE.set(value.prototype, `${name}.prototype`);
  for (const key of Object.getOwnPropertyNames(value)) {
    const member = Object.getOwnPropertyDescriptor(value, key)?.value;
    if (typeof member === "function") NATIVE.set(member, `${name}.${key}`);
  }
}
for (const it of [async () => {}, function* () {}, async function* () {}]) NATIVE.set(Object.getPrototypeOf(it), `${it.constructor.name}.prototype`);

/** @param {object} value */
function nativeName(value) {
  return NATIVE.get(value);
}
