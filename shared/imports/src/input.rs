//! Files, and the texts in them: plain, gzip, zstd or zip, recognised by their content.

mod zstd;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use rawzip::{CompressionMethod, RangeReader, ZipArchive};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use rawzip::ReaderAt;

/// The bytes that are read at once.
const BUFFER: usize = 256 * 1024;
/// The most files in a zip archive.
const MAX_ENTRIES: usize = 100_000;
/// How often a text may be compressed over: a zip of gzipped files is compressed twice.
const MAX_NESTING: usize = 2;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const PARQUET: &[u8] = b"PAR1";
/// The older binary format of Excel.
const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// A file that cannot be imported as a whole.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("{name} cannot be read")]
    Read {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A zip archive is damaged.
    #[error("{name} is a damaged zip archive: {reason}")]
    Zip {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// The import states an encoding that does not exist.
    #[error("`{label}` is no encoding; allowed are names such as utf-8, windows-1252, iso-8859-2 and shift_jis")]
    Encoding {
        /// The stated encoding.
        label: String,
    },
    /// It is of a kind that is not read.
    #[error("{name} is {what}; allowed are CSV, TSV, NDJSON and JSON, plain or compressed with gzip, zstd or zip")]
    Kind {
        /// The file.
        name: String,
        /// The kind.
        what: &'static str,
    },
}

/// A file, or an object of a bucket, that can be read at any place.
#[derive(Clone)]
pub struct Input {
    name: String,
    size: u64,
    bytes: Arc<dyn ReaderAt + Send + Sync>,
    read: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<io::Error>>>,
    seal: Option<String>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

impl ReaderAt for Input {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.bytes.read_at(buffer, offset).inspect_err(|error| {
            let failure = io::Error::new(error.kind(), error.to_string());
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        })?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Input {
    /// Returns the file called `name`, which has `size` bytes.
    pub fn new(name: impl Into<String>, size: u64, bytes: Arc<dyn ReaderAt + Send + Sync>) -> Self {
        Self { name: name.into(), size, bytes, read: Arc::default(), failure: Arc::default(), seal: None }
    }

    /// Returns the file with a text that is another one whenever its content is, such as its place, size and time of the last
    /// change.
    #[must_use]
    pub fn with_seal(self, seal: String) -> Self {
        Self { seal: Some(seal), ..self }
    }

    /// Returns that text, by which the same content is known without reading it.
    #[must_use]
    pub fn seal(&self) -> Option<&str> {
        self.seal.as_deref()
    }

    /// Returns the last error of reading the bytes themselves, once. Rows that follow such an error are missing, which is not
    /// the file's fault: it has to be read again.
    pub fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the number of bytes that were read so far, for a progress bar: at most its size.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.read.load(Ordering::Relaxed).min(self.size)
    }

    /// Returns all of its bytes from the beginning, as they are.
    pub fn bytes(&self) -> impl Read + Send + use<> {
        RangeReader::new(self.clone(), 0..self.size)
    }

    /// Returns the texts in it, in their order: one, or those of a zip archive.
    ///
    /// # Errors
    /// [`InputError`] if it is not readable, or of another kind.
    pub fn texts(&self) -> Result<Texts, InputError> {
        self.read.store(0, Ordering::Relaxed);
        let mut start = [0; 4];
        let unreadable = |source| InputError::Read { name: self.name.clone(), source };
        let wanted = usize::try_from(self.size.min(4)).unwrap_or(4);
        self.read_exact_at(&mut start[..wanted], 0).map_err(unreadable)?;
        let kind = |what| Err(InputError::Kind { name: self.name.clone(), what });
        match &start {
            start if start.starts_with(ZIP) || start.starts_with(EMPTY_ZIP) => self.archive(),
            start if start.starts_with(PARQUET) => kind("a Parquet file, which this version does not read"),
            start if start.starts_with(OLE) => kind("an Excel workbook (save it as CSV UTF-8)"),
            _ => Ok(Texts { input: self.clone(), parts: vec![Part::Whole], next: 0 }),
        }
    }

    fn archive(&self) -> Result<Texts, InputError> {
        let damaged = |error: rawzip::Error| InputError::Zip { name: self.name.clone(), reason: error.to_string() };
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let locator = rawzip::ZipLocator::new();
        let archive: ZipArchive<Input> =
            locator.locate_in_reader(self.clone(), &mut buffer, self.size).map_err(|(_, error)| damaged(error))?;
        let mut parts = Vec::new();
        let mut entries = archive.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(damaged)? {
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            if entry.is_dir() || is_of_a_tool(&name) {
                continue;
            }
            if name == "[Content_Types].xml" || name == "xl/workbook.xml" {
                let what = "an Excel workbook (save it as CSV UTF-8)";
                return Err(InputError::Kind { name: self.name.clone(), what });
            }
            if parts.len() == MAX_ENTRIES {
                let reason = format!("it has more than {MAX_ENTRIES} files");
                return Err(InputError::Zip { name: self.name.clone(), reason });
            }
            parts.push((name, entry.compression_method(), entry.wayfinder()));
        }
        let parts = parts.into_iter().map(|(name, method, place)| {
            let (start, end) = archive.get_entry(place).map_err(damaged)?.compressed_data_range();
            Ok(Part::Entry { name, method, range: start..end })
        });
        let parts = parts.collect::<Result<_, InputError>>()?;
        Ok(Texts { input: self.clone(), parts, next: 0 })
    }
}

/// Returns whether a file of an archive was added by the tool that made it.
fn is_of_a_tool(name: &str) -> bool {
    name.starts_with("__MACOSX/") || name.rsplit('/').next().is_none_or(|last| last.starts_with('.'))
}

/// A part of a file.
#[derive(Debug)]
enum Part {
    Whole,
    Entry { name: String, method: CompressionMethod, range: std::ops::Range<u64> },
}

/// A text in a file.
pub struct Text {
    /// Its name: the file's, followed by that in the archive.
    pub name: String,
    /// Its bytes, not compressed any more.
    pub bytes: Box<dyn BufRead + Send>,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The texts in a file.
#[derive(Debug)]
pub struct Texts {
    input: Input,
    parts: Vec<Part>,
    next: usize,
}

impl Iterator for Texts {
    /// The next text, or its name and what is wrong with it.
    type Item = Result<Text, (String, io::Error)>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.parts.get(self.next)?;
        self.next += 1;
        let (name, bytes): (String, io::Result<Box<dyn BufRead + Send>>) = match part {
            Part::Whole => (self.input.name.clone(), Ok(self.range(0..self.input.size))),
            Part::Entry { name, method, range } => {
                let bytes = self.range(range.clone());
                let bytes: io::Result<Box<dyn BufRead + Send>> = match *method {
                    CompressionMethod::STORE => Ok(bytes),
                    CompressionMethod::DEFLATE => Ok(buffered(DeflateDecoder::new(bytes))),
                    CompressionMethod::ZSTD => Ok(buffered(zstd::Frames::new(bytes))),
                    _ => Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        "its compression is not read; make the archive with the usual one, Deflate",
                    )),
                };
                (format!("{}/{name}", self.input.name), bytes)
            }
        };
        let opened = bytes.and_then(|bytes| decompressed(bytes, MAX_NESTING));
        Some(match opened {
            Ok(bytes) => Ok(Text { name, bytes }),
            Err(error) => Err((name, error)),
        })
    }
}

impl Texts {
    fn range(&self, range: std::ops::Range<u64>) -> Box<dyn BufRead + Send> {
        buffered(RangeReader::new(self.input.clone(), range))
    }
}

fn buffered(bytes: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, bytes))
}

/// Returns the bytes without the compression that they begin with.
fn decompressed(mut bytes: Box<dyn BufRead + Send>, nesting: usize) -> io::Result<Box<dyn BufRead + Send>> {
    let start = bytes.fill_buf()?;
    if nesting == 0 {
        return Ok(bytes);
    }
    if start.starts_with(GZIP) {
        return decompressed(buffered(MultiGzDecoder::new(bytes)), nesting - 1);
    }
    if start.starts_with(ZSTD) || zstd::is_skippable(start) {
        return decompressed(buffered(zstd::Frames::new(bytes)), nesting - 1);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
