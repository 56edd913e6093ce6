// Published versions of packages, as folders. They are fetched once, by npm, and kept in the folder of what only the tests need.
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../editors/code-server.js";

const run = promisify(execFile);

/**
 * `entry`: the module that stands for the package. `files`: what of the package belongs to the program, as beginnings of
 * paths; `adds`: files of our own beside them. `versions`: runs of versions, each a commit after the one before. `see`:
 * expressions over the exports that need no state; `state`: what is named like this does change with calls. `plain`: false where Node does not run the program as it is, or has what
 * a page lacks. `slice`: the commits that every test run types, by the version that they start from.
 * @typedef {{ name: string, entry: string, files: string[], adds?: Record<string, string>, versions: string[][], see: string[], state?: string, plain?: false, slice?: string[] }} Package
 */

/** @type {Package[]} */
export const PACKAGES = JSON.parse(readFileSync(new URL("list.json", import.meta.url), "utf8"));

/**
 * The folder of one published version, which is there from then on.
 *
 * @param {string} name
 * @param {string} version
 */
export async function published(name, version) {
  const all = join(cacheFolder(), "packages");
  const folder = join(all, `${name.replace("/", "+")}@${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(all, { recursive: true });
  const work = await mkdtemp(join(all, "unfinished-"));
  try {
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    await run(npm, ["pack", `${name}@${version}`, "--silent", "--ignore-scripts"], { cwd: work, shell: process.platform === "win32" });
    const [archive] = await readdir(work);
    await run("tar", ["-xzf", archive], { cwd: work });
    const inside = (await readdir(work)).find((it) => it !== archive);
    if (inside === undefined) throw new Error(`${name}@${version} is an empty archive`);
    // Whoever was faster has the same.
    await rename(join(work, inside), folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/**
 * The texts of a package's program, by path.
 *
 * @param {string} folder
 * @param {Package} it
 * @returns {Record<string, string>}
 */
export function texts(folder, { files, adds }) {
  /** @type {Record<string, string>} */
  const texts = { ...adds };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll("\\", "/");
    const belongs = entry.isFile() && /\.(js|mjs|cjs|json)$/.test(name) && files.some((it) => name.startsWith(it));
    if (belongs || name === "package.json") texts[name] = readFileSync(path, "utf8").replace(/^\ufeff/, "");
  }
  return texts;
}

/** Names that a text requires or imports and that are no paths. @param {string} text */
export function dependencies(text) {
  const found = text.matchAll(/\brequire\(\s*["']([^"'.][^"']*)["']\s*\)|\bfrom\s*["']([^"'.][^"']*)["']/g);
  return [...found].map(([, required, imported]) => required ?? imported);
}
