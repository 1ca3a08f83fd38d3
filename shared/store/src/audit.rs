//! The audit log of the dashboard: who read which personal data, and who changed what.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `LOG#<yyyy-mm-dd>`, UTC | `<milliseconds since 1970, 15 digits>#<id>` | `who`, `name`, `role`: the colleague; `kind`: `read` or `act`; `what`; `people`: ids of profiles; `rows`; `before`, `after`: of an act; `ttl` |
//!
//! Profiles appear by their ids only: a log of reads must not become a second copy of what was read. An act is noted
//! before it is performed, without `after`, and finished once its result is known: a process that stops in between leaves
//! an entry whose result is unknown, never an act without an entry.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, n, needed, readable, s};
use crate::store::Store;
use crate::{keys, table};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{PersonId, hash};
use serde::Serialize;

/// The most profiles that an entry names; `rows` counts all of them.
pub const MAX_PEOPLE: usize = 50;
/// The most bytes of each text of an entry.
pub const MAX_TEXT: usize = 1024;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditKind {
    /// Personal data was shown.
    Read,
    /// Something was changed.
    Act,
}

impl AuditKind {
    /// Returns `read` or `act`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Act].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The colleague of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The subject at the identity provider; `local` on the embedded stack.
    pub subject: String,
    /// The displayed name.
    pub name: String,
    /// The role: `viewer`, `operator` or `admin`.
    pub role: String,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When, to the millisecond.
    pub at: Timestamp,
    /// Distinguishes entries of the same millisecond.
    pub id: String,
    /// The colleague.
    #[serde(flatten)]
    pub actor: Actor,
    /// Its kind.
    pub kind: AuditKind,
    /// The page (`/people/PROFILE`) of a read, or the name of an act (`unmerge`, with what it is about).
    pub what: String,
    /// The profiles that were shown or changed, at most [`MAX_PEOPLE`].
    pub people: Vec<PersonId>,
    /// The number of rows that were shown.
    pub rows: u64,
    /// How it was before an act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How it was after an act; `None` for a read, and for an act whose result is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl AuditEntry {
    /// Returns a random part of a key from random `bytes`.
    #[must_use]
    pub fn id_of(bytes: &[u8; 10]) -> String {
        hash::base32(bytes)
    }

    fn item(&self, kept_days: u16) -> Item {
        let mut item = self.key();
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set("who", s(cut(&self.actor.subject)));
        set("name", s(cut(&self.actor.name)));
        set("role", s(cut(&self.actor.role)));
        set("kind", s(self.kind.as_str()));
        set("what", s(cut(&self.what)));
        set("rows", n(self.rows));
        if !self.people.is_empty() {
            let people: Vec<String> = self.people.iter().take(MAX_PEOPLE).map(ToString::to_string).collect();
            set("people", s(people.join(" ")));
        }
        for (name, text) in [("before", &self.before), ("after", &self.after)] {
            if let Some(text) = text {
                set(name, s(cut(text)));
            }
        }
        set(table::TTL, n(self.at.as_second() + i64::from(kept_days) * DAY_SECONDS));
        item
    }

    fn key(&self) -> Item {
        keys::key(keys::audit_of(self.at), keys::audit(self.at, &self.id))
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let text = |name| needed(name, item.text(name)?).map(str::to_owned);
        let (millis, id) = needed(keys::SK, item.text(keys::SK)?)?
            .split_once('#')
            .ok_or_else(|| StoreError::corrupt("no audit entry's key"))?;
        let at = millis.parse().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let people = item.text("people")?.unwrap_or_default().split_whitespace().map(PersonId::parse);
        Ok(Self {
            at: at.ok_or_else(|| StoreError::corrupt("no audit entry's time"))?,
            id: id.to_owned(),
            actor: Actor { subject: text("who")?, name: text("name")?, role: text("role")? },
            kind: AuditKind::parse(&text("kind")?).ok_or_else(|| StoreError::corrupt("an unknown kind of entry"))?,
            what: text("what")?,
            people: people.collect::<Result<_, _>>().map_err(|_| StoreError::corrupt("an audit entry's profile id"))?,
            rows: needed("rows", item.number("rows")?)?,
            before: item.text("before")?.map(str::to_owned),
            after: item.text("after")?.map(str::to_owned),
        })
    }
}

/// Returns the beginning of `text`, at most [`MAX_TEXT`] bytes.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// Entries of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// Entries of this page that cannot be read.
    pub unreadable: u64,
    /// The value of `after` for the next page; `None` on the last page.
    pub next: Option<String>,
}

impl Store {
    /// Writes an entry, which is deleted after `kept_days`. Costs a write unit, or a few for long texts. Writing the same
    /// entry again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if it may not have been written.
    pub async fn note_audit(&self, entry: &AuditEntry, kept_days: u16) -> Result<(), StoreError> {
        self.put("note_audit", entry.item(kept_days), None).await
    }

    /// Returns one entry, by the keys of its item; `None` if it is no longer stored.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails or the item cannot be read.
    pub async fn audit_entry(&self, pk: &str, sk: &str) -> Result<Option<AuditEntry>, StoreError> {
        self.get("audit_entry", keys::key(pk, sk), true).await?.map(|item| AuditEntry::read(&item)).transpose()
    }

    /// Adds the result of an act to its entry.
    ///
    /// # Errors
    /// [`StoreError`] if it may not have been written: the entry then says that the result is unknown.
    pub async fn finish_audit(&self, entry: &AuditEntry, after: &str) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(entry.key()));
        let update = update
            .update_expression("SET #after = :after")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#after", "after")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_values(":after", s(cut(after)));
        update.send().await.map(drop).map_err(|error| sort("finish_audit", error))
    }

    /// Returns at most `limit` entries of a UTC day, the newest first, that are older than `after`, the `next` of the page
    /// before. Costs half a read unit for some ten entries.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn audit(&self, day: Date, limit: usize, after: Option<&str>) -> Result<AuditPage, StoreError> {
        let limit = limit.max(1);
        let pk = keys::audit_on(day);
        let (mut items, mut from) = (Vec::new(), after.map(|after| keys::key(pk.clone(), after)));
        // One more than is shown says whether there is a next page.
        while items.len() <= limit {
            let most = i32::try_from(limit + 1 - items.len()).unwrap_or(i32::MAX);
            let query = self.query(pk.clone(), "").scan_index_forward(false).limit(most);
            let page = query.set_exclusive_start_key(from).send().await.map_err(|error| sort("audit", error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        let is_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| is_more).and_then(|item| match item.get(keys::SK) {
            Some(AttributeValue::S(sk)) => Some(sk.clone()),
            _ => None,
        });
        let (entries, unreadable) = readable(&items, |item| AuditEntry::read(item).map(Some));
        Ok(AuditPage { entries, unreadable, next: last })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            at: "2026-03-01T23:59:59.5Z".parse().unwrap(),
            id: "a".to_owned(),
            actor: Actor { subject: "u-1".to_owned(), name: "Eve".to_owned(), role: "operator".to_owned() },
            kind: AuditKind::Act,
            what: "unmerge".to_owned(),
            people: vec![PersonId::derive(&[b"user", b"ada"])],
            rows: 0,
            before: Some("one profile of 3 identities".to_owned()),
            after: None,
        }
    }

    #[test]
    fn an_entry_survives_its_item_and_expires() {
        let entry = entry();
        let item = entry.item(400);
        assert_eq!(AuditEntry::read(&item).unwrap(), entry);
        assert_eq!(item.text("pk").unwrap(), Some("LOG#2026-03-01"));
        assert_eq!(item.text("sk").unwrap(), Some("001772409599500#a"));
        assert_eq!(item.number::<i64>("ttl").unwrap(), Some(1_772_409_599 + 400 * 86_400));
    }

    #[test]
    fn an_entry_is_bounded_whatever_it_says() {
        let long = "é".repeat(5_000);
        let people = (0..500_u32).map(|number| PersonId::derive(&[&number.to_be_bytes()])).collect();
        let actor = Actor { subject: long.clone(), name: long.clone(), role: long.clone() };
        let what = long.clone();
        let entry = AuditEntry { actor, what, people, before: Some(long.clone()), after: Some(long), ..entry() };
        let item = entry.item(u16::MAX);
        assert!(crate::item::size(&item) < 9 * 1024, "{}", crate::item::size(&item));
        assert_eq!(AuditEntry::read(&item).unwrap().people.len(), MAX_PEOPLE);
    }
}
