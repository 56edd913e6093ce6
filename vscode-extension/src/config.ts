import * as path from "node:path";
import * as vscode from "vscode";
import type { InitializationOptions } from "./lspExt";

/** The user's settings, read afresh at every start. */
export interface Config {
  /** Empty: the program that comes with the extension. */
  path: string;
  /** Empty: the workspace folder. */
  root: string;
  port: number;
  cleanup: string;
}

export function readConfig(): Config {
  const settings = vscode.workspace.getConfiguration("capuchin");
  return {
    path: settings.get("path", "").trim(),
    root: settings.get("root", "").trim(),
    port: settings.get("port", 4177),
    cleanup: settings.get("cleanup", "on"),
  };
}

export function initializationOptions(config: Config): InitializationOptions {
  const root = config.root === "" ? folderOfLooseFile() : config.root;
  return { port: config.port, cleanup: config.cleanup, ...(root === undefined ? {} : { root }) };
}

/** A file opened without a folder has no workspace root that could be served: its own folder is the best guess. */
function folderOfLooseFile(): string | undefined {
  if (vscode.workspace.workspaceFolders !== undefined) return undefined;
  const document = vscode.window.activeTextEditor?.document;
  return document?.uri.scheme === "file" ? path.dirname(document.uri.fsPath) : undefined;
}
