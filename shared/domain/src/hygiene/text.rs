//! Invisible characters and words for no value, for all kinds of text.

use icu_normalizer::ComposingNormalizerBorrowed;
use std::borrow::Cow;

/// Returns whether `c` is invisible: control characters, Unicode's format characters (zero-width spaces, directions,
/// the byte order mark, the soft hyphen, variation selectors, tags), and noncharacters.
///
/// The zero-width joiner and non-joiner are not among them: names in Persian and Indic scripts need them. At the ends
/// of a text they are removed, see [`trimmed`].
pub(super) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c);
    is_no_character
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The zero-width non-joiner and joiner.
pub(super) const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// `text` without white space and invisible characters at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c) || is_joiner(c))
}

/// `text` in Unicode's normalisation form C; borrowed where it is in it already.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// Returns whether a form or a program wrote a word for no value: `null`, `undefined`, `n/a`, `-` and the like. `text`
/// is [`trimmed`].
pub(crate) fn is_absent(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "(none)",
        "(not set)",
        "(null)",
        "[object object]",
        "n.a.",
        "n/a",
        "nan",
        "nil",
        "none",
        "not set",
        "null",
        "undefined",
        "unknown",
        "unspecified",
    ];
    !text.contains(char::is_alphanumeric)
        || (text.len() <= 15 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_known() {
        for text in ["", "-", "--", "?", "null", "NULL", "undefined", "N/A", "n.a.", "None", "[object Object]", "."] {
            assert!(is_absent(text), "{text:?}");
        }
        for text in ["Ada", "Nulle", "Null Island", "7", "李", "Nan Goldin"] {
            assert!(!is_absent(text), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_trimmed() {
        assert_eq!(trimmed("\u{feff} \u{200b}Ada\u{a0}\r\n"), "Ada");
        assert_eq!(trimmed("\u{200d}"), "");
    }
}
