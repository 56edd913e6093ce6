// A real browser for the program's page.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { atEnd } from "./cleanup.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts headless Chromium, which is closed when the test ends.
 *
 * @param {TestContext} t
 * @returns {Promise<Browser>}
 */
export async function launchChromium(t) {
  const executablePath = process.env.CAPUCHIN_CHROMIUM || "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no ${executablePath}: install Chromium ("apt-get install chromium"), or set CAPUCHIN_CHROMIUM to where it is.`,
    );
  }
  const browser = await chromium.launch({ executablePath, args: ARGS });
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
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack ?? error.message));
  page.on("console", (message) => {
    // The browser asks for an icon by itself; programs without one are not at fault.
    if (message.location().url.endsWith("/favicon.ico")) return;
    if (message.type() === "error") problems.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(url);
  return { page, problems };
}
