//! Updates of the CRM's records of accounts and people: claimed before they are sent and recorded after, like messages, in the
//! partition of the account or the person.
//!
//! | attribute | content |
//! |---|---|
//! | `status`, `rank`, `t_<state>`, `by`, `detail` | as of [`crate::messages`] |
//! | `ch`, `endpoint`, `num`, `fields`, `cfg`, `decided` | the update |
//! | `ttl` | 90 days after the last attempt it is forgotten: no queue keeps a message for longer than 14 |
//!
//! An account or a profile keeps its last update for longer than that, and may ask for it again. So beside the records stands, for as long as it, the number of
//! the last update that is done (`U`, `n`): what is done is not sent again once its record is forgotten, and what is not done is still sent.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Found, Item, Read, at, json, n, needed, readable, s};
use crate::messages::{MessageState, Outcome};
use crate::store::{Condition, Store};
use crate::{keys, table};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Channel, ConfigVersion, CrmUpdate, DecisionId, Subject};
use serde::Serialize;
use std::collections::BTreeMap;

/// Days that a record is kept after the last attempt.
const KEPT_DAYS: i64 = 90;

/// An update and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateRecord {
    /// The update's id.
    pub id: DecisionId,
    /// Grows from update to update, see [`CrmUpdate::number`].
    pub number: u64,
    /// Its state.
    pub state: MessageState,
    /// The endpoint.
    pub endpoint: String,
    /// The CRM's fields and their new values.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// The config it was decided under.
    pub config: ConfigVersion,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Why it did not go out, or was to be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Store {
    /// Claims an update for sending; returns the state of the record from an earlier delivery, `None` if this is the
    /// first. A webhook may be sent again as long as its state is [`MessageState::Claimed`]: its receiver recognizes a
    /// repetition by its id.
    ///
    /// # Errors
    /// [`StoreError`] if the table does not respond: nothing may be sent then.
    pub async fn claim_update(
        &self,
        update: &CrmUpdate,
        claimant: &str,
        now: Timestamp,
    ) -> Result<Option<MessageState>, StoreError> {
        let mut item = key(&update.subject, update.id);
        let fields = json(&update.fields)?;
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set("status", s(MessageState::Claimed.as_str()));
        set("rank", n(MessageState::Claimed.rank()));
        set("by", s(claimant));
        set("ch", s(Channel::Webhook.as_str()));
        set("endpoint", s(&*update.endpoint));
        set("num", n(update.number));
        set("fields", fields);
        set("cfg", s(update.config.as_str()));
        set("decided", at(update.at));
        set("t_claimed", at(now));
        set(table::TTL, kept_until(now));
        if unless_conflict(self.put("claim_update", item, Some(Condition::absent())).await)?.is_some() {
            return Ok(None);
        }
        let found = self.get("claim_update", key(&update.subject, update.id), true).await?;
        let item = found.ok_or(StoreError::Conflict { operation: "claim_update" })?;
        let state = MessageState::parse(needed("status", item.text("status")?)?)?;
        if state == MessageState::Claimed {
            self.keep_claim(update, now).await?;
        }
        Ok(Some(state))
    }

    /// Keeps a claim for as long as if it were made now: its update is still under way.
    async fn keep_claim(&self, update: &CrmUpdate, now: Timestamp) -> Result<(), StoreError> {
        let write = self.client.update_item().table_name(&*self.table).set_key(Some(key(&update.subject, update.id)));
        let write = write
            .update_expression("SET #ttl = :ttl")
            .condition_expression("attribute_exists(#rank)")
            .expression_attribute_names("#ttl", table::TTL)
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":ttl", kept_until(now));
        let written = write.send().await.map(drop).map_err(|error| sort("keep_claim", error));
        unless_conflict(written)?.ok_or(StoreError::Conflict { operation: "keep_claim" })
    }

    /// Returns whether `update` is the last completed update of its subject.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn is_update_done(&self, update: &CrmUpdate) -> Result<bool, StoreError> {
        let item = self.get("is_update_done", done_key(&update.subject), true).await?;
        Ok(item.map(|item| item.number::<u64>("n")).transpose()?.flatten() == Some(update.number))
    }

    /// Records that `update` is complete, with any outcome. Call this after the outcome is recorded. An earlier update
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn note_update_done(&self, update: &CrmUpdate) -> Result<(), StoreError> {
        let write = self.client.update_item().table_name(&*self.table).set_key(Some(done_key(&update.subject)));
        let write = write
            .update_expression("SET #n = :n")
            .condition_expression("attribute_not_exists(#n) OR #n < :n")
            .expression_attribute_names("#n", "n")
            .expression_attribute_values(":n", n(update.number));
        unless_conflict(write.send().await.map(drop).map_err(|error| sort("note_update_done", error))).map(drop)
    }

    /// Records the outcome of a claimed update; see [`Store::record`].
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn record_update(
        &self,
        subject: &Subject,
        id: DecisionId,
        outcome: &Outcome,
    ) -> Result<bool, StoreError> {
        self.record_at(key(subject, id), outcome).await
    }

    /// The updates of an account or a person within the last 90 days, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails. An update that cannot be read is counted, and concerns no other.
    pub async fn updates(&self, subject: &Subject) -> Result<Found<UpdateRecord>, StoreError> {
        let (partition, prefix) = match subject {
            Subject::Account(account) => (keys::account(account), keys::MESSAGE),
            Subject::Person(person) => (keys::person(*person), keys::UPDATE),
        };
        let items = self.partition("updates", partition, prefix, false).await?;
        let (mut updates, unreadable) = readable(&items, |item| read(item, prefix).map(Some));
        updates.sort_by_key(|update| std::cmp::Reverse(update.number));
        Ok(Found { items: updates, unreadable })
    }
}

fn kept_until(now: Timestamp) -> AttributeValue {
    n(now.as_second() + KEPT_DAYS * DAY_SECONDS)
}

fn done_key(subject: &Subject) -> Item {
    let partition = match subject {
        Subject::Account(account) => keys::account(account),
        Subject::Person(person) => keys::person(*person),
    };
    keys::key(partition, keys::DONE)
}

fn key(subject: &Subject, id: DecisionId) -> Item {
    let (partition, sort) = keys::update(subject, id);
    keys::key(partition, sort)
}

fn read(item: &Item, prefix: &str) -> Result<UpdateRecord, StoreError> {
    let id = needed(keys::SK, item.text(keys::SK)?)?.strip_prefix(prefix).and_then(|id| DecisionId::parse(id).ok());
    Ok(UpdateRecord {
        id: id.ok_or_else(|| StoreError::corrupt("no update's key"))?,
        number: needed("num", item.number("num")?)?,
        state: MessageState::parse(needed("status", item.text("status")?)?)?,
        endpoint: needed("endpoint", item.text("endpoint")?)?.to_owned(),
        fields: needed("fields", item.json("fields")?)?,
        config: needed("cfg", item.parsed("cfg")?)?,
        decided_at: needed("decided", item.moment("decided")?)?,
        detail: item.text("detail")?.map(str::to_owned),
    })
}
