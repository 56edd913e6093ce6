// What became of the newest edit, in one line for people. Pure: the words are made here, the page shows them.

/** @typedef {{ code: string, message: string, range?: import("./changes.js").Range }} Reason */
/** @typedef {{ name: string, kind: string, range: import("./changes.js").Range }} Site */

/**
 * @typedef {object} Verdict  `capuchin/verdict`
 * @property {string} uri
 * @property {number} version
 * @property {"unchanged" | "hold" | "patch" | "updateModule" | "reloadPage"} verdict
 * @property {Reason} [reason]
 * @property {Site[]} sites
 */

/**
 * @typedef {object} Outcome  `capuchin/outcome`
 * @property {string} uri
 * @property {number} version
 * @property {string} page
 * @property {"live" | "nextCall" | "held" | "moduleUpdated" | "needsReload" | "refused" | "threw"} outcome
 * @property {Reason} [reason]
 * @property {number} ms
 */

/** @typedef {"good" | "calm" | "wait" | "bad"} Mood */
/** @typedef {{ mood: Mood, text: string }} Line */

/** The worse, the higher: of several pages the worst is told. */
const GRAVITY = ["live", "nextCall", "moduleUpdated", "held", "needsReload", "refused", "threw"];

/**
 * @param {Verdict} verdict
 * @param {Outcome[]} outcomes  of this verdict's version
 * @param {number} pages  how many are connected
 * @returns {Line}
 */
export function tell(verdict, outcomes, pages) {
  const worst = [...outcomes].sort((a, b) => GRAVITY.indexOf(b.outcome) - GRAVITY.indexOf(a.outcome))[0];
  return worst ? tellOutcome(worst, verdict, outcomes) : tellVerdict(verdict, pages);
}

/**
 * @param {Verdict} verdict
 * @param {number} pages
 * @returns {Line}
 */
function tellVerdict({ verdict, reason, sites }, pages) {
  const because = toBecause(reason);
  switch (verdict) {
    case "unchanged":
      return { mood: "calm", text: "nothing to swap: the program is the same" };
    case "hold":
      return { mood: "wait", text: `held${because} · the page runs the last good code` };
    case "patch":
      return { mood: "calm", text: join("ready", names(sites), pages === 0 ? "no page is connected" : "") };
    case "updateModule":
      return { mood: "calm", text: `the module runs again${because}` };
    case "reloadPage":
      return { mood: "wait", text: `needs a reload${because} · "Run again" loads it` };
    default:
      return { mood: "calm", text: verdict };
  }
}

/**
 * @param {Outcome} worst
 * @param {Verdict} verdict
 * @param {Outcome[]} outcomes
 * @returns {Line}
 */
function tellOutcome({ outcome, reason }, { sites }, outcomes) {
  const because = toBecause(reason);
  const ms = `${format(Math.max(...outcomes.map((it) => it.ms)))} ms`;
  // One page is the rule, and beside this line it says that it is connected.
  const where = [names(sites), outcomes.length > 1 ? `in ${pagesText(outcomes.length)}` : ""];
  switch (outcome) {
    case "live":
      // How long somebody typed until then says nothing.
      if (reason?.code === "loaded") return { mood: "good", text: "the page was loaded with this version" };
      return { mood: "good", text: join(`live in ${ms}`, ...where) };
    case "nextCall":
      return { mood: "good", text: join(`live from the next call, in ${ms}`, ...where) };
    case "moduleUpdated":
      return { mood: "good", text: join(`module ran again in ${ms}`, ...where) };
    case "held":
      return { mood: "wait", text: `held${because} · the page runs the last good code` };
    case "needsReload":
      return { mood: "wait", text: `needs a reload${because} · "Run again" loads it` };
    case "refused":
      return { mood: "bad", text: `refused${because}` };
    case "threw":
      return { mood: "bad", text: `threw${because}` };
    default:
      return { mood: "calm", text: outcome };
  }
}

/**
 * The first line: there is one line to say it in.
 *
 * @param {Reason} [reason]
 */
function toBecause(reason) {
  return reason ? `: ${reason.message.split("\n")[0]}` : "";
}

/** @param {number} count */
export function pagesText(count) {
  return count === 1 ? "1 page" : `${count} pages`;
}

/** @param {Site[]} sites */
function names(sites) {
  const shown = sites.slice(0, 3).map((site) => site.name).join(", ");
  return sites.length > 3 ? `${shown} and ${sites.length - 3} more` : shown;
}

/** @param {number} ms */
function format(ms) {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

/** @param {string[]} parts */
function join(...parts) {
  return parts.filter((part) => part !== "").join(" · ");
}
