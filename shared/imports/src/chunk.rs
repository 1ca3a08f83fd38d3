//! Reads a file in chunks of accepted calls. The same file makes the same chunks with the same events, however often it
//! is read: an import that was interrupted continues behind the chunks that were sent.

use crate::calls::{self, column};
use crate::input::{Input, InputError, Texts};
use crate::reject::{Code, Reject};
use crate::rows::{Reader, Row, Rows};
use crate::snapshot::Snapshot;
use crate::suppression::{self, Suppression};
use jiff::{SignedDuration, Timestamp};
use perennial_config::imports::{self as config, Import, Mode};
use perennial_config::mapping::Place;
use perennial_contracts::tracking::{self, Accepted, Received};
use perennial_domain::hash;
use std::sync::Arc;

/// The most rows of a chunk.
pub const CHUNK_ROWS: usize = 5_000;
/// The bytes of rows after which a chunk ends.
const CHUNK_BYTES: usize = 4 << 20;

/// How a file is imported.
#[derive(Debug, Clone)]
pub struct Options {
    /// The mapping of its rows.
    pub import: Arc<Import>,
    /// The mode of its events.
    pub mode: Mode,
    /// When the import began: the time of receipt of its events.
    pub received_at: Timestamp,
    /// When the file was made: the time of calls whose rows have none.
    pub made_at: Timestamp,
    /// A digest of the file. Of a row that says what holds without saying since when, another file with the same row is
    /// another call.
    pub digest: String,
    /// The rows of the file before, which are skipped if they are the same; used only if the import has a key of rows.
    pub before: Arc<Snapshot>,
}

/// Some rows as calls, or as addresses that get no mail.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The JSON of the accepted events, one after the other.
    pub json: String,
    /// The accepted events.
    pub accepted: Vec<Accepted>,
    /// The addresses that get no mail any more.
    pub suppressions: Vec<Suppression>,
    /// The rows that were not accepted, each with the name of its text.
    pub rejects: Vec<(Arc<str>, Reject)>,
    /// The number of rows, rejected ones included.
    pub rows: u64,
    /// The number of rows that no map matches.
    pub unmatched: u64,
    /// The number of rows that are as in the file before.
    pub unchanged: u64,
}

/// A file that is being read.
pub struct Reading {
    options: Options,
    reader: Reader,
    texts: Texts,
    current: Option<(Arc<str>, Rows)>,
    /// Rows of earlier chunks.
    rows: u64,
    /// The rows so far, if the import has a key of rows.
    snapshot: Snapshot,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("rows", &self.rows).finish_non_exhaustive()
    }
}

type Found = (Arc<str>, Result<Row, Reject>);

impl Reading {
    /// Begins to read `input`.
    ///
    /// # Errors
    /// [`InputError`] if the file as a whole cannot be read.
    pub fn open(input: &Input, options: Options) -> Result<Self, InputError> {
        let import = &options.import;
        let known =
            |label: &str| crate::text::encoding(label).ok_or_else(|| InputError::Encoding { label: label.to_owned() });
        let encoding = import.encoding.as_deref().map(known).transpose()?;
        let delimiter = import.delimiter.and_then(|sign| u8::try_from(sign).ok());
        let texts = input.texts()?;
        let snapshot = Snapshot::after(&options.before);
        let list = import.list.as_ref().map(Place::members);
        Ok(Self { reader: Reader { encoding, delimiter, list }, texts, options, current: None, rows: 0, snapshot })
    }

    /// Skips `chunks` chunks that were sent before.
    pub fn skip(&mut self, chunks: u64) {
        for _ in 0..chunks {
            let found = self.gather();
            if found.is_empty() {
                return;
            }
            self.rows += found.len() as u64;
            for row in found.iter().filter_map(|(_, row)| row.as_ref().ok()) {
                self.snapshot.add(&self.options.import.snapshot_key, &row.values, &self.options.before);
            }
        }
    }

    /// Returns the rows that were read so far, for the comparison with the next file.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the next chunk; `None` at the end of the file.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        let found = self.gather();
        if found.is_empty() {
            return None;
        }
        let options = &self.options;
        let behind = |at: Timestamp, rows: u64| {
            at.checked_add(SignedDuration::from_micros(i64::try_from(rows).unwrap_or_default())).unwrap_or(at)
        };
        let nonce = hash::sha256(&[options.digest.as_bytes(), &self.rows.to_be_bytes()]);
        let nonce = nonce.first_chunk().copied().unwrap_or_default();
        let received_at = behind(options.received_at, self.rows);
        let mut received = Received::new(options.import.id.clone(), received_at, None, nonce);
        if options.mode == Mode::History {
            received = received.into_history();
        }
        let mut chunk = Chunk { rows: found.len() as u64, ..Chunk::default() };
        for (nth, (text, found)) in (self.rows..).zip(found) {
            let outcome = found.and_then(|row| {
                if self.snapshot.add(&options.import.snapshot_key, &row.values, &options.before) {
                    chunk.unchanged += 1;
                    return Ok(());
                }
                let made_at = behind(options.made_at, nth);
                accept(options, row, made_at, &mut received, &mut chunk)
            });
            if let Err(reject) = outcome {
                chunk.rejects.push((text, reject));
            }
        }
        self.rows += chunk.rows;
        Some(chunk)
    }

    /// Collects the rows of a chunk.
    fn gather(&mut self) -> Vec<Found> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        while found.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
            let Some(next) = self.next_row() else { break };
            bytes += match &next.1 {
                Ok(row) => row.bytes,
                Err(reject) => reject.raw.len(),
            };
            found.push(next);
        }
        found
    }

    fn next_row(&mut self) -> Option<Found> {
        loop {
            if let Some((name, rows)) = &mut self.current {
                match rows.next() {
                    Some(row) => return Some((Arc::clone(name), row)),
                    None => self.current = None,
                }
            }
            match self.texts.next()? {
                Ok(text) => {
                    let name: Arc<str> = text.name.into();
                    match Rows::open(text.bytes, self.reader.clone()) {
                        Ok(rows) => self.current = Some((name, rows)),
                        Err(reject) => return Some((name, Err(reject))),
                    }
                }
                Err((name, error)) => {
                    let reason = format!("the file cannot be read: {error}");
                    let reject = Reject::new(1, Code::Damaged, reason, "a complete file; export or copy it again", b"");
                    return Some((name.into(), Err(reject)));
                }
            }
        }
    }
}

/// Appends the calls, or the addresses, that a row becomes. If one of them is not accepted, none is.
fn accept(
    options: &Options,
    row: Row,
    made_at: Timestamp,
    received: &mut Received,
    chunk: &mut Chunk,
) -> Result<(), Reject> {
    let Row { line, values, .. } = row;
    let raw = serde_json::to_string(&values).unwrap_or_default();
    if let config::Rows::Suppressions(maps) = &options.import.rows {
        let found = suppression::of_row(&options.import.id, maps, &values.into(), made_at);
        let found = found.map_err(|bad| bad.reject(line, raw.as_bytes()))?;
        chunk.unmatched += u64::from(found.is_empty());
        chunk.suppressions.extend(found);
        return Ok(());
    }
    let made = calls::of_row(&options.import, values, &options.digest, made_at).map_err(|bad| {
        let reason = "the id is a formula of a spreadsheet";
        Reject::new(line, bad.code, reason, "the value that the formula results in", raw.as_bytes())
            .in_column(bad.column)
    })?;
    chunk.unmatched += u64::from(made.is_empty());
    let (json, accepted) = (chunk.json.len(), chunk.accepted.len());
    for made in made {
        let (route, body) = calls::body(&options.import.rows, &made.call);
        let outcome = match tracking::read(route, &body) {
            Ok(read) => {
                let all =
                    read.items.iter().try_for_each(|item| item.accept(received, &mut chunk.json, &mut chunk.accepted));
                all.map_err(|invalid| {
                    let column = column(made.by, invalid.path);
                    Reject::of_call(line, column, invalid, raw.as_bytes())
                })
            }
            Err(unreadable) => {
                Err(Reject::new(line, Code::Json, unreadable.to_string(), "a call of the tracking API", raw.as_bytes()))
            }
        };
        if let Err(reject) = outcome {
            chunk.json.truncate(json);
            chunk.accepted.truncate(accepted);
            return Err(reject);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
