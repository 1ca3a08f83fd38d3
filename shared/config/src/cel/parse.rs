//! From source to tree, by the parser of crate `cel`.
//!
//! That parser gives a tree of its own and the place of each node's operator. Here the tree is brought into ours, with the
//! whole place of each part found from the tokens; all that is known of the crate is here.

use super::CelError;
use super::ast::{Arithmetic, Comparison, Expr, Kind, Word};
use super::lex::{self, Token};
use super::syntax;
use ::cel::{Env, ParseError};
use ::cel::common::ast::{CallExpr, Expr as Node, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use std::ops::Range;

/// Parses `source`; `None` where it is no expression. What is wrong is added to `errors`.
pub(super) fn parse(source: &str, errors: &mut Vec<CelError>) -> Option<Expr> {
    if source.len() > syntax::MAX_BYTES {
        let message = format!("the condition has {} bytes; {} are allowed: take it apart", source.len(), syntax::MAX_BYTES);
        errors.push(CelError::new(0..source.len(), message));
        return None;
    }
    let tokens = lex::lex(source, errors);
    let words = errors.len();
    let mut order = Vec::new();
    let closes = syntax::check(source, &tokens, &mut order);
    // A token that is wrong by itself stands in for another: that it stands in the wrong place is no news.
    order.retain(|error| !errors[..words].iter().any(|word| word.at.start <= error.at.start && error.at.end <= word.at.end));
    errors.append(&mut order);
    if !errors.is_empty() {
        return None;
    }
    // An environment without macros leaves `has`, `exists` and `all` as they are written.
    match Env::default().with_optional_support(false).parser().parse_with_source_info(source) {
        Ok((tree, places)) => {
            let mut adapter = Adapter { source, tokens: &tokens, closes: &closes, places, errors };
            Some(adapter.expr(tree))
        }
        Err(refused) => {
            // Tokens in a right order make an expression, so this is for what a later version of the crate may refuse.
            let told = |error: &ParseError| CelError::new(place_of(source, &tokens, error.pos), format!("this is no CEL: {}", error.msg));
            errors.extend(refused.errors.iter().map(told));
            None
        }
    }
}

/// The token at a line and a column, both from 1, as the crate tells them.
fn place_of(source: &str, tokens: &[Token], (line, column): (isize, isize)) -> Range<usize> {
    let lines = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = source.split_inclusive('\n').take(lines).map(str::len).sum();
    let offset = start + usize::try_from(column - 1).unwrap_or(0);
    match tokens.iter().find(|token| token.at.end > offset) {
        Some(token) => token.at.clone(),
        None => source.len()..source.len(),
    }
}

struct Adapter<'a> {
    source: &'a str,
    tokens: &'a [Token],
    closes: &'a [usize],
    places: SourceInfo,
    errors: &'a mut Vec<CelError>,
}

impl Adapter<'_> {
    /// The token that the parser gave a node as its place: an operator, an opening bracket, or the node itself.
    fn token(&self, id: u64) -> usize {
        let start = self.places.offset_for(id).map_or(0, |(start, _)| start as usize);
        self.tokens.partition_point(|token| token.at.end <= start).min(self.tokens.len().saturating_sub(1))
    }

    fn at(&self, token: usize) -> Range<usize> {
        self.tokens.get(token).map_or(0..self.source.len(), |token| token.at.clone())
    }

    /// The end of what opens at `token`.
    fn end(&self, token: usize) -> usize {
        self.at(self.closes.get(token).copied().unwrap_or(token)).end
    }

    fn word(&self, token: usize) -> Word {
        let at = self.at(token);
        Word { text: self.source.get(at.clone()).unwrap_or_default().to_owned(), at }
    }

    fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) -> Expr {
        self.errors.push(CelError::new(at.clone(), message));
        Expr { at, kind: Kind::Wrong }
    }

    fn expr(&mut self, node: IdedExpr) -> Expr {
        let token = self.token(node.id);
        match node.expr {
            Node::Literal(literal) => self.literal(token, literal),
            Node::Ident(name) => Expr { at: self.at(token), kind: Kind::Name(name) },
            Node::List(list) => {
                let at = self.at(token).start..self.end(token);
                Expr { at, kind: Kind::List(list.elements.into_iter().map(|element| self.expr(element)).collect()) }
            }
            Node::Select(select) => self.select(token, select),
            Node::Call(call) => self.call(token, call),
            Node::Comprehension(_) | Node::Map(_) | Node::Struct(_) | Node::Unspecified => {
                let at = self.at(token).start..self.end(token);
                self.wrong(at, "maps and messages cannot be written")
            }
        }
    }

    fn literal(&mut self, token: usize, literal: LiteralValue) -> Expr {
        let mut at = self.at(token);
        let negative = match &literal {
            LiteralValue::Int(i) => *i.inner() < 0,
            LiteralValue::Double(d) => d.inner().is_sign_negative(),
            _ => false,
        };
        if let Some(minus) = token.checked_sub(1).filter(|_| negative) {
            at.start = self.at(minus).start;
        }
        let kind = match literal {
            LiteralValue::Null => Kind::Null,
            LiteralValue::Boolean(b) => Kind::Bool(*b.inner()),
            LiteralValue::Int(i) => Kind::Int(*i.inner()),
            LiteralValue::Double(d) => Kind::Double(*d.inner()),
            LiteralValue::String(text) => Kind::Text(text.inner().to_owned()),
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => return self.wrong(at, "this kind of literal is not offered"),
        };
        Expr { at, kind }
    }

    fn select(&mut self, token: usize, select: SelectExpr) -> Expr {
        let operand = Box::new(self.expr(*select.operand));
        let key = Word { text: select.field, at: self.at(token + 1) };
        Expr { at: operand.at.start..key.at.end, kind: Kind::Select(operand, key) }
    }

    /// `has(operand.key)`, and every other function.
    fn function(&mut self, token: usize, mut arguments: Vec<Expr>) -> Expr {
        let name = self.word(token.saturating_sub(1));
        let at = name.at.start..self.end(token);
        let kind = match (name.text.as_str(), arguments.pop()) {
            ("has", Some(Expr { kind: Kind::Select(operand, key), .. })) if arguments.is_empty() => Kind::Has(operand, key),
            (_, last) => {
                arguments.extend(last);
                Kind::Call(name, arguments)
            }
        };
        Expr { at, kind }
    }

    /// `list.exists(variable, condition)`, `list.all(variable, condition)`, and every other method.
    fn method(&mut self, token: usize, target: Expr, mut arguments: Vec<Expr>) -> Expr {
        let name = self.word(token.saturating_sub(1));
        let (at, target) = (target.at.start..self.end(token), Box::new(target));
        let each = matches!(name.text.as_str(), "exists" | "all") && arguments.len() == 2;
        let kind = match (arguments.pop(), arguments.pop()) {
            (Some(condition), Some(Expr { kind: Kind::Name(variable), .. })) if each => {
                Kind::Each { all: name.text == "all", list: target, variable, condition: Box::new(condition) }
            }
            (last, before) => {
                arguments.extend(before);
                arguments.extend(last);
                Kind::Method(target, name, arguments)
            }
        };
        Expr { at, kind }
    }

    fn call(&mut self, token: usize, call: CallExpr) -> Expr {
        let target = call.target.map(|target| self.expr(*target));
        let mut parts: Vec<Expr> = call.args.into_iter().map(|argument| self.expr(argument)).collect();
        if let Some(target) = target {
            return self.method(token, target, parts);
        }
        if self.tokens.get(token).is_some_and(|token| token.kind == lex::Kind::Open(b'(')) {
            return self.function(token, parts);
        }
        let (third, second, first) = match parts.len() {
            3 => (parts.pop(), parts.pop(), parts.pop()),
            2 => (None, parts.pop(), parts.pop()),
            _ => (None, None, parts.pop()),
        };
        let at = self.at(token);
        match (first, second, third) {
            (Some(condition), Some(a), Some(b)) => {
                Expr { at: condition.at.start..b.at.end, kind: Kind::Choice(Box::new([condition, a, b])) }
            }
            (Some(left), Some(right), None) => {
                let end = if call.func_name == operators::INDEX { self.end(token) } else { right.at.end };
                let whole = left.at.start..end;
                match binary(&call.func_name, Box::new(left), Box::new(right)) {
                    Some(kind) => Expr { at: whole, kind },
                    None => self.wrong(at, "this operator is not offered"),
                }
            }
            (Some(operand), None, None) => {
                let (whole, operand) = (at.start..operand.at.end, Box::new(operand));
                let negated = call.func_name == operators::NEGATE;
                Expr { at: whole, kind: if negated { Kind::Negate(operand) } else { Kind::Not(operand) } }
            }
            _ => self.wrong(at, "this operator is not offered"),
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
