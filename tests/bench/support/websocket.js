// The least WebSocket server that a page can be measured with: short text frames both ways, one handler.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { atEnd } from "../../support/cleanup.js";

/** @typedef {import("node:test").TestContext} TestContext */

/** What the standard has both sides mix into the handshake. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * Listens on a free port of loopback. `onText` is called with every frame as soon as it is read; `send` goes to the page that
 * connected last.
 *
 * @param {TestContext} t
 * @param {(text: string) => void} onText
 */
export async function startWebSocket(t, onText) {
  /** @type {import("node:stream").Duplex | undefined} */
  let current;
  const server = createServer((_, answer) => answer.writeHead(404).end());
  /** @type {(value?: unknown) => void} */
  let arrived = () => {};
  const connected = new Promise((resolve) => (arrived = resolve));
  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    /** @type {import("node:net").Socket} */ (socket).setNoDelay(true);
    current = socket;
    let rest = Buffer.alloc(0);
    socket.on("data", (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      for (;;) {
        const frame = read(rest);
        if (frame === null) return;
        rest = rest.subarray(frame.end);
        if (frame.text !== null) onText(frame.text);
      }
    });
    socket.on("error", () => {});
    arrived();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  atEnd(t, () => {
    current?.destroy();
    server.close();
  });
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `ws://127.0.0.1:${address.port}`,
    connected,
    /** @param {string} text */
    send: (text) => current?.write(write(text)),
  };
}

/** @param {Buffer} bytes @returns {{ end: number, text: string | null } | null} */
function read(bytes) {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  }
  const end = at + 4 + length;
  if (bytes.length < end) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, end));
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
  return { end, text: (bytes[0] & 0x0f) === 1 ? payload.toString("utf8") : null };
}

/** @param {string} text */
function write(text) {
  const payload = Buffer.from(text, "utf8");
  const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}
