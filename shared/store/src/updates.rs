//! Updates of the CRM's account records: claimed before they are sent, recorded after, as messages are, in the account's
//! own partition.
//!
//! | attribute | what |
//! |---|---|
//! | `status`, `rank`, `t_<state>`, `by`, `detail` | as of [`crate::messages`] |
//! | `ch`, `endpoint`, `num`, `fields`, `cfg`, `decided` | the update |
//! | `ttl` | after 90 days it is forgotten: no queue keeps a message for longer than 14 |

use crate::error::{StoreError, unless_conflict};
use crate::item::{Found, Item, Read, at, json, n, needed, readable, s};
use crate::messages::{MessageState, Outcome};
use crate::store::{Condition, Store};
use crate::{keys, table};
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{AccountId, AccountUpdate, Channel, ConfigVersion, DecisionId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Days that a record is kept.
const KEPT_DAYS: i64 = 90;

/// An update and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateRecord {
    /// The update's id.
    pub id: DecisionId,
    /// Counts the updates of the account, from 1.
    pub number: u64,
    /// Where it stands.
    pub state: MessageState,
    /// Where to.
    pub endpoint: String,
    /// The CRM's fields and what they are to hold.
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
    /// Claims an update for sending; gives the state of the record that an earlier delivery left, `None` where this is the
    /// first. A webhook may be sent again as long as its state is [`MessageState::Claimed`]: its receiver tells a repeat by
    /// its id.
    ///
    /// # Errors
    /// [`StoreError`] where the table does not answer: nothing may be sent then.
    pub async fn claim_update(
        &self,
        update: &AccountUpdate,
        claimant: &str,
        now: Timestamp,
    ) -> Result<Option<MessageState>, StoreError> {
        let mut item = key(&update.account, update.id);
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
        set(table::TTL, n(now.as_second() + KEPT_DAYS * DAY_SECONDS));
        if unless_conflict(self.put("claim_update", item, Some(Condition::absent())).await)?.is_some() {
            return Ok(None);
        }
        let found = self.get("claim_update", key(&update.account, update.id), true).await?;
        let item = found.ok_or(StoreError::Conflict { operation: "claim_update" })?;
        Ok(Some(MessageState::parse(needed("status", item.text("status")?)?)?))
    }

    /// Records what became of a claimed update; see [`Store::record`].
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn record_update(
        &self,
        account: &AccountId,
        id: DecisionId,
        outcome: &Outcome,
    ) -> Result<bool, StoreError> {
        self.record_at(key(account, id), outcome).await
    }

    /// The updates of an account within the last 90 days, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails. An update that cannot be read is counted, and concerns no other.
    pub async fn updates(&self, account: &AccountId) -> Result<Found<UpdateRecord>, StoreError> {
        let items = self.partition("updates", keys::account(account), keys::MESSAGE, false).await?;
        let (mut updates, unreadable) = readable(&items, |item| read(item).map(Some));
        updates.sort_by_key(|update| std::cmp::Reverse(update.number));
        Ok(Found { items: updates, unreadable })
    }
}

fn key(account: &AccountId, id: DecisionId) -> Item {
    keys::key(keys::account(account), keys::message(id))
}

fn read(item: &Item) -> Result<UpdateRecord, StoreError> {
    let id =
        needed(keys::SK, item.text(keys::SK)?)?.strip_prefix(keys::MESSAGE).and_then(|id| DecisionId::parse(id).ok());
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
