// Installs VS Code for the editor test: code-server, which is VS Code's own workbench and extension host
// behind a web page, and the Node.js release that it asks for. Both come from npm.
//
//     node tests/editors/setup-code-server.mjs
//
// They go to the folder that CAPUCHIN_CACHE names, or else to ~/.cache/capuchin-tests. The work is done in a
// folder of its own that gets its final name in the last step, so a set-up that was interrupted leaves
// nothing that could be taken for a finished one: the next run clears it away and starts again.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { codeServerFolder, cacheFolder, CODE_SERVER, NODE_MAJOR } from "./code-server.js";

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await setUpCodeServer();
  } catch (error) {
    console.error(`code-server could not be set up: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** Installs code-server unless it is there. Safe to run twice at once: the first to finish wins. */
export async function setUpCodeServer() {
  const folder = codeServerFolder();
  await mkdir(cacheFolder(), { recursive: true });
  await clearAbandonedWork();
  if (existsSync(folder)) {
    console.log(`code-server ${CODE_SERVER} is in ${folder} already: nothing to do`);
    return;
  }

  const started = Date.now();
  const work = `${folder}.unfinished-${process.pid}`;
  console.log(
    `Installing code-server ${CODE_SERVER} and Node.js ${NODE_MAJOR} from npm into ${folder} (about 620 MB, a minute or less)`,
  );
  await mkdir(work);
  await writeFile(join(work, "package.json"), '{ "private": true }\n');
  // This package finds the binary for the platform in its install script, so scripts stay on for it alone.
  await step("Node.js", work, ["install", `node@${NODE_MAJOR}`]);
  await step("code-server", work, ["install", "--ignore-scripts", `code-server@${CODE_SERVER}`]);
  // What code-server's own install script would do, less the native modules that a test does not need:
  // they would want a compiler.
  const workbench = join(work, "node_modules", "code-server", "lib", "vscode");
  await step("the workbench's modules", workbench, ["install", "--omit=dev", "--ignore-scripts"]);
  await step("the built-in extensions' modules", join(workbench, "extensions"), ["install", "--omit=dev", "--ignore-scripts"]);

  try {
    await rename(work, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(work, { recursive: true, force: true });
  }
  console.log(`Done in ${seconds(started)}`);
}

/** Removes the work of set-ups that died half-way; one that still runs keeps its folder. */
async function clearAbandonedWork() {
  for (const name of await readdir(cacheFolder())) {
    const pid = /\.unfinished-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    console.log(`Clearing away ${name}, which was never finished`);
    await rm(join(cacheFolder(), name), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * @param {string} what
 * @param {string} cwd
 * @param {string[]} args
 */
async function step(what, cwd, args) {
  const started = Date.now();
  const output = await npm(cwd, [...args, "--no-audit", "--no-fund", "--loglevel=error"]);
  if (output !== null) throw new Error(`npm ${args.join(" ")} failed in ${cwd}:\n${output}`);
  console.log(`  ${what}: ${seconds(started)}`);
}

/**
 * @param {string} cwd
 * @param {string[]} args
 * @returns {Promise<string | null>} what npm printed if it failed, null if it did not
 */
function npm(cwd, args) {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", args, { cwd, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0 ? null : output));
  });
}

/** @param {number} started */
function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}
