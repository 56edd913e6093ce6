// The row of files above the editor.

import { element } from "./element.js";

/**
 * @param {HTMLElement} parent
 * @param {string[]} paths
 * @param {(path: string) => void} onChoose
 */
export function createTabs(parent, paths, onChoose) {
  const folder = commonFolder(paths);
  const tabs = new Map(
    paths.map((path) => {
      const tab = element("button", { type: "button", role: "tab", title: path, onclick: () => onChoose(path) }, path.slice(folder.length));
      parent.append(tab);
      return [path, tab];
    }),
  );

  parent.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = [...tabs.values()].findIndex((tab) => tab === document.activeElement);
    const next = paths[at + (step ?? 0)];
    if (step === undefined || at < 0 || next === undefined) return;
    onChoose(next);
    tabs.get(next)?.focus();
  });

  return {
    /** @param {string} chosen */
    choose(chosen) {
      for (const [path, tab] of tabs) {
        tab.ariaSelected = String(path === chosen);
        tab.tabIndex = path === chosen ? 0 : -1;
      }
      tabs.get(chosen)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    },
    /**
     * @param {string} path
     * @param {"changed" | "problem"} mark
     * @param {boolean} on
     */
    mark(path, mark, on) {
      tabs.get(path)?.classList.toggle(mark, on);
    },
  };
}

/**
 * The folder that all paths are in, with its slash; "" if they share none.
 *
 * @param {string[]} paths
 */
export function commonFolder(paths) {
  const folders = paths.map((path) => path.slice(0, path.lastIndexOf("/") + 1));
  let common = folders[0] ?? "";
  while (!folders.every((folder) => folder.startsWith(common))) {
    common = common.slice(0, common.slice(0, -1).lastIndexOf("/") + 1);
  }
  return common;
}
