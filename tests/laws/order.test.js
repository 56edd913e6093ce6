// Law 9 where messages cross: what a page says reaches the server after newer edits have left it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { Bench } from "./bench.js";

const before = `export function ask() { return 1; }
export function other() { return 2; }
`;
/** A declaration that is added together with code that names what nothing declares. */
const held = `export function ask() { return helper() + missing; }
export function other() { return 2; }
function helper() { return 40; }
`;

/**
 * Keeps back what a page says.
 *
 * @param {import("./bench.js").Program} program
 */
function keepBack(program) {
  const link = /** @type {any} */ (program.host.link);
  const send = link.wire.send.bind(link.wire);
  /** @type {string[]} */
  const kept = [];
  let wake = () => {};
  link.wire.send = (/** @type {string} */ text) => {
    kept.push(text);
    wake();
  };
  return {
    /** Waits until the page wants to say so many things. @param {number} n */
    async until(n) {
      while (kept.length < n) await within(`message ${n} of the page, after ${kept}`, new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve)));
      return kept.map((it) => JSON.parse(it)).map((it) => it.results?.[0].outcome ?? it.type);
    },
    /** Lets the first of them go. @param {number} n */
    release(n) {
      for (const text of kept.splice(0, n)) send(text);
    },
    /** Nothing is kept from here on. */
    end() {
      link.wire.send = send;
      this.release(kept.length);
    },
  };
}

/** Waits until the page runs the newest text. @param {import("./bench.js").Program} program */
function live({ listener, document }) {
  return listener.until("the page to have it", () => listener.outcomes.find((it) => it.outcome === "live" && it.version === document.version));
}

test("declarations that a page held come again, whatever crosses on the way", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({ "main.js": before });
  const line = keepBack(program);
  // The page holds this, and takes none of it.
  await program.judged(program.document.replace("{ return 1; }", "{ return helper() + missing; }"));
  await program.judged(program.document.edit(held.indexOf("function helper"), held.indexOf("function helper"), "function helper() { return 40; }\n"));
  assert.equal(program.document.text, held);
  const first = await line.until(2);
  assert.deepEqual(first, ["held", "held"]);
  // This builds on what the server believes the page to have: the page says hello.
  await program.judged(program.document.replace("return 2", "return 3"));
  assert.deepEqual((await line.until(3)).slice(2), ["hello"]);
  // The server hears of the first, and sends more before it hears the hello.
  line.release(2);
  await program.listener.until("the server to hear what was held", () => (program.listener.outcomes.length === 2 ? true : undefined));
  await program.judged(program.document.replace("return 3", "return 4"));
  line.end();
  program.document.replace(" + missing", " + 2");
  await live(program);
  assert.equal(await program.see("ask()"), 42);
  assert.equal(await program.see("other()"), 4);
  program.close();
});

test("what was typed while a module ran again arrives when it has", async (t) => {
  const bench = await Bench.start(t);
  const program = await bench.open({
    "main.js": `export const made = Number("1");
export function ask() { return made; }
import.meta.hot.accept();
`,
  });
  const line = keepBack(program);
  await program.judged(program.document.replace('"1"', '"2"'));
  program.document.save();
  assert.deepEqual(await line.until(1), ["moduleUpdated"]);
  // The server does not know yet that the module has run again, so what needs its top level waits for that.
  const { verdict } = await program.judged(program.document.replace("return made;", "return made + more();\n}\nfunction more() { return 40;"));
  assert.equal(verdict, "updateModule");
  line.end();
  await live(program);
  assert.equal(await program.see("ask()"), 42);
  program.close();
});
