// Programs that we did not write, from npm packages: served unchanged, and edited while they run.
// `cargo xtask setup` installs them; see ../real/package.json.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { atEnd } from "../support/cleanup.js";
import { newContext, openTab, remember, settle, until } from "../support/live.js";
import { launchChromium } from "../support/chromium.js";
import { startLsp } from "../support/lsp-client.js";
import { makeProject } from "../support/project.js";

/** @typedef {import("node:test").TestContext} TestContext */
/** @typedef {import("playwright-core").BrowserContext} BrowserContext */

const PACKAGES = fileURLToPath(new URL("../real/node_modules/", import.meta.url));

/**
 * A project made of parts of packages and a few files of ours, in a page and in an editor.
 *
 * @param {TestContext} t
 * @param {object} parts
 * @param {Record<string, string>} parts.copies from the packages' folder to the project's
 * @param {Record<string, string>} [parts.files]
 * @param {string[]} parts.open
 * @param {BrowserContext} [parts.context]
 */
async function run(t, { copies, files = {}, open, context }) {
  assert.ok(existsSync(PACKAGES), 'the programs are not installed: run "cargo xtask setup"');
  const project = await makeProject(t, files);
  for (const [from, to] of Object.entries(copies)) {
    await cp(PACKAGES + from, project.path(to), { recursive: true });
  }
  const client = await startLsp(t, { root: project.folder });
  const { url } = await client.ready();
  /** @type {Record<string, import("../support/lsp-document.js").ClientDocument>} */
  const documents = {};
  for (const name of open) documents[name] = client.open(project.uri(name), await project.read(name));
  const tabs = context ?? (await newContext(t));
  const { page, problems } = await openTab(tabs, url);
  await client.notification("capuchin/pagesChanged", (it) => it.count === 1);
  const same = await remember(page);
  /**
   * @param {string} name
   * @param {string} old
   * @param {string} text
   */
  const edit = async (name, old, text) => {
    const { verdict, outcome } = await settle(client, documents[name], documents[name].replace(old, text));
    assert.equal(`${verdict.verdict} ${outcome.outcome}`, "patch live", JSON.stringify([verdict, outcome]));
    return verdict;
  };
  return { project, client, documents, page, problems, edit, same };
}

test("three.js: the controls of a moving camera are edited while it moves", async (t) => {
  const browser = await launchChromium(t, ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]);
  const context = await browser.newContext();
  atEnd(t, () => context.close());
  const { edit, page, problems, same } = await run(t, {
    context,
    copies: {
      "three/package.json": "node_modules/three/package.json",
      "three/build": "node_modules/three/build",
      "three/examples/jsm/controls/OrbitControls.js": "src/OrbitControls.js",
      "three/examples/jsm/geometries/RoundedBoxGeometry.js": "src/RoundedBoxGeometry.js",
    },
    files: {
      "index.html": '<!doctype html><body style="margin: 0"><script type="module" src="/main.js"></script>',
      "main.js": `import * as THREE from "three";
import { OrbitControls } from "./src/OrbitControls.js";
import { RoundedBoxGeometry } from "./src/RoundedBoxGeometry.js";
const renderer = new THREE.WebGLRenderer({ antialias: false });
renderer.setSize(96, 64);
document.body.append(renderer.domElement);
const scene = new THREE.Scene();
scene.add(new THREE.Mesh(new RoundedBoxGeometry(1, 1, 1, 2, 0.1), new THREE.MeshNormalMaterial()));
const camera = new THREE.PerspectiveCamera(60, 1.5, 0.1, 100);
camera.position.set(0, 0, 5);
const controls = new OrbitControls(camera, renderer.domElement);
controls.autoRotate = true;
let last = controls.getAzimuthalAngle();
let frames = 0;
renderer.setAnimationLoop(() => {
  controls.update();
  renderer.render(scene, camera);
  const now = controls.getAzimuthalAngle();
  globalThis.turned = now - last;
  last = now;
  globalThis.frames = ++frames;
});
Object.assign(globalThis, { controls, camera, renderer, three: THREE });
`,
    },
    open: ["src/OrbitControls.js", "src/RoundedBoxGeometry.js"],
  });
  const controls = "src/OrbitControls.js";
  await until(page, "globalThis.frames > 2 && turned < 0 && turned > -1");
  assert.ok(Number(await page.evaluate("renderer.info.render.triangles")) > 100);
  await page.evaluate("globalThis.first = controls");
  // A method, in a class with a thousand lines, whose objects move.
  await edit(controls, "return _twoPI / 60 / 60 * this.autoRotateSpeed;", "return -_twoPI / 60 / 60 * this.autoRotateSpeed;");
  await until(page, "turned > 0 && turned < 1");
  await edit(controls, "return -_twoPI / 60 / 60 * this.autoRotateSpeed;", "return 0;");
  await until(page, "turned === 0");
  // A function that was given to addEventListener when the controls were made.
  await page.evaluate("globalThis.distance = () => camera.position.length(); globalThis.before = distance()");
  await edit(controls, "this._spherical.radius = this._clampDistance( this._spherical.radius * this._scale );", "this._spherical.radius = 9;");
  await until(page, "Math.abs(distance() - 9) < 1e-6");
  assert.ok(await page.evaluate("first === controls && frames > 5"));
  assert.ok(await same());
  assert.deepEqual(problems.filter((it) => !/GPU stall|swiftshader|GL Driver/i.test(it)), []);
});

test("TodoMVC in plain JavaScript: views, models and templates are edited while its list is used", async (t) => {
  const { edit, page, problems, same } = await run(t, {
    copies: { "todomvc/examples/vanillajs": "." },
    open: ["js/template.js", "js/view.js", "js/store.js", "js/controller.js", "js/helpers.js"],
  });
  const add = async (/** @type {string} */ title) => {
    await page.fill("#new-todo", title);
    await page.press("#new-todo", "Enter");
  };
  const titles = () => page.locator("#todo-list li label").allTextContents();
  await add("first");
  assert.deepEqual(await titles(), ["first"]);
  assert.equal(await page.textContent("#todo-count"), "1 item left");

  await edit("js/template.js", "' left';", "' to do';");
  await add("second");
  assert.equal(await page.textContent("#todo-count"), "2 items to do");
  // A callback inside a callback, given to the DOM when the program began.
  await edit("js/controller.js", "\t\t\tthat.addItem(title);", "\t\t\tthat.addItem(title.toUpperCase());");
  await add("third");
  assert.deepEqual(await titles(), ["first", "second", "THIRD"]);
  await edit("js/view.js", "listItem.className = completed ? 'completed' : '';", "listItem.className = completed ? 'completed done' : '';");
  await page.click("#todo-list li:first-child .toggle");
  await until(page, "document.querySelector('#todo-list li').className === 'completed done'");
  await edit("js/template.js", "return 'Clear completed (' + completedTodos + ')';", "return `Forget ${completedTodos}`;");
  await page.click("#todo-list li:nth-child(2) .toggle");
  assert.equal(await page.textContent("#clear-completed"), "Forget 2");
  await page.click("#clear-completed");
  assert.deepEqual(await titles(), ["THIRD"]);
  assert.ok(await same());
  // Asked for by the program itself, which expects another server.
  assert.deepEqual(problems.filter((it) => !/learn\.json|ERR_|Failed to load resource/.test(it)), []);
});

test("TodoMVC on Backbone and jQuery: its views and the libraries themselves are edited while it runs", async (t) => {
  const { edit, page, problems, same } = await run(t, {
    copies: { "todomvc/examples/backbone": "." },
    open: ["js/views/app-view.js", "js/models/todo.js", "bower_components/backbone/backbone.js", "bower_components/underscore/underscore.js"],
  });
  const add = async (/** @type {string} */ title) => {
    await page.fill("#new-todo", title);
    await page.press("#new-todo", "Enter");
  };
  const titles = () => page.locator("#todo-list li label").allTextContents();
  // The program starts when jQuery says so.
  await until(page, "globalThis.jQuery?.isReady === true");
  await add("first");
  assert.deepEqual(await titles(), ["first"]);
  await edit("js/views/app-view.js", "app.todos.create(this.newAttributes());", "app.todos.create(Object.assign(this.newAttributes(), { title: '* ' + this.$input.val().trim() }));");
  await add("second");
  assert.deepEqual(await titles(), ["first", "* second"]);
  // The library, inside its closure: every event of every model goes through here.
  await edit("bower_components/backbone/backbone.js", "    trigger: function(name) {\n", "    trigger: function(name) {\n      window.triggered = (window.triggered || 0) + 1;\n");
  await page.click("#todo-list li:first-child .toggle");
  await until(page, "window.triggered > 0");
  assert.equal(await page.locator("#todo-list li.completed").count(), 1);
  assert.ok(await same());
  assert.deepEqual(problems.filter((it) => !/learn\.json|ERR_|Failed to load resource/.test(it)), []);
});

test("Preact: the renderer is edited in its own source while it renders", async (t) => {
  const { edit, page, problems, same, documents } = await run(t, {
    copies: { "preact/src": "preact/src", "preact/hooks/src": "preact/hooks/src" },
    files: {
      "index.html": `<!doctype html>
<script type="importmap">{ "imports": { "preact": "/preact/src/index.js", "preact/hooks": "/preact/hooks/src/index.js" } }</script>
<body><main></main><script type="module" src="/main.js"></script>`,
      "main.js": `import { h, render } from "preact";
import { useState } from "preact/hooks";
function Item({ title, done, onToggle }) {
  return h("li", { class: done ? "done" : "" }, h("button", { onClick: onToggle }, title));
}
function List() {
  const [items, setItems] = useState([{ title: "one", done: false }]);
  const toggle = (at) => setItems(items.map((it, n) => (n === at ? { ...it, done: !it.done } : it)));
  return h("section", null,
    h("button", { id: "add", onClick: () => setItems([...items, { title: \`item \${items.length + 1}\`, done: false }]) }, "add"),
    h("ul", null, items.map((it, at) => h(Item, { key: at, ...it, onToggle: () => toggle(at) }))));
}
render(h(List), document.querySelector("main"));
`,
    },
    open: ["main.js", "preact/src/create-element.js", "preact/hooks/src/index.js", "preact/src/diff/props.js"],
  });
  const list = () => page.locator("li").allTextContents();
  await page.click("#add");
  assert.deepEqual(await list(), ["one", "item 2"]);
  await page.click("li:first-child button");
  assert.equal(await page.locator("li.done").count(), 1);
  await edit("main.js", "}, title));", "}, `<${title}>`));");
  await page.click("#add");
  assert.deepEqual(await list(), ["<one>", "<item 2>", "<item 3>"]);
  // The second item was done before, in state that a hook holds.
  assert.equal(await page.locator("li.done").count(), 1);
  const before = "\treturn createVNode(type, normalizedProps, key, ref, NULL);\n}\n\n/**\n * Clones";
  assert.ok(documents["preact/src/create-element.js"].text.includes(before));
  await edit("preact/src/create-element.js", before, before.replace("\treturn", "\tif (type == 'li') normalizedProps.title = 'made by edited code';\n\treturn"));
  await page.click("#add");
  assert.equal(await page.getAttribute("li:last-child", "title"), "made by edited code");
  assert.deepEqual(await list(), ["<one>", "<item 2>", "<item 3>", "<item 4>"]);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("CodeMirror as CommonJS: an editor's modes are edited, and run again with module.hot", async (t) => {
  const { client, documents, edit, page, problems, same } = await run(t, {
    copies: { "codemirror/lib": "codemirror/lib", "codemirror/mode/javascript": "codemirror/mode/javascript", "codemirror/addon/edit": "codemirror/addon/edit" },
    files: {
      "index.html": '<!doctype html><link rel="stylesheet" href="codemirror/lib/codemirror.css"><body><script type="module" src="/main.cjs"></script>',
      "main.cjs": `var CodeMirror = require("./codemirror/lib/codemirror");
require("./codemirror/mode/javascript/javascript");
require("./codemirror/addon/edit/closebrackets");
var editor = CodeMirror(document.body, { value: "let x = 'text';\\n", mode: "javascript", autoCloseBrackets: true });
window.editor = editor;
window.updates = 0;
if (module.hot) {
  module.hot.accept("./codemirror/mode/javascript/javascript", function () {
    window.updates += 1;
    require("./codemirror/mode/javascript/javascript");
    editor.setOption("mode", "javascript");
  });
}
`,
    },
    open: ["codemirror/mode/javascript/javascript.js", "codemirror/lib/codemirror.js", "codemirror/addon/edit/closebrackets.js"],
  });
  const mode = "codemirror/mode/javascript/javascript.js";
  const styled = (/** @type {string} */ style) => page.locator(`.cm-${style}`).allTextContents();
  assert.deepEqual(await styled("string"), ["'text'"]);
  await page.evaluate("window.first = editor");
  // A closure of the mode that the open editor made: what it captured is its own configuration.
  await edit(mode, 'return ret("string", "string");', 'return ret("string", "edited-string");');
  await page.evaluate("editor.replaceRange('let y = \"more\";\\n', { line: 1, ch: 0 })");
  assert.ok((await styled("edited-string")).includes('"more"'));
  // The editor's core, ten thousand lines in one function.
  await edit("codemirror/lib/codemirror.js", "function isWordCharBasic(ch) {\n", "function isWordCharBasic(ch) {\n    window.asked = true;\n");
  await page.evaluate("editor.findWordAt({ line: 0, ch: 5 })");
  assert.equal(await page.evaluate("window.asked"), true);
  // Top-level code of the mode runs again; the program says what to do with it.
  const document = documents[mode];
  const version = document.edit(document.text.length, document.text.length, "window.again = (window.again || 0) + 1;\n");
  const { verdict, outcome } = await settle(client, document, version);
  assert.equal(`${verdict.verdict} ${outcome.outcome}`, "updateModule moduleUpdated", JSON.stringify(outcome));
  assert.deepEqual(await page.evaluate("[updates, again]"), [1, 1]);
  // What was patched before is in the module that ran again.
  await page.evaluate("editor.replaceRange('let z = \"third\";\\n', { line: 2, ch: 0 })");
  assert.ok((await styled("edited-string")).includes('"third"'));
  assert.deepEqual(await styled("string"), []);
  assert.ok(await page.evaluate("first === editor && editor.getValue().includes('more')"));
  assert.ok(await same());
  assert.deepEqual(problems, []);
});
