// A real VS Code, as far as the browser and the extension host go: code-server runs its workbench behind a web page.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { capuchinBinary } from "../support/binary.js";
import { atEnd } from "../support/cleanup.js";
import { within } from "../support/deadline.js";
import { makeTempFolder } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("playwright-core").Page} Page */

export const CODE_SERVER = "4.139.1";
/** The Node.js release that this code-server is made for. */
export const NODE_MAJOR = "24";

const EXTENSION = fileURLToPath(new URL("../../vscode-extension/", import.meta.url));

/** Where programs that only the tests need are kept. */
export function cacheFolder() {
  return process.env.CAPUCHIN_CACHE || join(homedir(), ".cache", "capuchin-tests");
}

/** Where setup-code-server.mjs installs code-server. It is either whole or not there. */
export function codeServerFolder() {
  return join(cacheFolder(), `code-server-${CODE_SERVER}-node-${NODE_MAJOR}`);
}

/**
 * Makes the extension's package with the program under test inside, as a release does.
 *
 * @param {TestContext} t
 * @returns {Promise<string>} the package's path
 */
export async function packageExtension(t) {
  if (!existsSync(join(EXTENSION, "node_modules"))) {
    throw new Error('The extension cannot be built: run "npm ci" in vscode-extension first.');
  }
  const vsix = join(await makeTempFolder(t, "vsix"), "capuchin.vsix");
  const { status, error, stdout, stderr } = spawnSync(
    process.execPath,
    ["scripts/package.mjs", "--binary", capuchinBinary(), "--out", vsix],
    { cwd: EXTENSION, encoding: "utf8" },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`The extension could not be packaged:\n${stdout}${stderr}`);
  return vsix;
}

/**
 * Starts a fresh VS Code, with nothing but this extension, on a folder.
 *
 * @param {TestContext} t
 * @param {{ folder: string, vsix: string, settings?: Record<string, unknown> }} options
 */
export async function startCodeServer(t, { folder, vsix, settings = {} }) {
  const installed = codeServerFolder();
  if (!existsSync(installed)) {
    throw new Error(
      `There is no code-server in ${installed}: run "node tests/editors/setup-code-server.mjs", which installs it there, or set CAPUCHIN_CACHE.`,
    );
  }
  const home = await makeTempFolder(t, "code-server");
  const data = join(home, "data");
  const env = environment(home);
  const node = join(installed, "node_modules", "node", "bin", "node");
  const run = [
    join(installed, "node_modules", "code-server", "out", "node", "entry.js"),
    ...["--user-data-dir", data, "--extensions-dir", join(home, "extensions")],
  ];
  await mkdir(join(data, "User"), { recursive: true });
  await writeFile(
    join(data, "User", "settings.json"),
    JSON.stringify({
      // In a browser VS Code saves by itself unless it is told not to. The rest only takes time or room.
      "files.autoSave": "off",
      "workbench.startupEditor": "none",
      "git.enabled": false,
      "chat.disableAIFeatures": true,
      ...settings,
    }),
  );

  const install = spawnSync(node, [...run, "--install-extension", vsix], { env, encoding: "utf8" });
  if (install.status !== 0) throw new Error(`VS Code refuses the extension:\n${install.stdout}${install.stderr}`);

  const child = spawn(
    node,
    [
      ...run,
      ...["--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"],
      ...["--disable-workspace-trust", "--disable-getting-started-override", folder],
    ],
    // A process group of its own: its children outlive it by some seconds and would write into folders just removed.
    { env, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const killAll = () => killGroup(child.pid);
  process.once("exit", killAll);
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
  const ended = new Promise((resolve) => child.once("close", resolve));
  atEnd(t, async () => {
    process.off("exit", killAll);
    child.kill("SIGTERM");
    await within("code-server to end", ended).finally(killAll);
  });
  const url = await within(
    () => `code-server to listen; it wrote:\n${output}`,
    new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        output += `${line}\n`;
        const address = /HTTP server listening on (http:\S+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
      child.once("close", () => reject(new Error(`code-server ended:\n${output}`)));
    }),
  );
  return { url: new URL(/** @type {string} */ (url)), folder, log: () => output };
}

/**
 * Ends whatever is left of a process group.
 *
 * @param {number | undefined} leader
 */
function killGroup(leader) {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}

/**
 * The address that shows the folder with a file opened in it.
 *
 * @param {{ url: URL, folder: string }} server
 * @param {string} path
 */
export function fileAddress({ url, folder }, path) {
  const address = new URL(url);
  address.searchParams.set("folder", folder);
  address.searchParams.set("payload", JSON.stringify([["openFile", `vscode-remote://${url.host}${path}`]]));
  return address.href;
}

/**
 * The real environment, with folders of its own and no server chosen but the one in the extension.
 *
 * @param {string} home
 */
function environment(home) {
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...process.env,
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "share"),
  };
  // A VS Code that this test is started from would have its say.
  for (const name of Object.keys(env)) {
    if (/^(CAPUCHIN_BIN|PASSWORD|HASHED_PASSWORD|CODE_SERVER_.*|VSCODE_.*)$/.test(name)) delete env[name];
  }
  return env;
}
