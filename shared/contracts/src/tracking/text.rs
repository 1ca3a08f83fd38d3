//! Reads and writes JSON strings.

use super::chunk::Chunk;
use std::borrow::Cow;

/// Decodes a validated string with its quotes; a string with an unpaired surrogate is returned as written.
pub(crate) fn unquoted(string: &str) -> Cow<'_, str> {
    let inner = string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(string);
    if inner.as_bytes().contains(&b'\\') { unescaped(inner) } else { Cow::Borrowed(inner) }
}

/// The same, for one with escapes, given without its quotes.
pub(crate) fn unescaped(inner: &str) -> Cow<'_, str> {
    serde_json::from_str(&format!("\"{inner}\"")).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// Writes `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// Returns whether `text` has no quote, backslash or control character of ASCII's first 32.
fn is_plain(text: &str) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    chunks.iter().all(|chunk| Chunk::of(*chunk).plain == 8)
        && rest.iter().all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_unquoted_and_written_as_serde_json_does(text in ".*") {
            let quoted = serde_json::Value::from(text.clone()).to_string();
            prop_assert_eq!(unquoted(&quoted), text.as_str());
            let mut out = String::new();
            write_string(&mut out, &text);
            prop_assert_eq!(out, quoted);
        }
    }
}
