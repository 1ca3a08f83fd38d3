//! The ledger of event ids that left a part's recent window.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, b, needed};
use crate::keys;
use crate::store::Store;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
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

    /// The ids of a part's ledger, which holds `blocks` blocks. Read eventually first; consistently where some are not to be
    /// seen yet. A read unit buys about 600 ids, half a unit where read eventually.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where blocks are missing for good, else that of the read.
    pub async fn read_ledger(&self, owner: PersonId, blocks: u32) -> Result<HashSet<u64>, StoreError> {
        for consistent in [false, true] {
            let items = self.partition("read_ledger", keys::person(owner), keys::LEDGER, consistent).await?;
            if items.len() >= usize::try_from(blocks).unwrap_or(usize::MAX) {
                let mut ids = HashSet::new();
                for item in &items {
                    let bytes = needed("ids", item.bytes("ids")?)?;
                    ids.extend(bytes.as_chunks::<8>().0.iter().map(|id| u64::from_be_bytes(*id)));
                }
                return Ok(ids);
            }
        }
        Err(StoreError::corrupt("a part's ledger has fewer blocks than its profile says"))
    }
}

fn item(block: &RolledBlock) -> Item {
    let mut item: HashMap<_, _> = keys::key(keys::person(block.owner), keys::ledger(block.number));
    item.insert("ids".to_owned(), b(block.ids.iter().flat_map(|id| id.to_be_bytes()).collect()));
    item
}
