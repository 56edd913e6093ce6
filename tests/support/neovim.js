// A real Neovim without a screen, driven through its msgpack-RPC interface. Keys go in as if typed.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeMultiStream, encode } from "@msgpack/msgpack";
import { atEnd } from "./cleanup.js";
import { Inbox, within } from "./deadline.js";
import { makeTempFolder } from "./project.js";

/** @typedef {import("node:test").TestContext} TestContext */

const CONFIGURATION = fileURLToPath(new URL("../../nvim", import.meta.url));

/**
 * The Neovims to test: those that CAPUCHIN_NVIM names, a list like PATH, or the one on the PATH.
 *
 * @returns {{ command: string, version: string }[]}
 */
export function neovims() {
  const commands = (process.env.CAPUCHIN_NVIM || "nvim").split(process.platform === "win32" ? ";" : ":");
  return commands.map((command) => {
    const { stdout, error } = spawnSync(command, ["--version"], { encoding: "utf8" });
    const version = error ? undefined : /^NVIM v(\S+)/.exec(stdout)?.[1];
    if (version === undefined) {
      throw new Error(
        `There is no Neovim "${command}": install it ("apt-get install neovim"), or set CAPUCHIN_NVIM to where it is.`,
      );
    }
    return { command, version };
  });
}

/**
 * Starts Neovim with Capuchin's configuration on its runtime path and nothing else of the user's.
 *
 * @param {TestContext} t
 * @param {string} command
 */
export async function startNeovim(t, command) {
  const neovim = new Neovim(command, await makeTempFolder(t, "nvim"));
  atEnd(t, () => neovim.quit());
  await neovim.connect();
  return neovim;
}

export class Neovim {
  #child;
  #stderr = "";
  #nextId = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map();
  /** @type {Inbox<{ name: string, args: any[] }>} */
  #events = new Inbox();
  /** @type {Promise<void>} */
  #ended;

  /**
   * @param {string} command
   * @param {string} home for everything that Neovim writes, its logs for one
   */
  constructor(command, home) {
    this.#child = spawn(
      command,
      // No swap files (-n): one that an earlier run left would make it wait for an answer.
      ["--embed", "--headless", "--clean", "-n", "--cmd", `set runtimepath+=${CONFIGURATION.replaceAll(" ", "\\ ")}`],
      {
        env: {
          ...process.env,
          HOME: home,
          XDG_CACHE_HOME: join(home, "cache"),
          XDG_CONFIG_HOME: join(home, "config"),
          XDG_DATA_HOME: join(home, "data"),
          XDG_STATE_HOME: join(home, "state"),
        },
        stdio: "pipe",
      },
    );
    this.#child.stderr.setEncoding("utf8").on("data", (data) => (this.#stderr += data));
    this.#child.stdin.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      const end = (/** @type {Error | number | null} */ how) => {
        const error = new Error(`Neovim has ended (${how}): ${this.#stderr}`);
        this.#events.close(error);
        for (const { reject } of this.#pending.values()) reject(error);
        this.#pending.clear();
        resolve();
      };
      this.#child.once("close", end).once("error", end);
    });
    void this.#receive();
  }

  async connect() {
    const [channel] = await this.request("nvim_get_api_info");
    await this.lua(`vim.g.capuchin_test_channel = ...`, channel);
  }

  /**
   * @param {string} method
   * @param {...unknown} args
   * @returns {Promise<any>}
   */
  request(method, ...args) {
    const id = this.#nextId++;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#child.stdin.write(encode([0, id, method, args]));
    return within(() => `Neovim to answer ${method} ${JSON.stringify(args)}; it wrote: ${this.#stderr}`, answer);
  }

  /**
   * @param {string} code
   * @param {...unknown} args what `...` stands for in it
   */
  lua(code, ...args) {
    return this.request("nvim_exec_lua", code, args);
  }

  /** @param {string} line */
  command(line) {
    return this.request("nvim_command", line);
  }

  /**
   * Types keys, written as in a mapping: `<Esc>`, `<CR>`, `<lt>` for `<`. They are taken in like a person's, that is
   * after this returns.
   *
   * @param {string} keys
   */
  async type(keys) {
    const taken = await this.request("nvim_input", keys);
    if (taken !== Buffer.byteLength(keys)) throw new Error(`Neovim took only ${taken} bytes of ${JSON.stringify(keys)}`);
  }

  /** The current buffer's text. @returns {Promise<string>} */
  async text() {
    return (await this.request("nvim_buf_get_lines", 0, 0, -1, true)).join("\n") + "\n";
  }

  /**
   * Waits until a Lua expression is true; it is looked at again at every change of Capuchin's status.
   *
   * @param {string} what
   * @param {string} expression
   */
  async until(what, expression) {
    await this.lua(`
      local channel = vim.g.capuchin_test_channel
      vim.api.nvim_create_autocmd("User", {
        pattern = "CapuchinChanged",
        callback = function() vim.rpcnotify(channel, "changed") end,
      })`);
    for (;;) {
      if (await this.lua(`return (${expression}) and true or false`)) return;
      await this.event("changed", what);
    }
  }

  /**
   * The next event that Lua code sent by `vim.rpcnotify(vim.g.capuchin_test_channel, name, …)`.
   *
   * @param {string} name
   * @param {string} [what]
   * @returns {Promise<any[]>}
   */
  async event(name, what = `Neovim to send ${name}`) {
    return (await this.#events.take(what, (it) => it.name === name)).args;
  }

  async quit() {
    try {
      this.#child.stdin.write(encode([2, "nvim_command", ["qall!"]]));
      await within("Neovim to quit", this.#ended);
    } finally {
      this.#child.kill("SIGKILL");
      await this.#ended;
    }
  }

  async #receive() {
    for await (const message of decodeMultiStream(this.#child.stdout)) {
      const [type, ...rest] = /** @type {any[]} */ (message);
      if (type === 1) {
        const [id, error, result] = rest;
        const request = this.#pending.get(id);
        this.#pending.delete(id);
        if (error) request?.reject(new Error(`Neovim: ${error[1] ?? JSON.stringify(error)}`));
        else request?.resolve(result);
      } else if (type === 2) {
        const [name, args] = rest;
        this.#events.put({ name, args });
      }
    }
  }
}
