// @ts-check
// The connection to the server: hello, sequence numbers, acknowledgements, coming back. A page that slept or was offline says what it has
// and gets what it missed; it is never reloaded for that.

/** @typedef {import("./wire.js").ToPage} ToPage */
/** @typedef {import("./wire.js").FromPage} FromPage */

/**
 * As much of a WebSocket as is used here.
 * @typedef {object} Wire
 * @property {(text: string) => void} send
 * @property {() => void} close
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: { data: any }) => void) | null} onmessage
 * @property {((event?: any) => void) | null} onclose
 */

/**
 * @typedef {object} LinkHost
 * @property {() => Wire} open
 * @property {(callback: () => void, ms: number) => unknown} setTimeout
 * @property {(handle: any) => void} clearTimeout
 * @property {() => Promise<void>} [renew] asks for what lets the page in: a server that was started again does not know the old token
 * @property {(wake: () => void) => void} onWake told when it is worth trying again: online, visible, shown again
 * @property {() => boolean} asleep the page is hidden; trying can wait until it is not
 * @property {() => FromPage} hello
 * @property {(message: ToPage) => void} receive
 * @property {(open: boolean, wire: Wire) => void} changed
 * @property {(message: string) => void} debug
 */

const FIRST_DELAY = 250;
const LONGEST_DELAY = 5000;

export class Link {
  /** @param {LinkHost} host */
  constructor(host) {
    this.host = host;
    /** @type {Wire | null} */
    this.wire = null;
    this.open = false;
    this.stopped = false;
    this.delay = FIRST_DELAY;
    /** @type {unknown} */
    this.timer = null;
    /** The number of the next push; null: whichever comes is the first. @type {number | null} */
    this.next = null;
    /** The last try did not get as far as a connection. */
    this.shutOut = false;
    /** Hello was said, welcome did not come yet. */
    this.greeting = false;
  }

  start() {
    this.host.onWake(() => {
      if (this.wire === null && !this.stopped) {
        this.delay = FIRST_DELAY;
        this.connect();
      }
    });
    this.connect();
  }

  stop() {
    this.stopped = true;
    this.host.clearTimeout(this.timer);
    this.wire?.close();
  }

  connect() {
    this.host.clearTimeout(this.timer);
    this.timer = null;
    /** @type {Wire} */
    let wire;
    try {
      wire = this.host.open();
    } catch (error) {
      this.host.debug(`no connection: ${error}`);
      this.later();
      return;
    }
    this.wire = wire;
    wire.onopen = () => {
      this.open = true;
      this.shutOut = false;
      this.hello();
      this.host.changed(true, wire);
    };
    wire.onmessage = ({ data }) => {
      // Only what our own socket brings, and only while it is ours.
      if (this.wire === wire) this.take(data);
    };
    wire.onclose = () => {
      if (this.wire !== wire) return;
      const wasOpen = this.open;
      this.shutOut = !wasOpen;
      this.wire = null;
      this.open = false;
      if (wasOpen) this.host.changed(false, wire);
      this.later();
    };
  }

  later() {
    // A hidden page tries again when it is looked at.
    if (this.stopped || this.host.asleep()) return;
    this.timer = this.host.setTimeout(() => void this.again(), this.delay);
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
  }

  async again() {
    if (this.shutOut && this.host.renew) {
      try {
        await this.host.renew();
      } catch (error) {
        this.host.debug(`no server: ${error}`);
      }
    }
    if (this.wire === null && !this.stopped) this.connect();
  }

  hello() {
    this.greeting = true;
    this.send(this.host.hello());
  }

  /** The page is not where the server thinks it is. Says so once, however many pushes show it. */
  resync() {
    if (!this.greeting) this.hello();
  }

  /** What cannot be sent is not kept: the next hello tells the server where the page is. @param {FromPage} message @returns {boolean} */
  send(message) {
    if (!this.open || this.wire === null) return false;
    try {
      this.wire.send(JSON.stringify(message));
      return true;
    } catch (error) {
      this.host.debug(`not sent: ${error}`);
      return false;
    }
  }

  /** @param {unknown} data */
  take(data) {
    /** @type {ToPage} */
    let message;
    try {
      message = JSON.parse(String(data));
    } catch {
      this.host.debug("a message that is no JSON");
      return;
    }
    if (message.type === "welcome") {
      this.greeting = false;
      this.delay = FIRST_DELAY;
      this.next = null;
    } else if (message.type === "push") {
      if (this.next !== null && message.seq < this.next) return;
      const gap = this.next !== null && message.seq > this.next && !this.greeting;
      this.next = message.seq + 1;
      if (gap) {
        this.host.debug(`push ${message.seq} came too early`);
        this.next = null;
        this.resync();
        return;
      }
    }
    this.host.receive(message);
  }
}
