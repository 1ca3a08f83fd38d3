//! Claims in doubt: whoever made one died over sending, or got no answer, and the message may or may not have gone out.

use super::{MessageRecord, MessageState, read};
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, n, needed, s};
use crate::keys;
use crate::store::Store;
use jiff::Timestamp;
use perennial_domain::{DecisionId, PersonId};

/// A message and who holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Where it stands.
    pub record: MessageRecord,
    /// The delivery that claimed it last.
    pub claimant: String,
}

impl Held {
    /// Reads an item.
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Self { record: read(item)?, claimant: needed("by", item.text("by")?)?.to_owned() })
    }

    /// How many deliveries claimed it to send it, this one included; 1 or more.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.record.tries.unwrap_or(1)
    }
}

impl Store {
    /// A message and who holds it.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn held(&self, person: PersonId, id: DecisionId) -> Result<Option<Held>, StoreError> {
        let item = self.get("held", keys::key(keys::person(person), keys::message(id)), true).await?;
        item.map(|item| Held::read(&item)).transpose()
    }

    /// Claims a message anew for `claimant`, in place of the claim that `doubted` made: only as long as that one stands and nothing is known of
    /// what became of it. So each claim is replaced once, however many ask for it. Gives whether it is ours.
    ///
    /// # Errors
    /// [`StoreError`] where the table does not answer: nothing may be sent then.
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
        // Where the answer was lost and the SDK asked again, it was ours already.
        let held = self.held(person, id).await?;
        Ok(held.is_some_and(|held| held.record.state == MessageState::Claimed && held.claimant == claimant))
    }

    /// Undoes [`Self::claim_again`] where it is certain that nothing was sent under the new claim: the one of `doubted` is in doubt again as it was
    /// since `since`. Gives `false` where the claim was not `claimant`'s any more, or something is known of the message.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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
