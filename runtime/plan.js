// @ts-check
// Who must run again: bubbling, as webpack does it (`accept`, `decline`, entry modules), with Vite's partial accept. Pure: it asks a view of
// the module map and gives back effects; nothing is disposed, run or printed here.
//
//     main ── page ── list ── item*      item changed; nobody accepts it, nor list;
//               │accepts list            page accepts list: item and list are outdated, page hears of it
//
// The order of the tests matters, and programs can tell: declined beats already outdated beats accepted, and a module that accepts
// itself is asked before one that declines or is an entry.

/**
 * What planning has to know of a running module.
 * @typedef {object} View
 * @property {boolean} selfAccepted
 * @property {boolean} selfInvalidated
 * @property {boolean} selfDeclined
 * @property {boolean} main
 * @property {Iterable<string>} parents
 * @property {(dep: string) => boolean} accepts
 * @property {(dep: string) => boolean} declines
 * @property {Set<string> | null} acceptedExports names given to `acceptExports`, where they are not all it exports
 * @property {(dep: string) => string[] | null} imports the names it uses of a dependency; null: not known
 */

/**
 * @typedef {object} Effect
 * @property {"accepted" | "disposed" | "self-declined" | "declined" | "unaccepted"} type
 * @property {string} moduleId
 * @property {string} [parentId]
 * @property {string[]} [chain]
 * @property {string[]} [outdatedModules]
 * @property {Record<string, string[]>} [outdatedDependencies]
 */

/**
 * @param {{ id: string, removed?: boolean }} change
 * @param {(id: string) => View | null} view null: no such module runs
 * @returns {Effect}
 */
export function effectOf(change, view) {
  if (change.removed) return { type: "disposed", moduleId: change.id };
  /** @type {Set<string>} */
  const outdated = new Set([change.id]);
  /** @type {Map<string, Set<string>>} */
  const outdatedDependencies = new Map();
  const work = [{ id: change.id, chain: [change.id] }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const { id, chain } = item;
    const module = view(id);
    if (module === null || (module.selfAccepted && !module.selfInvalidated)) continue;
    if (module.selfDeclined) return { type: "self-declined", chain, moduleId: id };
    // An entry that takes some of its exports back by itself has nobody above it to ask about the others.
    if (module.main && module.acceptedExports === null) return { type: "unaccepted", chain, moduleId: id };
    for (const parentId of module.parents) {
      const parent = view(parentId);
      if (parent === null) continue;
      if (parent.declines(id)) return { type: "declined", chain: [...chain, parentId], moduleId: id, parentId };
      if (outdated.has(parentId)) continue;
      if (parent.accepts(id)) {
        const deps = outdatedDependencies.get(parentId);
        if (deps) deps.add(id);
        else outdatedDependencies.set(parentId, new Set([id]));
        continue;
      }
      if (acceptsAllThatIsUsed(module, parent.imports(id))) continue;
      outdatedDependencies.delete(parentId);
      outdated.add(parentId);
      work.push({ id: parentId, chain: [...chain, parentId] });
    }
  }
  /** @type {Record<string, string[]>} */
  const dependencies = Object.create(null);
  for (const [parent, deps] of outdatedDependencies) dependencies[parent] = [...deps];
  return { type: "accepted", moduleId: change.id, outdatedModules: [...outdated], outdatedDependencies: dependencies };
}

/** @param {View} module @param {string[] | null} used */
function acceptsAllThatIsUsed({ acceptedExports }, used) {
  return acceptedExports !== null && used !== null && used.every((name) => acceptedExports.has(name));
}

/**
 * What `apply` was asked to overlook, and who wants to hear of what.
 * @typedef {object} ApplyOptions
 * @property {boolean} [ignoreUnaccepted]
 * @property {boolean} [ignoreDeclined]
 * @property {boolean} [ignoreErrored]
 * @property {(effect: Effect) => void} [onDeclined]
 * @property {(effect: Effect) => void} [onUnaccepted]
 * @property {(effect: Effect) => void} [onAccepted]
 * @property {(effect: Effect) => void} [onDisposed]
 * @property {(event: any) => void} [onErrored]
 */

/**
 * Why this effect stops the update, unless it is to be ignored; null: it does not stop it.
 * @param {Effect} effect @param {string} changed @param {ApplyOptions} options @returns {string | null}
 */
export function abortMessage(effect, changed, options) {
  const path = effect.chain ? `\nUpdate propagation: ${effect.chain.join(" -> ")}` : "";
  switch (effect.type) {
    case "self-declined": return options.ignoreDeclined ? null : `Aborted because of self decline: ${effect.moduleId}${path}`;
    case "declined": return options.ignoreDeclined ? null : `Aborted because of declined dependency: ${effect.moduleId} in ${effect.parentId}${path}`;
    case "unaccepted": return options.ignoreUnaccepted ? null : `Aborted because ${changed} is not accepted${path}`;
    case "accepted":
    case "disposed": return null;
    default: return unreachable(effect.type);
  }
}

/** @typedef {{ outdated: string[], dependencies: Map<string, Set<string>>, install: string[], removed: string[] }} Plan */

/**
 * The effects that go ahead, as one list of things to do: order is that of first mention.
 * @param {Effect[]} effects @returns {Plan}
 */
export function merge(effects) {
  /** @type {Set<string>} */
  const outdated = new Set();
  /** @type {Plan["dependencies"]} */
  const dependencies = new Map();
  const install = [];
  const removed = [];
  for (const effect of effects) {
    if (effect.type === "disposed") {
      outdated.add(effect.moduleId);
      removed.push(effect.moduleId);
    } else if (effect.type === "accepted") {
      install.push(effect.moduleId);
      for (const id of effect.outdatedModules ?? []) outdated.add(id);
      for (const [parent, deps] of Object.entries(effect.outdatedDependencies ?? {})) {
        let all = dependencies.get(parent);
        if (all === undefined) dependencies.set(parent, all = new Set());
        for (const dep of deps) all.add(dep);
      }
    }
  }
  return { outdated: [...outdated], dependencies, install, removed };
}

/** @param {never} type @returns {never} */
function unreachable(type) {
  throw new Error(`Unexpected effect ${type}`);
}
