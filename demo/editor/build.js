// Writes dist/: index.html as it is, the editor and its style sheet bundled.

import { copyFile, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

await mkdir(here("dist"), { recursive: true });
await build({
  entryPoints: { editor: here("src/main.js") },
  outdir: here("dist"),
  bundle: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  minify: true,
  legalComments: "inline",
  logLevel: "info",
});
await copyFile(here("index.html"), here("dist/index.html"));
