//! Lexicons: words with a weight, and words that modify it.
//!
//! A file has a line for each kind: `stop` (common words of the language), `not` and `after` (words that negate what
//! follows, or what precedes), `more` and `less`, `but`, and weights from `-4` to `+4`. `*` at the end stands for any
//! ending, `_` for a space. The rules are those of VADER, with its constants. The words were written for this project.

use super::language::Language;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The most words of a phrase.
const PHRASE: usize = 3;
/// The reach of negations and intensifiers before a word, in words.
const REACH: usize = 3;
/// The reach before a negative word: "does not answer and is rude" is not positive.
const REACH_BAD: usize = 2;
/// The reach in characters, for languages without spaces between words.
const REACH_CHARS: usize = 3;
/// The reach of a negation after a positive word, in characters.
const AFTER_CHARS: usize = 8;
/// The factor of a negated word. Not bad is hardly good.
const TURNED: f64 = -0.74;
const TURNED_BAD: f64 = -0.3;
const MORE: f64 = 1.3;
const LESS: f64 = 0.7;
const BEFORE_BUT: f64 = 0.5;
const AFTER_BUT: f64 = 1.5;
/// The weight of an exclamation mark; four count at most.
const EXCLAMATION: f64 = 0.292;
/// VADER's constant, by which sums become -1 to 1.
const ALPHA: f64 = 15.0;
/// The evidence of a weighted word for the language; that of a stop word is 1.
const EVIDENCE: f64 = 1.5;
const KIND_FACES: &str = "❤♥💖💕😍😊🙂😀😃😄😁🥰🤩👍👏🙏🎉💯✨⭐🌟";
const UNKIND_FACES: &str = "😡🤬😠😤👎😞😢😭💩🙄😒😩😫🤮💔🤦😣😖";
const FACE: f64 = 2.0;

/// The effect of a word on its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Weight(f64),
    Not,
    After,
    More,
    Less,
    But,
}

/// The words of one language.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    stop: HashSet<String>,
    weights: HashMap<String, f64>,
    /// Weights of words of any ending, by their beginning.
    prefixes: HashMap<String, f64>,
    roles: HashMap<String, Vec<Role>>,
    /// The same by the first character, the longest first, for languages without spaces between words.
    runs: HashMap<char, Vec<(String, Role)>>,
    is_run_on: bool,
}

macro_rules! lexicons {
    ($($language:ident $file:literal),* $(,)?) => {
        /// Returns the lexicon of a language, loaded on first use.
        pub(super) fn of(language: Language) -> &'static Lexicon {
            match language {
                $(Language::$language => {
                    static LEXICON: LazyLock<Lexicon> =
                        LazyLock::new(|| Lexicon::parse(include_str!(concat!("lexicons/", $file, ".txt")), Language::$language));
                    &LEXICON
                })*
            }
        }
    };
}

lexicons!(
    English "en", Spanish "es", Portuguese "pt", French "fr", German "de", Italian "it", Dutch "nl", Croatian "hr", Polish "pl", Russian "ru",
    Turkish "tr", Indonesian "id", Chinese "zh", Japanese "ja", Korean "ko", Arabic "ar", Hindi "hi",
);

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// In lower case, in one spelling.
    word: String,
    /// Which clause it stands in.
    clause: usize,
}

impl Token {
    pub(super) fn word(&self) -> &str {
        &self.word
    }
}

/// The words of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut clause = 0;
    let mut flush = |word: &mut String, clause: usize| {
        if !word.is_empty() {
            tokens.push(Token { word: std::mem::take(word), clause });
        }
    };
    for c in text.chars() {
        // The signs of Devanagari that are no letters stand within words.
        if c.is_alphanumeric() || ('\u{900}'..='\u{963}').contains(&c) || ('\u{64b}'..='\u{652}').contains(&c) {
            push_folded(c, &mut word);
        } else if !word.is_empty() || matches!(c, '.' | ',' | '!' | '?' | ';') {
            flush(&mut word, clause);
            clause += usize::from(matches!(
                c,
                '.' | ',' | '!' | '?' | ';' | ':' | '\n' | '(' | ')' | '،' | '؟' | '।' | '—' | '–'
            ));
        }
    }
    flush(&mut word, clause);
    tokens
}

/// Adds `c` in lower case and in one of the spellings that it has.
fn push_folded(c: char, out: &mut String) {
    for c in c.to_lowercase() {
        match c {
            // The dot that lower case leaves of a Turkish capital; vowel signs and the stretching of Arabic.
            '\u{307}' | '\u{640}' | '\u{64b}'..='\u{652}' => {}
            'ı' => out.push('i'),
            'ё' => out.push('е'),
            'أ' | 'إ' | 'آ' => out.push('ا'),
            'ة' => out.push('ه'),
            'ى' => out.push('ي'),
            // The dot under letters of Hindi is often left out.
            '\u{93c}' => {}
            c => out.push(c),
        }
    }
}

pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_folded(c, &mut out));
    out
}

/// `text` without the accents of Latin letters.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'ą' => out.push('a'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'đ' => out.push('d'),
            'é' | 'è' | 'ê' | 'ë' | 'ę' => out.push('e'),
            'ğ' => out.push('g'),
            'í' | 'ì' | 'î' | 'ï' => out.push('i'),
            'ł' => out.push('l'),
            'ñ' | 'ń' => out.push('n'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => out.push('o'),
            'ß' => out.push_str("ss"),
            'š' | 'ś' | 'ş' => out.push('s'),
            'ú' | 'ù' | 'û' | 'ü' => out.push('u'),
            'ž' | 'ź' | 'ż' => out.push('z'),
            c => out.push(c),
        }
    }
    out
}

/// Returns the sentiment of the emoticons in a text, regardless of its words; `None` without any.
pub(super) fn faces(text: &str) -> Option<f64> {
    let sum = sum_of_faces(text);
    (sum != 0.0).then(|| compound(sum, text))
}

fn sum_of_faces(text: &str) -> f64 {
    let of = |c: char| match c {
        c if KIND_FACES.contains(c) => FACE,
        c if UNKIND_FACES.contains(c) => -FACE,
        _ => 0.0,
    };
    text.chars().map(of).sum()
}

/// A sum of weights as -1 to 1, with what exclamation marks add.
fn compound(sum: f64, text: &str) -> f64 {
    if sum == 0.0 {
        return 0.0;
    }
    let marks = text.chars().filter(|c| matches!(c, '!' | '！')).count().min(4);
    let sum = sum + sum.signum() * EXCLAMATION * marks as f64;
    (sum / (sum * sum + ALPHA).sqrt() * 10_000.0).round() / 10_000.0
}

impl Lexicon {
    fn parse(text: &str, language: Language) -> Self {
        let is_run_on = matches!(language, Language::Chinese | Language::Japanese | Language::Korean);
        let mut lexicon = Self { is_run_on, ..Self::default() };
        for line in text.lines() {
            let Some((kind, words)) = line.split_once(' ') else { continue };
            let role = match kind {
                "stop" => {
                    lexicon.stop.extend(words.split(' ').map(folded).flat_map(|word| [plain(&word), word]));
                    continue;
                }
                "not" => Role::Not,
                "after" => Role::After,
                "more" => Role::More,
                "less" => Role::Less,
                "but" => Role::But,
                weight => match weight.parse() {
                    Ok(weight) => Role::Weight(weight),
                    Err(_) => continue,
                },
            };
            words.split(' ').filter(|word| !word.is_empty()).for_each(|word| lexicon.add(word, role));
        }
        lexicon.runs.values_mut().for_each(|runs| runs.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b))));
        lexicon
    }

    fn add(&mut self, word: &str, role: Role) {
        if self.is_run_on {
            let word = word.replace('_', " ");
            if let Some(first) = word.chars().next() {
                self.runs.entry(first).or_default().push((word, role));
            }
            return;
        }
        let word = folded(&word.replace('-', "_"));
        let Role::Weight(weight) = role else {
            self.roles.entry(plain(&word)).or_default().push(role);
            if plain(&word) != word {
                self.roles.entry(word).or_default().push(role);
            }
            return;
        };
        let (map, word) = match word.strip_suffix('*') {
            Some(prefix) => (&mut self.prefixes, prefix.to_owned()),
            None => (&mut self.weights, word),
        };
        map.entry(plain(&word)).or_insert(weight);
        map.insert(word, weight);
    }

    /// Returns how many of a text's words are of this language: 1 for a stop word, [`EVIDENCE`] for a weighted one.
    pub(super) fn evidence(&self, tokens: &[Token]) -> f64 {
        let of = |token: &Token| match self.stop.contains(&token.word) || self.roles.contains_key(&token.word) {
            true => 1.0,
            false if self.weight(&token.word).is_some() => EVIDENCE,
            false => 0.0,
        };
        tokens.iter().map(of).sum()
    }

    /// Returns the weight of a word or a phrase; if it is unknown as written, that of its spelling without accents.
    fn weight(&self, word: &str) -> Option<f64> {
        self.written(word).or_else(|| {
            let plain = plain(word);
            (plain != word && !self.stop.contains(&plain)).then(|| self.written(&plain)).flatten()
        })
    }

    fn written(&self, word: &str) -> Option<f64> {
        if let Some(weight) = self.weights.get(word) {
            return Some(*weight);
        }
        // The stem of another word may look like this one.
        if self.stop.contains(word) {
            return None;
        }
        let ends = word.char_indices().skip(2).map(|(at, c)| at + c.len_utf8());
        let longest =
            ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| self.prefixes.get(&word[..end]).copied());
        longest.or_else(|| self.without_article(word))
    }

    /// Returns the weight of an Arabic word without the article and conjunction that are attached to it.
    fn without_article(&self, word: &str) -> Option<f64> {
        let bare = ["وال", "بال", "ال", "و", "ف", "لل", "ب"].iter().find_map(|front| word.strip_prefix(front))?;
        (bare.chars().nth(2).is_some()).then(|| self.written(bare)).flatten()
    }

    fn has_role(&self, token: &Token, role: Role) -> bool {
        self.roles.get(&token.word).is_some_and(|roles| roles.contains(&role))
    }

    /// Returns the sentiment of a text, -1 to 1.
    pub(super) fn score(&self, text: &str) -> f64 {
        let sum = if self.is_run_on { self.sum_of_run(text) } else { self.sum_of_words(&tokens(text)) };
        compound(sum + sum_of_faces(text), text)
    }

    fn sum_of_words(&self, tokens: &[Token]) -> f64 {
        let but = tokens.iter().rposition(|token| self.has_role(token, Role::But));
        let mut sum = 0.0;
        let mut at = 0;
        while at < tokens.len() {
            let Some((length, mut weight)) = self.longest(tokens, at) else {
                at += 1;
                continue;
            };
            let here = &tokens[at];
            // A negative phrase already includes its negation.
            let turns = |token: &Token| self.has_role(token, Role::Not) || self.has_role(token, Role::After);
            let says_no = tokens[at..at + length].iter().any(turns);
            let before = tokens[..at].iter().rev().take(REACH).take_while(|token| token.clause == here.clause);
            let (mut turned, mut degree) = (false, 1.0);
            for (distance, token) in before.enumerate() {
                turned |= self.has_role(token, Role::Not) && (weight > 0.0 || distance < REACH_BAD);
                if self.has_role(token, Role::More) {
                    degree = MORE;
                } else if self.has_role(token, Role::Less) {
                    degree = LESS;
                }
            }
            let behind = tokens[at + length..].iter().take(REACH).take_while(|token| token.clause == here.clause);
            turned |= weight > 0.0 && behind.into_iter().any(|token| self.has_role(token, Role::After));
            weight *= degree;
            if turned && !says_no {
                weight *= if weight > 0.0 { TURNED } else { TURNED_BAD };
            }
            sum += match but {
                Some(but) if at < but => weight * BEFORE_BUT,
                Some(but) if at > but => weight * AFTER_BUT,
                _ => weight,
            };
            at += length;
        }
        sum
    }

    /// Returns the longest phrase that begins at a word, in words, and its weight.
    fn longest(&self, tokens: &[Token], at: usize) -> Option<(usize, f64)> {
        let most = PHRASE.min(tokens.len() - at);
        (1..=most).rev().find_map(|length| {
            let words: Vec<&str> = tokens[at..at + length].iter().map(|token| token.word.as_str()).collect();
            if length > 1 {
                return self
                    .weight(&words.join("_"))
                    .map(|weight| (length, weight))
                    .filter(|_| self.is_phrase(&words.join("_")));
            }
            self.weight(words[0]).map(|weight| (1, weight))
        })
    }

    /// Returns whether a phrase is known as one, and not by the stem of its first word.
    fn is_phrase(&self, words: &str) -> bool {
        self.weights.contains_key(words)
            || self.prefixes.keys().any(|prefix| prefix.contains('_') && words.starts_with(prefix.as_str()))
    }

    fn sum_of_run(&self, text: &str) -> f64 {
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let find = |at: usize| {
            let (byte, c) = *chars.get(at)?;
            let (run, role) = self.runs.get(&c)?.iter().find(|(run, _)| text[byte..].starts_with(run.as_str()))?;
            Some((run.chars().count(), *role))
        };
        let (mut sum, mut at) = (0.0, 0);
        let (mut not, mut more, mut less) = (None, None, None);
        let near = |role: Option<usize>, at: usize| role.is_some_and(|end| at - end <= REACH_CHARS);
        while at < chars.len() {
            let Some((length, role)) = find(at) else {
                if matches!(chars[at].1, '。' | '，' | '、' | '！' | '？' | '.' | ',' | '!' | '?' | '；' | '\n') {
                    (not, more, less) = (None, None, None);
                }
                at += 1;
                continue;
            };
            let end = at + length;
            match role {
                Role::Not => not = Some(end),
                Role::After => {}
                Role::More => more = Some(end),
                Role::Less => less = Some(end),
                Role::But => sum *= BEFORE_BUT,
                Role::Weight(weight) => {
                    let turned_behind = weight > 0.0
                        && (end..(end + AFTER_CHARS).min(chars.len()))
                            .take_while(|place| !matches!(chars[*place].1, '。' | '、' | '，' | '.' | ',' | '!' | '！'))
                            .any(|place| matches!(find(place), Some((_, Role::After))));
                    let degree = if near(more, at) {
                        MORE
                    } else if near(less, at) {
                        LESS
                    } else {
                        1.0
                    };
                    let turned = near(not, at) || turned_behind;
                    let turn = if !turned {
                        1.0
                    } else if weight > 0.0 {
                        TURNED
                    } else {
                        TURNED_BAD
                    };
                    sum += weight * degree * turn;
                    (not, more, less) = (None, None, None);
                }
            }
            at = end;
        }
        sum
    }
}
