//! The lists of people and accounts: by stage, segment, persona, owner and score band, and by the words of names.
//!
//! A list is an index of small items in 16 partitions, in the order of a band or word and then of ids. It says who may be in
//! the list; readers load the profiles and check. An entry belongs to a version of its profile: one of an earlier version
//! never replaces one of a later, and a removed entry leaves a tombstone for some days, so that a slow or repeated write
//! does not restore it.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, n, needed, s};
use crate::store::{Condition, Store, is_true};
use crate::{keys, table};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{AccountId, PersonId};
use perennial_engine::listing::{ListChange, ListEntry};
use std::collections::BTreeSet;

/// How long the tombstone of a removed entry is kept, in days: no writer is delayed that long.
const TOMBSTONE_DAYS: i64 = 2;
/// Writes at once.
const CONCURRENCY: usize = 16;
/// A text after every other text with the same beginning.
const LAST: &str = "\u{10ffff}";
/// The most entries that [`Store::list_size`] counts.
pub const COUNTED: usize = 64;

/// The kind of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People.
    People,
    /// Accounts.
    Accounts,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::People => 'P',
            Self::Accounts => 'A',
        }
    }
}

/// The owner of entries.
#[derive(Debug, Clone, Copy)]
pub enum Listee<'a> {
    /// A profile.
    Person(PersonId),
    /// An account.
    Account(&'a AccountId),
}

impl Listee<'_> {
    fn kind(self) -> Kind {
        match self {
            Self::Person(_) => Kind::People,
            Self::Account(_) => Kind::Accounts,
        }
    }

    /// Returns the primary key of an entry.
    fn key(self, entry: &ListEntry) -> (String, String) {
        let (id, shard) = match self {
            Self::Person(person) => (person.to_string(), keys::due_shard(person)),
            Self::Account(account) => (account.to_string(), keys::due_shard_of_account(account)),
        };
        (keys::list(self.kind().letter(), entry.list(), &shard), format!("{}#{id}", entry.order()))
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The kind of its members.
    pub kind: Kind,
    /// The list, see [`ListEntry::list`].
    pub list: String,
    /// The first possible sort key.
    from: String,
    /// The last possible sort key.
    to: String,
    /// From the last to the first.
    is_descending: bool,
}

impl Range {
    /// Returns the entries from `first` to `last`, which are of one list, in rising order of bands.
    pub fn new(kind: Kind, first: &ListEntry, last: &ListEntry) -> Self {
        let (from, to) = (format!("{}#", first.order()), format!("{}#{LAST}", last.order()));
        Self { kind, list: first.list().to_owned(), from, to, is_descending: false }
    }

    /// Returns the entries whose order begins as that of `first`.
    pub fn beginning(kind: Kind, first: &ListEntry) -> Self {
        let (from, to) = (first.order().to_owned(), format!("{}{LAST}", first.order()));
        Self { kind, list: first.list().to_owned(), from, to, is_descending: false }
    }

    /// Returns the same from the last to the first.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { is_descending: true, ..self }
    }

    /// Returns whether a place is in it, so that a page can begin after it.
    pub fn contains(&self, place: &Place) -> bool {
        (self.from.as_str()..=self.to.as_str()).contains(&place.0.as_str()) && place.0.len() <= MAX_PLACE_BYTES
    }

    fn sort(&self, entries: &mut [(Place, bool)]) {
        entries.sort_unstable();
        if self.is_descending {
            entries.reverse();
        }
    }

    /// Returns whether `one` comes before `other`.
    fn is_before(&self, one: &Place, other: &Place) -> bool {
        if self.is_descending { one > other } else { one < other }
    }
}

/// The most bytes of a sort key in DynamoDB.
const MAX_PLACE_BYTES: usize = 1024;

/// The place of an entry in its list: order and id. Readers of a list continue after it, even if it was removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(String);

impl Place {
    /// Returns the place of a text that [`Self::as_str`] returned.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the band or word; empty in lists without.
    pub fn order(&self) -> &str {
        self.0.split_once('#').map_or("", |(order, _)| order)
    }

    /// Returns the id of the profile or account.
    pub fn id(&self) -> &str {
        self.0.split_once('#').map_or(&self.0, |(_, id)| id)
    }
}

/// Entries of a list, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// Their places.
    pub places: Vec<Place>,
    /// The place after which the list continues; `None` at its end.
    pub next: Option<Place>,
    /// Entries that cannot be read, and are not among these.
    pub unreadable: u64,
}

impl Store {
    /// Applies a change of entries as of write `version` of their profile or account. Idempotent; an entry of a later
    /// version stays as it is. Costs a write unit for each entry.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails; repeating all of it is right then.
    pub async fn change_lists(
        &self,
        listee: Listee<'_>,
        change: &ListChange,
        version: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let added = change.add.iter().map(|entry| (entry, false));
        let removed = change.remove.iter().map(|entry| (entry, true));
        let items = added.chain(removed).map(|(entry, is_gone)| {
            let (pk, sk) = listee.key(entry);
            let mut item = keys::key(pk, sk);
            item.insert("ver".to_owned(), n(version));
            if is_gone {
                item.insert("gone".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
                item.insert(table::TTL.to_owned(), n(now.as_second() + TOMBSTONE_DAYS * DAY_SECONDS));
            }
            item
        });
        let writes = items.map(|item| async move {
            unless_conflict(self.put("change_lists", item, Some(Condition::not_older(version))).await).map(drop)
        });
        stream::iter(writes.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Deletes entries, without tombstones: of a profile or account that does not exist any more.
    ///
    /// # Errors
    /// [`StoreError`] if not all are deleted; deleting all of them again is right then.
    pub async fn delete_list_entries(
        &self,
        listee: Listee<'_>,
        entries: &BTreeSet<ListEntry>,
    ) -> Result<(), StoreError> {
        let deletes = entries.iter().map(|entry| {
            let (pk, sk) = listee.key(entry);
            let delete = self.client.delete_item().table_name(&*self.table).set_key(Some(keys::key(pk, sk)));
            async move { delete.send().await.map(drop).map_err(|error| sort("delete_list_entries", error)) }
        });
        stream::iter(deletes.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// Returns up to `most` entries of a list, after a place or from its beginning. Costs half a read unit for each of the
    /// 16 partitions and each 4 KB, some 40 entries, however many profiles there are. A page may be shorter than `most`,
    /// or empty, and still have a next one.
    ///
    /// # Errors
    /// [`StoreError`] if a query fails. An unreadable entry is counted and does not affect others.
    pub async fn list_page(&self, range: &Range, after: Option<&Place>, most: usize) -> Result<ListPage, StoreError> {
        // As ids are hashes, each partition has about the same share.
        let share = most / usize::from(keys::DUE_SHARDS) * 3 / 2 + 4;
        let shards = (0..keys::DUE_SHARDS).map(|shard| self.shard_page(range, shard, after, share));
        let (mut entries, mut limit, mut page) = (Vec::new(), None::<Place>, ListPage::default());
        for shard in futures::future::try_join_all(shards).await? {
            page.unreadable += shard.unreadable;
            if let Some(end) = shard.end
                && limit.as_ref().is_none_or(|limit| range.is_before(&end, limit))
            {
                limit = Some(end);
            }
            entries.extend(shard.entries);
        }
        // Beyond the end of one partition's share it is not known what else that partition has.
        entries.retain(|(place, _)| limit.as_ref().is_none_or(|limit| !range.is_before(limit, place)));
        range.sort(&mut entries);
        page.next = limit;
        for (place, is_gone) in entries {
            if page.places.len() == most {
                page.next = page.places.last().cloned();
                break;
            }
            if !is_gone {
                page.places.push(place);
            }
        }
        Ok(page)
    }

    /// Returns the number of entries in one of a list's partitions, at most [`COUNTED`]: which of several lists is shorter.
    /// Costs half a read unit.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn list_size(&self, range: &Range) -> Result<usize, StoreError> {
        let query = self.shard_query(range, 0).select(Select::Count).limit(i32::try_from(COUNTED).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(|error| sort("list_size", error))?;
        Ok(usize::try_from(answer.count).unwrap_or_default())
    }

    fn shard_query(&self, range: &Range, shard: u8) -> QueryFluentBuilder {
        let pk = keys::list(range.kind.letter(), &range.list, &keys::shard_name(shard));
        self.client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":from", s(range.from.clone()))
            .expression_attribute_values(":to", s(range.to.clone()))
            .scan_index_forward(!range.is_descending)
    }

    async fn shard_page(
        &self,
        range: &Range,
        shard: u8,
        after: Option<&Place>,
        most: usize,
    ) -> Result<ShardPage, StoreError> {
        let pk = keys::list(range.kind.letter(), &range.list, &keys::shard_name(shard));
        let start = after.map(|place| keys::key(pk, place.0.clone()));
        let query = self.shard_query(range, shard).limit(i32::try_from(most).unwrap_or(i32::MAX));
        let answer = query.set_exclusive_start_key(start).send().await.map_err(|error| sort("list_page", error))?;
        let mut page = ShardPage { end: None, entries: Vec::new(), unreadable: 0 };
        for item in answer.items() {
            match entry(item) {
                Ok(entry) => page.entries.push(entry),
                Err(_) => page.unreadable += 1,
            }
        }
        let end = answer.last_evaluated_key.as_ref();
        page.end = end.map(|key| needed(keys::SK, key.text(keys::SK)?)).transpose()?.map(Place::new);
        Ok(page)
    }
}

/// The entries that were read of one partition.
struct ShardPage {
    /// The place after which it continues; `None` at its end.
    end: Option<Place>,
    /// Each place, and whether it is a tombstone's.
    entries: Vec<(Place, bool)>,
    unreadable: u64,
}

fn entry(item: &Item) -> Result<(Place, bool), StoreError> {
    let sk = needed(keys::SK, item.text(keys::SK)?)?;
    Ok((Place::new(sk), is_true(item.get("gone"))))
}
