// @ts-check
// Function sites: the guard array that instrumented code looks at, and the dispatcher that runs the newest patch of a site.
//
//     if ($cap_on0._7) return $cap_g.c(7, $cap_s1, new.target).apply(this, arguments);
//
// `$cap_g[7]` is 0 or the revision of the newest patch of site 7, and so is the switch `$cap_on0._7`, which engines take for a
// constant until it changes. Code that is a patch asks the array: `$cap_g[7]>REV`. `$cap_s1` is the hook of the scope that made this very
// function. The hook of a module or a class is `c => eval(c)`: evaluating a patch through it gives a function that sees what the old
// one saw. That of a function reads and writes its variables one by one, hook("n") and hook("n=", 1), and hook(0) is the hook of the
// function around it: so a patch is evaluated at the first `eval` on the way out, and gets the variables in between as *cells*,
// objects with one accessor for each. What comes out is kept on the hook, so it lives as long as the scope, and a closure keeps one
// identity of new code per scope. Only what was called last is kept by the guard array, too.
//
// This file knows nothing of modules, sockets or the DOM.

import { Base, Classes, Derived, frame, grown, late, prepare, returned, takeOver } from "./classes.js";

const { construct } = Reflect;

const ARROW = 1;
const FUNCTION = 2;
const NAMED = 3;
const CLASS = 4;

const SALTS = 64;

/** What a patch gives. @type {Record<import("./wire.js").How, number>} */
const MODES = { fn: FUNCTION, arrow: ARROW, named: NAMED, class: CLASS };

/**
 * What a scope makes a function of. `makers` has what the code gives at each `eval` that it was evaluated at, `classes` makes the cells.
 * @typedef {{ code: string, mode: number, cells: string[][] | null, classes: (new (hook: Hook) => object)[] | null, makers: WeakMap<Hook, Function> | null }} Code
 */
/**
 * A committed patch of one site. `before` is the newest one that was replaced and is known to have run: where new code cannot be
 * made in some scope, that scope goes on with it. Scopes whose hook is older than `scope` run `base`.
 * @typedef {{ id: number, rev: number, code: Code, name: string, scope: number, base: Code | null, ran: boolean, told: boolean, before: Patch | null, construct?: import("./wire.js").Construct, privates?: import("./wire.js").Private[] }} Patch
 */

/** Code that is evaluated. `id` is the site of a patch. @typedef {{ code: string, rev: number, id?: number, isPatch: boolean }} Source */
/** `r` is the revision of the code that made the scope; absent: as loaded. `last` is what was called last of what it made. @typedef {((code: string | 0, value?: unknown) => any) & { r?: number, last?: Made }} Hook */
/** What a scope made of the patch `rev` of the site `id`. @typedef {{ id: number, rev: number, mode: number, fn: Function, per: WeakMap<object, Function> | null, hook: Hook }} Made */
/** `rev` is what the instrumented code stands for, `o` the overlay: bindings of the top level that were added while the module ran; `w` holds values between the steps of one change, `last` is what was called last of all that is patched. @typedef {number[] & { c: Dispatch, rev: number, o: Record<string, unknown>, w?: unknown[], last?: Made, classes?: ClassArgs[], h: Dated, switches: Switches[], on: typeof on, begun: number[], begin: typeof begin, end: typeof end, p: typeof home, z: typeof anything } & ClassCalls} Guards */
/** What guards in loaded code ask: `_7` for site 7, as the guard array says. @typedef {Record<string, number>} Switches */
/** @typedef {import("./classes.js").ClassHook} ClassHook */
/** @typedef {[id: number, hook: ClassHook, made: any, fields: string, rev?: number]} ClassArgs */
/** What classes call, see classes.js. @typedef {{ k: (this: Guards, ...args: ClassArgs) => void, n: typeof takeOver, t: typeof frame, b: typeof Base, d: typeof Derived, r: typeof returned, i: typeof grown, q: typeof late }} ClassCalls */
/** What guards in patches call that make their hook themselves: it is of the patch's revision. @typedef {(hook: Hook, rev: number) => Hook} Dated */
/** Gives the function that runs instead. @typedef {(this: Guards, id: number, hook: Hook, newTarget?: Function, callee?: object) => Function} Dispatch */

/** All that is known of the sites of one module id: patches for every instance of it, and the guard arrays that are still reachable. */
export class Sites {
  /**
   * @param {(patch: { id: number, rev: number, name: string }, error: unknown) => void} refused told of patches that cannot be made in their scope
   * @param {string} [url] what stack traces call the module
   */
  constructor(refused, url = "") {
    this.url = url;
    /** By site id; null where a site was never patched. @type {(Patch | null)[]} */
    this.patches = [];
    /** Guard arrays of the current instance and of older ones whose functions are still held somewhere. @type {WeakRef<Guards>[]} */
    this.arrays = [];
    /** Code that was added to the top level, for the text of its functions. @type {Source[]} */
    this.added = [];
    this.classes = new Classes();
    this.refused = refused;
    /** @type {Dispatch} */
    this.call = dispatcher(this);
    /** @type {ClassCalls} */
    this.classCalls = { k: classMade(this), n: takeOver, t: frame, b: Base, d: Derived, r: returned, i: grown, q: late };
  }

  /**
   * The guard array for a new instance whose code stands for `rev`: patches newer than that are switched on already.
   * @param {number} length @param {number} rev @returns {Guards}
   */
  guards(length, rev) {
    // Pushed one by one: the elements stay small integers without holes, the cheapest array there is to read.
    const guards = /** @type {any} */ ([]);
    for (let id = 0; id < length; id++) guards.push(0);
    guards.o = Object.create(null);
    guards.switches = [];
    for (const patch of this.patches) if (patch && guardOf(patch) > rev) set(guards, patch.id, guardOf(patch));
    this.adopt(guards, rev);
    return guards;
  }

  /** Takes a guard array (a classic script's was made elsewhere) under this dispatcher. @param {Guards} guards @param {number} rev */
  adopt(guards, rev) {
    guards.c = this.call;
    guards.h = dated;
    guards.on = on;
    guards.begun ??= [];
    guards.begin = begin;
    guards.end = end;
    guards.p = home;
    guards.z = anything;
    guards.last = undefined;
    // One by one: an engine makes a slow table of an object that `Object.assign` gives more than a few properties.
    const { k, n, t, b, d, r, i, q } = this.classCalls;
    guards.k = k;
    guards.n = n;
    guards.t = t;
    guards.b = b;
    guards.d = d;
    guards.r = r;
    guards.i = i;
    guards.q = q;
    guards.rev = rev;
    for (const made of guards.classes?.splice(0) ?? []) guards.k(...made);
    this.arrays = this.arrays.filter((ref) => ref.deref() !== undefined);
    this.arrays.push(new WeakRef(guards));
  }

  /**
   * Makes what classes take over, without changing any.
   * @param {import("./wire.js").SitePatch[]} patches @returns {(() => void)[]} what remains to be done with `commit`
   */
  prepareClasses(patches) {
    const ready = [];
    for (const patch of patches) {
      if (patch.how !== "class") continue;
      const placed = this.placed(patch);
      for (const hook of this.classes.live(patch.id)) if (concerns(placed, hook)) ready.push(this.prepareClass(placed, hook));
    }
    return ready;
  }

  /** @param {Patch} patch @param {ClassHook} hook */
  prepareClass(patch, hook) {
    return prepare(patch, hook, this.classes, (code, line) => this.place(code, line));
  }

  /**
   * Switches patches on, in every live instance. Cannot fail; what can was done by `check` and `prepareClasses`.
   * @param {import("./wire.js").SitePatch[]} patches @param {number} nsites @param {(() => void)[]} [classes]
   */
  commit(patches, nsites, classes = []) {
    const arrays = this.live();
    for (const guards of arrays) while (guards.length < nsites) guards.push(0);
    for (const it of patches) {
      const patch = this.placed(it);
      const { id } = patch;
      while (this.patches.length <= id) this.patches.push(null);
      const old = this.patches[id];
      const before = old === null || old.ran ? old : old.before;
      if (before) before.before = null;
      patch.before = before;
      this.patches[id] = patch;
      for (const guards of arrays) set(guards, id, guardOf(patch));
    }
    for (const finish of classes) finish();
  }

  /** @param {import("./wire.js").SitePatch} patch @returns {Patch} */
  placed({ id, rev, name, line = 0, scope = 0, base, construct, privates, ...newest }) {
    /** @type {Patch} */
    const patch = { id, rev, code: this.code(newest, line, rev + id), name, scope, base: base ? this.code(base, line, rev + id + 1) : null, ran: false, told: false, before: null };
    if (privates) patch.privates = privates;
    if (construct) patch.construct = { ...construct, code: this.place(asExpression(construct.code), line, rev + id) };
    return patch;
  }

  /** @param {Pick<import("./wire.js").SitePatch, "code" | "cells" | "how">} patch @param {number} line @param {number} salt @returns {Code} */
  code({ code, cells = null, how }, line, salt) {
    return { code: this.place(asExpression(code), line, salt), mode: MODES[how], cells, classes: null, makers: null };
  }

  /** Code on the line of the module that it is from. @param {string} code @param {number} line @param {number} [salt] */
  place(code, line, salt = 0) {
    // Debuggers move a breakpoint on to the next place where code can stop: those of lines further up stay in a function that never runs.
    // The spaces make the offset of a position tell, with its line and column, which of the patches on a line it is in.
    const above = line > 0 ? `()=>{${" ".repeat(salt % SALTS)}${"\n".repeat(line - 1)}a};\n` : "";
    return `${above}${code}${this.url && `\n//# sourceURL=${this.url}`}`;
  }

  /** All code of patches that may be running, newest first. @returns {Source[]} */
  sources() {
    const patches = this.patches.flatMap((it) => [it, it?.before ?? null]).filter((it) => it !== null);
    const codes = patches.flatMap(({ id, rev, code, base, construct }) => [code, base, construct].map((it) => ({ code: it?.code ?? "", rev, id, isPatch: true })));
    return [...codes, ...this.added];
  }

  /** How many calls of a site have begun and not ended: what waits in an async function or a generator. @param {number} id */
  underWay(id) {
    return this.live().reduce((sum, { begun }) => sum + (begun[id] ?? 0), 0);
  }

  /** @returns {Guards[]} */
  live() {
    const live = [];
    for (const ref of this.arrays) {
      const guards = ref.deref();
      if (guards) live.push(guards);
    }
    return live;
  }
}

/** What a guard has to say of a patch: constructors hand over only if they or the fields changed. @param {Patch} patch */
function guardOf({ rev, code, construct }) {
  return code.mode === CLASS ? construct?.rev ?? 0 : rev;
}

/** Whether a class has an older text than the patch, in a scope that can run the patch. @param {Patch} patch @param {ClassHook} hook */
function concerns(patch, hook) {
  return patch.rev > hook.at && patch.scope <= hook.at;
}

/** Called by every class, before its static fields are made. @param {Sites} sites @returns {ClassCalls["k"]} */
function classMade(sites) {
  return /** @this {Guards} */ function made(id, hook, it, fields, rev) {
    if (rev !== undefined) hook.r = rev;
    hook.at = rev ?? this.rev;
    sites.classes.add(id, hook, it, fields);
    const patch = sites.patches[id];
    if (!patch || !concerns(patch, hook)) return;
    try {
      sites.prepareClass(patch, hook)();
    } catch (error) {
      sites.refused(patch, error);
    }
  };
}

/** @param {Guards} guards @param {number} id @param {number} rev */
function set(guards, id, rev) {
  while (guards.length <= id) guards.push(0);
  guards[id] = rev;
  const name = `_${id}`;
  const group = guards.switches.find((it) => name in it);
  if (group !== undefined) group[name] = rev;
}

/**
 * Takes switches of loaded code under its guard array.
 * @this {Guards} @param {Switches} group
 */
function on(group) {
  this.switches.push(group);
  for (let id = 0; id < this.length; id++) if (this[id] !== 0 && `_${id}` in group) group[`_${id}`] = this[id];
  return group;
}

/** @this {Guards} @param {number} id */
function begin(id) {
  this.begun[id] = (this.begun[id] ?? 0) + 1;
}

/** @this {Guards} @param {number} id */
function end(id) {
  this.begun[id] -= 1;
}

/**
 * What `super` means in a method of an object, for new code of it: that is made in another object, of which this is the prototype.
 * @param {(name: string | symbol) => unknown} get @param {(name: string | symbol, value: unknown) => void} put
 */
function home(get, put) {
  return new Proxy(Object.create(null), {
    get: (_, name) => get(name),
    set(_, name, value) {
      put(name, value);
      return true;
    },
  });
}

/**
 * What the parameters of old code are taken from when there is new code: whatever they look for is found, so that nothing throws and no
 * default is evaluated. Old code never runs with it.
 * @type {Function}
 */
const anything = new Proxy(function () {}, {
  get(_, name) {
    return name === Symbol.iterator ? endless : anything;
  },
});

/** More than any list of parameters takes, and still an end for what takes the rest. */
function* endless() {
  for (let n = 0; n < 1000; n++) yield anything;
}

/** @type {Dated} */
function dated(hook, rev) {
  hook.r = rev;
  return hook;
}

/**
 * The guard calls what comes out itself: so the engine sees the arguments go straight through, and neither makes an object of them nor
 * loses what it knows of them.
 * @param {Sites} sites @returns {Dispatch}
 */
function dispatcher(sites) {
  return /** @this {Guards} */ function call(id, hook, newTarget, callee) {
    // In hot loops this is all there is: looking it up among all that the hook made takes as long as a small function. Guard arrays are
    // all alike to the engine, hooks are not: what was called last in the module is found sooner than what its scope called last.
    const { last } = this;
    if (last !== undefined && last.hook === hook && last.id === id && last.rev === this[id] && newTarget === undefined) return last.fn;
    const made = hook.last;
    const isIt = made !== undefined && made.id === id && made.rev === this[id] && newTarget === undefined;
    return isIt ? called(this, made) : find(sites, this, id, hook, newTarget, callee);
  };
}

/** @param {Guards} guards @param {Made} made */
function called(guards, made) {
  guards.last = made;
  return made.fn;
}

/** @param {Sites} sites @param {Guards} guards @param {number} id @param {Hook} hook @param {Function} [newTarget] @param {object} [callee] @returns {Function} */
function find(sites, guards, id, hook, newTarget, callee) {
  /** @type {Made} */
  let made = /** @type {any} */ (hook)[id];
  const patch = /** @type {Patch} */ (sites.patches[id]);
  if (made === undefined || made.rev !== patch.rev) made = make(sites, patch, hook, made, guards.rev);
  // One that has another function for each callee is looked up each time.
  if (made.mode !== NAMED) hook.last = made;
  const fn = made.mode === NAMED ? named(made, callee) : made.fn;
  if (newTarget === undefined || (made.mode !== FUNCTION && made.mode !== NAMED)) return fn;
  // The receiver that the old function was constructed with is dropped for one that the new code is constructed with, so
  // that `new.target` reads the same in both.
  return function () {
    return construct(fn, arguments, newTarget);
  };
}

/** @param {Made} made @param {object | undefined} callee @returns {Function} */
function named(made, callee) {
  if (callee === undefined) return made.fn(undefined);
  const per = made.per ??= new WeakMap();
  let fn = per.get(callee);
  if (fn === undefined) per.set(callee, fn = /** @type {Function} */ (made.fn(callee)));
  return fn;
}

/**
 * Makes a patch in one scope, at the first call there. Where that fails the scope keeps what it ran before; where it ran nothing
 * else, the older patch is tried. At last, if no scope could run it, the site goes back to its loaded code from the next call on.
 * @param {Sites} sites @param {Patch} patch @param {Hook} hook @param {Made | undefined} old @param {number} loaded the revision of the
 *   code that was loaded @returns {Made}
 */
function make(sites, patch, hook, old, loaded) {
  if (patch.scope > (hook.r ?? loaded) && patch.base !== null) return instantiate(patch, patch.base, hook);
  try {
    const made = instantiate(patch, patch.code, hook);
    patch.ran = true;
    return made;
  } catch (error) {
    const { id } = patch;
    // One scope that cannot take it tells the user; a thousand closures of the same site would only repeat it.
    if (!patch.told) {
      patch.told = true;
      sites.refused(patch, error);
    }
    if (old !== undefined) {
      old.rev = patch.rev;
      return old;
    }
    if (patch.before) {
      try {
        return instantiate(patch, patch.before.code, hook);
      } catch {
        // The older code does not fit here either; the first error is the one that tells the user something.
      }
    }
    // Where others run it, only this one goes without.
    if (!patch.ran) for (const guards of sites.live()) if (guards[id] === patch.rev) set(guards, id, 0);
    throw error;
  }
}

/** @param {Patch} patch @param {Code} code @param {Hook} hook @returns {Made} */
function instantiate(patch, code, hook) {
  const fn = code.cells === null ? hook(code.code) : through(code, code.cells, hook);
  if (typeof fn !== "function") throw new TypeError(`The patch of ${patch.name || "a function"} is not a function`);
  const made = { id: patch.id, rev: patch.rev, mode: code.mode, fn, per: null, hook };
  /** @type {any} */ (hook)[patch.id] = made;
  return made;
}

/** Makes a function that reaches the variables of the functions around it through their hooks. @param {Code} code @param {string[][]} lists @param {Hook} hook */
function through(code, lists, hook) {
  const classes = code.classes ??= lists.map(cellsOf);
  const cells = [];
  let outer = hook;
  for (const Cells of classes) {
    cells.push(new Cells(outer));
    outer = outer(0);
  }
  const makers = code.makers ??= new WeakMap();
  let maker = makers.get(outer);
  if (maker === undefined) makers.set(outer, maker = /** @type {Function} */ (outer(code.code)));
  return maker(hook, ...cells);
}

/**
 * A class whose instances are the variables of one call of a function. Written as source, so that each accessor is code of its own, which
 * the engine compiles down to the variable itself.
 * @param {string[]} names @returns {new (hook: Hook) => object}
 */
function cellsOf(names) {
  const accessors = names.map((name) => `get _${name}(){return this.#h("${name}")}set _${name}(v){this.#h("${name}=",v)}`);
  return new Function(`return class{#h;constructor(h){this.#h=h}${accessors.join("")}}`)();
}

/** `eval` takes a leading `function` for a declaration, whose value is undefined. @param {string} code */
function asExpression(code) {
  return /^\s*(?:async\s+function|function|class|\{)/.test(code) ? `(${code}\n)` : code;
}

/** What only makes sense inside a class or a function, and so cannot be checked from outside. */
const NEEDS_A_SCOPE = /\bsuper\b|#|\bnew\s*\.\s*target\b|\byield\b|\bawait\b/;

/**
 * Whether the page's own parser takes the code, as far as that can be told without the scope. Nothing runs.
 * @param {import("./wire.js").SitePatch} patch @returns {Error | null}
 */
export function check({ code, how }) {
  if (!Object.hasOwn(MODES, how)) return new SyntaxError(`This page does not know how to patch a "${how}"`);
  if (NEEDS_A_SCOPE.test(code)) return null;
  try {
    new Function(`"use strict";return (${code}\n)`);
    return null;
  } catch (strict) {
    try {
      new Function(`return (${code}\n)`);
      return null;
    } catch {
      return strict instanceof SyntaxError ? strict : null;
    }
  }
}

/**
 * The first of these names that does not exist on the page, neither on the global object nor as a global `let`, `const` or `class`.
 * @param {string[]} names @param {(code: string) => any} evaluate @returns {string | null}
 */
export function missing(names, evaluate) {
  for (const name of names) {
    if (name in globalThis) continue;
    if (!/^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name)) return name;
    try {
      if (evaluate(`typeof ${name}`) === "undefined") return name;
    } catch (error) {
      // A binding that is not initialised yet does exist. A word that is no name at all does not.
      if (!(error instanceof ReferenceError)) return name;
    }
  }
  return null;
}
