//! The hooks of functions and blocks: who makes each, and how it is written. That is known when the walk ends, so until then marks
//! stand in the text of operations.

use oxc::syntax::scope::ScopeId;

use super::{Collector, Flavour, FrameKind, OUTER_HOOK, quoted};

/// In texts of operations, until the walk ends: the declaration of the hook with this number, and a use of it in a guard.
pub(super) const DECLARED: char = '\u{7}';
pub(super) const USED: char = '\u{8}';
const HOOK_END: char = '\u{e}';

/// Guards that would make their hook themselves have at most that many bytes for it altogether: larger hooks are made once.
const LARGEST_LAZY: usize = 6000;

/// Names of variables in sloppy code that strict code cannot say, or cannot assign.
const SLOPPY_ONLY: [&str; 11] = [
    "arguments",
    "eval",
    "implements",
    "interface",
    "let",
    "package",
    "private",
    "protected",
    "public",
    "static",
    "yield",
];

/// A hook of a function or block in the walked text. How it is written is known when the walk ends.
#[derive(Debug)]
pub(super) struct ScopeHook {
    pub(super) name: String,
    /// Its function; `None`: all that it can reach is reached by eval.
    pub(super) function: Option<ScopeId>,
    /// The hook that its function is made with, for the function's own.
    pub(super) outer: Option<String>,
    /// The hook of its function, for a block's.
    pub(super) leads_to: Option<usize>,
    /// How `this` is written where it stands.
    pub(super) this: String,
    /// The variables of its frame, and those of the blocks around it in the function.
    pub(super) names: Vec<String>,
    /// The guards that name it.
    pub(super) uses: Vec<HookUse>,
    /// Something else names it.
    pub(super) is_held: bool,
    /// It is that of the cases of a switch: its variable is declared around them, and each of them fills it.
    pub(super) is_of_cases: bool,
}

/// A function that is made with a hook.
#[derive(Debug)]
pub(super) struct HookUse {
    pub(super) scope: ScopeId,
    pub(super) own_name: Option<String>,
    pub(super) is_arrow: bool,
}

impl Collector<'_> {
    /// The expression that names the hook for a function created here; notes that the hook is needed.
    pub(super) fn find_hook(&mut self, is_arrow: bool) -> Option<String> {
        self.find_hook_below(self.frames.len(), is_arrow)
    }

    pub(super) fn find_hook_below(&mut self, top: usize, is_arrow: bool) -> Option<String> {
        for index in (0..top).rev() {
            let frame = &self.frames[index];
            match &frame.kind {
                FrameKind::Opaque => return None,
                FrameKind::Base => {
                    return Some(match self.base.flavour {
                        Flavour::Classic(_) => format!("{}.s", self.base.flavour.guards()),
                        _ => "$cap_s0".to_owned(),
                    });
                }
                FrameKind::Function { .. } => return Some(self.hook_at(index)),
                FrameKind::Block { .. } if frame.has_bindings => return Some(self.hook_at(index)),
                FrameKind::Cases { .. } => return self.hook_of_cases(index),
                FrameKind::Block { .. } | FrameKind::Wrapped { .. } => {}
                FrameKind::Head if !frame.has_bindings => {}
                FrameKind::Head => {
                    let body = index + 1;
                    let fits = body < top
                        && matches!(self.frames[body].kind, FrameKind::Block { .. } | FrameKind::Wrapped { .. });
                    return fits.then(|| self.hook_at(body));
                }
                FrameKind::Field { class, is_static } => {
                    let (class, is_static) = (*class, *is_static);
                    if is_arrow && !is_static {
                        let hook = self.class_hook(class)?;
                        self.frames[class].hook.get_or_insert_default().in_field = true;
                        return Some(format!("this.#{}", hook.replace("$cap_k", "$cap_f")));
                    }
                    return self.class_hook(class);
                }
                FrameKind::Class { .. } => return self.class_hook(index),
            }
        }
        None
    }

    /// The variable that a class's static block fills with the hook of the class's scope.
    pub(super) fn class_hook(&self, frame: usize) -> Option<String> {
        match &self.frames[frame].kind {
            FrameKind::Class { name } => name.clone(),
            _ => None,
        }
    }

    /// Declares a variable for a hook where it is a new one each time that what stands below the frame `top` is evaluated: `false` if there
    /// is no place for it.
    pub(super) fn declare_hook(&mut self, top: usize, name: &str) -> bool {
        let around = (0..top).rev().find(|it| !matches!(self.frames[*it].kind, FrameKind::Cases { .. }));
        let Some(around) = around else { return false };
        let around = match self.frames[around].kind {
            FrameKind::Base => {
                self.seen.base_classes.push(name.to_owned());
                return true;
            }
            FrameKind::Head => {
                let body = around + 1;
                let fits =
                    body < top && matches!(self.frames[body].kind, FrameKind::Block { .. } | FrameKind::Wrapped { .. });
                if !fits {
                    return false;
                }
                body
            }
            FrameKind::Function { .. } | FrameKind::Block { .. } | FrameKind::Wrapped { .. } => around,
            _ => return false,
        };
        self.frames[around].hook.get_or_insert_default().variables.push(name.to_owned());
        true
    }

    /// The frame of the function that a frame belongs to; `None` outside of functions and straight in classes.
    pub(super) fn function_around(&self, frame: usize) -> Option<usize> {
        let is_own = |it: &FrameKind| {
            matches!(
                it,
                FrameKind::Base | FrameKind::Function { .. } | FrameKind::Class { .. } | FrameKind::Field { .. }
            )
        };
        let index = (0..=frame).rev().find(|it| is_own(&self.frames[*it].kind))?;
        matches!(self.frames[index].kind, FrameKind::Function { .. }).then_some(index)
    }

    /// The hook of a function's or block's frame: what stands for it in a guard.
    pub(super) fn hook_at(&mut self, frame: usize) -> String {
        format!("{USED}{}{HOOK_END}", self.hook_number(frame))
    }

    /// The hook of the cases of a switch, in which no declaration is reached from all of them: its variable stands outside.
    fn hook_of_cases(&mut self, frame: usize) -> Option<String> {
        let is_new = self.frames[frame].hook.is_none();
        let hook = self.hook_at(frame);
        let number = hook_number(&hook)?;
        if is_new {
            let name = format!("{}_{number}", self.hooks[number].name);
            self.hooks[number].is_of_cases = self.declare_hook(frame, &name);
            self.hooks[number].name = name;
        }
        self.hooks[number].is_of_cases.then_some(hook)
    }

    fn hook_number(&mut self, frame: usize) -> usize {
        if let Some(number) = self.frames[frame].hook.get_or_insert_default().number {
            return number;
        }
        let function = self.function_around(frame);
        // The hooks of blocks lead on to that of their function.
        let leads_to = function.filter(|it| *it != frame).map(|it| self.hook_number(it));
        let number = self.hooks.len();
        let name = format!("$cap_s{}", self.level_at(frame));
        let outer = match &self.frames[frame].kind {
            FrameKind::Function { outer } => Some(outer.clone()),
            _ => None,
        };
        let function = function.and_then(|it| self.frames[it].scope);
        let this = self.this_at(frame, function);
        let (names, uses, is_held, is_of_cases) = (Vec::new(), Vec::new(), false, false);
        self.hooks.push(ScopeHook { name, function, outer, leads_to, this, names, uses, is_held, is_of_cases });
        self.frames[frame].hook.get_or_insert_default().number = Some(number);
        number
    }

    /// How `this` is written in a frame of a function.
    fn this_at(&mut self, frame: usize, function: Option<ScopeId>) -> String {
        let inner = self.functions.iter().position(|it| it.scope == function).unwrap_or_default();
        let in_arrows = self.functions.iter().take(inner + 1).all(|it| it.is_arrow);
        let in_field = self.frames[..=frame].iter().any(|it| matches!(it.kind, FrameKind::Field { .. }));
        let outer = if in_arrows && !in_field { self.outer_this() } else { None };
        outer.unwrap_or_else(|| "this".to_owned())
    }

    /// How an arrow of a patch writes the `this` of the function around it, where the patch is made out of its reach.
    pub(super) fn outer_this(&mut self) -> Option<String> {
        (self.base.is_function && self.cells_around() > 0).then(|| self.cell(0, "this"))
    }

    /// The declarations of a frame's hook and of those that are declared there for others. All that is in the frame has been walked.
    pub(super) fn hook_text(&mut self, frame: usize) -> String {
        let Some(hook) = &self.frames[frame].hook else { return String::new() };
        let variables =
            if hook.variables.is_empty() { String::new() } else { format!("let {};", hook.variables.join(",")) };
        let Some(number) = hook.number else { return variables };
        let function = self.function_around(frame);
        let first = function.map_or(frame, |it| if frame == it { frame } else { it + 1 });
        let mut names: Vec<String> = self.frames[first..=frame]
            .iter()
            .filter_map(|it| it.scope)
            .flat_map(|it| self.scoping.get_bindings(it).iter())
            .filter(|(_, symbol)| !self.is_hidden(**symbol))
            .map(|(name, _)| name.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        self.hooks[number].names = names;
        if let Some(outer) = self.hooks[number].outer.clone() {
            self.seen.uses_outer_hook |= outer == OUTER_HOOK;
            self.hold(&outer);
        }
        format!("{DECLARED}{number}{HOOK_END}{variables}")
    }

    /// A hook is named by something that can't make it.
    fn hold(&mut self, hook: &str) {
        if let Some(hook) = hook_number(hook).and_then(|it| self.hooks.get_mut(it)) {
            hook.is_held = true;
        }
    }

    /// Which hooks the guards that need one make themselves, the first time that they do: a function that is called often and
    /// never patched pays nothing for a hook then. Guards can only if they stand where all variables of the hook can be named
    /// and `this` is the same.
    pub(super) fn lazy_hooks(&self) -> Vec<bool> {
        let mut lazy: Vec<bool> = self.hooks.iter().map(|it| self.can_be_lazy(it)).collect();
        for hook in self.hooks.iter().zip(lazy.clone()).filter(|(_, is_lazy)| !is_lazy).map(|it| it.0) {
            if let Some(function) = hook.leads_to {
                lazy[function] = false;
            }
        }
        lazy
    }

    fn can_be_lazy(&self, hook: &ScopeHook) -> bool {
        let Some(outer) = self.outer_of(hook) else { return false };
        let is_cells = hook.function.is_some_and(|it| !self.evals.contains(&it));
        let names = self.names_of(hook);
        let size = hook.uses.len() * names.iter().map(|it| 2 * it.len() + 40).sum::<usize>();
        let hides = |it: &HookUse, name: &String| {
            it.own_name.as_ref() == Some(name)
                || self.scoping.get_bindings(it.scope).keys().any(|it| it.as_str() == name.as_str())
        };
        let is_strict = |it: &HookUse| self.scoping.scope_flags(it.scope).is_strict_mode();
        let cannot_be_said = |it: &HookUse, name: &String| is_strict(it) && SLOPPY_ONLY.contains(&name.as_str());
        let is_seen = |it: &HookUse| !names.iter().any(|name| hides(it, name) || cannot_be_said(it, name));
        let arrows = hook.uses.iter().filter(|it| it.is_arrow).count();
        is_cells
            && !hook.is_held
            && !outer.contains("this")
            && size <= LARGEST_LAZY
            && (arrows == 0 || arrows == hook.uses.len())
            && hook.uses.iter().all(is_seen)
    }

    /// The hook that the function is made with that a hook belongs to.
    fn outer_of<'h>(&'h self, hook: &'h ScopeHook) -> Option<&'h str> {
        hook.leads_to.map_or(hook, |it| &self.hooks[it]).outer.as_deref()
    }

    /// The text for a hook that is there whenever it is named.
    fn plain<'h>(&'h self, hook: &'h str) -> &'h str {
        hook_number(hook).map_or(hook, |it| &self.hooks[it].name)
    }

    /// The variables that a hook of a function or block stands for, its function's own among them.
    fn names_of(&self, hook: &ScopeHook) -> Vec<String> {
        let around = hook.leads_to.map_or(&[][..], |it| &self.hooks[it].names);
        let mut names: Vec<String> = hook.names.iter().chain(around).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The statement that declares a hook:
    ///
    /// ```text
    /// let $cap_s1;
    /// const $cap_s1=$cap_c=>eval($cap_c);
    /// const $cap_s1=($cap_c,$cap_v)=>{switch($cap_c){case"n":return n;case"n=":return n=$cap_v;case 0:return $cap_s0;case"this":return this;}};
    /// ```
    ///
    /// A direct `eval` costs every call of the functions around it, so variables of functions are reached one by one: by their names, and
    /// through case 0 those of the function around. Both forms do what the place does: a constant throws, a variable that is not there
    /// yet does, too.
    pub(super) fn declaration(&self, number: usize, lazy: &[bool]) -> String {
        let hook = &self.hooks[number];
        let name = &hook.name;
        if lazy[number] {
            let is_declared = hook.uses.is_empty() || hook.is_of_cases;
            return if is_declared { String::new() } else { format!("let {name};") };
        }
        let declares = if hook.is_of_cases { format!("{name}??=") } else { format!("const {name}=") };
        if hook.function.is_none_or(|it| self.evals.contains(&it)) {
            return format!("{declares}$cap_c=>eval($cap_c);\u{4}{name}\u{2}");
        }
        let (cases, rest) = match (&hook.outer, hook.leads_to) {
            (Some(outer), _) => (cases(&hook.names) + &ends(self.plain(outer), Some(&hook.this)), String::new()),
            (None, around) => {
                let around = around.map_or("", |it| &self.hooks[it].name);
                (cases(&hook.names), format!("return {around}($cap_c,$cap_v);"))
            }
        };
        format!("{declares}($cap_c,$cap_v)=>{{switch($cap_c){{{cases}}}{rest}}};\u{4}{name}\u{2}")
    }

    /// What names a hook in a guard.
    pub(super) fn use_of(&self, number: usize, lazy: &[bool]) -> String {
        let hook = &self.hooks[number];
        let name = &hook.name;
        let Some(outer) = self.outer_of(hook).filter(|_| lazy[number]) else { return name.clone() };
        let this = hook.uses.iter().all(|it| it.is_arrow).then_some(hook.this.as_str());
        let cases = cases(&self.names_of(hook)) + &ends(self.plain(outer), this);
        let guards = self.base.flavour.guards();
        let (open, end) = dated(&guards);
        format!("{name}??={open}($cap_c,$cap_v)=>{{switch($cap_c){{{cases}}}}}{end}")
    }
}

/// What stands around an expression that makes a hook: in a patch it is told the revision of the code that made it.
pub(super) fn dated(guards: &str) -> (String, &'static str) {
    (format!("\u{5}\u{6}{guards}.h(\u{2}"), "\u{f}\u{2}\u{5}\u{6})\u{2}")
}

/// The number of the hook that an expression stands for.
pub(super) fn hook_number(hook: &str) -> Option<usize> {
    hook.strip_prefix(USED)?.strip_suffix(HOOK_END)?.parse().ok()
}

/// Puts the declarations and uses of hooks into a text; `texts`: both, by number.
pub(super) fn with_hooks(text: &str, texts: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find([DECLARED, USED]) {
        out.push_str(&rest[..found]);
        let (marked, after) = rest[found..].split_once(HOOK_END).unwrap_or((&rest[found..], ""));
        let number = marked[1..].parse::<usize>().ok().and_then(|it| texts.get(it));
        let text = number.map(|it| if marked.starts_with(DECLARED) { &it.0 } else { &it.1 });
        out.push_str(text.map_or("", String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The cases of a hook for its variables.
fn cases(names: &[String]) -> String {
    let case =
        |it: &String| format!("case{0}:return {it};case{1}:return {it}=$cap_v;", quoted(it), quoted(&format!("{it}=")));
    names.iter().map(case).collect()
}

/// The cases of a function's hook for what is no variable.
fn ends(outer: &str, this: Option<&str>) -> String {
    let this = this.map(|it| format!("case\"this\":return {it};")).unwrap_or_default();
    format!("case 0:return {outer};{this}")
}
