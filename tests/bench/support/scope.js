// The test helpers end what they start with a test; a measurement is one script, so it brings a scope of its own.

/** @typedef {import("node:test").TestContext} TestContext */

/**
 * Runs `work` with what the helpers take for a test, and ends what was started when it is over.
 *
 * @param {(t: TestContext) => Promise<void>} work
 */
export async function scope(work) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  const t = /** @type {any} */ ({ after: (/** @type {() => unknown} */ end) => ends.push(end) });
  try {
    await work(t);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
