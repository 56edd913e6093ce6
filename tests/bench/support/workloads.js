// Real programs, as npm has them, and something for each to do.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = fileURLToPath(new URL("../node_modules/", import.meta.url));

/**
 * Files that are copied out of `node_modules`, because what is in there is served without guards. Names that only a package
 * manager could resolve become relative ones.
 *
 * @type {Record<string, { from: string, imports?: Record<string, string> }>}
 */
const FILES = {
  "acorn.mjs": { from: "acorn/dist/acorn.mjs" },
  "babel-parser.cjs": { from: "@babel/parser/lib/index.js" },
  "d3-dispatch.mjs": { from: "d3-dispatch/dist/d3-dispatch.mjs" },
  "d3-quadtree.mjs": { from: "d3-quadtree/dist/d3-quadtree.mjs" },
  "d3-timer.mjs": { from: "d3-timer/dist/d3-timer.mjs" },
  "d3-force.mjs": {
    from: "d3-force/dist/d3-force.mjs",
    imports: { "d3-dispatch": "./d3-dispatch.mjs", "d3-quadtree": "./d3-quadtree.mjs", "d3-timer": "./d3-timer.mjs" },
  },
  "immer.mjs": { from: "immer/dist/immer.mjs" },
  "markdown-it.mjs": { from: "markdown-it/dist/browser/markdown-it.esm.min.mjs" },
  "marked.mjs": { from: "marked/lib/marked.esm.js" },
  "preact.mjs": { from: "preact/dist/preact.mjs" },
  "render-to-string.mjs": { from: "preact-render-to-string/dist/index.module.js", imports: { preact: "./preact.mjs" } },
};

/** What each does. A workload hands a function to `take`; one call of it takes a few milliseconds. */
export const WORKLOADS = {
  acorn: `
import { parse } from "../lib/acorn.mjs";
take(({ code }) => parse(code, { ecmaVersion: "latest", sourceType: "module" }).body.length);
`,
  "@babel/parser": `
import { parse } from "../lib/babel-parser.cjs";
take(({ code }) => parse(code, { sourceType: "module" }).program.body.length);
`,
  "d3-force": `
import { forceCenter, forceLink, forceManyBody, forceSimulation } from "../lib/d3-force.mjs";
take(() => {
  const nodes = Array.from({ length: 300 }, (_, index) => ({ index }));
  const links = nodes.slice(1).map((_, index) => ({ source: index, target: (index * 7 + 1) % 300 }));
  const simulation = forceSimulation(nodes).stop()
    .force("charge", forceManyBody()).force("link", forceLink(links)).force("center", forceCenter());
  simulation.tick(20);
  return nodes[17].x;
});
`,
  "markdown-it": `
import MarkdownIt from "../lib/markdown-it.mjs";
const md = new MarkdownIt({ html: true, linkify: true, typographer: true });
take(({ prose }) => md.render(prose).length);
`,
  marked: `
import { marked } from "../lib/marked.mjs";
take(({ prose }) => marked.parse(prose).length);
`,
  immer: `
import { produce } from "../lib/immer.mjs";
take(() => {
  let state = { todos: Array.from({ length: 200 }, (_, id) => ({ id, done: false, tags: { a: id } })), done: 0 };
  for (let n = 0; n < 200; n++) {
    state = produce(state, (draft) => {
      const todo = draft.todos[(n * 13) % 200];
      todo.done = !todo.done;
      todo.tags.a += n;
      draft.done += todo.done ? 1 : -1;
    });
  }
  return state.done;
});
`,
  preact: `
import { Component, h } from "../lib/preact.mjs";
import { render } from "../lib/render-to-string.mjs";
const Item = ({ todo, children }) => h("li", { class: todo.done ? "done" : "", "data-id": todo.id },
  h("input", { type: "checkbox", checked: todo.done }), h("span", null, todo.text), children);
class List extends Component {
  constructor(props) {
    super(props);
    this.state = { shown: props.todos.length };
  }
  render({ todos }, { shown }) {
    return h("ul", null, todos.slice(0, shown).map((todo) => h(Item, { key: todo.id, todo }, h("button", { onClick: () => todo.id }, "x"))));
  }
}
take(() => {
  const todos = Array.from({ length: 500 }, (_, id) => ({ id, text: "todo number " + id, done: id % 3 === 0 }));
  return render(h("main", null, h("h1", null, "todos"), h(List, { todos }))).length;
});
`,
};

/** @typedef {keyof typeof WORKLOADS} Workload */

/** The address of a workload's module. @param {string} name */
export const moduleOf = (name) => `/workloads/${name.replaceAll(/\W/g, "-")}.mjs`;

/**
 * Writes libraries and workloads into a folder that can be served, and that Node can run as it is.
 *
 * @param {string} folder
 */
export async function writeProgram(folder) {
  for (const [name, { from, imports = {} }] of Object.entries(FILES)) {
    const target = join(folder, "lib", name);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(PACKAGES, from), target);
    let text = await readFile(target, "utf8");
    for (const [bare, relative] of Object.entries(imports)) text = text.replaceAll(new RegExp(`(from\\s*["'])${bare}(["'])`, "g"), `$1${relative}$2`);
    await writeFile(target, text);
  }
  await mkdir(join(folder, "workloads"), { recursive: true });
  for (const [name, text] of Object.entries(WORKLOADS)) await writeFile(join(folder, moduleOf(name)), text);
  await writeFile(join(folder, "index.html"), `<!doctype html><html><head></head><body><script type="module" src="/index.js"></script></body></html>\n`);
  await writeFile(join(folder, "index.js"), "");
}

/** What workloads are given: half a megabyte of code, a hundred kilobytes of prose. */
export async function readInput() {
  const code = await readFile(join(PACKAGES, "acorn/dist/acorn.mjs"), "utf8");
  const prose = await readFile(join(PACKAGES, "markdown-it/README.md"), "utf8");
  return { code, prose: prose.repeat(4) };
}
