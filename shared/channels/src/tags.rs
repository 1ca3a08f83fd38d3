//! The tags of a template, found in its text: also in one that does not compile.

/// The kind of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{{ … }}`
    Print,
    /// `{{{ … }}}`, which is Handlebars'.
    Triple,
    /// `{% … %}`
    Block,
}

/// A tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'a> {
    pub(crate) kind: Kind,
    /// The text between the brackets, trimmed.
    pub(crate) inner: &'a str,
    /// The whole tag.
    pub(crate) raw: &'a str,
    /// Its start in the text, in bytes.
    pub(crate) begin: usize,
    /// The start of `inner` in the text, in bytes.
    at: usize,
}

/// A token of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A name with its members: `person.first_name`.
    Path(&'a str),
    /// A text in quotes, or a number.
    Literal(&'a str),
    /// Anything else: one sign, or two that belong together.
    Sign(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn text(self) -> &'a str {
        match self {
            Self::Path(text) | Self::Literal(text) | Self::Sign(text) => text,
        }
    }
}

/// Keywords, which are not names.
pub(crate) const WORDS: [&str; 19] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "for",
    "set",
    "with",
    "recursive",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "loop",
];

impl<'a> Tag<'a> {
    /// Returns the start of `part`, a part of this tag, in the text, in bytes.
    pub(crate) fn place_of(&self, part: &str) -> usize {
        let offset = (part.as_ptr() as usize).checked_sub(self.inner.as_ptr() as usize);
        self.at + offset.filter(|offset| *offset <= self.inner.len()).unwrap_or(0)
    }

    /// Returns the first word.
    pub(crate) fn word(&self) -> Option<&'a str> {
        let end = self.inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.inner.len());
        self.inner.get(..end).filter(|word| !word.is_empty())
    }

    /// Returns the names of its filters.
    pub(crate) fn filters(&self) -> Vec<&'a str> {
        let tokens = tokens(self.inner);
        let mut found: Vec<&str> = tokens
            .windows(2)
            .filter_map(|pair| match pair {
                [Token::Sign("|"), Token::Path(name)] => Some(*name),
                _ => None,
            })
            .collect();
        if let (Some("filter"), Some(Token::Path(name))) = (self.word(), tokens.get(1)) {
            found.push(name);
        }
        found
    }

    /// Returns the names of its tests, after `is` and `is not`.
    pub(crate) fn tests(&self) -> Vec<&'a str> {
        let tokens = tokens(self.inner);
        let after_is = tokens.iter().enumerate().filter(|(_, token)| **token == Token::Path("is"));
        let named = after_is.filter_map(|(at, _)| match (tokens.get(at + 1)?, tokens.get(at + 2)) {
            (Token::Path("not"), Some(Token::Path(name))) => Some(*name),
            (Token::Path(name), _) if *name != "not" => Some(*name),
            _ => None,
        });
        named.collect()
    }

    /// Returns the names that it looks up, with their members; names of filters, tests and arguments are left out.
    pub(crate) fn paths(&self) -> Vec<&'a str> {
        let tokens = tokens(self.inner);
        let skip = usize::from(self.kind == Kind::Block);
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate().skip(skip) {
            let Token::Path(path) = token else { continue };
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            let after = tokens.get(at + 1);
            let is_filter = before == Some(&Token::Sign("|"));
            let is_test = matches!(before, Some(Token::Path("is")));
            let is_argument = after == Some(&Token::Sign("=")) && self.word() != Some("set");
            if !is_filter && !is_test && !is_argument && !WORDS.contains(path) {
                found.push(*path);
            }
        }
        found
    }
}

/// Returns all tags of `source`, in order. Comments and `raw` blocks contain none.
pub(crate) fn of(source: &str) -> Vec<Tag<'_>> {
    scan(source).0
}

/// The text between tags, with where each piece begins. Comments, and what `raw` protects, are none of it.
pub(crate) fn texts(source: &str) -> Vec<(usize, &str)> {
    scan(source).1
}

fn scan(source: &str) -> (Vec<Tag<'_>>, Vec<(usize, &str)>) {
    let (mut found, mut texts) = (Vec::new(), Vec::new());
    // The start of the text after the last tag.
    let mut text = 0;
    let mut at = 0;
    let mut raw = false;
    while let Some(begin) = source.get(at..).and_then(|rest| rest.find('{')).map(|next| at + next) {
        at = begin;
        let rest = &source[begin..];
        let (kind, open, close) = match rest.as_bytes() {
            [b'{', b'#', ..] => {
                if !raw {
                    texts.push((text, &source[text..begin]));
                }
                at += rest.find("#}").map_or(rest.len(), |end| end + 2);
                text = at;
                continue;
            }
            [b'{', b'{', b'{', ..] if is_triple(rest) => (Kind::Triple, 3, "}}}"),
            [b'{', b'{', ..] => (Kind::Print, 2, "}}"),
            [b'{', b'%', ..] => (Kind::Block, 2, "%}"),
            _ => {
                at += 1;
                continue;
            }
        };
        let Some(end) = find_outside_quotes(&rest[open..], close) else { break };
        let between = &rest[open..open + end];
        let inner = between.trim_start_matches(['-', '+', '~']).trim_end_matches(['-', '+', '~']).trim();
        let offset = between.find(inner).unwrap_or(0);
        let tag = Tag { kind, inner, raw: &rest[..open + end + close.len()], begin, at: begin + open + offset };
        let word = if kind == Kind::Block { tag.word() } else { None };
        match word {
            Some("endraw") => raw = false,
            Some("raw") if !raw => raw = true,
            _ if !raw => {}
            _ => {
                at += tag.raw.len();
                text = at;
                continue;
            }
        }
        if word != Some("endraw") {
            texts.push((text, &source[text..begin]));
        }
        if !matches!(word, Some("raw" | "endraw")) {
            found.push(tag);
        }
        at += tag.raw.len();
        text = at;
    }
    texts.extend(source.get(text..).filter(|_| !raw).map(|rest| (text, rest)));
    (found, texts)
}

/// Returns whether three brackets are Handlebars'; a printed expression may also begin with an object, as in `{{{"a":
/// 1}|length}}`.
fn is_triple(text: &str) -> bool {
    let inner = text[3..].find("}}}").map(|end| text[3..3 + end].trim());
    inner.is_some_and(|inner| inner.chars().all(|c| c.is_alphanumeric() || " _.@#/~-".contains(c)))
}

/// Returns the position of `close` in `text`, outside quotes. A quote that is never closed is an apostrophe.
fn find_outside_quotes(text: &str, close: &str) -> Option<usize> {
    let plain = text.find(close)?;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, _) if text[at..].starts_with(close) => return Some(at),
            (None, '\n') if at > plain => return Some(plain),
            _ => {}
        }
    }
    Some(plain)
}

/// Splits an expression into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    while let Some((at, c)) = rest.next() {
        let mut until = |keep: &dyn Fn(usize, char) -> bool| {
            let mut end = at + c.len_utf8();
            while let Some((next, c)) = rest.next_if(|(next, c)| keep(*next, *c)) {
                end = next + c.len_utf8();
            }
            end
        };
        if c.is_whitespace() {
            continue;
        }
        if c == '"' || c == '\'' {
            let end = text[at + 1..].find(c).map_or(text.len(), |end| at + 1 + end + 1);
            let end = until(&|next, _| next < end).max(end.min(text.len()));
            found.push(Token::Literal(&text[at..end]));
        } else if c.is_ascii_digit() {
            let end = until(&|_, c| c.is_ascii_digit() || c == '.');
            found.push(Token::Literal(&text[at..end]));
        } else if is_name(c) || c == '@' {
            // A dot belongs to a name only between two of them.
            let dotted = |next: usize| text[next + 1..].chars().next().is_some_and(is_name);
            let end = until(&|next, c| is_name(c) || (c == '.' && dotted(next)));
            found.push(Token::Path(&text[at..end]));
        } else {
            let pair =
                ["==", "!=", "<=", ">=", "&&", "||", "//", "**", ".."].iter().any(|pair| text[at..].starts_with(pair));
            let end = until(&|next, _| pair && next < at + 2);
            found.push(Token::Sign(&text[at..end]));
        }
    }
    found
}

/// `source` with `note(number)` around everything that it prints, and what each of them prints.
pub(crate) fn shown(source: &str, first: usize, note: &str) -> (String, Vec<String>) {
    let (mut out, mut names, mut done) = (String::new(), Vec::new(), 0);
    for tag in of(source).iter().filter(|tag| tag.kind == Kind::Print) {
        out.push_str(&source[done..tag.at]);
        out.push_str(&format!("({})|{note}({})", tag.inner, first + names.len()));
        done = tag.at + tag.inner.len();
        names.push(tag.inner.to_owned());
    }
    out.push_str(&source[done..]);
    (out, names)
}
/// Returns the content of a template's tags.
pub(crate) fn tags_of(source: &str) -> impl Iterator<Item = &str> {
    of(source).into_iter().map(|tag| tag.inner)
}
