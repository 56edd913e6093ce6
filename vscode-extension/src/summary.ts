// What the status bar says, worked out from what the server said. Pure: it knows nothing of VS Code.
import type { Outcome, OutcomeKind, PagesChanged, Ready, Verdict } from "./lspExt";

export interface Summary {
  text: string;
  /** One sentence more, for whoever points at it. */
  detail: string;
  level: "normal" | "warning" | "error";
}

/** The last edit's fate. A new edit, that is another document or version, replaces it. */
export class Progress {
  #ready: Ready | undefined;
  #pages = 0;
  #verdict: Verdict | undefined;
  /** By page; holds only answers to the newest edit. */
  readonly #outcomes = new Map<string, Outcome>();

  get url(): string | undefined {
    return this.#ready?.url;
  }

  ready(ready: Ready): void {
    this.#ready = ready;
  }

  pagesChanged({ count, pages }: PagesChanged): void {
    this.#pages = count;
    // What a page that is gone once answered would read as news of those that are left.
    for (const page of this.#outcomes.keys()) if (!pages.includes(page)) this.#outcomes.delete(page);
  }

  verdict(verdict: Verdict): void {
    this.#verdict = verdict;
    this.#outcomes.clear();
  }

  outcome(outcome: Outcome): void {
    const newest = [...this.#outcomes.values()].at(-1) ?? this.#verdict;
    if (newest?.uri === outcome.uri) {
      if (outcome.version < newest.version) return;
      if (outcome.version > newest.version) this.#outcomes.clear();
    } else {
      this.#outcomes.clear();
    }
    this.#outcomes.set(outcome.page, outcome);
  }

  summary(): Summary {
    if (this.#ready === undefined) {
      return { text: "$(sync~spin) Capuchin", detail: "Capuchin is starting.", level: "normal" };
    }
    const pages = this.#pages === 0 ? "no page" : this.#pages === 1 ? "1 page" : `${this.#pages} pages`;
    const last = this.#worstOutcome() ?? this.#lastVerdict();
    return {
      text: last === undefined ? `$(zap) ${pages}` : `$(${last.icon}) ${last.text} · ${pages}`,
      detail: last?.detail ?? `Serving ${this.#ready.root}.`,
      level: last?.level ?? "normal",
    };
  }

  /** With several pages, the one that came off worst counts: a status that says "live" has to be true of all. */
  #worstOutcome(): Last | undefined {
    const [worst] = [...this.#outcomes.values()].sort((a, b) => rank(b.outcome) - rank(a.outcome));
    if (worst === undefined) return undefined;
    const words = outcomeWords[worst.outcome];
    const took = worst.outcome === "live" || worst.outcome === "nextCall" || worst.outcome === "moduleUpdated";
    // How long somebody typed until the page was loaded again says nothing.
    const timed = took && worst.reason?.code !== "loaded";
    return {
      ...words,
      text: timed ? `${words.text} ${milliseconds(worst.ms)}` : words.text,
      detail: worst.reason?.message ?? words.detail,
    };
  }

  #lastVerdict(): Last | undefined {
    if (this.#verdict === undefined) return undefined;
    const { verdict, reason } = this.#verdict;
    // A patch that no page was there to take is no news.
    if (this.#pages === 0 && verdict !== "hold") return undefined;
    const words = verdictWords[verdict];
    return { ...words, detail: reason?.message ?? words.detail };
  }
}

interface Last extends Summary {
  icon: string;
}

/** From best to worst. */
const outcomeWords: Record<OutcomeKind, Last> = {
  live: { icon: "zap", text: "live", detail: "The page runs what you typed.", level: "normal" },
  nextCall: {
    icon: "zap",
    text: "next call",
    detail: "The page runs what you typed from the next call on.",
    level: "normal",
  },
  moduleUpdated: {
    icon: "zap",
    text: "module updated",
    detail: "The page ran the whole module again.",
    level: "normal",
  },
  held: {
    icon: "debug-pause",
    text: "held",
    detail: "The page keeps the last version that works.",
    level: "normal",
  },
  needsReload: {
    icon: "refresh",
    text: "needs reload",
    detail: "Save the file or reload the page to see this edit.",
    level: "warning",
  },
  refused: { icon: "error", text: "refused", detail: "The page could not take this edit.", level: "error" },
  threw: { icon: "error", text: "threw", detail: "The page threw an error while it took this edit.", level: "error" },
};

const verdictWords: Record<Verdict["verdict"], Last> = {
  unchanged: { icon: "zap", text: "up to date", detail: "The page runs what the editor shows.", level: "normal" },
  hold: outcomeWords.held,
  patch: { icon: "zap", text: "sent", detail: "The edit is on its way to the page.", level: "normal" },
  updateModule: { icon: "zap", text: "sent", detail: "The module has to run again.", level: "normal" },
  reloadPage: outcomeWords.needsReload,
};

function rank(outcome: OutcomeKind): number {
  return Object.keys(outcomeWords).indexOf(outcome);
}

function milliseconds(ms: number): string {
  return ms < 1 ? "<1 ms" : `${Math.round(ms)} ms`;
}
