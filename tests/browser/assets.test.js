// Everything that is imported and is no program: CSS modules, what style sheets import and show, texts, bytes, addresses.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { live, overlayText, remember, settle, until, whileReloading } from "../support/live.js";

const style = (/** @type {string} */ property) => `getComputedStyle(out).${property}`;
const svg = (/** @type {number} */ size) => `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="1"/>`;

const CSS_MODULE = {
  "main.js": `import styles, { box } from "./box.module.css";
import * as all from "./box.module.css";
out.className = styles.box;
globalThis.runs = (globalThis.runs ?? 0) + 1;
globalThis.names = { ...styles };
globalThis.same = styles.box === box && all.box === box;
globalThis.exported = Object.keys(all).join();
import.meta.hot.accept();
`,
  "box.module.css": ".box { color: rgb(1, 0, 0); animation: fade 1s; }\n@keyframes fade { from { opacity: 1; } }\n.wide-one { composes: box; composes: base from './base.module.css'; width: 1px; }\n",
  "base.module.css": ".base { margin: 3px; }\n",
};

test("CSS modules: names of their own, by default and by name", async (t) => {
  const { page, problems } = await live(t, CSS_MODULE, { open: [] });
  const names = /** @type {Record<string, string>} */ (await page.evaluate("names"));
  assert.match(names.box, /^_box_[a-z0-9]{5}$/);
  assert.match(names.fade, /^_fade_/);
  assert.match(names["wide-one"], new RegExp(`^_wide-one_\\S+ ${names.box} _base_[a-z0-9]{5}$`));
  assert.deepEqual(await page.evaluate("[same, exported]"), [true, "box,default,fade,wide-one"]);
  assert.equal(await page.evaluate(style("color")), "rgb(1, 0, 0)");
  assert.match(String(await page.evaluate(style("animationName"))), /^_fade_/);
  await page.evaluate("out.className = names['wide-one']");
  assert.deepEqual(await page.evaluate(`[${style("color")}, ${style("marginTop")}, ${style("width")}]`), ["rgb(1, 0, 0)", "3px", "1px"]);
  // The composed sheet stands in front.
  assert.deepEqual(await page.evaluate("[...document.querySelectorAll('style')].map((it) => it.getAttribute('data-capuchin-style'))"), ["/base.module.css", "/box.module.css"]);
  assert.deepEqual(problems, []);
});

test("CSS modules: rules follow the buffer, and modules run again only for other names", async (t) => {
  const { client, documents, page, problems, project } = await live(t, CSS_MODULE, { open: ["box.module.css"] });
  const same = await remember(page);
  const document = documents["box.module.css"];
  await settle(client, document, document.replace("rgb(1, 0, 0)", "rgb(2, 0, 0)"));
  await until(page, `${style("color")} === "rgb(2, 0, 0)"`);
  assert.equal(await page.evaluate("runs"), 1);
  document.replace(".wide-one", ".wider");
  await until(page, "runs === 2");
  assert.deepEqual(await page.evaluate("Object.keys(names)"), ["box", "fade", "wider"]);
  assert.equal(await page.evaluate(style("color")), "rgb(2, 0, 0)");
  // From disk, through the sheet that it is composed of.
  await project.write("base.module.css", ".base { margin: 4px; }\n.more {}\n");
  await page.evaluate("out.className = names.wider");
  await until(page, `${style("marginTop")} === "4px"`);
  assert.equal(await page.evaluate("runs"), 2);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("CSS modules: a name that is missing is said, and the last good rules stay", async (t) => {
  const { documents, page } = await live(t, CSS_MODULE, { open: ["base.module.css"] });
  const document = documents["base.module.css"];
  document.replace(".base", ".bas");
  await until(page, "true");
  assert.equal(await page.evaluate("runs"), 1);
  document.replace(".bas ", ".base ");
  document.replace("3px", "5px");
  await page.evaluate("out.className = names['wide-one']");
  await until(page, `${style("marginTop")} === "5px"`);
});

const CHAIN = {
  "main.js": 'import "./styles/all.css";\nout.textContent = "x";\nglobalThis.runs = (globalThis.runs ?? 0) + 1;\n',
  "styles/all.css": '@charset "utf-8";\n@import "./deep/one.css" screen;\n@import url("two.css") layer(low);\n#out { width: 1px; }\n',
  "styles/deep/one.css": '@import "../three.css";\n#out { height: 1px; background: url("../../pictures/a.svg"); }\n',
  "styles/two.css": "#out { width: 9px; margin: 2px; }\n",
  "styles/three.css": "#out { color: rgb(3, 0, 0); }\n",
  "pictures/a.svg": svg(1),
};

test("CSS that a module imports brings along what it imports, from the buffer and from disk", async (t) => {
  const { client, documents, project, page, problems, url } = await live(t, CHAIN, { open: ["styles/three.css"] });
  const look = `[${style("width")}, ${style("height")}, ${style("marginTop")}, ${style("color")}, ${style("backgroundImage")}]`;
  assert.deepEqual(await page.evaluate(look), ["1px", "1px", "2px", "rgb(3, 0, 0)", `url("${url}pictures/a.svg")`]);
  const document = documents["styles/three.css"];
  const { outcome } = await settle(client, document, document.replace("rgb(3", "rgb(4"));
  assert.equal(outcome.outcome, "live");
  await until(page, `${style("color")} === "rgb(4, 0, 0)"`);
  await project.write("styles/two.css", "#out { margin: 7px; }\n");
  await until(page, `${style("marginTop")} === "7px"`);
  await project.write("pictures/a.svg", svg(5));
  await until(page, `/a\\.svg\\?t=\\d+/.test(${style("backgroundImage")})`);
  assert.equal(await page.evaluate("runs"), 1);
  assert.equal(await page.evaluate("document.querySelectorAll('style').length"), 1);
  assert.deepEqual(problems, []);
});

test("an import of CSS that is missing is said until it is there", async (t) => {
  const { project, page } = await live(t, { "main.js": 'import "./a.css";\nout.textContent = "x";\nimport.meta.hot.accept();\n', "a.css": "#out { width: 1px; }\n" }, { open: [] });
  const same = await remember(page);
  await project.write("a.css", '@import "./b.css";\n#out { width: 2px; }\n');
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.match(String(await overlayText(page)), /'\.\/b\.css' was not found \(imported by \/a\.css\)/);
  assert.equal(await page.evaluate(style("width")), "1px");
  await project.write("b.css", "#out { height: 3px; }\n");
  await until(page, `${style("width")} === "2px" && ${style("height")} === "3px"`);
  await until(page, "document.querySelector('capuchin-overlay') === null");
  assert.ok(await same());
});

const LINKED = {
  "index.html": `<!doctype html>
<head><link rel="stylesheet" href="/all.css"><style>@import "/own.css"; #own { width: 1px; }</style></head>
<body><p id="out">x</p><p id="own">y</p><img id="picture" srcset="a.svg 1x" src="a.svg"><script type="module" src="/main.js"></script></body>
`,
  "main.js": "",
  "all.css": '@import "one.css";\n',
  "one.css": "@import url(two.css);\n#out { background: url(a.svg); }\n",
  "two.css": "#out { color: rgb(1, 0, 0); }\n",
  "own.css": "@import 'two.css';\n#own { height: 1px; }\n",
  "a.svg": svg(10),
};

test("linked style sheets: what they import follows the buffer, what they show follows the disk", async (t) => {
  const { client, documents, project, page, problems } = await live(t, LINKED, { open: ["two.css"] });
  const same = await remember(page);
  const document = documents["two.css"];
  for (const n of [2, 3]) {
    await settle(client, document, document.setText(`#out { color: rgb(${n}, 0, 0); } #own { color: rgb(${n}, 0, 0); }\n`));
    await until(page, `${style("color")} === "rgb(${n}, 0, 0)" && getComputedStyle(own).color === "rgb(${n}, 0, 0)"`);
  }
  await project.write("own.css", "@import 'two.css';\n#own { height: 5px; }\n");
  await until(page, "getComputedStyle(own).height === '5px'");
  await until(page, "picture.naturalWidth === 10");
  await project.write("a.svg", svg(20));
  await until(page, `picture.naturalWidth === 20 && /a\\.svg\\?t=/.test(${style("backgroundImage")})`);
  await until(page, "document.querySelectorAll('link').length === 1");
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("addresses, texts and bytes are imported as they are asked for", async (t) => {
  const { page, problems } = await live(
    t,
    {
      "main.js": `import picture from "./a.svg";
import sheet from "./a.css?url";
import source from "./dep.js?raw";
import note from "./note.txt?raw";
import inline from "./a.css?inline";
import address from "./a.svg?inline";
import data from "./data.json" with { type: "json" };
import other from "./data.txt" with { type: "json" };
import text from "./note.txt" with { type: "text" };
import bytes from "./note.txt" with { type: "bytes" };
import styles from "./a.css" with { type: "css" };
import far from "data:application/json,[7]" with { type: "json" };
const late = await import("./note.txt", { with: { type: "text" } });
const name = "note";
const computed = await import(\`./\${name}.txt\`, { with: { type: "bytes" } });
const wrong = await import("./note.txt", { with: { type: "wrong" } }).catch((error) => error.constructor.name + error.message);
document.adoptedStyleSheets.push(styles);
globalThis.result = {
  picture, sheet, source, note, inline, address, data, other, text, far, wrong,
  bytes: [bytes instanceof Uint8Array, ...bytes], sheets: styles instanceof CSSStyleSheet,
  late: late.default, computed: computed.default.length, styles: document.querySelectorAll("style").length,
};
import.meta.hot.accept();
`,
      "a.svg": svg(1),
      "a.css": "#out { background: url('./a.svg'); width: 4px; }\n",
      "dep.js": "export default 1;\n",
      "note.txt": "hé\n",
      "data.json": '{"a": 1}',
      "data.txt": '{"b": 2}',
    },
    { open: [] },
  );
  await until(page, "'result' in globalThis");
  assert.deepEqual(await page.evaluate("result"), {
    picture: "/a.svg",
    sheet: "/a.css",
    source: "export default 1;\n",
    note: "hé\n",
    inline: '#out { background: url("/a.svg"); width: 4px; }\n',
    address: `data:image/svg+xml;base64,${Buffer.from(svg(1)).toString("base64")}`,
    data: { a: 1 },
    other: { b: 2 },
    text: "hé\n",
    far: [7],
    wrong: "TypeError'./note.txt' cannot be imported with the type 'wrong' (imported by /main.js)",
    bytes: [true, ...Buffer.from("hé\n")],
    sheets: true,
    late: "hé\n",
    computed: 4,
    styles: 0,
  });
  assert.equal(await page.evaluate(style("width")), "4px");
  assert.deepEqual(problems, []);
});

test("what is imported follows its file and its buffer", async (t) => {
  const { client, documents, project, page, problems } = await live(
    t,
    {
      "main.js": `import picture from "./a.svg";
import styles from "./a.css" with { type: "css" };
import text from "./note.txt?raw";
import source from "./dep.js?raw";
document.adoptedStyleSheets = [styles];
globalThis.read = () => [picture.replace(/\\d+$/, "N"), text, source];
globalThis.sheet = styles;
globalThis.runs = (globalThis.runs ?? 0) + 1;
out.innerHTML = \`<img id="picture" src="\${picture}">\`;
import.meta.hot.accept(["./note.txt?raw", "./dep.js?raw"], ([note, dep]) => { globalThis.heard = [note?.default, dep?.default]; });
`,
      "a.svg": svg(10),
      "a.css": "#out { width: 1px; }\n",
      "note.txt": "one",
      "dep.js": "1;\n",
    },
    { open: ["a.css", "note.txt", "dep.js"] },
  );
  const same = await remember(page);
  await page.evaluate("globalThis.first = sheet");
  const css = documents["a.css"];
  await settle(client, css, css.replace("1px", "2px"));
  await until(page, `${style("width")} === "2px" && document.adoptedStyleSheets[0] === first`);
  const note = documents["note.txt"];
  note.replace("one", "two");
  await until(page, "globalThis.heard?.[0] === 'two'");
  const dep = documents["dep.js"];
  dep.replace("1;", "2;");
  await until(page, "heard[1] === '2;\\n'");
  await until(page, "picture.naturalWidth === 10");
  await project.write("a.svg", svg(20));
  await until(page, "picture.naturalWidth === 20");
  assert.deepEqual(await page.evaluate("read()"), ["/a.svg?t=N", "two", "2;\n"]);
  assert.equal(await page.evaluate("runs"), 1);
  assert.ok(await same());
  assert.deepEqual(problems, []);
});

test("JSON that is being typed waits until it is whole", async (t) => {
  const { documents, project, page, problems } = await live(
    t,
    { "main.js": 'import data from "./data.json";\nglobalThis.data = data;\nimport.meta.hot.accept();\n', "data.json": '{"n": 1}\n' },
    { open: ["data.json"] },
  );
  const same = await remember(page);
  const document = documents["data.json"];
  document.type('"n": 1', "2, ");
  document.type('"n": 12, ', '"m": 3');
  await until(page, "data.m === 3 && data.n === 12");
  assert.deepEqual(problems, []);
  document.replace(', "m": 3', ",");
  await project.write("other.css", "");
  assert.deepEqual(await page.evaluate("data"), { n: 12, m: 3 });
  document.replace("12,", "13");
  await until(page, "data.n === 13");
  assert.ok(await same());
});

test("a file of a kind that pages cannot have is not imported either", async (t) => {
  const { page, project } = await live(t, { "main.js": 'import("./secret.pem?raw").catch((error) => { globalThis.said = error.message; });\n', "secret.pem": "secret" }, { open: [] });
  await until(page, "'said' in globalThis");
  assert.equal(await page.evaluate("said"), "/secret.pem is of a kind that pages cannot have");
  await rm(project.path("secret.pem"));
});

test("a style sheet that goes while it is imported keeps its rules, and says so", async (t) => {
  const { page, project } = await live(t, { "main.js": 'import "./a.css";\nout.textContent = "x";\n', "a.css": "#out { width: 1px; }\n" }, { open: [] });
  await rm(project.path("a.css"));
  await until(page, "document.querySelector('capuchin-overlay') !== null");
  assert.equal(await page.evaluate(style("width")), "1px");
  await project.write("a.css", "#out { width: 2px; }\n");
  await until(page, `${style("width")} === "2px"`);
  await whileReloading(page, () => page.reload());
  assert.equal(await page.evaluate(style("width")), "2px");
});
