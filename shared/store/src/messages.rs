//! Messages: claimed before they are sent, recorded after, and shown as history and inbox.
//!
//! | attribute | content |
//! |---|---|
//! | `status`, `rank` | the most advanced state, and its rank |
//! | `ch`, `journey`, `step`, `tpl`, `endpoint`, `cause`, `cfg`, `decided`, `variant` | the decision |
//! | `by`, `tries` | the delivery that claimed it; the number of claims to send it, if more than one |
//! | `t_<state>`, `t_read`, `t_dismissed` | when, in milliseconds since 1970 |
//! | `subject`, `text`, `link` | the content; `text` and `link` of in-app messages only |
//! | `domain` | the domain of the address a mail was sent to |
//! | `click_at`, `click_link` | the last reported click, of a mail |
//! | `test` | present for a test mail |
//! | `provider`, `detail` | the mail service's id; the reason of a failure, without personal data |

mod clicks;
mod doubt;
mod inbox;
mod state;

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Found, Item, Read, at, n, needed, readable, s};
use crate::store::{Condition, Store};
use crate::{keys, table};
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, PersonId};
use serde::Serialize;
use std::collections::BTreeMap;

pub use doubt::Held;
pub use inbox::INBOX_LIMIT;
pub use state::MessageState;

/// The attribute of a test mail.
const TEST: &str = "test";

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageRecord {
    /// The decision's id.
    pub id: DecisionId,
    /// The recipient.
    pub person: PersonId,
    /// Its state.
    pub state: MessageState,
    /// The channel.
    pub channel: Channel,
    /// The journey.
    pub journey: String,
    /// The journey's step, from 0.
    pub step: u16,
    /// The template.
    pub template: String,
    /// The endpoint of a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The trigger.
    pub cause: Cause,
    /// The config it was decided under.
    pub config: ConfigVersion,
    /// The variant of the journey's newest split that the person was in, as `split step=way`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it came into each state.
    pub times: BTreeMap<MessageState, Timestamp>,
    /// Its subject or title, as rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text of an in-app message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The link of an in-app message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The mail service's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The domain of the address a mail was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Why it failed or was suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The number of attempts to send it after unknown outcomes; absent if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// `true` if it is a test of `perennial journey test --send-to`, which is never counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// When it was read, in the inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When it was dismissed from the inbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed_at: Option<Timestamp>,
}

/// The result of claiming a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The caller has the claim.
    Ours,
    /// Another delivery has the claim; its state.
    Taken(Box<Held>),
}

/// An outcome to record for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The state it came into.
    pub state: MessageState,
    /// When.
    pub at: Timestamp,
    /// Its subject or title, where it was rendered.
    pub subject: Option<String>,
    /// An in-app message's text.
    pub text: Option<String>,
    /// An in-app message's link.
    pub link: Option<String>,
    /// The mail service's id.
    pub provider_id: Option<String>,
    /// The domain of a mail's recipient.
    pub domain: Option<String>,
    /// Why; without personal data.
    pub detail: Option<String>,
    /// `true` if a later delivery report replaces the state: the apparent bounce was then an automatic reply.
    pub until_delivered: bool,
}

impl Outcome {
    /// Returns an outcome with only `state` at `at`.
    pub fn new(state: MessageState, at: Timestamp) -> Self {
        let until_delivered = false;
        let (subject, text, link, provider_id, domain, detail) = (None, None, None, None, None, None);
        Self { state, at, subject, text, link, provider_id, domain, detail, until_delivered }
    }

    /// The rank that it is stored with.
    fn rank(&self) -> usize {
        if self.until_delivered { MessageState::Failed.rank() } else { self.state.rank() }
    }
}

impl Store {
    /// Claims a decision, so that no two deliveries of it send. `claimant` identifies this delivery, such as the queue
    /// message's id with its receive count: if the claim's response was lost and the SDK retries, the claim is still
    /// the caller's.
    ///
    /// # Errors
    /// [`StoreError`] if the table does not respond: nothing may be sent then.
    pub async fn claim(&self, decision: &Decision, claimant: &str, now: Timestamp) -> Result<Claim, StoreError> {
        let item = item_of(decision, MessageState::Claimed, claimant, now)?;
        self.claim_item(item, decision, claimant).await
    }

    async fn claim_item(&self, item: Item, decision: &Decision, claimant: &str) -> Result<Claim, StoreError> {
        if unless_conflict(self.put("claim", item, Some(Condition::absent())).await)?.is_some() {
            return Ok(Claim::Ours);
        }
        let key = keys::key(keys::person(decision.person), keys::message(decision.id));
        let item = self.get("claim", key, true).await?.ok_or(StoreError::Conflict { operation: "claim" })?;
        let held = Held::read(&item)?;
        let ours = held.record.state == MessageState::Claimed && held.claimant == claimant;
        Ok(if ours { Claim::Ours } else { Claim::Taken(Box::new(held)) })
    }

    /// Like [`Self::claim`], for a test mail. If `decision` has no profile, the claim is deleted after two days.
    ///
    /// # Errors
    /// As of [`Self::claim`].
    pub async fn claim_test(
        &self,
        decision: &Decision,
        is_someones: bool,
        claimant: &str,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut item = item_of(decision, MessageState::Claimed, claimant, now)?;
        item.insert(TEST.to_owned(), n(1));
        if !is_someones {
            item.insert(table::TTL.to_owned(), n(now.as_second() + 2 * DAY_SECONDS));
        }
        self.claim_item(item, decision, claimant).await
    }

    /// Records a withheld decision, in one write that needs no claim: `state` is final. Returns `false`, without a
    /// change, if the decision was handled before. `recorder` identifies this delivery.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn record_withheld(
        &self,
        decision: &Decision,
        state: MessageState,
        recorder: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = item_of(decision, state, recorder, now)?;
        Ok(unless_conflict(self.put("record_withheld", item, Some(Condition::absent())).await)?.is_some())
    }

    /// Releases a claim, so that a later delivery may claim it: only if it is certain that nothing was sent, even if
    /// another delivery marked the outcome as unknown meanwhile. Returns `false` if it was not `claimant`'s, or has
    /// another state.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn release(&self, person: PersonId, id: DecisionId, claimant: &str) -> Result<bool, StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .condition_expression("#by = :by AND #status IN (:claimed, :unknown)")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":by", s(claimant))
            .expression_attribute_values(":claimed", s(MessageState::Claimed.as_str()))
            .expression_attribute_values(":unknown", s(MessageState::Unknown.as_str()));
        let deleted = delete.send().await.map(drop).map_err(|error| sort("release", error));
        Ok(unless_conflict(deleted)?.is_some())
    }

    /// Records the outcome of a claimed message. Idempotent, in any order: each state's first time is kept, and the
    /// most advanced state wins. Returns `false` if there is no such message.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn record(&self, person: PersonId, id: DecisionId, outcome: &Outcome) -> Result<bool, StoreError> {
        self.record_at(keys::key(keys::person(person), keys::message(id)), outcome).await
    }

    /// Like [`Self::record`], for the claim under `key`.
    pub(crate) async fn record_at(&self, key: Item, outcome: &Outcome) -> Result<bool, StoreError> {
        // First as the state that now stands; where a stronger one stands already, the rest of it only.
        for stands in [true, false] {
            let time = outcome.state.time();
            let mut sets = vec!["#time = if_not_exists(#time, :at)".to_owned()];
            let mut removes = "";
            let mut update = self
                .client
                .update_item()
                .table_name(&*self.table)
                .set_key(Some(key.clone()))
                .expression_attribute_names("#time", time)
                .expression_attribute_values(":at", at(outcome.at))
                .expression_attribute_names("#rank", "rank");
            let texts = [
                ("subject", &outcome.subject),
                ("text", &outcome.text),
                ("link", &outcome.link),
                ("provider", &outcome.provider_id),
                ("domain", &outcome.domain),
                // The reason of the state: a less advanced state does not change it.
                ("detail", if stands { &outcome.detail } else { &None }),
            ];
            for (name, text) in texts {
                if let Some(text) = text {
                    sets.push(format!("#{name} = :{name}"));
                    update = update
                        .expression_attribute_names(format!("#{name}"), name)
                        .expression_attribute_values(format!(":{name}"), s(&**text));
                }
            }
            if stands {
                sets.push("#status = :state, #rank = :rank".to_owned());
                update = update
                    .expression_attribute_names("#status", "status")
                    .expression_attribute_values(":state", s(outcome.state.as_str()))
                    .expression_attribute_values(":rank", n(outcome.rank()))
                    .condition_expression("#rank <= :rank");
                if outcome.state == MessageState::Delivered {
                    // The problem no longer exists.
                    removes = " REMOVE #detail, #bounced";
                    update = update
                        .expression_attribute_names("#detail", "detail")
                        .expression_attribute_names("#bounced", MessageState::Bounced.time());
                }
            } else {
                update = update.condition_expression("attribute_exists(#rank)");
            }
            let sent = update.update_expression(format!("SET {}{removes}", sets.join(", "))).send().await;
            if unless_conflict(sent.map(drop).map_err(|error| sort("record", error)))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns one message.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn message(&self, person: PersonId, id: DecisionId) -> Result<Option<MessageRecord>, StoreError> {
        let item = self.get("message", keys::key(keys::person(person), keys::message(id)), true).await?;
        item.map(|item| read(&item)).transpose()
    }

    /// All messages to a person, the newest decision first.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails. A message that cannot be read is counted, and concerns no other.
    pub async fn messages(&self, person: PersonId) -> Result<Found<MessageRecord>, StoreError> {
        let items = self.partition("messages", keys::person(person), keys::MESSAGE, false).await?;
        let (mut messages, unreadable) = readable(&items, |item| read(item).map(Some));
        messages.sort_by(|a, b| b.decided_at.cmp(&a.decided_at).then_with(|| a.id.cmp(&b.id)));
        Ok(Found { items: messages, unreadable })
    }
}

/// The decision as an item in `state`, which it came into at `now`.
fn item_of(decision: &Decision, state: MessageState, by: &str, now: Timestamp) -> Result<Item, StoreError> {
    let mut item = keys::key(keys::person(decision.person), keys::message(decision.id));
    let cause = serde_json::to_string(&decision.cause).map_err(|error| StoreError::Unstorable(error.to_string()))?;
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("status", s(state.as_str()));
    set("rank", n(state.rank()));
    set("by", s(by));
    set("ch", s(decision.channel.as_str()));
    set("journey", s(&*decision.journey));
    set("step", n(decision.step));
    set("tpl", s(&*decision.template));
    set("cause", s(cause));
    set("cfg", s(decision.config.as_str()));
    set("decided", at(decision.decided_at));
    set(&state.time(), at(now));
    for (name, value) in [("endpoint", &decision.endpoint), ("variant", &decision.variant)] {
        if let Some(value) = value {
            set(name, s(&**value));
        }
    }
    Ok(item)
}

pub(crate) fn read(item: &Item) -> Result<MessageRecord, StoreError> {
    let person = keys::person_of(needed(keys::PK, item.text(keys::PK)?)?)
        .ok_or_else(|| StoreError::corrupt("no person's key"))?;
    let id = keys::decision_of(needed(keys::SK, item.text(keys::SK)?)?);
    let channel = needed("ch", item.text("ch")?)?;
    let channel = Channel::ALL.into_iter().find(|known| known.as_str() == channel);
    let text = |name: &str| item.text(name).map(|text| text.map(str::to_owned));
    let mut times = BTreeMap::new();
    for state in MessageState::ALL {
        if let Some(at) = item.moment(&state.time())? {
            times.insert(state, at);
        }
    }
    Ok(MessageRecord {
        id: id.ok_or_else(|| StoreError::corrupt("no message's key"))?,
        person,
        state: MessageState::parse(needed("status", item.text("status")?)?)?,
        channel: channel.ok_or_else(|| StoreError::corrupt("no channel has that name"))?,
        journey: needed("journey", text("journey")?)?,
        step: needed("step", item.number("step")?)?,
        template: needed("tpl", text("tpl")?)?,
        endpoint: text("endpoint")?,
        cause: serde_json::from_str(needed("cause", item.text("cause")?)?)
            .map_err(|_| StoreError::corrupt("no cause"))?,
        config: needed("cfg", item.parsed("cfg")?)?,
        variant: text("variant")?,
        decided_at: needed("decided", item.moment("decided")?)?,
        times,
        subject: text("subject")?,
        text: text("text")?,
        link: text("link")?,
        provider_id: text("provider")?,
        domain: text("domain")?,
        detail: text("detail")?,
        tries: item.number("tries")?.filter(|tries| *tries > 1),
        test: item.contains_key(TEST),
        read_at: item.moment("t_read")?,
        dismissed_at: item.moment("t_dismissed")?,
    })
}
