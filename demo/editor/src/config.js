// What the server tells this page about itself, in `<meta name="capuchin-demo">`.

/**
 * @typedef {object} Config
 * @property {string} token     right to talk to this server; a new one for each start
 * @property {string} root      the folder that is edited, for people
 * @property {string} rootUri   the same folder as the language server knows it
 * @property {string[]} files   paths below the root, with "/"
 * @property {string} example   the example that runs
 * @property {string[]} examples  all that can be chosen
 * @property {string} app       where the program runs: a path on this server or another origin
 */

/**
 * @param {Document} page
 * @returns {Config}
 */
export function readConfig(page) {
  const meta = page.querySelector('meta[name="capuchin-demo"]');
  const content = meta?.getAttribute("content");
  if (!content) throw new Error("This page has to be opened by `capuchin demo`.");
  return JSON.parse(content);
}

/** The configuration of the server that answers now: after a restart it has another token. */
export async function fetchConfig() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return readConfig(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

/**
 * The text of a file as it is on disk, whatever the editor has made of it.
 *
 * @param {Config} config
 * @param {string} path
 */
export async function fetchText(config, path) {
  const query = new URLSearchParams({ path, token: config.token });
  const answer = await fetch(`/@capuchin/demo/file?${query}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} could not be loaded: the server answered ${answer.status}.`);
  return answer.text();
}

/**
 * @param {string} rootUri
 * @param {string} path
 */
export function uriOf(rootUri, path) {
  const segments = path.split("/").map(encodeURIComponent);
  return `${rootUri.replace(/\/$/, "")}/${segments.join("/")}`;
}
