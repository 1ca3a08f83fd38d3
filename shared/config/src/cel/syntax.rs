//! Checks the order of tokens and reports every error in plain words.
//!
//! The grammar is one of operators and brackets, so a single pass that knows whether a value or an operator comes next
//! finds every error without a tree or recursion. It also limits the tree's height before anything recursive processes
//! the source.

mod brackets;

use self::brackets::{Bracket, Frame};
use super::CelError;
use super::lex::{Kind, Token};
use std::ops::Range;

/// The longest source, in bytes.
pub const MAX_BYTES: usize = 8192;
/// The deepest nesting of brackets.
pub const MAX_NESTING: usize = 32;
/// The most `?` in a condition.
const MAX_CHOICES: usize = 32;
/// The highest tree: brackets, signs, and operators in a row.
pub const MAX_HEIGHT: usize = 200;

/// A number that is an integer only with a minus before it.
const LOWEST: u64 = 1 << 63;

/// Words that CEL keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Reports every position where the tokens are not an expression, and returns the tokens without grouping brackets,
/// which trees do not have.
pub(super) fn check(source: &str, tokens: &[Token], errors: &mut Vec<CelError>) -> Vec<Token> {
    let mut checker = Checker {
        source,
        tokens,
        errors,
        groups: vec![false; tokens.len()],
        frames: vec![Frame { bracket: Bracket::Whole, opened: 0, choices: Vec::new(), term: 0, highest: 0, logic: 0 }],
        choices: 0,
        signs: 0,
        told_of_height: false,
    };
    checker.run();
    let groups = checker.groups;
    tokens.iter().zip(groups).filter(|(_, groups)| !groups).map(|(token, _)| token.clone()).collect()
}

struct Checker<'a> {
    source: &'a str,
    tokens: &'a [Token],
    errors: &'a mut Vec<CelError>,
    /// Which tokens are brackets that only group.
    groups: Vec<bool>,
    frames: Vec<Frame>,
    choices: usize,
    signs: usize,
    told_of_height: bool,
}

impl Checker<'_> {
    fn run(&mut self) {
        let mut value_next = true;
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            value_next = if value_next { self.value(at, token.kind) } else { self.operator(at, token.kind) };
            // A key after a dot belongs to it, and so does a word that was meant as one.
            at += if token.kind == Kind::Dot && !value_next && self.is_word(at + 1) { 2 } else { 1 };
        }
        let end = self.source.len();
        if value_next {
            let message = match self.tokens.last() {
                None => "the condition is empty".to_owned(),
                Some(last) => format!("a value is missing after `{}`", self.text(&last.at)),
            };
            self.wrong(end..end, message);
        }
        while let Some(frame) = self.frames.pop() {
            self.end_choices(&frame);
            if frame.bracket != Bracket::Whole {
                let at = self.at(frame.opened);
                let message = format!("`{}` is not closed", self.text(&at));
                self.wrong(at, message);
            }
        }
    }

    /// A token where a value has to come. Whether one still has to.
    fn value(&mut self, at: usize, kind: Kind) -> bool {
        match kind {
            Kind::Literal => self.literal(at),
            Kind::Name => self.name(at),
            Kind::Minus | Kind::Not => self.sign(at, kind),
            Kind::Open(b'(') => self.open(at, Bracket::Group),
            Kind::Open(b'[') => self.open(at, Bracket::List),
            Kind::Open(_) => {
                self.wrong(self.at(at), "maps cannot be written: a list is `[\"a\", \"b\"]`");
                self.open(at, Bracket::Map)
            }
            Kind::Close(_) if self.may_be_empty(at) => self.close(at),
            Kind::Close(_) => {
                self.missing_value(at);
                self.close(at)
            }
            _ => {
                self.missing_value(at);
                self.operator(at, kind)
            }
        }
    }

    /// A token where a value stands already. Whether one has to come next.
    fn operator(&mut self, at: usize, kind: Kind) -> bool {
        match kind {
            Kind::Operator | Kind::Minus => self.link(at),
            Kind::Logic => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.logic += 1;
                }
                self.end_term()
            }
            Kind::Dot => {
                self.key(at);
                self.link(at);
                false
            }
            Kind::Open(b'(') => {
                if at.checked_sub(1).is_some_and(|before| self.tokens[before].kind != Kind::Name) {
                    self.wrong(self.at(at), "an operator is missing before `(`");
                }
                self.link(at);
                self.open(at, Bracket::Call)
            }
            Kind::Open(b'[') => {
                self.link(at);
                self.open(at, Bracket::Index)
            }
            Kind::Open(_) => {
                self.wrong(self.at(at), "messages and maps cannot be written");
                self.open(at, Bracket::Map)
            }
            Kind::Close(_) => self.close(at),
            Kind::Question => self.choose(at),
            Kind::Colon => self.otherwise(at),
            Kind::Comma => self.comma(at),
            Kind::Literal | Kind::Name | Kind::Not => self.no_operator(at, kind),
        }
    }

    fn sign(&mut self, at: usize, kind: Kind) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.kind(before));
        if self.signs > 0 && before != Some(kind) {
            self.wrong(self.at(at), "`!` and `-` cannot follow each other: put what is negated in brackets");
        }
        self.signs += 1;
        true
    }

    fn literal(&mut self, at: usize) -> bool {
        let place = self.at(at);
        let digits = self.text(&place);
        let lowest = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16) == Ok(LOWEST),
            None => digits.parse() == Ok(LOWEST),
        };
        let negative = self.signs == 1 && at.checked_sub(1).and_then(|before| self.kind(before)) == Some(Kind::Minus);
        if lowest && !negative {
            let message = format!("`{digits}` is too large: whole numbers end at {}", i64::MAX);
            self.wrong(place, message);
        }
        self.found_value(1)
    }

    fn name(&mut self, at: usize) -> bool {
        let word = self.text(&self.at(at)).to_owned();
        let value_follows = matches!(self.kind(at + 1), Some(Kind::Name | Kind::Literal));
        if value_follows && word.eq_ignore_ascii_case("not") {
            self.wrong(self.at(at), format!("`{word}` is no operator: write `!`"));
            return true;
        }
        if RESERVED.contains(&word.as_str()) {
            self.wrong(self.at(at), format!("`{word}` is a word that CEL keeps for itself: it cannot be a name"));
        }
        self.found_value(1)
    }

    /// A value follows a value.
    fn no_operator(&mut self, at: usize, kind: Kind) -> bool {
        let place = self.at(at);
        let word = self.text(&place).to_owned();
        let instead = match word.to_ascii_lowercase().as_str() {
            "and" => Some("`&&`"),
            "or" => Some("`||`"),
            "is" | "eq" | "equals" => Some("`==`"),
            "contains" => Some("`.contains(\"…\")`"),
            "matches" => Some("`.matches(\"…\")`"),
            "not" => Some("`!` before the whole, such as `!(x in [\"a\", \"b\"])`"),
            _ => None,
        };
        match instead {
            Some(instead) if kind == Kind::Name => {
                self.wrong(place, format!("`{word}` is no operator: write {instead}"));
                self.end_term()
            }
            _ => {
                self.wrong(place, format!("an operator is missing before `{word}`, such as `==` or `&&`"));
                kind == Kind::Not || self.found_value(1)
            }
        }
    }

    /// The key after a dot.
    fn key(&mut self, at: usize) {
        if self.is_name(at + 1) {
            return;
        }
        let here = self.at(at);
        let message = match self.kind(at + 1) {
            Some(Kind::Literal | Kind::Operator) => {
                let next = self.text(&self.at(at + 1)).to_owned();
                let key = next.trim_matches(['"', '\'']).to_owned();
                format!("`{next}` cannot stand after a dot: write `[\"{key}\"]` instead")
            }
            _ => "a key is missing after the dot, such as `properties.plan`".to_owned(),
        };
        self.wrong(here, message);
    }

    /// An operator, a key, a call or an index makes the tree one higher.
    fn link(&mut self, at: usize) -> bool {
        if let Some(frame) = self.frames.last_mut() {
            frame.term += 1;
        }
        self.limit_height(at);
        true
    }

    fn end_term(&mut self) -> bool {
        if let Some(frame) = self.frames.last_mut() {
            frame.end_term();
        }
        true
    }

    /// A value of this height is complete, with the signs that stand before it. No other has to come.
    fn found_value(&mut self, height: usize) -> bool {
        let height = height + std::mem::take(&mut self.signs);
        if let Some(frame) = self.frames.last_mut() {
            frame.term = frame.term.max(height);
        }
        false
    }

    fn missing_value(&mut self, at: usize) {
        let place = self.at(at);
        let message = format!("a value is missing before `{}`", self.text(&place));
        self.signs = 0;
        self.wrong(place, message);
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn is_name(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Name)
    }

    /// Returns whether the token consists of letters.
    fn is_word(&self, at: usize) -> bool {
        self.kind(at).is_some() && self.text(&self.at(at)).starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    }

    fn at(&self, at: usize) -> Range<usize> {
        self.tokens.get(at).map_or(self.source.len()..self.source.len(), |token| token.at.clone())
    }

    fn text(&self, at: &Range<usize>) -> &str {
        self.source.get(at.clone()).unwrap_or_default()
    }

    fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.errors.push(CelError::new(at, message));
    }
}
