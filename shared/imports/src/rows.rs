//! The rows of a text: a table with a header, or JSON.

mod json;
mod lines;
mod list;
mod table;

use crate::reject::{Code, Reject};
use encoding_rs::Encoding;
use json::{Ndjson, Values, is_ndjson};
use lines::Lines;
use serde_json::{Map, Value};
use std::io::{self, BufRead};
use std::sync::Arc;
use table::Table;

/// The most bytes of a row.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line at which it begins, from 1.
    pub line: u64,
    /// Its values by column, or its JSON object.
    pub values: Map<String, Value>,
    /// The number of bytes that it has in the text.
    pub bytes: usize,
}

/// How a text is read.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// The stated encoding; `None` for UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// The sign between columns; `None` to find it.
    pub delimiter: Option<u8>,
    /// The names of the members that lead to the list of rows in an object of JSON; `None` to find it.
    pub list: Option<Arc<[String]>>,
}

/// The rows of one text. After a bad row, it continues with the next one.
#[derive(Debug)]
pub struct Rows {
    form: Form,
    failed: bool,
}

#[derive(Debug)]
enum Form {
    Table(Box<Table>),
    Ndjson(Ndjson),
    Json(Box<Values>),
    Empty,
}

impl Rows {
    /// Begins to read a text: JSON if it begins with a bracket, else a table.
    ///
    /// # Errors
    /// If it cannot be read, or has no header.
    pub fn open(bytes: Box<dyn BufRead + Send>, reader: Reader) -> Result<Self, Reject> {
        let damaged = |error: io::Error| damaged(1, &error);
        let mut bytes = crate::text::utf8(bytes, reader.encoding).map_err(damaged)?;
        let form = match first_sign(&mut bytes).map_err(damaged)? {
            None => Form::Empty,
            Some(b'{') => {
                let start = bytes.fill_buf().map_err(damaged)?;
                match reader.list.or_else(|| list::usual(start)) {
                    None if is_ndjson(start) => Form::Ndjson(Ndjson::new(bytes)),
                    list => Form::Json(Box::new(Values::new(bytes, list))),
                }
            }
            Some(b'[') => Form::Json(Box::new(Values::new(bytes, reader.list))),
            Some(_) => match Table::open(Lines::new(bytes), reader.delimiter)? {
                Some(table) => Form::Table(Box::new(table)),
                None => Form::Empty,
            },
        };
        Ok(Self { form, failed: false })
    }

    /// Returns the columns of a table; `None` of JSON.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        match &self.form {
            Form::Table(table) => Some(table.columns()),
            Form::Ndjson(_) | Form::Json(_) | Form::Empty => None,
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = match &mut self.form {
            Form::Table(table) => table.next_row(),
            Form::Ndjson(lines) => lines.next_row(),
            Form::Json(values) => values.next_row(),
            Form::Empty => None,
        };
        // Nothing can be read after damaged data.
        self.failed = matches!(&next, Some(Err(reject)) if reject.code == Code::Damaged);
        next
    }
}

/// Returns the first byte that is no white space, without consuming it.
fn first_sign(bytes: &mut Box<dyn BufRead + Send>) -> io::Result<Option<u8>> {
    let start = bytes.fill_buf()?;
    if start.is_empty() {
        return Ok(None);
    }
    // A table may begin with a tab or a space: white space is only passed over to look.
    Ok(Some(start.iter().copied().find(|byte| !byte.is_ascii_whitespace()).unwrap_or(b' ')))
}

/// Returns the reject for data that cannot be read from `line` on.
fn damaged(line: u64, error: &io::Error) -> Reject {
    let reason = format!("the data cannot be read from here on: {error}");
    Reject::new(line, Code::Damaged, reason, "a complete file; export or copy it again", b"")
}

#[cfg(test)]
mod tests;
