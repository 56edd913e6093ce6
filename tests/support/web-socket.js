// As much of a WebSocket client as a page's runtime needs, for pages that live in this process. (Node's own is not in all
// the versions that the tests run on.) Text messages only, which is all that the protocol has.
import { randomBytes } from "node:crypto";
import { request } from "node:http";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class TestSocket {
  /** @type {((event?: any) => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event?: any) => void) | null} */
  onclose = null;
  /** @type {import("node:stream").Duplex | undefined} */
  #stream;
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  #closed = false;
  /** Parts of a message that came in several frames. @type {Buffer[]} */
  #parts = [];

  /**
   * @param {URL} url with http:
   * @param {string} protocol
   */
  constructor(url, protocol) {
    const asking = request(url, {
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        Origin: url.origin,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
        "Sec-WebSocket-Protocol": protocol,
      },
    });
    asking.on("upgrade", (_response, stream, head) => {
      this.#stream = stream;
      /** @type {import("node:net").Socket} */ (stream).setNoDelay?.(true);
      stream.on("data", (data) => this.#receive(data));
      stream.on("error", () => this.#end());
      stream.on("close", () => this.#end());
      this.onopen?.();
      if (head.length > 0) this.#receive(head);
    });
    asking.on("response", (response) => {
      response.resume();
      this.#end();
    });
    asking.on("error", () => this.#end());
    asking.end();
  }

  /** @param {string} text */
  send(text) {
    this.#write(TEXT, Buffer.from(text, "utf8"));
  }

  close() {
    this.#write(CLOSE, Buffer.from([3, 232]));
    this.#stream?.end();
  }

  #end() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream?.destroy();
    this.onclose?.();
  }

  /**
   * @param {number} kind
   * @param {Buffer} body
   */
  #write(kind, body) {
    const long = body.length > 0xffff ? 10 : body.length > 125 ? 4 : 2;
    const head = Buffer.alloc(long + 4);
    head[0] = 0x80 | kind;
    if (long === 2) head[1] = 0x80 | body.length;
    else if (long === 4) {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(body.length, 2);
    } else {
      head[1] = 0x80 | 127;
      head.writeBigUInt64BE(BigInt(body.length), 2);
    }
    // The mask is there against proxies, of which there are none: zeros do.
    this.#stream?.write(Buffer.concat([head, body]));
  }

  /** @param {Buffer} data */
  #receive(data) {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    for (;;) {
      if (this.#rest.length < 2) return;
      let length = this.#rest[1] & 127;
      let start = 2;
      if (length === 126) {
        if (this.#rest.length < 4) return;
        length = this.#rest.readUInt16BE(2);
        start = 4;
      } else if (length === 127) {
        if (this.#rest.length < 10) return;
        length = Number(this.#rest.readBigUInt64BE(2));
        start = 10;
      }
      if (this.#rest.length < start + length) return;
      const [first] = this.#rest;
      const body = this.#rest.subarray(start, start + length);
      this.#rest = this.#rest.subarray(start + length);
      this.#frame(first & 15, (first & 0x80) !== 0, body);
    }
  }

  /**
   * @param {number} kind
   * @param {boolean} isLast
   * @param {Buffer} body
   */
  #frame(kind, isLast, body) {
    if (kind === PING) this.#write(PONG, body);
    else if (kind === CLOSE) this.#end();
    else if (kind !== PONG) {
      this.#parts.push(body);
      if (!isLast) return;
      const data = Buffer.concat(this.#parts.splice(0)).toString("utf8");
      this.onmessage?.({ data });
    }
  }
}
