// @ts-check
// Uncaught errors of the program, on their way to the server's log. A program can fail sixty times a second: an error is told when it comes
// first, and then at its tenth, hundredth, thousandth time. One that was gone for a while is new again.

/** @typedef {Extract<import("./wire.js").FromPage, { type: "error" }>} ErrorMessage */

/**
 * @typedef {object} ErrorsHost
 * @property {string} origin
 * @property {() => number} now
 * @property {(message: ErrorMessage) => boolean} send false: not now
 */

/** An error that did not come for so long is new when it comes again, in milliseconds. */
const QUIET = 5000;
/** Of so many different errors the counts are known. */
const KNOWN = 20;

export class Errors {
  /** @param {ErrorsHost} host */
  constructor(host) {
    this.host = host;
    /** By what tells them apart, the one that came last at the end. @type {Map<string, { count: number, last: number }>} */
    this.known = new Map();
    /** What could not be sent yet, by the same. @type {Map<string, ErrorMessage>} */
    this.waiting = new Map();
  }

  /** @param {unknown} error @param {string} fallback what is said where it is no Error @param {string} [file] where the browser saw it */
  tell(error, fallback, file = "") {
    try {
      const isError = error instanceof Error;
      const message = cut(isError ? `${error.name}: ${error.message}` : fallback, 2000);
      const frames = isError && error.stack ? framesOf(error.stack, this.host.origin) : [];
      const key = `${message}\n${frames[0] ?? file}`;
      const count = this.count(key);
      if (!/^10*$/.test(String(count))) return;
      const module = this.moduleOf(frames[0] ?? "") ?? this.moduleOf(file);
      const stack = cut(frames.join("\n"), 8000);
      /** @type {ErrorMessage} */
      const told = { type: "error", message, ...(module ? { module } : {}), ...(stack ? { stack } : {}), ...(count > 1 ? { count } : {}) };
      if (!this.host.send(told)) this.waiting.set(key, told);
    } catch {
      // An error that cannot even be read as text.
    }
  }

  /** The server can be reached. */
  sendWaiting() {
    for (const [key, told] of [...this.waiting]) if (this.host.send(told)) this.waiting.delete(key);
  }

  /** How often an error has come by now. @param {string} key */
  count(key) {
    const now = this.host.now();
    const before = this.known.get(key);
    const count = before === undefined || now - before.last > QUIET ? 1 : before.count + 1;
    this.known.delete(key);
    this.known.set(key, { count, last: now });
    if (this.known.size > KNOWN) {
      const [oldest] = this.known.keys();
      this.known.delete(oldest);
      this.waiting.delete(oldest);
    }
    return count;
  }

  /** The module that a frame or an address is of. @param {string} place */
  moduleOf(place) {
    const path = place.replace(/^.*\(/, "").replace(/^ *at /, "").replace(this.host.origin, "").replace(/(?::\d+)*\)?$/, "");
    return path.startsWith("/") && !path.startsWith("/@capuchin/") ? path.replace(/#.*$/, "") : undefined;
  }
}

/**
 * The frames of a stack that are the program's, without the origin, which all have.
 * @param {string} stack @param {string} origin
 */
function framesOf(stack, origin) {
  return stack.split("\n")
    .filter((line) => /^\s*at |@.*:\d+/.test(line) && !line.includes(`${origin}/@capuchin/`))
    // What code that came through `eval` calls its outermost function.
    .map((line) => line.replaceAll(origin, "").replace(/at eval \((.*)\)$/, "at $1"));
}

/** @param {string} text @param {number} length */
function cut(text, length) {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
