// Keys typed in a real VS Code, with the packaged extension installed, change a real page.
import assert from "node:assert/strict";
import test from "node:test";
import { launchChromium } from "../support/chromium.js";
import { DEADLINE_MS } from "../support/deadline.js";
import { makeProject } from "../support/project.js";
import { fileAddress, packageExtension, startCodeServer } from "./code-server.js";

/** @typedef {import("playwright-core").Page} Page */

const PROJECT = new URL("project/", import.meta.url);
/** VS Code itself takes its time to load. */
const LOADING_MS = 6 * DEADLINE_MS;

test("VS Code with the packaged extension", async (t) => {
  const vsix = await packageExtension(t);

  await t.test("typing changes the page and keeps its state", async (t) => {
    const project = await makeProject(t, PROJECT);
    const onDisk = await project.read("main.js");
    const server = await startCodeServer(t, { folder: project.folder, vsix, settings: { "capuchin.port": 0 } });
    const browser = await launchChromium(t);
    const context = await browser.newContext();
    const editor = await context.newPage();
    await editor.goto(fileAddress(server, project.path("main.js")));

    await statusItem(editor, "no page").waitFor({ timeout: LOADING_MS });
    const page = await openPageByCommand(editor);
    /** @type {string[]} */
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await statusItem(editor, "1 page").waitFor();
    await page.click("#add");
    await page.click("#add");
    await waitForLabel(page, "count: 2");
    await page.evaluate("window.kept = window.start");

    // A word, key by key.
    await editor.bringToFront();
    await putCursorBefore(editor, "count: $");
    await editor.keyboard.type("you are at ");
    await waitForLabel(page, "you are at count: 2");
    await statusItem(editor, /live (<1|\d+) ms · 1 page/).waitFor();

    // Half-typed code leaves the page running.
    await editor.keyboard.press("End");
    await editor.keyboard.press("Backspace");
    await editor.keyboard.type(" + (");
    await statusItem(editor, "held").waitFor();
    await page.click("#add");
    await waitForLabel(page, "you are at count: 3");
    await editor.keyboard.type("count * 2)");
    await waitForLabel(page, "you are at count: 36");

    // A line deleted, and undo, which is an edit like others.
    await editor.keyboard.press("Control+Shift+k");
    await waitForLabel(page, "");
    await editor.keyboard.press("Control+z");
    await waitForLabel(page, "you are at count: 36");

    // A style sheet reaches the page as it is typed, too.
    await openFile(editor, "style.css");
    await putCursorBefore(editor, "2, 3");
    await editor.keyboard.type("9");
    await page.waitForFunction(() => getComputedStyle(/** @type {Element} */ (document.querySelector("#label"))).color === "rgb(1, 92, 3)", undefined, { polling: 20 });

    // Nothing was saved, reloaded or broken.
    assert.equal(await project.read("main.js"), onDisk);
    assert.equal(await editor.locator(".tab.dirty", { hasText: "main.js" }).count(), 1);
    assert.equal(await page.evaluate("window.kept !== undefined && window.kept === window.start"), true);
    await page.click("#add");
    await waitForLabel(page, "you are at count: 48");
    assert.deepEqual(problems, []);

    // A reload shows the unsaved text.
    await page.reload();
    await waitForLabel(page, "you are at count: 00");

    // What no patch can do comes with a save, and the status says that the page has it.
    await editor.bringToFront();
    await openFile(editor, "main.js");
    await editor.keyboard.press("Control+End");
    await editor.keyboard.type("\nwindow.late = count;");
    await statusItem(editor, "needs reload").waitFor();
    await editor.keyboard.press("Control+s");
    await statusItem(editor, /live · 1 page/).waitFor();
    assert.equal(await page.evaluate("window.late"), 0);

    // A page that is closed is no longer counted.
    await page.close();
    await statusItem(editor, "no page").waitFor();
  });

  await t.test("it says what is wrong with the server and starts it when the setting is put right", async (t) => {
    const project = await makeProject(t, PROJECT);
    const wrong = { "capuchin.port": 0, "capuchin.path": "/nowhere/capuchin" };
    const server = await startCodeServer(t, { folder: project.folder, vsix, settings: wrong });
    const browser = await launchChromium(t);
    const editor = await browser.newPage();
    await editor.goto(fileAddress(server, project.path("main.js")));

    const message = editor.locator(".notification-toast", {
      hasText: "Capuchin's server from the setting capuchin.path could not be run: there is no /nowhere/capuchin.",
    });
    await message.waitFor({ timeout: LOADING_MS });
    for (const action of ["Open Settings", "Restart", "Show Log"]) {
      assert.equal(await message.getByRole("button", { name: action }).count(), 1, action);
    }

    // One message, of ours.
    await runCommand(editor, "Preferences: Open User Settings (JSON)");
    await saveSettings(editor, { "capuchin.port": 0, "capuchin.root": "nowhere" });
    const told = editor.locator(".notification-toast", { hasText: "nowhere" });
    await told.filter({ hasText: "Capuchin could not start" }).waitFor();
    assert.equal(await editor.locator(".notification-toast", { hasText: "couldn't create connection" }).count(), 0);

    await saveSettings(editor, { "capuchin.port": 0 });
    await statusItem(editor, "no page").waitFor();
  });
});

/**
 * @param {Page} editor
 * @param {string | RegExp} text
 */
function statusItem(editor, text) {
  return editor.locator(".statusbar-item[id^='capuchin.capuchin']", { hasText: text });
}

/**
 * Lets VS Code open the page. code-server sends the browser to a path of its own that stands for the page's port, for
 * browsers on other computers; this one is on the same and goes to that port itself.
 *
 * @param {Page} editor
 */
async function openPageByCommand(editor) {
  const context = editor.context();
  const forwarded = /\/proxy\/(\d+)\/$/;
  await context.route(forwarded, (route) => route.fulfill({ contentType: "text/html", body: "" }));
  const opened = context.waitForEvent("page");
  await runCommand(editor, "Capuchin: Open Page");
  const page = await opened;
  await page.waitForURL(forwarded);
  await page.goto(`http://127.0.0.1:${forwarded.exec(page.url())?.[1]}/`);
  return page;
}

/**
 * Puts the settings into VS Code's own editor for them, which is open, and saves.
 *
 * @param {Page} editor
 * @param {Record<string, unknown>} settings
 */
async function saveSettings(editor, settings) {
  await editor.locator(".monaco-editor .view-line", { hasText: "capuchin" }).first().click();
  await editor.keyboard.press("Control+a");
  await editor.keyboard.insertText(JSON.stringify(settings));
  await editor.keyboard.press("Control+s");
}

/**
 * @param {Page} editor
 * @param {string} title
 */
async function runCommand(editor, title) {
  await editor.keyboard.press("F1");
  const input = editor.locator(".quick-input-widget input");
  await input.fill(`>${title}`);
  await editor.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
}

/** By name, as people do. @param {Page} editor @param {string} name */
async function openFile(editor, name) {
  await editor.keyboard.press("F1");
  await editor.locator(".quick-input-widget input").fill(name);
  await editor.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().click();
  await editor.locator(".tab.active", { hasText: name }).waitFor();
}

/**
 * Puts the cursor before the only place where the text stands, by VS Code's own search.
 *
 * @param {Page} editor
 * @param {string} text
 */
async function putCursorBefore(editor, text) {
  await editor.locator(".monaco-editor .view-lines").first().click();
  await editor.keyboard.press("Control+f");
  const widget = editor.locator(".find-widget.visible");
  await widget.locator("textarea").first().fill(text);
  // Keys that come before it has found the text would be typed into the widget.
  await editor.keyboard.press("Enter");
  await widget.locator(".matchesCount", { hasText: "1 of 1" }).waitFor();
  await widget.getByRole("button", { name: "Close" }).click();
  await widget.waitFor({ state: "detached" });
  await editor.locator(".monaco-editor.focused").waitFor();
  await editor.keyboard.press("ArrowLeft");
}

/**
 * @param {Page} page
 * @param {string} text
 */
async function waitForLabel(page, text) {
  try {
    await page.waitForFunction((expected) => document.querySelector("#label")?.textContent === expected, text, {
      timeout: DEADLINE_MS,
      // The page may be behind the editor's, where animation frames are rare.
      polling: 20,
    });
  } catch (error) {
    throw new Error(`the label is ${JSON.stringify(await page.textContent("#label"))} and not ${JSON.stringify(text)}`, {
      cause: error,
    });
  }
}
