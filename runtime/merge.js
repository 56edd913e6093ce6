// @ts-check
// A declaration of the top level got another initial value while its program ran. What the program wrote since then is state and stays; what it left
// alone takes the new value, inside of objects and arrays too, which stay the same objects for whoever holds them. Accessors are not asked.

import { isAsync, siteOf } from "./guards.js";
import { sourceOf } from "./text.js";

const { defineProperty, getOwnPropertyDescriptor } = Reflect;

/** Objects and functions that initializers made. What an initializer only names is another declaration's: it is the same or it is not. @type {WeakSet<object>} */
const owned = new WeakSet();

/**
 * The value of an initializer that does nothing but make it: run twice, so that what it makes can be told from what it names.
 * @template T @param {() => T} make @returns {T}
 */
export function made(make) {
  const value = make();
  own(value, make());
  return value;
}

/** @param {unknown} value @param {unknown} again */
function own(value, again) {
  if (value === again || !isObject(value) || !isObject(again)) return;
  owned.add(value);
  if (!isPlain(value) && !Array.isArray(value)) return;
  for (const key of Object.keys(value)) {
    const [one, two] = [property(value, key), property(again, key)];
    own(one?.value, two?.value);
    own(one?.get, two?.get);
    own(one?.set, two?.set);
  }
}

/**
 * @param {unknown} current @param {unknown} before the value that the old initializer gives @param {unknown} after the one that the new gives;
 *   both as `made` gives them
 * @param {(value: unknown) => void} write
 * @returns {boolean} false: something was kept that the new initializer has otherwise
 */
export function merge(current, before, after, write) {
  if (isOwned(before) && isOwned(after)) {
    if (isPlain(current) && isPlain(before) && isPlain(after)) return mergeObject(current, before, after);
    if (Array.isArray(current) && Array.isArray(before) && Array.isArray(after)) return mergeArray(current, before, after);
  }
  if (isSame(current, after)) return true;
  if (!isSame(current, before)) return isEqual(before, after);
  write(after);
  return true;
}

/** @param {Record<string, unknown>} current @param {Record<string, unknown>} before @param {Record<string, unknown>} after */
function mergeObject(current, before, after) {
  let all = true;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [is, was, becomes] = [property(current, key), property(before, key), property(after, key)];
    const write = (/** @type {PropertyDescriptor} */ it) => void defineProperty(current, key, it);
    if (becomes === undefined) {
      if (is === undefined) continue;
      if (isSameProperty(is, was)) delete current[key];
      else all = false;
    } else if (was === undefined) {
      if (is === undefined) write(becomes);
      else all = isSameProperty(is, becomes) && all;
    } else if (is === undefined) {
      all = isEqualProperty(was, becomes) && all;
    } else if ("value" in is && "value" in was && "value" in becomes) {
      all = merge(is.value, was.value, becomes.value, (value) => write({ ...becomes, value })) && all;
    } else if (isSameProperty(is, becomes)) {
      continue;
    } else if (isSameProperty(is, was)) {
      write(becomes);
    } else all = isEqualProperty(was, becomes) && all;
  }
  return all;
}

/** @param {unknown[]} current @param {unknown[]} before @param {unknown[]} after */
function mergeArray(current, before, after) {
  if (current.length === before.length && before.length === after.length) {
    let all = true;
    for (let i = 0; i < current.length; i++) all = merge(current[i], before[i], after[i], (value) => { current[i] = value; }) && all;
    return all;
  }
  if (isSame(current, after)) return true;
  if (!isSame(current, before)) return isEqual(before, after);
  current.splice(0, current.length, ...after);
  return true;
}

/** Whether a value cannot be told from the one that an initializer gives. @param {unknown} current @param {unknown} given @returns {boolean} */
function isSame(current, given) {
  if (Object.is(current, given)) return true;
  if (!isObject(current) || !isOwned(given)) return false;
  // A function of the same site is patched where it stands.
  if (typeof current === "function" && typeof given === "function") return isSameFunction(current, given);
  if (Array.isArray(current) && Array.isArray(given)) return current.length === given.length && current.every((it, i) => isSame(it, given[i]));
  if (current instanceof RegExp && given instanceof RegExp) return String(current) === String(given);
  if (!isPlain(current) || !isPlain(given)) return false;
  const keys = Object.keys(current);
  return keys.length === Object.keys(given).length && keys.every((key) => isSameProperty(property(current, key), property(given, key)));
}

/** Whether two initializers give what cannot be told apart. @param {unknown} before @param {unknown} after @returns {boolean} */
function isEqual(before, after) {
  return Object.is(before, after) || (isOwned(before) && isSame(before, after));
}

/** @param {PropertyDescriptor | undefined} a @param {PropertyDescriptor | undefined} b @param {typeof isSame} same */
function isSameProperty(a, b, same = isSame) {
  if (a === undefined || b === undefined || "value" in a !== "value" in b) return false;
  return same(a.value, b.value) && same(a.get, b.get) && same(a.set, b.set);
}

/** @param {PropertyDescriptor} before @param {PropertyDescriptor} after */
function isEqualProperty(before, after) {
  return isSameProperty(before, after, isEqual);
}

/** @param {Function} a @param {Function} b */
function isSameFunction(a, b) {
  const [one, other] = [siteOf(a), siteOf(b)];
  if (one === null || other === null) return one === other && sourceOf(a) === sourceOf(b);
  // One that was made async gives promises for ever; the other way round the new code does.
  return one.site === other.site && (isAsync(b) || !isAsync(a));
}

/** @param {unknown} it */
function isOwned(it) {
  return isObject(it) && owned.has(it);
}

/** @param {unknown} it @returns {it is object} */
function isObject(it) {
  return typeof it === "function" || (typeof it === "object" && it !== null);
}

/** @param {object} object @param {string} key */
function property(object, key) {
  return getOwnPropertyDescriptor(object, key);
}

/** @param {unknown} it @returns {it is Record<string, unknown>} */
function isPlain(it) {
  if (typeof it !== "object" || it === null) return false;
  const proto = Object.getPrototypeOf(it);
  return proto === Object.prototype || proto === null;
}
