// What the tests share: a host in plain Node with a transport of its own, and short ways to write module factories as the server does.

import { createHost } from "../host.js";

let hosts = 0;

/** A clock that only moves when told to. */
export class Clock {
  time = 0;
  timers = [];
  setTimeout = (callback, ms) => {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return timer;
  };
  clearTimeout = (timer) => { this.timers = this.timers.filter((other) => other !== timer); };
  now = () => this.time;
  advance(ms) {
    const end = this.time + ms;
    for (;;) {
      this.timers.sort((a, b) => a.at - b.at);
      const [timer] = this.timers;
      if (!timer || timer.at > end) break;
      this.timers.shift();
      this.time = timer.at;
      timer.callback();
    }
    this.time = end;
  }
}

/** The far end of a socket. */
export class FakeSocket {
  sent = [];
  onopen = null;
  onmessage = null;
  onclose = null;
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.onclose?.(); }
  accept() { this.onopen?.(); }
  push(message) { this.onmessage?.({ data: JSON.stringify(message) }); }
  take(type) {
    const found = this.sent.filter((message) => message.type === type);
    this.sent = this.sent.filter((message) => message.type !== type);
    return found;
  }
}

/** Lets everything happen that needs no clock. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A page with a program. `log` is what the modules wrote with the global function `log`.
 * Programs are objects: id -> module source as `esm`, `cjs` … below give it.
 */
export class Page {
  constructor(options = {}) {
    this.clock = new Clock();
    this.log = [];
    this.warnings = [];
    this.problems = new Map();
    this.reloads = [];
    this.styles = new Map();
    this.sockets = [];
    this.rev = 1;
    this.seq = 0;
    this.served = new Map();
    // Sources reach the log of their own page by a name of its own, so that test files can run side by side in one process.
    this.name = `__log${++hosts}`;
    globalThis[this.name] = (text) => { this.log.push(text); };
    this.host = createHost({
      origin: "http://localhost:4177",
      page: "p1",
      server: "s1",
      url: "http://localhost:4177/",
      userAgent: "test",
      open: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket;
      },
      evaluate: (code) => (0, eval)(code.replaceAll("log(", `${this.name}(`)),
      fetchGraph: (id) => this.fetch(id),
      now: this.clock.now,
      setTimeout: this.clock.setTimeout,
      clearTimeout: this.clock.clearTimeout,
      onWake: (wake) => { this.wake = wake; },
      asleep: () => this.hidden === true,
      reload: (reason) => { this.reloads.push(reason); },
      injectStyle: (id, css) => { this.styles.set(id, css); },
      removeStyle: (id) => { this.styles.delete(id); },
      showProblem: (module, message) => { this.problems.set(module, message); },
      clearProblem: (module) => { this.problems.delete(module); },
      log: (level, message, error) => {
        if (level === "warn") this.warnings.push(message);
        if (level === "error") this.errors.push(error);
      },
      ...options,
    });
    this.errors = [];
    this.host.connect();
    this.socket.accept();
    this.socket.push({ type: "welcome", v: 1, server: "s1", page: "p1" });
  }

  get socket() { return this.sockets.at(-1); }
  get status() { return this.host.updater.status; }

  async fetch(id) {
    const def = this.served.get(id);
    if (!def) throw new TypeError(`Failed to fetch dynamically imported module: ${id}`);
    return { entry: id, server: "s1", modules: [def] };
  }

  /** Loads a program; the first module is the entry. */
  load(modules) {
    const defs = Object.entries(modules).map(([id, make]) => make(id, this.rev));
    const entry = defs[0].id;
    return this.host.enter({ entry, server: "s1", modules: defs });
  }

  /** What the module exports now, as its importers see it. */
  ns(id) { return this.host.registry.module(id).namespace; }
  instance(id) { return this.host.registry.cached(id); }
  hot(id) { return this.host.registry.faces(this.instance(id)).webpack; }
  vite(id) { return this.host.registry.faces(this.instance(id)).vite; }

  /** Sends changes; gives the outcomes, once everything is quiet. */
  async push(changes, when = "typing") {
    this.send(changes, when);
    await settle();
    await settle();
    return this.outcomes();
  }

  send(changes, when = "typing") { this.socket.push({ type: "push", seq: ++this.seq, when, changes }); }

  outcomes() { return this.socket.take("outcome").flatMap(({ results }) => results); }

  /** New code for modules: `update({"/a.js": esm(...)})`; null removes. */
  async update(modules, when = "typing") {
    return this.push(this.changes(modules), when);
  }

  changes(modules) {
    const rev = ++this.rev;
    const fresh = Object.entries(modules).filter(([id]) => !this.host.registry.modules.get(id)?.program).map(([id, make]) => make(id, rev));
    let first = true;
    return Object.entries(modules).filter(([id]) => this.host.registry.modules.get(id)?.program).map(([id, make]) => {
      const from = this.host.registry.modules.get(id).rev;
      if (make === null) return { type: "remove", module: id, rev };
      const defs = first ? [make(id, rev), ...fresh] : [make(id, rev)];
      first = false;
      return { type: "update", module: id, from, rev, defs };
    });
  }

  /** A function patch of one module. */
  patch(module, sites, more = {}) {
    const rev = ++this.rev;
    return {
      type: "patch", module, from: this.host.registry.modules.get(module).rev, rev, nsites: 0,
      sites: sites.map((site) => ({ rev, how: "fn", name: "f", ...site })), ...more,
    };
  }

  takeLog() { return this.log.splice(0).join(" "); }
}

/** Resolves `./x` against the module's folder, as the server does. */
export function resolve(id, spec) {
  return spec.startsWith(".") ? new URL(spec, `http://x${id}`).pathname : spec;
}

const deps = (id, specs) => specs.map((spec) => (typeof spec === "string" ? { spec, id: resolve(id, spec) } : spec));
const literals = (id, source) => Object.fromEntries([...source.matchAll(/"(\.\.?\/[^"]+)"/g)].map(([, spec]) => [spec, resolve(id, spec)]));

/**
 * An ES module. `imports`: name of the namespace constant -> specifier. `exports`: name -> expression.
 * `stars`: specifiers of `export * from`. In the body, `imports` names are namespaces.
 */
export function esm({ imports = {}, exports = {}, stars = [], body = "", sites = 0, async = false, effects = [], names, dynamic = [], accepts } = {}) {
  return (id, rev) => {
    const specs = [...new Set([...Object.values(imports), ...stars, ...effects])];
    const getters = Object.entries(exports).map(([name, value]) => `${JSON.stringify(name)}:()=>${value}`).join(",");
    const code = `${async ? "async" : ""}($cap_m)=>{"use strict";const $cap_g=$cap_m.guards($cap_c=>eval($cap_c));const $cap_s0=$cap_c=>eval($cap_c);$cap_m.exports({${getters}});`
      + stars.map((spec) => `$cap_m.star(${JSON.stringify(spec)});`).join("")
      + `${async ? "await " : ""}$cap_m.link();`
      + Object.entries(imports).map(([name, spec]) => `const ${name}=$cap_m.ns(${JSON.stringify(spec)});`).join("")
      + `const hot=$cap_m.meta.hot,whot=$cap_m.meta.webpackHot;${body}\n}`;
    const list = deps(id, specs);
    if (names) for (const dep of list) if (names[dep.spec]) dep.names = names[dep.spec];
    return { id, kind: "esm", rev, sites, ...(async ? { async: true } : {}), deps: list, dynamic: deps(id, dynamic), accepts: accepts ?? literals(id, body), code };
  };
}

/** A CommonJS module. */
export function cjs(body = "", { requires, sites = 0, accepts } = {}) {
  return (id, rev) => {
    const specs = requires ?? [...new Set([...body.matchAll(/require\("([^"]+)"\)/g)].map(([, spec]) => spec))];
    const code = `(function($cap_m,module,exports,require,__filename,__dirname){const $cap_g=$cap_m.guards($cap_c=>eval($cap_c));const $cap_s0=$cap_c=>eval($cap_c);${body}\n})`;
    return { id, kind: "cjs", rev, sites, deps: deps(id, specs), accepts: accepts ?? literals(id, body), code };
  };
}

export const kind = (name, code) => (id, rev) => ({ id, kind: name, rev, sites: 0, deps: [], code });
