// The status line: the newest edit in words, and the last edits as a row of beats.

import { pagesText, tell } from "./story.js";

const BEATS = 40;

/**
 * @typedef {object} Fields
 * @property {HTMLElement} said
 * @property {HTMLElement} beats
 * @property {HTMLElement} pages
 * @property {HTMLElement} connection
 */

/** @param {Fields} fields */
export function createStatus(fields) {
  /** @type {import("./story.js").Verdict | null} */
  let verdict = null;
  /** @type {import("./story.js").Outcome[]} */
  let outcomes = [];
  let pages = 0;
  let wasLost = false;

  function show() {
    if (verdict === null) return;
    const { mood, text } = tell(verdict, outcomes, pages);
    say(mood, text);
    const beat = fields.beats.lastElementChild;
    if (beat instanceof HTMLElement) {
      beat.dataset.mood = mood;
      beat.style.setProperty("--height", String(height(outcomes)));
    }
  }

  /**
   * @param {import("./story.js").Mood} mood
   * @param {string} text
   */
  function say(mood, text) {
    fields.said.dataset.mood = mood;
    fields.said.textContent = text;
    fields.said.title = text;
  }

  return {
    say,

    /** @param {import("./story.js").Verdict} next */
    verdict(next) {
      verdict = next;
      outcomes = [];
      fields.beats.append(document.createElement("i"));
      if (fields.beats.childElementCount > BEATS) fields.beats.firstElementChild?.remove();
      show();
    },

    /**
     * Returns the verdict that the outcome belongs to, or null if a newer edit has taken its place.
     *
     * @param {import("./story.js").Outcome} next
     */
    outcome(next) {
      if (verdict === null || verdict.uri !== next.uri || verdict.version !== next.version) return null;
      outcomes = [...outcomes.filter((it) => it.page !== next.page), next];
      show();
      return verdict;
    },

    /** @param {{ count: number, pages: string[] }} connected  what pages that are gone have answered is no news of these */
    pages({ count, pages: ids }) {
      pages = count;
      outcomes = outcomes.filter((it) => ids.includes(it.page));
      fields.pages.textContent = `${pagesText(count)} connected`;
      fields.pages.dataset.mood = count > 0 ? "good" : "wait";
    },

    /** @param {import("./connection.js").Health} health */
    health(health) {
      const words = { connecting: "connecting …", ready: "", lost: "trying again …", elsewhere: "paused" };
      fields.connection.textContent = words[health];
      if (health === "lost") {
        wasLost = true;
        fields.pages.textContent = "";
        say("wait", "The server is gone. Your text is kept here, and the page follows again when it is back.");
      }
      if (health === "elsewhere") {
        wasLost = true;
        say("wait", "Another tab edits these files now. Your text is kept here: go on, and the page follows this tab again.");
      }
      if (health === "ready" && wasLost) {
        wasLost = false;
        say("calm", "Connected again: the page has the text of the editor.");
      }
    },
  };
}

/**
 * Between 0 and 1: a beat of 1 ms is small, one of 100 ms is full.
 *
 * @param {import("./story.js").Outcome[]} outcomes
 */
function height(outcomes) {
  const slowest = Math.max(1, ...outcomes.map((it) => it.ms));
  return Math.min(1, 0.4 + Math.log10(slowest) * 0.4);
}
