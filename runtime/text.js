// @ts-check
// The text of functions as their user wrote it: `toString()` must not show what instrumentation put in.
//
// The compiler marks its insertions, see server/src/compile/emit.rs:
//
//     \f(inserted)\v          \f/*what it stands for*/(inserted)\v          \f\f(a function that is a site)\v
//
// So the text of a function can be told from its source alone, whenever somebody asks; until then it costs nothing. Sites in
// it that were patched since are read from their patches.

/** @typedef {import("./registry.js").Registry} Registry */
/** @typedef {import("./sites.js").Sites} Sites */
/** A stretch of text with the sites in it; `open`: it ends with the source, and not by itself. @typedef {{ id: number, rev: number, parts: (string | Stretch)[], open?: true }} Stretch */

/** What `boot.js` left. @type {{ functionText: () => string, readable: (source: string) => string } | undefined} */
const natives = /** @type {any} */ (globalThis).__capuchin?.natives;
const nativeText = natives?.functionText ?? Function.prototype.toString;

const { apply } = Reflect;

/** @param {Function} fn @returns {string} */
export const sourceOf = (fn) => apply(nativeText, fn, []);

const MARK = /\f\f|\f(?:\/\*(.*?)\*\/)?([^\f\v]*)(?:\v|$)|\v/gs;

/** @param {string} source @returns {Stretch} */
function read(source) {
  /** @type {Stretch} */
  const root = { id: -1, rev: -1, parts: [] };
  const open = [root];
  let at = 0;
  for (const { 0: mark, 1: instead, 2: inserted, index } of source.matchAll(MARK)) {
    const top = /** @type {Stretch} */ (open.at(-1));
    if (index > at) top.parts.push(source.slice(at, index));
    at = index + mark.length;
    if (mark === "\f\f") {
      const stretch = { id: -1, rev: -1, parts: [] };
      top.parts.push(stretch);
      open.push(stretch);
    } else if (mark === "\v") {
      // One that nothing opened: the source begins inside of an insertion.
      if (open.length === 1) root.parts = [];
      else open.pop();
    } else {
      if (instead !== undefined) top.parts.push(decodeURIComponent(instead));
      const call = /\.[ck]\((\d+),/.exec(inserted);
      if (call === null || top.id !== -1) continue;
      top.id = Number(call[1]);
      top.rev = Number(/\]>(\d+)/.exec(inserted)?.[1] ?? /,this,.*,(\d+)\)\}/.exec(inserted)?.[1] ?? -1);
    }
  }
  const last = /** @type {Stretch} */ (open.at(-1));
  if (at < source.length) last.parts.push(source.slice(at));
  for (const it of open) it.open = true;
  return root;
}

/** The one site of a patch. @param {string} code @returns {Stretch | undefined} */
function siteOf(code) {
  // A class's members stand in its patch one by one, and the whole of it behind them.
  const whole = code.lastIndexOf("\f//\f\f");
  const { parts } = whole === -1 ? read(code) : decoded(read(code.slice(whole + 3)));
  return parts.find((it) => typeof it !== "string");
}

/** @param {Stretch} stretch @returns {Stretch} */
function decoded({ id, rev, parts }) {
  return { id, rev, parts: parts.map((it) => (typeof it === "string" ? decodeURIComponent(it) : decoded(it))) };
}

/**
 * A site as its newest patch up to `until` has it, with the revision of that code.
 * @param {Stretch} site @param {number} rev of the code that it is found in @param {Sites | null} sites @param {number} [until] @returns {[Stretch, number]}
 */
function newest(site, rev, sites, until = Infinity) {
  let patch = site.open ? null : sites?.patches[site.id];
  if (patch && patch.rev > until) patch = patch.before;
  const text = patch && patch.rev > rev && patch.rev <= until ? siteOf(patch.code.code) : undefined;
  return patch && text ? [text, patch.rev] : [site, rev];
}

/**
 * The text of a stretch whose code is of revision `rev`.
 * @param {Stretch} stretch @param {number} rev @param {Sites | null} sites @param {number} [until] @returns {string}
 */
function write(stretch, rev, sites, until) {
  return stretch.parts.map((it) => (typeof it === "string" ? it : write(...newest(it, rev, sites, until), sites, until))).join("");
}

/**
 * The text before a site, as it was at the revision `until`; null: the site is not in the stretch.
 * @param {Stretch} stretch @param {number} rev @param {Sites} sites @param {number} id @param {number} until @returns {string | null}
 */
function before(stretch, rev, sites, id, until) {
  let text = "";
  for (const part of stretch.parts) {
    if (typeof part === "string") text += part;
    else {
      if (part.id === id) return text;
      const [site, at] = newest(part, rev, sites, until);
      const found = before(site, at, sites, id, until);
      if (found !== null) return text + found;
      text += write(site, at, sites, until);
    }
  }
  return null;
}

/**
 * By how many lines patches have moved a site since its own patch.
 * @param {string} source the code that was loaded @param {number} rev @param {Sites} sites @param {number} id @param {number} since
 */
export function movedSince(source, rev, sites, id, since) {
  const root = read(source);
  const [then, now] = [since, Infinity].map((until) => before(root, rev, sites, id, until));
  return then == null || now == null ? 0 : now.split("\n").length - then.split("\n").length;
}

/** The user's text of the first part of code of revision `rev`. @param {string} source @param {number} rev @param {Sites} sites */
export const textBefore = (source, rev, sites) => write(read(source), rev, sites);

/** The ids of all sites in a stretch. @param {Stretch} stretch @returns {number[]} */
function idsOf({ id, parts }) {
  return [id, ...parts.flatMap((it) => (typeof it === "string" ? [] : idsOf(it)))];
}

/** Whose functions are looked up. They go when their host does. @type {WeakRef<Registry>[]} */
let registries = [];

/** The user's text of a function, from its source. @param {string} source @returns {string} */
function readable(source) {
  if (!source.includes("\v")) return source;
  const stretch = read(source);
  const ids = idsOf(stretch);
  for (const registry of registries) {
    for (const { sites, program } of registry.deref()?.modules.values() ?? []) {
      if (!ids.some((id) => sites.patches[id])) continue;
      // Plain scripts leave nothing to compare with.
      const isLoaded = program === null || program.factory !== null && sourceOf(program.factory).includes(source);
      const isThere = isLoaded || sites.patches.some((it) => it?.code.code.includes(source)) || sites.added.some((it) => it.code.includes(source));
      if (!isThere) continue;
      delete stretch.open;
      return write(...newest(stretch, stretch.rev === -1 ? program?.rev ?? 0 : stretch.rev, sites), sites);
    }
  }
  return write(stretch, 0, null);
}

/** Makes functions of a registry's modules give their user's text. @param {Registry} registry */
export function showTexts(registry) {
  registries = registries.filter((it) => it.deref() !== undefined);
  registries.push(new WeakRef(registry));
  if (natives !== undefined) natives.readable = readable;
  else if (Function.prototype.toString === nativeText) install();
}

/** What `boot.js` does in pages. */
function install() {
  const { toString } = {
    toString() {
      return this === toString ? sourceOf(nativeText) : readable(apply(nativeText, this, []));
    },
  };
  Object.defineProperty(Function.prototype, "toString", { value: toString, writable: true, enumerable: false, configurable: true });
}
