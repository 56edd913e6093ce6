// @ts-check
// The `vite:*` and custom events of a page: who listens, and letting them all hear.

/** @typedef {import("./registry.js").Instance} Instance */

export class Events {
  /** @param {(error: unknown) => void} failed told of listeners that throw */
  constructor(failed) {
    this.failed = failed;
    /** @type {Map<string, { callback: (payload: any) => unknown, owner: Instance | null }[]>} */
    this.listeners = new Map();
  }

  /** @param {string} event @param {(payload: any) => unknown} callback @param {Instance | null} owner listeners go when it is disposed */
  on(event, callback, owner) {
    const list = this.listeners.get(event) ?? [];
    this.listeners.set(event, [...list, { callback, owner }]);
  }

  /** @param {string} event @param {(payload: any) => unknown} callback */
  off(event, callback) {
    this.keep(event, (listener) => listener.callback !== callback);
  }

  /** @param {Instance} owner */
  forget(owner) {
    for (const event of [...this.listeners.keys()]) this.keep(event, (listener) => listener.owner !== owner);
  }

  /**
   * Tells everybody, in order; one that throws does not keep the others from hearing.
   * @param {string} event @param {unknown} payload @returns {Promise<unknown> | null} null: nobody needs waiting for
   */
  emit(event, payload) {
    const waiting = [];
    for (const { callback } of this.listeners.get(event) ?? []) {
      try {
        const result = callback(payload);
        if (isThenable(result)) waiting.push(Promise.resolve(result).catch(this.failed));
      } catch (error) {
        this.failed(error);
      }
    }
    return waiting.length === 0 ? null : Promise.all(waiting);
  }

  /** @param {string} event @param {(listener: { callback: Function, owner: Instance | null }) => boolean} test */
  keep(event, test) {
    const kept = (this.listeners.get(event) ?? []).filter(test);
    if (kept.length === 0) this.listeners.delete(event);
    else this.listeners.set(event, kept);
  }
}

/** @param {unknown} value @returns {value is PromiseLike<unknown>} */
export function isThenable(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") && typeof /** @type {any} */ (value).then === "function";
}
