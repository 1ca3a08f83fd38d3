//! Matches job titles by what a person is: `Group CFO` and `CFO & Co-Founder` are a chief financial officer's,
//! `Assistant to the CFO` is not.
//!
//! A title is read as words. A pattern such as `cfo` or `chief * officer` matches a sequence of its words, unless the
//! words around it mean that the title is another person's (`to the CFO`, `CFO's office`), an assistant's (`EA, CFO`),
//! or not held now (`former CFO`, `deputy CFO`, `CFO designate`).

mod words;

use serde::{Deserialize, Serialize};
use words::{AFTER, AFTER_CHIEF, AFTER_FIELD, BESIDE, HEADS, HELPERS, LESSER, OF, PAST, TO, WIDTH};

/// The most words of a title that are looked at.
const MAX_WORDS: usize = 40;
/// The most words that `*` matches.
const MAX_GAP: usize = 3;

/// A job title, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `and`, `&`, `/`: what stands on both sides belongs together.
    Join,
    /// A comma, a bar, a bracket: something new begins.
    Break,
}

/// Words that are looked for in a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    words: Vec<Wanted>,
    /// `true` if it is a chief officer's title.
    is_chief: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Wanted {
    Word(String),
    Prefix(String),
    /// One to [`MAX_GAP`] words.
    Gap,
}

/// The kind of title that a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A position: `cfo`.
    Position,
    /// A field of work: `security`, held by its head as well as by those who work in it.
    Field,
    /// A field that matches only for its head: `finance` of the `VP, Finance` and of the `Finance Director`.
    Head,
}

/// A company's own words that mean that a title is another person's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherWords {
    /// Before the title, in lower case.
    pub before: Vec<String>,
    /// After it, in lower case.
    pub after: Vec<String>,
}

impl Title {
    /// Parses a title; any text is valid.
    pub fn parse(text: &str) -> Self {
        let text = text.to_lowercase().replace(['’', '‘', '`', '´'], "'");
        let mut tokens = Vec::new();
        for piece in text.split_whitespace() {
            if matches!(piece, "-" | "–" | "—") {
                tokens.push(Token::Break);
                continue;
            }
            push(piece, &mut tokens);
            if tokens.len() > MAX_WORDS {
                break;
            }
        }
        Self(tokens)
    }

    /// Returns whether the title matches the pattern.
    pub fn holds(&self, pattern: &Pattern, kind: Kind, others: &OtherWords) -> bool {
        (0..self.0.len()).any(|start| {
            let Some(end) = pattern.end_at(&self.0, start) else { return false };
            let is_own =
                |start, end| self.is_own_before(start, kind, others) && self.is_own_after(end, pattern, others);
            match kind {
                Kind::Position | Kind::Field => is_own(start, end),
                Kind::Head => {
                    let before = self.head_before(start).filter(|_| !self.goes_on(end));
                    before.is_some_and(|start| is_own(start, end))
                        || self.head_after(end).is_some_and(|end| is_own(start, end))
                }
            }
        })
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.0.get(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Returns whether the word at `at` is a head's.
    fn is_head(&self, at: usize) -> bool {
        let is_vice = || at.checked_sub(1).and_then(|before| self.word(before)) == Some("vice");
        self.word(at).is_some_and(|word| HEADS.contains(&word) && (word != "president" || is_vice()))
    }

    /// Returns where a head's title begins that stands before the field at `start`: `Head of Group`, `VP,`, `Director
    /// of Operations and`.
    fn head_before(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut is_joined = false;
        while let Some(before) = at.checked_sub(1) {
            at = before;
            match &self.0[at] {
                _ if self.is_head(at) => {
                    let is_vice = self.word(at) == Some("president");
                    return Some(if is_vice { at - 1 } else { at });
                }
                Token::Break => {}
                Token::Join => is_joined = true,
                Token::Word(word) if OF.contains(&word.as_str()) || WIDTH.contains(&word.as_str()) => {}
                // One other field, joined with it.
                Token::Word(_) if is_joined => is_joined = false,
                Token::Word(_) => return None,
            }
        }
        None
    }

    /// Returns where a head's title ends that stands after the field that ends at `end`: `Director`, `& Operations VP`.
    fn head_after(&self, end: usize) -> Option<usize> {
        let mut at = match self.0.get(end)? {
            Token::Break => end + 1,
            Token::Join => end + 2,
            Token::Word(_) => end,
        };
        at += usize::from(self.word(at) == Some("senior"));
        at += usize::from(self.word(at) == Some("vice"));
        // After a break a new title may begin: `Finance, Director of Sales`.
        let is_of_other = || self.word(at + 1).is_some_and(|word| OF.contains(&word));
        let is_new = matches!(self.0.get(end), Some(Token::Break)) && is_of_other();
        (self.is_head(at) && !is_new).then_some(at + 1)
    }

    /// Returns whether the word at `end` turns the field before it into another field, or a lesser title.
    fn goes_on(&self, end: usize) -> bool {
        self.word(end)
            .is_some_and(|word| AFTER_FIELD.contains(&word) || AFTER.contains(&word) || AFTER_CHIEF.contains(&word))
    }

    /// Returns whether nothing before `start` makes the match another person's title, or a title not held now.
    fn is_own_before(&self, start: usize, kind: Kind, others: &OtherWords) -> bool {
        // How far to look back: over neutral words, a conjunction, or a break.
        let (mut joined, mut broken) = (false, false);
        for at in (0..start).rev() {
            let word = match &self.0[at] {
                Token::Join => {
                    joined = true;
                    continue;
                }
                Token::Break => {
                    broken = true;
                    let before = at.checked_sub(1).and_then(|before| self.word(before));
                    if kind == Kind::Position && self.helps(at) {
                        return false;
                    }
                    match before {
                        Some(word) if kind == Kind::Position && is_chief(word) => continue,
                        _ => return true,
                    }
                }
                Token::Word(word) => word.as_str(),
            };
            if others.before.iter().any(|other| other == word) || TO.contains(&word) {
                return false;
            }
            if PAST.contains(&word) {
                return broken;
            }
            if kind == Kind::Field {
                continue;
            }
            if OF.contains(&word) || HELPERS.contains(&word) {
                return false;
            }
            if LESSER.contains(&word) {
                return joined || broken;
            }
            if !BESIDE.contains(&word) {
                return true;
            }
            joined |= is_chief(word);
        }
        true
    }

    /// Returns whether the text between the break at `at` and the one before it names an assistant: `Executive
    /// Assistant / Office Manager, CFO`.
    fn helps(&self, at: usize) -> bool {
        let part = self.0[..at].iter().rev().take_while(|token| **token != Token::Break);
        part.into_iter().any(|token| matches!(token, Token::Word(word) if HELPERS.contains(&word.as_str())))
    }

    /// Returns whether nothing from `end` on makes the match another person's title, or a title not held now.
    fn is_own_after(&self, end: usize, pattern: &Pattern, others: &OtherWords) -> bool {
        self.is_own_beside(end, pattern, others) && !self.is_past_after(end) && !self.is_qualified_after(end)
    }

    /// Returns whether the words from `end` up to a break leave the match unchanged.
    fn is_own_beside(&self, end: usize, pattern: &Pattern, others: &OtherWords) -> bool {
        for token in self.0.iter().skip(end) {
            match token {
                Token::Break => return true,
                Token::Join => {}
                Token::Word(word) => {
                    let word = word.as_str();
                    if AFTER.contains(&word)
                        || HELPERS.contains(&word)
                        || others.after.iter().any(|other| other == word)
                    {
                        return false;
                    }
                    if pattern.is_chief && AFTER_CHIEF.contains(&word) {
                        return false;
                    }
                    if !(is_chief(word) || matches!(word, "executive" | "personal" | "senior" | "sr" | "jr" | "junior"))
                    {
                        return true;
                    }
                }
            }
        }
        true
    }

    /// Returns whether an end or future start follows at `end`: `until 2020`, `2010-2020`, `in training`, `to be`.
    fn is_past_after(&self, end: usize) -> bool {
        let mut words = self.0.iter().skip(end).filter_map(|token| match token {
            Token::Word(word) => Some(word.as_str()),
            Token::Join | Token::Break => None,
        });
        match (words.next(), words.next(), words.next()) {
            (Some("until" | "till" | "bis"), Some(_), _)
            | (Some("in"), Some("training"), _)
            | (Some("to"), Some("be"), _) => true,
            (Some(from), Some("to" | "until" | "till" | "bis"), Some(to)) => is_year(from) && is_year(to),
            (Some(from), Some(to), _) => is_year(from) && is_year(to),
            _ => false,
        }
    }

    /// Returns whether something after a break makes everything before it an assistant's title, or one not held now:
    /// `CFO, Executive Assistant`, `CFO (former)`.
    fn is_qualified_after(&self, end: usize) -> bool {
        let parts = self.0.get(end..).unwrap_or_default().split(|token| *token == Token::Break).skip(1);
        parts.into_iter().any(|part| {
            let words: Vec<&str> = part
                .iter()
                .filter_map(|token| match token {
                    Token::Word(word) => Some(word.as_str()),
                    Token::Join | Token::Break => None,
                })
                .skip_while(|word| matches!(*word, "executive" | "personal" | "senior" | "now" | "currently"))
                .collect();
            match words.as_slice() {
                // PA is a place too, and EA a company.
                ["pa" | "ea"] => false,
                [word] => {
                    HELPERS.contains(word) || PAST.contains(word) || LESSER.contains(word) || AFTER.contains(word)
                }
                [word, next, ..] => HELPERS.contains(word) && (TO.contains(next) || OF.contains(next)),
                [] => false,
            }
        })
    }
}

/// Returns whether the word is a year of this or the last century.
fn is_year(word: &str) -> bool {
    word.len() == 4 && matches!(word.parse(), Ok(1950..=2100))
}

/// Returns whether the word is the short form of a chief officer's title: `cfo`, `ciso`.
fn is_chief(word: &str) -> bool {
    (3..=4).contains(&word.len()) && word.starts_with('c') && word.ends_with('o')
}

/// Adds the tokens of a piece without white space: `co-founder`, `cfo/coo`, `c.f.o.`, `cfo,`.
fn push(piece: &str, tokens: &mut Vec<Token>) {
    // `C.F.O.` is one word.
    let spelled = piece.trim_end_matches([',', ';', ')']);
    let letters: Vec<&str> = spelled.split('.').filter(|part| !part.is_empty()).collect();
    let is_spelled = letters.len() > 1 && letters.iter().all(|part| part.chars().count() == 1);
    let text = if is_spelled { piece.replace('.', "") } else { piece.to_owned() };
    let mut word = String::new();
    let flush = |word: &mut String, tokens: &mut Vec<Token>| {
        if !word.is_empty() {
            let word = std::mem::take(word);
            tokens.push(if matches!(word.as_str(), "and" | "und" | "et" | "e" | "y" | "og" | "och" | "en") {
                Token::Join
            } else {
                Token::Word(word)
            });
        }
    };
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || c == '\'' => word.push(c),
            '&' | '+' | '/' => {
                flush(&mut word, tokens);
                tokens.push(Token::Join);
            }
            ',' | ';' | '|' | '(' | ')' | '[' | ']' | ':' | '•' | '·' | '–' | '—' | '@' => {
                flush(&mut word, tokens);
                tokens.push(Token::Break);
            }
            _ => flush(&mut word, tokens),
        }
    }
    flush(&mut word, tokens);
}

impl Pattern {
    /// Parses a pattern: a sequence of words, of which one may be `*` for one to three words, or end in `*` for any
    /// ending. `None` if it contains no word.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let words: Vec<Wanted> = lower
            .split(|c: char| c.is_whitespace() || c == '-')
            .filter(|word| !word.is_empty())
            .map(|word| match word.strip_suffix('*') {
                Some("") => Wanted::Gap,
                Some(prefix) => Wanted::Prefix(prefix.to_owned()),
                None => Wanted::Word(word.replace('.', "")),
            })
            .collect();
        let is_word = |wanted: &Wanted| *wanted != Wanted::Gap;
        let bounded = words.first().is_some_and(is_word) && words.last().is_some_and(is_word);
        let is_chief = matches!(words.as_slice(), [Wanted::Word(word)] if is_chief(word)) || lower.ends_with("officer");
        bounded.then_some(Self { words, is_chief })
    }

    /// Returns where a match that begins at `start` ends.
    fn end_at(&self, tokens: &[Token], start: usize) -> Option<usize> {
        fn find(wanted: &[Wanted], tokens: &[Token], at: usize) -> Option<usize> {
            let Some((first, rest)) = wanted.split_first() else { return Some(at) };
            if *first == Wanted::Gap {
                let words = tokens
                    .get(at..)?
                    .iter()
                    .take_while(|token| matches!(token, Token::Word(_)) || **token == Token::Join);
                let most = words.take(MAX_GAP).count();
                return (1..=most).find_map(|gap| find(rest, tokens, at + gap));
            }
            let Some(Token::Word(word)) = tokens.get(at) else { return None };
            let fits = match first {
                Wanted::Word(wanted) => wanted == word,
                Wanted::Prefix(prefix) => word.starts_with(prefix.as_str()) && !word.contains('\''),
                Wanted::Gap => false,
            };
            if fits { find(rest, tokens, at + 1) } else { None }
        }
        find(&self.words, tokens, start)
    }
}

#[cfg(test)]
mod tests;
