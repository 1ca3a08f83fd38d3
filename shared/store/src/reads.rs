//! Reads by key: how consistent they are, and many in one call.

use crate::error::{StoreError, sort};
use crate::item::Item;
use crate::store::Store;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::time::Duration;

/// Keys of one `BatchGetItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const BATCH: usize = 100;
/// Rounds in which keys that DynamoDB left unprocessed are requested again.
const ROUNDS: u32 = 6;
/// The pause before the second round; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(25);

/// The consistency of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Half a read unit for each 4 KB; may be a moment old, which the write's condition notices.
    Eventual,
    /// A read unit for each 4 KB.
    Strong,
}

impl Store {
    /// Returns the items under `keys`, a hundred a call, in any order; those that do not exist are missing.
    /// `keys` must differ from each other.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails; [`StoreError::Throttled`] if keys stay unprocessed.
    pub(crate) async fn get_many(
        &self,
        operation: &'static str,
        keys: Vec<Item>,
        consistency: Consistency,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH) {
            let (mut left, mut pause) = (chunk.to_vec(), PAUSE);
            for round in 0.. {
                if round == ROUNDS {
                    return Err(StoreError::Throttled { operation });
                }
                if round > 0 {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                let wanted = KeysAndAttributes::builder()
                    .set_keys(Some(left))
                    .consistent_read(consistency == Consistency::Strong)
                    .build()
                    .map_err(|error| StoreError::Unstorable(error.to_string()))?;
                let answer = self.client.batch_get_item().request_items(&*self.table, wanted).send().await;
                let answer = answer.map_err(|error| sort(operation, error))?;
                items.extend(answer.responses.and_then(|mut tables| tables.remove(&*self.table)).unwrap_or_default());
                left = answer
                    .unprocessed_keys
                    .and_then(|mut tables| tables.remove(&*self.table))
                    .map(|table| table.keys)
                    .unwrap_or_default();
                if left.is_empty() {
                    break;
                }
            }
        }
        Ok(items)
    }
}
