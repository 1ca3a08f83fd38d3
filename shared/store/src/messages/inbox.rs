//! The inbox: a copy of each in-app message under its time, so that one query reads the newest.
//!
//! The message remains the record of the decision and its outcome; its entry contains what the inbox shows, and is
//! deleted when the message is dismissed. An entry is written before the message is recorded as sent, so every sent
//! message has its entry. Messages that were sent before entries existed get theirs when the inbox is first read, after
//! which a mark says that none is missing.

use super::{MessageRecord, MessageState, Outcome, item_of, read};
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, logged, needed, readable, s};
use crate::keys;
use crate::store::{Condition, Store};
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use perennial_domain::{Channel, Decision, DecisionId, PersonId};

/// The most messages that an inbox shows: the newest.
pub const INBOX_LIMIT: usize = 50;

impl Store {
    /// Adds a claimed in-app message to its person's inbox and records it as sent. Idempotent; two write units.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails: repeat it then.
    pub async fn record_in_app(&self, decision: &Decision, outcome: &Outcome) -> Result<bool, StoreError> {
        let mut entry = item_of(decision, outcome.state, "", outcome.at)?;
        entry.insert(keys::SK.to_owned(), s(keys::inbox(decision.decided_at, decision.id)));
        for (name, text) in [("subject", &outcome.subject), ("text", &outcome.text), ("link", &outcome.link)] {
            if let Some(text) = text {
                entry.insert(name.to_owned(), s(&**text));
            }
        }
        self.put_entry(entry).await?;
        self.record(decision.person, decision.id, outcome).await
    }

    /// Returns the newest in-app messages that a person has not dismissed, at most [`INBOX_LIMIT`], newest first. One
    /// query. An unreadable one is left out.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn inbox(&self, person: PersonId) -> Result<Vec<MessageRecord>, StoreError> {
        let mut items = self.entries(person).await?;
        let is_mark = |item: &Item| matches!(item.text(keys::SK), Ok(Some(keys::INBOX)));
        if items.len() <= INBOX_LIMIT && !items.iter().any(is_mark) && self.fill_inbox(person).await? {
            items = self.entries(person).await?;
        }
        items.retain(|item| !is_mark(item));
        items.truncate(INBOX_LIMIT);
        Ok(logged("entries of an inbox", readable(&items, |item| read(item).map(Some))))
    }

    /// The newest entries, one more than are shown, and the mark where all are among them.
    async fn entries(&self, person: PersonId) -> Result<Vec<Item>, StoreError> {
        let query = self
            .query(keys::person(person), keys::INBOX)
            .scan_index_forward(false)
            .limit(i32::try_from(INBOX_LIMIT + 1).unwrap_or(i32::MAX));
        Ok(query.send().await.map_err(|error| sort("inbox", error))?.items.unwrap_or_default())
    }

    /// Writes the missing entries of messages, the newest [`INBOX_LIMIT`], and the mark. Returns whether the person has
    /// any message.
    async fn fill_inbox(&self, person: PersonId) -> Result<bool, StoreError> {
        let items = self.partition("inbox", keys::person(person), keys::MESSAGE, true).await?;
        if items.is_empty() {
            // Without messages the next look-up is as cheap as with a mark.
            return Ok(false);
        }
        let is_shown = |record: &MessageRecord| {
            record.channel == Channel::InApp
                && record.times.contains_key(&MessageState::Sent)
                && record.dismissed_at.is_none()
        };
        let shown = items.iter().filter_map(|item| Some((read(item).ok().filter(is_shown)?, item)));
        let mut shown: Vec<(MessageRecord, &Item)> = shown.collect();
        shown.sort_by(|(a, _), (b, _)| b.decided_at.cmp(&a.decided_at).then_with(|| a.id.cmp(&b.id)));
        for (record, item) in shown.into_iter().take(INBOX_LIMIT) {
            let mut entry = item.clone();
            entry.insert(keys::SK.to_owned(), s(keys::inbox(record.decided_at, record.id)));
            self.put_entry(entry).await?;
        }
        self.put_entry(keys::key(keys::person(person), keys::INBOX)).await?;
        Ok(true)
    }

    /// Writes a missing entry; an existing one is unchanged, with its reader's actions.
    async fn put_entry(&self, entry: Item) -> Result<(), StoreError> {
        unless_conflict(self.put("put_entry", entry, Some(Condition::absent())).await).map(drop)
    }

    /// Records that an inbox message was read; the first time counts. Returns `false` if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails.
    pub async fn mark_read(&self, person: PersonId, id: DecisionId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(entry) = self.note("mark_read", person, id, "t_read", now).await? else { return Ok(false) };
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(entry));
        let update = update
            .update_expression("SET #time = if_not_exists(#time, :now)")
            .condition_expression("attribute_exists(#ch)")
            .expression_attribute_names("#time", "t_read")
            .expression_attribute_names("#ch", "ch")
            .expression_attribute_values(":now", at(now));
        // An inbox that was never read has no entries of old messages: they are created with what is recorded here.
        unless_conflict(update.send().await.map(drop).map_err(|error| sort("mark_read", error)))?;
        Ok(true)
    }

    /// Removes a message from the inbox. Returns `false` if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails.
    pub async fn dismiss(&self, person: PersonId, id: DecisionId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(entry) = self.note("dismiss", person, id, "t_dismissed", now).await? else { return Ok(false) };
        let delete = self.client.delete_item().table_name(&*self.table).set_key(Some(entry));
        delete.send().await.map(|_| true).map_err(|error| sort("dismiss", error))
    }

    /// Sets the time called `name` of an in-app message, if it is unset. Returns the key of its inbox entry; `None` if
    /// there is no such message.
    async fn note(
        &self,
        operation: &'static str,
        person: PersonId,
        id: DecisionId,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Item>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .update_expression("SET #time = if_not_exists(#time, :now)")
            .condition_expression("#ch = :in_app")
            .expression_attribute_names("#time", name)
            .expression_attribute_names("#ch", "ch")
            .expression_attribute_values(":now", at(now))
            .expression_attribute_values(":in_app", s(Channel::InApp.as_str()))
            .return_values(ReturnValue::AllNew);
        let sent = update.send().await.map_err(|error| sort(operation, error));
        let Some(answer) = unless_conflict(sent)? else { return Ok(None) };
        let attributes = answer.attributes.unwrap_or_default();
        let decided = needed("decided", attributes.moment("decided")?)?;
        Ok(Some(keys::key(keys::person(person), keys::inbox(decided, id))))
    }
}
