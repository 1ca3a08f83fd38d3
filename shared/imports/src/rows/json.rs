//! JSON objects: one a line, the items of an array, or one after the other over several lines.
//!
//! The items of a list in an object, such as `{"data": […]}`, are rows like the items of an array.
//!
//! A bad line of NDJSON costs that line. A value over several lines that is too large, or whose brackets are not closed,
//! costs its first line: reading continues with the line after it.

use super::lines::Lines;
use super::list::Finder;
use super::{MAX_ROW_BYTES, Row, damaged};
use crate::reject::{Code, Reject};
use perennial_contracts::tracking::surrogates;
use serde_json::Value;
use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

const ALLOWED: &str = "a JSON object, one a line or as the items of an array";

/// The objects of a text, one a line.
#[derive(Debug)]
pub(super) struct Ndjson(Lines);

impl Ndjson {
    pub(super) fn new(bytes: Box<dyn BufRead + Send>) -> Self {
        Self(Lines::new(bytes))
    }

    /// Returns the next object; `None` at the end.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Reject>> {
        loop {
            let number = self.0.number();
            let line = match self.0.next() {
                Ok(line) => line?,
                Err(error) => return Some(Err(damaged(number, &error))),
            };
            let text = line.bytes.trim_ascii();
            let text = text.strip_prefix(&[0x1e]).unwrap_or(text);
            if line.cut {
                return Some(Err(Reject::new(
                    number,
                    Code::TooLarge,
                    "the row is too large",
                    "at most 1 MB a row",
                    text,
                )));
            }
            if !text.is_empty() {
                return Some(parse(number, text));
            }
        }
    }
}

/// Returns whether a text that begins with `start` has one object a line: its first line is one, or its second line
/// begins with one too.
pub(super) fn is_ndjson(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    if !start.starts_with(b"{") {
        return false;
    }
    let Some(end) = memchr::memchr2(b'\n', b'\r', start) else { return true };
    let is_object = || serde_json::from_slice::<serde::de::IgnoredAny>(&start[..end]).is_ok();
    start[end..].trim_ascii_start().starts_with(b"{") || is_object()
}

fn parse(line: u64, text: &[u8]) -> Result<Row, Reject> {
    match surrogates::read(text) {
        Ok(Value::Object(values)) => Ok(Row { line, values, bytes: text.len() + 1 }),
        Ok(_) => Err(Reject::new(line, Code::Json, "the row is JSON, but no object", ALLOWED, text)),
        Err(error) => {
            let line = line + (error.line() as u64).saturating_sub(1);
            let reason = format!("the row is not JSON (character {})", error.column());
            Err(Reject::new(line, Code::Json, reason, ALLOWED, text))
        }
    }
}

/// The values of a text, found by their brackets.
pub(super) struct Values {
    bytes: Box<dyn BufRead + Send>,
    line: u64,
    /// The bytes of the value in progress.
    value: Vec<u8>,
    /// Bytes that were put back, and come first.
    back: Vec<u8>,
    /// The number of bytes that were consumed and not put back.
    position: u64,
    /// Values that begin before this position are not put back, so that no byte is read more than twice.
    settled: u64,
    /// The members that lead to the list of rows in an object, if rows may be in one.
    list: Option<Arc<[String]>>,
    /// The brackets that are open around the list in progress; `None` outside of lists.
    within: Option<usize>,
    /// The arrays that are open around the rows; `None` once a value was broken, as brackets are not known after it.
    arrays: Option<usize>,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("line", &self.line).finish_non_exhaustive()
    }
}

/// The state after a byte of a value.
enum Step {
    /// More of the value.
    More,
    /// The value is complete with this byte.
    Complete,
    /// The value ended before this byte.
    Ended,
}

/// The result of collecting a value.
enum Collected {
    /// A complete value; empty at the end of the text.
    Value,
    /// One that is too large or not complete.
    Broken,
    /// An object around the list of rows, whose items follow.
    List,
}

/// The state of the scan of one value.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    fn take(&mut self, byte: u8) -> Step {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return Step::More;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth == 0 => return Step::Ended,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::Complete;
                }
            }
            b',' | b'\n' if self.depth == 0 => return Step::Ended,
            _ => {}
        }
        Step::More
    }
}

impl Values {
    pub(super) fn new(bytes: Box<dyn BufRead + Send>, list: Option<Arc<[String]>>) -> Self {
        Self {
            bytes,
            line: 1,
            value: Vec::new(),
            back: Vec::new(),
            position: 0,
            settled: 0,
            list,
            within: None,
            arrays: Some(0),
        }
    }

    /// Returns the next object; `None` at the end.
    pub(super) fn next_row(&mut self) -> Option<Result<Row, Reject>> {
        loop {
            if let Err(error) = self.skip_between() {
                return Some(Err(damaged(self.line, &error)));
            }
            let (line, start) = (self.line, self.position);
            self.value.clear();
            match self.collect() {
                Ok(Collected::List) => {}
                Ok(Collected::Value) if self.value.is_empty() => {
                    let is_open = self.arrays.take().is_some_and(|arrays| arrays > 0);
                    let is_cut = self.within.take().is_some() || is_open;
                    return is_cut.then(|| Err(damaged(line, &io::ErrorKind::UnexpectedEof.into())));
                }
                Ok(Collected::Value) => return Some(parse(line, self.value.trim_ascii())),
                Ok(Collected::Broken) => {
                    let reason = "the value is too large, or its brackets are not closed";
                    let reject = Reject::new(line, Code::TooLarge, reason, "at most 1 MB a row", &self.value);
                    self.put_back(line, start);
                    self.arrays = None;
                    return Some(Err(reject));
                }
                Err(error) => return Some(Err(damaged(line, &error))),
            }
        }
    }

    /// Returns the next byte without consuming it.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        match self.back.last() {
            Some(byte) => Ok(Some(*byte)),
            None => Ok(self.bytes.fill_buf()?.first().copied()),
        }
    }

    fn consume(&mut self, byte: u8) {
        if self.back.pop().is_none() {
            self.bytes.consume(1);
        }
        self.position += 1;
        self.line += u64::from(byte == b'\n');
    }

    /// Skips white space, commas, and brackets between values. At the end of a list, skips the rest of the object around it.
    fn skip_between(&mut self) -> io::Result<()> {
        while let Some(byte @ (b'\n' | b' ' | b'\t' | b'\r' | b',' | b'[' | b']' | b'}' | 0x1e)) = self.peek()? {
            // An item that is a list is a row, if a bad one.
            if byte == b'[' && self.within.is_some() {
                return Ok(());
            }
            self.consume(byte);
            match (byte, self.within) {
                (b']', Some(depth)) => {
                    self.within = None;
                    self.skip_rest(depth)?;
                }
                (b'[', None) => self.arrays = self.arrays.map(|arrays| arrays + 1),
                (b']', None) => self.arrays = self.arrays.map(|arrays| arrays.saturating_sub(1)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Skips to the end of a value in which `depth` brackets are open.
    fn skip_rest(&mut self, depth: usize) -> io::Result<()> {
        let mut scan = Scan { depth, ..Scan::default() };
        while let Some(byte) = self.peek()? {
            self.consume(byte);
            if let Step::Complete = scan.take(byte) {
                break;
            }
        }
        Ok(())
    }

    /// Collects a value.
    fn collect(&mut self) -> io::Result<Collected> {
        let mut scan = Scan::default();
        let list = self.list.clone().filter(|_| self.within.is_none());
        let mut finder = list.as_deref().map(Finder::new);
        while let Some(byte) = self.peek()? {
            let step = scan.take(byte);
            if let Step::Ended = step {
                return Ok(Collected::Value);
            }
            self.value.push(byte);
            self.consume(byte);
            if finder.as_mut().is_some_and(|finder| finder.take(byte)) {
                self.within = Some(scan.depth - 1);
                return Ok(Collected::List);
            }
            // There are no line ends in JSON texts: a quote before was not closed.
            let is_broken = byte == b'\n' && scan.in_text;
            match step {
                Step::Complete => return Ok(Collected::Value),
                _ if is_broken || self.value.len() >= MAX_ROW_BYTES => return Ok(Collected::Broken),
                _ => {}
            }
        }
        Ok(if scan.depth == 0 && !scan.in_text { Collected::Value } else { Collected::Broken })
    }

    /// Puts back what was collected after the first line of the value that began at `line`, at the position `start`.
    fn put_back(&mut self, line: u64, start: u64) {
        let Some(end) = memchr::memchr(b'\n', &self.value).filter(|_| start >= self.settled) else { return };
        self.settled = self.position;
        let rest = &self.value[end + 1..];
        self.position -= rest.len() as u64;
        self.back.extend(rest.iter().rev());
        self.line = line + 1;
    }
}
