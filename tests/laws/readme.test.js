// What README says of edits is what the behaviours show: each of its lines names, in readme.json, the fixtures or the tests that
// show it, and each fixture is there for a line.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fixtures } from "./fixtures.js";

const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
/** @type {Record<string, string[]>} */
const SHOWN_BY = JSON.parse(readFileSync(new URL("readme.json", import.meta.url), "utf8"));

/** The rows of the table and the points of the list, without their marks. */
function lines() {
  const [, part] = /^## What an edit does\n([^]*?)^### What the editor says/m.exec(README) ?? [];
  const rows = part.split("\n").filter((it) => it.startsWith("| ")).slice(2).map((it) => it.slice(2));
  const points = part.split("\n").filter((it) => it.startsWith("- ")).map((it) => it.slice(2));
  return [...rows, ...points].map((it) => it.replace(/^\*\*/, ""));
}

test("each line of README on edits is shown by fixtures or tests, and each fixture shows one", () => {
  const names = fixtures().map(({ name }) => name);
  const said = lines();
  const keys = Object.keys(SHOWN_BY);
  for (const line of said) assert.equal(keys.filter((it) => line.startsWith(it)).length, 1, `readme.json has one entry for: ${line}`);
  for (const key of keys) assert.ok(said.some((it) => it.startsWith(key)), `README says nothing that begins with: ${key}`);
  const patterns = Object.values(SHOWN_BY).flat();
  for (const it of patterns) {
    const found = it.endsWith(".test.js") ? existsSync(new URL(`../${it}`, import.meta.url)) : names.some((name) => matches(name, it));
    assert.ok(found, `${it} is neither a fixture nor a test`);
  }
  for (const name of names) assert.ok(patterns.some((it) => matches(name, it)), `${name} shows nothing that README says`);
});

/** @param {string} name @param {string} pattern */
function matches(name, pattern) {
  return new RegExp(`^${pattern.split("*").map((it) => it.replaceAll(/[-.]/g, "\\$&")).join(".*")}$`).test(name);
}
