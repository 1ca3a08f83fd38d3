//! Checks the types of a condition and compiles it.

mod methods;
mod names;
mod operators;

use super::ast::{Expr, Kind, Word};
use super::eval::{Nothing, Run};
use super::node::Node;
use super::value::Value;
use super::{CelError, Type, Vocabulary, Wanted};
use std::borrow::Cow;
use std::ops::Range;

/// Compiles `expr` to a node and numbers its slots. Errors are added to `errors`.
pub(super) fn check<V: Vocabulary>(
    source: &str,
    expr: &Expr,
    vocabulary: &V,
    wanted: Wanted,
    errors: &mut Vec<CelError>,
) -> (Node, Vec<V::Slot>) {
    let mut checker = Checker { source, vocabulary, errors, slots: Vec::new(), locals: Vec::new() };
    let typed = checker.expr(expr);
    checker.wanted(expr, &typed, wanted);
    (typed.node, checker.slots)
}

/// A compiled node with its type, as far as known.
struct Typed {
    node: Node,
    ty: Type,
}

impl Typed {
    fn new(node: Node, ty: Type) -> Self {
        Self { node, ty }
    }

    /// Returns a placeholder for a reported error, which fits everywhere, so that nothing is reported twice.
    fn wrong() -> Self {
        Self { node: Node::Wrong, ty: Type::Dyn }
    }

    fn is_null(&self) -> bool {
        matches!(self.node, Node::Const(Value::Null))
    }

    fn is_wrong(&self) -> bool {
        matches!(self.node, Node::Wrong)
    }

    /// Returns whether it may turn out to be a `ty`.
    fn may_be(&self, ty: Type) -> bool {
        !self.is_null() && (self.ty == ty || self.ty == Type::Dyn)
    }

    fn may_be_number(&self) -> bool {
        !self.is_null() && self.ty.may_be_number()
    }

    /// Returns its type in words.
    fn kind(&self) -> &'static str {
        if self.is_null() { "`null`" } else { self.ty.as_str() }
    }
}

struct Checker<'a, V: Vocabulary> {
    source: &'a str,
    vocabulary: &'a V,
    errors: &'a mut Vec<CelError>,
    slots: Vec<V::Slot>,
    /// The element names of the enclosing `exists` and `all`, the innermost last.
    locals: Vec<String>,
}

impl<V: Vocabulary> Checker<'_, V> {
    fn wrong(&mut self, at: &Range<usize>, message: impl Into<String>) -> Typed {
        self.errors.push(CelError::new(at.clone(), message));
        Typed::wrong()
    }

    /// The source at `at`, shortened where it is long.
    fn text(&self, at: &Range<usize>) -> Cow<'_, str> {
        const LONGEST: usize = 40;
        let text = self.source.get(at.clone()).unwrap_or_default();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
            None => Cow::Borrowed(text),
        }
    }

    /// Returns the number of `slot`, which is looked up once however often it is used.
    fn slot(&mut self, slot: V::Slot) -> u32 {
        let known = self.slots.iter().position(|other| *other == slot);
        let number = known.unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        number as u32
    }

    /// Evaluates the node if all its operands are constants.
    fn fold(&mut self, at: &Range<usize>, mut node: Node, ty: Type) -> Typed {
        if node.parts().iter().any(|part| matches!(part, Node::Wrong)) {
            return Typed::wrong();
        }
        if node.slot().is_some() || !node.parts().iter().all(|part| part.is_const()) {
            return Typed::new(node.quickened(), ty);
        }
        let run: Run<'_, V::Slot, Nothing> = Run { slots: &[], lookup: &Nothing };
        let value = run.value(&node, None).map(Value::detached);
        match value {
            Ok(Some(value)) => {
                let ty = type_of(&value);
                Typed::new(Node::Const(value), ty)
            }
            Ok(None) => Typed::new(node, ty),
            Err(error) => {
                let message = format!("`{}` can never be worked out: {error}", self.text(at));
                self.wrong(at, message)
            }
        }
    }

    fn wanted(&mut self, expr: &Expr, typed: &Typed, wanted: Wanted) {
        match wanted {
            Wanted::Condition if !typed.may_be(Type::Bool) => {
                let hint = if typed.may_be_number() { "; compare it, such as `… > 0`" } else { "" };
                let message = format!("a condition has to be true or false, and this is {}{hint}", typed.kind());
                self.wrong(&expr.at, message);
            }
            Wanted::Number if !typed.may_be_number() => {
                let hint = if typed.may_be(Type::Bool) { "; choose one, such as `… ? 1 : 0`" } else { "" };
                let message = format!("a number is wanted here, and this is {}{hint}", typed.kind());
                self.wrong(&expr.at, message);
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) -> Typed {
        let at = &expr.at;
        match &expr.kind {
            Kind::Null => Typed::new(Node::Const(Value::Null), Type::Dyn),
            Kind::Bool(b) => Typed::new(Node::Const(Value::Bool(*b)), Type::Bool),
            Kind::Int(i) => Typed::new(Node::Const(Value::Int(*i)), Type::Int),
            Kind::Double(d) => Typed::new(Node::Const(Value::Double(*d)), Type::Double),
            Kind::Text(text) => Typed::new(Node::Const(Value::Text(Cow::Owned(text.clone()))), Type::Text),
            Kind::List(elements) => {
                let parts = elements.iter().map(|element| self.expr(element).node).collect();
                self.fold(at, Node::List(parts), Type::List)
            }
            Kind::Name(name) => self.name(at, name),
            Kind::Select(operand, key) => self.select(expr, operand, key),
            Kind::Has(operand, key) => self.has(at, operand, key),
            Kind::Index(operand, index) => self.index(expr, operand, index),
            Kind::Call(name, arguments) => self.call(at, name, arguments),
            Kind::Method(target, name, arguments) => self.method(at, target, name, arguments),
            Kind::Each { all, list, variable, condition } => self.each(at, *all, list, variable, condition),
            Kind::Not(operand) => {
                let part = self.truth(operand, "`!`");
                self.fold(at, Node::Not(Box::new(part.node)), Type::Bool)
            }
            Kind::Negate(operand) => self.negate(at, operand),
            Kind::And(left, right) => self.chain(left, right, false),
            Kind::Or(left, right) => self.chain(left, right, true),
            Kind::Choice(parts) => self.choice(at, parts),
            Kind::Compare(comparison, left, right) => self.compare(at, *comparison, left, right),
            Kind::In(item, within) => self.within(at, item, within),
            Kind::Arithmetic(operator, left, right) => self.arithmetic(at, *operator, left, right),
            Kind::Wrong => Typed::wrong(),
        }
    }

    /// Checks an operand that has to be true or false.
    fn truth(&mut self, expr: &Expr, whose: &str) -> Typed {
        let typed = self.expr(expr);
        if typed.is_wrong() || typed.may_be(Type::Bool) {
            return typed;
        }
        let message = format!("{whose} takes true or false, and `{}` is {}", self.text(&expr.at), typed.kind());
        self.wrong(&expr.at, message)
    }

    /// `list.exists(variable, condition)` and `list.all(variable, condition)`.
    fn each(&mut self, at: &Range<usize>, all: bool, list: &Expr, variable: &str, condition: &Expr) -> Typed {
        let elements = self.expr(list);
        let list_fits = elements.is_wrong() || elements.may_be(Type::List);
        if !list_fits {
            let message =
                format!("`exists` and `all` ask of a list, and `{}` is {}", self.text(&list.at), elements.kind());
            self.wrong(&list.at, message);
        }
        self.locals.push(variable.to_owned());
        let condition = self.truth(condition, if all { "`all`" } else { "`exists`" });
        self.locals.pop();
        if !list_fits || elements.is_wrong() || condition.is_wrong() {
            return Typed::wrong();
        }
        let node = Node::Each { all, list: Box::new(elements.node), condition: Box::new(condition.node) };
        self.fold(at, node, Type::Bool)
    }
}

/// The type of a constant.
fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Double(_) => Type::Double,
        Value::Text(_) => Type::Text,
        Value::List(_) => Type::List,
        Value::Null | Value::Map(_) => Type::Dyn,
    }
}

/// A list of words for a message: "`a`, `b` or `c`".
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// Returns the key and the position of a word.
fn key_of(word: &Word) -> (&str, &Range<usize>) {
    (&word.text, &word.at)
}
