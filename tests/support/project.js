// Projects to edit: every test gets a copy of its own.
import { cp, mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { atEnd } from "./cleanup.js";

/** @typedef {import("node:test").TestContext} TestContext */

let parts = 0;

export class Project {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /** @param {string} name */
  path(name) {
    return join(this.folder, name);
  }

  /** @param {string} name */
  uri(name) {
    return pathToFileURL(this.path(name)).href;
  }

  /** @param {string} name */
  read(name) {
    return readFile(this.path(name), "utf8");
  }

  /**
   * @param {string} name
   * @param {string | Uint8Array} content
   */
  async write(name, content) {
    await mkdir(dirname(this.path(name)), { recursive: true });
    // As a whole or not at all: who looks meanwhile must not find an empty file.
    const part = `${this.folder}.part${++parts}`;
    await writeFile(part, content);
    await rename(part, this.path(name));
  }
}

/**
 * Copies a folder, or writes the given files, into a new temporary folder, which goes when the test ends.
 *
 * @param {TestContext} t
 * @param {URL | string | Record<string, string>} content a folder, or file names with their texts
 */
export async function makeProject(t, content) {
  const folder = await makeTempFolder(t);
  const project = new Project(folder);
  if (content instanceof URL) await cp(fileURLToPath(content), folder, { recursive: true });
  else if (typeof content === "string") await cp(content, folder, { recursive: true });
  else for (const [name, text] of Object.entries(content)) await project.write(name, text);
  return project;
}

/**
 * @param {TestContext} t
 * @param {string} [name]
 */
export async function makeTempFolder(t, name = "project") {
  // The real path: on some systems the temporary folder is a symbolic link, and editors resolve it.
  const folder = await mkdtemp(join(await realpath(tmpdir()), `capuchin-${name}-`));
  // Retried, because a process that is just ending may still write into it.
  atEnd(t, () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
