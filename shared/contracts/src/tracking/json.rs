//! Validates JSON text in one pass and finds where its values are.
//!
//! Lazily skipping parsers guarantee less than the queue's readers require: they accept numbers beyond `f64`, unpaired
//! surrogates and any depth, and some recurse. Nothing recurses here, and `serde_json` reads every accepted text
//! without an error (a property test compares the two).
//!
//! There are two kinds of errors. Text that is not JSON is [`Malformed`]: nothing after that place can be trusted, so
//! the whole body is rejected. A value that is valid JSON but unusable is a [`Flaw`]: only the event that contains it
//! is rejected.

use super::chunk::Chunk;
use super::nesting::Open;
use super::text::unescaped;
use perennial_domain::event::MAX_TRAIT_NAME_BYTES;

pub(crate) use super::flaw::Apart;
pub use super::flaw::{Flaw, FlawKind, MAX_DEPTH, Malformed};

/// The prefix of the names by which `serde_json` recognizes its own wrappers: it reads an object with such a key as
/// something else.
const RESERVED: &str = "$serde_json::private::";

/// Walks over JSON text. Callers descend into the objects and arrays that they care for, and skip the rest.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    flaw: Option<Flaw>,
    /// `true` if anything other than ASCII, or an escape, was read.
    special: bool,
    /// `true` if a name longer than [`MAX_TRAIT_NAME_BYTES`] was read.
    long_names: bool,
}

/// The range of a string, without its quotes.
#[derive(Debug, Clone, Copy)]
struct Quoted {
    start: usize,
    end: usize,
    escaped: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, flaw: None, special: false, long_names: false }
    }

    /// The byte that comes next, from 0.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The text from byte `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Reads a value with its own depth and flaws, such as one event of a batch.
    pub(crate) fn apart<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<(T, Apart), Malformed> {
        let own = (0, None, false, false);
        let around = self.swap(own);
        let read = read(self)?;
        let (_, flaw, special, long_names) = self.swap(around);
        let apart = Apart { flaw, special, long_names };
        Ok((read, apart))
    }

    /// Exchanges what is known of the value that is being read, and returns what was known before.
    fn swap(&mut self, known: (usize, Option<Flaw>, bool, bool)) -> (usize, Option<Flaw>, bool, bool) {
        let before = (self.depth, self.flaw, self.special, self.long_names);
        (self.depth, self.flaw, self.special, self.long_names) = known;
        before
    }

    /// Returns the first byte of the next value without consuming it; `None` at the end of the text.
    pub(crate) fn peek_value(&mut self) -> Option<u8> {
        self.space();
        self.peek()
    }

    /// Checks that only white space follows.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { self.expected("the end of the body") }
    }

    /// Reads an object. `member` is called at each value and must read it.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.space();
        self.eat(b'{', "a JSON object")?;
        self.depth += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let key = self.key()?;
                let name = &self.text[key.start..key.end];
                if key.escaped {
                    member(self, &unescaped(name))?;
                } else {
                    member(self, name)?;
                }
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break self.at += 1,
                    _ => return self.expected("`,` or `}`"),
                }
                self.space();
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array. `item` is called at each value and must read it.
    pub(crate) fn array(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.space();
        self.eat(b'[', "a JSON array")?;
        self.depth += 1;
        if self.peek_value() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                match self.peek_value() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break self.at += 1,
                    _ => return self.expected("`,` or `]`"),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a value of any kind and returns its text, without the white space around it.
    pub(crate) fn value(&mut self) -> Result<&'a str, Malformed> {
        self.space();
        let start = self.at;
        let mut open = Open::default();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{') => {
                    self.at += 1;
                    self.enter(open.push(true));
                    if self.peek_value() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                Some(b'[') => {
                    self.at += 1;
                    self.enter(open.push(false));
                    if self.peek_value() != Some(b']') {
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal("true")?,
                Some(b'f') => self.literal("false")?,
                Some(b'n') => self.literal("null")?,
                _ => return self.expected("a JSON value"),
            }
            // A value has ended, and with it perhaps those around it.
            loop {
                let Some(in_object) = open.innermost() else { return Ok(self.since(start)) };
                match (self.peek_value(), in_object) {
                    (Some(b','), in_object) => {
                        self.at += 1;
                        self.space();
                        if in_object {
                            self.key()?;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        open.pop();
                    }
                    (_, true) => return self.expected("`,` or `}`"),
                    (_, false) => return self.expected("`,` or `]`"),
                }
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, expected })
    }

    #[inline]
    fn eat(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.expected(expected)
        }
    }

    fn enter(&mut self, depth: usize) {
        if self.depth + depth > MAX_DEPTH {
            self.mark(FlawKind::TooDeep, self.at - 1);
        }
    }

    fn mark(&mut self, kind: FlawKind, at: usize) {
        self.flaw.get_or_insert(Flaw { kind, at });
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), Malformed> {
        if self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.at += literal.len();
            Ok(())
        } else {
            self.expected("a JSON value")
        }
    }

    /// Reads a member's name and its colon.
    #[inline]
    fn key(&mut self) -> Result<Quoted, Malformed> {
        if self.peek() != Some(b'"') {
            return self.expected("a name in quotes");
        }
        let key = self.string()?;
        let name = &self.text[key.start..key.end];
        self.long_names |= name.len() > MAX_TRAIT_NAME_BYTES;
        if name.starts_with(RESERVED) || (key.escaped && unescaped(name).starts_with(RESERVED)) {
            self.mark(FlawKind::ReservedName, key.start - 1);
        }
        self.space();
        self.eat(b':', "`:`")?;
        self.space();
        Ok(key)
    }

    /// A string that begins here.
    fn string(&mut self) -> Result<Quoted, Malformed> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        let mut ascii = true;
        let ended = loop {
            while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
                let chunk = Chunk::of(*chunk);
                ascii &= chunk.ascii;
                at += chunk.plain;
                if chunk.plain < 8 {
                    break;
                }
            }
            match bytes.get(at) {
                Some(b'"') => break Ok(Quoted { start, end: at, escaped }),
                Some(b'\\') => {
                    escaped = true;
                    self.at = at;
                    self.escape()?;
                    at = self.at;
                }
                Some(0..0x20) => break Err("a string without raw control characters"),
                Some(byte) => {
                    ascii &= byte.is_ascii();
                    at += 1;
                }
                None => break Err("the end of a string"),
            }
        };
        self.special |= escaped | !ascii;
        self.at = at;
        match ended {
            Ok(quoted) => {
                self.at += 1;
                Ok(quoted)
            }
            Err(expected) => self.expected(expected),
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let unit = self.unit()?;
                match unit {
                    0xD800..=0xDBFF if self.text.as_bytes()[self.at..].starts_with(b"\\u") => {
                        let second = self.at;
                        self.at += 1;
                        if !(0xDC00..=0xDFFF).contains(&self.unit()?) {
                            // It may begin another pair.
                            self.at = second;
                            self.mark(FlawKind::LoneSurrogate, start);
                        }
                    }
                    0xD800..=0xDFFF => self.mark(FlawKind::LoneSurrogate, start),
                    _ => {}
                }
                Ok(())
            }
            _ => self.expected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"),
        }
    }

    /// The `uXXXX` of an escape.
    fn unit(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let unit = digits.and_then(|digits| {
            digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
        });
        match unit {
            Some(unit) => {
                self.at += 5;
                Ok(unit)
            }
            None => self.expected("four hexadecimal digits after \\u"),
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        // Below this no decimal without an exponent reaches the end of a double's range.
        const SURELY_FINITE: usize = 300;
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.expected("a digit"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        // Only the number parser decides whether it is in range.
        if (exponent || self.at - start > SURELY_FINITE)
            && serde_json::from_str::<serde_json::Value>(self.since(start)).is_err()
        {
            self.mark(FlawKind::NumberRange, start);
        }
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Malformed> {
        if let Some(b'0'..=b'9') = self.peek() {
            self.digits();
            Ok(())
        } else {
            self.expected("a digit")
        }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
