#![allow(clippy::unwrap_used)]
use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::Write;

fn input(bytes: Vec<u8>) -> Input {
    Input::new("file", bytes.len() as u64, Arc::new(bytes))
}

fn texts(bytes: Vec<u8>) -> Vec<(String, Result<String, String>)> {
    let read = |mut text: Text| {
        let mut out = String::new();
        let outcome = text.bytes.read_to_string(&mut out).map(|_| out).map_err(|error| error.to_string());
        (text.name, outcome)
    };
    let texts = input(bytes).texts().unwrap();
    texts.map(|text| text.map(read).unwrap_or_else(|(name, error)| (name, Err(error.to_string())))).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// `printf 'a,b\n' | zstd`.
const ZSTD_FRAME: [u8; 17] =
    [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x21, 0, 0, b'a', b',', b'b', b'\n', 0x6d, 0x6b, 0x13, 0x32];

fn zip(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut out);
    for (name, bytes, deflate) in files {
        let method = if *deflate { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
        let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
        let descriptor = if *deflate {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
            writer.write_all(bytes).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    out
}

#[test]
fn plain_gzip_and_zstd_are_recognised_by_content() {
    let ok = |text: &str| vec![("file".to_owned(), Ok(text.to_owned()))];
    assert_eq!(texts(b"a,b\n".to_vec()), ok("a,b\n"));
    assert_eq!(texts(Vec::new()), ok(""));
    // Log shippers append members.
    assert_eq!(texts([gzip("a,b\n"), gzip("1,2\n")].concat()), ok("a,b\n1,2\n"));
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &ZSTD_FRAME].concat();
    assert_eq!(texts([ZSTD_FRAME.to_vec(), skippable].concat()), ok("a,b\na,b\n"));
    assert_eq!(texts(gzip(&"x".repeat(1 << 20)))[0].1.as_ref().unwrap().len(), 1 << 20);
}

#[test]
fn zip_has_a_text_for_each_file_and_none_for_those_of_tools() {
    let inner = gzip("{\"a\":1}\n");
    let found = texts(zip(&[
        ("2026/1.json.gz", &inner, false),
        ("__MACOSX/._1", b"x", true),
        (".DS_Store", b"x", true),
        ("b.csv", b"id\n1\n", true),
    ]));
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["file/2026/1.json.gz", "file/b.csv"]);
    assert_eq!(found[0].1, Ok("{\"a\":1}\n".to_owned()));
    assert_eq!(found[1].1, Ok("id\n1\n".to_owned()));
}

#[test]
fn damaged_and_foreign_files_say_what_they_are() {
    let mut cut = gzip(&"some text, ".repeat(10_000));
    cut.truncate(cut.len() / 2);
    assert!(texts(cut)[0].1.is_err());
    let mut cut = ZSTD_FRAME.to_vec();
    cut.truncate(10);
    assert!(texts(cut)[0].1.is_err());
    let whole = zip(&[("a", b"text", true)]);
    let error = input(whole[..whole.len() - 30].to_vec()).texts().unwrap_err().to_string();
    assert!(error.contains("damaged zip"), "{error}");
    let error = input(zip(&[("xl/workbook.xml", b"x", true)])).texts().unwrap_err().to_string();
    assert!(error.contains("Excel") && error.contains("NDJSON"), "{error}");
    let error = input(b"PAR1....".to_vec()).texts().unwrap_err().to_string();
    assert!(error.contains("Parquet"), "{error}");
}

#[test]
fn progress_is_what_was_read_of_the_file() {
    let input = input(vec![b'x'; 3 * BUFFER]);
    let mut text = input.texts().unwrap().next().unwrap().unwrap();
    text.bytes.read_exact(&mut vec![0; BUFFER]).unwrap();
    assert!((BUFFER as u64..2 * BUFFER as u64 + 8).contains(&input.progress()), "{}", input.progress());
    text.bytes.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(input.progress(), 3 * BUFFER as u64);
}
