// @ts-check
// Style sheets: a `<link>` gets its new text without a moment unstyled, and CSS that a module imports lives in a `<style>` of ours.

/** Marks the elements that are ours; the value is the module id. */
const MARK = "data-capuchin-style";

/** @param {Document} document @param {{ setTimeout: (callback: () => void, ms: number) => unknown }} clock */
export function createStyles(document, clock) {
  /** By module id. @type {Map<string, HTMLStyleElement>} */
  const injected = new Map();

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

    /**
     * Loads the new text of a linked style sheet beside the old one, which goes when the new one is there.
     * @param {string} url root-relative @param {number} rev @returns {Promise<boolean>} whether all of them loaded
     */
    swap(url, rev) {
      const links = [...document.querySelectorAll("link")].filter((link) => link.relList.contains("stylesheet") && pathOf(link.href) === url && !outdated.has(link));
      return all(links.map((link) => swapLink(link, rev)));
    },

    /** Shows the new state of an image, an icon or a sound. @param {string} url @param {number} rev @returns {Promise<boolean>} */
    swapAsset(url, rev) {
      for (const element of document.querySelectorAll("img, source, video, audio, track, embed, input[type=image]")) {
        const source = element.getAttribute("src");
        if (source !== null && pathOf(new URL(source, document.baseURI).href) === url) element.setAttribute("src", withRevision(new URL(source, document.baseURI), rev));
      }
      for (const link of document.querySelectorAll("link")) {
        if (link.relList.contains("icon") && pathOf(link.href) === url) link.href = withRevision(new URL(link.href), rev);
      }
      return Promise.resolve(true);
    },
  };

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
