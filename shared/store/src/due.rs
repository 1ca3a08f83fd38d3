//! The due index: the profiles and accounts whose timers fired.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, n, needed, readable, s};
use crate::store::Store;
use crate::{keys, table};
use jiff::Timestamp;
use perennial_domain::{AccountId, PersonId};

/// Where a page of due profiles and accounts ended. Opaque.
#[derive(Debug, Clone)]
pub struct DueCursor(Item);

/// Some of those who are due.
#[derive(Debug, Clone, Default)]
pub struct DuePage {
    /// The profiles, and since when; the longest due first.
    pub people: Vec<(PersonId, Timestamp)>,
    /// The accounts, in the same way.
    pub accounts: Vec<(AccountId, Timestamp)>,
    /// Items that cannot be read, and are not among these.
    pub unreadable: u64,
    /// Where to go on; `None` where there are no more.
    pub next: Option<DueCursor>,
}

impl Store {
    /// The profiles and accounts of shard `shard` (0 up to [`keys::DUE_SHARDS`], exclusive) that are due at `now`, at most `limit` of them. Half a read unit for
    /// each 4 KB of index, some 30 people.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails. An item that cannot be read is counted, and concerns no other.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: u16,
        from: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(table::DUE_INDEX)
            .key_condition_expression("#shard = :shard AND #at <= :now")
            .expression_attribute_names("#shard", table::DUE_SHARD)
            .expression_attribute_names("#at", table::DUE_AT)
            .expression_attribute_values(":shard", s(keys::shard_name(shard)))
            .expression_attribute_values(":now", n(now.as_second()))
            .limit(i32::from(limit))
            .set_exclusive_start_key(from.map(|cursor| cursor.0));
        let page = query.send().await.map_err(|error| sort("due", error))?;
        let (found, unreadable) = readable(page.items(), |item| {
            let pk = needed(keys::PK, item.text(keys::PK)?)?;
            let due_at = needed(table::DUE_AT, item.number::<i64>(table::DUE_AT)?)?;
            let due_at = Timestamp::from_second(due_at).map_err(|_| StoreError::corrupt("due_at is out of range"))?;
            match (keys::person_of(pk), keys::account_of(pk)) {
                (Some(person), _) => Ok(Some((Ok(person), due_at))),
                (None, Some(account)) => Ok(Some((Err(account), due_at))),
                (None, None) => Err(StoreError::corrupt("neither a person's key nor an account's")),
            }
        });
        let mut due = DuePage { unreadable, next: page.last_evaluated_key.map(DueCursor), ..DuePage::default() };
        for (of, due_at) in found {
            match of {
                Ok(person) => due.people.push((person, due_at)),
                Err(account) => due.accounts.push((account, due_at)),
            }
        }
        Ok(due)
    }

    /// The earliest moment from `from` on at which a profile or an account is due; `None` where none is. Eight read units.
    ///
    /// # Errors
    /// [`StoreError`] where a query fails.
    pub async fn next_due(&self, from: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let first = |shard: u8| async move {
            let query = self
                .client
                .query()
                .table_name(&*self.table)
                .index_name(table::DUE_INDEX)
                .key_condition_expression("#shard = :shard AND #at >= :from")
                .expression_attribute_names("#shard", table::DUE_SHARD)
                .expression_attribute_names("#at", table::DUE_AT)
                .expression_attribute_values(":shard", s(keys::shard_name(shard)))
                .expression_attribute_values(":from", n(from.as_second()))
                .limit(1);
            let page = query.send().await.map_err(|error| sort("next_due", error))?;
            let first = page.items.unwrap_or_default().into_iter().next();
            let due_at = first.map(|item| needed(table::DUE_AT, item.number::<i64>(table::DUE_AT)?)).transpose()?;
            let out_of_range = |_| StoreError::corrupt("due_at is out of range");
            due_at.map(|due_at| Timestamp::from_second(due_at).map_err(out_of_range)).transpose()
        };
        let firsts = futures::future::try_join_all((0..keys::DUE_SHARDS).map(first)).await?;
        Ok(firsts.into_iter().flatten().min())
    }
}
