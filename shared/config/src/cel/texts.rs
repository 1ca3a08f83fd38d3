//! Finds the texts that a condition compares names with, to check them against the names' possible values.

use super::ast::{Expr, Kind};

/// A text that a name is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The name, such as `stage` or `account.touch`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Returns every text that `source` compares a name with by `==`, `!=` or `in`, in order.
#[must_use]
pub fn compared_texts(source: &str) -> Vec<Compared> {
    let mut found = Vec::new();
    if let Some(expr) = super::parse::parse(source, &mut Vec::new()) {
        walk(&expr, &mut found);
    }
    found
}

fn walk(expr: &Expr, found: &mut Vec<Compared>) {
    match &expr.kind {
        Kind::Compare(comparison, left, right) if comparison.is_equality() => {
            add(left, right, found);
            add(right, left, found);
            walk(left, found);
            walk(right, found);
        }
        Kind::In(element, list) => {
            if let Kind::List(items) = &list.kind {
                items.iter().for_each(|item| add(element, item, found));
            }
            walk(element, found);
            walk(list, found);
        }
        Kind::Compare(_, left, right)
        | Kind::Arithmetic(_, left, right)
        | Kind::And(left, right)
        | Kind::Or(left, right)
        | Kind::Index(left, right) => {
            walk(left, found);
            walk(right, found);
        }
        Kind::Not(inner) | Kind::Negate(inner) | Kind::Select(inner, _) | Kind::Has(inner, _) => walk(inner, found),
        Kind::Choice(parts) => parts.iter().for_each(|part| walk(part, found)),
        Kind::List(items) | Kind::Call(_, items) => items.iter().for_each(|item| walk(item, found)),
        Kind::Method(operand, _, arguments) => {
            walk(operand, found);
            arguments.iter().for_each(|argument| walk(argument, found));
        }
        Kind::Each { list, condition, .. } => {
            walk(list, found);
            walk(condition, found);
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Double(_) | Kind::Text(_) | Kind::Name(_) | Kind::Wrong => {}
    }
}

fn add(name: &Expr, text: &Expr, found: &mut Vec<Compared>) {
    if let (Some(name), Kind::Text(text)) = (path(name), &text.kind) {
        found.push(Compared { name, text: text.clone() });
    }
}

fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        Kind::Name(name) => Some(name.clone()),
        Kind::Select(operand, key) => Some(format!("{}.{}", path(operand)?, key.text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_wherever_a_condition_compares() {
        let found = compared_texts(
            "!(stage == 'trail') || ('x' != account.touch && nps > 3 ? stage in ['lead', 'led'] : count('E') > 1)",
        );
        let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.text.as_str())).collect();
        assert_eq!(found, [("stage", "trail"), ("account.touch", "x"), ("stage", "lead"), ("stage", "led")]);
    }
}
