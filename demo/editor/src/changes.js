// CodeMirror's positions and changes in the words of the LSP, in UTF-16 units.

/** @typedef {import("@codemirror/state").Text} Text */
/** @typedef {import("@codemirror/state").ChangeSet} ChangeSet */
/** @typedef {{ line: number, character: number }} Position */
/** @typedef {{ start: Position, end: Position }} Range */

/**
 * @param {Text} doc
 * @param {number} offset
 * @returns {Position}
 */
export function toPosition(doc, offset) {
  const line = doc.lineAt(offset);
  return { line: line.number - 1, character: offset - line.from };
}

/**
 * Positions outside the text are moved to its nearest end: a message may be older than the text.
 *
 * @param {Text} doc
 * @param {Position} position
 */
export function toOffset(doc, { line, character }) {
  if (line >= doc.lines) return doc.length;
  const { from, to } = doc.line(line + 1);
  return Math.min(from + character, to);
}

/**
 * The incremental content changes of one transaction. The LSP applies them one after another, CodeMirror counts all of
 * them in the old text: sent from the end to the start, both mean the same.
 *
 * @param {Text} before
 * @param {ChangeSet} changes
 */
export function toContentChanges(before, changes) {
  /** @type {{ range: Range, text: string }[]} */
  const list = [];
  changes.iterChanges((from, to, _fromB, _toB, inserted) => {
    list.unshift({
      range: { start: toPosition(before, from), end: toPosition(before, to) },
      text: inserted.toString(),
    });
  });
  return list;
}
