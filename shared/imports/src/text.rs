//! Texts in other encodings than UTF-8.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, Read};

/// The bytes that are converted at once.
const CHUNK: usize = 64 * 1024;

/// Returns the bytes as UTF-8, without a byte order mark. `label` is the stated encoding; a byte order mark is more
/// certain. UTF-16 without one is recognised by the zeros in its first characters. Bytes that are not UTF-8 although
/// nothing else is stated stay as they are: their rows are rejected one by one.
///
/// # Errors
/// If the first bytes cannot be read.
pub(crate) fn utf8(
    mut bytes: Box<dyn BufRead + Send>,
    label: Option<&'static Encoding>,
) -> io::Result<Box<dyn BufRead + Send>> {
    let start = bytes.fill_buf()?;
    let (encoding, mark) = match Encoding::for_bom(start) {
        Some((encoding, length)) => (encoding, length),
        None => (label.or_else(|| without_mark(start)).unwrap_or(UTF_8), 0),
    };
    bytes.consume(mark);
    if encoding == UTF_8 {
        return Ok(bytes);
    }
    let converted = Converted {
        bytes,
        decoder: encoding.new_decoder_without_bom_handling(),
        out: String::new(),
        at: 0,
        is_over: false,
    };
    Ok(Box::new(io::BufReader::with_capacity(CHUNK, converted)))
}

/// Returns the encoding called `label`, such as `windows-1252` (<https://encoding.spec.whatwg.org/#names-and-labels>).
pub(crate) fn encoding(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

fn without_mark(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0, 1..=127, 0, 1..=127, ..] => Some(UTF_16BE),
        [1..=127, 0, 1..=127, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

struct Converted {
    bytes: Box<dyn BufRead + Send>,
    decoder: Decoder,
    out: String,
    at: usize,
    /// `true` once the decoder has seen the end.
    is_over: bool,
}

impl Read for Converted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            if self.is_over {
                return Ok(0);
            }
            self.out.clear();
            self.at = 0;
            let source = self.bytes.fill_buf()?;
            let last = source.is_empty();
            self.out.reserve(CHUNK);
            let (result, read, _) = self.decoder.decode_to_string(source, &mut self.out, last);
            self.bytes.consume(read);
            self.is_over = last && result == CoderResult::InputEmpty;
        }
        let rest = &self.out.as_bytes()[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Cursor;

    fn read(bytes: &[u8], label: Option<&str>) -> Vec<u8> {
        let label = label.map(|label| encoding(label).unwrap());
        let mut out = Vec::new();
        utf8(Box::new(Cursor::new(bytes.to_vec())), label).unwrap().read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn texts_become_utf8_by_their_mark_their_zeros_or_their_label() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let long = "naïve €,\r\n".repeat(20_000);
        assert_eq!(read("\u{feff}a,ü".as_bytes(), None), "a,ü".as_bytes());
        assert_eq!(read(&[&[0xff, 0xfe], &*utf16(&long)].concat(), None), long.as_bytes());
        assert_eq!(read(&utf16("id,name\n1,ü"), None), "id,name\n1,ü".as_bytes());
        assert_eq!(read(b"na\xefve \x80", Some("windows-1252")), "naïve €".as_bytes());
        assert_eq!(read(b"na\xefve", None), b"na\xefve", "its row is rejected");
        assert_eq!(read("\u{feff}ü".as_bytes(), Some("windows-1252")), "ü".as_bytes(), "the mark is more certain");
        // Half a character at the end.
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, 0x3d], None), "a\u{fffd}".as_bytes());
        assert!(encoding("klingon").is_none() && read(b"", None).is_empty());
    }
}
