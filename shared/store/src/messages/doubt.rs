//! Claims with an unknown outcome: their process died while sending, or got no response, and the message may or may not
//! have been sent.

use super::{MessageRecord, MessageState, read};
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, n, needed, s};
use crate::keys;
use crate::store::Store;
use jiff::Timestamp;
use perennial_domain::{DecisionId, PersonId};

/// A message and the owner of its claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The message.
    pub record: MessageRecord,
    /// The delivery that claimed it last.
    pub claimant: String,
}

impl Held {
    /// Reads an item.
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Self { record: read(item)?, claimant: needed("by", item.text("by")?)?.to_owned() })
    }

    /// Returns the number of claims to send it, this one included; 1 or more.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.record.tries.unwrap_or(1)
    }
}

impl Store {
    /// Returns a message and the owner of its claim.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn held(&self, person: PersonId, id: DecisionId) -> Result<Option<Held>, StoreError> {
        let item = self.get("held", keys::key(keys::person(person), keys::message(id)), true).await?;
        item.map(|item| Held::read(&item)).transpose()
    }

    /// Claims a message again for `claimant`, in place of the claim of `doubted`: only as long as that one is unchanged
    /// and its outcome unknown. So each claim is replaced once, however many callers try. Returns whether the caller
    /// has the claim.
    ///
    /// # Errors
    /// [`StoreError`] if the table does not respond: nothing may be sent then.
    pub async fn claim_again(
        &self,
        person: PersonId,
        id: DecisionId,
        doubted: &str,
        claimant: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .update_expression(
                "SET #by = :new, #status = :claimed, #rank = :rank, #tries = if_not_exists(#tries, :one) + :one, #at = :now REMOVE #since, #detail",
            )
            .condition_expression("#by = :doubted AND #status IN (:claimed, :unknown)")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#at", MessageState::Claimed.time())
            .expression_attribute_names("#since", MessageState::Unknown.time())
            .expression_attribute_names("#detail", "detail")
            .expression_attribute_values(":new", s(claimant))
            .expression_attribute_values(":doubted", s(doubted))
            .expression_attribute_values(":claimed", s(MessageState::Claimed.as_str()))
            .expression_attribute_values(":unknown", s(MessageState::Unknown.as_str()))
            .expression_attribute_values(":rank", n(MessageState::Claimed.rank()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", at(now));
        if unless_conflict(update.send().await.map(drop).map_err(|error| sort("claim_again", error)))?.is_some() {
            return Ok(true);
        }
        // If the response was lost and the SDK retried, the caller already has it.
        let held = self.held(person, id).await?;
        Ok(held.is_some_and(|held| held.record.state == MessageState::Claimed && held.claimant == claimant))
    }

    /// Undoes [`Self::claim_again`] if it is certain that nothing was sent under the new claim: the outcome of
    /// `doubted` is unknown again as of `since`. Returns `false` if `claimant` no longer has the claim, or the outcome
    /// is known.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn hand_back(
        &self,
        person: PersonId,
        id: DecisionId,
        claimant: &str,
        doubted: &str,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .update_expression(
                "SET #by = :doubted, #status = :unknown, #rank = :rank, #tries = #tries - :one, #since = :since",
            )
            .condition_expression("#by = :by AND #status IN (:claimed, :unknown)")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#since", MessageState::Unknown.time())
            .expression_attribute_values(":by", s(claimant))
            .expression_attribute_values(":doubted", s(doubted))
            .expression_attribute_values(":claimed", s(MessageState::Claimed.as_str()))
            .expression_attribute_values(":unknown", s(MessageState::Unknown.as_str()))
            .expression_attribute_values(":rank", n(MessageState::Unknown.rank()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":since", at(since));
        let handed = update.send().await.map(drop).map_err(|error| sort("hand_back", error));
        Ok(unless_conflict(handed)?.is_some())
    }
}
