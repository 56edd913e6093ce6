// A reporter for Node's test runner: a line for every test that failed, and nothing else. `cargo xtask test` repeats these lines at
// its end, where they are still found when the rest has scrolled away.

import path from "node:path";

/** @param {AsyncIterable<{type: string, data: any}>} events of Node's test runner */
export default async function* failures(events) {
  for await (const { type, data } of events) {
    if (type !== "test:fail" || data.details.error.failureType === "subtestsFailed") continue;
    const cause = data.details.error.cause;
    const message = String(cause?.message ?? cause ?? data.details.error.message);
    const why = message.replace(/\s+/g, " ").slice(0, 300);
    const where = data.file ? `${path.relative(process.cwd(), data.file)}:${data.line}` : "?";
    yield `${where}: ${data.name}: ${why}\n`;
  }
}
