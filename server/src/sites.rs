//! Sites: every function of a module that can be swapped, as a tree with stable identities, and the scopes they live in.
//!
//! This room knows JavaScript's functions and scopes. It must not know pages, messages or files.
//!
//! A site's position is kept relative to its parent's start, so that an edit inside one function moves only the lengths
//! of its ancestors and the starts of the siblings behind it.

pub mod class;
pub mod collect;
pub mod collection;
pub mod diff;
pub mod jsx;
pub(crate) mod params;
mod shell;
pub mod tree;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

/// Identity of a site inside its module: an index into the module's guard array. Never reused while the server lives.
pub type SiteId = u32;

/// The program revision: grows by one with every change of a program that pages may run.
pub type Rev = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SiteKind {
    /// The module itself: the root of the tree. Never patched.
    Module,
    Declaration,
    Expression,
    Arrow,
    ObjectMethod,
    Method,
    StaticMethod,
    /// No site: a constructor belongs to its class.
    Constructor,
    DerivedConstructor,
    Class,
    ClassExpression,
}

impl SiteKind {
    /// The word that people read in verdicts.
    pub fn describe(self) -> &'static str {
        match self {
            SiteKind::Module => "module",
            SiteKind::Declaration | SiteKind::Expression => "function",
            SiteKind::Arrow => "arrow function",
            SiteKind::ObjectMethod | SiteKind::Method => "method",
            SiteKind::StaticMethod => "static method",
            SiteKind::Constructor | SiteKind::DerivedConstructor => "constructor",
            SiteKind::Class | SiteKind::ClassExpression => "class",
        }
    }

    pub(crate) fn is_class(self) -> bool {
        matches!(self, SiteKind::Class | SiteKind::ClassExpression)
    }

    pub(crate) fn is_class_member(self) -> bool {
        matches!(self, SiteKind::Method | SiteKind::StaticMethod | SiteKind::Constructor | SiteKind::DerivedConstructor)
    }
}

/// What the words `new.target` and `super` mean where an arrow function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Home {
    /// None of them can be used.
    #[default]
    Nowhere,
    /// `new.target`.
    Function,
    /// `super.x` as well.
    Method,
    /// `super()` as well.
    DerivedConstructor,
}

impl Home {
    /// What arrows inside a function of this kind can use.
    pub(crate) fn of(kind: SiteKind) -> Option<Home> {
        match kind {
            SiteKind::Arrow | SiteKind::Class | SiteKind::ClassExpression => None,
            SiteKind::Module => Some(Home::Nowhere),
            SiteKind::Declaration | SiteKind::Expression => Some(Home::Function),
            SiteKind::ObjectMethod | SiteKind::Method | SiteKind::StaticMethod | SiteKind::Constructor => {
                Some(Home::Method)
            }
            SiteKind::DerivedConstructor => Some(Home::DerivedConstructor),
        }
    }
}

/// The code of a patch, ready for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// An expression that gives the new function when it is evaluated in the function's scope; with `cells`, one that gives it when it
    /// is called with the function's hook and one object for each list of cells.
    pub text: String,
    /// How the page has to call what the expression gives.
    pub how: &'static str,
    /// The variables that it uses of each function around it up to the nearest `eval`, innermost first.
    pub cells: Option<Vec<Vec<String>>>,
}

/// `get`/`set` for accessors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    Plain,
    Get,
    Set,
}

/// One function of the user's source. Offsets and lengths are bytes of UTF-8.
#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub kind: SiteKind,
    pub access: Access,
    pub is_async: bool,
    pub is_generator: bool,
    /// A method of an object that uses `super`: its guard hands over what that means there.
    pub uses_super: bool,
    /// It says `this`, `new.target` or `super`, or may do so: it can't become an arrow function, or stop being one.
    pub uses_this: bool,
    /// The declared name, or what the function was given to (`onclick`, `setInterval#0`): for people and for matching.
    pub name: String,
    /// A function expression with a name of its own.
    pub has_own_name: bool,
    /// Start, relative to the start of the parent site, but for the parent's [`Shift`]: ask [`Site::child_start`].
    pub start: u32,
    pub len: u32,
    /// Hash of the function's tokens without those of its nested sites.
    pub shell: u64,
    /// Hash of all of the function's tokens.
    pub deep: u64,
    /// As `deep`, but for the function's own name.
    pub gist: u64,
    /// Where the function is created: what its free names can mean.
    pub scope: Arc<Scope>,
    /// Names that the text uses and does not declare, nested functions included.
    pub free: Vec<Box<str>>,
    /// Those of `free` that an edit brought and that nothing declares: pages are asked for them as long as they are there.
    pub needs: Vec<Box<str>>,
    pub strict: bool,
    /// It is strict by a directive of its own, in sloppy code.
    pub says_strict: bool,
    pub home: Home,
    /// How many parameters the guard of the loaded text names one by one: it can't tell which of them a call left out.
    pub lists: u32,
    /// From which argument on the code sees how many there are.
    pub counts: Option<u32>,
    /// Who can call it again.
    pub runs: Runs,
    /// How many scope hooks enclose the function: keeps the names of nested hooks apart.
    pub level: u32,
    /// The revision that brought the newest text of this site.
    pub changed: Rev,
    /// The revision that brought a site to where it stands; 0: as loaded.
    pub born: Rev,
    /// For a method or accessor: it can be put on a class that was made before.
    pub is_put: bool,
    /// For a class: more hashes.
    pub class: ClassHashes,
    /// For a class: its `#private` names, those that are gone from the text included.
    pub privates: Vec<Private>,
    /// For a class: the revision that last changed these; 0: none did since it was loaded.
    pub construct_rev: Rev,
    /// Closures of scopes older than this revision can't run the newest text: they run `fallback`. 0: all can.
    pub scope_rev: Rev,
    /// For a class: since this revision, classes of older scopes do not take over its text; 0: all do.
    pub apart: Rev,
    /// For a class expression: other names that it had in its own text, and what it was not called.
    pub own_names: Vec<Box<str>>,
    /// The newest code that closures of every scope can run, when that isn't the newest text.
    pub fallback: Option<Arc<Code>>,
    /// While `needs` has names, so that pages may hold the text: the code of the newest one before that had none.
    pub ran: Option<Arc<Code>>,
    /// The revision at which the scope of its closures last got another shape.
    pub since: Rev,
    /// The shapes that the scope had before, as far as they differ from the newest.
    pub past: Option<Arc<Past>>,
    pub children: Vec<Site>,
    /// Sites that stood in here and are gone from the text, newest last. What comes back is what it was: functions made before
    /// still run, and pages may never have seen the text without it.
    pub ghosts: Vec<Site>,
    /// What stood in the texts that it had, newest last.
    pub shapes: Vec<Arc<Shape>>,
    /// Which of the children have moved since their `start` was written.
    pub shift: Shift,
    /// What the children add to `deep`: a sum, so that one child can be exchanged.
    pub below: u64,
}

/// A text that a function had, without the functions in it. What it made at each of its places lives on, and if the same text comes
/// back, what stands at a place is what was made there.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    pub hash: u64,
    /// The sites at its places, in order.
    pub ids: Box<[SiteId]>,
}

/// Who can call a function after its module ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runs {
    #[default]
    Any,
    /// Nobody: it is called where it stands, at the top level.
    InPlace,
    /// Whoever names it in a function: at the top level it is only called.
    ByName,
}

/// A `#private` name of a class. What a class was made with can't be taken from it, so a name that means something else now, or that
/// the class was made without, lives in a scope of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Without the `#`.
    pub name: Box<str>,
    pub is_static: bool,
    /// The method or accessors of that name; none for a field.
    pub sites: Vec<SiteId>,
    /// Classes whose text is older do not have it, or not as it is now; 0: as loaded.
    pub since: Rev,
    /// From which revisions to which others the text was without it since.
    pub gaps: Vec<(Rev, Rev)>,
    /// The revision that took it from the text.
    pub gone: Option<Rev>,
}

impl Private {
    /// Whether it is a static field: those are there from the start, or never.
    pub(crate) fn is_static_field(&self) -> bool {
        self.is_static && self.sites.is_empty()
    }

    /// The revision that brought it last.
    pub(crate) fn newest(&self) -> Rev {
        self.gaps.last().map_or(self.since, |it| it.1)
    }

    /// Whether both are one thing for the classes that were made with either.
    fn is_same(&self, other: &Private) -> bool {
        self.name == other.name && self.is_static == other.is_static && self.sites == other.sites
    }
}

/// Parts of a class, each hashed by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassHashes {
    /// The constructor with the fields of instances.
    pub construct: u64,
    /// The fields of instances alone.
    pub fields: u64,
    /// What counts for the text around the class.
    pub made: u64,
}

/// A list of places in a text that grows at one place for many keystrokes: those from `from` on are `by` bytes later than they say. A
/// keystroke at the same place changes one number; only one at another place writes the items in between.
///
/// What an item says may be below zero for a while, so all of this wraps around.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shift {
    from: usize,
    by: u32,
}

impl Shift {
    /// Where item number `index` is that says it is at `at`.
    pub fn apply(self, index: usize, at: u32) -> u32 {
        if index >= self.from { at.wrapping_add(self.by) } else { at }
    }

    /// The items from `index` on move by `delta`. `write` adds to what one item says, wrapping.
    pub fn grow(&mut self, index: usize, delta: i64, mut write: impl FnMut(usize, u32)) {
        if self.by != 0 {
            (self.from..index).for_each(|it| write(it, self.by));
            (index..self.from).for_each(|it| write(it, self.by.wrapping_neg()));
        }
        self.from = index;
        self.by = self.by.wrapping_add(delta as u32);
    }
}

/// What a name of a scope stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    Local,
    /// A variable that the hook of its function leaves out.
    Hidden,
    /// A variable that the hook would leave out if no function used it.
    Kept,
    /// An import: the namespace holder's number and the exported name (`None`: the namespace itself).
    Import {
        holder: u32,
        member: Option<Box<str>>,
    },
    /// A binding of the top level that was added while pages ran: it lives in the module's overlay.
    Overlay,
}

/// How the code of a patch reaches what a scope declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// By name: an `eval` runs inside it. The module, classes, and functions whose arrows use words that belong to a place.
    #[default]
    Eval,
    /// Through the cells of the function's hook, which reads and writes its variables: see `collect`.
    Cells,
    /// A block: as the function around it.
    Block,
}

/// A lexical scope that a site can be created in.
#[derive(Debug, Default)]
pub struct Scope {
    pub parent: Option<Arc<Scope>>,
    pub names: FxHashMap<Box<str>, Bind>,
    /// Those of `names` that are declared with `const`.
    pub constants: FxHashSet<Box<str>>,
    /// The `#private` names that can be used here.
    pub privates: Vec<Box<str>>,
    pub reach: Reach,
}

/// What a name means in a scope, and where: how many hooks out it is a cell, `None` for what is reached by name.
type Found<'s> = (Option<u32>, &'s Bind);

/// What the older scopes of a function's closures declare, the module's own top level left out.
#[derive(Debug, Default)]
pub struct Past {
    /// Names that all of them declare, with the place.
    all: FxHashSet<(Option<u32>, Box<str>)>,
    /// Names that at least one of them declares.
    any: FxHashSet<Box<str>>,
    /// How their functions are reached, innermost first; `None`: not alike.
    reach: Option<Vec<Reach>>,
}

impl Past {
    /// The same with one more scope.
    #[must_use]
    pub fn with(past: Option<&Past>, scope: &Scope) -> Past {
        let mut all = FxHashSet::default();
        let mut any = FxHashSet::default();
        for (it, place) in scope.local_places() {
            for (name, bind) in &it.names {
                if *bind != Bind::Hidden {
                    all.insert((place, name.clone()));
                }
                any.insert(name.clone());
            }
        }
        let reach = Some(scope.reaches().collect::<Vec<Reach>>());
        match past {
            None => Past { all, any, reach },
            Some(past) => Past {
                all: past.all.intersection(&all).cloned().collect(),
                any: past.any.union(&any).cloned().collect(),
                reach: reach.filter(|it| past.reach.as_ref() == Some(it)),
            },
        }
    }

    /// Whether code with these free names, written for `scope`, means the same variables in all of the older ones.
    pub fn runs(&self, free: &[Box<str>], scope: &Scope) -> bool {
        let is_alike = self.reach.as_ref().is_some_and(|it| scope.reaches().eq(it.iter().copied()));
        is_alike && self.foreign(free, scope).is_none()
    }

    /// The first of these names that means something else in one of the older scopes.
    pub fn foreign<'f>(&self, free: &'f [Box<str>], scope: &Scope) -> Option<&'f str> {
        let is_same = |name: &str| match scope.find_local(name) {
            Some((cell, _)) => self.all.contains(&(cell, name.into())),
            None => !self.any.contains(name),
        };
        free.iter().find(|it| !is_same(it)).map(AsRef::as_ref)
    }
}

impl Scope {
    /// This scope and those around it, but for the outermost.
    pub(crate) fn locals(&self) -> impl Iterator<Item = &Scope> {
        self.chain().filter(|it| it.parent.is_some())
    }

    fn chain(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |it| it.parent.as_deref())
    }

    /// How the scopes that are no blocks are reached, innermost first, the outermost left out.
    pub(crate) fn reaches(&self) -> impl Iterator<Item = Reach> {
        self.locals().map(|it| it.reach).filter(|it| *it != Reach::Block)
    }

    /// How many hooks a patch that is made here passes on its way to the nearest `eval`: as many lists of cells it takes.
    pub(crate) fn cells(&self) -> u32 {
        let functions = self.chain().filter(|it| it.reach != Reach::Block);
        functions.take_while(|it| it.reach == Reach::Cells).count() as u32
    }

    /// This scope and those around it, each with the place of what it declares.
    fn places(&self) -> impl Iterator<Item = (&Scope, Option<u32>)> {
        let end = self.cells();
        let mut out = 0;
        self.chain().map(move |it| {
            let place = (out < end).then_some(out);
            out += u32::from(it.reach != Reach::Block);
            (it, place)
        })
    }

    fn local_places(&self) -> impl Iterator<Item = (&Scope, Option<u32>)> {
        self.places().filter(|(it, _)| it.parent.is_some())
    }

    fn find_local(&self, name: &str) -> Option<Found<'_>> {
        self.local_places().find_map(|(it, place)| it.names.get(name).map(|bind| (place, bind)))
    }

    /// Whether both declare the same names in the same way, the outermost scope left out.
    pub(crate) fn same_locals(&self, other: &Scope) -> bool {
        let (mut a, mut b) = (self.locals(), other.locals());
        loop {
            match (a.next(), b.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if std::ptr::eq(a, b) => return true,
                (Some(a), Some(b)) => {
                    if a.reach != b.reach
                        || a.names.len() != b.names.len()
                        || !a.names.iter().all(|(name, bind)| {
                            b.names.get(name).is_some_and(|it| (*it == Bind::Hidden) == (*bind == Bind::Hidden))
                        })
                    {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }

    /// Whether `name` is a `const` in this scope.
    pub(crate) fn is_constant(&self, name: &str) -> bool {
        self.chain().filter(|it| it.names.contains_key(name)).take(1).any(|it| it.constants.contains(name))
    }

    /// The binding that `name` means in this scope, and where it is.
    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        self.places().find_map(|(it, place)| it.names.get(name).map(|bind| (place, bind)))
    }

    /// The binding that `name` means in this scope.
    pub fn lookup(&self, name: &str) -> Option<&Bind> {
        self.find(name).map(|(_, bind)| bind)
    }
}

/// Functions and classes around a site, numbered from the outermost: those after the first number, up to the second.
pub(crate) type Veil = (usize, usize);

impl Site {
    /// The functions around this one whose variables have no names in the code that its patches are: there they are cells. What is
    /// evaluated at a place in such code (the members of a class, arrows that use `arguments`, `super` or `new.target`) cannot name them.
    pub(crate) fn veil(&self) -> Option<Veil> {
        let (around, cells) = (self.scope.reaches().count(), self.scope.cells() as usize);
        (self.changed > 0 && cells > 0 && !self.kind.is_class()).then(|| (around - cells, around))
    }

    /// Whether the code of a patch of this site would name a variable that is behind one of the veils.
    pub(crate) fn is_veiled(&self, veils: &[Veil]) -> bool {
        !veils.is_empty() && self.free.iter().any(|it| self.names_behind(it, veils))
    }

    fn names_behind(&self, name: &str, veils: &[Veil]) -> bool {
        let mut number = self.scope.reaches().count();
        for (scope, place) in self.scope.local_places() {
            if scope.names.contains_key(name) {
                // The code of a class is evaluated inside of it.
                let is_name = place.is_none() || self.kind.is_class();
                return is_name && veils.iter().any(|it| it.0 < number && number <= it.1);
            }
            number -= usize::from(scope.reach != Reach::Block);
        }
        false
    }

    /// The innermost site whose text holds the whole of `start..end` strictly inside, as child indexes from this site,
    /// with its absolute start. `base` is this site's own absolute start.
    pub fn enclosing(&self, base: u32, start: u32, end: u32) -> (Vec<usize>, u32) {
        let mut path = Vec::new();
        let mut site = self;
        let mut origin = base;
        loop {
            let Some(index) = site.last_child_before(start - origin) else { return (path, origin) };
            let child = &site.children[index];
            let child_start = origin + site.child_start(index);
            if end >= child_start + child.len {
                return (path, origin);
            }
            path.push(index);
            origin = child_start;
            site = child;
        }
    }

    /// Where a child starts, relative to this site's start.
    pub fn child_start(&self, index: usize) -> u32 {
        self.shift.apply(index, self.children[index].start)
    }

    /// The `#private` names that classes made earlier may lack.
    pub(crate) fn late_privates(&self) -> impl Iterator<Item = &Private> {
        self.privates.iter().filter(|it| it.gone.is_none() && (it.since > 0 || !it.gaps.is_empty()))
    }

    /// The last child that starts before `at`, which is relative to this site's start. Children are sorted by start.
    pub fn last_child_before(&self, at: u32) -> Option<usize> {
        let (mut low, mut high) = (0, self.children.len());
        while low < high {
            let mid = low.midpoint(high);
            if self.child_start(mid) < at {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        low.checked_sub(1)
    }

    /// The site at the end of a path made by [`Site::enclosing`].
    pub fn at(&self, path: &[usize]) -> &Site {
        path.iter().fold(self, |site, index| &site.children[*index])
    }

    /// As [`Site::at`], to change it.
    pub fn at_mut(&mut self, path: &[usize]) -> &mut Site {
        path.iter().fold(self, |site, index| &mut site.children[*index])
    }

    /// Calls `visit` with this site and all below it, in source order, with their absolute starts.
    pub fn walk<'s>(&'s self, base: u32, visit: &mut impl FnMut(&'s Site, u32)) {
        visit(self, base);
        for (index, child) in self.children.iter().enumerate() {
            child.walk(base + self.child_start(index), visit);
        }
    }

    /// Tells the tree that the text of the site at `path` grew by `delta` bytes: its ancestors grow, what follows moves.
    pub fn grow(&mut self, path: &[usize], delta: i64) {
        let mut site = self;
        for index in path {
            site.len = shifted(site.len, delta);
            let Site { shift, children, .. } = site;
            shift.grow(index + 1, delta, |later, by| children[later].start = children[later].start.wrapping_add(by));
            site = &mut site.children[*index];
        }
        site.len = shifted(site.len, delta);
    }
}

fn shifted(value: u32, delta: i64) -> u32 {
    u32::try_from(i64::from(value) + delta).unwrap_or(0)
}
