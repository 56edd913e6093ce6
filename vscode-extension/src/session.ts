import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { initializationOptions, readConfig } from "./config";
import { locateServer, LocatorError } from "./locator";
import { copyServerLog } from "./log";
import type { Log } from "./log";
import * as lspExt from "./lspExt";
import type { Status } from "./status";
import { Progress } from "./summary";

/** More crashes than this within the time below, and the server stays down until the user restarts it. */
const CRASHES_ALLOWED = 3;
const CRASH_WINDOW_MS = 3 * 60_000;

/** The running server and the conversation with it. At most one at a time. */
export class Session implements vscode.Disposable {
  readonly #context: vscode.ExtensionContext;
  readonly #log: Log;
  readonly #status: Status;
  #client: LanguageClient | undefined;
  /** Replaced at every start. */
  #progress = new Progress();
  #restarting: Promise<void> | undefined;
  /** Set when a restart was asked for while another one was under way. */
  #restartAgain = false;
  /** Times of the latest crashes, in milliseconds. */
  #crashes: number[] = [];

  constructor(context: vscode.ExtensionContext, log: Log, status: Status) {
    this.#context = context;
    this.#log = log;
    this.#status = status;
  }

  /**
   * Starts the server, or stops it and starts it afresh. Calls that come while one is under way are answered by one
   * more restart after it, however many there were. Never fails: what goes wrong is shown to the user.
   */
  restart(): Promise<void> {
    if (this.#restarting !== undefined) {
      this.#restartAgain = true;
      return this.#restarting;
    }
    this.#restarting = this.#restartUntilSettled().finally(() => (this.#restarting = undefined));
    return this.#restarting;
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    try {
      await client.dispose();
    } catch (error) {
      this.#log.channel.warn(`The server did not stop properly: ${message(error)}`);
    }
  }

  async openPage(): Promise<void> {
    if (this.#client?.state !== State.Running) await this.restart();
    const url = this.#progress.url ?? (await this.#waitForReady());
    if (url === undefined) return;
    // In a remote window the address that the user's browser can reach is another one.
    const address = await vscode.env.asExternalUri(vscode.Uri.parse(url, true));
    this.#log.channel.info(`Opening ${address.toString(true)}`);
    if (!(await vscode.env.openExternal(address))) {
      void this.#tell(`Your browser could not be opened: the page is at ${address.toString(true)}`, []);
    }
  }

  dispose(): void {
    void this.stop();
  }

  async #restartUntilSettled(): Promise<void> {
    do {
      this.#restartAgain = false;
      await this.stop();
      await this.#start();
    } while (this.#wantsAnother());
  }

  /** A method because a restart asked for meanwhile changes the field behind the compiler's back. */
  #wantsAnother(): boolean {
    return this.#restartAgain;
  }

  async #start(): Promise<void> {
    this.#status.showStarting();
    const progress = new Progress();
    this.#progress = progress;
    try {
      const config = readConfig();
      const server = await locateServer(this.#context.extensionPath, config.path);
      this.#log.channel.info(`Starting ${server.command} ${server.version}`);
      const client = this.#makeClient(server.command, initializationOptions(config), progress);
      this.#client = client;
      await client.start();
    } catch (error) {
      const reason = error instanceof LocatorError ? error.message : `Capuchin could not start: ${message(error)}`;
      this.#log.channel.error(reason);
      await this.stop();
      this.#fail(reason, error instanceof LocatorError ? error.setting : undefined);
    }
  }

  #makeClient(command: string, options: lspExt.InitializationOptions, progress: Progress): LanguageClient {
    const client: LanguageClient = new Client(
      "capuchin",
      "Capuchin",
      { command, args: ["lsp"] },
      {
        documentSelector: [
          { scheme: "file", language: "javascript" },
          { scheme: "file", language: "javascriptreact" },
          // Style sheets reach pages as they are typed; HTML counts when it is saved.
          { scheme: "file", language: "css" },
          { scheme: "file", language: "html" },
        ],
        initializationOptions: options,
        outputChannel: this.#log.channel,
        // The user asks for the log; it does not jump into view.
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationFailedHandler: () => false,
        stdioOptions: { stdout: ignore, stderr: copyServerLog },
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => {
            const crashed = this.#client === client && client.state === State.Running;
            // Later, because the client takes itself for running until this handler has returned.
            if (crashed) {
              setImmediate(() => {
                this.#crashed();
              });
            }
            return { action: CloseAction.DoNotRestart, handled: true, message: "The server is gone." };
          },
        },
      },
    );

    const show = () => {
      if (this.#client === client) this.#status.showProgress(progress);
    };
    client.onNotification(lspExt.ready, (params) => {
      progress.ready(params);
      this.#log.channel.info(`Serving ${params.root} at ${params.url}`);
      this.#readyListeners.fire(params.url);
      show();
    });
    client.onNotification(lspExt.pagesChanged, (params) => {
      progress.pagesChanged(params);
      show();
    });
    client.onNotification(lspExt.verdict, (params) => {
      progress.verdict(params);
      show();
    });
    client.onNotification(lspExt.outcome, (params) => {
      progress.outcome(params);
      show();
    });
    return client;
  }

  readonly #readyListeners = new vscode.EventEmitter<string>();

  /** The page's address as soon as the server says it; undefined if it did not start or takes too long. */
  async #waitForReady(): Promise<string | undefined> {
    if (this.#client === undefined) return undefined;
    const url = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: "Capuchin is starting", cancellable: true },
      (_progress, cancelled) =>
        new Promise<string | undefined>((resolve) => {
          const timer = setTimeout(done, 15_000, undefined);
          const listeners = [
            this.#readyListeners.event(done),
            cancelled.onCancellationRequested(() => {
              done(undefined);
            }),
          ];
          function done(found: string | undefined) {
            clearTimeout(timer);
            for (const listener of listeners) listener.dispose();
            resolve(found);
          }
          // It may have come while VS Code got the notification ready.
          if (this.#progress.url !== undefined) done(this.#progress.url);
        }),
    );
    if (url === undefined) void this.#tell("Capuchin serves no page yet: the log says why.", [this.#showLogAction]);
    return url;
  }

  #crashed(): void {
    const now = Date.now();
    this.#crashes = [...this.#crashes.filter((time) => now - time < CRASH_WINDOW_MS), now];
    if (this.#crashes.length <= CRASHES_ALLOWED) {
      this.#log.channel.warn("The server stopped unexpectedly and is started again.");
      void this.restart();
      return;
    }
    this.#crashes = [];
    void this.stop();
    this.#fail("Capuchin's server stopped unexpectedly several times and was not started again.");
  }

  #fail(reason: string, setting?: string): void {
    this.#status.showStopped(reason);
    const actions: Action[] = [
      { title: "Restart", run: () => vscode.commands.executeCommand("capuchin.restart") },
      this.#showLogAction,
    ];
    if (setting !== undefined) {
      actions.unshift({
        title: "Open Settings",
        run: () => vscode.commands.executeCommand("workbench.action.openSettings", setting),
      });
    }
    void this.#tell(reason, actions);
  }

  readonly #showLogAction: Action = {
    title: "Show Log",
    run: () => {
      this.#log.show();
    },
  };

  async #tell(text: string, actions: Action[]): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(text, ...actions.map(({ title }) => title));
    await actions.find(({ title }) => title === chosen)?.run();
  }
}

/** The user is told by us, in one message; the client's own goes to the log. */
class Client extends LanguageClient {
  override error(text: string, data?: unknown): void {
    super.error(text, data, false);
  }
}

interface Action {
  title: string;
  run: () => unknown;
}

/** For the server's stdout, which is the conversation itself and no log. */
function ignore(): void {
  // Nothing to do.
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
