import * as vscode from "vscode";
import type { Progress, Summary } from "./summary";

/** The item in the status bar: how many pages are connected and what became of the last edit. */
export class Status implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("capuchin.status", vscode.StatusBarAlignment.Left);
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#item.name = "Capuchin";
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#item.dispose();
  }

  /**
   * Shows how the last edit fared. Every keystroke brings a verdict and then an outcome a moment later; shown at
   * once, the text would flicker between the two.
   */
  showProgress(progress: Progress): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#show(progress.summary(), "capuchin.openPage");
    }, 40);
  }

  showStarting(): void {
    this.#showNow({ text: "$(sync~spin) Capuchin", detail: "Capuchin is starting.", level: "normal" }, "capuchin.showLog");
  }

  showStopped(reason: string): void {
    this.#showNow({ text: "$(error) Capuchin", detail: reason, level: "error" }, "capuchin.restart");
  }

  #showNow(summary: Summary, command: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#show(summary, command);
  }

  #show(summary: Summary, command: string): void {
    this.#item.text = summary.text;
    this.#item.command = command;
    this.#item.tooltip = tooltip(summary.detail);
    this.#item.backgroundColor =
      summary.level === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${summary.level}Background`);
    this.#item.show();
  }
}

function tooltip(detail: string): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(undefined, true);
  markdown.isTrusted = { enabledCommands: ["capuchin.openPage", "capuchin.restart", "capuchin.showLog"] };
  // As text, not as Markdown: a reason quotes the user's code.
  markdown.appendText(detail);
  markdown.appendMarkdown(
    "\n\n[Open Page](command:capuchin.openPage) · [Restart](command:capuchin.restart) · [Show Log](command:capuchin.showLog)",
  );
  return markdown;
}
