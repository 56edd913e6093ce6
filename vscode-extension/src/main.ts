import * as vscode from "vscode";
import { Log } from "./log";
import { Session } from "./session";
import { Status } from "./status";

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = new Log();
  const status = new Status();
  const current = (session = new Session(context, log, status));
  context.subscriptions.push(
    log,
    status,
    current,
    vscode.commands.registerCommand("capuchin.restart", () => current.restart()),
    vscode.commands.registerCommand("capuchin.openPage", () => current.openPage()),
    vscode.commands.registerCommand("capuchin.showLog", () => {
      log.show();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("capuchin")) void vscode.commands.executeCommand("capuchin.restart");
    }),
  );
  await vscode.commands.executeCommand("capuchin.restart");
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
