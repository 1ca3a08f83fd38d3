//! Operators: which types they take.

use super::super::ast::{Arithmetic, Comparison, Expr, Kind};
use super::super::node::Node;
use super::super::value::Value;
use super::super::{Type, Vocabulary};
use super::{Checker, Typed};
use std::ops::Range;

impl<V: Vocabulary> Checker<'_, V> {
    pub(super) fn negate(&mut self, at: &Range<usize>, operand: &Expr) -> Typed {
        let part = self.expr(operand);
        if part.is_wrong() {
            return part;
        }
        if !part.may_be_number() {
            let message = format!("`-` takes a number, and `{}` is {}", self.text(&operand.at), part.kind());
            return self.wrong(at, message);
        }
        let ty = part.ty;
        self.fold(at, Node::Negate(Box::new(part.node)), ty)
    }

    /// Compiles `left && right`, which `false` decides, or `left || right`, which `true` decides. Chains become one
    /// node; operands decided by a constant are removed.
    pub(super) fn chain(&mut self, left: &Expr, right: &Expr, decisive: bool) -> Typed {
        let sign = if decisive { "`||`" } else { "`&&`" };
        let parts = [self.truth(left, sign), self.truth(right, sign)];
        if parts.iter().any(Typed::is_wrong) {
            return Typed::wrong();
        }
        let mut chain = Vec::new();
        // A single remaining operand replaces the chain only if it is certainly true or false; otherwise the chain
        // checks that, as it does for a nested chain of one operand.
        let mut certain = true;
        for part in parts {
            certain &= part.ty == Type::Bool && !matches!(part.node, Node::And(_) | Node::Or(_));
            match part.node {
                Node::Const(Value::Bool(truth)) if truth == decisive => {
                    return Typed::new(Node::Const(Value::Bool(decisive)), Type::Bool);
                }
                Node::Const(Value::Bool(_)) => {}
                Node::And(inner) if !decisive => chain.extend(inner),
                Node::Or(inner) if decisive => chain.extend(inner),
                node => chain.push(node),
            }
        }
        let node = match (chain.len(), chain.pop()) {
            (_, None) => Node::Const(Value::Bool(!decisive)),
            (1, Some(only)) if certain => only,
            (_, Some(last)) => {
                chain.push(last);
                let chain = chain.into_boxed_slice();
                if decisive { Node::Or(chain) } else { Node::And(chain) }
            }
        };
        Typed::new(node, Type::Bool)
    }

    pub(super) fn choice(&mut self, at: &Range<usize>, parts: &[Expr; 3]) -> Typed {
        let [condition, yes, no] = parts;
        let condition = self.truth(condition, "`?`");
        let (a, b) = (self.expr(yes), self.expr(no));
        if condition.is_wrong() || a.is_wrong() || b.is_wrong() {
            return Typed::wrong();
        }
        if !a.is_null() && !b.is_null() && !a.ty.may_equal(b.ty) {
            let message = format!(
                "both sides of `:` have to be of one type, and `{}` is {}, `{}` {}",
                self.text(&yes.at),
                a.kind(),
                self.text(&no.at),
                b.kind()
            );
            return self.wrong(at, message);
        }
        match condition.node {
            Node::Const(Value::Bool(truth)) => {
                if truth {
                    a
                } else {
                    b
                }
            }
            condition => {
                let ty = if a.ty == b.ty { a.ty } else { Type::Dyn };
                Typed::new(Node::Choice(Box::new([condition, a.node, b.node])), ty)
            }
        }
    }

    pub(super) fn compare(&mut self, at: &Range<usize>, comparison: Comparison, left: &Expr, right: &Expr) -> Typed {
        let (a, b) = (self.expr(left), self.expr(right));
        if a.is_wrong() || b.is_wrong() {
            return Typed::wrong();
        }
        if matches!(left.kind, Kind::Compare(..)) && !comparison.is_equality() {
            let message = "comparisons cannot be chained: write `a < b && b < c`";
            return self.wrong(at, message);
        }
        let fits = if comparison.is_equality() {
            // Only values of unknown type can be `null`.
            if a.is_null() || b.is_null() { a.ty == b.ty } else { a.ty.may_equal(b.ty) }
        } else {
            let ordered = |typed: &Typed| !typed.is_null() && typed.ty != Type::List;
            ordered(&a) && ordered(&b) && a.ty.may_equal(b.ty)
        };
        if !fits {
            let why = match comparison {
                Comparison::Equal => "they are never equal".to_owned(),
                Comparison::NotEqual => "they always differ".to_owned(),
                order => format!("`{}` compares two numbers, two texts or two truth values", order.sign()),
            };
            let message = format!(
                "`{}` is {} and `{}` is {}: {why}",
                self.text(&left.at),
                a.kind(),
                self.text(&right.at),
                b.kind()
            );
            return self.wrong(at, message);
        }
        self.fold(at, Node::Compare(comparison, Box::new([a.node, b.node])), Type::Bool)
    }

    /// `item in within`.
    pub(super) fn within(&mut self, at: &Range<usize>, item: &Expr, within: &Expr) -> Typed {
        if let (Kind::Text(key), Some(map)) = (&item.kind, self.bare_map(within)) {
            return match self.member(&within.at, map, std::slice::from_ref(key)) {
                Some((slot, _)) => Typed::new(Node::Has(slot), Type::Bool),
                None => Typed::wrong(),
            };
        }
        let (a, b) = (self.expr(item), self.expr(within));
        if a.is_wrong() || b.is_wrong() {
            return Typed::wrong();
        }
        if !b.may_be(Type::List) {
            let hint = if b.ty == Type::Text { "; of a text, ask `.contains(\"…\")`" } else { "" };
            let message = format!(
                "`in` looks into a list, such as `[\"a\", \"b\"]`, and `{}` is {}{hint}",
                self.text(&within.at),
                b.kind()
            );
            return self.wrong(&within.at, message);
        }
        if let Kind::List(elements) = &within.kind {
            let before = self.errors.len();
            for element in elements {
                // Elements that are no constants were typed above, and are not typed again only to be compared.
                let Some(ty) = literal_type(element) else { continue };
                if !a.is_null() && !a.ty.may_equal(ty) {
                    let message = format!(
                        "`{}` is {} and `{}` is {}: they are never equal",
                        self.text(&item.at),
                        a.kind(),
                        self.text(&element.at),
                        ty.as_str()
                    );
                    self.wrong(&element.at, message);
                }
            }
            if self.errors.len() > before {
                return Typed::wrong();
            }
        }
        self.fold(at, Node::In(Box::new([a.node, b.node])), Type::Bool)
    }

    pub(super) fn arithmetic(&mut self, at: &Range<usize>, operator: Arithmetic, left: &Expr, right: &Expr) -> Typed {
        let (a, b) = (self.expr(left), self.expr(right));
        if a.is_wrong() || b.is_wrong() {
            return Typed::wrong();
        }
        let allowed: &[Type] = match operator {
            Arithmetic::Add => &[Type::Int, Type::Double, Type::Text, Type::List],
            Arithmetic::Remainder => &[Type::Int],
            _ => &[Type::Int, Type::Double],
        };
        if let Some(ty) = allowed.iter().copied().find(|ty| a.may_be(*ty) && b.may_be(*ty)) {
            let ty = if a.ty == Type::Dyn && b.ty == Type::Dyn { Type::Dyn } else { ty };
            return self.fold(at, Node::Arithmetic(operator, Box::new([a.node, b.node])), ty);
        }
        let sign = operator.sign();
        let (mine, other) = (self.text(&left.at), self.text(&right.at));
        let mixed = matches!((a.ty, b.ty), (Type::Int, Type::Double) | (Type::Double, Type::Int));
        let message = if mixed && operator != Arithmetic::Remainder {
            let (whole, of) = if a.ty == Type::Int { (&mine, left) } else { (&other, right) };
            let instead =
                if matches!(of.kind, Kind::Int(_)) { format!("{whole}.0") } else { format!("double({whole})") };
            format!("`{sign}` does not mix whole numbers and numbers with a fraction: write `{instead}` for `{whole}`")
        } else {
            let takes = match operator {
                Arithmetic::Add => "two numbers of one kind, two texts or two lists",
                Arithmetic::Remainder => "two whole numbers",
                _ => "two numbers of one kind",
            };
            format!("`{sign}` takes {takes}, and `{mine}` is {}, `{other}` {}", a.kind(), b.kind())
        };
        self.wrong(at, message)
    }
}

/// Returns the type of a literal.
fn literal_type(expr: &Expr) -> Option<Type> {
    Some(match expr.kind {
        Kind::Bool(_) => Type::Bool,
        Kind::Int(_) => Type::Int,
        Kind::Double(_) => Type::Double,
        Kind::Text(_) => Type::Text,
        Kind::List(_) => Type::List,
        _ => return None,
    })
}
