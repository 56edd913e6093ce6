// "What to try": one card for each edit of TRY.md.

import { element } from "./element.js";
import { stateOf, typedPart } from "./tries.js";

/** @typedef {import("./tries.js").Try} Try  its file as the server names it */
/** @typedef {"before" | "after" | "changed" | "typing"} CardState */

/**
 * @param {HTMLElement} parent
 * @param {Try[]} tries
 * @param {object} wiring
 * @param {(it: Try) => void} wiring.onType   types the edit
 * @param {(it: Try) => void} wiring.onShow   shows the place
 * @param {(it: Try) => void} wiring.onBack   takes the edit back
 */
export function createCards(parent, tries, { onType, onShow, onBack }) {
  const cards = tries.map((it) => {
    const type = element("button", { type: "button", className: "primary" }, "Type it for me");
    const show = element("button", { type: "button" }, "Show me where");
    const part = typedPart(it.before, it.after);
    const tail = it.before.slice(part.to);
    const card = element(
      "article",
      { className: "card" },
      element("h3", {}, it.title, element("code", {}, it.file.slice(it.file.lastIndexOf("/") + 1))),
      element(
        "pre",
        {},
        line("del", it.before.slice(0, part.from), it.before.slice(part.from, part.to), tail),
        line("ins", it.after.slice(0, part.from), part.insert, tail),
      ),
      element("p", {}, it.effect),
      element("div", { className: "actions" }, type, show),
    );
    /** @type {CardState} */
    let state = "before";
    type.addEventListener("click", () => {
      if (state === "before") onType(it);
      else if (state !== "typing") onBack(it);
    });
    show.addEventListener("click", () => onShow(it));
    card.dataset.state = state;
    parent.append(card);

    return {
      it,
      /** @param {CardState} next */
      set(next) {
        state = next;
        card.dataset.state = next;
        type.textContent = LABELS[next];
        type.disabled = next === "typing";
      },
    };
  });

  return {
    /**
     * Follows the text of a file; what is being typed says so.
     *
     * @param {string} path
     * @param {string} text
     * @param {Try | null} typing
     */
    follow(path, text, typing) {
      for (const { it, set } of cards) {
        if (it.file === path) set(it === typing ? "typing" : stateOf(text, it));
      }
    },
  };
}

/** How many characters are shown before the part that changes. */
const ROOM = 20;

/** @type {Record<CardState, string>} */
const LABELS = { before: "Type it for me", typing: "Typing …", after: "Take it back", changed: "Reset this file" };

/**
 * @param {"del" | "ins"} tag
 * @param {string} head
 * @param {string} middle
 * @param {string} tail
 */
function line(tag, head, middle, tail) {
  const start = head.trimStart();
  // The part that changes has to be in sight.
  const shown = start.length > ROOM ? `… ${start.slice(start.length - ROOM + 4).trimStart()}` : start;
  return element("span", { className: tag, title: (head + middle + tail).trim() }, shown, element("b", {}, middle), tail);
}
