// @ts-check
// What a name of the top level stands for after an edit, where that is not just another value: a variable that has another name, and a
// function that is no longer async. The overlay has names that the loaded text lacks.

import { isAsync, siteOf } from "./guards.js";

const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

/**
 * The variable `from` is `to` from now on, and the same variable: what still says the old name goes on with it.
 * @param {Record<string, unknown>} overlay @param {string} to @param {string} from
 * @param {() => unknown} get @param {(value: unknown) => void} set the variable as it was loaded, for names that the overlay lacks
 * @param {0 | 1} isNamed its value is a function or class of that name
 */
export function rename(overlay, to, from, get, set, isNamed) {
  let cell = getOwnPropertyDescriptor(overlay, from) ?? { get, set, configurable: true, enumerable: true };
  if ("value" in cell) {
    let { value } = cell;
    cell = { get: () => value, set: (it) => { value = it; }, configurable: true, enumerable: true };
    defineProperty(overlay, from, cell);
  }
  defineProperty(overlay, to, cell);
  if (isNamed) nameAgain(overlay[to], to, from);
}

/** @param {unknown} value @param {string} to @param {string} from */
function nameAgain(value, to, from) {
  // What a program named itself keeps that name.
  if (typeof value !== "function" || getOwnPropertyDescriptor(value, "name")?.value !== from) return;
  defineProperty(value, "name", { value: to, configurable: true });
}

/**
 * A function that was made async gives promises, whatever it runs: a name that has such a function gets another one.
 * @param {unknown} current what the name has now @param {number} id the site of the function that is no longer async
 * @param {() => Function} make @param {(value: Function) => void} write
 */
export function plain(current, id, make, write) {
  // A page that loaded the function when it was not async, or whose program gave the name to something else, has nothing to do.
  if (typeof current !== "function" || !isAsync(current) || siteOf(current)?.site !== id) return;
  const next = make();
  for (const key of ownKeys(current)) {
    if (key !== "length" && key !== "name") defineProperty(next, key, /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(current, key)));
  }
  write(next);
}
