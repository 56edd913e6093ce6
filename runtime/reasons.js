// @ts-check
// What people are told of an outcome, in sentences that are made of more than a name.

/** @typedef {import("./wire.js").Reason} Reason */
/** @typedef {import("./registry.js").Module} Module */

/**
 * What goes on with older code for now.
 * @param {Module} module @param {import("./wire.js").SitePatch[]} sites @returns {Reason | undefined}
 */
export function laterOf(module, sites) {
  // A module that was loaded with the text has nothing older.
  const isOlder = (/** @type {number} */ rev) => module.sites.live().some((guards) => guards.rev < rev);
  const scope = sites.find((site) => site.later && (!site.scope || isOlder(site.scope)))?.later;
  if (scope) return { code: "scope", message: scope };
  const waiting = sites.filter((site) => site.how !== "class").map(({ id, name }) => ({ name, calls: module.sites.underWay(id) })).filter((it) => it.calls > 0);
  if (waiting.length === 0) return undefined;
  const of = waiting.map(({ name, calls }) => `${calls} ${calls === 1 ? "call" : "calls"} of ${name || "a function"}`).join(", ");
  const goOn = waiting.length === 1 && waiting[0].calls === 1
    ? "has begun and not ended: it goes on with the code that it began with"
    : "have begun and not ended: they go on with the code that they began with";
  return { code: "running", message: `${of} ${goOn}` };
}

/** What a module's top level lacks, because an initializer threw. @param {Module} module @returns {Reason | undefined} */
export function lacking(module) {
  const message = module.current?.values.message;
  return message === undefined ? undefined : { code: "value", message };
}

/** @param {string[]} names variables whose initial values changed @returns {Reason} */
export function wereKept(names) {
  const verb = names.length === 1 ? "keeps its value, because it was" : "keep their values, because they were";
  return { code: "kept", message: `${names.join(", ")} ${verb} written since the module ran` };
}

/** @param {string} id @returns {Reason} */
export function wasIgnored(id) {
  return { code: "ignored", message: `The program went on without the update of ${id}` };
}

/** @param {unknown} error */
export function messageOf(error) {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "an error that cannot be shown";
  }
}
