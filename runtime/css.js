// @ts-check
// Style sheets: a `<link>` gets its new text without a moment unstyled, and CSS that a module imports lives in a `<style>` of ours.

/** Marks the elements that are ours; the value is the module id. */
const MARK = "data-capuchin-style";

/** @param {Document} document @param {{ setTimeout: (callback: () => void, ms: number) => unknown }} clock */
export function createStyles(document, clock) {
  /** By module id. @type {Map<string, HTMLStyleElement>} */
  const injected = new Map();
  /** By module id. @type {Map<string, CSSStyleSheet>} */
  const objects = new Map();

  return {
    /** Shows the CSS of a module; a newer text takes the place of the older. @param {string} id @param {string} css */
    inject(id, css) {
      let style = injected.get(id);
      if (style === undefined) {
        style = document.createElement("style");
        style.setAttribute(MARK, id);
        injected.set(id, style);
      }
      if (style.textContent !== css) style.textContent = css;
      // The program may have emptied the head meanwhile.
      if (!style.isConnected) (document.head ?? document.documentElement).append(style);
    },

    /** @param {string} id */
    remove(id) {
      injected.get(id)?.remove();
      injected.delete(id);
    },

    /** The CSS of a module as an object: one and the same for every text. @param {string} id @param {string} css */
    object(id, css) {
      const sheet = objects.get(id) ?? new CSSStyleSheet();
      objects.set(id, sheet);
      sheet.replaceSync(css);
      return sheet;
    },

    /**
     * Loads the new text of a linked style sheet beside the old one, which goes when the new one is there. The same for sheets that
     * import it: the server gives what they import another address.
     * @param {string} url root-relative @param {number} rev @returns {Promise<boolean>} whether all of them loaded
     */
    swap(url, rev) {
      renewStyles((rule) => loads(rule.styleSheet, url) || addressOf(rule) === url, rev);
      return all(sheetLinks().filter((link) => pathOf(link.href) === url || loads(link.sheet, url)).map((link) => swapLink(link, rev)));
    },

    /** Shows the new state of an image, a font, an icon or a sound. @param {string} url @param {number} rev @returns {Promise<boolean>} */
    swapAsset(url, rev) {
      const renewed = (/** @type {string} */ address) => {
        const found = new URL(address, document.baseURI);
        return pathOf(found.href) === url ? withRevision(found, rev) : null;
      };
      for (const [selector, attribute] of SOURCES) {
        for (const element of document.querySelectorAll(selector)) {
          const address = renewed(element.getAttribute(attribute) ?? "");
          if (address !== null) element.setAttribute(attribute, address);
        }
      }
      for (const element of document.querySelectorAll("[srcset]")) {
        const set = element.getAttribute("srcset") ?? "";
        const next = set.replace(/(^|,)(\s*)([^\s,]+)/g, (all, comma, space, address) => comma + space + (renewed(address) ?? address));
        if (next !== set) element.setAttribute("srcset", next);
      }
      for (const element of document.querySelectorAll("[style*='url(']")) {
        const style = element.getAttribute("style") ?? "";
        const next = inStyle(style, renewed);
        if (next !== style) element.setAttribute("style", next);
      }
      for (const link of document.querySelectorAll("link")) {
        if (link.relList.contains("icon") && pathOf(link.href) === url) link.href = withRevision(new URL(link.href), rev);
      }
      for (const style of ownStyles()) {
        const text = style.textContent ?? "";
        const next = inStyle(text, renewed);
        if (next !== text) style.textContent = next;
      }
      renewStyles((rule) => shows(rule.styleSheet, url), rev);
      return all(sheetLinks().filter((link) => shows(link.sheet, url)).map((link) => swapLink(link, rev)));
    },
  };

  /** Links that show a style sheet now. */
  function sheetLinks() {
    return [...document.querySelectorAll("link")].filter((link) => link.relList.contains("stylesheet") && !outdated.has(link));
  }

  /** `<style>` elements of the program. */
  function ownStyles() {
    return [...document.querySelectorAll("style")].filter((style) => !style.hasAttribute(MARK));
  }

  /** Has `<style>` elements load some of their imports again. @param {(rule: CSSImportRule) => boolean} isOld @param {number} rev */
  function renewStyles(isOld, rev) {
    for (const style of ownStyles()) {
      const old = new Set(rulesOf(style.sheet).filter((rule) => rule instanceof CSSImportRule).filter(isOld).map(addressOf));
      if (old.size === 0) continue;
      style.textContent = (style.textContent ?? "").replace(/(@import\s+(?:url\(\s*)?["']?)([^"')\s;]+)/gi, (all, head, address) => {
        const found = new URL(address, document.baseURI);
        return old.has(pathOf(found.href)) ? head + withRevision(found, rev) : all;
      });
    }
  }

  /** @param {HTMLLinkElement} link @param {number} rev @returns {Promise<boolean>} */
  function swapLink(link, rev) {
    outdated.add(link);
    const next = /** @type {HTMLLinkElement} */ (link.cloneNode());
    next.href = withRevision(new URL(link.href), rev);
    return new Promise((resolve) => {
      /** @type {Swap} */
      const swap = {
        old: link,
        done(loaded) {
          if (!loading.delete(next)) return;
          const { old } = swap;
          if (loaded) {
            old.remove();
            // One that was still loading when this newer one was there says nothing any more.
            loading.get(old)?.done(true);
          } else {
            // A text that does not load must not take the old one away; a newer one still may.
            next.remove();
            const newer = [...loading.values()].find((it) => it.old === next);
            if (newer) newer.old = old;
            else outdated.delete(old);
          }
          resolve(loaded);
        },
      };
      loading.set(next, swap);
      next.addEventListener("load", () => swap.done(true), { once: true });
      next.addEventListener("error", () => swap.done(false), { once: true });
      link.after(next);
      // A link of another medium, or one that is disabled, never says that it loaded.
      if (next.disabled || (link.media !== "" && !matchMedia(link.media).matches)) clock.setTimeout(() => swap.done(true), 0);
    });
  }
}

/** `old` is what goes when the new one has loaded. @typedef {{ old: HTMLLinkElement, done: (loaded: boolean) => void }} Swap */

/** New links that have not loaded yet. @type {Map<HTMLLinkElement, Swap>} */
const loading = new Map();

/** Links that a newer one is about to replace. @type {WeakSet<HTMLLinkElement>} */
const outdated = new WeakSet();

/** Where elements say what they show. */
const SOURCES = [
  ["img, source, video, audio, track, embed, input[type=image]", "src"],
  ["video", "poster"],
  ["object", "data"],
  ["image, use, feImage", "href"],
];

/** @param {string} css @param {(address: string) => string | null} renewed */
function inStyle(css, renewed) {
  return css.replace(/(url\(\s*["']?)([^"')]+)/gi, (all, head, address) => {
    const next = renewed(address);
    return next === null ? all : head + next;
  });
}

/** The rules of a sheet, as far as they may be read. @param {CSSStyleSheet | null} sheet @returns {CSSRule[]} */
function rulesOf(sheet) {
  try {
    return [...(sheet?.cssRules ?? [])];
  } catch {
    // From another server, or not loaded yet.
    return [];
  }
}

/** @param {CSSImportRule} rule */
function addressOf(rule) {
  return pathOf(new URL(rule.href, rule.parentStyleSheet?.href ?? document.baseURI).href);
}

/** Whether a sheet imports another one, however many are between them. @param {CSSStyleSheet | null} sheet @param {string} url @returns {boolean} */
function loads(sheet, url) {
  return rulesOf(sheet).some((rule) => rule instanceof CSSImportRule && (addressOf(rule) === url || loads(rule.styleSheet, url)));
}

/** Whether a picture or font stands in a sheet, or in one that it imports. @param {CSSStyleSheet | null} sheet @param {string} url @returns {boolean} */
function shows(sheet, url) {
  return rulesOf(sheet).some((rule) => {
    if (rule instanceof CSSImportRule) return shows(rule.styleSheet, url);
    const base = rule.parentStyleSheet?.href ?? document.baseURI;
    return [...rule.cssText.matchAll(/url\("([^"]+)"\)/g)].some(([, address]) => pathOf(new URL(address, base).href) === url);
  });
}

/** @param {string} href */
function pathOf(href) {
  try {
    const url = new URL(href);
    return url.origin === location.origin ? url.pathname : null;
  } catch {
    return null;
  }
}

/** @param {URL} url @param {number} rev */
function withRevision(url, rev) {
  url.searchParams.set("t", String(rev));
  return url.href;
}

/** @param {Promise<boolean>[]} promises */
async function all(promises) {
  return (await Promise.all(promises)).every(Boolean);
}
