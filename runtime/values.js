// @ts-check
// The values of a top level that takes over other declarations while its program runs. Each value is made by itself: one whose initializer
// throws is left out, as it is for whoever has it, and said to be missing until an edit gives it; all others are there.

import { made, merge } from "./merge.js";
import { messageOf } from "./reasons.js";

/** @typedef {import("./merge.js").Given} Given */
/** @typedef {Record<string, unknown>} Overlay */

/**
 * Why a name lacks what its text gives. `before` is what an initializer gave it that did not throw; null: it has no value at all.
 * @typedef {{ message: string, before: Given | null }} Lack
 */

/** Of one run of a module. */
export class Values {
  /** Names whose initializers threw; those of static fields are `Class.field`. @type {Map<string, Lack>} */
  lacks = new Map();
  /** What initializers gave that can be told by its value alone: giving it again could give something else by now. @type {Map<string, Given>} */
  given = new Map();
  /** The steps that are being run left something out. */
  threw = false;

  /** A declaration is added. @param {string} name @param {Overlay} overlay @param {() => void} make writes it */
  add(name, overlay, make) {
    this.forget(name, overlay);
    try {
      make();
    } catch (error) {
      this.lack(name, `${name} has no value: ${messageOf(error)}`, null);
      const get = () => { throw new ReferenceError(`${name} has no value, because its initializer threw`); };
      const set = (/** @type {unknown} */ value) => void Object.defineProperty(overlay, name, { value, configurable: true, enumerable: true, writable: true });
      Object.defineProperty(overlay, name, { get, set, configurable: true, enumerable: true });
    }
  }

  /** Makes a declaration that could not be made when it was added. @param {string} name @param {Overlay} overlay @param {() => void} make */
  mend(name, overlay, make) {
    if (this.lacks.has(name)) this.add(name, overlay, make);
  }

  /** What the old initializer of a name gave; null: nothing. @param {string} name @param {() => unknown} make @returns {Given | null} */
  before(name, make) {
    const lack = this.lacks.get(name);
    if (lack !== undefined) return lack.before;
    try {
      return this.given.get(name) ?? made(make);
    } catch {
      return null;
    }
  }

  /**
   * A name has another initializer.
   * @param {string} name @param {() => unknown} get @param {Given | null} before @param {() => unknown} make @param {(value: unknown) => void} write
   * @param {0 | 1} isFixed nothing can have given the name anything since
   * @returns {boolean} false: the program's own value was kept
   */
  change(name, get, before, make, write, isFixed) {
    const lack = this.lacks.get(name);
    try {
      const after = made(make);
      const isTaken = this.take(lack, get, before, after, write, isFixed);
      this.lacks.delete(name);
      if (after.owned.size === 0) this.given.set(name, after);
      else this.given.delete(name);
      return isTaken;
    } catch (error) {
      const isMissing = lack !== undefined && before === null;
      this.lack(name, `${name} ${isMissing ? "has no value" : "keeps the value that it had"}: ${messageOf(error)}`, before);
      return true;
    }
  }

  /** @param {Lack | undefined} lack @param {() => unknown} get @param {Given | null} before @param {Given} after @param {(value: unknown) => void} write @param {0 | 1} isFixed */
  take(lack, get, before, after, write, isFixed) {
    const isUntouched = isFixed === 1 || lack !== undefined;
    // What was never given cannot have been written. Nor can a constant, but what it holds can, if its initializer made that.
    if (before === null ? isUntouched : isFixed === 1 && before.owned.size === 0) {
      write(after.value);
      return true;
    }
    return before !== null && merge(get(), before, after, write);
  }

  /** Declarations are gone. @param {string[]} names @param {Overlay} overlay */
  gone(names, overlay) {
    for (const name of names) this.forget(name, overlay);
  }

  /** A name is another one from now on. @param {Overlay} overlay @param {string} to @param {string} from @returns {boolean} it has no value */
  renamed(overlay, to, from) {
    move(this.lacks, from, to);
    move(this.given, from, to);
    if (this.lacks.get(to)?.before !== null) return false;
    const cell = Object.getOwnPropertyDescriptor(overlay, from);
    if (cell === undefined) return false;
    Object.defineProperty(overlay, to, cell);
    return true;
  }

  /** Before the steps of a push. */
  begin() {
    this.threw = false;
  }

  /** What the page lacks, in a sentence. @returns {string | undefined} */
  get message() {
    const [first] = this.lacks.values();
    return first?.message;
  }

  /** @param {string} name @param {string} message @param {Given | null} before */
  lack(name, message, before) {
    this.lacks.set(name, { message, before });
    this.threw = true;
  }

  /** @param {string} name @param {Overlay} overlay */
  forget(name, overlay) {
    if (this.lacks.get(name)?.before === null) delete overlay[name];
    for (const list of [this.lacks, this.given]) {
      for (const key of [...list.keys()]) if (isOf(key, name)) list.delete(key);
    }
  }
}

/** Whether a key is a name or a field of it. @param {string} key @param {string} name */
function isOf(key, name) {
  return key === name || key.startsWith(`${name}.`);
}

/** @template T @param {Map<string, T>} list @param {string} from @param {string} to */
function move(list, from, to) {
  for (const [key, value] of [...list]) {
    if (!isOf(key, from)) continue;
    list.delete(key);
    list.set(to + key.slice(from.length), value);
  }
}
