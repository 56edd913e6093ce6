// Programs of any size, made of modules as people write them: a few functions, imports, a closure.

/**
 * A tree of modules: every module imports up to ten others, `main.js` reaches all of them.
 *
 * @param {number} count
 * @returns {Record<string, string>} files by name, index.html among them
 */
export function tree(count, { main = "", html = "" } = {}) {
  /** @type {Record<string, string>} */
  const files = {};
  const FAN = 10;
  for (let n = 0; n < count; n++) {
    const children = [];
    for (let child = n * FAN + 1; child <= n * FAN + FAN && child < count; child++) children.push(child);
    const name = fileName(n);
    const imports = children.map((child) => `import { total as total${child} } from "${relative(name, fileName(child))}";`);
    files[name] = `${imports.join("\n")}
${module(n, children)}${n === 0 ? main : ""}`;
  }
  files["index.html"] = `<!doctype html>
<html><head><meta charset="utf-8"><title>bench</title>${html}</head>
<body><p id="out"></p><script type="module" src="/main.js"></script></body></html>
`;
  return files;
}

/** @param {number} n @param {number[]} children */
function module(n, children) {
  return `
const settings${n} = { rate: ${n % 7}, label: "module ${n}" };
let calls = 0;

export function scale${n}(values, by = settings${n}.rate) {
  calls += 1;
  return values.map((value) => value * by + ${n});
}

export class Counter${n} {
  #count = 0;
  constructor(start) {
    this.#count = start;
  }
  add(by) {
    this.#count += by;
    return this;
  }
  get value() {
    return this.#count;
  }
}

export const describe${n} = (it) => \`\${settings${n}.label}: \${it.value} after \${calls}\`;

export function total() {
  const counter = new Counter${n}(1);
  for (const value of scale${n}([1, 2, 3])) counter.add(value);
  return counter.value${children.map((child) => ` + total${child}()`).join("")};
}
`;
}

/** @param {number} n */
function fileName(n) {
  return n === 0 ? "main.js" : `src/part${Math.floor(n / 100)}/m${n}.js`;
}

/** @param {string} from @param {string} to */
function relative(from, to) {
  return from === "main.js" ? `./${to}` : `../../${to}`;
}
