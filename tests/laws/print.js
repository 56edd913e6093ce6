// The text of a random program, from its tree (generate.js). Names that are used are chosen here, from what is in scope.

/** @typedef {import("./generate.js").Tree} Tree */
/** @typedef {{ name: string, kind: "number" | "let" | "function" | "generator" | "async" | "object" | "class" | "table" }} Name */

/** @param {Tree} program */
export function print(program) {
  const printer = new Printer();
  for (const item of program.items) printer.item(item);
  const names = printer.scope.filter(({ name, kind }) => kind !== "let" && !name.includes(".")).map(({ name }) => name);
  return `${printer.lines.join("\n")}\nexport { ${names.join(", ")} };\n`;
}

class Printer {
  /** @type {string[]} */
  lines = [];
  /** What can be named here, outermost first. @type {Name[]} */
  scope = [];
  indent = "";
  isAsync = false;
  /** The parameters that come next are an arrow's. */
  isArrow = false;
  /** Inside a method with a `this.x`. */
  hasThis = false;
  /** Where the names of the innermost function begin. */
  own = 0;
  /** The names that it uses: what is declared under one of them further down would not be there yet. @type {Set<string>} */
  used = new Set();

  /** @param {string} line */
  line(line) {
    this.lines.push(this.indent + line);
  }

  /** @param {string} name @param {Name["kind"]} kind */
  declare(name, kind) {
    this.scope.push({ name, kind });
  }

  /** Declares a variable that has the name of one outside of the function, or else `name`. @param {string} name @param {number} k */
  shadow(name, k) {
    const base = (/** @type {Name} */ it) => it.name.split(/[.?[]/)[0];
    const own = this.scope.slice(this.own).map(base);
    const free = this.scope.slice(0, this.own).filter((it) => /^[vpce]\d+$/.test(it.name) && !own.includes(it.name) && !this.used.has(it.name));
    const taken = free.length === 0 ? name : free[k % free.length].name;
    const outer = this.scope.slice(0, this.own).filter((it) => base(it) !== taken);
    this.scope = [...outer, ...this.scope.slice(this.own)];
    this.own = outer.length;
    this.declare(taken, "let");
    return taken;
  }

  /** Notes that a name is used. @param {string} name */
  use(name) {
    this.used.add(name.split(/[.?[]/)[0]);
    return name;
  }

  /** Prints a function. @template T @param {() => T} inner @returns {T} */
  function(inner) {
    const { used } = this;
    this.used = new Set();
    const printed = this.inside(() => {
      this.own = this.scope.length;
      return inner();
    });
    this.used = new Set([...used, ...this.used]);
    return printed;
  }

  /** Runs `inner` in a scope of its own. @template T @param {() => T} inner @returns {T} */
  inside(inner) {
    const { scope, indent, own } = this;
    this.scope = [...scope];
    this.indent += "  ";
    try {
      return inner();
    } finally {
      this.scope = scope;
      this.own = own;
      this.indent = indent;
    }
  }

  /** The lines that `inner` prints, as one text. @param {() => void} inner */
  captured(inner) {
    const { lines } = this;
    this.lines = [];
    inner();
    const text = this.lines.join("\n");
    this.lines = lines;
    return text;
  }

  /** @param {Tree} it */
  item(it) {
    this.statement(it);
  }

  /** @param {Tree} it */
  statement(it) {
    switch (it.type) {
      case "let":
      case "const":
        this.line(`${it.type} ${it.name} = ${this.number(it.value)};`);
        this.declare(it.name, it.type === "let" ? "let" : "number");
        break;
      case "shadow": {
        const value = this.number(it.value);
        this.line(`let ${this.shadow(it.name, it.k)} = ${value};`);
        break;
      }
      case "table": this.table(it); break;
      case "set": {
        const names = this.scope.filter(({ kind }) => kind === "let");
        if (names.length > 0) this.line(`${this.use(names[it.k % names.length].name)} ${it.op} ${this.number(it.value)};`);
        break;
      }
      case "destructure": {
        const [a, b, c] = it.names;
        const [x, y, z] = it.values.map((/** @type {Tree} */ value) => this.number(value));
        this.line(`let { q: ${a} = ${x}, r: [${b}, ...${c}] = [${y}] } = { r: [${z}, 1, 2] };`);
        this.line(`${a} += ${c}.length;`);
        this.declare(a, "let");
        this.declare(b, "let");
        break;
      }
      case "if":
        this.line(`if (${this.expression(it.test)} & 1) {`);
        this.block(it.then);
        if (it.otherwise) {
          this.line("} else {");
          this.block(it.otherwise);
        }
        this.line("}");
        break;
      case "block":
        this.line("{");
        this.block(it.body);
        this.line("}");
        break;
      case "closures": {
        this.line(`const ${it.list} = [];`);
        if (it.loop === "for") this.line(`for (let ${it.name} = 0; ${it.name} < 3; ${it.name} += 1) {`);
        else if (it.loop === "of") this.line(`for (let [${it.name}] of [[1], [2]]) {`);
        else this.line(`while (${it.list}.length < 2) {`);
        this.inside(() => {
          if (it.loop === "while") this.line(`let ${it.name} = ${it.list}.length * 10;`);
          // A variable of the loop is not written to: the loop has to end.
          this.declare(it.name, it.loop === "for" ? "number" : "let");
          for (const inner of it.body) this.statement(inner);
          this.line(`${it.list}.push(${this.fn(it.fn, "arrow")});`);
        });
        this.line("}");
        this.line(`const ${it.total} = ${it.list}.reduce((sum, f) => sum + f(1), 0);`);
        this.declare(it.total, "number");
        break;
      }
      case "bind":
        this.line(`const ${it.fn.name} = ${this.fn(it.fn, it.how)};`);
        this.declare(it.fn.name, "function");
        break;
      case "fn":
        this.line(this.fn(it, it.kind));
        this.declare(it.name, it.kind === "generator" ? "generator" : it.kind === "async" ? "async" : "function");
        break;
      case "object": {
        const members = this.inside(() => it.members.map((/** @type {Tree} */ member) => {
          const { name } = member.fn;
          if (member.how === "arrow") return `${this.indent}${name}: ${this.fn(member.fn, "arrow")},`;
          if (member.how === "expression") return `${this.indent}${name}: ${this.fn(member.fn, "anonymous")},`;
          if (member.how === "get") return `${this.indent}get ${name}${this.member({ ...member.fn, params: [] })},`;
          return `${this.indent}${name}${this.member(member.fn)},`;
        }));
        this.line(`const ${it.name} = {\n${members.join("\n")}\n${this.indent}};`);
        const called = it.members.find((/** @type {Tree} */ member) => member.how !== "get");
        if (called) this.declare(`${it.name}.${called.fn.name}`, "object");
        else this.declare(`${it.name}.${it.members[0].fn.name}`, "number");
        break;
      }
      case "counter": {
        const { isAsync } = this;
        this.isAsync = false;
        this.line(`const ${it.name} = (() => {`);
        this.inside(() => {
          this.line(`let ${it.state} = ${this.number(it.start)};`);
          this.declare(it.state, "let");
          this.line(`return { ${it.inc}() { ${it.state} += ${this.number(it.step)}; return ${it.state}; }, ${it.read}: () => ${it.state} };`);
        });
        this.line("})();");
        this.isAsync = isAsync;
        this.line(`const ${it.total} = ${it.name}.${it.inc}() + ${it.name}.${it.inc}() * 2 + ${it.name}.${it.read}();`);
        this.declare(it.total, "number");
        break;
      }
      case "try":
        this.line("try {");
        this.inside(() => {
          this.line(`if (${this.expression(it.test)} & 1) throw { code: ${this.number(it.value)} };`);
          for (const inner of it.body) this.statement(inner);
        });
        this.line(`} catch ({ code: ${it.name} }) {`);
        this.inside(() => {
          this.declare(it.name, "let");
          for (const inner of it.body) this.statement(inner);
        });
        this.line("}");
        break;
      case "class": this.klass(it); break;
      default: throw new Error(it.type);
    }
  }

  /** @param {Tree[]} body */
  block(body) {
    this.inside(() => {
      for (const inner of body) this.statement(inner);
    });
  }

  /** @param {Tree} it */
  table(it) {
    const numbers = () => this.scope.filter(({ name, kind }) => kind === "number" && /^[cd]\d/.test(name)).map((one) => one.name);
    const tables = this.scope.filter(({ kind }) => kind === "table").map(({ name }) => name);
    /** @type {string[]} */
    const paths = [];
    const entries = it.entries.map((/** @type {Tree} */ { key, how, k, value }) => {
      const known = numbers();
      const number = known.length === 0 ? String(value) : known[k % known.length];
      if (how === "table" || how === "copy") {
        const table = tables[k % tables.length];
        if (table === undefined) return `${key}: {}`;
        const inner = known.filter((name) => name.startsWith(`${table}.`));
        // What a copy holds is seen in a fresh object.
        if (inner.length === 0) return `${key}: ${table}`;
        if (how === "table") paths.push(`${key}${inner[k % inner.length].slice(table.length).replace(/^\./, "?.")}`);
        else paths.push(`${key}?.of`);
        return how === "table" ? `${key}: ${table}` : `${key}: { of: ${inner[k % inner.length]}, all: [${table}] }`;
      }
      paths.push(how === "list" ? `${key}?.[1]` : key);
      switch (how) {
        case "name": return `${key}: ${number}`;
        case "sum": return `${key}: ${number} + ${value}`;
        case "list": return `${key}: [${value}, ${number}]`;
        default: return `${key}: ${value}`;
      }
    });
    this.line(`const ${it.name} = { ${entries.join(", ")} };`);
    this.declare(it.name, "table");
    for (const path of paths) this.declare(`${it.name}.${path}`, "number");
  }

  /** @param {Tree} it */
  klass(it) {
    const { isAsync, hasThis } = this;
    this.isAsync = false;
    // That of a derived class's constructor is not there yet where its parameters are.
    this.hasThis = false;
    this.members(it);
    this.isAsync = isAsync;
    this.hasThis = hasThis;
    this.declare(it.name, "class");
  }

  /** @param {Tree} it */
  members(it) {
    const bases = this.scope.filter(({ kind }) => kind === "class");
    const base = it.derives && bases.length > 0 ? this.use(bases[it.k % bases.length].name) : null;
    this.line(`class ${it.name}${base ? ` extends ${base}` : ""} {`);
    this.inside(() => {
      this.line("#n = 1;");
      for (const { name, isPrivate, value } of it.fields) {
        const initial = value === null ? "" : ` = ${this.withThis(() => this.number(value))}`;
        this.line(`${isPrivate ? "#" : ""}${name}${initial};`);
      }
      if (it.arrow) this.withThis(() => this.line(`${it.arrow.name} = ${this.fn(it.arrow, "arrow")};`));
      if (it.block) {
        const { name, value, fn } = it.block;
        const made = this.inside(() => {
          this.declare(name, "number");
          return this.fn(fn, "arrow");
        });
        this.line(`static { const ${name} = ${this.number(value)}; this.${fn.name} = ${made}; }`);
      }
      if (it.hasConstructor) {
        this.line(`constructor${this.rest(it.ctor, base ? "super();" : "", "this.x = ")}`);
      }
      const names = new Set();
      for (const { how, fn } of it.methods) {
        names.add(fn.name);
        const head = { method: fn.name, static: `static ${fn.name}`, get: `get ${fn.name}`, private: `#${fn.name}`, generator: `*${fn.name}`, computed: `["${fn.name}"]`, set: `set ${fn.name}` }[/** @type {string} */ (how)];
        const lead = how === "static" ? "" : `this.x = (this.x ?? 0) + this.#n;`;
        const used = how === "get" ? { ...fn, params: [] } : how === "set" ? { ...fn, params: [{ shape: "plain", name: `${fn.name}V`, value: { type: "number", value: 1 } }] } : fn;
        if (how === "generator") this.withThis(() => this.line(`${head}${this.rest(used, `${lead} yield this.x;`)}`));
        else if (how === "static") this.line(`${head}${this.rest(used)}`);
        else this.withThis(() => this.line(`${head}${this.rest(used, lead)}`));
      }
      const parts = it.methods.map((/** @type {Tree} */ { how, fn }) => ({
        method: `this.${fn.name}(a, 2)`, static: `${it.name}.${fn.name}(a)`, get: `this.${fn.name}`, private: `this.#${fn.name}(a)`, generator: `[...this.${fn.name}(a)].length`, computed: `this.${fn.name}(a)`, set: `(this.${fn.name} = a)`,
      })[/** @type {string} */ (how)]);
      if (it.arrow) parts.push(`this.${it.arrow.name}(a)`);
      if (it.block) parts.push(`${it.name}.${it.block.fn.name}(a)`);
      for (const { name, isPrivate } of it.fields) parts.push(`(this.${isPrivate ? "#" : ""}${name} ?? 0)`);
      if (base) parts.push("super.run(a)");
      this.line(`run(a) { return (${[...parts, "(this.x ?? 0)"].join(" + ")}) | 0; }`);
    });
    this.line("}");
  }

  /** @template T @param {() => T} inner @returns {T} */
  withThis(inner) {
    const { hasThis } = this;
    this.hasThis = true;
    const result = inner();
    this.hasThis = hasThis;
    return result;
  }

  /** @param {Tree} it @param {string} how */
  fn(it, how) {
    const { isAsync, hasThis } = this;
    this.isAsync = how === "async";
    if (how !== "arrow") this.hasThis = false;
    try {
      switch (how) {
        case "arrow": this.isArrow = true; return this.arrow(it);
        case "expression": return `function ${it.name}Self${this.rest(it)}`;
        case "anonymous": return `function ${this.rest(it)}`;
        case "generator": return `function* ${it.name}${this.rest(it, "yield 1;", "yield ")}`;
        case "async": return `async function ${it.name}${this.rest(it, "await null;")}`;
        default: return `function ${it.name}${this.rest(it)}`;
      }
    } finally {
      this.isAsync = isAsync;
      this.hasThis = hasThis;
    }
  }

  /** @param {Tree} it */
  arrow(it) {
    if (!it.short) return this.rest(it).replace(/^(\(.*\)) \{$/m, "$1 => {");
    return this.function(() => {
      const params = this.params(it.params);
      return `(${params}) => ${this.number(it.result)}`;
    });
  }

  /** A method: what is around it may wait, it may not. @param {Tree} it */
  member(it) {
    const { isAsync } = this;
    this.isAsync = false;
    const text = this.rest(it);
    this.isAsync = isAsync;
    return text;
  }

  /** Parameters and body. @param {Tree} it @param {string} [lead] @param {string} [result] */
  rest(it, lead = "", result = "return ") {
    const { indent } = this;
    return this.function(() => {
      const params = this.params(it.params);
      const body = this.captured(() => {
        if (lead) this.line(lead);
        for (const inner of it.body) this.statement(inner);
        this.line(`${result}${this.number(it.result)};`);
      });
      return `(${params}) {\n${body}\n${indent}}`;
    });
  }

  /** @param {Tree[]} params */
  params(params) {
    const { isArrow } = this;
    this.isArrow = false;
    const printed = params.map(({ shape, name, second, value, k = 0 }, index) => {
      const isLast = index === params.length - 1;
      const outer = this.number(value);
      switch (shape) {
        case "default": this.declare(name, "let"); return `${name} = ${outer}`;
        case "object": this.declare(name, "let"); this.declare(second, "let"); return `{ a: ${name} = ${outer}, b: ${second} = 2 } = {}`;
        case "array": this.declare(name, "let"); return `{ c: [${name} = ${outer}, ...${second}] = [1, 2] } = {}`;
        case "shadow": return `${this.shadow(name, k)} = ${outer}`;
        case "closure":
        case "maker": {
          const inner = this.function(() => {
            this.declare(name, "let");
            return `(${name} = 1) => ${this.number(value)}`;
          });
          if (shape === "closure") {
            this.declare(second, "function");
            return `{ f: ${second} = ${inner} } = {}`;
          }
          // Calls hand in numbers.
          this.declare(`(typeof ${second} === "function" ? ${second}(2) : ${second})`, "number");
          return `${second} = ${inner}`;
        }
        case "rest":
          if (isLast) {
            // An arrow that was made before cannot tell what a call left out: the verdict says so.
            this.declare(isArrow ? `(${name}[0] ?? 7)` : `${name}.length`, "number");
            return `...${name}`;
          }
          break;
        default: break;
      }
      this.declare(name, "let");
      return name;
    });
    return printed.join(", ");
  }

  /** An expression that is a small whole number. @param {Tree} it */
  number(it) {
    const text = this.expression(it);
    return /^[\w.]+$/.test(text) && it.type === "number" ? text : `(${text}) | 0`;
  }

  /** @param {Tree} it @returns {string} */
  expression(it) {
    switch (it.type) {
      case "number": return String(it.value);
      case "name": {
        const names = this.scope.filter(({ kind }) => kind === "number" || kind === "let");
        if (this.hasThis && it.k % 5 === 0) return "this.x";
        return names.length === 0 ? String(it.k % 10) : this.use(names[it.k % names.length].name);
      }
      case "binary": return `(${this.expression(it.left)} ${it.op} ${this.expression(it.right)})`;
      case "choice": return `(${this.expression(it.test)} & 1 ? ${this.expression(it.then)} : ${this.expression(it.otherwise)})`;
      case "map": return this.inside(() => {
        const items = it.items.map((/** @type {Tree} */ item) => this.expression(item)).join(", ");
        const outer = this.isAsync;
        this.isAsync = false;
        this.declare(it.name, "number");
        const text = `[${items}].map((${it.name}) => ${this.number(it.value)}).reduce((a, b) => a + b, 0)`;
        this.isAsync = outer;
        return text;
      });
      case "now": return this.inside(() => {
        const arg = this.expression(it.arg);
        const { isAsync, hasThis } = this;
        this.isAsync = false;
        if (it.how === "function") this.hasThis = false;
        this.declare(it.name, "let");
        const text = it.how === "arrow" ? `((${it.name}) => ${this.number(it.value)})(${arg})` : `(function (${it.name}) { return ${this.number(it.value)}; })(${arg})`;
        this.isAsync = isAsync;
        this.hasThis = hasThis;
        return text;
      });
      case "call": return this.call(it);
      default: throw new Error(it.type);
    }
  }

  /** @param {Tree} it */
  call(it) {
    const callable = this.scope.filter(({ kind }) => kind === "function" || kind === "generator" || kind === "object" || kind === "class" || (kind === "async" && this.isAsync));
    const args = it.args.map((/** @type {Tree} */ arg) => this.expression(arg));
    if (callable.length === 0) return args[0] ?? "1";
    const { name, kind } = callable[it.k % callable.length];
    const given = args.join(", ");
    this.use(name);
    switch (kind) {
      case "generator": return `[...${name}(${given})].reduce((a, b) => a + b, 0)`;
      case "class": return `new ${name}(${given}).run(${args[0] ?? 1})`;
      case "async": return `(await ${name}(${given}))`;
      default: return `${name}(${given})`;
    }
  }
}
