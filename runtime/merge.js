// @ts-check
// A declaration of the top level got another initial value while its program ran. What the program wrote since then is state and stays; what it left
// alone takes the new value, inside of objects and arrays too, which stay the same objects for whoever holds them.

import { siteOf } from "./guards.js";

/**
 * @param {unknown} current @param {unknown} before the value that the old initializer gives @param {unknown} after the one that the new gives
 * @param {(value: unknown) => void} write
 * @returns {boolean} false: something was kept that the new initializer has otherwise
 */
export function merge(current, before, after, write) {
  if (isPlain(current) && isPlain(before) && isPlain(after)) return mergeObject(current, before, after);
  if (Array.isArray(current) && Array.isArray(before) && Array.isArray(after)) return mergeArray(current, before, after);
  if (isSame(current, after)) return true;
  if (!isSame(current, before)) return isSame(before, after);
  write(after);
  return true;
}

/** @param {Record<string, unknown>} current @param {Record<string, unknown>} before @param {Record<string, unknown>} after */
function mergeObject(current, before, after) {
  let all = true;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const has = Object.hasOwn(current, key);
    if (!Object.hasOwn(after, key)) {
      if (!has) continue;
      if (isSame(current[key], before[key])) delete current[key];
      else all = false;
    } else if (!Object.hasOwn(before, key)) {
      if (has) all = isSame(current[key], after[key]) && all;
      else put(current, key, after[key]);
    } else if (has) {
      all = merge(current[key], before[key], after[key], (value) => put(current, key, value)) && all;
    } else all = isSame(before[key], after[key]) && all;
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
  if (!isSame(current, before)) return isSame(before, after);
  current.splice(0, current.length, ...after);
  return true;
}

/** @param {Record<string, unknown>} object @param {string} key @param {unknown} value */
function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Whether two values that initializers gave cannot be told apart. @param {unknown} a @param {unknown} b @returns {boolean} */
function isSame(a, b) {
  if (Object.is(a, b)) return true;
  // A function of the same site is patched where it stands.
  if (typeof a === "function" && typeof b === "function") return siteOf(a)?.site === siteOf(b)?.site;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((it, i) => isSame(it, b[i]));
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  if (!isPlain(a) || !isPlain(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** @param {unknown} it @returns {it is Record<string, unknown>} */
function isPlain(it) {
  if (typeof it !== "object" || it === null) return false;
  const proto = Object.getPrototypeOf(it);
  return proto === Object.prototype || proto === null;
}
