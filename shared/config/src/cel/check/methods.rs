//! The methods of texts and lists.

use super::super::ast::{Expr, Word};
use super::super::node::{Find, Node};
use super::super::pattern::Pattern;
use super::super::value::Value;
use super::super::{Form, Type, Vocabulary};
use super::{Checker, Typed, one_of};
use crate::spelling::nearest;
use std::ops::Range;

/// All methods.
pub(super) const METHODS: [&str; 8] =
    ["all", "contains", "endsWith", "exists", "lowerAscii", "matches", "size", "startsWith"];

impl<V: Vocabulary> Checker<'_, V> {
    pub(super) fn method(&mut self, at: &Range<usize>, target: &Expr, name: &Word, arguments: &[Expr]) -> Typed {
        match name.text.as_str() {
            "size" => match arguments {
                [] => self.size(at, target),
                _ => self.method_arguments(
                    target,
                    arguments,
                    &name.at,
                    "`size` takes no argument: write `x.size()` or `size(x)`",
                ),
            },
            "lowerAscii" => match arguments {
                [] => self.lower(at, target),
                _ => self.method_arguments(
                    target,
                    arguments,
                    &name.at,
                    "`lowerAscii` takes no argument: write `x.lowerAscii()`",
                ),
            },
            "contains" => self.find(at, Find::Contains, target, name, arguments),
            "startsWith" => self.find(at, Find::StartsWith, target, name, arguments),
            "endsWith" => self.find(at, Find::EndsWith, target, name, arguments),
            "matches" => self.matches(at, target, name, arguments),
            // With a name and a condition they are not calls, and never reach this code.
            "exists" | "all" => {
                let message = format!(
                    "`{0}` takes a name for the element and a condition: write `x.{0}(e, e == \"a\")`",
                    name.text
                );
                self.wrong(&name.at, message)
            }
            other => {
                let message = self.unknown_method(other);
                // The name of an element would be an unknown name.
                let loops = ["any", "every", "existsOne", "exists_one", "filter", "map", "some"].contains(&other);
                self.method_arguments(target, if loops { &[] } else { arguments }, &name.at, &message)
            }
        }
    }

    fn unknown_method(&self, name: &str) -> String {
        let known = self.vocabulary.names().iter().find(|known| known.name == name);
        if known.is_some_and(|known| matches!(known.form, Form::Function(_))) {
            return format!("`{name}` stands alone: write `{name}(…)`");
        }
        let foreign = match name {
            "toLowerCase" | "lower" | "toLower" | "lowercase" => Some("lowerAscii"),
            "includes" | "has" => Some("contains"),
            "length" | "len" | "count" => Some("size"),
            "any" | "some" => Some("exists"),
            "every" => Some("all"),
            "match" | "test" => Some("matches"),
            _ => None,
        };
        match foreign.or_else(|| nearest(name, METHODS)) {
            Some(near) => format!("`.{name}()` is not offered; did you mean `.{near}()`?"),
            None => format!("`.{name}()` is not offered: after a dot you can call {}", one_of(&METHODS)),
        }
    }

    /// Reports `message`, and errors within the call.
    fn method_arguments(&mut self, target: &Expr, arguments: &[Expr], at: &Range<usize>, message: &str) -> Typed {
        self.expr(target);
        for argument in arguments {
            self.expr(argument);
        }
        self.wrong(at, message)
    }

    /// `size(x)` or `x.size()`.
    pub(super) fn size(&mut self, at: &Range<usize>, of: &Expr) -> Typed {
        let part = self.expr(of);
        if part.is_wrong() {
            return part;
        }
        if !part.may_be(Type::Text) && !part.may_be(Type::List) {
            let message = format!("`size` is of a text or a list, and `{}` is {}", self.text(&of.at), part.kind());
            return self.wrong(&of.at, message);
        }
        self.fold(at, Node::Size(Box::new(part.node)), Type::Int)
    }

    fn lower(&mut self, at: &Range<usize>, target: &Expr) -> Typed {
        let part = self.a_text(target, "lowerAscii");
        if part.is_wrong() {
            return part;
        }
        self.fold(at, Node::LowerAscii(Box::new(part.node)), Type::Text)
    }

    /// Checks an operand that has to be a text.
    fn a_text(&mut self, expr: &Expr, method: &str) -> Typed {
        let part = self.expr(expr);
        if part.is_wrong() || part.may_be(Type::Text) {
            return part;
        }
        let hint = match (part.ty, method) {
            (Type::List, "contains") => "; of a list, ask `\"a\" in x`",
            _ => "",
        };
        let message = format!("`.{method}` is of texts, and `{}` is {}{hint}", self.text(&expr.at), part.kind());
        self.wrong(&expr.at, message)
    }

    fn find(&mut self, at: &Range<usize>, find: Find, target: &Expr, name: &Word, arguments: &[Expr]) -> Typed {
        let [wanted] = arguments else {
            let message = format!("`{0}` takes one text: write `x.{0}(\"…\")`", name.text);
            return self.method_arguments(target, arguments, &name.at, &message);
        };
        let (text, wanted) = (self.a_text(target, &name.text), self.a_text(wanted, &name.text));
        if text.is_wrong() || wanted.is_wrong() {
            return Typed::wrong();
        }
        self.fold(at, Node::Find(find, Box::new([text.node, wanted.node])), Type::Bool)
    }

    fn matches(&mut self, at: &Range<usize>, target: &Expr, name: &Word, arguments: &[Expr]) -> Typed {
        let [argument] = arguments else {
            return self.method_arguments(
                target,
                arguments,
                &name.at,
                "`matches` takes one pattern: write `x.matches(\"…\")`",
            );
        };
        let (text, pattern) = (self.a_text(target, "matches"), self.a_text(argument, "matches"));
        if pattern.is_wrong() {
            return pattern;
        }
        let pattern = match &pattern.node {
            Node::Const(Value::Text(pattern)) => Pattern::parse(pattern),
            _ => Err("the pattern has to be written out: it is compiled once".to_owned()),
        };
        match pattern {
            Ok(_) if text.is_wrong() => text,
            Ok(pattern) => self.fold(at, Node::Matches(Box::new(text.node), Box::new(pattern)), Type::Bool),
            Err(message) => self.wrong(&argument.at, message),
        }
    }
}
