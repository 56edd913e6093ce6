// TRY.md: a heading, a few sentences, then edits. Readable as it is, and simple enough to be read by a program.
//
//     ## Run on the moon
//     In `physics.js`:
//     ```js …old text… ```
//     becomes
//     ```js …new text… ```
//     What will be seen.

/**
 * @typedef {object} Try
 * @property {string} title
 * @property {string} file  beside TRY.md
 * @property {string} before
 * @property {string} after
 * @property {string} effect  what will be seen
 */

/**
 * Sections that are not complete are left out.
 *
 * @param {string} markdown
 */
export function parseTries(markdown) {
  const [head = "", ...sections] = markdown.replaceAll("\r\n", "\n").split(/^## /m);
  const [heading = "", ...rest] = head.trim().split("\n");
  return {
    title: heading.replace(/^#\s*/, ""),
    intro: oneLine(rest.join("\n")),
    tries: sections.map(parseSection).filter((it) => it !== null),
  };
}

/**
 * @param {string} section
 * @returns {Try | null}
 */
function parseSection(section) {
  const parts = /^(?<title>.*)\n[^]*?`(?<file>[^`]+)`[^]*?^```\w*\n(?<before>[^]*?)\n```$[^]*?^```\w*\n(?<after>[^]*?)\n```$(?<effect>[^]*)$/m.exec(section);
  if (!parts?.groups) return null;
  const { title = "", file = "", before = "", after = "", effect = "" } = parts.groups;
  return { title: title.trim(), file, before, after, effect: oneLine(effect) };
}

/** @param {string} text */
function oneLine(text) {
  return text.trim().replace(/\s+/g, " ");
}

/**
 * How far an edit has come in a text.
 *
 * @param {string} text
 * @param {Try} it
 * @returns {"before" | "after" | "changed"}
 */
export function stateOf(text, { before, after }) {
  if (text.includes(before)) return "before";
  return text.includes(after) ? "after" : "changed";
}

const isWord = (/** @type {string | undefined} */ sign) => sign !== undefined && /[\w$#.]/.test(sign);

/**
 * The part of an edit that a person would select and type: whole words, not the digits in which two numbers happen to differ.
 *
 * @param {string} before
 * @param {string} after
 */
export function typedPart(before, after) {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  const room = Math.min(before.length, after.length) - start;
  while (end < room && before.at(-1 - end) === after.at(-1 - end)) end++;

  const differs = (/** @type {number} */ at) => isWord(before[at]) || isWord(after[at]);
  while (start > 0 && isWord(before[start - 1]) && differs(start)) start--;
  while (end > 0 && isWord(before.at(-end)) && (isWord(before.at(-1 - end)) || isWord(after.at(-1 - end)))) end--;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}
