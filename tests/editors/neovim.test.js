// Keys typed in a real Neovim change a real page.
import assert from "node:assert/strict";
import test from "node:test";
import { capuchinBinary } from "../support/binary.js";
import { launchChromium, openPage } from "../support/chromium.js";
import { DEADLINE_MS } from "../support/deadline.js";
import { neovims, startNeovim } from "../support/neovim.js";
import { makeProject } from "../support/project.js";

const PROJECT = new URL("project/", import.meta.url);

/** The two ways to set Capuchin up, as the help describes them. */
const WAYS = [
  {
    name: "setup()",
    since: [0, 7],
    lua: `local cmd = ...
          require("capuchin").setup({ cmd = cmd, port = 0 })`,
  },
  {
    name: "vim.lsp.enable()",
    since: [0, 11],
    lua: `local cmd = ...
          vim.lsp.config("capuchin", { cmd = cmd, init_options = { port = 0 } })
          vim.lsp.enable("capuchin")`,
  },
];

for (const { command, version } of neovims()) {
  for (const way of WAYS.filter(({ since }) => isAtLeast(version, since))) {
    test(`typing in Neovim ${version} set up by ${way.name} changes the page and keeps its state`, async (t) => {
      const project = await makeProject(t, PROJECT);
      const onDisk = await project.read("main.js");
      const neovim = await startNeovim(t, command);
      await neovim.lua(
        // In place of the user's browser.
        `vim.ui = vim.ui or {}
         vim.ui.open = function(url) vim.rpcnotify(vim.g.capuchin_test_channel, "opened", url) end`,
      );
      await neovim.lua(way.lua, [capuchinBinary(), "lsp"]);
      await neovim.command(`edit ${project.path("main.js")}`);
      await neovim.command("CapuchinOpen");
      const [url] = await neovim.event("opened");
      assert.equal(await neovim.lua(`return require("capuchin").url()`), url);

      const { page, problems } = await openPage(await launchChromium(t), url);
      await neovim.until("the page to connect", `require("capuchin").status():find("1 page", 1, true)`);
      await page.click("#add");
      await page.click("#add");
      await waitForLabel(page, "count: 2");
      await page.evaluate("window.kept = window.start");

      // A word, key by key.
      await neovim.type("/return<CR>f`ayou are at <Esc>");
      await waitForLabel(page, "you are at count: 2");
      await neovim.until("the status to say that it is live", `require("capuchin").status():match("^live .* · 1 page$")`);

      // Half-typed code leaves the page running.
      await neovim.type("A<BS> + `${");
      await neovim.until("the edit to be held", `require("capuchin").status():find("held", 1, true)`);
      await page.click("#add");
      await waitForLabel(page, "you are at count: 3");
      await neovim.type("'!'}`;<Esc>");
      await waitForLabel(page, "you are at count: 3!");

      // Undo is an edit like others.
      await neovim.type("u");
      await waitForLabel(page, "you are at count: 3");
      await neovim.type("<C-r>");
      await waitForLabel(page, "you are at count: 3!");

      // Lines added and deleted, and characters beyond ASCII.
      await neovim.type("Oconst größe = '🙈🙉';<Esc>jccreturn größe + count;<Esc>");
      await waitForLabel(page, "🙈🙉3");
      await neovim.type("ccreturn `${count}`;<Esc>kdd");
      await waitForLabel(page, "3");
      // Columns count right behind characters that take two units.
      await neovim.type("^i/* 🙈 */ <Esc>A // 🙉<Esc>?count}<CR>i10 * <Esc>");
      await waitForLabel(page, "30");

      // A style sheet reaches the page as it is typed, too.
      const color = "getComputedStyle(document.querySelector('#label')).color";
      await neovim.command(`split ${project.path("style.css")}`);
      await neovim.type("/rgb(1<CR>f1C40, 2, 3);<Esc>");
      await page.waitForFunction(`${color} === "rgb(40, 2, 3)"`);
      await neovim.command("wincmd p");

      // Nothing was saved, reloaded or broken.
      assert.equal(await project.read("main.js"), onDisk);
      assert.equal(await neovim.lua("return vim.bo.modified"), true);
      assert.equal(await page.evaluate("window.kept !== undefined && window.kept === window.start"), true);
      await page.click("#add");
      await waitForLabel(page, "40");
      assert.deepEqual(problems, []);

      // A reload shows the unsaved text.
      await page.reload();
      await waitForLabel(page, "0");
      assert.match(await neovim.text(), /return `\$\{10 \* count\}`; \/\/ 🙉/);

      // What no patch can do comes with a save, and the status says that the page has it.
      await neovim.type("Gowindow.late = count;<Esc>");
      await neovim.until("the status to ask for a reload", `require("capuchin").status():find("needs reload", 1, true)`);
      await neovim.command("write");
      await neovim.until("the status to say that the page has it", `require("capuchin").status() == "live · 1 page"`);
      assert.equal(await page.evaluate("window.late"), 0);
    });
  }

  test(`:CapuchinRestart in Neovim ${version} brings the server back`, async (t) => {
    const project = await makeProject(t, PROJECT);
    const neovim = await startNeovim(t, command);
    await neovim.lua(WAYS[0].lua, [capuchinBinary(), "lsp"]);
    await neovim.command(`edit ${project.path("main.js")}`);
    await neovim.until("the server to listen", `require("capuchin").url()`);
    const pid = await clientId(neovim);
    await neovim.command("CapuchinRestart");
    await neovim.until(
      "the new server to listen",
      `require("capuchin").url() and ${CLIENT_ID} and ${CLIENT_ID} ~= ${pid}`,
    );
    await neovim.command("CapuchinStatus");
  });

  test(`Neovim ${version} says in one sentence that the program is missing`, async (t) => {
    const neovim = await startNeovim(t, command);
    await neovim.lua(`vim.notify = function(text) vim.rpcnotify(vim.g.capuchin_test_channel, "told", text) end`);
    await neovim.lua(`require("capuchin").setup({ cmd = { "/nowhere/capuchin", "lsp" } })`);
    assert.deepEqual(await neovim.event("told"), [
      `Capuchin: there is no program "/nowhere/capuchin": install it, or give its path as cmd, see :help capuchin-setup`,
    ]);
    for (const command of ["CapuchinOpen", "CapuchinStatus", "CapuchinRestart"]) {
      await neovim.command(command);
      assert.match((await neovim.event("told"))[0], /^Capuchin: there is no program "\/nowhere\/capuchin": /);
    }
  });

  test(`Neovim ${version} says in one sentence why no page can be opened`, async (t) => {
    const project = await makeProject(t, PROJECT);
    const neovim = await startNeovim(t, command);
    // Neovim says things of its own, in words that differ.
    await neovim.lua(
      `vim.notify = function(text)
         if vim.startswith(text, "Capuchin: ") then vim.rpcnotify(vim.g.capuchin_test_channel, "told", text) end
       end`,
    );
    const told = async () => (await neovim.event("told"))[0];
    if (!isAtLeast(version, [0, 11])) {
      await neovim.command("CapuchinOpen");
      assert.equal(await told(), `Capuchin: not set up: call require("capuchin").setup() first, see :help capuchin-setup`);
    }
    await neovim.lua(`local cmd = ... require("capuchin").setup({ cmd = cmd })`, [process.execPath, "-e", "process.exit(1)"]);
    await neovim.command("CapuchinStatus");
    assert.equal(await told(), "Capuchin: not running: open a script, a style sheet or an HTML file of the program first");
    await neovim.command(`edit ${project.path("main.js")}`);
    assert.equal(await told(), "Capuchin: the server ended before it could serve the page (exit code 1): :CapuchinLog says why");
    await neovim.command("CapuchinOpen");
    assert.equal(await told(), "Capuchin: not running: :CapuchinLog says why, :CapuchinRestart tries again");
  });

  test(`:CapuchinStatus in Neovim ${version} says the address, the pages and what became of the last edit`, async (t) => {
    const project = await makeProject(t, PROJECT);
    const neovim = await startNeovim(t, command);
    await neovim.lua(WAYS[0].lua, [capuchinBinary(), "lsp"]);
    await neovim.command(`edit ${project.path("main.js")}`);
    await neovim.until("the server to listen", `require("capuchin").url()`);
    const url = await neovim.lua(`return require("capuchin").url()`);
    const { page } = await openPage(await launchChromium(t), url);
    await neovim.until("the page to connect", `require("capuchin").status():find("1 page", 1, true)`);
    await neovim.type("/return<CR>f`ayou are at <Esc>");
    await waitForLabel(page, "you are at count: 0");
    await neovim.until("the status to say that it is live", `require("capuchin").status():match("^live .* · 1 page$")`);
    await neovim.lua(`vim.notify = function(text) vim.rpcnotify(vim.g.capuchin_test_channel, "told", text) end`);
    await neovim.command("CapuchinStatus");
    const [text] = await neovim.event("told");
    assert.match(text, /^Capuchin: serving .+ at http:\/\/localhost:\d+\/, 1 page\nlast edit: live (<1|\d+) ms\. The page runs what you typed\.$/);
    assert.ok(text.includes(url) && text.includes(project.folder), text);
  });
}

const CLIENT_ID = `(vim.tbl_map(function(client) return client.id end, (vim.lsp.get_clients or vim.lsp.get_active_clients)()))[1]`;

/** @param {import("../support/neovim.js").Neovim} neovim */
function clientId(neovim) {
  return neovim.lua(`return ${CLIENT_ID}`);
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
async function waitForLabel(page, text) {
  try {
    await page.waitForFunction((expected) => document.querySelector("#label")?.textContent === expected, text, {
      timeout: DEADLINE_MS,
    });
  } catch (error) {
    throw new Error(`the label is ${JSON.stringify(await page.textContent("#label"))} and not ${JSON.stringify(text)}`, {
      cause: error,
    });
  }
}

/**
 * @param {string} version
 * @param {number[]} since
 */
function isAtLeast(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split(".").map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
