// Makes the VSIX with the server inside:
//
//     npm run package -- [--binary PATH] [--out FILE] [--target linux-x64]
//
// The binary is taken from --binary, the environment variable CAPUCHIN_BIN, or the newest of Cargo's release and
// debug builds of this repository.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const extension = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  makePackage();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function makePackage() {
  const { values } = parseArgs({
    options: { binary: { type: "string" }, out: { type: "string" }, target: { type: "string" } },
  });
  const target = values.target ?? `${process.platform}-${process.arch}`;
  const name = target.startsWith("win32") ? "capuchin.exe" : "capuchin";
  const binary = resolve(values.binary ?? process.env["CAPUCHIN_BIN"] ?? newestBuild(name));
  if (!existsSync(binary)) {
    throw new Error(`There is no ${binary}: build the server with "cargo build --release -p capuchin", or name one with --binary.`);
  }

  const bin = join(extension, "bin");
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  copyFileSync(binary, join(bin, name));
  // The package keeps this bit, and VS Code sets it as it was when it unpacks.
  chmodSync(join(bin, name), 0o755);

  const out = values.out === undefined ? [] : ["--out", resolve(values.out)];
  run("npm", ["run", "--silent", "build", "--", "--log-level=warning"]);
  run("npx", ["--no-install", "vsce", "package", "--target", target, "--no-dependencies", "--allow-missing-repository", ...out]);
  console.log(`The server inside is ${binary} (${(statSync(binary).size / 1e6).toFixed(0)} MB).`);
}

/** @param {string} name */
function newestBuild(name) {
  const target = process.env["CARGO_TARGET_DIR"] ?? join(extension, "..", "target");
  const builds = ["release", "debug"].map((profile) => join(target, profile, name)).filter((path) => existsSync(path));
  builds.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return builds[0] ?? join(target, "release", name);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: extension,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed.`);
}
