//! From source to tree, by the parser of crate `cel`.
//!
//! That parser expands macros and keeps no places. So its tree is walked here beside the tokens: both are in the order of the
//! source, and each node takes the tokens that it was made of. All that is known of the crate is in this file.

use super::CelError;
use super::ast::{Arithmetic, Comparison, Expr, Kind, Word};
use super::lex::{self, Token};
use super::syntax;
use ::cel::ParseError;
use ::cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Node, IdedExpr, LiteralValue, SelectExpr, operators};
use ::cel::parser::PrattParser;
use std::ops::Range;

/// Parses `source`; `None` if it is not an expression. Errors are added to `errors`.
pub(super) fn parse(source: &str, errors: &mut Vec<CelError>) -> Option<Expr> {
    if source.len() > syntax::MAX_BYTES {
        let message =
            format!("the condition has {} bytes; {} are allowed: take it apart", source.len(), syntax::MAX_BYTES);
        errors.push(CelError::new(0..source.len(), message));
        return None;
    }
    let tokens = lex::lex(source, errors);
    let words = errors.len();
    let mut order = Vec::new();
    let ungrouped = syntax::check(source, &tokens, &mut order);
    // An invalid token is reported already; its position is not a second error.
    order.retain(|error| {
        !errors[..words].iter().any(|word| word.at.start <= error.at.start && error.at.end <= word.at.end)
    });
    errors.append(&mut order);
    if !errors.is_empty() {
        return None;
    }
    match PrattParser::new().parse(source) {
        Ok(tree) => Some(Walk { source, tokens: &ungrouped, next: 0, errors }.expr(tree)),
        Err(refused) => {
            let told = |error: &ParseError| CelError::new(place_of(source, &tokens, error.pos), in_words(&error.msg));
            errors.extend(refused.errors.iter().map(told));
            None
        }
    }
}

/// Returns the token at a line and a column (in bytes), both from 1, as the crate reports them.
fn place_of(source: &str, tokens: &[Token], (line, column): (isize, isize)) -> Range<usize> {
    let lines = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(lines).map(str::len).sum();
    let offset = start + usize::try_from(column - 1).unwrap_or(0);
    match tokens.iter().find(|token| token.at.end > offset) {
        Some(token) => token.at.clone(),
        None => source.len()..source.len(),
    }
}

/// Returns the parser's error in plain words. The order of tokens is checked already, so only macros remain.
fn in_words(message: &str) -> String {
    match message {
        "invalid argument to has() macro" => "`has()` asks for a key: write `has(properties.plan)`".to_owned(),
        "argument must be a simple name" => {
            "the first argument is a name for the element: write `properties.tags.exists(tag, tag == \"vip\")`"
                .to_owned()
        }
        other => format!("this is no CEL: {other}"),
    }
}

/// A walk along the tree and the tokens.
struct Walk<'a> {
    source: &'a str,
    /// Without brackets that only group.
    tokens: &'a [Token],
    /// The first token that no node has taken.
    next: usize,
    errors: &'a mut Vec<CelError>,
}

impl Walk<'_> {
    /// Consumes the next token.
    fn take(&mut self) -> Range<usize> {
        let end = self.source.len();
        let at = self.tokens.get(self.next).map_or(end..end, |token| token.at.clone());
        self.next += 1;
        at
    }

    fn is_next(&self, kind: lex::Kind) -> bool {
        self.tokens.get(self.next).is_some_and(|token| token.kind == kind)
    }

    /// Consumes consecutive signs, of which the parser keeps one or, if they cancel out, none. Returns the position of
    /// the first.
    fn signs(&mut self) -> Option<usize> {
        let mut first = None;
        while self.is_next(lex::Kind::Minus) || self.is_next(lex::Kind::Not) {
            let at = self.take();
            first = first.or(Some(at.start));
        }
        first
    }

    /// Consumes an opening bracket and everything up to its closing one.
    fn skip_arguments(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.tokens.get(self.next) {
            match token.kind {
                lex::Kind::Open(_) => open += 1,
                lex::Kind::Close(_) => open = open.saturating_sub(1),
                _ => {}
            }
            self.take();
            if open == 0 {
                return;
            }
        }
    }

    fn word(&mut self) -> Word {
        let at = self.take();
        Word { text: self.source.get(at.clone()).unwrap_or_default().to_owned(), at }
    }

    fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) -> Expr {
        self.errors.push(CelError::new(at.clone(), message));
        Expr { at, kind: Kind::Wrong }
    }

    fn expr(&mut self, node: IdedExpr) -> Expr {
        match node.expr {
            Node::Literal(literal) => self.literal(literal),
            Node::Ident(name) => {
                self.signs();
                Expr { at: self.take(), kind: Kind::Name(name) }
            }
            Node::List(list) => {
                self.signs();
                let from = self.take().start;
                let elements = self.parts(list.elements);
                Expr { at: from..self.take().end, kind: Kind::List(elements) }
            }
            Node::Select(select) => self.select(select),
            Node::Call(call) => self.call(call),
            Node::Comprehension(each) => self.each(*each),
            Node::Map(_) | Node::Struct(_) | Node::Unspecified => {
                let at = self.take();
                self.wrong(at, "maps and messages cannot be written")
            }
        }
    }

    /// Arguments or elements, each with the comma after it.
    fn parts(&mut self, nodes: Vec<IdedExpr>) -> Vec<Expr> {
        let mut parts = Vec::new();
        for node in nodes {
            parts.push(self.expr(node));
            if self.is_next(lex::Kind::Comma) {
                self.take();
            }
        }
        parts
    }

    fn literal(&mut self, literal: LiteralValue) -> Expr {
        let sign = self.signs();
        let mut at = self.take();
        let negative = match &literal {
            LiteralValue::Int(i) => *i.inner() < 0,
            LiteralValue::Double(d) => d.inner().is_sign_negative(),
            _ => false,
        };
        at.start = sign.filter(|_| negative).unwrap_or(at.start);
        let kind = match literal {
            LiteralValue::Null => Kind::Null,
            LiteralValue::Boolean(b) => Kind::Bool(*b.inner()),
            LiteralValue::Int(i) => Kind::Int(*i.inner()),
            LiteralValue::Double(d) => Kind::Double(*d.inner()),
            LiteralValue::String(text) => Kind::Text(text.inner().to_owned()),
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
                return self.wrong(at, "this kind of literal is not offered");
            }
        };
        Expr { at, kind }
    }

    /// `operand.key`, or `has(operand.key)`, which is the same with a mark.
    fn select(&mut self, select: SelectExpr) -> Expr {
        let mut from = None;
        if select.test {
            self.signs();
            from = Some(self.take().start);
            self.take();
        }
        let operand = Box::new(self.expr(*select.operand));
        self.take();
        let key = Word { at: self.take(), text: select.field };
        let from = from.unwrap_or(operand.at.start);
        if select.test {
            return Expr { at: from..self.take().end, kind: Kind::Has(operand, key) };
        }
        Expr { at: from..key.at.end, kind: Kind::Select(operand, key) }
    }

    /// `list.exists(variable, condition)`, `list.all(variable, condition)`, or a macro that is not offered.
    fn each(&mut self, each: ComprehensionExpr) -> Expr {
        let list = Box::new(self.expr(each.iter_range));
        self.take();
        let name = self.word();
        if name.text != "exists" && name.text != "all" {
            self.skip_arguments();
            let message =
                format!("`.{}()` is not offered: of a list you can ask `exists`, `all`, `size` and `in`", name.text);
            return self.wrong(name.at, message);
        }
        // The bracket, the variable and the comma.
        for _ in 0..3 {
            self.take();
        }
        // The step of the expanded macro is `@result || condition`, or `@result && condition`.
        let condition = match each.loop_step.expr {
            Node::Call(mut step) => step.args.pop(),
            _ => None,
        };
        let Some(condition) = condition else { return self.wrong(name.at, "this use of a list is not offered") };
        let condition = Box::new(self.expr(condition));
        let at = list.at.start..self.take().end;
        Expr { at, kind: Kind::Each { all: name.text == "all", list, variable: each.iter_var, condition } }
    }

    fn call(&mut self, mut call: CallExpr) -> Expr {
        if let Some(target) = call.target {
            let target = Box::new(self.expr(*target));
            self.take();
            let name = self.word();
            self.take();
            let arguments = self.parts(call.args);
            return Expr { at: target.at.start..self.take().end, kind: Kind::Method(target, name, arguments) };
        }
        // Only operators have names that no function can have.
        let operator =
            call.func_name.starts_with('@') || call.func_name.contains(|c: char| c.is_ascii_punctuation() && c != '_');
        if !operator {
            self.signs();
            let name = self.word();
            self.take();
            let arguments = self.parts(call.args);
            return Expr { at: name.at.start..self.take().end, kind: Kind::Call(name, arguments) };
        }
        let (third, second, first) = match call.args.len() {
            3 => (call.args.pop(), call.args.pop(), call.args.pop()),
            2 => (None, call.args.pop(), call.args.pop()),
            _ => (None, None, call.args.pop()),
        };
        match (first, second, third) {
            (Some(condition), Some(yes), Some(no)) => {
                let condition = self.expr(condition);
                self.take();
                let yes = self.expr(yes);
                self.take();
                let no = self.expr(no);
                Expr { at: condition.at.start..no.at.end, kind: Kind::Choice(Box::new([condition, yes, no])) }
            }
            (Some(left), Some(right), None) => {
                let left = Box::new(self.expr(left));
                let sign = self.take();
                let right = Box::new(self.expr(right));
                let end = if call.func_name == operators::INDEX { self.take().end } else { right.at.end };
                let at = left.at.start..end;
                match binary(&call.func_name, left, right) {
                    Some(kind) => Expr { at, kind },
                    None => self.wrong(sign, "this operator is not offered"),
                }
            }
            (Some(operand), None, None) => {
                let from = self.signs();
                let operand = Box::new(self.expr(operand));
                let at = from.unwrap_or(operand.at.start)..operand.at.end;
                let negated = call.func_name == operators::NEGATE;
                Expr { at, kind: if negated { Kind::Negate(operand) } else { Kind::Not(operand) } }
            }
            _ => {
                let at = self.take();
                self.wrong(at, "this operator is not offered")
            }
        }
    }
}

fn binary(name: &str, left: Box<Expr>, right: Box<Expr>) -> Option<Kind> {
    Some(match name {
        operators::LOGICAL_AND => Kind::And(left, right),
        operators::LOGICAL_OR => Kind::Or(left, right),
        operators::INDEX => Kind::Index(left, right),
        operators::IN => Kind::In(left, right),
        operators::EQUALS => Kind::Compare(Comparison::Equal, left, right),
        operators::NOT_EQUALS => Kind::Compare(Comparison::NotEqual, left, right),
        operators::LESS => Kind::Compare(Comparison::Less, left, right),
        operators::LESS_EQUALS => Kind::Compare(Comparison::LessOrEqual, left, right),
        operators::GREATER => Kind::Compare(Comparison::Greater, left, right),
        operators::GREATER_EQUALS => Kind::Compare(Comparison::GreaterOrEqual, left, right),
        operators::ADD => Kind::Arithmetic(Arithmetic::Add, left, right),
        operators::SUBSTRACT => Kind::Arithmetic(Arithmetic::Subtract, left, right),
        operators::MULTIPLY => Kind::Arithmetic(Arithmetic::Multiply, left, right),
        operators::DIVIDE => Kind::Arithmetic(Arithmetic::Divide, left, right),
        operators::MODULO => Kind::Arithmetic(Arithmetic::Remainder, left, right),
        _ => return None,
    })
}
