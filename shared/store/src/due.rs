//! The due index: the profiles and accounts with due timers.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, n, needed, readable, s};
use crate::store::Store;
use crate::{keys, table};
use jiff::Timestamp;
use perennial_domain::{AccountId, PersonId, hash};
use serde::{Deserialize, Serialize};

/// A place in a shard of the due index: behind an item, whether it still is there or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuePosition {
    /// When the item was due, in seconds since 1970.
    pub at: i64,
    pk: String,
    sk: String,
}

/// A due item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A profile.
    Person(PersonId),
    /// An account.
    Account(AccountId),
}

/// An item of the due index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueItem {
    /// The profile or account.
    pub of: Due,
    /// Since when.
    pub due_at: Timestamp,
}

impl DueItem {
    /// The place behind it.
    pub fn position(&self) -> DuePosition {
        let (pk, sk) = match &self.of {
            Due::Person(person) => (keys::person(*person), keys::PROFILE),
            Due::Account(account) => (keys::account(account), keys::ACCOUNT),
        };
        DuePosition { at: self.due_at.as_second(), pk, sk: sk.to_owned() }
    }

    /// Returns the key of the entry: the due item and its time.
    pub fn hash(&self) -> u64 {
        let DuePosition { at, pk, .. } = self.position();
        hash::hash64(&[pk.as_bytes(), &at.to_be_bytes()])
    }
}

/// A page of due items.
#[derive(Debug, Clone, Default)]
pub struct DuePage {
    /// The longest due first.
    pub items: Vec<DueItem>,
    /// Items that cannot be read, and are not among these.
    pub unreadable: u64,
    /// The cursor of the next page; `None` if there is none.
    pub next: Option<DuePosition>,
}

impl Store {
    /// Returns the profiles and accounts of shard `shard` (0 up to [`keys::DUE_SHARDS`], exclusive) that are due at
    /// `now`, at most `limit`. Costs half a read unit for each 4 KB of index, some 30 entries.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails. An unreadable item is counted and does not affect others.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: u16,
        from: Option<&DuePosition>,
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
            .set_exclusive_start_key(from.map(|position| start_key(shard, position)));
        let page = query.send().await.map_err(|error| sort("due", error))?;
        let (found, unreadable) = readable(page.items(), |item| {
            let pk = needed(keys::PK, item.text(keys::PK)?)?;
            let due_at = needed(table::DUE_AT, item.number::<i64>(table::DUE_AT)?)?;
            let due_at = Timestamp::from_second(due_at).map_err(|_| StoreError::corrupt("due_at is out of range"))?;
            let of = match (keys::person_of(pk), keys::account_of(pk)) {
                (Some(person), _) => Due::Person(person),
                (None, Some(account)) => Due::Account(account),
                (None, None) => return Err(StoreError::corrupt("neither a person's key nor an account's")),
            };
            Ok(Some(DueItem { of, due_at }))
        });
        let next = page.last_evaluated_key.as_ref().map(position).transpose()?;
        Ok(DuePage { items: found, unreadable, next })
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
            // Who is due at no time that there is comes behind all others, and is never due.
            let due_at = first.and_then(|item| item.number::<i64>(table::DUE_AT).ok().flatten());
            Ok(due_at.and_then(|due_at| Timestamp::from_second(due_at).ok()))
        };
        let firsts = futures::future::try_join_all((0..keys::DUE_SHARDS).map(first)).await?;
        Ok(firsts.into_iter().flatten().min())
    }
}

/// The place behind the item of a key of the index.
fn position(key: &Item) -> Result<DuePosition, StoreError> {
    let text = |name: &str| needed(name, key.text(name)?).map(str::to_owned);
    let at = needed(table::DUE_AT, key.number(table::DUE_AT)?)?;
    Ok(DuePosition { at, pk: text(keys::PK)?, sk: text(keys::SK)? })
}

fn start_key(shard: u8, position: &DuePosition) -> Item {
    let mut key = keys::key(&*position.pk, &*position.sk);
    key.insert(table::DUE_SHARD.to_owned(), s(keys::shard_name(shard)));
    key.insert(table::DUE_AT.to_owned(), n(position.at));
    key
}
