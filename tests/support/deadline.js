// Waiting for signals. No test sleeps: each waits for the thing itself, and a deadline is only there to say what
// never came.

/** Long, because it is only ever waited out in a failing test, and a loaded machine is slow. */
export const DEADLINE_MS = 20_000;

/**
 * The promise's result, or an error that says what was waited for.
 *
 * @template T
 * @param {string | (() => string)} what what is waited for, as "the page to connect"
 * @param {Promise<T>} promise
 * @param {number} [ms]
 * @returns {Promise<T>}
 */
export async function within(what, promise, ms = DEADLINE_MS) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const expired = new Promise((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${ms} ms in vain for ${typeof what === "string" ? what : what()}`));
    }, ms);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, expired]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @template T
 * @typedef {{ accepts: (item: T) => boolean, resolve: (item: T) => void, reject: (error: Error) => void }} Waiter
 */

/**
 * Things that arrive one by one, each to be taken by whoever waits for such a one.
 *
 * @template T
 */
export class Inbox {
  /** @type {T[]} in order of arrival; those that somebody took are gone */
  #unread = [];
  /** @type {Waiter<T>[]} */
  #waiting = [];
  /** @type {Error | undefined} set when nothing will arrive any more */
  #closed;

  /** @param {T} item */
  put(item) {
    const index = this.#waiting.findIndex(({ accepts }) => accepts(item));
    if (index === -1) this.#unread.push(item);
    else this.#waiting.splice(index, 1)[0].resolve(item);
  }

  /**
   * The first item that fits: one that lies here unread, or else the next to come.
   *
   * @param {string} what
   * @param {(item: T) => boolean} accepts
   * @param {number} [ms]
   * @returns {Promise<T>}
   */
  take(what, accepts, ms) {
    const index = this.#unread.findIndex(accepts);
    if (index !== -1) return Promise.resolve(this.#unread.splice(index, 1)[0]);
    if (this.#closed) return Promise.reject(this.#closed);
    /** @type {Waiter<T>} */
    let waiter;
    const arrival = new Promise((resolve, reject) => {
      waiter = { accepts, resolve, reject };
      this.#waiting.push(waiter);
    });
    const described = () => `${what}; lying here unread: ${JSON.stringify(this.#unread)}`;
    return within(described, arrival, ms).finally(() => {
      this.#waiting = this.#waiting.filter((it) => it !== waiter);
    });
  }

  /** Takes everything that lies here unread. */
  takeAll() {
    return this.#unread.splice(0);
  }

  /** @param {Error} error why nothing will come any more */
  close(error) {
    this.#closed = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
