// What a test started is ended when it is over, last one first: a server still needs its folder while it shuts down.
// (The test runner's own `after` hooks run first one first.)

/** @typedef {import("node:test").TestContext} TestContext */

/** @type {WeakMap<TestContext, (() => unknown)[]>} */
const stacks = new WeakMap();

/**
 * @param {TestContext} t
 * @param {() => unknown} cleanup
 */
export function atEnd(t, cleanup) {
  let stack = stacks.get(t);
  if (stack === undefined) {
    stack = [];
    stacks.set(t, stack);
    const started = stack;
    t.after(() => runAll(started));
  }
  stack.push(cleanup);
}

/**
 * All of them, also after one fails.
 *
 * @param {(() => unknown)[]} stack
 */
async function runAll(stack) {
  const errors = [];
  for (const cleanup of stack.reverse()) {
    try {
      await cleanup();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("\n"));
}
