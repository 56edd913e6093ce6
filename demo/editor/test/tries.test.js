import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { parseTries, stateOf, typedPart } from "../src/tries.js";

const examples = new URL("../../../examples/", import.meta.url);

const SAMPLE = `# A title

Some words
on two lines.

## Slower

In \`a.js\`:

\`\`\`js
  return 2300;
\`\`\`

becomes

\`\`\`js
  return 600;
\`\`\`

It slows
down.

## Not an edit

Only words.
`;

test("a file of things to try is read", () => {
  assert.deepEqual(parseTries(SAMPLE), {
    title: "A title",
    intro: "Some words on two lines.",
    tries: [{ title: "Slower", file: "a.js", before: "  return 2300;", after: "  return 600;", effect: "It slows down." }],
  });
});

test("line ends of Windows make no difference", () => {
  assert.deepEqual(parseTries(SAMPLE.replaceAll("\n", "\r\n")), parseTries(SAMPLE));
});

test("an empty file has nothing to try", () => {
  assert.deepEqual(parseTries(""), { title: "", intro: "", tries: [] });
});

/** @param {string} before @param {string} after @param {[string, string]} expected */
function checkTyped(before, after, [removed, inserted]) {
  const part = typedPart(before, after);
  assert.equal(before.slice(part.from, part.to), removed);
  assert.equal(part.insert, inserted);
  assert.equal(before.slice(0, part.from) + part.insert + before.slice(part.to), after);
}

test("whole numbers are typed, not the digits that differ", () => checkTyped("return 2300;", "return 600;", ["2300", "600"]));
test("whole words are typed", () => checkTyped("let color = red;", "let color = darkred;", ["red", "darkred"]));
test("only a sign is typed where only a sign is new", () => checkTyped("a * 6);", "a * -6);", ["", "-"]));
test("what is typed may be put in at the end", () => checkTyped("f();", "f();\ng();", ["", "\ng();"]));
test("what is typed may be nothing", () => checkTyped("a + b + c", "a + c", ["b + ", ""]));
test("repeated parts do not overlap", () => checkTyped("aa", "aaa", ["aa", "aaa"]));
test("an edit that changes nothing types nothing", () => checkTyped("same", "same", ["", ""]));

for (const example of readdirSync(examples)) {
  const folder = new URL(`${example}/`, examples);

  test(`${example}: three edits, each at one place and in working order`, () => {
    const { title, intro, tries } = parseTries(readFileSync(new URL("TRY.md", folder), "utf8"));
    assert.ok(title && intro);
    assert.equal(tries.length, 3);
    for (const it of tries) {
      const text = readFileSync(new URL(it.file, folder), "utf8");
      assert.equal(text.split(it.before).length, 2, `${it.title}: the old text is in ${it.file} exactly once`);
      assert.equal(stateOf(text, it), "before");
      assert.equal(stateOf(text.replace(it.before, () => it.after), it), "after");
      assert.ok(it.effect);
const part = typedPart(it.before, it.after);
      assert.equal(it.before.slice(0, part.from) + part.insert + it.before.slice(part.to), it.after);
    }
  });
}
