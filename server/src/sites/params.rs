//! How a function's parameter list is written so that its guard runs before any default or destructuring of the old code.
//!
//! A guard must see all arguments, also those that only the new code names. Arrows and sloppy functions get a rest parameter
//! for that (it does not count in `length`); strict functions read `arguments`, which tell how many there were. Parameters that are not plain names move, in
//! place and without leaving their line, from the list into a `let` behind the guard:
//!
//! ```text
//! function f(a, {b}, c = 1) { … }
//! function f(a, $cap_p0, ...$cap_r){ guard; let {b}=$cap_p0, c=$cap_r[0]!==void 0?$cap_r[0]:1; … }      // sloppy
//! function f(a, $cap_p0){ guard; let {b}=$cap_p0, c=arguments[2]!==void 0?arguments[2]:1; … }           // strict
//! ```
//!
//! A function that gets its name from its parameter keeps it: `let {[0]:a=() => 1}=$cap_r`.
//!
//! Where they cannot move they stay what they are, and get something that takes any pattern apart if there is new code. Generators
//! evaluate theirs when they are called, long before their body runs, so new code is called there, too:
//!
//! ```text
//! function f(a, $cap_p0, ...{"":{1:{b}, 2:c = 1}=guard?$cap_g.z:arguments}){ guard; … }
//! function* f(a, $cap_p0, ...{"":$cap_y=guard?new code:void 0,"":{1:{b}, 2:c = 1}=$cap_y?$cap_g.z:arguments}){ if ($cap_y) return yield* $cap_y; … }
//! ```

use oxc::ast::ast::{ArrowFunctionBody, BindingPattern, Expression, FormalParameter, FormalParameters, FunctionBody};
use oxc::span::GetSpan;

use super::collect::{Op, Order, gives_name};

/// A function's body, as its parameters need to see it.
pub(super) enum Body<'b, 'a> {
    Block(&'b FunctionBody<'a>),
    Expression(&'b Expression<'a>),
}

impl<'b, 'a> From<&'b ArrowFunctionBody<'a>> for Body<'b, 'a> {
    fn from(body: &'b ArrowFunctionBody<'a>) -> Self {
        match body {
            ArrowFunctionBody::FunctionBody(block) => Body::Block(block),
            other => Body::Expression(other.to_expression()),
        }
    }
}

impl Body<'_, '_> {
    pub(super) fn start(&self) -> u32 {
        match self {
            Body::Block(block) => block.span.start,
            Body::Expression(expression) => expression.span().start,
        }
    }
}

/// How a guard hands on what the function was called with.
pub(super) enum Args {
    /// `arguments`, which the engine does not even make when it is only handed on.
    Object,
    /// Expressions, as they stand in a call.
    List(String),
}

impl Args {
    /// How many are named one by one.
    pub(super) fn named(&self) -> u32 {
        match self {
            Args::Object => 0,
            Args::List(list) => list.split(',').filter(|it| !it.is_empty() && !it.starts_with("...")).count() as u32,
        }
    }

    /// Something with all of them.
    pub(super) fn list(&self) -> String {
        match self {
            Args::Object => "arguments".to_owned(),
            Args::List(list) if list == "...$cap_r" => "$cap_r".to_owned(),
            Args::List(list) => format!("[{list}]"),
        }
    }

    /// The call of the function that stands in front of it.
    pub(super) fn call(&self, this: &str, is_arrow: bool) -> String {
        match self {
            Args::Object => format!(".apply({this},arguments)"),
            Args::List(list) if is_arrow => format!("({list})"),
            Args::List(list) if list.is_empty() => format!(".call({this})"),
            Args::List(list) => format!(".call({this},{list})"),
        }
    }
}

/// What the collector knows about a function when it writes its header.
pub(super) struct Header<'h, 'a> {
    pub(super) source: &'h str,
    pub(super) params: &'h FormalParameters<'a>,
    pub(super) body: Body<'h, 'a>,
    pub(super) end: u32,
    pub(super) is_arrow: bool,
    pub(super) is_generator: bool,
    pub(super) is_setter: bool,
    pub(super) is_getter: bool,
    pub(super) strict: bool,
    pub(super) uses_arguments: bool,
    /// A name used in the parameters means something that the body declares, or the body declares a parameter again.
    pub(super) params_clash: bool,
    /// Functions among the parameters are sites: their hook is in the body, so the parameters have to move there.
    pub(super) sites_in_params: bool,
    /// A direct `eval` or `with` stands in the body: it may declare what must not be declared twice.
    pub(super) has_dynamic_names: bool,
    /// What stands around the body behind the guard.
    pub(super) around: Around,
    /// The name of the guard array.
    pub(super) guards: String,
}

/// Text in front of a body, and at its end.
#[derive(Default)]
pub(super) struct Around {
    pub(super) enter: String,
    pub(super) leave: String,
}

/// Makes the condition of a guard, and its call, from what the function was called with.
pub(super) type Guard<'g> = dyn Fn(&Args) -> (String, String) + 'g;

/// Writes the ops of a guarded function. `hook` is the text of the scope hook, or empty. `false` when no guard can stand here.
pub(super) fn write(header: &Header<'_, '_>, depth: u32, guard: &Guard<'_>, hook: &str, ops: &mut Vec<Op>) -> bool {
    let params = header.params;
    let plain = params
        .items
        .iter()
        .all(|it| it.initializer.is_none() && matches!(it.pattern, BindingPattern::BindingIdentifier(_)))
        && params.rest.as_ref().is_none_or(|it| matches!(it.rest.argument, BindingPattern::BindingIdentifier(_)));
    // A setter has exactly one parameter, and a placeholder for one with a default would count in `length`.
    let setter_default = header.is_setter && params.items.iter().any(|it| it.initializer.is_some());
    let movable = !setter_default
        && !header.is_generator
        && !header.params_clash
        && !header.has_dynamic_names
        && !has_use_strict(header);
    if plain && movable && !hook.is_empty() && shares_scope(header) {
        move_params(header, depth, 0, Some(guard), hook, ops);
        return true;
    }
    if plain {
        if header.is_arrow && has_use_strict(header) {
            // A rest parameter may not stand with the directive, and an arrow has no `arguments`.
            return false;
        }
        let args = plain_args(header, depth, ops);
        write_body(header, depth, guard(&args), hook, ops);
        return true;
    }
    if movable {
        move_params(header, depth, first_that_moves(params), Some(guard), hook, ops);
        return true;
    }
    if header.is_arrow {
        return false;
    }
    let (condition, call) = guard(&Args::Object);
    if header.is_setter {
        write_body(header, depth, (condition, call), hook, ops);
        return true;
    }
    let guarded = match call.strip_prefix(YIELDS) {
        Some(call) => {
            feed_params(header, depth, "$cap_y", &format!("\"\":$cap_y={condition}?{call}:void 0,"), ops);
            ("$cap_y".to_owned(), format!("{YIELDS}$cap_y"))
        }
        None => {
            feed_params(header, depth, &condition, "", ops);
            (condition, call)
        }
    };
    write_body(header, depth, guarded, hook, ops);
    true
}

/// What stands in front of a generator's call of new code.
pub(super) const YIELDS: &str = "yield* ";

/// Leaves the parameters where they are: what they are taken from is what the function was called with, or if `condition` holds, something
/// that can be taken apart in any way. `first` is evaluated before them.
fn feed_params(header: &Header<'_, '_>, depth: u32, condition: &str, first: &str, ops: &mut Vec<Op>) {
    let params = header.params;
    let moved = first_that_moves(params);
    let placeholders = params.items[moved..].iter().take_while(|it| it.initializer.is_none()).count();
    let kept: String = (0..placeholders).map(|it| format!("$cap_p{it},")).collect();
    let fed = |value: &str| format!("={condition}?{}.z:{value}", header.guards);
    let (mut open, mut close) = (format!("{kept}...{{{first}"), "}".to_owned());
    if let Some(it) = params.items.get(moved) {
        open.push_str("\"\":{");
        close.insert_str(0, &format!("}}{}", fed("arguments")));
        ops.push(Op::insert(it.span.start, Order::open(depth), open));
        for (index, item) in params.items.iter().enumerate().skip(moved) {
            ops.push(Op::insert(item.pattern.span().start, Order::open(depth), format!("{index}:")));
        }
    } else if let Some(it) = &params.rest {
        ops.push(Op::insert(it.span.start, Order::open(depth), open));
    }
    if let Some(it) = &params.rest {
        let behind = close.strip_suffix('}').map(|it| if it.is_empty() { String::new() } else { format!("{it},") });
        ops.push(Op::replace(it.span.start, it.span.start + 3, format!("{}\"\":", behind.unwrap_or_default())));
        close = fed(&format!("[].slice.call(arguments,{})", params.items.len())) + "}";
    }
    ops.push(Op::insert(params.span.end - 1, Order::last_close(), close));
}

/// Writes the hook of a function without a guard.
pub(super) fn write_hook(header: &Header<'_, '_>, depth: u32, hook: &str, ops: &mut Vec<Op>) {
    if header.sites_in_params {
        move_params(header, depth, first_that_moves(header.params), None, hook, ops);
        return;
    }
    let Around { enter, leave } = &header.around;
    if hook.is_empty() && enter.is_empty() {
        return;
    }
    match &header.body {
        Body::Block(block) => {
            let (at, lead) = start_of(block);
            ops.push(Op::insert(at, Order::open(depth), format!("{lead}{enter}{hook}")));
            leave_block(header, block, depth, ops);
        }
        Body::Expression(expression) => {
            let span = expression.span();
            ops.push(Op::insert(span.start, Order::open(depth), format!("{{{enter}{hook}return (")));
            ops.push(Op::insert(span.end, Order::close(depth), format!("){leave}}}")));
        }
    }
}

/// Where statements can be put in front of a body's own, and what has to stand between.
fn start_of(block: &FunctionBody<'_>) -> (u32, &'static str) {
    match block.directives.last() {
        Some(directive) => (directive.span.end, ";"),
        None => (block.span.start + 1, ""),
    }
}

/// Which is the first parameter that is more than a name.
fn first_that_moves(params: &FormalParameters<'_>) -> usize {
    let is_plain = |it: &FormalParameter<'_>| it.initializer.is_none() && identifier(&it.pattern).is_some();
    params.items.iter().position(|it| !is_plain(it)).unwrap_or(params.items.len())
}

/// Whether plain parameters are better off in the body. Beside a rest parameter of ours the engine keeps the body's variables apart from
/// the parameters, in a second object for each call whose variables closures use: 48 bytes more for every closure that lives.
fn shares_scope(header: &Header<'_, '_>) -> bool {
    let params = header.params;
    let gets_rest =
        header.is_arrow || !(header.strict || header.is_getter || header.is_setter || header.uses_arguments);
    // In sloppy code a parameter may be called so, a variable that is declared by it may not.
    let is_let = params.items.iter().any(|it| identifier(&it.pattern) == Some("let"));
    gets_rest && params.rest.is_none() && !params.items.is_empty() && !has_duplicates(params) && !is_let
}

fn has_duplicates(params: &FormalParameters<'_>) -> bool {
    let names: Vec<&str> = params.items.iter().filter_map(|it| identifier(&it.pattern)).collect();
    names.iter().enumerate().any(|(index, name)| names[..index].contains(name))
}

fn plain_args(header: &Header<'_, '_>, depth: u32, ops: &mut Vec<Op>) -> Args {
    let params = header.params;
    let names: Vec<&str> = params.items.iter().filter_map(|it| identifier(&it.pattern)).collect();
    if header.is_getter {
        return Args::List(String::new());
    }
    // A direct eval can use `arguments`, too.
    let uses_arguments = header.uses_arguments || header.has_dynamic_names;
    let needs_arguments =
        header.is_setter || uses_arguments || has_duplicates(params) || header.strict || has_use_strict(header);
    if !header.is_arrow && needs_arguments {
        return Args::Object;
    }
    if let Some(rest) = params.rest.as_ref().and_then(|it| identifier(&it.rest.argument)) {
        return list(&names, Some(rest));
    }
    let bare = header.is_arrow && !header.source[params.span.start as usize..].starts_with('(');
    if bare {
        ops.push(Op::insert(params.span.start, Order::open(depth), "("));
        ops.push(Op::insert(params.span.end, Order::close(depth), ",...$cap_r)"));
    } else if let Some(last) = params.items.last() {
        let tail = last.span.end;
        match comma_after(header.source, tail, params.span.end) {
            Some(comma) => ops.push(Op::insert(comma + 1, Order::open(depth), "...$cap_r")),
            None => ops.push(Op::insert(tail, Order::close(depth), ",...$cap_r")),
        }
    } else {
        ops.push(Op::insert(params.span.start + 1, Order::open(depth), "...$cap_r"));
    }
    list(&names, Some("$cap_r"))
}

fn list(names: &[&str], rest: Option<&str>) -> Args {
    let rest = rest.map(|it| format!("...{it}"));
    let parts: Vec<&str> = names.iter().copied().chain(rest.as_deref()).collect();
    Args::List(parts.join(","))
}

fn write_body(header: &Header<'_, '_>, depth: u32, (condition, call): (String, String), hook: &str, ops: &mut Vec<Op>) {
    match &header.body {
        Body::Block(block) => {
            let (at, lead) = start_of(block);
            let head = format!("{lead}if({condition})return {call};{}{hook}", header.around.enter);
            ops.push(Op::insert(at, Order::open(depth), head));
            leave_block(header, block, depth, ops);
        }
        Body::Expression(expression) => {
            let span = expression.span();
            let Around { enter, leave } = &header.around;
            if hook.is_empty() && enter.is_empty() {
                ops.push(Op::insert(span.start, Order::open(depth), format!("{condition}?{call}:")));
            } else {
                ops.push(Op::insert(
                    span.start,
                    Order::open(depth),
                    format!("{{if({condition})return {call};{enter}{hook}return ("),
                ));
                ops.push(Op::insert(span.end, Order::close(depth), format!("){leave}}}")));
            }
        }
    }
}

/// What stands at the end of a body, inside its braces.
fn leave_block(header: &Header<'_, '_>, block: &FunctionBody<'_>, depth: u32, ops: &mut Vec<Op>) {
    if !header.around.leave.is_empty() {
        ops.push(Op::insert(block.span.end - 1, Order::close(depth), header.around.leave.clone()));
    }
}

/// Moves the parameters from the one with the index `first` on, behind the guard and the hook.
fn move_params(
    header: &Header<'_, '_>,
    depth: u32,
    first: usize,
    guard: Option<&Guard<'_>>,
    hook: &str,
    ops: &mut Vec<Op>,
) {
    let params = header.params;
    // Parameters up to the first default count in `length`: those that move leave a plain name behind.
    let placeholders = params.items[first..].iter().take_while(|it| it.initializer.is_none()).count();
    let mut names: Vec<&str> = params.items[..first].iter().filter_map(|it| identifier(&it.pattern)).collect();
    let kept: Vec<String> = (0..placeholders).map(|it| format!("$cap_p{it}")).collect();
    names.extend(kept.iter().map(String::as_str));
    // What `arguments` are is told exactly, and costs nothing more, where they are not linked with the parameters.
    let has_arguments = header.strict && !header.is_arrow && !header.is_setter;
    let rest = (!header.is_setter && (!has_arguments || params.rest.is_some())).then_some("$cap_r");
    let args = if has_arguments { Args::Object } else { list(&names, rest) };
    let mut head = kept.join(",");
    if rest.is_some() {
        if !head.is_empty() {
            head.push(',');
        }
        head.push_str("...$cap_r");
    }
    let guard = guard.map_or_else(String::new, |it| {
        let (condition, call) = it(&args);
        format!("if({condition})return {call};")
    });
    let Around { enter, leave } = &header.around;
    let arrow = if header.is_arrow { "=>" } else { "" };
    let start = match params.items.get(first) {
        Some(it) => it.span.start,
        None => params.rest.as_ref().map_or(params.span.end, |it| it.span.start),
    };
    // Only a plain name stands without.
    let is_bare = header.is_arrow && !header.source[params.span.start as usize..].starts_with('(');
    let open = if is_bare { "(" } else { "" };
    ops.push(Op::insert(start, Order::open(depth), format!("{open}{head}){arrow}{{{guard}{enter}{hook}let ")));
    for (index, item) in params.items.iter().enumerate().skip(first) {
        let nth = index - first;
        let behind = nth.checked_sub(placeholders);
        let (all, at) = if has_arguments { ("arguments", index) } else { ("$cap_r", behind.unwrap_or_default()) };
        let value = if behind.is_some() { format!("{all}[{at}]") } else { format!("$cap_p{nth}") };
        let pattern = item.pattern.span();
        match &item.initializer {
            None => ops.push(Op::insert(pattern.end, Order::close(depth), format!("={value}"))),
            Some(initializer) if gives_name(initializer) => {
                ops.push(Op::insert(pattern.start, Order::open(depth), format!("{{[{at}]:")));
                ops.push(Op::insert(initializer.span().end, Order::close(depth), format!("}}={all}")));
            }
            Some(initializer) => {
                let equals =
                    find_char(header.source, pattern.end, initializer.span().start, b'=').unwrap_or(pattern.end);
                ops.push(Op::replace(equals, equals + 1, format!("={value}!==void 0?{value}:")));
            }
        }
    }
    let mut end = params.items.last().map_or(params.span.start + 1, |it| it.span.end);
    if let Some(it) = &params.rest {
        let dots = it.span.start;
        let from = params.items.len() - first - placeholders;
        let value = if from == 0 { "$cap_r".to_owned() } else { format!("$cap_r.slice({from})") };
        ops.push(Op::replace(dots, dots + 3, String::new()));
        end = it.span.end;
        ops.push(Op::insert(end, Order::close(depth), format!("={value}")));
    }
    if let Some(comma) = comma_after(header.source, end, params.span.end) {
        ops.push(Op::replace(comma, comma + 1, String::new()));
    }
    // `)` ends the `let`; `=>` and `{` have moved to the front.
    if is_bare {
        ops.push(Op::insert(params.span.end, Order::last_close(), ";"));
    } else {
        ops.push(Op::replace(params.span.end - 1, params.span.end, ";".to_owned()));
    }
    if header.is_arrow
        && let Some(at) = find_char(header.source, params.span.end, header.body.start(), b'=')
    {
        ops.push(Op::replace(at, at + 2, String::new()));
    }
    match &header.body {
        Body::Block(block) => {
            ops.push(Op::replace(block.span.start, block.span.start + 1, String::new()));
            leave_block(header, block, depth, ops);
        }
        Body::Expression(expression) => {
            ops.push(Op::insert(expression.span().start, Order::open(depth), "return ("));
            ops.push(Op::insert(header.end, Order::close(depth), format!("){leave}}}")));
        }
    }
}

fn has_use_strict(header: &Header<'_, '_>) -> bool {
    matches!(&header.body, Body::Block(block) if block.directives.iter().any(|it| it.directive == "use strict"))
}

fn identifier<'p>(pattern: &'p BindingPattern<'_>) -> Option<&'p str> {
    match pattern {
        BindingPattern::BindingIdentifier(it) => Some(it.name.as_str()),
        _ => None,
    }
}

/// Where a trailing comma stands between the last parameter and the closing parenthesis.
fn comma_after(source: &str, from: u32, to: u32) -> Option<u32> {
    find_char(source, from, to, b',')
}

/// Where what follows a word starts, behind white space and comments.
pub(crate) fn past_word(source: &str, from: u32, word: &str) -> u32 {
    let mut rest = source[from as usize..].strip_prefix(word).unwrap_or(&source[from as usize..]);
    loop {
        rest = rest.trim_start();
        let comment = match rest.as_bytes() {
            [b'/', b'/', ..] => rest.find(['\n', '\r', '\u{2028}', '\u{2029}']),
            [b'/', b'*', ..] => rest.find("*/").map(|it| it + 2),
            _ => None,
        };
        match comment {
            Some(end) => rest = &rest[end..],
            None => return (source.len() - rest.len()) as u32,
        }
    }
}

/// The first `wanted` outside comments in `from..to`.
pub(super) fn find_char(source: &str, from: u32, to: u32, wanted: u8) -> Option<u32> {
    let bytes = source.as_bytes();
    let (mut at, to) = (from as usize, to as usize);
    while at < to {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'/')) => at = line_end(source, at, to),
            // Nothing else can begin so between parameters.
            (b'<', Some(b'!')) => at = line_end(source, at, to),
            (b'/', Some(b'*')) => {
                at += 2;
                while at + 1 < to && !(bytes[at] == b'*' && bytes[at + 1] == b'/') {
                    at += 1;
                }
                at += 2;
            }
            (byte, _) if byte == wanted => return u32::try_from(at).ok(),
            _ => at += 1,
        }
    }
    None
}

/// Where the line ends that `from` is in.
fn line_end(source: &str, from: usize, to: usize) -> usize {
    source[from..to].find(['\n', '\r', '\u{2028}', '\u{2029}']).map_or(to, |it| from + it)
}
