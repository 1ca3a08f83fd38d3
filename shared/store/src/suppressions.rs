//! Addresses that get no mail any more. Only their hashes are kept; what their readers chose is in the same item ([`crate::preferences`]).

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, needed, s};
use crate::keys;
use crate::store::Store;
use jiff::Timestamp;
use perennial_domain::PersonId;
use serde::{Deserialize, Serialize};

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The mail service says that there is no such address.
    Bounce,
    /// The reader called it spam.
    Complaint,
    /// The reader unsubscribed.
    Unsubscribe,
}

impl Reason {
    /// The name in items and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// Whether the reader may lift it. What a mail service or a complaint says stands: writing again would harm every other mail.
    pub fn can_be_lifted(self) -> bool {
        matches!(self, Self::Unsubscribe)
    }
}

/// A suppressed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// Suppresses an address; one that is suppressed already keeps its first reason, except that a bounce or a complaint takes the place of an
    /// unsubscription, which its reader could lift. Gives whether anything changed.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// Notes that a person wants no mails, whatever their address is. Returns whether they did before.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// Lifts an unsubscription, as its reader asks; a bounce or a complaint stands. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn resubscribe(&self, address: &[u8; 32]) -> Result<bool, StoreError> {
        self.resume_at(keys::key(keys::suppression_hashed(address), keys::SUPPRESSION)).await
    }

    /// Notes that a person wants mails again. Returns whether they wanted none.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// Whether an address is suppressed, and why. Read consistently: who unsubscribed a moment ago gets nothing.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn suppression(&self, address: &str) -> Result<Option<Suppression>, StoreError> {
        let key = keys::key(keys::suppression(address), keys::SUPPRESSION);
        let item = self.get("suppression", key, true).await?;
        item.map_or(Ok(None), |item| read(&item))
    }
}

/// The suppression that an address's item tells of.
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
