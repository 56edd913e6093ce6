// The first render of a large program, and what the server needs to hold it.
//
// A server that has just started, a browser that has not seen the page: from the navigation until the program, which runs code of
// all its modules, has written to the document. In the same run a plain static server hands the same files to the same browser,
// which then loads the modules by itself.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { atEnd } from "../support/cleanup.js";
import { startServe } from "../support/binary.js";
import { launchChromium } from "../support/chromium.js";
import { makeProject } from "../support/project.js";
import { median, ms, ratio, table, verdict } from "./support/figures.js";
import { tree } from "./support/programs.js";
import { scope } from "./support/scope.js";

/** @typedef {import("node:test").TestContext} TestContext */

/** Modules, and the time that they may take. */
const SIZES = [
  { count: 1000, target: 700 },
  { count: 5000, target: 3000 },
];
const ROUNDS = 3;
const LARGEST_SERVER = 100;

for (const { count, target } of SIZES) {
  await scope(async (t) => {
    const main = `\ndocument.getElementById("out").textContent = String(total());\n`;
    const project = await makeProject(t, tree(count, { main }));
    const files = await startStatic(t, project.folder);
    /** @type {number[]} */
    const first = [];
    /** @type {number[]} */
    const again = [];
    /** @type {number[]} */
    const plain = [];
    /** @type {number[]} */
    const memory = [];
    /** @type {number[]} */
    const peak = [];
    for (let n = 0; n < ROUNDS; n++) {
      await scope(async (t) => void plain.push(await load(t, files)));
      await scope(async (t) => {
        const server = await startServe(t, project.folder);
        const pid = /** @type {number} */ (server.process.pid);
        first.push(await load(t, server.url));
        again.push(await load(t, server.url));
        const { resident, highest } = await megabytes(pid);
        memory.push(resident);
        peak.push(highest);
      });
    }
    const [cold, warm, floor] = [median(first), median(again), median(plain)];
    console.log(`\nFirst render of ${count} modules, median of ${ROUNDS}\n`);
    console.log(table([
      ["", "time", "to the static server's"],
      ["server just started", ms(cold), ratio(cold / floor)],
      ["a second page", ms(warm), ratio(warm / floor)],
      ["static files", ms(floor), ""],
    ]));
    console.log(`\n${verdict(`first render of ${count} modules`, cold, target, ms)}`);
    console.log(verdict(`server memory at ${count} modules`, median(memory), LARGEST_SERVER, (it) => `${it.toFixed(1)} MB`));
    console.log(`        at its peak: ${median(peak).toFixed(1)} MB`);
  });
}

/**
 * Loads the page in a browser of its own and gives the time to its first render.
 *
 * @param {TestContext} t
 * @param {string} url
 */
async function load(t, url) {
  const browser = await launchChromium(t);
  const page = await browser.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.addInitScript(() => {
    addEventListener("DOMContentLoaded", () => {
      const out = /** @type {HTMLElement} */ (document.getElementById("out"));
      const note = () => { /** @type {any} */ (globalThis).rendered ??= performance.now(); };
      if (out.textContent !== "") note();
      else new MutationObserver(note).observe(out, { childList: true, characterData: true, subtree: true });
    });
    // Modules run before that event.
    new MutationObserver((_, observer) => {
      if (!document.getElementById("out")?.textContent) return;
      observer.disconnect();
      /** @type {any} */ (globalThis).rendered ??= performance.now();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => "rendered" in globalThis, undefined, { timeout: 60_000 });
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const took = await page.evaluate(() => /** @type {any} */ (globalThis).rendered);
  await browser.close();
  return took;
}

/**
 * @param {TestContext} t
 * @param {string} folder
 */
async function startStatic(t, folder) {
  const server = createServer(async (request, answer) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const name = path === "/" ? "/index.html" : path;
    const bytes = await readFile(join(folder, name)).catch(() => null);
    const type = name.endsWith(".js") ? "text/javascript" : "text/html";
    answer.writeHead(bytes === null ? 404 : 200, { "content-type": type, "cache-control": "no-cache" }).end(bytes);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}/`;
}

/** @param {number} pid */
async function megabytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const field = (/** @type {string} */ name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  if (status !== "") return { resident: field("VmRSS"), highest: field("VmHWM") };
  const resident = Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
  return { resident, highest: Number.NaN };
}
