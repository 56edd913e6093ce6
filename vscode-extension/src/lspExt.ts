// Capuchin's own LSP messages, beside the standard ones. docs/protocol.md describes them;
// server/src/lsp/ext.rs is the other side.
import { NotificationType } from "vscode-languageclient/node";
import type { Range } from "vscode-languageclient/node";

/** The dev server listens: pages can be opened. */
export const ready = new NotificationType<Ready>("capuchin/ready");
/** What the server made of one version of an open document. */
export const verdict = new NotificationType<Verdict>("capuchin/verdict");
/** What became of that version in one page. */
export const outcome = new NotificationType<Outcome>("capuchin/outcome");
/** A page connected or went away. */
export const pagesChanged = new NotificationType<PagesChanged>("capuchin/pagesChanged");

export interface InitializationOptions {
  /** The folder to serve, absolute or relative to the workspace root, which it is by default. */
  root?: string;
  /** The first port to try; 0 means any free one. */
  port?: number;
  /** What becomes of what a module started that runs again: `off`, `warn` or `on`. */
  cleanup?: string;
}

export interface Ready {
  url: string;
  root: string;
}

export interface Reason {
  code: string;
  message: string;
  range?: Range;
}

export interface Verdict {
  uri: string;
  version: number;
  verdict: "unchanged" | "hold" | "patch" | "updateModule" | "reloadPage";
  reason?: Reason | null;
  sites: { name: string; kind: string; range: Range }[];
}

export type OutcomeKind = "live" | "nextCall" | "held" | "moduleUpdated" | "needsReload" | "refused" | "threw";

export interface Outcome {
  uri: string;
  version: number;
  page: string;
  outcome: OutcomeKind;
  reason?: { code: string; message: string } | null;
  /** From the edit's arrival at the server to the page's answer. */
  ms: number;
}

export interface PagesChanged {
  count: number;
  /** The ids of those that are connected. */
  pages: string[];
}
