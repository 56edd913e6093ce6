// The base protocol of LSP: messages between "Content-Length" headers. Strict: a server that writes anything else to
// its standard output breaks some editor.

/** What the other side did wrong. */
export class ProtocolError extends Error {}

/** @param {object} message */
export function encode(message) {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`, "ascii"), body]);
}

export class Decoder {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);

  /**
   * Takes some bytes and gives the messages that are complete with them.
   *
   * @param {Buffer} data
   * @returns {Generator<unknown, void>}
   */
  *push(data) {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    for (;;) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end === -1) {
        this.#checkBeginning();
        return;
      }
      const length = contentLength(this.#rest.toString("latin1", 0, end));
      const start = end + 4;
      if (this.#rest.length < start + length) return;
      const body = this.#rest.subarray(start, start + length);
      this.#rest = this.#rest.subarray(start + length);
      yield parse(body);
    }
  }

  /** Throws if the stream ends inside a message. */
  end() {
    if (this.#rest.length > 0) {
      throw new ProtocolError(`the server's output ends inside a message: ${JSON.stringify(this.#rest.toString("latin1"))}`);
    }
  }

  /** Rubbish is told at once instead of waited on: it may never bring the blank line that ends a header. */
  #checkBeginning() {
    const beginning = this.#rest.toString("latin1", 0, 64);
    const expected = ["Content-Length: ", "Content-Type: "];
    if (!expected.some((it) => it.startsWith(beginning.slice(0, it.length)))) {
      throw new ProtocolError(`the server wrote this outside of a message: ${JSON.stringify(beginning)}`);
    }
  }
}

/** @param {string} header */
function contentLength(header) {
  /** @type {number | undefined} */
  let length;
  for (const line of header.split("\r\n")) {
    const [, name, value] = /^(Content-Length|Content-Type): (.+)$/.exec(line) ?? [];
    if (name === "Content-Length" && length === undefined && /^\d+$/.test(value)) length = Number(value);
    else if (name === "Content-Type" && /charset="?utf-?8"?/i.test(value)) continue;
    else throw new ProtocolError(`the server wrote a header that is none: ${JSON.stringify(header)}`);
  }
  if (length === undefined) throw new ProtocolError(`the server wrote a header without a length: ${JSON.stringify(header)}`);
  return length;
}

/** @param {Buffer} body */
function parse(body) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch (error) {
    throw new ProtocolError(`the server's message is no JSON in UTF-8 (${error}): ${JSON.stringify(body.toString("latin1"))}`);
  }
}
