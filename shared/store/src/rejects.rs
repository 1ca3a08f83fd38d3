//! Events that were not accepted, with the reason: one item each, in a partition of the day on which they were received, sorted by the minute,
//! for 30 days.

use crate::error::{StoreError, sort};
use crate::item::{Found, Item, Read, at, n, needed, readable, s};
use crate::keys;
use crate::store::Store;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use perennial_domain::{SourceId, hash, time};
use serde::Serialize;
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

/// Days that a reject is kept.
pub const KEPT_DAYS: i64 = 30;
/// Bytes of an event that are kept.
pub const RAW_BYTES: usize = 4 * 1024;

/// Items of one `BatchWriteItem`.
const BATCH: usize = 25;
/// Rejects of one query at most.
const PAGE: usize = 200;
/// The most attempts for items that DynamoDB left unprocessed, the first one included.
const OFFERS: u32 = 5;
/// The wait before the second offer; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(50);

/// A rejected event. `Debug` leaves out the event's content.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reject {
    /// The same whenever the same event is rejected again: from its source and message id, or from its source and text.
    pub id: String,
    /// Its source.
    pub source: SourceId,
    /// The error code: `wrong_type`, `timestamp_in_future` …
    pub code: String,
    /// The error, for people.
    pub reason: String,
    /// The field that is wrong; empty if it is the event as a whole.
    pub path: String,
    /// The allowed values.
    pub allowed: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// The event as it came, cut off at [`RAW_BYTES`].
    pub event: String,
}

impl Reject {
    /// Returns the id of the event of `source` with this `key`.
    pub fn id_of(source: &SourceId, key: &str) -> String {
        const BYTES: usize = 15;
        hash::base32(&hash::sha256(&[b"reject", source.as_str().as_bytes(), key.as_bytes()])[..BYTES])
    }

    fn item(&self) -> Item {
        let ttl = time::plus_days(self.received_at, KEPT_DAYS).as_second();
        let event = &self.event[..self.event.floor_char_boundary(RAW_BYTES)];
        let (pk, sk) = keys::reject(self.received_at, &self.id);
        let mut item = keys::key(pk, sk);
        item.extend(
            [
                ("source", s(self.source.as_str())),
                ("code", s(&self.code)),
                ("reason", s(&self.reason)),
                ("path", s(&self.path)),
                ("allowed", s(&self.allowed)),
                ("received_at", at(self.received_at)),
                ("event", s(event)),
                ("ttl", n(ttl)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        item
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let text = |name| needed(name, item.text(name)?).map(str::to_owned);
        Ok(Self {
            id: keys::reject_id(&text(keys::SK)?).to_owned(),
            source: needed("source", item.parsed("source")?)?,
            code: text("code")?,
            reason: text("reason")?,
            path: text("path")?,
            allowed: text("allowed")?,
            received_at: needed("received_at", item.moment("received_at")?)?,
            event: text("event")?,
        })
    }
}

impl fmt::Debug for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, source, code, path, received_at, .. } = self;
        f.debug_struct("Reject")
            .field("id", id)
            .field("source", source)
            .field("code", code)
            .field("path", path)
            .field("received_at", received_at)
            .finish_non_exhaustive()
    }
}

/// A store of rejected events and rows, for callers whose tests keep them in memory.
pub trait Rejects: Send + Sync {
    /// Stores all of `rejects`, or returns an error if not all of them are stored.
    fn put_all(&self, rejects: Vec<Reject>) -> BoxFuture<'_, Result<(), StoreError>>;
}

impl Rejects for Store {
    fn put_all(&self, rejects: Vec<Reject>) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.put_rejects(&rejects).await }.boxed()
    }
}

impl Store {
    /// Stores `rejects`; of those with the same id the last is kept. Storing one again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if any was not stored; store all of them again then.
    pub async fn put_rejects(&self, rejects: &[Reject]) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        let mut writes = Vec::new();
        for reject in rejects.iter().rev() {
            if seen.insert(keys::reject(reject.received_at, &reject.id)) {
                let put = PutRequest::builder().set_item(Some(reject.item())).build();
                let put = put.map_err(|error| StoreError::Unstorable(error.to_string()))?;
                writes.push(WriteRequest::builder().put_request(put).build());
            }
        }
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(BATCH));
            self.write_batch(std::mem::replace(&mut writes, rest)).await?;
        }
        Ok(())
    }

    async fn write_batch(&self, mut writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        const OPERATION: &str = "put_rejects";
        let mut pause = PAUSE;
        for offer in 1..=OFFERS {
            let request = self.client.batch_write_item().request_items(&*self.table, writes);
            let answer = request.send().await.map_err(|error| sort(OPERATION, error))?;
            writes = answer.unprocessed_items.unwrap_or_default().remove(&*self.table).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            if offer < OFFERS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(StoreError::Throttled { operation: OPERATION })
    }

    /// Returns one reject, by the keys of its item; `None` if it is no longer stored.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails or the item cannot be read.
    pub async fn reject(&self, pk: &str, id: &str) -> Result<Option<Reject>, StoreError> {
        self.get("reject", keys::key(pk, id), true).await?.map(|item| Reject::read(&item)).transpose()
    }

    /// The newest rejects, at most `limit`, of the [`KEPT_DAYS`] up to `now`; the newest first.
    ///
    /// # Errors
    /// [`StoreError`] where a query fails. A reject that cannot be read is counted, and concerns no other.
    pub async fn rejects(&self, now: Timestamp, limit: usize) -> Result<Found<Reject>, StoreError> {
        let (mut rejects, mut unreadable): (Vec<Reject>, u64) = (Vec::new(), 0);
        for day in 0..=KEPT_DAYS {
            if rejects.len() >= limit {
                break;
            }
            let of = time::plus_days(now, -day);
            let shards = (0..keys::REJECT_SHARDS).map(|shard| self.newest_rejects(keys::rejects_of(of, shard), limit));
            let mut found = futures::future::try_join_all(shards).await?;
            // Those that were stored before there were shards.
            found.push(self.newest_rejects(keys::rejects(of), limit).await?);
            unreadable += found.iter().map(|found| found.unreadable).sum::<u64>();
            let mut of_day: Vec<Reject> = found.into_iter().flat_map(|found| found.items).collect();
            of_day.sort_by(|a, b| b.received_at.cmp(&a.received_at).then_with(|| a.id.cmp(&b.id)));
            rejects.append(&mut of_day);
        }
        rejects.truncate(limit);
        Ok(Found { items: rejects, unreadable })
    }

    /// The newest `limit` rejects of a partition, and the others of the same minute as the last of them. What is older is not read.
    async fn newest_rejects(&self, partition: String, limit: usize) -> Result<Found<Reject>, StoreError> {
        const OPERATION: &str = "rejects";
        let (mut items, mut from): (Vec<Item>, _) = (Vec::new(), None);
        let minute =
            |item: &Item| item.text(keys::SK).ok().flatten().and_then(|sk| Some(sk.split_once('#')?.0.to_owned()));
        loop {
            let query = self.client.query().table_name(&*self.table).scan_index_forward(false);
            let query = query
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", keys::PK)
                .expression_attribute_values(":pk", s(&*partition))
                .limit(i32::try_from(limit.clamp(1, PAGE)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(|error| sort(OPERATION, error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            let last = items.last().and_then(minute);
            // Keys without a minute are in no order: all of them are read.
            let is_enough =
                last.is_some() && items.get(limit.saturating_sub(1)).is_some_and(|item| minute(item) != last);
            if from.is_none() || is_enough {
                break;
            }
        }
        let (items, unreadable) = readable(&items, |item| Reject::read(item).map(Some));
        Ok(Found { items, unreadable })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reject(event: &str) -> Reject {
        let source = SourceId::parse("web").unwrap();
        Reject {
            id: Reject::id_of(&source, "m-1"),
            source,
            code: "wrong_type".to_owned(),
            reason: "userId is an object".to_owned(),
            path: "userId".to_owned(),
            allowed: "text".to_owned(),
            received_at: "2026-03-01T23:59:59.5Z".parse().unwrap(),
            event: event.to_owned(),
        }
    }

    #[test]
    fn a_reject_survives_its_item() {
        let reject = reject("{\"userId\":{}}");
        let item = reject.item();
        assert_eq!(Reject::read(&item).unwrap(), reject);
        assert!(item.text("pk").unwrap().unwrap().starts_with("R#2026-03-01#"));
        assert_eq!(item.text("sk").unwrap(), Some(&*format!("29540159#{}", reject.id)));
        let old = Item::from_iter(item.clone().into_iter().chain([("sk".to_owned(), s(&*reject.id))]));
        assert_eq!(Reject::read(&old).unwrap(), reject, "as it was stored before");
        assert_eq!(item.number::<i64>("ttl").unwrap(), Some(reject.received_at.as_second() + 30 * 86_400));
    }

    #[test]
    fn a_long_event_is_cut_between_characters() {
        let stored = Reject::read(&reject(&"é".repeat(4_000)).item()).unwrap();
        assert_eq!(stored.event.len(), RAW_BYTES);
        let stored = Reject::read(&reject(&format!("x{}", "é".repeat(4_000))).item()).unwrap();
        assert_eq!(stored.event.len(), RAW_BYTES - 1);
    }

    #[test]
    fn ids_tell_sources_and_events_apart() {
        let id = |source: &str, key: &str| Reject::id_of(&SourceId::parse(source).unwrap(), key);
        assert_eq!(id("web", "m"), id("web", "m"));
        assert_ne!(id("web", "m"), id("app", "m"));
        assert_ne!(id("web", "m"), id("web", "n"));
    }

    #[test]
    fn what_the_event_says_is_not_printed() {
        assert!(!format!("{:?}", reject("ada@example.com")).contains("ada"));
    }
}
