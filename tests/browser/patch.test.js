// Function patches in a real page: what runs changes, what was there stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, settle } from "../support/live.js";

/** @typedef {{ verdict: any, outcome: any }} Settled */

/** @param {Settled} settled */
function assertLive({ verdict, outcome }) {
  assert.equal(verdict.verdict, "patch", JSON.stringify(verdict));
  assert.equal(outcome.outcome, "live", JSON.stringify(outcome));
}

test("a closure keeps its variable when its function is edited", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `let made = 0;
export function createCounter(start) {
  let n = start;
  made += 1;
  return { inc() { n += 1; return n; } };
}
globalThis.a = createCounter(10);
globalThis.b = createCounter(20);
globalThis.held = a.inc;
globalThis.made = () => made;
`,
  });
  assert.equal(await page.evaluate("a.inc() + ',' + b.inc()"), "11,21");
  const settled = await edit("n += 1; return n", "n += 100; return n");
  assertLive(settled);
  assert.deepEqual(settled.verdict.sites.map((/** @type {any} */ it) => [it.name, it.kind]), [["inc", "method"]]);
  assert.equal(await page.evaluate("a.inc() + ',' + b.inc() + ',' + held() + ',' + made() + ',' + (held === a.inc)"), "111,121,211,2,true");
  assert.deepEqual(problems, []);
});

test("a listener that was added before runs the new code and can still be removed", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `let clicks = 0;
function onClick(event) {
  clicks += 1;
  out.textContent = \`\${event.type} \${clicks}\`;
}
document.addEventListener("click", onClick);
globalThis.stop = () => document.removeEventListener("click", onClick);
document.addEventListener("keydown", ({ key }) => {
  out.textContent = key;
});
`,
  });
  const shown = () => page.textContent("#out");
  await page.mouse.click(5, 5);
  assert.equal(await shown(), "click 1");
  assertLive(await edit("${event.type} ${clicks}", "${clicks} x ${event.type}"));
  await page.mouse.click(5, 5);
  assert.equal(await shown(), "2 x click");
  assertLive(await edit("out.textContent = key", "out.textContent = key.toUpperCase()"));
  await page.keyboard.press("q");
  assert.equal(await shown(), "Q");
  await page.evaluate("stop()");
  await page.mouse.click(5, 5);
  assert.equal(await shown(), "Q");
  assert.deepEqual(problems, []);
});

test("timers and animation frames go on with the new code", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `const started = {};
globalThis.started = started;
let ticks = 0;
setInterval(() => {
  ticks += 1;
  globalThis.tick = \`old \${ticks}\`;
}, 5);
function frame() {
  globalThis.frame = "old";
  requestAnimationFrame(frame);
}
frame();
`,
  });
  await page.waitForFunction("globalThis.tick?.startsWith('old') && globalThis.frame === 'old'");
  await page.evaluate("globalThis.before = started");
  assertLive(await edit("`old ${ticks}`", "`new ${ticks}`"));
  assertLive(await edit('globalThis.frame = "old"', 'globalThis.frame = "new"'));
  await page.waitForFunction("globalThis.tick.startsWith('new') && globalThis.frame === 'new'");
  assert.ok(await page.evaluate("Number(tick.slice(4)) > 1 && before === started"));
  assert.deepEqual(problems, []);
});

test("objects of a class keep their fields when its methods are edited", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `class Animal {
  #legs = 4;
  static made = 0;
  constructor(name) {
    this.name = name;
    Animal.made += 1;
  }
  get legs() { return this.#legs; }
  set legs(n) { this.#legs = n; }
  describe() { return \`\${this.name} has \${this.legs}\`; }
  static count() { return Animal.made; }
  #secret() { return "s"; }
  reveal() { return this.#secret(); }
}
class Bird extends Animal {
  describe() { return \`bird \${super.describe()}\`; }
}
globalThis.animal = new Animal("cat");
globalThis.bird = new Bird("crow");
globalThis.Animal = Animal;
`,
  });
  await page.evaluate("bird.legs = 2");
  assert.equal(await page.evaluate("bird.describe()"), "bird crow has 2");
  assertLive(await edit("return this.#legs;", "return this.#legs * 10;"));
  assert.equal(await page.evaluate("bird.describe() + animal.legs"), "bird crow has 2040");
  assertLive(await edit("`bird ${super.describe()}`", "`Bird: ${super.describe()}`"));
  assertLive(await edit("{ return Animal.made; }", "{ return -Animal.made; }"));
  assertLive(await edit('{ return "s"; }', '{ return "t" + this.#legs; }'));
  assertLive(await edit("    this.name = name;", "    this.name = name + '!';"));
  assert.equal(await page.evaluate("bird.describe() + Animal.count() + bird.reveal() + new Animal('x').name"), "Bird: crow has 20-2t2x!");
  assert.ok(await page.evaluate("animal.constructor === Animal && bird instanceof Animal"));
  assert.deepEqual(problems, []);
});

test("edited code may use an import and a global that it did not use before", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `import { twice, unit as one } from "./numbers.js";
import * as numbers from "./numbers.js";
import half from "./numbers.js";
const seen = [one];
export function compute(x) {
  return x;
}
globalThis.compute = compute;
`,
    "numbers.js": "export const unit = 1;\nexport function twice(x) { return 2 * x; }\nexport default (x) => x / 2;\n",
  });
  assertLive(await edit("return x;", "return twice(x) + one;"));
  assert.equal(await page.evaluate("compute(4)"), 9);
  assertLive(await edit("return twice(x) + one;", "return Math.max(half(x), numbers.unit, seen.length);"));
  assert.equal(await page.evaluate("compute(4)"), 2);
  assert.deepEqual(problems, []);
});

test("going back to the first text restores the first behaviour", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": "export const price = (n, { tax = 1 } = {}) => n * tax;\nglobalThis.price = price;\n",
  });
  assert.equal(await page.evaluate("price(3)"), 3);
  assertLive(await edit("n * tax;", "n * tax + 10;"));
  assert.equal(await page.evaluate("price(3)"), 13);
  assertLive(await edit("n * tax + 10;", "n * tax;"));
  assert.equal(await page.evaluate("price(3)"), 3);
  assertLive(await edit("n * tax;", "n + tax;"));
  assert.equal(await page.evaluate("price(3)"), 4);
  assert.deepEqual(problems, []);
});

test("async functions, generators and default parameters are patched", async (t) => {
  const { edit, page, problems } = await live(t, {
    "main.js": `let base = 100;
export async function load(id = base) {
  await null;
  return id;
}
export function* ids(n) {
  for (let i = 0; i < n; i++) yield i;
}
export default async function* () {
  yield base;
}
const { f } = { f: ([first, ...rest], { a: { b } = { b: 1 } } = {}) => first + rest.length + b };
Object.assign(globalThis, { load, ids, f });
`,
  });
  assertLive(await edit("return id;", "return id + base;"));
  assert.equal(await page.evaluate("load()"), 200);
  assertLive(await edit("yield i;", "yield i * base;"));
  assert.deepEqual(await page.evaluate("[...ids(3)]"), [0, 100, 200]);
  assertLive(await edit("first + rest.length + b }", "first * 1000 + rest.length + b }"));
  assert.equal(await page.evaluate("f([1, 2, 3])"), 1003);
  assertLive(await edit("id = base", "id = base + 1"));
  assert.equal(await page.evaluate("load()"), 201);
  assert.deepEqual(problems, []);
});

test("keys typed quickly end in the newest text, in order", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "let calls = 0;\nexport function f() {\n  calls += 1;\n  return 0;\n}\nglobalThis.f = f;\nglobalThis.calls = () => calls;\n",
  });
  await page.evaluate("f()");
  const version = document.type("return 0", " + 1111 + 22222 + 333333");
  assertLive(await settle(client, document, version));
  assert.equal(await page.evaluate("f()"), 1111 + 22222 + 333333);
  assert.equal(await page.evaluate("calls()"), 2);
  // Half-typed texts on the way (`return 0 +`) never reached the page.
  assert.deepEqual(problems, []);
  const versions = client.seen("capuchin/outcome").map(({ params }) => params.version);
  assert.deepEqual(versions, [...versions].sort((a, b) => a - b));
});

test("two functions changed by one edit change together", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "function a() { return 1; }\nfunction b() { return 2; }\nglobalThis.sum = () => `${a()} ${b()}`;\n",
  });
  const version = document.setText(document.text.replace("return 1", "return 10").replace("return 2", "return 20"));
  const settled = await settle(client, document, version);
  assertLive(settled);
  assert.deepEqual(settled.verdict.sites.map((/** @type {any} */ it) => it.name).sort(), ["a", "b"]);
  assert.equal(await page.evaluate("sum()"), "10 20");
  assert.deepEqual(problems, []);
});

test("white space and comments change nothing, and later edits still find their functions", async (t) => {
  const { client, document, edit, page, problems } = await live(t, {
    "main.js": "function a() { return 1; }\nfunction b() { return 2; }\nglobalThis.sum = () => `${a()} ${b()}`;\n",
  });
  const first = document.edit(0, 0, "// What follows is new.\n\n");
  assert.equal((await client.verdict(document, first)).verdict, "unchanged");
  const second = document.replace("return 2;", "return  /* two */ 2;");
  assert.equal((await client.verdict(document, second)).verdict, "unchanged");
  assertLive(await edit("/* two */ 2", "/* two */ 22"));
  assertLive(await edit("return 1", "return 11"));
  assert.equal(await page.evaluate("sum()"), "11 22");
  assert.deepEqual(problems, []);
});

test("a syntax error holds its own function only", async (t) => {
  const { client, document, edit, page, problems } = await live(t, {
    "main.js": "function a() { return 1; }\nfunction b() { return 2; }\nglobalThis.sum = () => `${a()} ${b()}`;\n",
  });
  const broken = await client.verdict(document, document.replace("return 1;", "return (1;"));
  assert.equal(broken.verdict, "hold");
  assert.equal(broken.reason.code, "syntax");
  assert.equal(broken.reason.range.start.line, 0);
  assertLive(await edit("return 2;", "return 22;"));
  assert.equal(await page.evaluate("sum()"), "1 22");
  assertLive(await edit("return (1;", "return (11);"));
  assert.equal(await page.evaluate("sum()"), "11 22");
  assert.deepEqual(problems, []);
});

test("an unclosed brace holds what follows, until it is closed", async (t) => {
  const { client, document, edit, page, problems } = await live(t, {
    "main.js": "function a() { return 1; }\nfunction b() { return 2; }\nglobalThis.sum = () => `${a()} ${b()}`;\n",
  });
  assert.equal((await client.verdict(document, document.replace("return 1;", "if (true) { return 1;"))).verdict, "hold");
  assert.equal(await page.evaluate("sum()"), "1 2");
  assertLive(await edit("{ return 1;", "{ return 3; }"));
  assert.equal(await page.evaluate("sum()"), "3 2");
  assert.deepEqual(problems, []);
});

test("a name that nothing declares is held, and live as soon as it is whole", async (t) => {
  const { client, document, page, problems } = await live(t, {
    "main.js": "let count = 7;\nexport function f() {\n  return 0;\n}\nglobalThis.f = f;\nglobalThis.up = () => { count += 1; };\n",
  });
  await page.evaluate("up()");
  const held = await settle(client, document, document.replace("return 0", "return cou"));
  assert.equal(held.verdict.verdict, "hold");
  assert.equal(held.verdict.reason.code, "unresolved");
  assert.equal(held.outcome.outcome, "held");
  assert.equal(held.outcome.reason.code, "unresolved");
  assert.equal(await page.evaluate("f()"), 0);
  // Still nothing, though this text adds no other unknown name.
  const still = await settle(client, document, document.replace("return cou;", "return cou + 0;"));
  assert.equal(still.verdict.verdict, "hold");
  assert.equal(still.outcome.outcome, "held");
  assertLive(await settle(client, document, document.type("return cou", "nt")));
  assert.equal(await page.evaluate("f()"), 8);
  assert.deepEqual(problems, []);
});

test("a held function does not hold up the next edit of another one", async (t) => {
  const { client, document, edit, page, problems } = await live(t, {
    "main.js": "function a() { return 1; }\nfunction b() { return 2; }\nglobalThis.sum = () => `${a()} ${b()}`;\n",
  });
  const held = await settle(client, document, document.replace("return 1", "return one"));
  assert.equal(held.outcome.outcome, "held");
  assertLive(await edit("return 2", "return 22"));
  assert.equal(await page.evaluate("sum()"), "1 22");
  assertLive(await edit("return one", "return 11"));
  assert.equal(await page.evaluate("sum()"), "11 22");
  assert.deepEqual(problems, []);
});

test("error stacks name the user's file and line, before and after patches", async (t) => {
  const { client, document, edit, page, url } = await live(t, {
    "main.js": `// one
export function where() {
  return new Error("here").stack;
}
const object = {
  method() {
    return new Error("here").stack;
  },
  arrow: () =>
    new Error("here").stack,
};
class C {
  m() { return new Error("here").stack; }
}
Object.assign(globalThis, { where, object, c: new C() });
`,
  });
  /** @param {string} call */
  const frame = async (call) => String(await page.evaluate(call)).split("\n")[1].trim();
  const origin = url.replace(/\/$/, "");
  assert.match(await frame("where()"), new RegExp(`^at where \\(${origin}/main\\.js:3:\\d+\\)$`));
  assert.match(await frame("object.method()"), new RegExp(`^at (Object|object)\\.method \\(${origin}/main\\.js:7:\\d+\\)$`));
  assert.match(await frame("object.arrow()"), new RegExp(`${origin}/main\\.js:10:\\d+\\)?$`));
  assert.match(await frame("c.m()"), new RegExp(`^at C\\.m \\(${origin}/main\\.js:13:\\d+\\)$`));

  await client.verdict(document, document.replace("// one\n", "// one\n// two\n// three\n"));
  // Comments alone change nothing in the page; the functions edited below stand two lines further down.
  assertLive(await edit('function where() {\n  return new Error("here")', 'function where() {\n  const x = 1;\n  return new Error("now")'));
  assertLive(await edit('method() {\n    return new Error("here")', 'method() {\n    return new Error("now")'));
  assertLive(await edit('    new Error("here").stack,', '    new Error("now").stack,'));
  assertLive(await edit('  m() { return new Error("here")', '  m() { return new Error("now")'));
  assert.match(await frame("where()"), new RegExp(`^at where \\(${origin}/main\\.js:6:\\d+\\)$`));
  assert.match(await frame("object.method()"), new RegExp(`^at (Object|object)\\.method \\(${origin}/main\\.js:10:\\d+\\)$`));
  assert.match(await frame("object.arrow()"), new RegExp(`${origin}/main\\.js:13:\\d+\\)?$`));
  assert.match(await frame("c.m()"), new RegExp(`^at C\\.m \\(${origin}/main\\.js:16:\\d+\\)$`));
});

test("uncaught errors of patched code reach the console with the buffer's line", async (t) => {
  const { edit, page, problems, url } = await live(t, {
    "main.js": "export function go() {\n  return 1;\n}\nglobalThis.go = go;\n",
  });
  assertLive(await edit("return 1;", "const a = 1;\n\n  throw new TypeError(`no ${a}`);"));
  const thrown = page.waitForEvent("pageerror");
  await page.evaluate("void setTimeout(go)");
  const error = await thrown;
  assert.equal(error.message, "no 1");
  assert.ok(error.stack?.includes(`${url}main.js:4:9`), error.stack);
  assert.equal(problems.length, 1);
});
