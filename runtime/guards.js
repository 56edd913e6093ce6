// @ts-check
// What can be told of a function that exists: which site it is of, read from the guard that it begins with, and whether it was made async.
// Asked only when the text around a function changes: a table of all functions would have to be made for every one that a program makes.

import { sourceOf } from "./text.js";

const { getPrototypeOf } = Reflect;
const Async = getPrototypeOf(async () => {});

/** The site, and that of its class where it is a member of one; null for functions from elsewhere. @param {Function} fn */
export function siteOf(fn) {
  const guard = /\$cap_g\d*\.c\((\d+),(?:\$cap_k(?:\d+_)?(\d+))?/.exec(sourceOf(fn));
  return guard === null ? null : { site: Number(guard[1]), of: guard[2] === undefined ? null : Number(guard[2]) };
}

/** Whether a function gives promises, whatever it runs. @param {Function} fn */
export function isAsync(fn) {
  return getPrototypeOf(fn) === Async;
}
