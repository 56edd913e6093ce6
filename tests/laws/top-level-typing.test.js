// Typing at the top level goes through texts that would fail if the module ran with them: half a word is a statement that reads what
// nothing declares. It waits, so that what is patched in the end is patched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench } from "./bench.js";

const MAIN = `let count = 0;
export const held = {};
export function bump() { count += 1; return count; }
export class Cart { describe() { return "cart"; } }
`;

/**
 * Types a text at the end, key by key.
 *
 * @param {import("./bench.js").Program} program
 * @param {string} text
 * @param {(key: number) => unknown} [after] what is waited for after each key
 */
async function type(program, text, after = () => program.judged(program.document.version)) {
  for (let key = 0; key < text.length; key++) {
    const { length } = program.document.text;
    program.document.edit(length, length, text[key]);
    await after(key);
  }
}

/** @param {import("./bench.js").Program} program @param {number} version */
const outcomeOf = (program, version) =>
  program.listener.until(`the outcome of version ${version}`, () => program.listener.outcomes.find((it) => it.page === program.page && it.version >= version));

test("a function that is typed at the top level is there when it is whole, and what uses it", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": MAIN });
  await program.see("bump()");
  await type(program, "function shout(s) { return s.toUpperCase(); }\n");
  const last = program.document.replace('return "cart"', 'return shout("cart")');
  assert.equal((await outcomeOf(program, last)).outcome, "live");
  assert.equal(await program.see("new Cart().describe()"), "CART");
  assert.equal(await program.see("bump()"), 2, "the module has not run again");
  const verdicts = program.listener.outcomes.map((it) => it.outcome);
  assert.ok(!verdicts.includes("needsReload") && !verdicts.includes("threw"), verdicts.join(" "));
  program.close();
});

for (const [what, typed] of Object.entries({
  "a constant": "const more = 1;",
  "a class": "class More extends Cart { more() { return 1; } }",
  "an async function": "async function more() { await null; return 1; }",
  "an import": 'import { more } from "./more.js";',
})) {
  test(`${what} that is typed at the top level does not make the module run again`, async (t) => {
    const bench = await Bench.start(t);
    const program = await bench.open({ "main.js": MAIN, "more.js": "export const more = 1;\n" });
    await program.see("bump()");
    await type(program, `${typed}\n`);
    const last = program.document.replace('return "cart"', "return typeof [more, 1]".replace("[more, 1]", what === "a class" ? "More" : "more"));
    assert.equal((await outcomeOf(program, last)).outcome, "live");
    const shown = what === "a constant" || what === "an import" ? "number" : "function";
    assert.equal(await program.see("new Cart().describe()"), shown);
    assert.equal(await program.see("bump()"), 2, "the module has not run again");
    program.close();
  });
}

test("a word that nothing declares waits until it is saved", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": MAIN });
  const version = program.document.edit(MAIN.length, MAIN.length, "undeclaredYet;\n");
  const { verdict, reason } = await program.judged(version);
  assert.deepEqual([verdict, reason?.code], ["hold", "unresolved"]);
  // Functions do not wait with it.
  const edited = program.document.replace('"cart"', '"box"');
  assert.equal((await outcomeOf(program, edited)).outcome, "live");
  assert.equal(await program.see("new Cart().describe()"), "box");
  program.document.save();
  await program.listener.until("the update", () => program.listener.outcomes.find((it) => it.outcome === "needsReload"));
  program.close();
});

// `count` is a variable, `top` and `name` are the page's: none of them does anything by itself.
for (const typed of ["count", "top", "held", "name"]) {
  test(`the name ${typed} alone waits for what follows, and a function in its place is patched`, async (t) => {
    const bench = await Bench.start(t);
    const program = await bench.open({ "main.js": MAIN });
    await program.see("bump()");
    const { verdict, reason } = await program.judged(program.document.edit(MAIN.length, MAIN.length, typed));
    assert.deepEqual([verdict, reason?.code], ["hold", "name"]);
    const there = program.document.text.length;
    const version = program.document.edit(there - typed.length, there, "function later() { return 5; }");
    assert.equal((await program.judged(version)).verdict, "patch");
    const last = program.document.replace('return "cart"', "return later()");
    assert.equal((await outcomeOf(program, last)).outcome, "live");
    assert.equal(await program.see("[new Cart().describe(), bump()]").then(String), "5,2");
    program.close();
  });
}

test("a name with a call after it runs the module again", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": MAIN });
  await program.judged(program.document.edit(MAIN.length, MAIN.length, "bump"));
  const { length } = program.document.text;
  assert.equal((await program.judged(program.document.edit(length, length, "();"))).verdict, "updateModule");
  program.close();
});

test("statements that go and come back one by one, unsaved, have the functions that they made", async (t) => {
  const bench = await Bench.start(t);
  const lines = (/** @type {string[]} */ ...functions) => functions.map((it) => `bus.on((x) => ${it});\n`).join("");
  const text = (/** @type {string[]} */ ...functions) => `const bus = { l: [], on(f) { this.l.push(f); } };\n${lines(...functions)}export const emit = (x) => bus.l.map((f) => f(x));\n`;
  const program = await bench.open({ "main.js": text("x + 1", "x + 2") });
  const typed = (/** @type {string[]} */ ...functions) => {
    const { document } = program;
    const version = document.edit(0, document.text.length, text(...functions));
    return program.judged(version);
  };
  for (const there of [["x * 10", "x + 2"], ["x + 2", "x * 10"], ["x * 10", "x + 1"]]) {
    assert.equal((await typed()).verdict, "updateModule");
    assert.equal((await typed(there[0])).verdict, "updateModule");
    await typed(...there);
    await outcomeOf(program, program.document.version);
    const fresh = there.map((it) => new Function("x", `return ${it}`)(1));
    assert.deepEqual(await program.see("emit(1)"), fresh, there.join());
    await typed("x + 1", "x + 2");
    await outcomeOf(program, program.document.version);
    assert.deepEqual(await program.see("emit(1)"), [2, 3]);
  }
  program.close();
});
