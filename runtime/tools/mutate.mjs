// Breaks one rule of the runtime at a time, in a copy, and sees whether a test of the runtime or a behaviour of a function notices: `cargo xtask mutate-runtime [words of a file or rule]`.
// A rule that nobody misses has no test. STALE: the text of the rule is not in the file any more; bring the table up to date.
// Without words, `docs/rules.md` is written anew.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The server that the behaviours are run with. */
const binary = fileURLToPath(new URL(`../../target/debug/capuchin${process.platform === "win32" ? ".exe" : ""}`, import.meta.url));
/** One process for all tests: starting one for each file takes longer than the tests. */
const ALL = "runtime/test/all.mjs";
/** Several times what the tests take, in milliseconds: a broken rule can make them wait for ever. */
const [UNIT_TIMEOUT, SITES_TIMEOUT] = [20_000, 120_000];
const wanted = process.argv.slice(2);

// [file, rule, broken rule]
const rules = [
  ['plan.js','module.selfAccepted && !module.selfInvalidated','module.selfAccepted'],
  ['plan.js','if (module.selfDeclined) return','if (false) return'],
  ['plan.js','if (module.main && module.acceptedExports === null)','if (false)'],
  ['plan.js','if (parent.declines(id)) return','if (false) return'],
  ['plan.js','if (outdated.has(parentId)) continue;',''],
  ['plan.js','outdatedDependencies.delete(parentId);',''],
  ['plan.js','item !== undefined; item = work.pop()','item !== undefined; item = work.shift()'],
  ['plan.js','if (acceptsAllThatIsUsed(module, parent.imports(id))) continue;',''],
  ['round.js','[...plan.outdated].reverse()','[...plan.outdated]'],
  ['round.js','plan.dependencies.delete(id);',''],
  ['round.js','module.data = data;',''],
  ['round.js','instance.active = false;\n    if',' if'],
  ['round.js','hot.disposers.splice(0)','hot.disposers'],
  ['round.js','hot.viteDisposers.splice(0)','hot.viteDisposers'],
  ['round.js','instance.parents = new Set(old.parents);',''],
  ['round.js','new Instance(module, old.main)','new Instance(module, false)'],
  ['round.js','if (this.auto && this.errors.length > 0) this.restore();',''],
  ['round.js','this.accepted === 0 ? this.snapshots :',''],
  ['round.js','if (waiting.length > 0) await Promise.all(waiting);\n  }\n\n  /** Runs the new code','}\n\n  /** Runs the new code'],
  ['update.js','if (this.status !== "idle") throw new Error("check() is','if (false) throw new Error("check() is'],
  ['update.js','if (this.status !== this.rest) this.setStatus(this.rest);\n    }\n  }\n\n  // -- One','}\n  }\n\n  // -- One'],
  ['update.js','[...pending.keys()].sort()','[...pending.keys()].sort().reverse()'],
  ['round.js','this.events.forget(instance);\n      registry.cleanup.end(instance);\n    }\n    if','registry.cleanup.end(instance);\n    }\n    if'],
  ['round.js','if (!this.options.ignoreErrored) for','for'],
  ['update.js','if (first !== null && effects','if (false && effects'],
  ['update.js','instance.handedOn = true;',''],
  ['update.js','instance.generation === 0 ||',''],
  ['update.js','if (this.status === "ready") this.setStatus("prepare");',''],
  ['round.js','instance.restored && module.data ? module.data : {}','{}'],
  ['round.js','this.dispose(failed, []);',''],
  ['round.js','for (const child of instance.children) this.registry.cached(child)?.parents.delete(instance.id);',''],
  ['round.js','if (disposing.length > 0) await this.patiently(Promise.all(disposing));',''],
  ['round.js','registry.cached(id)?.children.delete(dep)','0'],
  ['hot.js','const renew = instance.program.kind === "esm" ? found : null;','const renew = null;'],
  ['hot.js','renew === null && callback ? callback : call','call'],
  ['hot.js','if (accepted !== undefined) return accepted;',''],
  ['hot.js','throw new Error("invalid hot.accept() usage.");',''],
  ['sites.js','if (made === undefined || made.rev !== patch.rev)','if (made === undefined)'],
  ['sites.js','if (made === undefined || made.rev !== patch.rev)','if (true)'],
  ['sites.js','if (newTarget === undefined || (made.mode','if (true || (made.mode'],
  ['sites.js','last.hook === hook && last.id','last.id'],
  ['sites.js','last.id === id && last.rev','last.rev'],
  ['sites.js','last.rev === this[id] && newTarget','newTarget'],
  ['sites.js','get: (_, name) => get(name)','get: () => undefined'],
  ['sites.js','put(name, value);',''],
  ['sites.js','return patch.rev > hook.at && patch.scope <= hook.at;','return patch.rev > hook.at;'],
  ['sites.js','return patch.rev > hook.at && patch.scope <= hook.at;','return patch.scope <= hook.at;'],
  ['sites.js','old.rev = patch.rev;\n      return old;\n    }\n    if (patch.before)','throw error;\n    }\n    if (patch.before)'],
  ['sites.js','if (guards[id] === patch.rev) set(guards, id, 0);',';'],
  ['sites.js','this.arrays.filter((ref) => ref.deref() !== undefined)','this.arrays'],
  ['sites.js','patch.told = true;',''],
  ['sites.js','return /^\\s*(?:async','return /^\\s*(?:never'],
  ['namespace.js','[...getters.keys()].sort()','[...getters.keys()]'],
  ['namespace.js','name === "default" || own.has(name)','name === "default"'],
  ['namespace.js','name === "default" || own','own'],
  ['namespace.js','value.__esModule ? value.default : value','false ? 0 : value'],
  ['namespace.js','!same(other, getter)','true'],
  ['registry.js','if (instance.state === "error") throw instance.error;\n      return','return'],
  ['registry.js','if (shown?.linked) this.bind(shown, seen);',''],
  ['registry.js','if (program.factory !== null && (program.suspends || !suspends)) return program.factory;',''],
  ['registry.js','if (program !== null && !program.gone && (module.current !== null || module.rev >= def.rev)) continue;',''],
  ['evaluate.js','ready.sort((a, b) => a.asyncOrder - b.asyncOrder);',''],
  ['evaluate.js','awaited = needed.root;',''],
  ['evaluate.js','if (!waiter.program.async) this.gather(waiter, ready);',''],
  ['evaluate.js','if (!next.program.async) this.finish(next);',''],
  ['evaluate.js','for (const waiter of waiters) this.rejected(waiter, error);',''],
  ['evaluate.js','this.registry.bind(needed)','0'],
  ['evaluate.js','failed = true;',''],
  ['evaluate.js','if (frame.low < path.length) {','if (false) {'],
  ['registry.js','"const $1l=$1m.link();if($1l)await $1l;"','"await $1m.link();"'],
  ['apply.js','if (this.failedStop(prepared, stop) || this.patchesStop(patches, stop)) return undefined;','if (this.failedStop(prepared, stop)) return undefined;'],
  ['apply.js','if (this.failedStop(prepared, stop) || this.patchesStop(patches, stop)) return undefined;','if (this.patchesStop(patches, stop)) return undefined;'],
  ['apply.js','module.ignored === def.stamp','false'],
  ['apply.js','module.threw?.rev === change.rev &&','false &&'],
  ['registry.js','module.ignored = undefined;',''],
  ['apply.js','module.rev !== change.from && !module.foreign','false'],
  ['apply.js','module.rev = rev;\n      module.stamp = stamp;\n      module.foreign = false;\n    }\n    for','module.stamp = stamp;\n      module.foreign = false;\n    }\n    for'],
  ['apply.js','if (this.when !== "typing") this.host.reload(refusal);',''],
  ['apply.js','if (this.when !== "typing") this.host.reload(refusal);','this.host.reload(refusal);'],
  ['apply.js','if (running !== undefined) await running;',''],
  ['apply.js','this.host.recovered(id);',''],
  ['apply.js','this.resyncs < RESYNCS','true'],
  ['apply.js','when === "typing" ? null : this.wantsReload','this.wantsReload'],
  ['apply.js','for (const { id } of updates) this.updater.waiting.delete(id);',''],
  ['socket.js','if (this.wire === wire) this.take(data);','this.take(data);'],
  ['socket.js','if (!this.greeting) this.hello();','this.hello();'],
  ['socket.js','message.seq > this.next && !this.greeting','false'],
  ['socket.js','message.seq < this.next','false'],
  ['socket.js','this.host.asleep()','false'],
  ['socket.js','Math.min(this.delay * 2, LONGEST_DELAY)','FIRST_DELAY'],
  ['socket.js','this.next = null;\n    } else','} else'],
  ['host.js','} else if (!reloading.canWait) {\n      return;','} else if (false) {\n      return;'],
  ['host.js','if (customAllowed === false ||','if (false ||'],
  ['events.js','this.keep(event, (listener) => listener.owner !== owner)','0'],
  ['context.js','module.starredBy.add(this.#instance.module);',''],
  ['update.js','return !next || sameNames(program.names, next.names);','return true;'],
  ['update.js','return ![...instance.parents].some((id) => this.accepts(this.registry.cached(id)?.hot ?? null, instance.id));','return true;'],
  ['update.js','if (dep.names === undefined) return null;',''],
  ['update.js','this.rest === "watch" ? ["prepare"] :','false ? [] :'],
  ['update.js','if (isResting && this.status !== this.rest)','if (isResting)'],
  ['update.js','this.invalidated.add(instance.id);\n        this.host.enqueue','this.host.enqueue'],
  ['round.js','instance.hadDisposer ||= hot !== null && hot.disposers.length + hot.viteDisposers.length > 0;',''],
  ['round.js','registry.cleanup.end(instance);\n    }\n    if','}\n    if'],
  ['round.js','registry.cleanup.end(failed);',''],
  ['round.js','gone.gone = true;',''],
  ['apply.js','for (const dep of module.program?.specs.values() ?? []) delete dep.names;',''],
  ['apply.js','if (mode === "automatic") this.enqueue',';if (false) this.enqueue'],
  ['apply.js','this.host.clearTimeout(this.delay);\n    this.updater.setStatus("watch-delay");','this.updater.setStatus("watch-delay");'],
  ['apply.js','this.host.clearTimeout(this.delay);\n    this.updater.watch','this.updater.watch'],
  ['gathered.js','const id = files[String(request) + ending];','const id = files[String(request)];'],
  ['gathered.js','registry.required(registry.load(registry.module(id), instance))','registry.required(registry.load(registry.module(id), null))'],
  ['gathered.js','registry.load(registry.module(id), from)','registry.load(registry.module(id), gathered)'],
  ['gathered.js','name === undefined ? namespace : namespace[name]','namespace'],
  ['gathered.js','if (registry.cached(id) === null) throw','if (false) throw'],
  ['evaluate.js','for (const id of eagerFiles(program)) this.linkTo(instance, id, id);','for (const id of []) this.linkTo(instance, id, id);'],
  ['registry.js','&& !program.gone',''],
  ['registry.js','if (this.state === "evaluating" || this.state === "async") (this.wentWithout','(this.wentWithout'],
  ['registry.js','from.lacks(spec);',''],
  ['registry.js','|| (kind === "esm" && deps.some(({ error }) => error !== undefined))',''],
  ['registry.js','error === undefined && wentWithout.has(spec)','error === undefined'],
  ['context.js','  from.lacks(spec);',''],
  ['context.js','instance.lacks(String(specifier));',''],
  ['apply.js','const hasMore = module.current?.findsMore(def) === true;\n            this.registry.takeOver(module, def, added);','const hasMore = module.current?.findsMore(def) === true;\n            if (!hasMore) this.registry.takeOver(module, def, added);'],
  ['registry.js','for (const { id } of program.deps) if (id !== undefined) this.load(this.module(id), instance);',''],
  ['cleanup.js','this.current = before;',''],
  ['cleanup.js','if (--this.depth === 0)','if (--this.depth < 0)'],
  ['cleanup.js','if (owner[name] === wrapper) owner[name] = own;','owner[name] = own;'],
  ['cleanup.js','instance.hadDisposer ||',''],
  ['cleanup.js','{ capture });','{});'],
  ['evaluate.js','const before = cleanup.enter(next);','const before = null; cleanup.enter(instance);'],
  ['host.js','else if (unsent.length < MOST_UNSENT) unsent.push(message);','else if (true) unsent.push(message);'],
  ['host.js','for (const event of unsent.splice(0)) if (customAllowed) link?.send(event);',''],
];

const chosen = rules.filter(([file, rule]) => wanted.every((word) => `${file} ${rule}`.includes(word)));
/** Who noticed each of them; empty: nobody. Undefined: the rule is not there any more. @type {(string | undefined)[]} */
const noticed = [];
let next = 0;
const folders = Array.from({ length: availableParallelism() }, makeCopy);
// A test that fails anyway would notice everything.
const broken = await whoFails(folders[0]);
if (broken !== "") throw new Error(`Nothing is broken yet, and this fails: ${broken}`);
await Promise.all(folders.map(async (folder) => {
  while (next < chosen.length) {
    const index = next++;
    const [file, rule, broken] = chosen[index];
    noticed[index] = await whoNotices(folder, file, rule, broken);
    const word = noticed[index] === undefined ? "STALE    " : noticed[index] === "" ? "UNNOTICED" : "noticed  ";
    console.log(word, file, JSON.stringify(rule), "->", JSON.stringify(broken));
  }
}));
for (const folder of folders) rmSync(folder, { recursive: true });
const unnoticed = noticed.filter((it) => !it).length;
if (wanted.length === 0) {
  /** @type {Map<string, string[]>} */
  const tables = new Map();
  for (const [index, [file, rule, broken]] of chosen.entries()) {
    const row = `| ${code(rule)} | ${broken === "" ? "nothing" : code(broken)} | ${noticed[index] || "**nobody**"} |`;
    tables.set(file, [...(tables.get(file) ?? []), row]);
  }
  const parts = [...tables].map(([file, rows]) => `## ${file}\n\n| rule | in its place | noticed by |\n| --- | --- | --- |\n${rows.join("\n")}\n`);
  const head = `# Rules of the runtime and the tests that hold them

Written by \`cargo xtask mutate-runtime\`, which breaks each of these rules once, in a copy of \`runtime/\`, and runs the
tests there. ${chosen.length} rules, ${chosen.length - unnoticed} noticed.
`;
  writeFileSync(fileURLToPath(new URL("../../docs/rules.md", import.meta.url)), `${head}\n${parts.join("\n")}`);
}
process.exitCode = unnoticed === 0 ? 0 : 1;

/** A folder with the runtime and its tests, which rules can be broken in. */
function makeCopy() {
  const folder = mkdtempSync(join(tmpdir(), "capuchin-mutate-"));
  for (const part of ["fixtures/wire", "fixtures/sites", "tests/laws", "tests/support"]) {
    cpSync(fileURLToPath(new URL(`../../${part}`, import.meta.url)), join(folder, part), { recursive: true });
  }
  const runtime = join(folder, "runtime");
  cpSync(fileURLToPath(new URL("..", import.meta.url)), runtime, { recursive: true, filter: (file) => !file.includes("node_modules") });
  const files = readdirSync(join(runtime, "test")).filter((file) => file.endsWith(".test.js"));
  writeFileSync(join(folder, ALL), files.map((file) => `import "./${file}";\n`).join(""));
  return folder;
}

/** @param {string} folder @param {string} file @param {string} rule @param {string} broken */
async function whoNotices(folder, file, rule, broken) {
  const path = join(folder, "runtime", file);
  const source = readFileSync(path, "utf8");
  if (!source.includes(rule)) return undefined;
  writeFileSync(path, source.replace(rule, () => broken));
  const noticed = await whoFails(folder);
  writeFileSync(path, source);
  return noticed;
}

/** The first test that fails; empty if none does. @param {string} folder */
async function whoFails(folder) {
  // The second for what only whole programs show: the behaviours of functions, through the server.
  return await failing(join(folder, ALL), UNIT_TIMEOUT) || await failing(join(folder, "tests/laws/sites.test.js"), SITES_TIMEOUT);
}

/** The first test that fails; empty if none does. @param {string} test @param {number} timeout milliseconds */
async function failing(test, timeout) {
  try {
    await promisify(execFile)(process.execPath, ["--test-reporter=tap", test], { timeout, killSignal: "SIGKILL", maxBuffer: 1 << 28, env: { ...process.env, CAPUCHIN_BIN: binary } });
    return "";
  } catch (/** @type {any} */ error) {
    const failures = [...String(error.stdout).matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name).filter((name) => !name.endsWith(".js"));
    return failures[0] ?? (error.signal ? "it never ends" : "nothing loads");
  }
}

/** Code in a cell of a table. @param {string} text */
function code(text) {
  const line = text.replace(/\s*\n\s*/g, " ").trim().replaceAll("|", "\\|");
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}
