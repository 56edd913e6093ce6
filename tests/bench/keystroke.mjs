// From a key to the page: `didChange` written to the server's standard input, until the DOM of a page in Chromium has changed.
//
// The program has 1,000 modules; the file being typed in has 1,000 lines; keys come 20 ms apart. In the same run, in turn, the
// floor: the same text through an echo on standard input and output and a WebSocket, to a page that evaluates it as a function
// and calls it. Both ways end with the same message of the page back to this process, so both are timed by one clock.
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { launchChromium, openPage } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";
import { atEnd } from "../support/cleanup.js";
import { ms, percentile, ratio, table, verdict } from "./support/figures.js";
import { tree } from "./support/programs.js";
import { scope } from "./support/scope.js";
import { startWebSocket } from "./support/websocket.js";

const MODULES = Number(process.env.BENCH_MODULES ?? 1000);
const LINES = Number(process.env.BENCH_LINES ?? 1000);
const ROUNDS = 5;
const KEYS = 60;
const APART = 20;

/** What is shown grows by one letter per key, and shrinks again: text that a person types and takes back. */
const LETTERS = "abcdefghijklmnopqrstuvwxyzabcd";

/** What pages say they show, and who waits for it. */
class Heard {
  /** @type {{ text: string, sent: number, resolve: (ms: number) => void, timer: NodeJS.Timeout }[]} */
  #waiting = [];

  /** @param {string} text @returns {Promise<number>} */
  expect(text) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the page never showed ${JSON.stringify(text)}`)), 10_000);
      this.#waiting.push({ text, sent: performance.now(), resolve, timer });
    });
  }

  /** @param {string} text */
  hear(text) {
    const now = performance.now();
    const index = this.#waiting.findLastIndex((it) => it.text === text);
    // Keys that arrived together are shown together: what was typed before is on the page with what was typed after it.
    for (const { sent, resolve, timer } of this.#waiting.splice(0, index + 1)) {
      clearTimeout(timer);
      resolve(now - sent);
    }
  }
}

await scope(async (t) => {
  const heard = new Heard();
  const socket = await startWebSocket(t, (text) => heard.hear(text));
  const files = tree(MODULES, { main: main(), html: `<script>${inPage(socket.url)}</script>` });
  const project = await makeProject(t, files);
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  const browser = await launchChromium(t);
  const document = client.open(project.uri("main.js"), files["main.js"]);
  const { problems } = await openPage(browser, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  await socket.connected;
  const echo = startEcho(t, (body) => socket.send(body));

  const marker = 'return "';
  const typed = { at: document.text.indexOf(marker, document.text.indexOf("function edited")) + marker.length, length: 0 };
  // One key in the editor: the next letter, or the last one taken back.
  const key = (/** @type {string} */ shown) => {
    const { at, length } = typed;
    typed.length = shown.length;
    if (shown.length > length) document.edit(at + length, at + length, shown.slice(length));
    else document.edit(at + shown.length, at + length, "");
  };
  const floorKey = (/** @type {string} */ shown) => echo(`()=>"floor ${shown}"`);

  await round(heard, key, "");
  await round(heard, floorKey, "floor ");
  /** @type {number[]} */
  const keys = [];
  /** @type {number[]} */
  const floor = [];
  for (let n = 0; n < ROUNDS; n++) {
    floor.push(...(await round(heard, floorKey, "floor ")));
    keys.push(...(await round(heard, key, "")));
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));

  const [p50, p95] = [percentile(keys, 0.5), percentile(keys, 0.95)];
  const [floor50, floor95] = [percentile(floor, 0.5), percentile(floor, 0.95)];
  console.log(`\nFrom a key to the page: ${MODULES} modules, ${document.text.split("\n").length} lines, ${keys.length} keys ${APART} ms apart\n`);
  console.log(table([
    ["", "p50", "p95", "max"],
    ["didChange to DOM", ms(p50), ms(p95), ms(Math.max(...keys))],
    ["floor", ms(floor50), ms(floor95), ms(Math.max(...floor))],
    ["ratio", ratio(p50 / floor50), ratio(p95 / floor95), ""],
  ]));
  console.log(`\n${verdict("p50 to the floor's", p50 / floor50, 2, ratio)}\n${verdict("p95", p95, 5, ms)}`);
});

/**
 * Types keys on a clock and gives the milliseconds until each was seen.
 *
 * @param {Heard} heard
 * @param {(shown: string) => void} key
 * @param {string} prefix
 */
async function round(heard, key, prefix) {
  /** @type {Promise<number>[]} */
  const waits = [];
  const began = performance.now();
  for (let n = 1; n <= KEYS; n++) {
    const length = n <= LETTERS.length ? n : 2 * LETTERS.length - n;
    const shown = LETTERS.slice(0, length);
    // The clock, not the answer, says when the next key comes: nobody waits while they type.
    await pause(Math.max(0, began + n * APART - performance.now()));
    waits.push(heard.expect(prefix + shown));
    key(shown);
  }
  return Promise.all(waits);
}

/**
 * The shortest way through another process: it sends back what it gets.
 *
 * @param {import("node:test").TestContext} t
 * @param {(text: string) => void} onText
 */
function startEcho(t, onText) {
  const child = process.platform === "win32"
    ? spawn(process.execPath, ["-e", "process.stdin.pipe(process.stdout)"], { stdio: ["pipe", "pipe", "inherit"] })
    : spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  atEnd(t, () => child.kill());
  // A line is a message: on a busy machine two come at once.
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (data) => {
    const lines = (rest + data).split("\n");
    rest = /** @type {string} */ (lines.pop());
    lines.forEach(onText);
  });
  return (/** @type {string} */ text) => child.stdin.write(`${text}\n`);
}

/** The file that is typed in: the rest of its lines are functions that nobody calls. */
function main() {
  const functions = [];
  for (let n = 0; functions.length * 8 < LINES - 60; n++) {
    functions.push(`export function step${n}(state, input) {
  const factor = ${n};
  let total = state.total + ${n};
  for (const item of input) {
    if (item > factor) total += item * factor;
  }
  return { ...state, total, listed: input.map((it) => it + total) };
}`);
  }
  functions.splice(Math.floor(functions.length / 2), 0, `function edited() {
  return "";
}`);
  return `${functions.join("\n")}
const out = document.getElementById("out");
bench.show = () => {
  const text = edited();
  if (out.textContent === text) return;
  out.textContent = text;
  bench.say(text);
};
`;
}

/**
 * In the page: says what is shown, and calls the program as soon as a push was applied. The program itself has no loop, so what
 * is measured is the way of the edit and not the time to the next frame.
 *
 * @param {string} url
 */
function inPage(url) {
  return `
    const bench = { socket: new WebSocket("${url}"), show() {}, say(text) { bench.socket.send(text); } };
    bench.socket.onmessage = ({ data }) => {
      const text = (0, eval)(data)();
      document.getElementById("out").textContent = text;
      bench.say(text);
    };
    globalThis.__capuchin.natives.WebSocket = class extends WebSocket {
      set onmessage(listener) {
        super.onmessage = (event) => {
          listener.call(this, event);
          bench.show();
        };
      }
    };
  `;
}
