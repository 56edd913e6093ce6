// Texts that nobody likes to read, and programs that use the odd corners of the language. Instrumented and patched they answer as
// plain JavaScript does; what cannot be patched runs again, and the editor is told why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTempFolder } from "../support/project.js";
import { Bench, observe } from "./bench.js";
import { runPlainly } from "./plain.js";

/** @typedef {{ main?: string, text: string, edits: [from: string, to: string, verdict: string][], see: string[] }} Case */

const repeat = (/** @type {number} */ count, /** @type {(index: number) => string} */ text) => Array.from({ length: count }, (_, index) => text(index)).join("");

/** @type {Record<string, Case>} */
const CASES = {
  "a function of 10,000 lines": {
    text: `export function big(n) {\n${repeat(10_000, (it) => `  n += ${it % 7}; // line ${it}\n`)}  return n;\n}\nexport let calls = 0;\n`,
    edits: [["n += 3; // line 5001", "n += 30; // line 5001", "patch"], ["return n;", "return -n;", "patch"]],
    see: ["big(0)", "big.length"],
  },
  "one line of 300 KB": {
    text: `var t=0;${repeat(4000, (it) => `function f${it}(a,b){return a+b*${it}+(()=>a-${it})()}var v${it}=f${it}(1,${it});t+=v${it};`)}export{t,f17,f3999};`,
    edits: [["b*17+", "b*18+", "patch"], ["a-3999", "a-1", "patch"]],
    see: ["f17(1, 2)", "f3999(1, 2)"],
  },
  "200 functions inside of each other": {
    text: `export function f() { let n = 1; ${repeat(200, (it) => `return function g${it}() { n += ${it}; `)}return n; ${"}; ".repeat(200)}}\n
export function down() { let it = f; while (typeof it === "function") it = it(); return it; }`,
    edits: [["n += 150;", "n += 1500;", "patch"], ["let n = 1", "let n = 2", "patch"]],
    see: ["down()"],
  },
  "200 arrows inside of each other": {
    text: `export const f = ${repeat(200, (it) => `a${it} => `)}a0 + a199;\nexport function down() { let it = f, n = 0; while (typeof it === "function") it = it(n++); return it; }`,
    edits: [["a0 + a199", "a0 - a198 * a199", "patch"]],
    see: ["down()"],
  },
  "a direct eval in sloppy code": {
    main: "main.cjs",
    text: `exports.f = function (text) { var x = 5; eval(text); return x; };
exports.g = function (n) { return eval("(function () { return n * 2; })")(); };
exports.names = () => eval("typeof later");
exports.h = function () { return eval("arguments.length + (this === undefined ? 10 : 0)"); };`,
    edits: [["n * 2", "n * 3", "patch"], ["return x;", "return x + 1;", "patch"]],
    see: ["f('x = 6')", "f('var x = 7')", "f('var y = 1')", "g(4)", "names()", "h(1, 2, 3)"],
  },
  "a direct eval in a module": {
    text: `let hidden = 3;\nexport function f(text) { return eval(text); }\nexport const g = () => 1;`,
    edits: [["=> 1", "=> 2", "updateModule"]],
    see: ["f('hidden')", "g()"],
  },
  "with": {
    main: "main.cjs",
    text: `exports.f = function (o) { with (o) { return (function () { return typeof a === "undefined" ? "none" : a; })(); } };
exports.g = function (o) { var n = 1; with (o) { n += 1; } return n; };
exports.h = function (o) { with (o) { var k = () => x * 2; } return k(); };`,
    edits: [["n += 1", "n += 2", "patch"], ["x * 2", "x * 3", "patch"], ['"none"', '"nothing"', "patch"]],
    see: ["f({ a: 1 })", "f({})", "g({ n: 5 })", "g({})", "h({ x: 4 })", "[((o) => { g(o); return o.n; })({ n: 1 })]"],
  },
  "arguments, callee and caller": {
    main: "main.cjs",
    text: `function f(a, b) { arguments[0] = 9; b = 8; return [a, arguments[1], arguments.length, typeof arguments.callee]; }
function strict(a) { "use strict"; arguments[0] = 9; return [a, arguments.length, (() => { try { return arguments.callee; } catch (e) { return e.name; } })()]; }
function who() { return who.caller === asks; }
function asks() { return who(); }
function own() { return Object.getOwnPropertyNames(own).sort().join(); }
function rest(a, ...b) { return [arguments.length, b.length, rest.length]; }
exports.f = f; exports.strict = strict; exports.asks = asks; exports.own = own; exports.rest = rest;
exports.kinds = [function () {}, () => {}, async () => {}, async function () {}, function* () {}, class { static x = 1; }, { m() {} }.m, { async m() {} }.m, { get m() { return 1; } }];
exports.names = () => exports.kinds.map((it) => Object.getOwnPropertyNames(it).sort().join());
exports.prototypes = () => [f, strict, () => 1, class { a() {} }].map((it) => it.prototype && Object.getOwnPropertyNames(it.prototype).join());`,
    edits: [["b = 8", "b = 7", "patch"], ["[a, arguments.length, (", "[a + 1, arguments.length, (", "patch"], ["return [arguments.length, b", "return [1, arguments.length, b", "patch"]],
    see: ["f(1, 2, 3)", "f(1)", "f()", "strict(1, 2)", "asks()", "own()", "rest(1, 2, 3)", "rest()", "names()", "prototypes()"],
  },
  "names that mean something elsewhere": {
    text: `export const __proto__ = () => 1;
export function $1(constructor) { return constructor + 1; }
export function hasOwnProperty(toString) { return () => toString; }
export const o = { __proto__() { return "own"; }, constructor() { return 2; }, get() { return 3; }, set: () => 4, static() { return 5; }, async() { return 6; }, "a-b"() { return 7; }, 8() { return 8; }, [\`x\${1}\`]: () => 9, eval: () => 10, arguments: () => 11, "": () => 12, "__proto__": null };
export class C { constructor() { this.prototype = 1; } static name() { return "n"; } static length() { return "l"; } get() { return 1; } set() { return 2; } static() { return 3; } async() { return 4; } "constructor-x"() { return 5; } static async() { return 6; } 'quoted'() { return 7; } }
export const valueOf = { then(resolve) { resolve(5); } };
export const undefinedName = (undefined) => undefined;
export function $cap(x) { return x; }`,
    edits: [["() => 1;", "() => 1.5;", "patch"], ["constructor + 1", "constructor + 2", "patch"], ["() => toString", "() => [toString]", "patch"], ['return "own"', 'return "own2"', "patch"],
      ["return 7; }, 8", "return 70; }, 8", "patch"], ['return "n"', 'return "N"', "patch"], ["() => 12", "() => 120", "patch"], ["=> 9", "=> 90", "patch"]],
    see: ["$exports.__proto__()", "$1(1)", "$exports.hasOwnProperty(3)()", "Object.getOwnPropertyNames(o)", "Object.getPrototypeOf(o)", "Object.getOwnPropertyNames(o).map((it) => o[it]())",
      "new C().prototype", "C.name()", "C.length()", "['get', 'set', 'static', 'async', 'constructor-x', 'quoted'].map((it) => new C()[it]())", "C.async()", "undefinedName(4)", "$cap(2)"],
  },
  "names of sloppy code": {
    main: "main.cjs",
    text: `var let_ = 1; var yield = 2; var await = 3; var async = 4; var of = 5; var get = 6; var static = 7; var implements = 8; var undefined_ = undefined;
exports.f = function (eval, arguments) { return eval + arguments; };
exports.g = function (let) { return let + yield + await + async + of + get + static + implements; };
exports.h = function __proto__(n) { return n ? __proto__(n - 1) + 1 : 0; };
exports.i = function (a, a) { return a; };
exports.j = function () { return this === globalThis; };
exports.k = function () { undeclared_${"x"} = 5; return delete globalThis.undeclared_x; };
exports.l = function () { return typeof inner; function inner() {} };
exports.m = function (x) { if (x) { function late() { return 1; } } return typeof late; };
exports.n = function () { return 010 + 08; };`,
    edits: [["eval + arguments", "eval - arguments", "patch"], ["let + yield", "let * yield", "patch"], ["n - 1) + 1", "n - 1) + 2", "patch"], ["return a;", "return [a];", "patch"], ["010 + 08", "011 + 09", "patch"], ["return 1; }", "return 2; }", "patch"]],
    see: ["f(5, 3)", "g(1)", "h(3)", "i(1, 2)", "(0, j)()", "k()", "l()", "m(1)", "m(0)", "n()", "f.length", "i.length"],
  },
  "names of Capuchin": {
    text: `let $cap_g = [5], $cap_m = 6;\nexport function f($cap_r) { return $cap_r + $cap_g[0] + $cap_m; }\nexport const g = (...$cap_c) => "$cap_c" + $cap_c.length;\nexport { $cap_m as $cap_s0, f as $cap0_f };\nexport default () => [typeof $cap0_g, typeof $cap_default, f.toString()];`,
    edits: [["$cap_r + $cap_g", "$cap_r - $cap_g", "updateModule"]],
    see: ["f(1)", "g(1, 2)", "$cap_s0", "$cap0_f(2)", "$exports.default()", "Object.keys($exports).sort()"],
  },
  "names of Capuchin that come later": {
    text: `export function f(a) { return () => a; }\nexport const g = async () => { await null; return f(3)(); };`,
    edits: [["() => a;", "() => { let $cap_g = a; return $cap_g; };", "updateModule"], ["return $cap_g", "return $cap_g + 1", "updateModule"], ["let $cap_g = a; return $cap_g + 1;", "return -a;", "updateModule"], ["-a", "+a", "patch"]],
    see: ["f(1)()", "g()"],
  },
  "names of Capuchin, awaited": {
    text: `await null;\nexport const $cap_m = await 5;`,
    edits: [["await 5", "await 6", "updateModule"]],
    see: ["$cap_m"],
  },
  "unicode escapes in names": {
    text: `export function \\u0061bc(\\u{62}) { let \\u0063 = b; return () => c + \\u{63} + \\u0062; }
export const o = { \\u0066n() { return 1; }, get \\u{67}() { return 2; } };
export class \\u0043 { #\\u0070 = 3; \\u006d() { return this.#p; } static \\u{73}t = 4; }
export const ünï = (ö) => ö + 1, 𠮷 = () => "𠮷", ℮ = () => "‿";`,
    edits: [["c + \\u{63}", "c - \\u{63}", "patch"], ["return 1", "return 10", "patch"], ["return this.#p", "return -this.#p", "patch"], ["ö + 1", "ö + 2", "patch"], ['"𠮷"', '"𠮷𠮷"', "patch"]],
    see: ["abc(1)()", "abc.name", "o.fn()", "o.fn.name", "o.g", "new C().m()", "C.name", "ünï(1)", "𠮷()", "$exports['℮']()"],
  },
  "comments of HTML": {
    main: "main.cjs",
    text: `<!-- the first line\nexports.f = function (n) { <!-- return 0;\n  return n--> 0;\n};\n--> the last line\nexports.g = () => 2;`,
    edits: [["n--> 0", "n--> 1", "patch"], ["=> 2", "=> 3", "patch"]],
    see: ["f(1)", "f(2)", "g()"],
  },
  "a hashbang": {
    text: "#!/usr/bin/env node\nexport const f = () => 1;\n",
    edits: [["=> 1", "=> 2", "patch"]],
    see: ["f()"],
  },
  "a hashbang without a line end, in CommonJS": {
    main: "main.cjs",
    text: "#!/usr/bin/env node\r\nmodule.exports = { f() { return 1; } }",
    edits: [["return 1", "return 2", "patch"]],
    see: ["f()"],
  },
  "use asm": {
    main: "main.cjs",
    text: `exports.f = function Asm(stdlib) { "use asm"; function add(a, b) { a = a | 0; b = b | 0; return (a + b) | 0; } return { add: add }; };
exports.g = function (a, b) { return exports.f(globalThis).add(a, b); };`,
    edits: [["(a + b) | 0", "(a - b) | 0", "patch"]],
    see: ["g(2, 3)", "f.name", "f.length"],
  },
  "a byte order mark": {
    text: "\ufeffexport const f = () => 1;\nexport const g = (s = '\ufeff') => s.length;",
    edits: [["=> 1", "=> 2", "patch"], ["s.length", "s.length + 1", "patch"]],
    see: ["f()", "g()"],
  },
  "line ends of all kinds": {
    text: "export function f(a) {\r\n  // one\r  let n = 1;\u2028  /* two */ n += a\u2029  return n\r\n}\r\nexport const g = () => `a\r\nb\rc\nd`.split('\\n').length,\rh = () => '\u2028\u2029'.length\u2028export let k = (a,\r\n b) =>\r\n a + b",
    edits: [["n += a", "n += a * 2", "patch"], ["c\nd`", "c\nd\ne`", "patch"], ["'\u2028\u2029'.length", "'\u2028\u2029\u2028'.length", "patch"], [" a + b", " a - b", "patch"]],
    see: ["f(2)", "g()", "h()", "k(1, 2)"],
  },
  "labels": {
    main: "main.cjs",
    text: `exports.f = function (n) { a: for (var i = 0; i < 3; i++) { b: { if (i === n) continue a; if (i > n) break b; n += 10; } } return n; };
l: function labelled() { return 1; }
exports.labelled = labelled;
exports.g = (list) => { const made = []; outer: for (const x of list) for (let y = 0; y < 2; y++) { made.push(() => x + y); if (x > 1) continue outer; } return made.map((it) => it()); };
exports.h = function () { yield: { let_: { break yield; } } return 2; };
x: { exports.i = () => 3; break x; }`,
    edits: [["n += 10", "n += 20", "patch"], ["x + y", "x * y", "patch"], ["return 2", "return 4", "patch"], ["=> 3", "=> 5", "patch"]],
    see: ["f(0)", "f(1)", "labelled()", "g([1, 2, 3])", "h()", "i()"],
  },
  "very long strings and templates": {
    text: `export const s = () => "${"x\\u0041$cap_".replace("$cap_", "y").repeat(50_000)}".length;\nexport const t = (a) => \`${"${a}-\\\\n".repeat(2_000)}\${(() => a * 2)()}\`;`,
    edits: [["a * 2", "a * 3", "patch"], [".length;", ".length + 1;", "patch"]],
    see: ["s()", "t(1).length", "t(7).slice(-5)"],
  },
  "numbers, bigints, regular expressions": {
    text: `export const n = () => 1_000_000 + 0b1_1 + 0xf_f + 0o7_7 + .5 + 5. + 1e1_0;
export const b = () => [1_0n, 0xFFn, -1n].map(String);
export const r = (s) => [/[/]\\/[\\]/]/.test(s), /a/g.flags, s.replace(/\\$&/g, "$$"), s / 2 / 1, (() => /=>{/)().source, /[[a-z]--[b]]/v.test("a"), /(?<año>\\d+)/u.exec("x12").groups.año];
export const q = (a, b) => { let c = a++ / b-- / 2; return c }
export const p = a => a ? /}/.test("}") : /[}]/.exec(a)`,
    edits: [["1_000_000", "2_000_000", "patch"], ["0xFFn", "0xFEn", "patch"], ["/[/]\\/[\\]/]/", "/[/]\\/[\\]/a]/", "patch"], ["b-- / 2", "b-- / 4", "patch"], ['/}/.test("}")', '/}/.test("{")', "patch"]],
    see: ["n()", "b()", "r('//]')", "r('/$&')", "q(8, 2)", "p(1)", "p(0)"],
  },
  "no semicolons": {
    text: `let a = 1
export const f = () => a
;[1].forEach((x) => { a += x })
export const g = (n) => {
  let b = n
  ++b
  const c = () => b
  ;(() => { b *= 2 })()
  return c
  ()
}
export default class {
  x = 1
  ;['y'] = () => 2
  static
  z = 3
  get
  w() { return 4 }
  *v() { yield 5 }
  async
  u() { return 6 }
}
export function h() { return function k() { return 1 } }
export let i = 0
do i++; while (i < 3) i++`,
    edits: [["=> a\n", "=> a + 1\n", "patch"], ["b *= 2", "b *= 3", "patch"], ["return 4", "return 40", "patch"], ["return 1 }", "return 10 }", "patch"]],
    see: ["f()", "typeof g(1)", "new $exports.default().y()", "new $exports.default().x", "[...new $exports.default().v()]", "h()()", "i"],
  },
  "functions whose text is read": {
    main: "main.cjs",
    text: `const args = (fn) => /^(?:async\\s*)?(?:function\\s*\\w*)?\\s*\\(?([^)=]*)/.exec(fn.toString())[1].split(",").map((it) => it.trim()).filter(Boolean);
exports.inject = (fn, services) => fn(...args(fn).map((it) => services[it]));
exports.controller = function ($scope, $http) { return $scope + $http; };
exports.arrow = $http => $http * 2;
exports.run = () => [exports.inject(exports.controller, { $scope: 1, $http: 2 }), exports.inject(exports.arrow, { $http: 3 })];
exports.worker = function (n) { const twice = (it) => it * 2; return twice(n) + 1; };
exports.elsewhere = (n) => new Function("return " + exports.worker)()(n);
exports.isClass = () => /^class\\b/.test(class A { m() {} }) && /^class A/.test(Function.prototype.toString.call(class A { m() { return () => 1; } }));
exports.isNative = (fn) => /\\{\\s*\\[native code\\]\\s*\\}\\s*$/.test(Function.prototype.toString.call(fn));`,
    edits: [["function ($scope, $http) { return $scope + $http", "function ($http, $scope) { return $scope - $http", "patch"], ["$http * 2", "$http * 4", "patch"], ["it * 2;", "it * 20;", "patch"], ["($http, $scope)", "($http)", "hold"], ["$scope - $http", "-$http", "patch"]],
    see: ["run()", "elsewhere(5)", "isClass()", "isNative(Math.max)", "isNative(run)", "isNative(run.bind(null))", "isNative(Function.prototype.toString)", "isNative(new Proxy(run, {}))"],
  },
  "JSON and data in code": {
    text: `export const data = { "__proto__": null, a: [1,,2,], "b c": { d: function () { return 1 } , e() { return 2 }, f: async function* () { yield 3 } } };
export const [x = () => 1, { y = () => 2, ...z } = {}] = [];
export const nested = [[[[[(() => (() => (() => 7)())())()]]]]];
export const tag = (s, ...v) => s.raw.join("|") + v.length, tagged = (n) => tag\`a\${n}\\n\${() => n}b\`;`,
    edits: [["return 1 }", "return 10 }", "patch"], ["return 2 }", "return 20 }", "patch"], ["}b\\`".replace("\\", ""), "}c`", "patch"]],
    see: ["data['b c'].d()", "data['b c'].e()", "data.a.length", "x()", "y()", "nested", "tagged(1)"],
  },
};

test("texts of every kind run as they run plainly, and are patched or run again", async (t) => {
  const bench = await Bench.start(t);
  const plain = await makeTempFolder(t, "plain");
  const only = process.env.CAPUCHIN_FIXTURE;
  for (const [name, it] of Object.entries(CASES)) if (!only || name.includes(only)) await t.test(name, () => run(bench, plain, it));
});

/** @param {Bench} bench @param {string} plain @param {Case} it */
async function run(bench, plain, { main = "main.js", text, edits, see }) {
  const program = await bench.open({ [main]: text });
  /** @param {string} text */
  const likePlain = async (text) => {
    const fresh = await runPlainly(plain, { [main]: text });
    for (const expression of see) assert.deepEqual(await program.see(expression), await observe(fresh, {}, expression), expression);
  };
  try {
    assert.deepEqual(program.problems, []);
    await likePlain(text);
    let now = text;
    for (const [from, to, verdict] of edits) {
      assert.ok(now.includes(from), `the text has ${from}`);
      now = now.replace(from, () => to);
      const got = await program.edit(now);
      assert.equal(got.verdict.verdict, verdict, `${from}: ${JSON.stringify(got.verdict.reason)}`);
      if (verdict === "updateModule") assert.ok(got.verdict.reason?.message, "there is a reason");
      if (verdict !== "hold") await likePlain(now);
    }
    const undone = await program.edit(text);
    assert.notEqual(undone.verdict.verdict, "hold", JSON.stringify(undone.verdict.reason));
    await likePlain(text);
    assert.deepEqual(program.problems, []);
  } finally {
    program.close();
  }
}
