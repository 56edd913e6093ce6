// @ts-check
// Problems of modules, shown in a corner of the page: small, closable, gone with the next success. It lives in a shadow root of its
// own, so page styles do not reach it, and everything from outside is set as text.

const STYLE = `
  :host { all: initial; position: fixed; inset: auto 12px 12px auto; z-index: 2147483647; max-width: min(560px, calc(100vw - 24px)); }
  section { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: #f4f0ee; background: #2a1f1dee; border-left: 3px solid #ff7a59;
    border-radius: 4px; box-shadow: 0 4px 18px #0006; padding: 10px 34px 10px 12px; max-height: 45vh; overflow: auto; position: relative; }
  article + article { margin-top: 8px; border-top: 1px solid #ffffff22; padding-top: 8px; }
  h2 { font: inherit; font-weight: 600; margin: 0; color: #ffb199; overflow-wrap: anywhere; }
  p { margin: 2px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
  button { all: unset; position: absolute; top: 6px; right: 10px; cursor: pointer; font-size: 18px; line-height: 1; padding: 2px 4px; }
  button:focus-visible { outline: 2px solid #ff7a59; }
`;

/** What is shown of one message. */
const LONGEST = 4000;

/** @param {Document} document */
export function createOverlay(document) {
  /** By module; "" is the page itself. @type {Map<string, { place: string, message: string }>} */
  const problems = new Map();
  /** @type {HTMLElement | null} */
  let element = null;
  /** @type {ShadowRoot | null} */
  let root = null;

  const close = () => {
    problems.clear();
    render();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && problems.size > 0) close();
  };

  function render() {
    if (problems.size === 0) {
      element?.remove();
      document.removeEventListener("keydown", onKey);
      return;
    }
    if (element === null || root === null) {
      element = document.createElement("capuchin-overlay");
      root = element.attachShadow({ mode: "closed" });
    }
    const style = document.createElement("style");
    style.textContent = STYLE;
    const section = document.createElement("section");
    section.setAttribute("role", "status");
    section.setAttribute("aria-label", "Capuchin: problems");
    for (const { place, message } of problems.values()) {
      const article = document.createElement("article");
      const title = document.createElement("h2");
      title.textContent = place;
      const text = document.createElement("p");
      text.textContent = message;
      article.append(title, text);
      section.append(article);
    }
    const button = document.createElement("button");
    button.textContent = "×";
    button.setAttribute("aria-label", "Close");
    button.tabIndex = 0;
    button.setAttribute("role", "button");
    button.addEventListener("click", close);
    section.append(button);
    root.replaceChildren(style, section);
    if (!element.isConnected) {
      document.documentElement.append(element);
      document.addEventListener("keydown", onKey);
    }
  }

  return {
    /** @param {string} module @param {string} message @param {number} [line] @param {number} [column] */
    show(module, message, line, column) {
      const place = (module || "This page") + (line === undefined ? "" : `:${line}${column === undefined ? "" : `:${column}`}`);
      problems.set(module, { place, message: message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message });
      render();
    },
    /** @param {string} module */
    clear(module) {
      if (problems.delete(module)) render();
    },
  };
}
