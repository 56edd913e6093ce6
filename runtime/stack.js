// @ts-check
// Stack traces as plain JavaScript would give them: columns of the user's text, and no frames of guards and of the runtime.
//
// Lines are the user's anyway, since instrumentation adds none. What it adds to a line is marked (see text.js), so a column is put
// right when somebody reads the stack. Engines other than V8 have no such hook and show columns of the instrumented text.

import { movedSince, textBefore } from "./text.js";

/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./sites.js").Sites} Sites */
/** @typedef {import("./sites.js").Source} Source */
/** @typedef {{ getFileName(): string | null, getScriptNameOrSourceURL?(): string | null, getLineNumber(): number | null, getColumnNumber(): number | null, getFunctionName(): string | null, getFunction?(): Function | undefined, getPosition?(): number }} CallSite */
/** @typedef {(error: unknown, sites: CallSite[]) => unknown} Prepare */
/**
 * Where a call site is in the user's text; null: in code that is not the user's. `isGuard`: where a guard calls a patch.
 * @typedef {{ line: number, column: number, isGuard: boolean, yields: boolean, isPatch: boolean } | null} Place
 */

const { apply, get } = Reflect;
const { toString: describe } = Error.prototype;
const OWN = new URL(".", import.meta.url).href;

const LINE_END = /\r\n|[\n\r\u2028\u2029]/;

/** Whose modules are looked up. They go when their host does. @type {WeakRef<Registry>[]} */
let registries = [];

/** @param {CallSite} site */
const urlOf = (site) => site.getScriptNameOrSourceURL?.() ?? site.getFileName() ?? "";

/** Whether a position is in this code, as line and column tell. @param {string} code @param {number} line @param {number} column @param {number} position */
function isAt(code, line, column, position) {
  if (position > code.length) return false;
  const before = code.slice(0, position).split(LINE_END);
  return before.length === line && before.at(-1)?.length === column - 1;
}

/**
 * Where a position in code is in the user's text, with the functions before it as they are now.
 * @param {Source} source @param {number} position @param {Sites} sites @returns {Place}
 */
function place({ code, rev, isPatch }, position, sites) {
  const head = /^(?:\(\)=>\{ *\n*a\};\n)?(\/\*(\d+)\*\/)?[^\f\v]*\v/.exec(code);
  if (head !== null && position < head[0].length) return null;
  let [line, column] = [1, 1];
  if (head !== null && isPatch) {
    // A patch stands where its function does.
    const [lead] = head;
    const instead = /^\f\f\f\/\*(.*?)\*\//.exec(code.slice(lead.length))?.[1] ?? "";
    line = lead.split("\n").length;
    column += head[2] === undefined ? lead.length - 1 - (lead.lastIndexOf("\n", lead.length) + 1) - decodeURIComponent(instead).length : Number(head[2]);
  }
  const { end, inserted, passed } = inside(code, position);
  // The way from a newer constructor to the one above.
  if (passed.includes("=>su")) return null;
  const before = textBefore(code.slice(0, end), rev, sites).split(LINE_END);
  const last = /** @type {string} */ (before.at(-1));
  line += before.length - 1;
  column = (before.length === 1 ? column : 1) + last.length;
  return { line, column, isPatch, isGuard: /\.[cn]\(/.test(inserted), yields: inserted.includes("yield* ") };
}

/** The insertion that a position is in, if any, and where the user's text before it ends. @param {string} code @param {number} position */
function inside(code, position) {
  // The call of what stands for a name counts from the name.
  const called = code[position - 1] === "\v" && code[position - 2] === ")";
  const from = called ? position - 1 : position;
  const start = code.lastIndexOf("\f", from - 1);
  // An even number of them: a site starts.
  const isOpen = start !== -1 && code.lastIndexOf("\v", from - 1) < start && (/\f+$/.exec(code.slice(Math.max(0, start - 9), start + 1))?.[0].length ?? 0) % 2 === 1;
  if (!isOpen || called && !code.startsWith("/*", start + 1)) return { end: position, inserted: "", passed: "" };
  if (called) return { end: start, inserted: "", passed: "" };
  const inserted = /^[^\f\v]*/.exec(code.slice(start + 1))?.[0] ?? "";
  return { end: start, inserted, passed: code.slice(start + 1, position + 2) };
}

/** @param {CallSite} site @returns {Place | undefined} undefined: it is as it should be */
function find(site) {
  const url = urlOf(site);
  if (url.startsWith(OWN)) return null;
  const [line, column, position] = [site.getLineNumber(), site.getColumnNumber(), site.getPosition?.()];
  if (!line || !column || position === undefined) return undefined;
  for (const registry of registries) {
    for (const { sites, program } of registry.deref()?.modules.values() ?? []) {
      if (sites.url !== url) continue;
      /** @type {Source[]} */
      const loaded = program === null || program.source === "" ? [] : [{ code: program.source, rev: program.rev, isPatch: false }];
      for (const source of [...sites.sources(), ...loaded]) {
        if (!source.code.includes("\v") || !isAt(source.code, line, column, position)) continue;
        const found = place(source, position, sites);
        // What was patched later may have moved it.
        if (found && program && source.id !== undefined) found.line += movedSince(program.source, program.rev, sites, source.id, source.rev);
        return found;
      }
    }
  }
  return undefined;
}

/** The user's own `Error.prepareStackTrace`, and what the engine calls for it. @type {Prepare | undefined} */
let theirs;
/** @type {Prepare | undefined} */
let wrapped;

/** The call sites that plain JavaScript would have. @param {CallSite[]} sites @returns {[CallSite, Place | undefined][]} */
function placed(sites) {
  /** @type {[CallSite, Place | undefined][]} */
  const kept = [];
  for (const site of sites) {
    const where = find(site);
    // What has no position of its own has that of the guard before it, but then no patch was called.
    // A generator goes through `next` to the one of its patch.
    const isNext = where?.yields && kept.at(-1)?.[0].getFunctionName() === "next" && kept.at(-2)?.[1]?.isPatch;
    if (isNext) kept.pop();
    const inPatch = kept.at(-1)?.[1];
    if (where?.isGuard && inPatch?.isPatch) {
      // The patch is called as its function was, and has the name of that.
      kept[kept.length - 1] = [site, { ...inPatch, isPatch: false }];
    } else if (where !== null) kept.push([site, where]);
  }
  return kept;
}

/** @param {unknown} error */
function headOf(error) {
  try {
    return apply(describe, error, []);
  } catch {
    return "<error>";
  }
}

/** What the engine itself would write. @type {Prepare} */
function prepare(error, sites) {
  const lines = placed(sites).map(([site, where]) => {
    return where ? described(site, where) : String(site);
  });
  return [headOf(error), ...lines].join("\n    at ");
}

/** @param {CallSite} site @param {{ line: number, column: number }} where */
function described(site, { column, line }) {
  const text = String(site).replace(/:\d+:\d+(\)?)$/, `:${line}:${column}$1`);
  if (!isNameless(site)) return text;
  const [, wait = "", type, method = "<anonymous>", where] = /^(async )?(?:(new |.*\.)?)eval(?: \[as (.*)\])? \((.*)\)$/.exec(text) ?? [];
  if (where === undefined) return text;
  return type === undefined ? wait + where : `${wait}${type}${method} (${where})`;
}

/** "eval" is the engine's word for a function without a name, because modules are evaluated. @param {CallSite} site */
function isNameless(site) {
  return site.getFunctionName() === "eval" && site.getFunction?.()?.name !== "eval";
}

/** A call site that says the user's positions. @param {CallSite} site @param {Place | undefined} where @returns {CallSite} */
function shown(site, where) {
  if (!where) return site;
  return new Proxy(site, {
    get: (target, key) => {
      if (key === "getColumnNumber") return () => where.column;
      if (key === "getFunctionName" && isNameless(target)) return () => null;
      if (key === "toString") return () => described(target, where);
      if (key === "getLineNumber") return () => where.line;
      if (key === "getFileName") return () => urlOf(target);
      if (key === "isEval") return () => false;
      if (key === "getEvalOrigin") return () => undefined;
      const value = get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Makes errors of a registry's modules say the user's columns. @param {Registry} registry */
export function showStacks(registry) {
  const isFirst = registries.length === 0;
  registries = registries.filter((it) => it.deref() !== undefined);
  registries.push(new WeakRef(registry));
  if (!isFirst || !("captureStackTrace" in Error)) return;
  set(/** @type {any} */ (Error).prepareStackTrace);
  Object.defineProperty(Error, "prepareStackTrace", { get: () => wrapped ?? prepare, set, enumerable: false, configurable: true });
}

/** @param {unknown} value */
function set(value) {
  if (value === wrapped) return;
  // Who puts back what stood there takes theirs away.
  theirs = typeof value === "function" && value !== prepare ? /** @type {Prepare} */ (value) : undefined;
  const prepareTheirs = theirs;
  wrapped = prepareTheirs && ((error, sites) => apply(prepareTheirs, Error, [error, placed(sites).map(([site, where]) => shown(site, where))]));
}
