//! Names of people and companies.
//!
//! Names are changed as little as possible. Invisible characters are removed, and case changes only if the whole name
//! is of one case, which means that a form or a program wrote it.

use super::text::{composed, is_absent, is_invisible, trimmed};
use crate::identity::is_placeholder;
use crate::traits::Fact;

mod case;

pub(super) use case::is_shouted;

/// The longest name that is kept, in characters.
pub const MAX_CHARS: usize = 120;
/// The most bytes of text that are looked at.
const MAX_BYTES: usize = 4_096;

/// The reason why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidName {
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// Longer than any name.
    #[error("too long for a name")]
    TooLong,
    /// A mail address or a link, which spammers enter because mails greet by name.
    #[error("a mail address or a link, not a name")]
    Address,
}

/// Normalizes a company's name: Unicode NFC, no invisible characters, single spaces, at most [`MAX_CHARS`] characters.
/// Its case is kept, as in `IBM` and `trivago`.
///
/// # Errors
/// [`InvalidName`] if it is not a name.
pub fn company_name(text: &str) -> Result<String, InvalidName> {
    let name = cleaned(text)?;
    if is_absent(&name) { Err(InvalidName::Absent) } else { Ok(name) }
}

/// `text` as it is seen: composed, without invisible characters and superfluous white space, at most [`MAX_CHARS`] characters.
fn cleaned(text: &str) -> Result<String, InvalidName> {
    if text.len() > MAX_BYTES {
        return Err(InvalidName::TooLong);
    }
    if is_clean(text) {
        return Ok(text.to_owned());
    }
    let seen: String = composed(text).chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
    // Characters may compose once those between them are removed.
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
    Ok(name)
}

/// Returns whether no change is needed: printable ASCII, single spaces between words, not too long.
fn is_clean(text: &str) -> bool {
    text.len() <= MAX_CHARS
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !(text.starts_with(' ') || text.ends_with(' ') || text.contains("  "))
}

/// The part of a person's name that a text contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// The full name: `Ada Byron`.
    Full,
    /// The first name; the last name may be known separately.
    First,
    /// The last name; the first name may be known separately.
    Last,
}

/// Normalizes a person's full name, like [`name_part`] with [`NamePart::Full`].
///
/// # Errors
/// [`InvalidName`] if it is not a name.
pub fn person_name(text: &str) -> Result<String, InvalidName> {
    name_part(NamePart::Full, text, None)
}

/// Normalizes a person's name, or a part of it; `other` is the last name for a first name and the reverse. It is
/// cleaned like [`company_name`], and converted to title case if all its letters are Latin and of one case:
///
/// - `JOHN SMITH` and `john smith` are `John Smith`; `ANNE-MARIE O'NEIL` is `Anne-Marie O'Neil`; `MCDONALD` is
///   `McDonald`.
/// - Particles between other words stay in lower case: `Ludwig van Beethoven`, `Leonardo da Vinci`. `II`, `III` and
///   `IV` stay in upper case.
/// - Initials stay in upper case: `JD`, `TJ`, `J.D.`. A first name of two capitals is kept (`AL`, `JO`), unless the
///   last name is in capitals too.
/// - Names with `ı`, `ğ` or `ş` are kept, because Turkish has case rules of its own.
///
/// People are called Null, None, Nil and Nan: with one capital these are names. In lower or upper case they are a
/// program's words for no value, except for a last name in capitals beside a first name in capitals. `None` is also
/// what Python writes for no value: as a first or full name with no other name, it is rejected. Text without a letter,
/// and words such as `guest` without another name, are rejected too.
///
/// # Errors
/// [`InvalidName`] if it is not a name.
pub fn name_part(part: NamePart, text: &str, other: Option<&str>) -> Result<String, InvalidName> {
    let other = other.and_then(|other| cleaned(other).ok());
    let name = cleaned(text)?;
    if name.contains('@') || name.contains("://") || name.to_ascii_lowercase().contains("www.") {
        return Err(InvalidName::Address);
    }
    if is_of_a_program(&name) {
        return Err(InvalidName::Absent);
    }
    let name = known(part, name, other.as_deref()).ok_or(InvalidName::Absent)?;
    let shouted = other.as_deref().is_some_and(is_shouted);
    Ok(if case::is_of_one_case(&name) { case::title_case(part, &name, shouted) } else { name })
}

/// Returns whether a program wrote it: an unfilled template, a word for no value in quotes or brackets, a field's name,
/// a boolean. Bare words are left to [`known`].
fn is_of_a_program(name: &str) -> bool {
    let is_marked = || name.contains(|c: char| "{}<>%$|\"[]&;_#*\\".contains(c)) || name.starts_with('\'');
    let bare = name.trim_matches(|c: char| !c.is_alphanumeric());
    let is_field = || {
        let is_spelled = bare.contains(['_', ' ', '-']) || bare.chars().skip(1).any(char::is_uppercase);
        is_spelled && matches!(Fact::of(bare), Some(Fact::Name | Fact::FirstName | Fact::LastName))
    };
    matches!(name, "true" | "false" | "NoneType") || (is_marked() && is_placeholder(name)) || is_field()
}

/// Returns `name` without a program's words for no value; `None` if nothing remains.
fn known(part: NamePart, name: String, other: Option<&str>) -> Option<String> {
    let mut words: Vec<&str> = name.split(' ').collect();
    if words.len() > 1 && words.iter().all(|word| is_nobody(word)) {
        return None;
    }
    if words.len() == 1 || part != NamePart::Full {
        return is_name(part, &name, other.filter(|other| is_real(other))).then_some(name);
    }
    if words.iter().all(|word| !is_real(word)) || !is_real(&name) {
        return None;
    }
    // `Ada null` and `undefined Byron` are half empty; `JENNIFER NULL` is a name.
    let ends = [(0, words.len() - 1), (words.len() - 1, 0)];
    let gone = ends.map(|(at, beside)| {
        let word = words[at];
        let is_meant =
            is_surname(word) && Case::of(word) == Some(Case::Upper) && Case::of(words[beside]) == Some(Case::Upper);
        is_absent(word) && word.contains(char::is_alphanumeric) && (is_nobody(word) || !is_surname(word)) && !is_meant
    });
    if gone == [false, false] {
        return Some(name);
    }
    if gone[1] {
        words.pop();
    }
    if gone[0] {
        words.remove(0);
    }
    known(part, words.join(" "), other)
}

/// Returns whether a single part is a name, given a real `other` name.
fn is_name(part: NamePart, name: &str, other: Option<&str>) -> bool {
    if is_surname(name) {
        let is_shouted =
            || [Some(name), other].iter().all(|name| name.is_some_and(|name| Case::of(name) == Some(Case::Upper)));
        let is_python = name == "None" && other.is_none() && part != NamePart::Last;
        return if is_nobody(name) { part == NamePart::Last && is_shouted() } else { !is_python };
    }
    is_real(name) || (other.is_some() && is_somebody(name))
}

/// Returns whether it is certainly a name: not a word for no value or nobody, not without letters, not an address or
/// link.
fn is_real(name: &str) -> bool {
    /// Words for nobody if they are the whole name or its only part, in lower case and without separators.
    const NOBODY: [&str; 16] = [
        "anonymous",
        "anonymoususer",
        "guest",
        "guestuser",
        "noname",
        "notavailable",
        "notprovided",
        "notset",
        "nouser",
        "undef",
        "undefineduser",
        "unidentified",
        "unknownuser",
        "unset",
        "user",
        "visitor",
    ];
    let joined = || -> String { name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    name.contains(char::is_alphabetic)
        && !is_absent(name)
        && !name.contains('@')
        && (name.len() > 40 || !NOBODY.contains(&joined().as_str()))
}

/// Returns whether it can be a name beside another one, such as Guest.
fn is_somebody(name: &str) -> bool {
    name.contains(char::is_alphabetic) && !is_absent(name)
}

/// The case of a text if all its letters have the same one; `None` if mixed or without letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

impl Case {
    fn of(text: &str) -> Option<Self> {
        let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
        letters.peek()?;
        let (mut lower, mut upper) = (true, true);
        for c in letters {
            lower &= c.is_lowercase();
            upper &= c.is_uppercase();
        }
        match (lower, upper) {
            (true, false) => Some(Self::Lower),
            (false, true) => Some(Self::Upper),
            _ => None,
        }
    }
}

/// Returns whether people have that name in any spelling, although programs write it for no value.
fn is_surname(word: &str) -> bool {
    ["null", "none", "nil", "nan"].iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Returns whether the word is written as programs write it: in one case, or as `NaN`.
fn is_nobody(word: &str) -> bool {
    is_absent(word) && (!is_surname(word) || Case::of(word).is_some() || word == "NaN")
}

#[cfg(test)]
mod tests {
    //! Names are cleaned and standardized, or rejected with a reason.
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
            ("RONALD O’BRIEN", "Ronald O’Brien"),
            ("sean o`brien", "Sean O`Brien"),
            ("GIANNI DELL'ACQUA", "Gianni Dell'Acqua"),
            ("JA'MARR", "Ja'marr"),
            ("FLORA MACDONALD", "Flora MacDonald"),
            ("MACHADO", "Machado"),
            ("ANN SMITH-MCDONALD", "Ann Smith-McDonald"),
            ("JAN VAN DER BERG", "Jan van der Berg"),
            ("maria de la cruz", "Maria de la Cruz"),
            ("JOSÉ ORTEGA Y GASSET", "José Ortega y Gasset"),
            ("JACO VAN 'T HOF", "Jaco van 't Hof"),
            ("NGUYEN VAN AN", "Nguyen Van An"),
            ("IJSBRAND", "IJsbrand"),
            ("IJEOMA", "Ijeoma"),
            ("JOHN SMITH PHD", "John Smith PhD"),
            ("DR JOHN NG", "Dr John Ng"),
            ("HENRY VIII", "Henry VIII"),
            ("louis xiv", "Louis XIV"),
            ("LI XI", "Li Xi"),
            ("DE'ANDRE", "De'Andre"),
            ("la’shawn jones", "La’Shawn Jones"),
            ("ABDULLAH BIN SALMAN", "Abdullah bin Salman"),
            ("NGUYỄN THỊ HOA", "Nguyễn Thị Hoa"),
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn initials_keep_their_case() {
        for text in
            ["JD", "AJ", "TJ", "DJ", "BO", "KC", "AL", "J.D.", "J.R.R. Tolkien", "JD Smith", "JP Morgan", "MLK", "X"]
        {
            assert_eq!(person_name(text).as_deref(), Ok(text), "{text:?}");
            assert_eq!(name_part(NamePart::First, text, None).as_deref(), Ok(text), "{text:?}");
        }
        for (text, expected) in [
            ("JD SMITH", "JD Smith"),
            ("aj smith", "AJ Smith"),
            ("ED SMITH", "Ed Smith"),
            ("JOHN FK LEE", "John FK Lee"),
            ("jd", "JD"),
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
        let first = |text, last| name_part(NamePart::First, text, Some(last)).unwrap();
        assert_eq!(
            (first("JO", "SMITH"), first("JO", "Smith"), first("TJ", "SMITH")),
            ("Jo".into(), "JO".into(), "TJ".into())
        );
        for (text, expected) in
            [("NG", "Ng"), ("LI", "Li"), ("VLK", "Vlk"), ("van der berg", "van der Berg"), ("VAN DYKE", "Van Dyke")]
        {
            assert_eq!(name_part(NamePart::Last, text, None).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn people_may_be_called_null() {
        for part in [NamePart::Full, NamePart::First, NamePart::Last] {
            for text in ["Null", "Nil", "Nan"] {
                assert_eq!(name_part(part, text, None).as_deref(), Ok(text), "{part:?} {text:?}");
            }
            for text in [
                "null",
                "NULL",
                "none",
                "NONE",
                "nil",
                "NIL",
                "nan",
                "NaN",
                "undefined",
                "Undefined",
                "UNDEFINED",
                "(null)",
                "N/A",
            ] {
                assert_eq!(name_part(part, text, None), Err(InvalidName::Absent), "{part:?} {text:?}");
            }
        }
        for text in ["Jennifer Null", "Nan Goldin", "Null Island", "Nil Ó Néill"] {
            assert_eq!(person_name(text).as_deref(), Ok(text), "{text:?}");
        }
        for (text, expected) in
            [("JENNIFER NULL", "Jennifer Null"), ("jennifer null", "Jennifer"), ("NAN GOLDIN", "Nan Goldin")]
        {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
        let last = |text, first| name_part(NamePart::Last, text, Some(first));
        assert_eq!(last("NULL", "JENNIFER").as_deref(), Ok("Null"));
        for text in ["null", "none", "nan"] {
            assert_eq!(last(text, "jennifer"), Err(InvalidName::Absent), "small letters come from a program");
        }
        assert_eq!(last("None", "Ada").as_deref(), Ok("None"));
        assert_eq!(last("Guest", "Christopher").as_deref(), Ok("Guest"));
        assert_eq!(last("null", "Jennifer"), Err(InvalidName::Absent), "a program wrote the one, a person the other");
        assert_eq!(last("null", "null"), Err(InvalidName::Absent));
        assert_eq!(name_part(NamePart::First, "null", Some("smith")), Err(InvalidName::Absent));
    }

    #[test]
    fn none_alone_is_what_python_writes() {
        let first = |text, last| name_part(NamePart::First, text, last);
        assert_eq!((first("None", None), person_name("None")), (Err(InvalidName::Absent), Err(InvalidName::Absent)));
        for nobody in ["None", "null", "undefined", "0", ""] {
            assert_eq!(first("None", Some(nobody)), Err(InvalidName::Absent), "{nobody}");
        }
        assert_eq!(first("None", Some("Byron")).as_deref(), Ok("None"));
        assert_eq!(name_part(NamePart::Last, "None", None).as_deref(), Ok("None"), "a name in Italy");
    }

    #[test]
    fn words_for_nobody_and_numbers_greet_nobody() {
        for part in [NamePart::Full, NamePart::First, NamePart::Last] {
            for text in ["0", "12345", "guest", "Guest", "anonymous", "Anonymous", "undefined", "unknown", "1 2"] {
                assert_eq!(name_part(part, text, None), Err(InvalidName::Absent), "{part:?} {text:?}");
            }
        }
        assert_eq!(person_name("Guest User"), Err(InvalidName::Absent));
        for text in ["Christopher Guest", "R2 D2", "Na Li", "True", "Empty Bottle"] {
            assert_eq!(person_name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn names_put_together_of_a_name_and_of_nothing_are_the_name() {
        for (text, expected) in [
            ("Ada null", "Ada"),
            ("undefined Byron", "Byron"),
            ("ada undefined", "Ada"),
            ("null Smith", "Smith"),
            ("Ada NULL", "Ada"),
        ] {
            assert_eq!(person_name(text).as_deref(), Ok(expected), "{text:?}");
        }
        for text in ["null null", "undefined undefined", "None None", "NULL NULL", "- -", "not set"] {
            assert_eq!(person_name(text), Err(InvalidName::Absent), "{text:?}");
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
