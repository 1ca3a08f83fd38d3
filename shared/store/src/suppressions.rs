//! Addresses that get no mail any more. Only their hashes are kept; what their readers chose is in the same item ([`crate::preferences`]).

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, needed, s};
use crate::keys;
use crate::store::Store;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use perennial_domain::PersonId;

pub use perennial_domain::SuppressionReason as Reason;

/// A suppressed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// Suppresses an address; one that is suppressed already keeps its first reason, except that a bounce or a
    /// complaint replaces an unsubscription, which its reader could lift. Returns whether anything changed.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn suppress(&self, address: &str, reason: Reason, now: Timestamp) -> Result<bool, StoreError> {
        self.suppress_at(keys::key(keys::suppression(address), keys::SUPPRESSION), reason, now).await
    }

    /// The same for an address of which only the hash is known: SHA-256 as [`perennial_domain::hash::sha256`] makes it of [`perennial_domain::hygiene::mail::key`].
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn suppress_hashed(
        &self,
        address: &[u8; 32],
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.suppress_at(keys::key(keys::suppression_hashed(address), keys::SUPPRESSION), reason, now).await
    }

    /// Unsubscribes a person from all mails, to any address of theirs. Returns whether they were unsubscribed before.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn stop_mails(&self, person: PersonId, now: Timestamp) -> Result<bool, StoreError> {
        let key = keys::key(keys::person(person), keys::WISHES);
        Ok(!self.suppress_at(key, Reason::Unsubscribe, now).await?)
    }

    async fn suppress_at(&self, key: Item, reason: Reason, now: Timestamp) -> Result<bool, StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key))
            .update_expression("SET #why = :why, #at = :at")
            .expression_attribute_names("#why", "why")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":why", s(reason.as_str()))
            .expression_attribute_values(":at", at(now));
        update = if reason.can_be_lifted() {
            update.condition_expression("attribute_not_exists(#why)")
        } else {
            update
                .condition_expression("attribute_not_exists(#why) OR #why = :liftable")
                .expression_attribute_values(":liftable", s(Reason::Unsubscribe.as_str()))
        };
        let sent = update.send().await.map(drop).map_err(|error| sort("suppress", error));
        Ok(unless_conflict(sent)?.is_some())
    }

    /// Lifts an unsubscription, on the reader's request; a bounce or a complaint stays. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn resubscribe(&self, address: &[u8; 32]) -> Result<bool, StoreError> {
        self.resume_at(keys::key(keys::suppression_hashed(address), keys::SUPPRESSION)).await
    }

    /// Subscribes a person to mails again. Returns whether they were unsubscribed.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn resume_mails(&self, person: PersonId) -> Result<bool, StoreError> {
        self.resume_at(keys::key(keys::person(person), keys::WISHES)).await
    }

    async fn resume_at(&self, key: Item) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key))
            .update_expression("REMOVE #why, #at")
            .condition_expression("#why = :liftable")
            .expression_attribute_names("#why", "why")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":liftable", s(Reason::Unsubscribe.as_str()));
        let sent = update.send().await.map(drop).map_err(|error| sort("resubscribe", error));
        Ok(unless_conflict(sent)?.is_some())
    }

    /// Lifts the suppression of an address, whatever its reason, at the request of an operator. Returns what was lifted.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn lift_suppression(&self, address: &str) -> Result<Option<Suppression>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::suppression(address), keys::SUPPRESSION)))
            .update_expression("REMOVE #why, #at")
            .condition_expression("attribute_exists(#why)")
            .expression_attribute_names("#why", "why")
            .expression_attribute_names("#at", "at")
            .return_values(ReturnValue::UpdatedOld);
        let sent = update.send().await.map_err(|error| sort("lift_suppression", error));
        unless_conflict(sent)?.and_then(|answer| answer.attributes).map_or(Ok(None), |item| read(&item))
    }

    /// Returns the suppression of an address, if any. Read consistently, so that a recent unsubscription applies.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn suppression(&self, address: &str) -> Result<Option<Suppression>, StoreError> {
        let key = keys::key(keys::suppression(address), keys::SUPPRESSION);
        let item = self.get("suppression", key, true).await?;
        item.map_or(Ok(None), |item| read(&item))
    }
}

/// Returns the suppression in an address's item.
pub(crate) fn read(item: &Item) -> Result<Option<Suppression>, StoreError> {
    let reason = match item.text("why")? {
        None => return Ok(None),
        Some("bounce") => Reason::Bounce,
        Some("complaint") => Reason::Complaint,
        Some("unsubscribe") => Reason::Unsubscribe,
        Some(_) => return Err(StoreError::corrupt("no suppression has that reason")),
    };
    Ok(Some(Suppression { reason, since: needed("at", item.moment("at")?)? }))
}
