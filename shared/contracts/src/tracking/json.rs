//! One pass over JSON text that checks it and finds where its values are.
//!
//! Lazily skipping parsers promise less than the queue's readers demand: they pass numbers beyond `f64`, halves of
//! surrogate pairs and any depth, and some recurse with it. Here nothing recurses, and what is passed is read by
//! `serde_json` without an error (a property test holds the two together).
//!
//! Two kinds of wrong are told apart. Text that is no JSON is [`Malformed`]: nothing after that place can be trusted, so
//! the whole body is refused. A value that is JSON and yet of no use is a [`Flaw`]: only the event that holds it is.

use super::text::unquoted;

/// How deep an event's objects and arrays may be nested, the event's own object included.
pub const MAX_DEPTH: usize = 32;

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Malformed {
    /// The byte at which it stops being JSON, from 0.
    pub at: usize,
    /// What should be there.
    pub expected: &'static str,
}

/// Why a value is of no use though it is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// `\ud83d` without its other half, or the other way round: no text.
    LoneSurrogate,
    /// A number beyond the range of a double.
    NumberRange,
}

/// A flaw and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// The byte at which it is, from 0.
    pub at: usize,
}

/// Walks over JSON text. Callers descend into the objects and arrays that they care for, and skip the rest.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    flaw: Option<Flaw>,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, flaw: None }
    }

    /// The byte that comes next, from 0.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The text from byte `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Reads something whose depth and flaws are its own, such as one event of a batch; gives its first flaw too.
    pub(crate) fn apart<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<(T, Option<Flaw>), Malformed> {
        let around = (std::mem::take(&mut self.depth), self.flaw.take());
        let read = read(self)?;
        let flaw = self.flaw.take();
        (self.depth, self.flaw) = around;
        Ok((read, flaw))
    }

    /// The first byte of the value that comes next, which is left for its reader; `None` at the end of the text.
    pub(crate) fn peek_value(&mut self) -> Option<u8> {
        self.space();
        self.peek()
    }

    /// Nothing but white space may follow.
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
                member(self, &unquoted(key))?;
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
    pub(crate) fn array(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
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

    /// Reads a value of any kind and gives its text, without the white space around it.
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

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, expected })
    }

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

    /// A member's name and its colon; gives the name in its quotes.
    fn key(&mut self) -> Result<&'a str, Malformed> {
        if self.peek() != Some(b'"') {
            return self.expected("a name in quotes");
        }
        let key = self.string()?;
        self.space();
        self.eat(b':', "`:`")?;
        self.space();
        Ok(key)
    }

    /// A string that begins here; gives it with its quotes.
    fn string(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        self.at += 1;
        loop {
            while let Some(chunk) = self.text.as_bytes()[self.at..].first_chunk::<8>() {
                match plain_bytes(*chunk) {
                    8 => self.at += 8,
                    plain => {
                        self.at += plain;
                        break;
                    }
                }
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.since(start));
                }
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return self.expected("a string without raw control characters"),
                Some(_) => self.at += 1,
                None => return self.expected("the end of a string"),
            }
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
                            // It may begin a pair of its own.
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
        // Whether it is in range is the reader's own word.
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

/// Which objects (1) and arrays (0) are open, the innermost in the lowest bit; any number of them.
#[derive(Debug, Default)]
struct Open {
    bits: u64,
    depth: usize,
    outer: Vec<u64>,
}

impl Open {
    /// Opens one and gives how many are open.
    fn push(&mut self, object: bool) -> usize {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
        self.depth
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or_default();
        }
    }

    const fn innermost(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.bits & 1 == 1) }
    }
}

/// How many of these bytes come before the first quote, backslash or control character; 8 if all do. One word at a
/// time: <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>, whose lowest hit is exact.
const fn plain_bytes(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let word = u64::from_le_bytes(bytes);
    let quotes = zeros(word ^ (ONES * b'"' as u64));
    let backslashes = zeros(word ^ (ONES * b'\\' as u64));
    let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    (quotes | backslashes | controls).trailing_zeros() as usize / 8
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
