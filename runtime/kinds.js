// @ts-check
// Functions that a patch cannot make what their new text says. One that was made async gives promises, whatever it runs: a name of the top
// level that has such a function gets another one.

import { isAsync, siteOf } from "./guards.js";

const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

/**
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
