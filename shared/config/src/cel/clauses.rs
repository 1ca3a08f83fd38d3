//! The clauses of a condition: its parts that are joined by `&&`, to say which of them hold and which do not.

use super::ast::{Expr, Kind};
use super::parse;
use std::ops::Range;

/// A part of a condition, by its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The part.
    pub at: Range<usize>,
    /// Its expressions whose values decide it, such as `idle_days` of `idle_days >= 14`; constants are not among them.
    pub operands: Vec<Range<usize>>,
}

/// Returns the clauses of a condition, in its order; a condition without `&&` is one. Empty if the source is no condition.
#[must_use]
pub fn clauses(source: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    if let Some(expr) = parse::parse(source, &mut Vec::new()) {
        split(&expr, &mut clauses);
    }
    clauses
}

fn split(expr: &Expr, clauses: &mut Vec<Clause>) {
    if let Kind::And(left, right) = &expr.kind {
        split(left, clauses);
        split(right, clauses);
        return;
    }
    let mut operands = Vec::new();
    collect(expr, &mut operands);
    operands.dedup();
    clauses.push(Clause { at: expr.at.clone(), operands });
}

/// Adds the expressions whose values decide `expr`.
fn collect(expr: &Expr, operands: &mut Vec<Range<usize>>) {
    match &expr.kind {
        Kind::And(left, right) | Kind::Or(left, right) | Kind::Compare(_, left, right) | Kind::In(left, right) => {
            collect(left, operands);
            collect(right, operands);
        }
        Kind::Not(part) => collect(part, operands),
        Kind::Choice(parts) => parts.iter().for_each(|part| collect(part, operands)),
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Double(_) | Kind::Text(_) | Kind::Wrong => {}
        Kind::List(parts) => parts.iter().for_each(|part| collect(part, operands)),
        Kind::Name(_)
        | Kind::Select(..)
        | Kind::Has(..)
        | Kind::Index(..)
        | Kind::Call(..)
        | Kind::Method(..)
        | Kind::Each { .. }
        | Kind::Negate(_)
        | Kind::Arithmetic(..) => operands.push(expr.at.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(source: &str) -> Vec<(&str, Vec<&str>)> {
        let text = |at: &Range<usize>| source.get(at.clone()).unwrap();
        clauses(source).iter().map(|one| (text(&one.at), one.operands.iter().map(text).collect())).collect()
    }

    #[test]
    fn each_part_is_a_clause_with_what_decides_it() {
        assert_eq!(
            texts(r#"idle_days >= 14 && (stage == "trial" || pays) && !segment("upset")"#),
            [
                ("idle_days >= 14", vec!["idle_days"]),
                (r#"stage == "trial" || pays"#, vec!["stage", "pays"]),
                (r#"!segment("upset")"#, vec![r#"segment("upset")"#]),
            ]
        );
        assert_eq!(
            texts(r#"stage in ["trial", "lead"] && score("churn") - 10 > 50"#),
            [
                (r#"stage in ["trial", "lead"]"#, vec!["stage"]),
                (r#"score("churn") - 10 > 50"#, vec![r#"score("churn") - 10"#]),
            ]
        );
        assert_eq!(texts("true"), [("true", vec![])]);
        assert_eq!(texts("idle_days >"), []);
    }
}
