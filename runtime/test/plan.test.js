// Webpack's walk (and Vite's partial accept), case by case. A graph is written as lines "module < parent parent : flags".
// Flags: main, self (accepts itself), inv (invalidated), nself (declines itself), +x (accepts x), -x (declines x), exp=a,b (accepts those exports),
// x=a,b (uses those names of x).

import assert from "node:assert/strict";
import { test } from "node:test";
import { abortMessage, effectOf, merge } from "../plan.js";

function graph(text) {
  const modules = new Map();
  for (const line of text.trim().split(/\s*;\s*/)) {
    const [, id, parents = "", flags = ""] = /^(\S+)\s*(?:<\s*([^:]*))?(?::\s*(.*))?$/.exec(line.trim());
    const words = flags.split(/\s+/).filter(Boolean);
    const has = (word) => words.includes(word);
    const exports = words.find((word) => word.startsWith("exp="))?.slice(4).split(",");
    modules.set(id, {
      main: has("main"), selfAccepted: has("self"), selfInvalidated: has("inv"), selfDeclined: has("nself"),
      parents: parents.split(/\s+/).filter(Boolean),
      accepts: (dep) => has(`+${dep}`), declines: (dep) => has(`-${dep}`),
      acceptedExports: exports ? new Set(exports) : null,
      imports: (dep) => words.find((word) => word.startsWith(`${dep}=`))?.slice(dep.length + 1).split(",") ?? null,
    });
  }
  return (id) => modules.get(id) ?? null;
}

function show(effect) {
  const { type, moduleId, parentId, chain, outdatedModules, outdatedDependencies } = effect;
  if (type !== "accepted") return [type, moduleId, parentId && `in ${parentId}`, chain?.join(">")].filter(Boolean).join(" ");
  const deps = Object.entries(outdatedDependencies).map(([parent, list]) => ` ${parent}(${list})`).join("");
  return `accepted ${outdatedModules.join(",")}${deps}`;
}

// [name, graph, changed, effect]
const cases = [
  ["an entry alone", "m : main", "m", "unaccepted m m"],
  ["an entry that accepts itself", "m : main self", "m", "accepted m"],
  ["an entry that accepts itself, invalidated", "m : main self inv", "m", "unaccepted m m"],
  ["an entry that declines itself", "m : main nself", "m", "self-declined m m"],
  ["accepting itself beats declining itself", "m : main self nself", "m", "accepted m"],
  ["declining itself counts once invalidated", "m : main self nself inv", "m", "self-declined m m"],
  ["a module that does not run", "m : main", "x", "accepted x"],
  ["nobody needs it and it is no entry", "x", "x", "accepted x"],
  ["all its parents are gone", "x < gone", "x", "accepted x"],
  ["bubbles to the entry", "m : main; a < m; b < a", "b", "unaccepted m b>a>m"],
  ["bubbles to an entry that accepts itself", "m : main self; a < m; b < a", "b", "accepted b,a,m"],
  ["stops where it is accepted", "m : main; a < m : +b; b < a", "b", "accepted b a(b)"],
  ["stops one above", "m : main +a; a < m; b < a", "b", "accepted b,a m(a)"],
  ["stops at a module that accepts itself", "m : main; a < m : self; b < a", "b", "accepted b,a"],
  ["does not stop at an invalidated one", "m : main; a < m : self inv; b < a", "b", "unaccepted m b>a>m"],
  ["an invalidated one, accepted by its parent", "m : main +a; a < m : self inv", "a", "accepted a m(a)"],
  ["accepting a grandchild has no effect", "m : main +b; a < m; b < a", "b", "unaccepted m b>a>m"],
  ["accepting something else has no effect", "m : main +c; a < m; c < m", "a", "unaccepted m a>m"],
  ["two parents accept", "m : main; a < m : +c; b < m : +c; c < a b", "c", "accepted c a(c) b(c)"],
  ["one parent accepts, the other bubbles to the entry", "m : main; a < m : +c; b < m; c < a b", "c", "unaccepted m c>b>m"],
  ["one parent accepts, the other accepts itself", "m : main; a < m : +c; b < m : self; c < a b", "c", "accepted c,b a(c)"],
  ["the parent is asked before the entry behind it", "m : main -a; a < m", "a", "declined a in m a>m"],
  ["declined deep", "m : main; a < m : -b; b < a", "b", "declined b in a b>a"],
  ["declined above", "m : main; a < m : ; b < a : ; c < b; m2 : main", "c", "unaccepted m c>b>a>m"],
  ["declining beats accepting the same", "m : main +a -a; a < m", "a", "declined a in m a>m"],
  ["declining beats being outdated already", "m : main self; a < m : -c; b < a; c < b a", "c", "declined c in a c>a"],
  ["declining something else has no effect", "m : main +a -x; a < m", "a", "accepted a m(a)"],
  ["a self-declined parent", "m : main; a < m : nself; b < a", "b", "self-declined a b>a"],
  ["a self-declined parent that accepts it is not asked", "m : main; a < m : nself +b; b < a", "b", "accepted b a(b)"],
  ["a parent outdated by another path no longer hears", "m : main self; a < m : +c; b < a; c < a b", "c", "accepted c,b,a,m"],
  ["a parent outdated first is not asked whether it accepts", "m : main self; a < m : +c; b < a; c < b a", "c", "accepted c,b,a,m"],
  ["the last parent is walked first", "m : main self; a < m; b < m : self; c < a b", "c", "accepted c,a,b,m"],
  ["the last parent is walked first, all the way up", "m : main self; p < m; q < m; a < p; b < q; c < a b", "c", "accepted c,a,b,q,m,p"],
  ["a cycle without an end", "a < b; b < a", "a", "accepted a,b"],
  ["a cycle with an entry", "m : main; a < m b; b < a", "b", "unaccepted m b>a>m"],
  ["a cycle that is accepted from outside", "m : main +a; a < m b; b < a", "b", "accepted b,a m(a)"],
  ["a cycle where one accepts the other", "m : main; a < m b : +b; b < a : +a", "b", "accepted b a(b)"],
  ["it needs itself", "m : main +a; a < a m", "a", "accepted a m(a)"],
  ["it accepts itself as a dependency", "a < a : +a", "a", "accepted a"],
  ["a diamond", "m : main +a +b; a < m; b < m; c < a b", "c", "accepted c,a,b m(b,a)"],
  ["a diamond, one side accepted below", "m : main +b; a < m : +c; b < m; c < a b", "c", "accepted c,b a(c) m(b)"],
  ["two entries, one accepts", "m : main +a; n : main; a < m n", "a", "unaccepted n a>n"],
  ["two entries, both accept", "m : main +a; n : main +a; a < m n", "a", "accepted a m(a) n(a)"],
  ["an entry that another needs and accepts is still an entry", "m : main; n < m : main", "n", "unaccepted n n"],
  ["a removed module", "m : main; a < m", "!a", "disposed a"],
  ["a removed entry", "m : main", "!m", "disposed m"],
  ["partial accept: all that is used", "m : main a=x; a < m : exp=x,y", "a", "accepted a"],
  ["partial accept: not all that is used", "m : main a=x,z; a < m : exp=x", "a", "unaccepted m a>m"],
  ["partial accept: not known what is used", "m : main; a < m : exp=x", "a", "unaccepted m a>m"],
  ["partial accept: one importer is content, the other accepts", "m : main a=x; n : main +a; a < m n : exp=x", "a", "accepted a n(a)"],
  ["partial accept: an importer above accepts", "m : main +b; b < m a=z; a < b : exp=x", "a", "accepted a,b m(b)"],
  ["partial accept: an entry has nobody above", "a : main exp=x", "a", "accepted a"],
  ["a chain of ten", Array.from({ length: 10 }, (_, i) => `${i} ${i ? `< ${i - 1}` : ": main self"}`).join(";"), "9", "accepted 9,8,7,6,5,4,3,2,1,0"],
  ["names of Object.prototype are ids like others", "m : main +__proto__; __proto__ < m", "__proto__", "accepted __proto__ m(__proto__)"],
];
for (const [name, text, changed, expected] of cases) {
  test(`plan: ${name}`, () => {
    const removed = changed.startsWith("!");
    assert.equal(show(effectOf({ id: changed.replace("!", ""), removed }, graph(text))), expected);
  });
}

// [effect, changed, options, message]
const chain = ["c", "b", "a"];
const messages = [
  [{ type: "self-declined", moduleId: "a", chain }, {}, "Aborted because of self decline: a\nUpdate propagation: c -> b -> a"],
  [{ type: "self-declined", moduleId: "a", chain }, { ignoreDeclined: true }, null],
  [{ type: "self-declined", moduleId: "a", chain }, { ignoreUnaccepted: true }, "Aborted because of self decline: a\nUpdate propagation: c -> b -> a"],
  [{ type: "declined", moduleId: "b", parentId: "a", chain }, {}, "Aborted because of declined dependency: b in a\nUpdate propagation: c -> b -> a"],
  [{ type: "declined", moduleId: "b", parentId: "a", chain }, { ignoreDeclined: true }, null],
  [{ type: "unaccepted", moduleId: "a", chain }, {}, "Aborted because c is not accepted\nUpdate propagation: c -> b -> a"],
  [{ type: "unaccepted", moduleId: "a", chain }, { ignoreUnaccepted: true }, null],
  [{ type: "unaccepted", moduleId: "a", chain }, { ignoreDeclined: true }, "Aborted because c is not accepted\nUpdate propagation: c -> b -> a"],
  [{ type: "unaccepted", moduleId: "a" }, {}, "Aborted because c is not accepted"],
  [{ type: "accepted", moduleId: "a" }, {}, null],
  [{ type: "disposed", moduleId: "a" }, {}, null],
];
for (const [effect, options, expected] of messages) {
  test(`plan: what ${effect.type} says with ${JSON.stringify(options)}`, () => assert.equal(abortMessage(effect, "c", options), expected));
}

test("plan: several effects become one list, in order, without doubles", () => {
  const view = graph("m : main +a +b; a < m; b < m; c < a b; d < b");
  const plan = merge([effectOf({ id: "c" }, view), effectOf({ id: "d" }, view), { type: "disposed", moduleId: "e" }, { type: "unaccepted", moduleId: "z" }]);
  assert.deepEqual(plan.outdated, ["c", "a", "b", "d", "e"]);
  assert.deepEqual([...plan.dependencies].map(([id, deps]) => [id, [...deps]]), [["m", ["b", "a"]]]);
  assert.deepEqual([plan.install, plan.removed], [["c", "d"], ["e"]]);
});
