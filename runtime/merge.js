// @ts-check
// A declaration of the top level got another initial value while its program ran. What the program wrote since then is state and stays; what it left
// alone takes the new value, inside of objects and arrays too, which stay the same objects for whoever holds them. Accessors are not asked.

import { isAsync, siteOf } from "./guards.js";
import { sourceOf } from "./text.js";

const { defineProperty, getOwnPropertyDescriptor } = Reflect;

/**
 * What an initializer gives, and the objects and functions that it made for that. What it only names is another declaration's: it is the same
 * or it is not. @typedef {{ value: unknown, owned: Set<object> }} Given
 */

/**
 * The value of an initializer that does nothing but make it: run twice, so that what it makes can be told from what it names.
 * @param {() => unknown} make @returns {Given}
 */
export function made(make) {
  const given = { value: make(), owned: new Set() };
  own(given.value, make(), given.owned);
  return given;
}

/** @param {unknown} value @param {unknown} again @param {Set<object>} owned */
function own(value, again, owned) {
  if (value === again || !isObject(value) || !isObject(again)) return;
  owned.add(value);
  if (!isPlain(value) && !Array.isArray(value)) return;
  for (const key of Object.keys(value)) {
    const [one, two] = [property(value, key), property(again, key)];
    own(one?.value, two?.value, owned);
    own(one?.get, two?.get, owned);
    own(one?.set, two?.set, owned);
  }
}

/**
 * @param {unknown} current @param {Given} before what the old initializer gives @param {Given} after what the new one gives
 * @param {(value: unknown) => void} write
 * @returns {boolean} false: something was kept that the new initializer has otherwise
 */
export function merge(current, before, after, write) {
  return new Merge(before, after).value(current, before.value, after.value, write);
}

/** Takes one initial value over. */
class Merge {
  /** Only what these two made may be taken apart. @param {Given} before @param {Given} after */
  constructor(before, after) {
    this.owned = new Set([...before.owned, ...after.owned]);
  }

  /** @param {unknown} current @param {unknown} before @param {unknown} after @param {(value: unknown) => void} write @returns {boolean} */
  value(current, before, after, write) {
    if (this.owns(before) && this.owns(after)) {
      if (isPlain(current) && isPlain(before) && isPlain(after)) return this.object(current, before, after);
      if (Array.isArray(current) && Array.isArray(before) && Array.isArray(after)) return this.array(current, before, after);
    }
    if (this.isSame(current, after)) return true;
    if (!this.isSame(current, before)) return this.isEqual(before, after);
    write(after);
    return true;
  }

  /** @param {Record<string, unknown>} current @param {Record<string, unknown>} before @param {Record<string, unknown>} after */
  object(current, before, after) {
    let all = true;
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [is, was, becomes] = [property(current, key), property(before, key), property(after, key)];
      const write = (/** @type {PropertyDescriptor} */ it) => void defineProperty(current, key, it);
      if (becomes === undefined) {
        if (is === undefined) continue;
        if (this.isSameProperty(is, was)) delete current[key];
        else all = false;
      } else if (was === undefined) {
        if (is === undefined) write(becomes);
        else all = this.isSameProperty(is, becomes) && all;
      } else if (is === undefined) {
        all = this.isEqualProperty(was, becomes) && all;
      } else if ("value" in is && "value" in was && "value" in becomes) {
        all = this.value(is.value, was.value, becomes.value, (value) => write({ ...becomes, value })) && all;
      } else if (this.isSameProperty(is, becomes)) {
        continue;
      } else if (this.isSameProperty(is, was)) {
        write(becomes);
      } else all = this.isEqualProperty(was, becomes) && all;
    }
    return all;
  }

  /** @param {unknown[]} current @param {unknown[]} before @param {unknown[]} after */
  array(current, before, after) {
    if (current.length === before.length && before.length === after.length) {
      let all = true;
      for (let i = 0; i < current.length; i++) all = this.value(current[i], before[i], after[i], (value) => { current[i] = value; }) && all;
      return all;
    }
    if (this.isSame(current, after)) return true;
    if (!this.isSame(current, before)) return this.isEqual(before, after);
    current.splice(0, current.length, ...after);
    return true;
  }

  /** Whether a value cannot be told from the one that an initializer gives. @param {unknown} current @param {unknown} given @returns {boolean} */
  isSame(current, given) {
    if (Object.is(current, given)) return true;
    if (!isObject(current) || !this.owns(given)) return false;
    // A function of the same site is patched where it stands.
    if (typeof current === "function" && typeof given === "function") return isSameFunction(current, given);
    if (Array.isArray(current) && Array.isArray(given)) return current.length === given.length && current.every((it, i) => this.isSame(it, given[i]));
    if (current instanceof RegExp && given instanceof RegExp) return String(current) === String(given);
    if (!isPlain(current) || !isPlain(given)) return false;
    const keys = Object.keys(current);
    return keys.length === Object.keys(given).length && keys.every((key) => this.isSameProperty(property(current, key), property(given, key)));
  }

  /** Whether two initializers give what cannot be told apart. @param {unknown} before @param {unknown} after @returns {boolean} */
  isEqual(before, after) {
    return Object.is(before, after) || (this.owns(before) && this.isSame(before, after));
  }

  /** @param {PropertyDescriptor | undefined} a @param {PropertyDescriptor | undefined} b */
  isSameProperty(a, b) {
    return both(a, b, (one, two) => this.isSame(one, two));
  }

  /** @param {PropertyDescriptor} before @param {PropertyDescriptor} after */
  isEqualProperty(before, after) {
    return both(before, after, (one, two) => this.isEqual(one, two));
  }

  /** @param {unknown} it */
  owns(it) {
    return isObject(it) && this.owned.has(it);
  }
}

/** @param {PropertyDescriptor | undefined} a @param {PropertyDescriptor | undefined} b @param {(a: unknown, b: unknown) => boolean} same */
function both(a, b, same) {
  if (a === undefined || b === undefined || "value" in a !== "value" in b) return false;
  return same(a.value, b.value) && same(a.get, b.get) && same(a.set, b.set);
}

/** @param {Function} a @param {Function} b */
function isSameFunction(a, b) {
  const [one, other] = [siteOf(a), siteOf(b)];
  if (one === null || other === null) return one === other && sourceOf(a) === sourceOf(b);
  // One that was made async gives promises for ever; the other way round the new code does.
  return one.site === other.site && (isAsync(b) || !isAsync(a));
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
