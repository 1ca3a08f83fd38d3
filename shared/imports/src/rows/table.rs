//! Tables: CSV, TSV and the like, with a header (RFC 4180, as leniently as spreadsheets and databases write it).
//!
//! A record that goes wrong costs its first line only: if a quote is never closed, or a record over several lines does
//! not have the header's columns, reading continues with the line after its first one.

use super::lines::{Line, Lines};
use super::{MAX_ROW_BYTES, Row, damaged};
use crate::reject::{Code, Reject};
use csv_core::ReadRecordResult;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The signs that separate columns, the usual ones first.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// The most columns of a table.
const MAX_COLUMNS: usize = 2_000;
/// The most lines of one record.
const MAX_LINES: usize = 200;
/// The errors that spreadsheets show for formulas.
const ERRORS: [&str; 8] = ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!"];

/// A table whose header was read.
#[derive(Debug)]
pub(super) struct Table {
    lines: Lines,
    parser: Parser,
    columns: Vec<String>,
}

/// The parser of one record, with its buffers.
struct Parser {
    delimiter: u8,
    core: csv_core::Reader,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parser").field("delimiter", &char::from(self.delimiter)).finish_non_exhaustive()
    }
}

/// A record.
#[derive(Debug)]
struct Record {
    /// Its lines.
    lines: Vec<Line>,
    /// The number of its fields.
    fields: usize,
    /// The field in which a quote is not closed.
    open: Option<usize>,
}

impl Table {
    /// Reads the header; `None` if there is none. Excel's first line `sep=;` names the delimiter.
    ///
    /// # Errors
    /// A header that cannot be used.
    pub(super) fn open(mut lines: Lines, delimiter: Option<u8>) -> Result<Option<Self>, Reject> {
        let Some(mut first) = next_filled(&mut lines)? else { return Ok(None) };
        let mut stated = delimiter;
        if let Some(sign) = separator(&first.bytes) {
            stated = stated.or(Some(sign));
            match next_filled(&mut lines)? {
                Some(line) => first = line,
                None => return Ok(None),
            }
        }
        let delimiter = stated.unwrap_or_else(|| likely_delimiter(&first.bytes));
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let mut parser = Parser { delimiter, core, fields: vec![0; 8 * 1024], ends: vec![0; 64] };
        let number = first.number;
        let record = parser.record(first, &mut lines)?;
        let raw = &record.lines[0].bytes;
        let wrong =
            |reason: String, allowed: &'static str| Err(Reject::new(number, Code::Columns, reason, allowed, raw));
        if record.open.is_some() || record.lines.iter().any(|line| line.cut) {
            return wrong(
                "the header has a quote that is not closed, or is too long".to_owned(),
                "a header of column names",
            );
        }
        if record.fields > MAX_COLUMNS {
            return wrong(format!("the header has {} columns", record.fields), "at most 2000 columns");
        }
        let mut columns: Vec<String> = Vec::with_capacity(record.fields);
        let mut used = HashSet::new();
        for at in 0..record.fields {
            let Ok(name) = std::str::from_utf8(parser.field(at)) else {
                let reason = format!("the name of column {} is not UTF-8", at + 1);
                return Err(Reject::new(number, Code::Encoding, reason, ENCODINGS, raw));
            };
            let name = name.trim().trim_matches('\0');
            let name = if name.is_empty() { format!("column_{}", at + 1) } else { name.to_owned() };
            let mut free = name.clone();
            let mut nth = 2;
            while !used.insert(free.clone()) {
                free = format!("{name}_{nth}");
                nth += 1;
            }
            columns.push(free);
        }
        Ok(Some(Self { lines, parser, columns }))
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the next row; `None` at the end.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Reject>> {
        let line = match next_filled(&mut self.lines) {
            Ok(line) => line?,
            Err(reject) => return Some(Err(reject)),
        };
        let number = line.number;
        let record = match self.parser.record(line, &mut self.lines) {
            Ok(record) => record,
            Err(reject) => return Some(Err(reject)),
        };
        let row = self.row(number, &record);
        if row.is_err() && record.lines.len() > 1 {
            self.lines.put_back(record.lines.into_iter().skip(1));
        }
        Some(row)
    }

    fn row(&self, number: u64, record: &Record) -> Result<Row, Reject> {
        let raw = &record.lines[0].bytes;
        let wrong = |code, reason: String, allowed: &'static str| Reject::new(number, code, reason, allowed, raw);
        let column = |at: usize| self.columns.get(at).cloned().unwrap_or_else(|| (at + 1).to_string());
        let bytes: usize = record.lines.iter().map(|line| line.bytes.len() + 1).sum();
        if bytes > MAX_ROW_BYTES || record.lines.iter().any(|line| line.cut) {
            return Err(wrong(Code::TooLarge, "the row is too large".to_owned(), "at most 1 MB a row"));
        }
        if let Some(at) = record.open {
            let reason = "a quote is opened and not closed".to_owned();
            return Err(
                wrong(Code::Quote, reason, "a value in quotes, with quotes in it doubled").in_column(column(at))
            );
        }
        if record.lines.len() > 1 && !is_strict(&record.lines, self.parser.delimiter) {
            let reason = "a quote is not closed, or closed within a value".to_owned();
            return Err(wrong(Code::Quote, reason, "a value in quotes, with quotes in it doubled"));
        }
        // Empty values beyond the last column come from a delimiter at the end of lines.
        let extra = (self.columns.len()..record.fields).any(|at| !self.parser.field(at).is_empty());
        if record.fields < self.columns.len() || extra {
            let reason = format!("the row has {} columns, and the header {}", record.fields, self.columns.len());
            return Err(wrong(
                Code::Columns,
                reason,
                "as many values as the header has; a value with a delimiter or a quote in it is quoted",
            ));
        }
        let mut values = Map::new();
        for (at, name) in self.columns.iter().enumerate() {
            let field = self.parser.field(at);
            if field.contains(&0) {
                let reason = "the value contains a NUL".to_owned();
                return Err(wrong(
                    Code::Nul,
                    reason,
                    "text without NUL; UTF-16 needs a byte order mark, or `encoding`",
                )
                .in_column(name));
            }
            let Ok(text) = std::str::from_utf8(field) else {
                return Err(wrong(Code::Encoding, "the value is not UTF-8".to_owned(), ENCODINGS).in_column(name));
            };
            if let Some(value) = cell(text) {
                values.insert(name.clone(), value);
            }
        }
        Ok(Row { line: number, values, bytes })
    }
}

const ENCODINGS: &str = "UTF-8, or the encoding that imports.toml states, such as encoding = \"windows-1252\"";

impl Parser {
    /// Parses the record that begins with `first`, with as many further lines as its quotes need.
    fn record(&mut self, first: Line, lines: &mut Lines) -> Result<Record, Reject> {
        let number = first.number;
        self.core.reset();
        let (mut out, mut ends) = (0, 0);
        let mut record = Record { lines: Vec::with_capacity(1), fields: 0, open: None };
        let mut size = 0;
        let mut next = Some(first);
        while let Some(line) = next.take() {
            size += line.bytes.len() + 1;
            let cut = line.cut;
            let done = self.feed(&line.bytes, &mut out, &mut ends) || self.feed(b"\n", &mut out, &mut ends);
            record.lines.push(line);
            record.fields = ends;
            if done {
                record.open = None;
                return Ok(record);
            }
            // Only an open quote makes a record continue.
            record.open.get_or_insert(ends);
            if cut || size > MAX_ROW_BYTES || record.lines.len() >= MAX_LINES {
                return Ok(record);
            }
            next = lines.next().map_err(|error| damaged(number, &error))?;
        }
        Ok(record)
    }

    /// Feeds bytes of one line; returns whether the record is complete.
    fn feed(&mut self, mut input: &[u8], out: &mut usize, ends: &mut usize) -> bool {
        loop {
            if input.is_empty() {
                return false;
            }
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.fields[*out..], &mut self.ends[*ends..]);
            input = &input[read..];
            *out += written;
            *ends += ended;
            match result {
                ReadRecordResult::InputEmpty => return false,
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return true,
            }
        }
    }

    /// Returns the field at `at` of the record that was parsed last.
    fn field(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or_default() };
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.fields.get(start..end).unwrap_or_default()
    }
}

/// Returns whether every quoted value of a record ends with its quote. If one does not, a record over several lines has
/// probably swallowed others, up to the first quote of a later one.
fn is_strict(lines: &[Line], delimiter: u8) -> bool {
    #[derive(PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut at = At::Start;
    for line in lines {
        for byte in line.bytes.iter().chain(b"\n") {
            at = match (at, *byte) {
                (At::Quoted, b'"') => At::Closed,
                (At::Quoted, _) | (At::Closed, b'"') => At::Quoted,
                (At::Start, b'"') => At::Quoted,
                (_, b'\n') => At::Start,
                (_, sign) if sign == delimiter => At::Start,
                (At::Closed, _) => return false,
                (At::Start | At::Plain, _) => At::Plain,
            };
        }
    }
    at != At::Quoted
}

/// Returns the value in a cell; `None` for an empty one, and for the error of a formula. `="007"` is how a text is kept
/// from becoming a number.
fn cell(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    if trimmed.is_empty() || ERRORS.contains(&trimmed) {
        return None;
    }
    let kept = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).filter(|inner| !inner.contains('"'));
    Some(kept.unwrap_or(text).into())
}

/// Returns the next line that is not blank.
fn next_filled(lines: &mut Lines) -> Result<Option<Line>, Reject> {
    loop {
        let number = lines.number();
        match lines.next().map_err(|error| damaged(number, &error))? {
            Some(line) if line.bytes.iter().all(u8::is_ascii_whitespace) && !line.bytes.contains(&b'\t') => {}
            line => return Ok(line),
        }
    }
}

/// Returns the delimiter that Excel's first line names.
fn separator(line: &[u8]) -> Option<u8> {
    let rest = line.strip_prefix(b"sep=").or_else(|| line.strip_prefix(b"\"sep="))?;
    rest.first().copied().filter(|sign| sign.is_ascii() && rest.len() <= 2)
}

/// Returns the most frequent delimiter outside of quotes.
fn likely_delimiter(line: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        if let Some(at) = DELIMITERS.iter().position(|sign| sign == byte).filter(|_| !quoted) {
            counts[at] += 1;
        }
    }
    // Of equally frequent ones, the more usual.
    let best = (0..DELIMITERS.len()).rev().max_by_key(|at| counts[*at]).unwrap_or_default();
    DELIMITERS[best]
}
