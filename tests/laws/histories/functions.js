// Which code each function of a running module is at, by the runtime's own books: what was loaded and what patched it since. All
// places where a function can come from (the loaded module, patches of the functions around it, its own patch) must give the code
// that a fresh load has.
//
// Code is compared without what the instrumentation put in, and each function without the functions inside it, which are compared
// for themselves.
import { sourceOf } from "../../../runtime/text.js";
import { parse } from "acorn";

/** @typedef {any} Node */
/** @typedef {{ rev: number, code: string }} Definition */
/** @typedef {Map<number, Definition[]>} Definitions the places that make a function, by site id */
/** @typedef {ReturnType<typeof import("../../../runtime/host.js").createHost>} Host */

/**
 * The functions of a module in one page that are not as in another, which loaded it afresh.
 *
 * @param {Host} running
 * @param {Host} fresh
 * @param {string} id
 */
export function outdated(running, fresh, id) {
  const wanted = loaded(fresh, id);
  const is = loaded(running, id);
  if (wanted === null || is === null) return [];
  const { sites, current } = running.registry.module(id);
  /** @type {Map<number, Definition>} */
  const own = new Map();
  for (const patch of sites.patches) {
    // Patches of what ran before the module ran again are in its code.
    if (patch === null || patch.rev <= (current?.program.rev ?? 0)) continue;
    // What brings the code to its line is no function of the program.
    const code = patch.code.code.replace(/^\(\)=>\{ *\n*a\};\n/, "");
    const [definition] = read(code, patch.rev, is, patch.id);
    if (definition !== undefined) own.set(patch.id, definition);
  }
  const found = [];
  for (const [site, [{ code }]] of wanted) {
    for (const definition of is.get(site) ?? []) {
      const patch = own.get(site);
      const newest = patch !== undefined && patch.rev > definition.rev ? patch : definition;
      if (isSame(newest.code, code)) continue;
      found.push(`function ${site} of ${id} is ${excerpt(newest.code, code)}, in a fresh load ${excerpt(code, newest.code)}`);
      break;
    }
  }
  return found;
}

/** Whether it is the same code, where an import that was removed stays for what still names it. @param {string} running @param {string} fresh */
function isSame(running, fresh) {
  const [here, there] = [running.split(" "), fresh.split(" ")];
  const isAlike = (/** @type {string} */ it, /** @type {number} */ at) => it.replace(IMPORTED, "") === there[at].replace(IMPORTED, "") || isGhost(it, there[at]);
  return here.length === there.length && here.every(isAlike);
}

/** What the name of an import is printed with. */
const IMPORTED = /^import:/;

/** @param {string} running @param {string} fresh */
function isGhost(running, fresh) {
  return IMPORTED.test(running) && !IMPORTED.test(fresh) && /^[\w$]+$/.test(fresh) && !(fresh in globalThis);
}

/** @param {string} code @param {string} other */
function excerpt(code, other) {
  let at = 0;
  while (at < code.length && code[at] === other[at]) at += 1;
  return JSON.stringify(code.slice(Math.max(0, at - 60), at + 160));
}

/** @param {Host} host @param {string} id @returns {Definitions | null} */
function loaded(host, id) {
  const program = host.registry.module(id).current?.program;
  if (program === undefined || program.factory === null) return null;
  /** @type {Definitions} */
  const definitions = new Map();
  read(sourceOf(program.factory), program.rev, definitions);
  return definitions;
}

/**
 * Notes all functions that a text makes; gives the outermost.
 *
 * @param {string} code
 * @param {number} rev
 * @param {Definitions} into
 * @param {number} [site] the function that the text is a patch of
 * @returns {Definition[]}
 */
function read(code, rev, into, site) {
  // Inside of a constructor all words may stand.
  const around = site === undefined ? ["(", "\n)"] : ["(class extends Object { constructor() { return (", "\n); } })"];
  const whole = parse(around.join(code), { ecmaVersion: "latest", allowSuperOutsideMethod: true, checkPrivateFields: false });
  const tree = site === undefined ? whole : functionsOf(whole)[0].body.body[0].argument;
  const printer = new Printer(rev, into);
  // A class's patch is what comes to the class; its members are functions of their own.
  if (site === undefined || /^(?:\s|\/\*.*?\*\/)*\(\{c:class\{/.test(code)) {
    printer.print(tree);
    return [];
  }
  const definition = { rev, code: printer.inside(outermost(tree)) };
  into.set(site, [...(into.get(site) ?? []), definition]);
  return [definition];
}

/** The function that a patch is, in what is put around it. @param {Node} tree @returns {Node} */
function outermost(tree) {
  const [found] = functionsOf(tree);
  const isArrow = found.type === "ArrowFunctionExpression" && found.params.length > 0;
  // `($cap_h,$cap_x0)=>function` hands over cells, and `$cap_f=>{const name=$cap_f;return function}` the function's own name.
  if (isArrow && found.params.every(isOurs)) return outermost(found.body);
  // So does `name=>function`.
  const isName = isArrow && found.params.length === 1 && found.params[0].type === "Identifier" && found.body.type !== "BlockStatement";
  const returned = isName && found.body.type === "ParenthesizedExpression" ? found.body.expression : found.body;
  return isName && ["MemberExpression", "FunctionExpression"].includes(returned.type) && functionsOf(returned).length === 1 ? functionsOf(returned)[0] : found;
}

/** @param {Node} node @returns {Node[]} functions that are in no other */
function functionsOf(node) {
  if (isFunction(node)) return [node];
  return children(node).flatMap(functionsOf);
}

/** @param {Node} node */
function isFunction(node) {
  return node.type === "FunctionExpression" || node.type === "FunctionDeclaration" || node.type === "ArrowFunctionExpression";
}

/** @param {Node} node @returns {Node[]} in the order of the text */
function children(node) {
  /** @type {Node[]} */
  const found = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === "type" || value === null || typeof value !== "object") continue;
    for (const it of Array.isArray(value) ? value : [value]) if (it && typeof it.type === "string") found.push(it);
  }
  // `{ a }` has one node for both.
  return [...new Set(found)].sort((a, b) => a.start - b.start);
}

/** Whether it is a name of the instrumentation, or made of one. @param {Node} node @returns {boolean} */
function isOurs(node) {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name.startsWith("$cap_");
  if (node.type === "MemberExpression") return isOurs(node.object);
  if (node.type === "RestElement" || node.type === "SpreadElement") return isOurs(node.argument);
  return false;
}

/** The site that a function's guard asks for: its first statement, or the condition that it is. @param {Node} node @returns {number | null} */
function siteOf(node) {
  const [first] = node.body.type === "BlockStatement" ? node.body.body.filter((/** @type {Node} */ it) => it.directive === undefined) : [node.body];
  return first !== undefined && isGuard(first) ? askedBy(guarded(first)) : null;
}

/** @param {Node} node */
function isGuard(node) {
  if (node.type !== "IfStatement" && node.type !== "ConditionalExpression") return false;
  const test = guarded(node);
  return test.type === "MemberExpression" && isOurs(test.object) && askedBy(test) !== null;
}

/** Statements out of `$cap_g.begin(7);try{…}finally{$cap_g.end(7)}`. @param {Node[]} statements @returns {Node[]} */
function uncounted(statements) {
  return statements.flatMap((it) => {
    const isCounted = it.type === "TryStatement" && it.handler === null && it.finalizer.body.length === 1 && isCount(it.finalizer.body[0]);
    return isCounted ? it.block.body : isCount(it) ? [] : [it];
  });
}

/** @param {Node} node */
function isCount({ type, expression }) {
  return type === "ExpressionStatement" && expression.type === "CallExpression" && isOurs(expression.callee);
}

/** The site of `$cap_on0._7` and `$cap_g[7]`. @param {Node} node @returns {number | null} */
function askedBy({ computed, property }) {
  if (computed) return typeof property.value === "number" ? property.value : null;
  return /^_\d+$/.test(property.name) ? Number(property.name.slice(1)) : null;
}

/** `$cap_on0._7` and `$cap_g[7]>REV` @param {Node} node @returns {Node} */
function guarded({ test }) {
  return test.type === "BinaryExpression" ? test.left : test;
}

class Printer {
  /** @param {number} rev @param {Definitions} into */
  constructor(rev, into) {
    this.rev = rev;
    this.into = into;
    /** @type {string[]} */
    this.out = [];
  }

  /** What a function does: parameters and body. @param {Node} node */
  inside(node) {
    const { out } = this;
    this.out = [];
    if (node.async) this.out.push("async");
    if (node.generator) this.out.push("*");
    const statements = node.body.type === "BlockStatement" ? uncounted(node.body.body).filter((/** @type {Node} */ it) => !this.#isOurs(it)) : null;
    this.out.push("(");
    for (const param of node.params) if (!isOurs(param)) this.print(param);
    // Parameters that were moved behind the guard come first, and are no statements.
    while (statements?.[0]?.type === "VariableDeclaration" && statements[0].declarations.every((/** @type {Node} */ it) => it.init && isMoved(it.init))) {
      for (const { id, init } of statements.shift().declarations) this.#moved(id, init);
    }
    this.out.push(")");
    if (statements === null) this.print(node.body.type === "ConditionalExpression" && siteOf(node) !== null ? node.body.alternate : node.body);
    else if (statements.length === 1 && statements[0].type === "ReturnStatement" && statements[0].argument) this.print(statements[0].argument);
    else {
      this.out.push("{");
      for (const it of statements) this.print(it);
      this.out.push("}");
    }
    const code = this.out.join(" ");
    this.out = out;
    return code;
  }

  /** @param {Node} id @param {Node} init */
  #moved(id, init) {
    // `x=$cap_p0`, `x=$cap_r[0]!==void 0?$cap_r[0]: value` and `x=$cap_r.slice(1)`
    const isRest = init.type === "CallExpression" || (init.type === "Identifier" && init.name === "$cap_r");
    const around = isRest ? "RestElement" : init.type === "ConditionalExpression" ? "AssignmentPattern" : null;
    if (around !== null) this.out.push(around, "[");
    this.print(id);
    if (init.type === "ConditionalExpression") this.print(init.alternate);
    if (around !== null) this.out.push("]");
  }

  /** Statements that are not the user's. @param {Node} node @returns {boolean} */
  #isOurs(node) {
    switch (node.type) {
      case "EmptyStatement": return true;
      case "IfStatement": return isGuard(node);
      case "VariableDeclaration": return node.declarations.every((/** @type {Node} */ it) => isOurs(it.id));
      case "ExpressionStatement": return node.expression.type === "AssignmentExpression" && /^\$cap_[sk]/.test((node.expression.left.object ?? node.expression.left).name ?? "");
      case "StaticBlock": return node.body.every((/** @type {Node} */ it) => this.#isOurs(it));
      case "PropertyDefinition": return isOurs(node.key);
      default: return false;
    }
  }

  /** @param {Node} node */
  print(node) {
    if (isFunction(node)) {
      this.#function(node);
      return;
    }
    switch (node.type) {
      case "Identifier": this.out.push(isOurs(node) ? "" : node.name); return;
      case "PrivateIdentifier": this.out.push(`#${node.name}`); return;
      case "Literal": this.out.push(node.regex ? node.raw : JSON.stringify(node.value ?? node.raw)); return;
      case "TemplateElement": this.out.push(JSON.stringify(node.value.raw)); return;
      case "MemberExpression":
        // A variable of a function around it.
        if (node.object.type === "Identifier" && /^\$cap_x\d+$/.test(node.object.name)) {
          this.out.push(node.property.name.slice(1));
          return;
        }
        // An import, or a binding that was added.
        if (isOverlay(node) || isImport(node.object)) {
          this.out.push(`${isImport(node.object) ? "import:" : ""}${node.computed ? node.property.value : node.property.name}`);
          return;
        }
        break;
      case "ThisExpression": this.out.push("this"); return;
      case "ParenthesizedExpression": this.print(node.expression); return;
      case "SequenceExpression": {
        // `(0,f)(…)`: the call has no receiver.
        const own = node.expressions.filter((/** @type {Node} */ it) => !(it.type === "Literal" && it.value === 0));
        if (own.length === 1) {
          this.print(own[0]);
          return;
        }
        break;
      }
      case "Property":
        // `{ a }` of a name that is read elsewhere is `{ a: … }`.
        this.out.push(node.kind, node.computed ? "[" : "");
        this.print(node.key);
        this.print(node.value);
        return;
      default: break;
    }
    this.out.push(...[node.type, node.kind, node.operator, node.computed && "computed", node.static && "static", node.delegate && "*", node.await && "await", node.prefix === true && "prefix", node.optional && "?."].filter((it) => typeof it === "string"), "[");
    for (const child of children(node)) if (!this.#isOurs(child)) this.print(child);
    this.out.push("]");
  }

  /** @param {Node} node */
  #function(node) {
    const site = siteOf(node);
    if (site === null) {
      this.out.push("function", node.id?.name ?? "", this.inside(node));
      return;
    }
    this.into.set(site, [...(this.into.get(site) ?? []), { rev: this.rev, code: this.inside(node) }]);
    this.out.push(`function #${site}`);
  }
}

/** What imported names are read from. @param {Node} node */
function isImport(node) {
  const name = isOverlay(node) ? node.property.name : node.name;
  return typeof name === "string" && name.startsWith("$cap_i");
}

/** @param {Node} node */
function isOverlay(node) {
  return node.type === "MemberExpression" && node.object.type === "MemberExpression" && isOurs(node.object) && node.object.property.name === "o";
}

/** The value of a parameter that was moved. @param {Node} node @returns {boolean} */
function isMoved(node) {
  switch (node.type) {
    case "Identifier": return /^\$cap_(r|p\d+)$/.test(node.name);
    case "MemberExpression": return isMoved(node.object);
    // Strict functions read `arguments[0]!==void 0?arguments[0]: value`.
    case "ConditionalExpression": return node.test.type === "BinaryExpression" && (isMoved(node.test.left) || node.test.left.object?.name === "arguments");
    case "CallExpression": return isMoved(node.callee);
    default: return false;
  }
}
