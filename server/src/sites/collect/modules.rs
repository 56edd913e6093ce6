//! What a text says of other modules and of the module that it is, in calls and members.

use super::*;

impl Collector<'_> {
    /// What a call gathers by a pattern. One that has other arguments than literals says when it runs that it cannot.
    pub(super) fn collection(&self, it: &CallExpression<'_>) -> Option<Collection> {
        let Expression::StaticMemberExpression(callee) = &it.callee else { return None };
        match (&callee.object, callee.property.name.as_str()) {
            (Expression::Identifier(object), "context") if object.name == "require" && self.is_unresolved(object) => {
                Collection::of_require(it)
            }
            (Expression::ImportMeta(_), "webpackContext") => Collection::of_webpack_context(it),
            (Expression::ImportMeta(_), "glob") => Collection::of_glob(it),
            _ => None,
        }
        .filter(|_| !matches!(self.base.flavour, Flavour::Classic(_)))
    }

    pub(super) fn gather(&mut self, span: Span, collection: Collection) {
        let text = self.text(span);
        self.seen.uses_cjs |= text.starts_with("require");
        self.seen.uses_import_meta |= text.starts_with("import");
        let lines = "\n".repeat(text.matches('\n').count());
        let key = quoted(&collection.key());
        self.ops.push(Op::replace(span.start, span.end, format!("$cap_m.gathered({key}{lines})")));
        if !self.seen.collections.contains(&collection) {
            self.seen.collections.push(collection);
        }
    }

    /// Whether `process.env`'s `process` is nobody's variable.
    pub(super) fn is_global_object(&self, env: &Expression<'_>) -> bool {
        match env {
            Expression::StaticMemberExpression(member) => match &member.object {
                Expression::Identifier(it) => self.is_unresolved(it),
                _ => false,
            },
            _ => false,
        }
    }
}

/// What only bundlers and Node have, also in ES modules.
pub(super) fn is_of_cjs(object: &str, property: &str) -> bool {
    match object {
        "module" => property == "hot",
        "require" => matches!(property, "resolve" | "cache" | "context" | "main"),
        _ => false,
    }
}

/// `css` of `{ with: { type: "css" } }`.
pub(super) fn type_of<'e>(options: &'e Expression<'_>) -> Option<&'e str> {
    let property = |object: &'e Expression<'_>, name: &str| match object {
        Expression::ObjectExpression(it) => it.properties.iter().find_map(|it| match it {
            ObjectPropertyKind::ObjectProperty(it) if it.key.is_specific_static_name(name) => Some(&it.value),
            _ => None,
        }),
        _ => None,
    };
    match property(property(options, "with")?, "type")? {
        Expression::StringLiteral(it) => Some(it.value.as_str()),
        _ => None,
    }
}
