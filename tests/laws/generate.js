// Random programs and random edits of them. A program is a tree; a name is chosen when the tree is printed (print.js), from what
// is in scope there, so that every tree is a valid program whatever was done to it. Programs end, throw rarely, and what their
// exported functions answer depends on their arguments alone.
import { print } from "./print.js";

/** @typedef {any} Tree */

/** A small random number generator: the same numbers for the same seed, everywhere. @param {number} seed */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    /** @param {number} n */
    below: (n) => Math.floor(next() * n),
    /** @param {number} chance */
    chance: (chance) => next() < chance,
    /** @template T @param {readonly T[]} list @returns {T} */
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}

const OPERATORS = ["+", "-", "*", "^", "&", "|"];
const MEMBERS = ["method", "static", "get", "private", "generator", "computed", "set"];
const SHAPES = ["plain", "plain", "default", "object", "array", "rest", "closure", "maker", "shadow"];

export class Generator {
  /** @param {number} seed */
  constructor(seed) {
    this.random = random(seed);
    this.names = 0;
    /** The function that was edited last, or one around it. @type {Tree | null} */
    this.near = null;
    /** @type {Tree} */
    this.program = { type: "program", items: [], calls: [] };
    const n = 3 + this.random.below(4);
    for (let i = 0; i < n; i++) this.program.items.push(this.item());
    for (let i = 0; i < 3; i++) this.program.items.push(this.fn("function", 3, `t${i}`));
  }

  fresh(prefix = "v") {
    return `${prefix}${++this.names}`;
  }

  /** A top-level declaration. @returns {Tree} */
  item() {
    const kind = this.random.below(10);
    // What a module computes when it is loaded is state, which a patch keeps.
    if (kind === 0) {
      if (this.random.chance(0.4)) return { type: "const", name: this.fresh("c"), value: { type: "number", value: this.random.below(100) } };
      return { type: "table", name: this.fresh("d"), entries: Array.from({ length: 1 + this.random.below(3) }, () => this.entry()) };
    }
    if (kind <= 2) return this.klass();
    if (kind === 3) return { type: "bind", how: "arrow", fn: this.fn("arrow", 2) };
    if (kind === 4) return { type: "bind", how: "expression", fn: this.fn("expression", 2) };
    if (kind === 5) return this.fn("generator", 2);
    if (kind === 6) return this.fn("async", 2);
    if (kind === 7) return this.object(2);
    return this.fn("function", 3);
  }

  /** @param {string} kind @param {number} depth @param {string} [name] @returns {Tree} */
  fn(kind, depth, name = this.fresh("f")) {
    const params = Array.from({ length: this.random.below(4) }, () => this.param());
    const isShort = kind === "arrow" && this.random.chance(0.5);
    return { type: "fn", kind, name, params, short: isShort, body: isShort ? [] : this.block(depth - 1), result: this.expression(2) };
  }

  /** @returns {Tree} */
  param() {
    return { type: "param", shape: this.random.pick(SHAPES), name: this.fresh("p"), second: this.fresh("p"), value: this.expression(0), k: this.random.below(100) };
  }

  /** A constant in an object of constants: a number, what another constant is made of, or that constant itself. @returns {Tree} */
  entry() {
    const { random } = this;
    return { type: "entry", key: this.fresh("y"), how: random.pick(["number", "name", "sum", "list", "table", "copy"]), k: random.below(100), value: random.below(100) };
  }

  /** @returns {Tree} */
  klass() {
    const derives = this.random.chance(0.4);
    const methods = [this.method("method")];
    for (const how of ["method", "static", "get", "private", "generator"]) if (this.random.chance(0.4)) methods.push(this.method(how));
    return {
      type: "class", name: this.fresh("K"), derives, k: this.random.below(100), methods,
      hasConstructor: this.random.chance(0.7), ctor: this.fn("method", 2),
      fields: this.random.chance(0.5) ? [this.field()] : [], arrow: this.random.chance(0.4) ? this.fn("arrow", 1) : null,
      block: this.random.chance(0.3) ? this.staticBlock() : null,
    };
  }

  /** @returns {Tree} */
  staticBlock() {
    return { type: "static", name: this.fresh("v"), value: { type: "number", value: this.random.below(10) }, fn: this.fn("arrow", 1) };
  }

  /** Declares something of the top level under another name, or in another way. What the calls name stays. */
  editTop() {
    const { random } = this;
    const { items } = this.program;
    const own = items.filter((/** @type {Tree} */ it) => !/^t\d/.test(nameOf(it)));
    if (own.length === 0) return;
    const it = random.pick(own);
    const fn = it.type === "bind" ? it.fn : it;
    const others = ["function", "async", "arrow", "expression"].filter((kind) => kind !== (it.how ?? it.kind));
    if (fn.type !== "fn" || fn.kind === "generator" || random.chance(0.4)) {
      (it.type === "bind" ? it.fn : it).name = this.fresh(nameOf(it)[0]);
      return;
    }
    const kind = random.pick(others);
    fn.kind = kind;
    if (kind !== "arrow") fn.short = false;
    items[items.indexOf(it)] = kind === "arrow" || kind === "expression" ? { type: "bind", how: kind, fn } : fn;
  }

  /** @param {string} how @returns {Tree} */
  method(how) {
    return { type: "method", how, fn: this.fn("method", 2, this.fresh("m")) };
  }

  /** @returns {Tree} */
  field() {
    return { type: "field", isPrivate: this.random.chance(0.4), name: this.fresh("q"), value: this.random.chance(0.8) ? this.expression(1) : null };
  }

  /** Changes what a class is made of. @param {Tree} it */
  editClass(it) {
    const { random } = this;
    const list = random.chance(0.6) ? it.methods : it.fields;
    const at = random.below(list.length);
    switch (random.below(7)) {
      case 0: list.splice(random.below(list.length + 1), 0, list === it.methods ? this.method(random.pick(MEMBERS)) : this.field()); break;
      case 1: list.splice(at, 1); break;
      case 2:
        if (list.length === 0) break;
        if (list === it.methods) list[at].fn.name = this.fresh("m");
        else list[at].name = this.fresh("q");
        break;
      case 3:
        if (list.length === 0) break;
        if (list === it.methods) list[at].how = random.pick(MEMBERS);
        else list[at].isPrivate = !list[at].isPrivate;
        break;
      case 4: it.hasConstructor = !it.hasConstructor; break;
      case 5: it.block = it.block === null ? this.staticBlock() : null; break;
      default: it.arrow = it.arrow === null ? this.fn("arrow", 1) : null;
    }
  }

  /** @param {number} depth @returns {Tree} */
  object(depth) {
    const members = Array.from({ length: 1 + this.random.below(3) }, () => ({
      type: "member", how: this.random.pick(["method", "arrow", "get", "expression"]), fn: this.fn("method", depth - 1, this.fresh("m")),
    }));
    return { type: "object", name: this.fresh("o"), members };
  }

  /** @param {number} depth @returns {Tree[]} */
  block(depth) {
    return Array.from({ length: this.random.below(depth < 1 ? 2 : 4) }, () => this.statement(depth));
  }

  /** @param {number} depth @returns {Tree} */
  statement(depth) {
    const { random } = this;
    const simple = () => {
      switch (random.below(5)) {
        case 0: return { type: "let", name: this.fresh(), value: this.expression(1) };
        case 1: return { type: "const", name: this.fresh(), value: this.expression(1) };
        case 2: return { type: "set", k: random.below(100), op: random.pick(["=", "+=", "-=", "^="]), value: this.expression(1) };
        case 3: return { type: "shadow", k: random.below(100), name: this.fresh(), value: this.expression(1) };
        default: return { type: "destructure", names: [this.fresh(), this.fresh(), this.fresh()], values: [this.expression(0), this.expression(0), this.expression(0)] };
      }
    };
    if (depth < 1) return simple();
    switch (random.below(12)) {
      case 0: return { type: "if", test: this.expression(1), then: this.block(depth - 1), otherwise: random.chance(0.5) ? this.block(depth - 1) : null };
      case 1: return { type: "closures", loop: random.pick(["for", "of", "while"]), list: this.fresh("l"), name: this.fresh("i"), body: this.block(0), fn: this.fn("arrow", 1), total: this.fresh() };
      case 2: return { type: "bind", how: "arrow", fn: this.fn("arrow", depth - 1) };
      case 3: return { type: "bind", how: "expression", fn: this.fn("expression", depth - 1) };
      case 4: return this.fn("function", depth - 1);
      case 5: return this.fn("generator", depth - 1);
      case 6: return this.object(depth - 1);
      case 7: return { type: "try", test: this.expression(1), value: this.expression(1), name: this.fresh("e"), body: this.block(0) };
      case 8: return { type: "block", body: this.block(depth - 1) };
      case 9: return { type: "counter", name: this.fresh("o"), state: this.fresh(), start: this.expression(0), step: this.expression(1), inc: this.fresh("m"), read: this.fresh("m"), total: this.fresh() };
      case 10: return random.chance(0.5) ? this.klass() : simple();
      default: return simple();
    }
  }

  /** @param {number} depth @returns {Tree} */
  expression(depth) {
    const { random } = this;
    const k = random.below(1000);
    if (depth < 1) return random.chance(0.5) ? { type: "number", value: random.below(10) } : { type: "name", k };
    switch (random.below(9)) {
      case 0: return { type: "number", value: random.below(100) };
      case 1: return { type: "name", k };
      case 2: return { type: "choice", test: this.expression(depth - 1), then: this.expression(depth - 1), otherwise: this.expression(depth - 1) };
      case 3:
      case 4: return { type: "call", k, args: Array.from({ length: random.below(4) }, () => this.expression(depth - 1)) };
      case 5: return { type: "map", name: this.fresh("x"), items: [this.expression(0), this.expression(0)], value: this.expression(depth - 1) };
      case 6: return { type: "now", name: this.fresh("x"), arg: this.expression(0), value: this.expression(depth - 1), how: random.pick(["arrow", "function"]) };
      default: return { type: "binary", op: random.pick(OPERATORS), left: this.expression(depth - 1), right: this.expression(depth - 1) };
    }
  }

  /** Changes the tree somewhere; mostly in functions, seldom at the top level. */
  edit() {
    const { random } = this;
    if (random.chance(0.04)) {
      const { items } = this.program;
      const at = random.below(items.length);
      if (random.chance(0.5)) items.splice(at, 0, this.item());
      else {
        const [moved] = items.splice(at, 1);
        items.splice(random.below(items.length + 1), 0, moved);
      }
      return;
    }
    if (random.chance(0.1)) {
      this.editTop();
      return;
    }
    /** @type {Tree[]} */
    const classes = [];
    visit(this.program, (node) => void (node.type === "class" && classes.push(node)));
    if (classes.length > 0 && random.chance(0.25)) {
      for (let times = 1 + random.below(3); times > 0; times--) this.editClass(random.pick(classes));
      return;
    }
    /** With the functions around, outermost first. @type {{ apply: () => void, around: Tree[] }[]} */
    const edits = [];
    visit(this.program, (node, around) => {
      /** @param {(() => void)[]} these */
      const add = (...these) => edits.push(...these.map((apply) => ({ apply, around })));
      if (node.type === "number") add(() => (node.value = random.below(100)));
      if (node.type === "binary") add(() => (node.op = random.pick(OPERATORS)));
      if (node.type === "name" || node.type === "set") add(() => (node.k = random.below(1000)));
      if (node.type === "fn") {
        const many = () => {
          switch (random.below(9)) {
            case 0: node.params.push(this.param()); break;
            case 1: node.params.splice(random.below(node.params.length + 1), 1); break;
            case 2: if (node.params.length > 0) node.params[random.below(node.params.length)].shape = random.pick(SHAPES); break;
            case 3: if (node.kind === "arrow") node.short = !node.short; break;
            case 4: node.body.splice(random.below(node.body.length + 1), 1); break;
            case 5: node.result = this.expression(2); break;
            case 6: if ((node.kind === "function" || node.kind === "async") && !/^t\d/.test(node.name)) node.kind = node.kind === "async" ? "function" : "async"; break;
            default: node.body.splice(random.below(node.body.length + 1), 0, this.statement(2)); node.short = false;
          }
        };
        add(many, many, many);
      }
      if (node.type === "let" || node.type === "const") add(() => (node.name = this.fresh()));
      if (node.type === "entry") add(() => Object.assign(node, { ...this.entry(), key: random.chance(0.5) ? node.key : this.fresh("y") }));
      if (node.type === "table") {
        const { entries } = node;
        add(() => entries.splice(random.below(entries.length + 1), 0, this.entry()), () => entries.splice(random.below(entries.length), 1));
      }
      if (node.type === "counter") add(() => (node.step = this.expression(1)), () => (node.start = this.expression(0)));
      if (node.type === "map" || node.type === "now") add(() => (node.value = this.expression(1)));
      if (node.type === "closures") add(() => (node.loop = random.pick(["for", "of", "while"])), () => (node.body = this.block(0)));
    });
    const times = random.chance(0.2) ? 2 + random.below(3) : 1;
    for (let i = 0; i < times; i++) {
      // People stay with a function for a while, and with those in it.
      const nearby = random.chance(0.5) ? edits.filter((it) => it.around.includes(this.near)) : [];
      const { apply, around } = random.pick(nearby.length > 0 ? nearby : edits);
      apply();
      if (around.length > 0) this.near = random.pick(around);
    }
  }

  copy() {
    return structuredClone(this.program);
  }

  text() {
    return print(this.program);
  }
}

/** @param {Tree} item @returns {string} */
function nameOf(item) {
  return item.type === "bind" ? item.fn.name : item.name;
}

/**
 * @param {Tree} node
 * @param {(node: Tree, around: Tree[]) => void} see also gets the functions that the node is in or is, outermost first
 * @param {Tree[]} [around]
 */
function visit(node, see, around = []) {
  if (Array.isArray(node)) {
    for (const it of node) visit(it, see, around);
  } else if (node !== null && typeof node === "object") {
    const inner = node.type === "fn" ? [...around, node] : around;
    if (node.type) see(node, inner);
    for (const it of Object.values(node)) if (typeof it === "object") visit(it, see, inner);
  }
}
