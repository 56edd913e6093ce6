// Every message between a page and the server, version 1. The server's side of the same contract is `server/src/wire.rs`;
// `docs/protocol.md` says in words what each one means.

export type Graph = { entry: string; server: string; modules: ModuleDef[] };

export type ModuleKind = "esm" | "cjs" | "json" | "css" | "url" | "text" | "bytes" | "sheet" | "gathered" | "error";

export type ModuleDef = {
  id: string;
  kind: ModuleKind;
  /** The program revision that `code` stands for: server-wide, monotonic. */
  rev: number;
  /** Equal for the same text with the same site ids, on any server: told again in hello. */
  stamp?: string;
  /** Site ids in use at `rev`: the length of the guard array. */
  sites: number;
  /** An ES module with top-level await; its factory is an async arrow. */
  async?: boolean;
  /** esm: static imports in source order, `export from` included. cjs: the `require()`s found. Each once. */
  deps: Dep[];
  /** `import()` with a literal. */
  dynamic?: Dep[];
  /** Literals found in accept and decline calls -> resolved id; null: not found. */
  accepts?: Record<string, string | null>;
  /** A CSS module: its names, and the classes that each stands for. */
  names?: Record<string, string>;
  /** esm, cjs: factory source. json, css, text, sheet: the text. url: the URL. bytes: base64. gathered: JSON, see gathered.js. error: the message. */
  code: string;
};

/** What a page has of a module. */
export type ModuleRev = {
  id: string;
  rev: number;
  /** In a hello: the revision of its top level, which can be older. */
  top?: number;
  stamp?: string;
};

export type Dep = {
  /** As the source says it; `./x with css` where the import asks for a type. */
  spec: string;
  /** A module of the registry. */
  id?: string;
  /** Left to the browser: loaded with native import(). */
  url?: string;
  /** It did not resolve; the sentence says why. */
  error?: string;
  /** What the importer uses of it (`*` for the namespace). Absent: not known. Only partial accept asks for it. */
  names?: string[];
};

export type How = "fn" | "arrow" | "named" | "class";

export type SitePatch = {
  id: number;
  rev: number;
  /** An expression, evaluated through the site's scope hook, that gives the new function. */
  code: string;
  /**
   * The variables that `code` uses of the functions around the site, innermost first. With it `code` is evaluated at the end of the chain of
   * hooks, and what it gives is called with the site's hook and an object for each list.
   */
  cells?: string[][] | null;
  /** Free names that must exist on the page, otherwise the whole push is held. */
  needs?: string[];
  how: How;
  name: string;
  /** The line of the module, from 0, that the first line of `code` is on. */
  line?: number;
  /** Scopes whose hook is older than this revision (`hook.r`, 0 as loaded) cannot run `code`. */
  scope?: number;
  /** What those scopes run. */
  base?: { code: string; cells?: string[][] | null; how: How } | null;
  /** Why closures made before keep what they run: the outcome is `nextCall`. */
  later?: string | null;
  /** For a class whose constructor or fields changed. */
  construct?: Construct;
  /** For a class: `#private` names that classes whose text is older may lack. */
  privates?: Private[];
};

/** A `#private` method, accessor or field of a class. */
export type Private = {
  name: string;
  static?: boolean;
  /** Classes whose text is older do not have it. */
  since: number;
  /** From which revisions to which others the text was without it since. */
  gaps?: [from: number, to: number][];
  /** An element of a class's body; of a static method without the word. */
  code: string;
  /** Where it stands in the module, from 0. */
  line: number;
  column: number;
};

/** The constructor and the fields of a class, for objects that are made from now on. */
export type Construct = {
  /** Classes whose text is of this revision or a later one have them already. */
  rev: number;
  /** An expression, evaluated through the class's hook, that gives the class which takes over. */
  code: string;
  /** The public fields that it makes, in order. */
  fields?: string[];
};

/** Declarations that are added to a running module, or get other values. */
export type TopPatch = {
  /** Imports that the module has now: their modules run before the steps. */
  deps?: Dep[];
  /** Modules that these reach and the page lacks. */
  defs?: ModuleDef[];
  /** Evaluated one after another through the hook of the module's scope; `keeps` names the variable that was written since if `false` comes out. */
  steps: { code: string; line: number; keeps?: string }[];
};

export type PatchChange = { type: "patch"; module: string; from: number; rev: number; stamp?: string; sites: SitePatch[]; nsites: number; top?: TopPatch };
export type UpdateChange = { type: "update"; module: string; from: number; rev: number; defs: ModuleDef[] };
export type RemoveChange = { type: "remove"; module: string; rev: number };
export type CssChange = { type: "css"; url: string; rev: number };
export type AssetChange = { type: "asset"; url: string; rev: number };
export type HtmlChange = { type: "html"; url: string; rev: number };
export type ProblemChange = { type: "problem"; module: string; message: string | null; line?: number; column?: number };
export type Change = PatchChange | UpdateChange | RemoveChange | CssChange | AssetChange | HtmlChange | ProblemChange;

export type When = "typing" | "save" | "disk";
export type Reason = { code: string; message: string };
export type Push = { type: "push"; seq: number; when: When; changes: Change[] };

export type OutcomeWord = "live" | "nextCall" | "held" | "moduleUpdated" | "needsReload" | "refused" | "threw";
export type Result = { module: string; rev: number; outcome: OutcomeWord; reason?: Reason; ms: number };

export type ToPage =
  /**
   * `modules`: this server's revisions of what the page has, when the page came from another server. `custom`: it takes `custom` messages.
   */
  | { type: "welcome"; v: 1; server: string; page: string; modules?: ModuleRev[]; custom?: boolean }
  /** A hello asked to look at the disk: what came of that, and what the page lacked, was sent before this. */
  | { type: "looked" }
  | Push
  | { type: "reload"; reason: Reason }
  | { type: "custom"; event: string; data?: unknown };

export type FromPage =
  /**
   * `rev`: the revision that the page's HTML was made at; 0 or absent: not known. `look`: files that changed on disk count even if their
   * change was not noticed yet.
   */
  | { type: "hello"; v: 1; page: string; server: string; url: string; html?: string; userAgent: string; modules: ModuleRev[]; rev?: number; look?: boolean }
  | { type: "outcome"; seq: number; results: Result[] }
  | { type: "loaded"; modules: ModuleRev[] }
  /** `stack`: the frames of the program. `count`: how often the error has come by now; absent: once. */
  | { type: "error"; module?: string; message: string; stack?: string; count?: number }
  | { type: "custom"; event: string; data?: unknown };
