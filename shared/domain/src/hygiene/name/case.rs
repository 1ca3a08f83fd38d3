//! Title case for names that a form or a program wrote in one case only.

use super::NamePart;

/// Words in lower case between other words of a name.
const PARTICLES: [&str; 28] = [
    "'t", "af", "al", "av", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du",
    "het", "ibn", "ten", "ter", "van", "vom", "von", "y", "zu", "zum", "zur",
];
/// Words that stay small after `de` only.
const AFTER_DE: [&str; 4] = ["la", "las", "los", "lo"];
/// Degrees and similar suffixes, as they are written.
const SUFFIXES: [&str; 16] =
    ["CPA", "DDS", "DVM", "II", "III", "IV", "IX", "MD", "PhD", "VII", "VIII", "XII", "XIII", "XIV", "XV", "XVI"];
/// Words without a vowel that are no initials.
const NO_INITIALS: [&str; 14] = ["br", "dr", "fr", "hr", "lt", "mr", "mrs", "ms", "mx", "ng", "pt", "rt", "sr", "st"];
/// First names of two letters that begin with a vowel; other such pairs are initials.
const SHORT_NAMES: [&str; 14] = ["ah", "ai", "al", "an", "ed", "el", "em", "im", "in", "ok", "om", "oz", "un", "ur"];
/// Vietnamese family names, with which `van` is not a particle.
const VIETNAMESE: [&str; 10] = ["bui", "dang", "duong", "hoang", "huynh", "ngo", "nguyen", "pham", "phan", "tran"];
/// Names after `Mac` that get a second capital.
const AFTER_MAC: [&str; 22] = [
    "alister", "allister", "arthur", "aulay", "callum", "donald", "dougall", "farlane", "gregor", "innes", "intyre",
    "kenzie", "kinnon", "lachlan", "lean", "leod", "millan", "namara", "neil", "pherson", "quarrie", "taggart",
];
/// Prefixes before an apostrophe in names with two capitals, besides single letters.
const ELIDED: [&str; 9] = ["all", "da", "dall", "de", "dell", "la", "nell", "sant", "sull"];

/// Returns whether the name has at least two letters, all Latin, all of one case, and none whose case depends on the
/// language.
pub(super) fn is_of_one_case(name: &str) -> bool {
    let letters = || name.chars().filter(|c| c.is_alphabetic());
    let latin = |c: char| c <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&c);
    let turkish = |c: char| matches!(c, 'ı' | 'İ' | 'ğ' | 'Ğ' | 'ş' | 'Ş');
    let simple = |c: char| c.to_lowercase().count() == 1;
    letters().nth(1).is_some()
        && letters().all(|c| latin(c) && !turkish(c) && simple(c))
        && (letters().all(char::is_uppercase) || letters().all(char::is_lowercase))
}

/// Returns whether a name is in capitals like everything around it: it has a word of three letters or more, and no
/// lower-case letter.
pub(in crate::hygiene) fn is_shouted(name: &str) -> bool {
    let is_long = |word: &str| word.chars().nth(2).is_some() && !SUFFIXES.contains(&word);
    !name.contains(char::is_lowercase)
        && name.split(|c: char| !c.is_alphabetic()).any(|word| is_long(word) && word.contains(char::is_uppercase))
}

/// Converts a name of one case to title case; `shouted` says that the other part of the name is in capitals too.
pub(super) fn title_case(part: NamePart, name: &str, shouted: bool) -> String {
    let is_upper = name.contains(char::is_uppercase);
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(' ').collect();
    let last = words.len() - 1;
    let vietnamese = [words[0], words[last]].iter().any(|word| VIETNAMESE.contains(word));
    let cased = words.iter().enumerate().map(|(place, word)| {
        // Before a family name in lower case, its particle was meant to be in lower case.
        let leads = place == 0 && last > 0 && part == NamePart::Last && !is_upper;
        let between = place > 0 && place < last;
        let is_particle = PARTICLES.contains(word) && !(*word == "van" && vietnamese);
        if (between || leads) && is_particle || between && AFTER_DE.contains(word) && words[place - 1] == "de" {
            return (*word).to_owned();
        }
        if let Some(suffix) = SUFFIXES.iter().find(|suffix| place > 0 && suffix.eq_ignore_ascii_case(word)) {
            return (*suffix).to_owned();
        }
        let may_be_initials = match part {
            NamePart::Last => false,
            NamePart::First => true,
            NamePart::Full => place == 0 || between,
        };
        let stands_alone = last == 0 && is_upper && !shouted;
        if may_be_initials && is_initials(word, stands_alone) { word.to_uppercase() } else { capitalised(word) }
    });
    cased.collect::<Vec<_>>().join(" ")
}

/// Returns whether a word is initials: it has no vowel, or is two letters that begin with one or end in `j`. Two
/// capitals on their own are taken for initials.
fn is_initials(lower: &str, stands_alone: bool) -> bool {
    if !matches!(lower.len(), 2 | 3) || !lower.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let is_vowel = |byte: u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let pair = lower.len() == 2;
    let known = NO_INITIALS.contains(&lower) && !(stands_alone && lower == "sr");
    (!known && !lower.bytes().any(is_vowel))
        || (pair && stands_alone && !known)
        || (pair && lower.ends_with('j'))
        || (pair
            && lower.starts_with(['a', 'e', 'i', 'o', 'u'])
            && !lower.ends_with(['a', 'e', 'i', 'o', 'u', 'y'])
            && !SHORT_NAMES.contains(&lower))
}

/// Capitalizes a word in lower case at its start, after a hyphen or dot, after an apostrophe that follows a single
/// letter or an elided article, and after `Mc`.
fn capitalised(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut before = "";
    let mut joint = None;
    let mut rest = word;
    loop {
        let end = rest.find(is_joint).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        let starts = match joint {
            Some(c) if is_apostrophe(c) => before.chars().nth(1).is_none() || ELIDED.contains(&before),
            _ => true,
        };
        if starts {
            capitalise(piece, &mut out)
        } else {
            out.push_str(piece)
        }
        before = piece;
        joint = tail.chars().next();
        let Some(c) = joint else { return out };
        out.push(c);
        rest = &tail[c.len_utf8()..];
    }
}

/// Returns whether a capital follows `c` within a name.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '.' | '(' | '"' | '/' | '‐' | '‑' | '–') || is_apostrophe(c)
}

/// Returns whether `c` is used as an apostrophe.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '`' | '´')
}

/// Writes a piece of a word with its first letter in upper case, and the one after `Mc` or `Mac`.
fn capitalise(piece: &str, out: &mut String) {
    /// The length from which `Mc…` is certainly a prefix and a name.
    const SURELY_MC: usize = 5;
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let second = if piece.starts_with("mc") && piece.chars().count() >= SURELY_MC {
        Some(2)
    } else if piece.strip_prefix("mac").is_some_and(|rest| AFTER_MAC.contains(&rest)) {
        Some(3)
    } else if piece.strip_prefix("ij").and_then(|rest| rest.chars().next()).is_some_and(|c| !is_vowel(c)) {
        // Dutch writes its ij as one letter.
        Some(1)
    } else {
        None
    };
    let first = piece.find(char::is_alphanumeric);
    for (at, c) in piece.char_indices() {
        let large = Some(at) == first || Some(at) == second;
        out.push(if large && c.is_alphabetic() { upper(c) } else { c });
    }
}

/// Returns the upper case of `c`, if that is one character whose lower case is `c`.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) if one.to_lowercase().eq([c]) => one,
        _ => c,
    }
}
