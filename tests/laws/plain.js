// Programs run plainly, by JavaScript itself: what instrumented and patched ones are held against.
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

let runs = 0;

/**
 * Runs a program from its first file, and gives its exports.
 *
 * @param {string} folder where files can be written
 * @param {Record<string, string>} files
 * @returns {Promise<any>}
 */
export async function runPlainly(folder, files) {
  // A folder of its own, because Node runs a file only once.
  const own = `${folder}/plain-${process.pid}-${++runs}`;
  await mkdir(own, { recursive: true });
  await writeFile(`${own}/package.json`, `{"type":"module"}`);
  for (const [name, text] of Object.entries(files)) await writeFile(`${own}/${name}`, text);
  const [main] = Object.keys(files);
  const path = `${own}/${main}`;
  return main.endsWith(".cjs") ? createRequire(path)(path) : import(pathToFileURL(path).href);
}
