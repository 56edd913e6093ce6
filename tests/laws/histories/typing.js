// How a person gets from one text to another: hunk by hunk, what goes is deleted, what is new is typed, one character at a time.

/** @typedef {{ start: number, end: number, text: string }} Edit `start` and `end` are string indices in the text before it */

/** Deleting more than this in one place is done by selecting it. */
const SELECTS = 120;

/** Texts that differ in more lines than this are another text, not another version. */
const MOST_LINES = 2000;

/**
 * The hunks between two texts. Each is a list of edits; the next hunk's edits count on those before it.
 *
 * @param {string} from
 * @param {string} to
 * @returns {Edit[][]}
 */
export function hunks(from, to) {
  const [before, after] = [lines(from), lines(to)];
  const hunks = [];
  // Where the text of the next line begins, in the text as it is after the hunks so far.
  let at = 0;
  let line = 0;
  for (const { start, end, newStart, newEnd } of changes(before, after)) {
    for (; line < start; line++) at += before[line].length;
    const [old, wanted] = [before.slice(start, end), after.slice(newStart, newEnd)];
    /** @type {Edit[]} */
    const edits = [];
    if (old.length === wanted.length) {
      for (const [index, text] of old.entries()) {
        retype(text, wanted[index], at, edits);
        at += wanted[index].length;
      }
    } else {
      retype(old.join(""), wanted.join(""), at, edits);
      at += wanted.join("").length;
    }
    line = end;
    hunks.push(edits);
  }
  return hunks;
}

/**
 * @param {string} from
 * @param {string} to
 * @param {number} at where `from` stands
 * @param {Edit[]} edits
 */
function retype(from, to, at, edits) {
  const [old, wanted] = [characters(from), characters(to)];
  let start = 0;
  while (start < old.length && start < wanted.length && old[start] === wanted[start]) start += 1;
  let tail = 0;
  while (tail < old.length - start && tail < wanted.length - start && old[old.length - 1 - tail] === wanted[wanted.length - 1 - tail]) tail += 1;
  const begin = at + old.slice(0, start).join("").length;
  const gone = old.slice(start, old.length - tail);
  let end = begin + gone.join("").length;
  if (gone.length > SELECTS) edits.push({ start: begin, end, text: "" });
  else {
    for (const character of gone.reverse()) {
      edits.push({ start: end - character.length, end, text: "" });
      end -= character.length;
    }
  }
  let caret = begin;
  for (const character of wanted.slice(start, wanted.length - tail)) {
    edits.push({ start: caret, end: caret, text: character });
    caret += character.length;
  }
}

/** What one press of a key makes. @param {string} text */
function characters(text) {
  return text.match(/\r\n|./gsu) ?? [];
}

/** @param {string} text */
function lines(text) {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/**
 * What differs between two lists, as a shortest edit script has it.
 *
 * @param {string[]} from
 * @param {string[]} to
 */
export function changes(from, to) {
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head += 1;
  let tail = 0;
  while (tail < from.length - head && tail < to.length - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail += 1;
  const pairs = common(from.slice(head, from.length - tail), to.slice(head, to.length - tail));
  const changes = [];
  let [x, y] = [head, head];
  for (const [oldIndex, newIndex] of [...pairs.map(([a, b]) => [a + head, b + head]), [from.length - tail, to.length - tail]]) {
    if (x < oldIndex || y < newIndex) changes.push({ start: x, end: oldIndex, newStart: y, newEnd: newIndex });
    [x, y] = [oldIndex + 1, newIndex + 1];
  }
  return changes;
}

/**
 * A longest common subsequence as pairs of indices, by Myers' greedy algorithm.
 *
 * @param {string[]} a
 * @param {string[]} b
 * @returns {[number, number][]}
 */
function common(a, b) {
  const most = Math.min(a.length + b.length, MOST_LINES);
  /** The furthest x on each diagonal; a copy for each number of differences. */
  let furthest = new Map([[1, 0]]);
  const trace = [];
  search: for (let d = 0; d <= most; d++) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [furthest.get(k - 1) ?? -1, furthest.get(k + 1) ?? -1];
      let x = k === -d || (k !== d && left < right) ? right : left + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) break search;
    }
    if (d === MOST_LINES) return [];
  }
  /** @type {[number, number][]} */
  const pairs = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d--) {
    furthest = trace[d];
    const k = x - y;
    const [left, right] = [furthest.get(k - 1) ?? -1, furthest.get(k + 1) ?? -1];
    const previous = k === -d || (k !== d && left < right) ? k + 1 : k - 1;
    const beforeX = furthest.get(previous) ?? 0;
    const beforeY = beforeX - previous;
    while (x > beforeX && y > beforeY && x > 0 && y > 0) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    [x, y] = [beforeX, beforeY];
  }
  return pairs.reverse();
}
