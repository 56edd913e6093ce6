// A document as an editor keeps it: every change makes the text, the version and the message to the server.

/** @typedef {"utf-8" | "utf-16" | "utf-32"} PositionEncoding */
/** @typedef {{ line: number, character: number }} Position */
/** @typedef {{ range?: { start: Position, end: Position }, text: string }} ContentChange */

export class ClientDocument {
  #notify;
  #encoding;

  /**
   * @param {string} uri
   * @param {string} text
   * @param {PositionEncoding} encoding
   * @param {(method: string, params: object) => void} notify
   */
  constructor(uri, text, encoding, notify) {
    this.uri = uri;
    this.text = text;
    this.version = 1;
    this.#encoding = encoding;
    this.#notify = notify;
  }

  /**
   * Puts `text` in place of the characters from `start` to `end`, which are string indices, and returns the version.
   *
   * @param {number} start
   * @param {number} end
   * @param {string} text
   */
  edit(start, end, text) {
    const range = { start: this.position(start), end: this.position(end) };
    this.text = this.text.slice(0, start) + text + this.text.slice(end);
    return this.sendChanges([{ range, text }]);
  }

  /**
   * Replaces the only place where `old` stands.
   *
   * @param {string} old
   * @param {string} text
   */
  replace(old, text) {
    const start = this.#find(old);
    return this.edit(start, start + old.length, text);
  }

  /**
   * Types `text` right after the only place where `anchor` stands, one change per character as an editor does.
   *
   * @param {string} anchor
   * @param {string} text
   */
  type(anchor, text) {
    let at = this.#find(anchor) + anchor.length;
    for (const character of text) {
      this.edit(at, at, character);
      at += character.length;
    }
    return this.version;
  }

  /**
   * Sends the whole text, as clients without incremental synchronisation do.
   *
   * @param {string} text
   */
  setText(text) {
    this.text = text;
    return this.sendChanges([{ text }]);
  }

  /**
   * For odd messages: the changes are sent as they are and `text` stays what it was.
   *
   * @param {ContentChange[]} contentChanges
   */
  sendChanges(contentChanges) {
    this.version += 1;
    this.#notify("textDocument/didChange", { textDocument: { uri: this.uri, version: this.version }, contentChanges });
    return this.version;
  }

  /** Says that the text was saved; writing the file is the test's own business. */
  save() {
    this.#notify("textDocument/didSave", { textDocument: { uri: this.uri } });
  }

  close() {
    this.#notify("textDocument/didClose", { textDocument: { uri: this.uri } });
  }

  /**
   * @param {number} index
   * @returns {Position}
   */
  position(index) {
    const lines = this.text.slice(0, index).split(/\r\n|\n|\r/);
    // Between \r and \n is no position of its own.
    if (this.text[index - 1] === "\r" && this.text[index] === "\n") throw new RangeError(`${index} is inside of a line end`);
    return { line: lines.length - 1, character: units(lines[lines.length - 1], this.#encoding) };
  }

  /** @param {string} needle */
  #find(needle) {
    const at = this.text.indexOf(needle);
    if (at === -1) throw new Error(`${JSON.stringify(needle)} is not in ${this.uri}`);
    if (this.text.indexOf(needle, at + 1) !== -1) throw new Error(`${JSON.stringify(needle)} is more than once in ${this.uri}`);
    return at;
  }
}

/**
 * @param {string} text
 * @param {PositionEncoding} encoding
 */
function units(text, encoding) {
  switch (encoding) {
    case "utf-8":
      return Buffer.byteLength(text, "utf8");
    case "utf-16":
      return text.length;
    case "utf-32":
      return [...text].length;
  }
}
