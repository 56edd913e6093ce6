import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { toContentChanges, toOffset, toPosition } from "../src/changes.js";

/** @typedef {import("../src/changes.js").Position} Position */

/**
 * Applies content changes as the LSP says: one after another.
 *
 * @param {string} text
 * @param {ReturnType<typeof toContentChanges>} changes
 */
function applyAsServer(text, changes) {
  for (const { range, text: inserted } of changes) {
    const offset = (/** @type {Position} */ { line, character }) =>
      text.split("\n").slice(0, line).reduce((sum, it) => sum + it.length + 1, 0) + character;
    text = text.slice(0, offset(range.start)) + inserted + text.slice(offset(range.end));
  }
  return text;
}

test("several changes of one transaction give the same text on both sides", () => {
  const before = "let a = 1;\nlet b = 2;\nlet c = 3;\n";
  const doc = Text.of(before.split("\n"));
  const changes = ChangeSet.of(
    [
      { from: 4, to: 5, insert: "first" },
      { from: 10, to: 11 },
      { from: 15, insert: "\n\n" },
      { from: 31, to: 32, insert: "9\n" },
    ],
    doc.length,
  );
  assert.equal(applyAsServer(before, toContentChanges(doc, changes)), changes.apply(doc).toString());
});

test("random transactions give the same text on both sides", () => {
  let seed = 20260101;
  const random = (/** @type {number} */ below) => (seed = (seed * 48271) % 2147483647) % below;
  let doc = Text.of(["🐒 one", "", "two 🥭🥭", "three"]);
  for (let round = 0; round < 500; round++) {
    const edits = Array.from({ length: 1 + random(3) }, () => {
      const from = random(doc.length + 1);
      return { from, to: Math.min(doc.length, from + random(4)), insert: ["", "x", "\n", "🐒", "a\nb\n"][random(5)] ?? "" };
    });
    const changes = edits
      .map((edit) => ChangeSet.of(edit, doc.length))
      .reduce((all, next) => all.compose(next.map(all)));
    const server = applyAsServer(doc.toString(), toContentChanges(doc, changes));
    doc = changes.apply(doc);
    assert.equal(server, doc.toString(), `round ${round}`);
  }
});

test("characters outside the basic plane count two", () => {
  const doc = Text.of(["🐒x", "y"]);
  assert.deepEqual(toPosition(doc, 3), { line: 0, character: 3 });
  assert.equal(toOffset(doc, { line: 0, character: 2 }), 2);
});

test("positions outside the text are moved to its nearest end", () => {
  const doc = Text.of(["ab", "c"]);
  assert.equal(toOffset(doc, { line: 0, character: 99 }), 2);
  assert.equal(toOffset(doc, { line: 9, character: 0 }), 4);
});
