//! Tokens with their positions.
//!
//! The parser of crate `cel` reports the position of a node's operator and names tokens by its grammar's rules. To
//! report every error at its own position in plain words, this lexer runs first; the tokens are CEL's.

use super::CelError;
use std::ops::Range;

/// The kind of a token, as far as the order of tokens is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, or a word in its place.
    Name,
    /// A number, a text, `true`, `false` or `null`.
    Literal,
    /// An operator between two values that `&&` and `||` bind looser than.
    Operator,
    /// `&&` or `||`.
    Logic,
    /// `-`: between two values or before one.
    Minus,
    /// `!`.
    Not,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `,`.
    Comma,
    /// `.`.
    Dot,
    /// `?`.
    Question,
    /// `:`.
    Colon,
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

/// Splits `source` into tokens. An invalid token is reported and replaced with the likely intended one, so that the
/// rest can be checked too.
pub(super) fn lex(source: &str, errors: &mut Vec<CelError>) -> Vec<Token> {
    let mut lexer = Lexer { source, at: 0, errors };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    errors: &'a mut Vec<CelError>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take_while(&mut self, more: impl Fn(u8) -> bool) {
        while self.at < self.source.len() && more(self.peek(0)) {
            self.at += 1;
        }
    }

    fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.errors.push(CelError::new(at, message));
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            self.take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0c));
            if !self.rest().starts_with("//") {
                break;
            }
            self.take_while(|b| b != b'\n');
        }
        let from = self.at;
        let kind = match self.rest().chars().next()? {
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            '0'..='9' => self.number(),
            '.' if self.peek(1).is_ascii_digit() => self.number(),
            '"' | '\'' => self.text(false),
            _ => self.symbol(),
        };
        Some(Token { kind, at: from..self.at })
    }

    fn word(&mut self) -> Kind {
        let from = self.at;
        self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        let word = &self.source[from..self.at];
        let quoted = matches!(self.peek(0), b'"' | b'\'');
        match word {
            "r" | "R" if quoted => self.text(true),
            "b" | "B" | "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB" if quoted => {
                let raw = word.len() == 2;
                self.text(raw);
                self.wrong(from..self.at, "bytes are not offered: write a text, without the `b`");
                Kind::Literal
            }
            "true" | "false" | "null" => Kind::Literal,
            "in" => Kind::Operator,
            _ => Kind::Name,
        }
    }

    /// A number as CEL writes it: `14`, `0x0e`, `0.5`, `.5`, `1e3`.
    fn number(&mut self) -> Kind {
        let from = self.at;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            self.at += 2;
            self.take_while(|b| b.is_ascii_hexdigit());
        } else {
            self.take_while(|b| b.is_ascii_digit());
            if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
                self.at += 1;
                self.take_while(|b| b.is_ascii_digit());
            }
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.take_while(|b| b.is_ascii_digit());
            }
        }
        let end = self.at;
        self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        let (digits, tail) = (&self.source[from..end], &self.source[end..self.at]);
        let message = match tail {
            "" => too_large(digits),
            "u" | "U" => Some(format!("numbers without a sign are not offered: write `{digits}`")),
            _ => Some(format!("`{digits}{tail}` is no number: write it with digits alone, such as `1000` or `0.5`")),
        };
        if let Some(message) = message {
            self.wrong(from..self.at, message);
        }
        Kind::Literal
    }

    /// A text from its opening quote: `"…"`, `'…'`, or in three quotes, where it may have lines.
    fn text(&mut self, raw: bool) -> Kind {
        let from = self.at;
        let quote = self.peek(0);
        let three = self.peek(1) == quote && self.peek(2) == quote;
        let width = if three { 3 } else { 1 };
        self.at += width;
        while let Some(c) = self.rest().chars().next() {
            if (0..width).all(|ahead| self.peek(ahead) == quote) {
                self.at += width;
                return Kind::Literal;
            }
            match c {
                '\\' if !raw => self.escape(),
                '\n' | '\r' if !three => break,
                _ => self.at += c.len_utf8(),
            }
        }
        let close = char::from(quote).to_string().repeat(width);
        self.wrong(from..self.at, format!("the text does not end: a closing `{close}` is missing"));
        Kind::Literal
    }

    /// An escape within a text, from its backslash.
    fn escape(&mut self) {
        let from = self.at;
        let digits = match self.peek(1) {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'?' | b'"' | b'\'' | b'`' => Some((1, 16)),
            b'x' | b'X' => Some((3, 16)),
            b'u' => Some((5, 16)),
            b'U' => Some((9, 16)),
            b'0'..=b'3' => Some((3, 8)),
            _ => None,
        };
        let known = digits.is_some_and(|(width, radix)| {
            let skipped = if radix == 8 { 1 } else { 2 };
            let digits = self.source.get(from + skipped..from + 1 + width);
            width == 1 || digits.is_some_and(|digits| stands_for_a_character(digits, radix))
        });
        match (known, digits) {
            (true, Some((width, _))) => self.at += 1 + width,
            _ => {
                self.at += 1 + self.rest().chars().nth(1).map_or(0, char::len_utf8);
                let written = &self.source[from..self.at];
                let message = format!(
                    "`{written}` is no escape in a text: write `\\\\` for a backslash, or put an `r` before the text"
                );
                self.wrong(from..self.at, message);
            }
        }
    }

    fn symbol(&mut self) -> Kind {
        let from = self.at;
        // Operators of other languages, longest first.
        const FOREIGN: [(&str, Kind, &str); 9] = [
            ("===", Kind::Operator, "`===` is no operator: write `==`"),
            ("!==", Kind::Operator, "`!==` is no operator: write `!=`"),
            ("<>", Kind::Operator, "`<>` is no operator: write `!=`"),
            ("=>", Kind::Operator, "`=>` is no operator: write `>=`"),
            ("=<", Kind::Operator, "`=<` is no operator: write `<=`"),
            ("=~", Kind::Operator, "`=~` is no operator: write `.matches(\"…\")`"),
            ("**", Kind::Operator, "`**` is no operator: write a product"),
            ("??", Kind::Operator, "`??` is no operator: write `has(x.key) ? x.key : …`"),
            ("?.", Kind::Dot, "`?.` is not offered: write `has(x.key) ? x.key : …`"),
        ];
        const OWN: [(&str, Kind); 25] = [
            ("==", Kind::Operator),
            ("!=", Kind::Operator),
            ("<=", Kind::Operator),
            (">=", Kind::Operator),
            ("&&", Kind::Logic),
            ("||", Kind::Logic),
            ("<", Kind::Operator),
            (">", Kind::Operator),
            ("+", Kind::Operator),
            ("*", Kind::Operator),
            ("/", Kind::Operator),
            ("%", Kind::Operator),
            ("-", Kind::Minus),
            ("!", Kind::Not),
            ("(", Kind::Open(b'(')),
            ("[", Kind::Open(b'[')),
            ("{", Kind::Open(b'{')),
            (")", Kind::Close(b')')),
            ("]", Kind::Close(b']')),
            ("}", Kind::Close(b'}')),
            (",", Kind::Comma),
            (".", Kind::Dot),
            ("?", Kind::Question),
            (":", Kind::Colon),
            (";", Kind::Comma),
        ];
        let foreign = FOREIGN.iter().find(|(text, ..)| self.rest().starts_with(text));
        // `a ?.5 : 1` is a choice.
        let foreign = foreign.filter(|(text, ..)| *text != "?." || !self.peek(2).is_ascii_digit());
        if let Some((text, kind, message)) = foreign {
            self.at += text.len();
            self.wrong(from..self.at, *message);
            return *kind;
        }
        if let Some((text, kind)) = OWN.iter().find(|(text, _)| self.rest().starts_with(text)) {
            self.at += text.len();
            if *text == ";" {
                self.wrong(from..self.at, "`;` is not part of the language: a condition is one expression");
            }
            return *kind;
        }
        let c = self.rest().chars().next().unwrap_or(' ');
        self.at += c.len_utf8();
        let (kind, message) = match c {
            '=' => (Kind::Operator, "`=` assigns, and conditions only ask: write `==`".to_owned()),
            '&' => (Kind::Logic, "`&` is no operator: write `&&`".to_owned()),
            '|' => (Kind::Logic, "`|` is no operator: write `||`".to_owned()),
            '`' => (Kind::Literal, "names in backticks are not offered: write `properties[\"first name\"]`".to_owned()),
            '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»' => {
                (Kind::Literal, format!("`{c}` opens no text: texts stand in straight quotes, `\"…\"` or `'…'`"))
            }
            '≤' => (Kind::Operator, "`≤` is no operator: write `<=`".to_owned()),
            '≥' => (Kind::Operator, "`≥` is no operator: write `>=`".to_owned()),
            '≠' => (Kind::Operator, "`≠` is no operator: write `!=`".to_owned()),
            '×' => (Kind::Operator, "`×` is no operator: write `*`".to_owned()),
            c => (Kind::Name, format!("{c:?} is not part of the language: names have letters a to z, digits and `_`")),
        };
        self.wrong(from..self.at, message);
        kind
    }
}

/// Returns the error for a number that its type cannot represent. The lowest integer is written with its sign, so its
/// digits alone may exceed the largest by one.
fn too_large(digits: &str) -> Option<String> {
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let fits = u64::from_str_radix(hex, 16).is_ok_and(|n| n <= 1 << 63);
        return (!fits).then(|| format!("`{digits}` is no whole number of 64 bits"));
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let fits = digits.parse::<u64>().is_ok_and(|n| n <= 1 << 63);
        return (!fits).then(|| format!("`{digits}` is too large: whole numbers end at 9223372036854775807"));
    }
    let fits = digits.parse::<f64>().is_ok_and(f64::is_finite);
    (!fits).then(|| format!("`{digits}` is too large"))
}

/// Returns whether the digits of an escape are digits, and the number of a character.
fn stands_for_a_character(digits: &str, radix: u32) -> bool {
    digits.chars().all(|c| c.is_digit(radix))
        && u32::from_str_radix(digits, radix).is_ok_and(|n| char::from_u32(n).is_some())
}
