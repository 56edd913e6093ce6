// Writes dist/: index.html as it is, the editor and its style sheet bundled. A file that is the same already is left alone, because
// Cargo builds the binary again when one of them is newer.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

await mkdir(here("dist"), { recursive: true });
const { outputFiles } = await build({
  entryPoints: { editor: here("src/main.js") },
  outdir: here("dist"),
  bundle: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  minify: true,
  legalComments: "inline",
  logLevel: "info",
  write: false,
});
const files = outputFiles.map(({ path, contents }) => ({ path, contents }));
files.push({ path: here("dist/index.html"), contents: await readFile(here("index.html")) });
for (const { path, contents } of files) {
  const old = await readFile(path).catch(() => null);
  if (old === null || !old.equals(contents)) await writeFile(path, contents);
}
