//! From the bytes on the wire to text, within limits.

use crate::answer::Refusal;
use crate::limits::{MAX_INFLATED_BYTES, MAX_WIRE_BYTES};
use flate2::read::MultiGzDecoder;
use perennial_contracts::tracking::surrogates::without_half_characters;
use std::borrow::Cow;
use std::io::Read;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The byte order mark, which some editors and .NET's encoders write before the text.
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Returns the body's text, inflated if it has a gzip header, and with U+FFFD in place of half characters. HTTP headers are
/// ignored: some SDKs send gzip without `Content-Encoding`.
pub(crate) fn text(wire: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    if wire.len() > MAX_WIRE_BYTES {
        return Err(Refusal::TooLarge);
    }
    let bytes = if wire.starts_with(&GZIP) { Cow::Owned(inflate(wire)?) } else { Cow::Borrowed(wire) };
    if bytes.len() > MAX_INFLATED_BYTES {
        return Err(Refusal::TooLargeInflated);
    }
    if bytes.is_empty() || *bytes == BOM {
        return Err(Refusal::EmptyBody);
    }
    let bytes = without_half_characters(&bytes).map_or(bytes, Cow::Owned);
    match bytes {
        Cow::Borrowed(bytes) => {
            let bytes = bytes.strip_prefix(&BOM).unwrap_or(bytes);
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| not_utf8(&error))
        }
        Cow::Owned(mut bytes) => {
            if bytes.starts_with(&BOM) {
                bytes.drain(..BOM.len());
            }
            String::from_utf8(bytes).map(Cow::Owned).map_err(|error| not_utf8(&error.utf8_error()))
        }
    }
}

/// Inflates up to one byte beyond the limit, whatever size the gzip claims.
fn inflate(wire: &[u8]) -> Result<Vec<u8>, Refusal> {
    const BEYOND: u64 = MAX_INFLATED_BYTES as u64 + 1;
    let mut bytes = Vec::with_capacity((wire.len() * 4).min(MAX_INFLATED_BYTES));
    MultiGzDecoder::new(wire).take(BEYOND).read_to_end(&mut bytes).map_err(|_| Refusal::NotGzip)?;
    Ok(bytes)
}

fn not_utf8(error: &std::str::Utf8Error) -> Refusal {
    Refusal::NotUtf8 { at: error.valid_up_to() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_told_by_its_bytes() {
        assert_eq!(text(&gzip(b"{}")).unwrap(), "{}");
        assert_eq!(text(b"{}").unwrap(), "{}");
        assert_eq!(text(&[gzip(b"{"), gzip(b"}")].concat()).unwrap(), "{}");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(text(b"\xef\xbb\xbf{}").unwrap(), "{}");
        assert_eq!(text(&gzip(b"\xef\xbb\xbf{}")).unwrap(), "{}");
        assert_eq!(text(b"\xef\xbb\xbf"), Err(Refusal::EmptyBody));
    }

    #[test]
    fn half_characters_are_replaced() {
        assert_eq!(text(br#"{"a":"\ud83d"}"#).unwrap(), r#"{"a":"\ufffd"}"#);
        assert_eq!(text(&gzip(br#"{"a":"\ud83d\ude00"}"#)).unwrap(), r#"{"a":"\ud83d\ude00"}"#);
        assert_eq!(text(&gzip(br#"{"a":"\ude00"}"#)).unwrap(), r#"{"a":"\ufffd"}"#);
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let most = "x".repeat(MAX_INFLATED_BYTES);
        assert_eq!(text(&gzip(most.as_bytes())).unwrap().len(), MAX_INFLATED_BYTES);
        assert_eq!(text(most.as_bytes()).unwrap().len(), MAX_INFLATED_BYTES);
        assert_eq!(text(format!("{most}x").as_bytes()), Err(Refusal::TooLargeInflated));
        assert_eq!(text(&vec![b'x'; MAX_WIRE_BYTES + 1]), Err(Refusal::TooLarge));
    }

    #[test]
    fn a_zip_bomb_is_not_inflated_beyond_the_limit() {
        let layer = gzip(&vec![0; 64 << 20]);
        assert!(layer.len() < 100 << 10);
        let bomb = layer.repeat(100);
        assert_eq!(text(&bomb), Err(Refusal::TooLargeInflated));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(text(b""), Err(Refusal::EmptyBody));
        assert_eq!(text(&gzip(b"")), Err(Refusal::EmptyBody));
        assert_eq!(text(&[0x1f, 0x8b, 1, 2, 3]), Err(Refusal::NotGzip));
        assert_eq!(text(&gzip(b"{}")[..10]), Err(Refusal::NotGzip));
        assert_eq!(text(b"{\"a\":\"\xff\"}"), Err(Refusal::NotUtf8 { at: 6 }));
    }
}
