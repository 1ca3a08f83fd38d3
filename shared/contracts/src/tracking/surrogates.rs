//! Replaces halves of characters in JSON, so that an event with one is not lost.
//!
//! JavaScript's strings are UTF-16, and a text that was cut in the middle of an emoji is sent with one half of it, such as
//! `"\ud83d"`. Browsers decode such a half as U+FFFD, the replacement character; most JSON libraries refuse the text.

use serde::de::DeserializeOwned;

/// The bytes of an escape such as `\ud83d`.
const ESCAPE: usize = 6;
/// The escape of the replacement character. It is as long as the one that it replaces, so no position moves.
const REPLACEMENT: &[u8; ESCAPE] = b"\\ufffd";

/// Returns `json` with `\ufffd` in place of each escape of half a surrogate pair, or `None` if there is none. Other text,
/// valid or not, stays as it is.
pub fn without_half_characters(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(backslash) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += backslash;
        at += match (unit(json, at), unit(json, at + ESCAPE)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0xD800..=0xDFFF), _) => {
                mended.get_or_insert_with(|| json.to_vec())[at..at + ESCAPE].copy_from_slice(REPLACEMENT);
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            // Another escape, of which the second byte may be a backslash.
            (None, _) => 2,
        };
    }
    mended
}

/// Reads JSON, with U+FFFD in place of half characters.
///
/// # Errors
/// Those of `serde_json`; places are those of `json`.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(without_half_characters(json).as_deref().unwrap_or(json))
}

/// The UTF-16 unit of the escape at byte `at`; `None` if no such escape is there.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let digit = char::from(*digit).to_digit(16).and_then(|digit| u16::try_from(digit).ok())?;
        Some(unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    fn mended(json: &str) -> Option<String> {
        without_half_characters(json.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn each_half_is_replaced_and_whole_characters_stay() {
        assert_eq!(mended(r#"{"a":"cut \ud83d"}"#).unwrap(), r#"{"a":"cut \ufffd"}"#);
        assert_eq!(mended(r#""\uDE00 end""#).unwrap(), r#""\ufffd end""#);
        assert_eq!(mended(r#""\ud83d\ud83d\ude00""#).unwrap(), r#""\ufffd\ud83d\ude00""#);
        assert_eq!(mended(r#""\ud83d\n""#).unwrap(), r#""\ufffd\n""#);
        assert_eq!(mended(r#""\ud83d\ude00 \u00e9 \"\\""#), None);
        // The text `\ud83d`, by an escaped backslash.
        assert_eq!(mended(r#""\\ud83d""#), None);
        assert_eq!(mended(r#""\\\ud83d""#).unwrap(), r#""\\\ufffd""#);
        // Broken text stays broken.
        for broken in ["\\", "\\u", "\\ud83", "\"\\ud83x\"", "\\\u{e9}\\u12"] {
            assert_eq!(mended(broken), None, "{broken}");
        }
    }

    proptest! {
        /// Against the standard library, which decodes UTF-16 by itself.
        #[test]
        fn the_text_is_that_of_a_lossy_decoder(units in prop::collection::vec(
            prop_oneof![0xD7F0_u16..=0xE010, 0x20_u16..=0x7e, Just(u16::from(b'\\'))], 0..40,
        )) {
            let mut json = String::from('"');
            for unit in &units {
                write!(json, "\\u{unit:04x}").unwrap();
            }
            json.push('"');
            let mended = without_half_characters(json.as_bytes()).unwrap_or_else(|| json.clone().into_bytes());
            prop_assert_eq!(mended.len(), json.len());
            let read: String = serde_json::from_slice(&mended).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn no_text_panics_and_valid_text_stays(text in r#"(\\|u|d|8|3|e|0|"|é|x){0,60}"#) {
            if let Some(mended) = without_half_characters(text.as_bytes()) {
                prop_assert_eq!(mended.len(), text.len());
                prop_assert_eq!(without_half_characters(&mended), None);
            }
            let valid = serde_json::Value::from(text).to_string();
            prop_assert_eq!(without_half_characters(valid.as_bytes()), None);
        }
    }
}
