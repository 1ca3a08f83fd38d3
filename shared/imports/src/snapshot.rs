//! Which rows a file has in common with the one before it, for files that contain everything each time, such as a nightly
//! dump of a user database: an unchanged row costs no message.
//!
//! A snapshot is a digest of each row by a digest of its key, 16 bytes a row. It contains no data of anybody.

use perennial_config::mapping::Place;
use perennial_domain::hash;
use perennial_domain::identity::is_placeholder;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The most rows of a snapshot, so that it takes at most some 200 MB of memory. Rows beyond it always count as changed.
pub const MAX_ROWS: usize = 4_000_000;

const ENTRY: usize = 16;

/// The rows of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of files before this one and including it, which distinguishes files with the same rows.
    sequence: u64,
    rows: HashMap<u64, u64>,
}

/// A snapshot that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot of the file before is damaged")]
pub struct Damaged;

impl Snapshot {
    /// Returns the snapshot of the file after `before`, without rows yet.
    #[must_use]
    pub fn after(before: &Self) -> Self {
        Self { sequence: before.sequence.wrapping_add(1), rows: HashMap::new() }
    }

    /// Reads a stored snapshot; no bytes are that before the first file.
    ///
    /// # Errors
    /// [`Damaged`] if its length is impossible.
    pub fn parse(bytes: &[u8]) -> Result<Self, Damaged> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let (sequence, rows) = bytes.split_first_chunk::<8>().ok_or(Damaged)?;
        let (entries, rest) = rows.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return Err(Damaged);
        }
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let sequence = u64::from_le_bytes(*sequence);
        Ok(Self { sequence, rows: entries.iter().map(|entry| (number(&entry[..8]), number(&entry[8..]))).collect() })
    }

    /// Returns the form that is stored, in which the order of the rows does not matter.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut rows: Vec<(u64, u64)> = self.rows.iter().map(|(key, row)| (*key, *row)).collect();
        rows.sort_unstable();
        let rows = rows.iter().flat_map(|(key, row)| [key.to_le_bytes(), row.to_le_bytes()]).flatten();
        self.sequence.to_le_bytes().into_iter().chain(rows).collect()
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row whose key is at one of `places`, and returns whether `before` has the same row. A row without a key is
    /// never the same.
    pub(crate) fn add(&mut self, places: &[Place], values: &Map<String, Value>, before: &Self) -> bool {
        let Some(key) = key(places, values) else { return false };
        let row = hash::hash64(&[serde_json::to_string(values).unwrap_or_default().as_bytes()]);
        if self.rows.len() < MAX_ROWS || self.rows.contains_key(&key) {
            self.rows.insert(key, row);
        }
        before.rows.get(&key) == Some(&row)
    }
}

/// Returns the digest of a row's key: the value at the first place that has one.
fn key(places: &[Place], values: &Map<String, Value>) -> Option<u64> {
    places.iter().find_map(|place| {
        let Place::Body(pointer) = place else { return None };
        let (first, rest) = match pointer.get(1..)?.find('/') {
            Some(end) => pointer.split_at(end + 1),
            None => (pointer.as_str(), ""),
        };
        let value = values.get(&first.get(1..)?.replace("~1", "/").replace("~0", "~"))?.pointer(rest)?;
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!is_placeholder(&text)).then(|| hash::hash64(&[text.as_bytes()]))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn rows_are_compared_by_key_with_those_of_the_file_before() {
        let places = [Place::Body("/user/id".to_owned()), Place::Body("/a~1b".to_owned())];
        let (mut first, none) = (Snapshot::default(), Snapshot::default());
        assert!(!first.add(&places, &row(json!({"user": {"id": "1"}, "plan": "a"})), &none));
        assert!(!first.add(&places, &row(json!({"a/b": 2, "plan": "a"})), &none));
        assert!(!first.add(&places, &row(json!({"plan": "a"})), &none));
        assert!(!first.add(&places, &row(json!({"a/b": "null", "plan": "a"})), &none));
        assert_eq!(first.len(), 2);
        let first = Snapshot::parse(&first.to_bytes()).unwrap();
        let mut second = Snapshot::default();
        assert!(second.add(&places, &row(json!({"a/b": 2, "plan": "a"})), &first));
        assert!(!second.add(&places, &row(json!({"user": {"id": "1"}, "plan": "b"})), &first));
        assert!(!second.add(&places, &row(json!({"plan": "a"})), &first), "a row without a key is never known");
        let after = |snapshot: &Snapshot| Snapshot::after(snapshot).to_bytes();
        assert_ne!(after(&first), after(&Snapshot::parse(&after(&first)).unwrap()), "files with the same rows differ");
        assert_eq!((Snapshot::parse(&[0; 17]), Snapshot::parse(&[0; 3])), (Err(Damaged), Err(Damaged)));
    }
}
