//! Cursors: where a list continues. Opaque to clients; a changed one is an error, and shows nothing that its query does not.

use crate::ViewError;
use data_encoding::BASE64URL_NOPAD;
use perennial_domain::hash;
use perennial_store::lists::{Place, Range};
use serde::{Deserialize, Serialize};

/// The most bytes of a cursor.
const MAX_BYTES: usize = 2048;
const NOT_OURS: ViewError =
    ViewError::Wrong("cursor must be the `next` of the page before, with the same filters; leave it out to begin");

/// Where a list continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The number of the walked index among the query's indexes.
    #[serde(rename = "i")]
    pub index: usize,
    /// The place after which it continues; `None` for the beginning.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The id that was found exactly, on the first page.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// A hash of the query.
    #[serde(rename = "q")]
    pub query: u64,
}

impl Cursor {
    /// Returns the cursor after a place of an index, or at its beginning.
    pub(super) fn after(index: usize, place: Option<&Place>, exact: Option<String>, fingerprint: &str) -> Self {
        Self { index, place: place.map(|place| place.as_str().to_owned()), exact, query: of_query(fingerprint) }
    }

    /// Returns it as text.
    pub(super) fn to_text(&self) -> Result<String, ViewError> {
        Ok(BASE64URL_NOPAD.encode(&serde_json::to_vec(self)?))
    }

    /// Reads a cursor of the query with `fingerprint`.
    pub(super) fn parse(text: &str, fingerprint: &str) -> Result<Self, ViewError> {
        if text.len() > MAX_BYTES {
            return Err(NOT_OURS);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NOT_OURS)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| NOT_OURS)?;
        if cursor.query == of_query(fingerprint) { Ok(cursor) } else { Err(NOT_OURS) }
    }

    /// Returns its place in the index's range.
    pub(super) fn place_in(&self, range: &Range) -> Result<Option<Place>, ViewError> {
        let place = self.place.clone().map(Place::new);
        if place.as_ref().is_none_or(|place| range.contains(place)) { Ok(place) } else { Err(NOT_OURS) }
    }

    /// Returns the index among the ranges of the query.
    pub(super) fn range<'a>(&self, ranges: &'a [Range]) -> Result<&'a Range, ViewError> {
        ranges.get(self.index).ok_or(NOT_OURS)
    }
}

fn of_query(fingerprint: &str) -> u64 {
    hash::hash64(&[b"list", fingerprint.as_bytes()])
}
