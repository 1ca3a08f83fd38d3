//! The ledger of event ids that left an identity's recent window.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, at, b, needed, s};
use crate::keys;
use crate::store::Store;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use jiff::Timestamp;
use perennial_domain::PersonId;
use perennial_engine::RolledBlock;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Writes of one BatchWriteItem.
const BATCH: usize = 25;
/// Rounds in which what DynamoDB left unprocessed is offered again.
const ROUNDS: u32 = 6;
/// The pause before the second round; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(25);
/// The attribute of the moment at which a block rolled.
const AT: &str = "at";
/// Blocks of the first query of a walk: half a read unit, and more ids than most are repeated after.
const FIRST_PAGE: i32 = 16;
/// Blocks of one query at most: what fits into its megabyte.
const MOST_A_PAGE: i32 = 4_096;

impl Store {
    /// Writes blocks, before the profile that stops carrying their ids. A block that is there already is replaced by the same.
    ///
    /// # Errors
    /// [`StoreError`] where not all could be written: the profile must not be written then.
    pub async fn put_blocks(&self, blocks: &[RolledBlock]) -> Result<(), StoreError> {
        if let [block] = blocks {
            return self.put("put_blocks", item(block), None).await;
        }
        for chunk in blocks.chunks(BATCH) {
            let mut requests = Vec::with_capacity(chunk.len());
            for block in chunk {
                let put = PutRequest::builder().set_item(Some(item(block))).build();
                let put = put.map_err(|error| StoreError::Unstorable(error.to_string()))?;
                requests.push(WriteRequest::builder().put_request(put).build());
            }
            self.write_all(requests).await?;
        }
        Ok(())
    }

    async fn write_all(&self, mut requests: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut pause = PAUSE;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let write = self.client.batch_write_item().request_items(&*self.table, requests);
            let answer = write.send().await.map_err(|error| sort("put_blocks", error))?;
            requests = answer.unprocessed_items.and_then(|mut left| left.remove(&*self.table)).unwrap_or_default();
            if requests.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Throttled { operation: "put_blocks" })
    }

    /// Returns the ids of an identity's ledger with `blocks` blocks. A read unit reads about 750 ids, twice as many
    /// with eventual consistency: 1,250 units for a million events.
    ///
    /// # Errors
    /// As of [`Self::read_ledger_since`].
    pub async fn read_ledger(&self, owner: PersonId, blocks: u32) -> Result<HashSet<u64>, StoreError> {
        self.read_ledger_since(owner, blocks, None).await
    }

    /// Returns the ids of the blocks that rolled at `since` or later; of all blocks if that is `None`, and of those
    /// that were written before blocks had a time. They are read from the newest back, so that the cost depends on what
    /// happened since, not on the number of events. The first read is eventually consistent; a consistent one follows
    /// if blocks are missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if blocks are missing permanently, else that of the read.
    pub async fn read_ledger_since(
        &self,
        owner: PersonId,
        blocks: u32,
        since: Option<Timestamp>,
    ) -> Result<HashSet<u64>, StoreError> {
        for consistent in [false, true] {
            if let Some(ids) = self.walk_ledger(owner, blocks, since, consistent).await? {
                return Ok(ids);
            }
        }
        Err(StoreError::corrupt("an identity's ledger has fewer blocks than its profile says"))
    }

    /// `None` where a block is missing.
    async fn walk_ledger(
        &self,
        owner: PersonId,
        blocks: u32,
        since: Option<Timestamp>,
        consistent: bool,
    ) -> Result<Option<HashSet<u64>>, StoreError> {
        let (mut ids, mut left, mut limit) = (HashSet::new(), blocks, FIRST_PAGE);
        while let Some(newest) = left.checked_sub(1) {
            let query = self.client.query().table_name(&*self.table).consistent_read(consistent);
            let query = query
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#pk", keys::PK)
                .expression_attribute_names("#sk", keys::SK)
                .expression_attribute_values(":pk", s(keys::person(owner)))
                .expression_attribute_values(":oldest", s(keys::ledger(0)))
                .expression_attribute_values(":newest", s(keys::ledger(newest)))
                .scan_index_forward(false)
                .limit(limit);
            let page = query.send().await.map_err(|error| sort("read_ledger", error))?.items.unwrap_or_default();
            if page.is_empty() {
                return Ok(None);
            }
            for item in &page {
                // A missing block is always detected: blocks are numbered without a gap.
                let expected = left.checked_sub(1).map(keys::ledger);
                if item.text(keys::SK)? != expected.as_deref() {
                    return Ok(None);
                }
                left -= 1;
                if since.is_some_and(|since| matches!(item.moment(AT), Ok(Some(at)) if at < since)) {
                    return Ok(Some(ids));
                }
                let bytes = needed("ids", item.bytes("ids")?)?;
                ids.extend(bytes.as_chunks::<8>().0.iter().map(|id| u64::from_be_bytes(*id)));
            }
            limit = (limit * 4).min(MOST_A_PAGE);
        }
        Ok(Some(ids))
    }
}

fn item(block: &RolledBlock) -> Item {
    let mut item: HashMap<_, _> = keys::key(keys::person(block.owner), keys::ledger(block.number));
    item.insert("ids".to_owned(), b(block.ids.iter().flat_map(|id| id.to_be_bytes()).collect()));
    item.insert(AT.to_owned(), at(block.at));
    item
}
