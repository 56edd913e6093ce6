import assert from "node:assert/strict";
import { test } from "node:test";
import { tell } from "../src/story.js";

const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 1 } };
const sites = [{ name: "draw", kind: "function", range }];
const at = { uri: "file:///a.js", version: 2 };
const patch = /** @type {const} */ ({ ...at, verdict: "patch", sites });

/** @param {Partial<import("../src/story.js").Outcome>} it @returns {import("../src/story.js").Outcome} */
const outcome = (it) => ({ ...at, page: "p1", outcome: "live", ms: 2.08, ...it });

test("a live patch is told with its time and its function", () => {
  assert.deepEqual(tell(patch, [outcome({})], 1), { mood: "good", text: "live in 2.1 ms · draw" });
});

test("of several pages the slowest time is told", () => {
  const outcomes = [outcome({}), outcome({ page: "p2", ms: 14.6 })];
  assert.equal(tell(patch, outcomes, 2).text, "live in 15 ms · draw · in 2 pages");
  const loaded = outcome({ ms: 4000, reason: { code: "loaded", message: "the page was loaded with this version" } });
  assert.deepEqual(tell(patch, [loaded], 1), { mood: "good", text: "the page was loaded with this version" });
});

test("of several pages the worst outcome is told", () => {
  const threw = outcome({ page: "p2", outcome: "threw", reason: { code: "threw", message: "x is not a function" } });
  assert.deepEqual(tell(patch, [threw, outcome({})], 2), { mood: "bad", text: "threw: x is not a function" });
});

test("half-typed code is told as held, with the reason", () => {
  const reason = { code: "syntax", message: "the string does not end" };
  const { mood, text } = tell({ ...at, verdict: "hold", reason, sites: [] }, [], 1);
  assert.equal(mood, "wait");
  assert.equal(text, "held: the string does not end · the page runs the last good code");
});

test("a patch that nobody has asked for yet says so", () => {
  assert.equal(tell(patch, [], 0).text, "ready · draw · no page is connected");
});

test("verdicts and outcomes that are not known here are shown as they are", () => {
  const strange = /** @type {any} */ ({ ...at, verdict: "other", sites: [] });
  assert.equal(tell(strange, [], 1).text, "other");
  assert.equal(tell(patch, [/** @type {any} */ (outcome(/** @type {any} */ ({ outcome: "new" })))], 1).text, "new");
});
