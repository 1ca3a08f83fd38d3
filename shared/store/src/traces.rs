//! Finds everything in the table about a person: for exports, and for erasures.
//!
//! It scans the table, as nothing else would prove that nothing is left: any later kind of item in a person's own
//! partition is found too.

use crate::codec;
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, readable, s};
use crate::keys;
use crate::store::Store;
use crate::stored::Loaded;
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_domain::traits::is_same;
use perennial_domain::{AccountId, AnonymousId, ExternalId, Identity, PersonId, UserId};
use perennial_engine::Profile;
use serde_json::Value;
use std::collections::BTreeSet;

/// Segments that are scanned at once.
const SEGMENTS: i32 = 4;
/// The trait with a person's mail address.
const ADDRESS: &str = "email";

/// The person. `Debug` leaves out what identifies them.
#[derive(Clone, Default)]
pub struct Subject {
    /// The profile id, and the own profile ids of their identities.
    pub people: BTreeSet<PersonId>,
    /// Their ids, as events have them.
    pub ids: BTreeSet<String>,
    /// The mail addresses that they go by, as far as they are known in plain text.
    pub addresses: BTreeSet<String>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("people", &self.people).finish_non_exhaustive()
    }
}

impl Subject {
    /// Returns the subject of this profile.
    pub fn of(profile: &Profile) -> Self {
        let mut subject = Self { people: BTreeSet::from([profile.id]), ..Self::default() };
        for part in &profile.parts {
            subject.people.insert(part.owner());
            subject.ids.insert(part.identity.bare_id().to_owned());
            // In any spelling of the trait's name: no address may be left behind.
            let addresses = part.state.present_traits().filter(|(name, _)| is_same(name, ADDRESS));
            subject.addresses.extend(addresses.filter_map(|(_, value)| serde_json::from_str::<String>(value).ok()));
        }
        subject
    }

    /// Returns the subject of an unreadable profile under `holder`. Only hashes of its ids are known, and of its
    /// addresses only one that the operator may have given.
    pub fn unreadable(holder: PersonId, identities: BTreeSet<PersonId>, named_by: &str) -> Self {
        let mut subject = Self { people: identities, ids: BTreeSet::new(), addresses: Self::named(named_by).addresses };
        subject.people.insert(holder);
        subject
    }

    /// Returns the subject with `text` as profile id, user id, anonymous id, id in another system (`TYPE:ID`) or mail
    /// address, without a profile.
    pub fn named(text: &str) -> Self {
        let text = text.trim();
        let mut subject = Self::default();
        if let Ok(person) = PersonId::parse(text) {
            subject.people.insert(person);
            // If only hashes are known, no text can be searched for.
            return subject;
        }
        let identities = [
            UserId::parse(text).map(Identity::User).ok(),
            AnonymousId::parse(text).map(Identity::Anonymous).ok(),
            ExternalId::parse(text).map(Identity::External).ok(),
        ];
        subject.people.extend(identities.into_iter().flatten().map(|identity| identity.person_id()));
        subject.ids.insert(ExternalId::parse(text).map_or_else(|_| text.to_owned(), |id| id.id().to_owned()));
        subject.ids.insert(text.to_owned());
        if text.contains('@') {
            subject.addresses.insert(text.to_owned());
        }
        subject
    }

    /// Returns whether an identity is theirs.
    pub fn has(&self, identity: &Identity) -> bool {
        self.people.contains(&identity.person_id())
    }

    /// Returns whether another person's profile has an identity that was once linked to one of theirs.
    pub(crate) fn is_linked_in(&self, profile: &Profile) -> bool {
        profile.parts.iter().flat_map(|part| &part.links).any(|link| self.is_user(&link.user))
    }

    /// Returns whether a user id is theirs.
    pub(crate) fn is_user(&self, user: &UserId) -> bool {
        self.has(&Identity::User(user.clone()))
    }

    /// The partitions of their addresses' suppressions, which hold nothing but hashes.
    pub fn suppressions(&self) -> BTreeSet<String> {
        self.addresses.iter().map(|address| keys::suppression(address)).collect()
    }

    /// Returns whether a rejected event names them: by one of their ids in an id's place, or by an address anywhere. A
    /// text that is not JSON, or was truncated, names them if it contains one of these.
    pub fn is_named_in(&self, event: &str) -> bool {
        match serde_json::from_str::<Value>(event) {
            Ok(value) => self.is_in("", &value),
            Err(_) => {
                let quoted = |id: &String| serde_json::to_string(id).is_ok_and(|quoted| event.contains(&quoted));
                let lower = event.to_lowercase();
                self.ids.iter().any(quoted)
                    || self.addresses.iter().any(|address| lower.contains(&address.to_lowercase()))
            }
        }
    }

    fn is_in(&self, name: &str, value: &Value) -> bool {
        match value {
            Value::Object(fields) => fields.iter().any(|(name, value)| self.is_in(name, value)),
            Value::Array(all) => all.iter().any(|value| self.is_in(name, value)),
            Value::String(text) => self.is_called(name, text),
            Value::Number(number) => self.is_called(name, &number.to_string()),
            _ => false,
        }
    }

    fn is_called(&self, name: &str, text: &str) -> bool {
        let is_address = text.contains('@') && {
            let partition = keys::mail_address(text);
            self.addresses.iter().any(|address| keys::mail_address(address) == partition)
        };
        is_address || (name.to_lowercase().ends_with("id") && self.is_id(text.trim()))
    }

    /// Returns whether `text` is one of their ids; compared by hashes if only these are known.
    fn is_id(&self, text: &str) -> bool {
        let is_hashed = || crate::identities::people_named(text).any(|person| self.people.contains(&person));
        self.ids.contains(text) || (self.ids.is_empty() && is_hashed())
    }
}

/// An item about a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    /// In one of their own partitions: a profile, a pointer to one, a block of the ledger, a message.
    Own {
        /// The partition's profile id.
        person: PersonId,
        /// The sort key.
        sk: String,
    },
    /// Their entry in an account.
    Member {
        /// Which account.
        account: AccountId,
        /// The entry's profile id.
        person: PersonId,
    },
    /// They are the leading buyer of an account.
    LeadingBuyer {
        /// The account.
        account: AccountId,
    },
    /// The profile of another person, with an anonymous id that was once linked to theirs.
    Link {
        /// The profile's id.
        person: PersonId,
    },
    /// Their entry in a list, or what is left of one.
    Listed {
        /// The partition key.
        pk: String,
        /// The sort key.
        sk: String,
    },
    /// A value that they are found by.
    Pointer {
        /// The partition key.
        pk: String,
    },
    /// A rejected event that names them.
    Reject {
        /// The partition key.
        pk: String,
        /// The sort key.
        id: String,
    },
    /// An entry of the audit log with their profile id.
    Noted {
        /// The partition key.
        pk: String,
        /// The sort key.
        sk: String,
    },
}

/// The result of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// Everything about the person.
    pub found: BTreeSet<Trace>,
    /// Items outside of the person's own partitions that may or may not refer to a person.
    pub unreadable: u64,
}

impl Store {
    /// Finds everything about `subject`, by a scan of the whole table: half a read unit for each 4 KB. `tell` is called
    /// for each page with the number of scanned items.
    ///
    /// # Errors
    /// [`StoreError`] if the scan fails. An unreadable item is counted and does not affect others.
    pub async fn traces(&self, subject: &Subject, tell: &(dyn Fn(u64) + Sync)) -> Result<Traces, StoreError> {
        let segments = (0..SEGMENTS).map(|segment| self.traces_of(segment, subject, tell));
        let mut traces = Traces::default();
        for of in futures::future::try_join_all(segments).await? {
            traces.found.extend(of.found);
            traces.unreadable += of.unreadable;
        }
        Ok(traces)
    }

    async fn traces_of(
        &self,
        segment: i32,
        subject: &Subject,
        tell: &(dyn Fn(u64) + Sync),
    ) -> Result<Traces, StoreError> {
        let (mut traces, mut from) = (Traces::default(), None);
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&*self.table)
                .segment(segment)
                .total_segments(SEGMENTS)
                .consistent_read(true)
                .projection_expression("#pk, #sk, #to, #by, #lead, #event, #people, #ver, #stage, #state")
                .expression_attribute_names("#pk", keys::PK)
                .expression_attribute_names("#sk", keys::SK)
                .expression_attribute_names("#to", "to")
                .expression_attribute_names("#by", "by")
                .expression_attribute_names("#lead", "lead")
                .expression_attribute_names("#event", "event")
                .expression_attribute_names("#people", "people")
                .expression_attribute_names("#ver", "ver")
                .expression_attribute_names("#stage", "stage")
                .expression_attribute_names("#state", "state")
                .set_exclusive_start_key(from);
            let page = scan.send().await.map_err(|error| sort("traces", error))?;
            let (found, unreadable) = readable(page.items(), |item| trace(item, subject));
            traces.found.extend(found);
            traces.unreadable += unreadable;
            tell(page.items().len() as u64);
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(traces);
            }
        }
    }

    /// Returns the number of items in the table, which DynamoDB updates every six hours: for the progress of a scan.
    ///
    /// # Errors
    /// [`StoreError`] if it does not respond.
    pub async fn about_how_many(&self) -> Result<u64, StoreError> {
        let answer = self.client.describe_table().table_name(&*self.table).send().await;
        let table = answer.map_err(|error| sort("about_how_many", error))?.table;
        Ok(table.and_then(|table| table.item_count).and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Returns the sort keys in one of a person's own partitions, read consistently.
    pub(crate) async fn sort_keys(&self, person: PersonId) -> Result<Vec<String>, StoreError> {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&*self.table)
                .key_condition_expression("#pk = :pk")
                .projection_expression("#sk")
                .expression_attribute_names("#pk", keys::PK)
                .expression_attribute_names("#sk", keys::SK)
                .expression_attribute_values(":pk", s(keys::person(person)))
                .consistent_read(true)
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(|error| sort("sort_keys", error))?;
            for item in page.items() {
                found.extend(item.text(keys::SK)?.map(str::to_owned));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(found);
            }
        }
    }
}

fn trace(item: &Item, subject: &Subject) -> Result<Option<Trace>, StoreError> {
    let (pk, sk) = (item.text(keys::PK)?.unwrap_or_default(), item.text(keys::SK)?.unwrap_or_default());
    if let Some(person) = keys::person_of(pk) {
        if subject.people.contains(&person) {
            return Ok(Some(Trace::Own { person, sk: sk.to_owned() }));
        }
        if sk != keys::PROFILE {
            return Ok(None);
        }
        let Loaded::Profile(stored) = codec::decode(item)? else { return Ok(None) };
        return Ok(subject.is_linked_in(&stored.profile).then_some(Trace::Link { person }));
    }
    if let (Some(account), Some(person)) = (keys::account_of(pk), keys::person_of(sk)) {
        return Ok(subject.people.contains(&person).then_some(Trace::Member { account, person }));
    }
    if let (Some(account), keys::ACCOUNT) = (keys::account_of(pk), sk) {
        let lead = item.json::<PersonId>("lead")?;
        return Ok(lead.filter(|lead| subject.people.contains(lead)).map(|_| Trace::LeadingBuyer { account }));
    }
    if let Some(person) = keys::listed_person(pk, sk) {
        return Ok(subject.people.contains(&person).then(|| Trace::Listed { pk: pk.to_owned(), sk: sk.to_owned() }));
    }
    if sk == keys::IDENTITY {
        let to = item.parsed::<PersonId>("to")?.is_some_and(|to| subject.people.contains(&to));
        let is_theirs = |id: &String| PersonId::parse(id).is_ok_and(|person| subject.people.contains(&person));
        let by = matches!(item.get("by"), Some(AttributeValue::Ss(people)) if people.iter().any(is_theirs));
        return Ok((to || by).then(|| Trace::Pointer { pk: pk.to_owned() }));
    }
    if keys::is_rejects(pk) {
        let named = subject.is_named_in(item.text("event")?.unwrap_or_default());
        return Ok(named.then(|| Trace::Reject { pk: pk.to_owned(), id: sk.to_owned() }));
    }
    if keys::is_audit(pk) {
        let mut people = item.text("people")?.unwrap_or_default().split_whitespace();
        let is_theirs = people.any(|id| PersonId::parse(id).is_ok_and(|person| subject.people.contains(&person)));
        return Ok(is_theirs.then(|| Trace::Noted { pk: pk.to_owned(), sk: sk.to_owned() }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Subject {
        let mut ada = Subject::named("ada");
        ada.addresses.insert("Ada@Example.com".to_owned());
        ada
    }

    #[test]
    fn an_event_names_who_stands_where_ids_stand_or_whose_address_is_in_it() {
        for named in [
            r#"{"userId":"ada","event":7}"#,
            r#"{"data":{"customer":{"user_id":"ada"}}}"#,
            r#"{"traits":{"email":" ada@example.com"}}"#,
            r#"{"a":[{"to":"ADA@EXAMPLE.COM"}]}"#,
            r#"{"userId":"ada","cut off"#,
            r#"{"email":"ada@example.com"#,
        ] {
            assert!(ada().is_named_in(named), "{named}");
        }
        for other in [r#"{"userId":"bob","plan":"ada"}"#, r#"{"userId":"adam"}"#, r#"{"email":"bada@example.com"}"#, ""]
        {
            assert!(!ada().is_named_in(other), "{other}");
        }
        assert!(!format!("{:?}", ada()).contains("ada"), "who it is must not be printed");
    }
}
