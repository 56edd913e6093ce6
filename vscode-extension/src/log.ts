import * as vscode from "vscode";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";

/** The "Capuchin" channel of the Output panel. Made when it is first needed, so that it is not listed for nothing. */
export class Log implements vscode.Disposable {
  #channel: vscode.LogOutputChannel | undefined;

  get channel(): vscode.LogOutputChannel {
    this.#channel ??= vscode.window.createOutputChannel("Capuchin", { log: true });
    return this.#channel;
  }

  show(): void {
    this.channel.show(true);
  }

  dispose(): void {
    this.#channel?.dispose();
  }
}

/** Copies the server's log, which it writes to stderr, into the channel and keeps each line's own level. */
export function copyServerLog(stderr: Readable, channel: vscode.LogOutputChannel): void {
  createInterface({ input: stderr }).on("line", (line) => {
    switch (/\b(ERROR|WARN|INFO|DEBUG|TRACE)\b/.exec(line)?.[1]) {
      case "ERROR":
        channel.error(line);
        break;
      case "WARN":
        channel.warn(line);
        break;
      case "DEBUG":
        channel.debug(line);
        break;
      case "TRACE":
        channel.trace(line);
        break;
      default:
        channel.info(line);
    }
  });
}
