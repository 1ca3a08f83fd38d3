//! Names of people and companies.
//!
//! Modest on purpose: nobody's name is rewritten that its owner took care to write. What is taken away is what nobody sees; case changes
//! only where the whole name is of one case, which says that a form or a machine wrote it.

use super::text::{composed, is_absent, is_invisible, trimmed};

/// The most characters of a name that are kept.
pub const MAX_CHARS: usize = 120;
/// The most bytes of text that are looked at.
const MAX_BYTES: usize = 4_096;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidName {
    /// There is nothing, or a word for nothing.
    #[error("stands for nothing")]
    Absent,
    /// Longer than anything that is called a name.
    #[error("too long for a name")]
    TooLong,
    /// A mail address or a link, which spammers put where a mail will greet by name.
    #[error("a mail address or a link, not a name")]
    Address,
}

/// A company's name: in Unicode NFC, without invisible characters, each run of white space one space, at most [`MAX_CHARS`] characters. Its
/// case stays: `IBM` and `trivago` are written as they are.
///
/// # Errors
/// [`InvalidName`] where it is none.
pub fn company_name(text: &str) -> Result<String, InvalidName> {
    if text.len() > MAX_BYTES {
        return Err(InvalidName::TooLong);
    }
    if is_clean(text) {
        return if is_absent(text) { Err(InvalidName::Absent) } else { Ok(text.to_owned()) };
    }
    let seen: String = composed(text).chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
    // Without what stood between them two characters may compose.
    let seen = composed(&seen);
    let words = seen.split(char::is_whitespace).map(trimmed).filter(|word| !word.is_empty());
    let mut name = String::with_capacity(seen.len());
    for word in words {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
    }
    if let Some((end, _)) = name.char_indices().nth(MAX_CHARS) {
        name.truncate(end);
        name.truncate(trimmed(&name).len());
    }
    if is_absent(&name) { Err(InvalidName::Absent) } else { Ok(name) }
}

/// Whether a glance is enough: printable ASCII, single spaces between words, not too long.
fn is_clean(text: &str) -> bool {
    text.len() <= MAX_CHARS
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !(text.starts_with(' ') || text.ends_with(' ') || text.contains("  "))
}

/// A person's name, or a part of it: as [`company_name`]; and where all its letters are Latin and of one case, in title case:
///
/// - `JOHN SMITH` and `john smith` are `John Smith`; `ANNE-MARIE O'NEIL` is `Anne-Marie O'Neil`; `MCDONALD` is `McDonald`.
/// - Particles between other words stay small: `Ludwig van Beethoven`, `Leonardo da Vinci`. `II`, `III` and `IV` stay large.
/// - Names with `ı`, `ğ` or `ş` are left as they are: the case of Turkish is its own.
///
/// # Errors
/// [`InvalidName`] where it is none.
pub fn person_name(text: &str) -> Result<String, InvalidName> {
    let name = company_name(text)?;
    if name.contains('@') || name.contains("://") || name.to_ascii_lowercase().contains("www.") {
        return Err(InvalidName::Address);
    }
    Ok(if is_of_one_case(&name) { title_case(&name) } else { name })
}

/// Whether the name has at least two letters, all Latin, all of one case, and none whose case depends on the language.
fn is_of_one_case(name: &str) -> bool {
    let letters = || name.chars().filter(|c| c.is_alphabetic());
    let latin = |c: char| c <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&c);
    let turkish = |c: char| matches!(c, 'ı' | 'İ' | 'ğ' | 'Ğ' | 'ş' | 'Ş');
    let simple = |c: char| c.to_lowercase().count() == 1;
    letters().nth(1).is_some()
        && letters().all(|c| latin(c) && !turkish(c) && simple(c))
        && (letters().all(char::is_uppercase) || letters().all(char::is_lowercase))
}

fn title_case(name: &str) -> String {
    const PARTICLES: [&str; 22] = [
        "af", "al", "av", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "ten",
        "ter", "van", "vom", "von", "zu", "zur",
    ];
    let name = name.to_lowercase();
    let last = name.split(' ').count() - 1;
    let word = |(place, word): (usize, &str)| {
        let between = place > 0 && place < last;
        match word {
            "ii" | "iii" | "iv" if place > 0 => word.to_uppercase(),
            word if between && PARTICLES.contains(&word) => word.to_owned(),
            word => capitalised(word),
        }
    };
    name.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// A word in lower case with its initials in upper case: after a hyphen or a dot, after an apostrophe that follows a single letter, and
/// after `Mc`.
fn capitalised(word: &str) -> String {
    /// `Mc` and what is surely a name of its own.
    const SURELY_MC: usize = 5;
    let mut out = String::with_capacity(word.len());
    let mut starts = true;
    let mut since_start = 0;
    for (at, c) in word.char_indices() {
        let after_mc = at == 2 && word.starts_with("mc") && word.chars().count() >= SURELY_MC;
        if c.is_alphabetic() && (starts || after_mc) {
            out.push(upper(c));
        } else {
            out.push(c);
        }
        since_start = if starts { 1 } else { since_start + 1 };
        starts = match c {
            '-' | '.' | '(' | '"' | '/' | '‐' | '‑' => true,
            '\'' | '’' => since_start == 2,
            c => starts && !c.is_alphanumeric(),
        };
    }
    out
}

/// `c` in upper case, where that is one character that has `c` as its lower case.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) if one.to_lowercase().eq([c]) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    //! Domain, section 2: "Clean and standardise (…, names, …), reject with a reason".
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_one_case_get_title_case() {
        for (text, expected) in [
            ("JOHN SMITH", "John Smith"),
            ("john smith", "John Smith"),
            ("ANNE-MARIE O'NEIL", "Anne-Marie O'Neil"),
            ("d’angelo russell", "D’Angelo Russell"),
            ("ronald mcdonald", "Ronald McDonald"),
            ("LUDWIG VAN BEETHOVEN", "Ludwig van Beethoven"),
            ("VAN DYKE", "Van Dyke"),
            ("j.r.r. tolkien", "J.R.R. Tolkien"),
            ("henry ford ii", "Henry Ford II"),
            ("JÜRGEN GROSS", "Jürgen Gross"),
            ("élodie", "Élodie"),
            ("NGUYỄN THỊ HOA", "Nguyễn Thị Hoa"),
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn names_that_someone_took_care_of_stay() {
        for text in [
            "John Smith",
            "DeShawn McKay",
            "bell hooks Jr",
            "van Gogh",
            "X",
            "李小龍",
            "Иван Петров",
            "ИВАН",
            "ŞAHİN",
            "IŞIK",
            "Ada (Countess)",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(text), "{text:?}");
        }
        for text in ["IBM", "trivago", "adidas AG"] {
            assert_eq!(company_name(text).as_deref(), Ok(text), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_taken_away() {
        for (text, expected) in [
            ("  Ada \t\r\n Byron\u{a0} ", "Ada Byron"),
            ("A\u{200b}d\u{0}a\u{202e}", "Ada"),
            ("Ade\u{301}le", "Adéle"),
            ("Ade\u{200b}\u{301}le", "Adéle"),
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
        let long = company_name(&"ab ".repeat(100)).unwrap();
        assert!(long.chars().count() <= MAX_CHARS && long.ends_with("ab"));
    }

    #[test]
    fn what_is_no_name_is_rejected_with_a_reason() {
        for text in ["", " ", "-", "null", "undefined", "N/A", "\u{200b}", "???"] {
            assert_eq!(person_name(text), Err(InvalidName::Absent), "{text:?}");
        }
        for text in ["ada@example.com", "Win now https://x.example", "WWW.x.example"] {
            assert_eq!(person_name(text), Err(InvalidName::Address), "{text:?}");
        }
        assert_eq!(person_name(&"a".repeat(5_000)), Err(InvalidName::TooLong));
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics_and_a_name_is_its_own_normal_form(text in any::<String>()) {
            prop_assert!(is_settled(&text));
        }

        #[test]
        fn names_of_latin_letters_are_their_own_normal_form(text in "([A-ZÀ-ɏ]{1,8}['’. -]{0,2}){1,4}|([a-zß-ɏḁ-ỿ]{1,8}['’. -]{0,2}){1,4}|[ a-z\u{300}-\u{305}\u{200b}]{0,150}") {
            prop_assert!(is_settled(&text));
        }
    }

    fn is_settled(text: &str) -> bool {
        [person_name, company_name].iter().all(|standard| match standard(text) {
            Ok(name) => standard(&name).as_ref() == Ok(&name) && !name.contains(char::is_control),
            Err(_) => true,
        })
    }
}
