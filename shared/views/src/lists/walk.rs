//! Walks an index until a page is full, or as much was examined as one request may.

use super::cursor::Cursor;
use super::params::Params;
use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_store::StoreError;
use perennial_store::lists::{Place, Range};
use serde::Serialize;

/// The most entries that one page examines: half a read unit or more each.
const MOST_EXAMINED: usize = 1000;
/// The fewest entries that are read at once, where filters may leave out most of them.
const AT_ONCE: usize = 100;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Page<R> {
    /// The rows, sorted.
    pub rows: Vec<R>,
    /// The value of `cursor` for the next page; `null` if there is none. A page can have no rows and still have a next one.
    pub next: Option<String>,
    /// Entries of the walked index that were examined.
    pub examined: usize,
    /// Entries, profiles or accounts that cannot be read, and are in no row.
    pub unreadable: u64,
    /// The walked index.
    pub index: String,
    /// The configuration that rows are evaluated under.
    pub config: String,
    /// The time that rows are evaluated at.
    pub now: Timestamp,
}

/// The rows that a list makes of the entries of its index.
pub(super) trait Rows {
    /// A row.
    type Row;

    /// Returns the row of each place in `list`, in their order: `None` for an entry that no longer holds, or that a filter
    /// leaves out. Also returns the number of those that cannot be read.
    async fn rows(&self, list: &str, places: &[Place]) -> Result<(Vec<Option<Self::Row>>, u64), StoreError>;

    /// Sorts the rows of a page.
    fn sort(&self, rows: &mut [Self::Row]);
}

/// Returns the page of a query. `ranges` are the indexes that contain all of its rows, of which the shortest is walked.
/// `exact` is the row that the search found by an id, which the first page begins with.
pub(super) async fn page<L: Rows>(
    views: &Views,
    list: &L,
    params: &Params,
    ranges: &[Range],
    exact: Option<(String, L::Row)>,
    (config, now): (&str, Timestamp),
) -> Result<Page<L::Row>, ViewError> {
    let (fingerprint, limit) = (params.fingerprint(), params.limit()?);
    let cursor = params.get("cursor").map(|text| Cursor::parse(text, &fingerprint)).transpose()?;
    let (index, mut after) = match &cursor {
        Some(cursor) => (cursor.index, cursor.place_in(cursor.range(ranges)?)?),
        None => (shortest(views, ranges).await?, None),
    };
    let (exact_id, first) = match exact {
        Some((id, row)) => (Some(id), Some(row)),
        None => (cursor.and_then(|cursor| cursor.exact), None),
    };
    let mut page = Page {
        rows: Vec::new(),
        next: None,
        examined: 0,
        unreadable: 0,
        index: ranges.get(index).map(|range| range.list.clone()).unwrap_or_default(),
        config: config.to_owned(),
        now,
    };
    let room = limit - usize::from(first.is_some());
    let mut is_over = false;
    if let Some(range) = ranges.get(index).filter(|_| room > 0) {
        while page.rows.len() < room && page.examined < MOST_EXAMINED {
            let wanted = (room - page.rows.len()).max(AT_ONCE).min(MOST_EXAMINED - page.examined);
            let read = views.store.list_page(range, after.as_ref(), wanted).await?;
            let (rows, unreadable) = list.rows(&range.list, &read.places).await?;
            page.unreadable += read.unreadable + unreadable;
            // An empty page of tombstones counts as well, so that no walk is without an end.
            page.examined += read.places.len().max(1);
            after = read.next;
            for (place, row) in read.places.iter().zip(rows) {
                if exact_id.as_deref() == Some(place.id()) {
                    continue;
                }
                page.rows.extend(row);
                if page.rows.len() == room {
                    let is_last = read.places.last() == Some(place);
                    after = if is_last { after } else { Some(place.clone()) };
                    break;
                }
            }
            if after.is_none() {
                is_over = true;
                break;
            }
        }
    } else {
        is_over = ranges.get(index).is_none();
    }
    if !is_over {
        page.next = Some(Cursor::after(index, after.as_ref(), exact_id, &fingerprint).to_text()?);
    }
    list.sort(&mut page.rows);
    page.rows.splice(0..0, first);
    Ok(page)
}

/// Returns the number of the shortest of several indexes, by one of their partitions.
async fn shortest(views: &Views, ranges: &[Range]) -> Result<usize, StoreError> {
    if ranges.len() < 2 {
        return Ok(0);
    }
    let sizes = ranges.iter().map(|range| views.store.list_size(range));
    let sizes = futures::future::try_join_all(sizes).await?;
    Ok(sizes.iter().enumerate().min_by_key(|(_, size)| **size).map_or(0, |(at, _)| at))
}
