//! Addresses that get no mail any more. Only their hashes are kept.

use crate::error::{StoreError, unless_conflict};
use crate::item::{Read, at, needed, s};
use crate::keys;
use crate::store::{Condition, Store};
use jiff::Timestamp;
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
    /// Suppresses an address; one that is suppressed already keeps its first reason. Gives whether it is new.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn suppress(&self, address: &str, reason: Reason, now: Timestamp) -> Result<bool, StoreError> {
        let mut item = keys::key(keys::suppression(address), keys::SUPPRESSION);
        item.insert("why".to_owned(), s(reason.as_str()));
        item.insert("at".to_owned(), at(now));
        Ok(unless_conflict(self.put("suppress", item, Some(Condition::absent())).await)?.is_some())
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
        let mut item = keys::key(keys::suppression_hashed(address), keys::SUPPRESSION);
        item.insert("why".to_owned(), s(reason.as_str()));
        item.insert("at".to_owned(), at(now));
        Ok(unless_conflict(self.put("suppress", item, Some(Condition::absent())).await)?.is_some())
    }

    /// Whether an address is suppressed, and why. Read consistently: who unsubscribed a moment ago gets nothing.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn suppression(&self, address: &str) -> Result<Option<Suppression>, StoreError> {
        let key = keys::key(keys::suppression(address), keys::SUPPRESSION);
        let Some(item) = self.get("suppression", key, true).await? else { return Ok(None) };
        let reason = match needed("why", item.text("why")?)? {
            "bounce" => Reason::Bounce,
            "complaint" => Reason::Complaint,
            "unsubscribe" => Reason::Unsubscribe,
            _ => return Err(StoreError::corrupt("no suppression has that reason")),
        };
        Ok(Some(Suppression { reason, since: needed("at", item.moment("at")?)? }))
    }
}
