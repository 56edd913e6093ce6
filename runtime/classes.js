// @ts-check
// Classes that instrumented code made, and how each takes over a newer text of itself. Methods, accessors and statics are put on the
// objects that are there, so that instances and subclasses see them. Objects that are made from now on are made by the newer
// constructor, with the newer fields:
//
//     class Shape {
//       static{$cap_g.k(12, $cap_k12=$cap_c=>eval($cap_c), this, "x\ny")}
//       constructor() { if ($cap_on0._12&&$cap_k12.c) return $cap_g.n($cap_k12, arguments, this, new.target); … }
//
// `$cap_k12.c` is a class made of the newer constructor and fields. It extends `$cap_g.b`, or `$cap_g.d` where the old class extends
// another: constructors that give the object which the old constructor was called for, so that fields are defined on it and the
// body runs with it.

import { isAsync, siteOf } from "./guards.js";

const { apply, construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, ownKeys, setPrototypeOf } = Reflect;
const { isPrototypeOf } = Object.prototype;

/** @typedef {import("./sites.js").Patch} Patch */
/** @typedef {Function & { prototype: object }} Class */
/**
 * The hook of a class's scope, with what is known of that class. `at` is the revision of its text, `natives` the fields that the text
 * makes, `c` the class that takes over, since revision `since`, and `stale` the fields that the text makes but the newer one makes
 * elsewhere or not at all. `gone` has members that were taken away, by site: they are what they were when they come back.
 * `known` has the private names that came later, with their revisions, and `layers` the classes that give them to objects.
 * @typedef {import("./sites.js").Hook & { at: number, made: Class, natives: string[], c?: Class, since?: number, stale?: string[], gone?: Map<number, Function>, known?: Map<string, number>, layers?: Layer[] }} ClassHook
 */
/** @typedef {{ give: Class, has: (object: object) => boolean }} Layer */
/** @typedef {"value" | "get" | "set"} Access */
/** What the code of a patch gives: a class with members that may be missing, and all members. @typedef {{ c: Class, k: [id: number, isStatic: 0 | 1, access: Access, key: PropertyKey][], x: number[], h: (hook: ClassHook) => void }} Parts */
/** A property as it has to be; `null`: it goes. @typedef {[target: object, key: PropertyKey, descriptor: PropertyDescriptor | null]} Change */
/** The call of a constructor that was taken over: its object, or the way to the constructor above. @typedef {{ hook: ClassHook, self: any }} Frame */

export class Classes {
  constructor() {
    /** By site id; the classes of one text that are still reachable. @type {Map<number, { refs: WeakRef<Class>[], limit: number }>} */
    this.made = new Map();
    /** @type {WeakMap<Class, ClassHook>} */
    this.hooks = new WeakMap();
  }

  /** @param {number} id @param {ClassHook} hook @param {Class} made @param {string} fields */
  add(id, hook, made, fields) {
    hook.made = made;
    hook.natives = fields === "" ? [] : fields.split("\n");
    this.hooks.set(made, hook);
    let list = this.made.get(id);
    if (list === undefined) this.made.set(id, list = { refs: [], limit: 64 });
    list.refs.push(new WeakRef(made));
    if (list.refs.length > list.limit) {
      list.refs = list.refs.filter((ref) => ref.deref() !== undefined);
      list.limit = Math.max(64, list.refs.length * 2);
    }
  }

  /** The hooks of the classes that were made of one text. @param {number} id */
  live(id) {
    const hooks = [];
    for (const ref of this.made.get(id)?.refs ?? []) {
      const made = ref.deref();
      const hook = made && this.hooks.get(made);
      if (hook) hooks.push(hook);
    }
    return hooks;
  }
}

/**
 * Makes what a class takes over, and gives the function that puts it in place, which cannot fail. No code of the program runs.
 * @param {Patch} patch @param {ClassHook} old @param {Classes} classes @param {(code: string, line: number) => string} place @returns {() => void}
 */
export function prepare(patch, old, classes, place) {
  const { made } = old;
  const missing = (patch.privates ?? []).filter((it) => !knows(old, it));
  const hook = missing.length === 0 ? old : grow(old, missing, place);
  const parts = /** @type {Parts} */ (hook(patch.code.code));
  const above = getPrototypeOf(made.prototype);
  // `super` of a method looks where the method was written.
  setPrototypeOf(parts.c.prototype, above);
  setPrototypeOf(parts.c, getPrototypeOf(made));
  const newer = patch.construct;
  // Objects that were made before a field took the place of a method have only the method.
  const fields = new Set(newer?.fields);
  const changes = [...compare(patch.id, hook, parts, 0, fields), ...compare(patch.id, hook, parts, 1)];
  /** @type {Class | undefined} */
  let c;
  if (newer && newer.rev > hook.at && newer.rev !== hook.since) {
    c = /** @type {Class} */ (hook(newer.code));
    setPrototypeOf(c.prototype, above);
  }
  return () => {
    if (hook !== old) {
      parts.h(hook);
      classes.hooks.set(made, hook);
    }
    for (const [target, key, descriptor] of changes) {
      if (descriptor === null) deleteProperty(target, key);
      else defineProperty(target, key, descriptor);
    }
    if (c === undefined || !newer) return;
    hook.c = c;
    hook.since = newer.rev;
    const fields = newer.fields ?? [];
    const differs = hook.natives.findIndex((it, index) => it !== fields[index]);
    hook.stale = differs === -1 ? [] : hook.natives.slice(differs);
  };
}

/** @param {ClassHook} hook @param {import("./wire.js").Private} name */
function knows({ at, known }, { name, since, gaps = [] }) {
  if (known?.has(name)) return /** @type {number} */ (known.get(name)) >= since;
  return at >= since && !gaps.some(([from, to]) => from <= at && at < to);
}

/**
 * A hook that knows private names which the class was made without: that of a class written inside it, which gives them to objects.
 * @param {ClassHook} old @param {import("./wire.js").Private[]} missing @param {(code: string, line: number) => string} place @returns {ClassHook}
 */
function grow(old, missing, place) {
  let hook = old;
  for (const isStatic of [false, true]) {
    const list = missing.filter((it) => (it.static ?? false) === isStatic).sort((a, b) => a.line - b.line || a.column - b.column);
    const [first] = list;
    if (first === undefined) continue;
    // What a computed key evaluates knows the private names of the class, and is outside of it in all other ways.
    let code = `(($cap_b,$cap_t)=>class extends $cap_b{static[($cap_t.hook=$cap_c=>eval($cap_c),$cap_t.has=$cap_c=>#${first.name} in $cap_c,"cap")](){}`;
    let line = 0;
    for (const it of list) {
      if (it.line > line) code += `${"\n".repeat(it.line - line)}${" ".repeat(it.column)}`;
      line = Math.max(line, it.line) + it.code.split("\n").length - 1;
      code += `${it.code};`;
    }
    /** @type {{ hook: ClassHook, has: Layer["has"] }} */
    const made = /** @type {any} */ ({});
    const give = hook(place(`${code}})`, 0))(Given, made);
    setPrototypeOf(give.prototype, getPrototypeOf(old.made.prototype));
    const known = new Map(hook.known);
    for (const { name, since } of list) known.set(name, since);
    if (isStatic) construct(give, [old.made]);
    const layers = isStatic ? hook.layers ?? [] : [...hook.layers ?? [], { give, has: made.has }];
    const { at, made: own, natives, c, since, stale, gone, r } = old;
    hook = Object.assign(made.hook, { at, made: own, natives, known, layers });
    for (const [key, value] of Object.entries({ c, since, stale, gone, r })) if (value !== undefined) /** @type {any} */ (hook)[key] = value;
  }
  return hook;
}

/** An object that exists is being given private names: their fields get initial values. */
let isLate = false;

/** Asked by the initializers of private fields that come later: new objects get their values from the constructor. */
export function late() {
  return isLate;
}

/** @param {Layer} layer @param {object} object @param {boolean} exists */
function give(layer, object, exists) {
  const before = isLate;
  isLate = exists;
  try {
    construct(layer.give, [object]);
  } finally {
    isLate = before;
  }
}

/**
 * An object whose private name is asked for: it may have been made before its class had that name.
 * @template T @param {ClassHook} hook @param {T} object @returns {T}
 */
export function grown(hook, object) {
  return hook.layers === undefined ? object : /** @type {any} */ (catchUp(hook, hook.layers, object));
}

/** @param {ClassHook} hook @param {Layer[]} layers @param {any} object */
function catchUp(hook, layers, object) {
  const isObject = (typeof object === "object" && object !== null) || typeof object === "function";
  if (isObject && apply(isPrototypeOf, hook.made.prototype, [object])) {
    for (const layer of layers) if (!layer.has(object)) give(layer, object, true);
  }
  return object;
}

/**
 * What has to change on the prototype, or on the class itself. Members that are among the `fields` are left where they are.
 * @param {number} id @param {ClassHook} hook @param {Parts} parts @param {0 | 1} isStatic @param {Set<PropertyKey>} [fields] @returns {Change[]}
 */
function compare(id, hook, parts, isStatic, fields) {
  const target = isStatic ? hook.made : hook.made.prototype;
  const source = isStatic ? parts.c : parts.c.prototype;
  /** @type {Map<PropertyKey, Partial<Record<Access, number>>>} */
  const wanted = new Map();
  for (const [site, where, access, name] of parts.k) {
    if (where !== isStatic) continue;
    const key = typeof name === "symbol" ? name : String(name);
    wanted.set(key, { ...wanted.get(key), [access]: site });
  }
  const stays = new Set(parts.x);
  /** @type {Change[]} */
  const changes = [];
  for (const key of ownKeys(target)) {
    const now = getOwnPropertyDescriptor(target, key);
    // What a program puts on a class itself, with an assignment, can be enumerated.
    if (key === "constructor" || now === undefined || now.enumerable || wanted.has(key) || fields?.has(key)) continue;
    const sites = sitesOf(now, id);
    if (sites.length === 0 || sites.some((it) => stays.has(it))) continue;
    changes.push([target, key, null]);
  }
  for (const [key, sites] of wanted) {
    const now = getOwnPropertyDescriptor(target, key);
    // A program that wrapped a method keeps its wrapper.
    if (now !== undefined && sitesOf(now, id).length === 0) continue;
    const late = getOwnPropertyDescriptor(source, key);
    const next = member(id, hook, sites, now, late);
    if (next !== null) changes.push([target, key, next]);
  }
  for (const [, key, descriptor] of changes) {
    const now = getOwnPropertyDescriptor(target, key);
    if (now ? !now.configurable : !isExtensible(target)) throw new TypeError(`${String(key)} cannot be changed: the program froze the class`);
    if (now) keep(id, hook, now, descriptor);
  }
  return changes;
}

/**
 * The property for a member, made of the functions that are there and those that are new; null: it is as it should be.
 * @param {number} id @param {ClassHook} hook @param {Partial<Record<Access, number>>} sites @param {PropertyDescriptor | undefined} now
 * @param {PropertyDescriptor | undefined} late @returns {PropertyDescriptor | null}
 */
function member(id, hook, sites, now, late) {
  /** @type {PropertyDescriptor} */
  const next = { configurable: true, enumerable: false };
  let isNew = now === undefined;
  for (const access of /** @type {Access[]} */ (["value", "get", "set"])) {
    const site = sites[access];
    if (site === undefined) {
      isNew ||= now?.[access] !== undefined;
      continue;
    }
    const there = now?.[access];
    const newer = late?.[access];
    if (typeof there === "function" && memberOf(there, id) === site && !(isAsync(there) && newer && !isAsync(newer))) {
      next[access] = there;
      continue;
    }
    const gone = hook.gone?.get(site);
    const fn = gone && !isAsync(gone) ? gone : newer ?? gone;
    if (typeof fn !== "function") return null;
    isNew = true;
    next[access] = fn;
  }
  if (!isNew) return null;
  // A half that is left out would stay.
  return "value" in next ? { ...next, writable: true } : { get: undefined, set: undefined, ...next };
}

/** @param {number} id @param {ClassHook} hook @param {PropertyDescriptor} now @param {PropertyDescriptor | null} next */
function keep(id, hook, now, next) {
  for (const fn of [now.value, now.get, now.set]) {
    const site = typeof fn === "function" ? memberOf(fn, id) : null;
    if (site !== null && fn !== next?.value && fn !== next?.get && fn !== next?.set) (hook.gone ??= new Map()).set(site, fn);
  }
}

/** The members of the class that a property was made of. @param {PropertyDescriptor} property @param {number} id */
function sitesOf({ value, get, set }, id) {
  return [value, get, set].map((it) => (typeof it === "function" ? memberOf(it, id) : null)).filter((it) => it !== null);
}

/** Which member of a class a function is; null for functions from elsewhere. @param {Function} fn @param {number} id */
function memberOf(fn, id) {
  const guard = siteOf(fn);
  return guard !== null && guard.of === id ? guard.site : null;
}

/** Calls of constructors that were taken over and that have not come to their body yet, innermost last. @type {Frame[]} */
const frames = [];

/**
 * A constructor hands over: `self` is its object, or the way to the constructor above.
 * @param {ClassHook} hook @param {ArrayLike<unknown>} args @param {any} self @param {Function} newTarget
 */
export function takeOver(hook, args, self, newTarget) {
  frames.push({ hook, self });
  try {
    return construct(/** @type {Class} */ (hook.c), args, newTarget);
  } finally {
    frames.pop();
  }
}

/** The call that the constructor which takes over is run for: asked where its body begins. */
export function frame() {
  return frames[frames.length - 1];
}

// Constructors that make no object of their own are written as derived ones: a base constructor would make one for every call, slowly,
// because it is called for another class.

/** Stands above the newer text of a class that extends nothing. */
export class Base extends Object {
  /** @param {Frame} frame */
  // @ts-expect-error: it does not call the one above.
  constructor({ hook, self }) {
    for (const key of /** @type {string[]} */ (hook.stale)) deleteProperty(self, key);
    if (hook.layers !== undefined) for (const layer of hook.layers) give(layer, self, false);
    return self;
  }
}

/** Stands above the newer text of a class that extends another. */
export class Derived extends Object {
  /** @param {Frame} frame @param {unknown[]} args */
  // @ts-expect-error: as above.
  constructor({ hook, self }, ...args) {
    const object = hook.stale?.length ? withoutStale(hook, hook.stale, self, args) : self(...args);
    if (hook.layers !== undefined) for (const layer of hook.layers) give(layer, object, false);
    return object;
  }
}

/** Stands above a class whose elements are given to an object that exists. */
class Given extends Object {
  /** @param {object} object */
  // @ts-expect-error: as above.
  constructor(object) {
    return object;
  }
}

/**
 * The old text defines its fields as soon as the constructor above is done: what that one made of them is looked at in between.
 * @param {ClassHook} hook @param {string[]} stale @param {(...args: unknown[]) => object} self @param {unknown[]} args
 */
function withoutStale({ made }, stale, self, args) {
  const above = /** @type {any} */ (getPrototypeOf(made));
  /** @type {(PropertyDescriptor | undefined)[]} */
  let before = [];
  setPrototypeOf(made, class extends Object {
    /** @param {unknown[]} given */
    // @ts-expect-error: as above.
    constructor(...given) {
      setPrototypeOf(made, above);
      const object = construct(above, given, new.target);
      before = stale.map((key) => getOwnPropertyDescriptor(object, key));
      return object;
    }
  });
  let object;
  try {
    object = self(...args);
  } finally {
    setPrototypeOf(made, above);
  }
  stale.forEach((key, index) => {
    const descriptor = before[index];
    if (descriptor === undefined) deleteProperty(object, key);
    else defineProperty(object, key, descriptor);
  });
  return object;
}

/** What a base constructor returns counts only if it is an object. @param {unknown} value */
export function returned(value) {
  return (typeof value === "object" && value !== null) || typeof value === "function" ? value : undefined;
}
