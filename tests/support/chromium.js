// A real browser for the program's page.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { atEnd } from "./cleanup.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */

export const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where the browser is. */
export function chromiumPath() {
  const path = process.env.CAPUCHIN_CHROMIUM || "/usr/bin/chromium";
  if (!existsSync(path)) {
    throw new Error(`There is no ${path}: install Chromium ("apt-get install chromium"), or set CAPUCHIN_CHROMIUM to where it is.`);
  }
  return path;
}

/**
 * Starts headless Chromium, which is closed when the test ends.
 *
 * @param {TestContext} t
 * @param {string[]} [more] flags beside the usual ones
 * @returns {Promise<Browser>}
 */
export async function launchChromium(t, more = []) {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...CHROMIUM_ARGS, ...more] });
  atEnd(t, () => browser.close());
  return browser;
}

/**
 * Opens a page and keeps what goes wrong in it: `problems` holds uncaught errors and console errors.
 *
 * @param {Browser} browser
 * @param {string} url
 * @returns {Promise<{ page: Page, problems: string[] }>}
 */
export async function openPage(browser, url) {
  const page = await browser.newPage();
  const problems = watchProblems(page);
  await page.goto(url);
  return { page, problems };
}

/**
 * Keeps uncaught errors and console errors of a page.
 *
 * @param {Page} page
 */
export function watchProblems(page) {
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack ?? error.message));
  page.on("console", (message) => {
    // The browser asks for an icon by itself; programs without one are not at fault.
    if (message.location().url.endsWith("/favicon.ico")) return;
    if (message.type() === "error") problems.push(`${message.text()} (${message.location().url})`);
  });
  return problems;
}
