//! Journeys that stop sending mails: the outcomes of their mails by day, and the paused journeys.
//!
//! | item | pk | sk | attributes |
//! |---|---|---|---|
//! | a journey's day | `J#<journey>` | `D#<yyyy-mm-dd>`, UTC | `sent`, `bounced`, `complained`; `ttl`: kept for 100 days |
//! | a shard of its day | `J#<journey>` | `D#<yyyy-mm-dd>#<0 to f>` | `bounced`, `complained`; `ttl`: the same |
//! | a journey that was paused | `PAUSES` | `J#<journey>` | `since`, `at_…`: while it is paused, since when, and the counts that caused it; `resumed`, `was_…`: when it was last resumed, and its counts of that day up to then |
//!
//! Sent mails are counted as they are sent, which a crash may lose; a bounce or a complaint is counted in the
//! transaction that records it on its message for the first time, so that it counts once however often it is reported.
//! DynamoDB cancels one of two conflicting transactions. So bounces and complaints are counted in shards by the
//! message's id, and a cancelled transaction is retried at once: a burst of bounces is counted completely.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, logged, n, needed, readable};
use crate::messages::MessageState;
use crate::store::Store;
use crate::{keys, table};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use jiff::Timestamp;
use perennial_domain::hash::hash32;
use perennial_domain::time::{self, DAY_SECONDS};
use perennial_domain::{DecisionId, PersonId};
use serde::Serialize;
use std::time::Duration;

/// The most attempts to count a bounce or a complaint: for some seconds in total.
const HARM_ATTEMPTS: u32 = 12;
/// Days that a journey's counts are kept: more than any window that the config allows.
const KEPT_DAYS: i64 = 100;

/// The outcomes of a journey's mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// SES took them.
    pub sent: u64,
    /// Permanent bounces.
    pub bounced: u64,
    /// Their readers called them spam.
    pub complained: u64,
}

impl Tally {
    const NAMES: [&'static str; 3] = ["sent", "bounced", "complained"];

    fn read(item: &Item, prefix: &str) -> Result<Self, StoreError> {
        let number = |name: &str| Ok::<_, StoreError>(item.number(&format!("{prefix}{name}"))?.unwrap_or_default());
        Ok(Self { sent: number("sent")?, bounced: number("bounced")?, complained: number("complained")? })
    }

    fn values(self) -> [u64; 3] {
        [self.sent, self.bounced, self.complained]
    }

    fn plus(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            bounced: self.bounced + other.bounced,
            complained: self.complained + other.complained,
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(other.sent),
            bounced: self.bounced.saturating_sub(other.bounced),
            complained: self.complained.saturating_sub(other.complained),
        }
    }
}

/// An outcome that is counted after a mail was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It bounced permanently.
    Bounced,
    /// Its reader called it spam.
    Complained,
}

impl Harm {
    fn state(self) -> MessageState {
        match self {
            Self::Bounced => MessageState::Bounced,
            Self::Complained => MessageState::Complained,
        }
    }
}

/// A journey that is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Which.
    pub journey: String,
    /// Since when.
    pub since: Timestamp,
    /// The counts that did it.
    #[serde(flatten)]
    pub tally: Tally,
}

/// The health of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The outcomes of its mails within the window, since it was last resumed.
    pub tally: Tally,
    /// The pause, if it is paused.
    pub paused: Option<Paused>,
    /// When it was last resumed.
    pub resumed: Option<Timestamp>,
}

/// When a journey was last resumed, and its counts of that day up to then.
#[derive(Debug, Clone, Copy)]
struct Resumed {
    at: Timestamp,
    tally: Tally,
}

impl Store {
    /// Counts mails of a journey that SES took: after the fact, so a crash may lose them.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn count_sent(&self, journey: &str, mails: u64, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(day_key(journey, now)))
            .update_expression("ADD #n :n SET #ttl = :ttl")
            .expression_attribute_names("#n", "sent")
            .expression_attribute_names("#ttl", table::TTL)
            .expression_attribute_values(":n", n(mails))
            .expression_attribute_values(":ttl", expiry(now));
        update.send().await.map(drop).map_err(|error| sort("count_sent", error))
    }

    /// Counts a bounce or a complaint of a journey's mail at `now`, and records it on the message: once, however often
    /// it is reported. Returns whether it was new; nothing is counted for a missing message.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails; it can be repeated.
    pub async fn count_harm(
        &self,
        journey: &str,
        person: PersonId,
        id: DecisionId,
        harm: Harm,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let message = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .update_expression("SET #time = :at")
            .condition_expression("attribute_exists(#rank) AND attribute_not_exists(#time)")
            .expression_attribute_names("#time", harm.state().time())
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":at", at(now));
        let day = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::journey(journey), keys::journey_day_shard(now, id))))
            .update_expression("ADD #n :one SET #ttl = :ttl")
            .expression_attribute_names("#n", harm.state().as_str())
            .expression_attribute_names("#ttl", table::TTL)
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":ttl", expiry(now));
        let mut writes = Vec::new();
        for update in [message, day] {
            let update = update.build().map_err(|error| StoreError::Unstorable(error.to_string()))?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        let mut attempt = 1;
        loop {
            let counted = self.transact_harm(writes.clone()).await;
            if attempt >= HARM_ATTEMPTS || !counted.as_ref().is_err_and(StoreError::is_conflict) {
                return counted;
            }
            // Others are counted at this moment. Each waits for a different time.
            let own = u64::from(hash32(&format!("{id}/{attempt}")) % 40);
            tokio::time::sleep(Duration::from_millis(own * u64::from(attempt))).await;
            attempt += 1;
        }
    }

    async fn transact_harm(&self, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                let reasons = error.as_service_error().and_then(|error| match error {
                    aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                        Some(cancelled.cancellation_reasons())
                    }
                    _ => None,
                });
                if reasons
                    .is_some_and(|reasons| reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")))
                {
                    return Ok(false);
                }
                let meets = reasons.is_some() || error.code() == Some("TransactionInProgressException");
                Err(if meets { StoreError::Conflict { operation: "count_harm" } } else { sort("count_harm", error) })
            }
        }
    }

    /// Returns the health of a journey, over `days` UTC days up to that of `now`, or since it was last resumed if that
    /// is later.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn journey_health(&self, journey: &str, days: u16, now: Timestamp) -> Result<Health, StoreError> {
        let state = self.get("journey_health", state_key(journey), true).await?;
        let state = state.as_ref();
        let resumed = state.map_or(Ok(None), resumed)?;
        let tally = self.tally(journey, days, now, resumed).await?;
        let paused = state.map_or(Ok(None), |state| paused(journey, state))?;
        Ok(Health { tally, paused, resumed: resumed.map(|resumed| resumed.at) })
    }

    async fn tally(
        &self,
        journey: &str,
        days: u16,
        now: Timestamp,
        resumed: Option<Resumed>,
    ) -> Result<Tally, StoreError> {
        let first = time::plus_days(now, 1 - i64::from(days.max(1)));
        let first = keys::journey_day(resumed.map_or(first, |resumed| resumed.at.max(first)));
        let mut items = self.partition("journey_health", keys::journey(journey), keys::DAY, false).await?;
        items.retain(|item| item.text(keys::SK).ok().flatten().is_some_and(|sk| *keys::day_of_key(sk) >= *first));
        let tally = sum(&items);
        // The first day that counts is that of the resumption, if it is not longer ago.
        Ok(match resumed.filter(|resumed| keys::journey_day(resumed.at) == first) {
            Some(resumed) => tally.less(resumed.tally),
            None => tally,
        })
    }

    /// Pauses a journey with the given `health`. Returns `false` if it is paused already, or was resumed meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn pause_journey(&self, journey: &str, health: &Health, now: Timestamp) -> Result<bool, StoreError> {
        let mut sets = vec!["#since = :since".to_owned()];
        let mut update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(state_key(journey)))
            .expression_attribute_names("#since", "since")
            .expression_attribute_names("#resumed", "resumed")
            .expression_attribute_values(":since", at(now));
        for (name, count) in Tally::NAMES.into_iter().zip(health.tally.values()) {
            sets.push(format!("#at_{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#at_{name}"), format!("at_{name}"))
                .expression_attribute_values(format!(":{name}"), n(count));
        }
        update = match health.resumed {
            None => update.condition_expression("attribute_not_exists(#since) AND attribute_not_exists(#resumed)"),
            Some(resumed) => update
                .condition_expression("attribute_not_exists(#since) AND #resumed = :resumed")
                .expression_attribute_values(":resumed", at(resumed)),
        };
        let sent = update.update_expression(format!("SET {}", sets.join(", "))).send().await;
        Ok(unless_conflict(sent.map(drop).map_err(|error| sort("pause_journey", error)))?.is_some())
    }

    /// Resumes a paused journey: the outcomes of its mails are counted from `now` on. Returns `false` if it is not
    /// paused.
    ///
    /// # Errors
    /// [`StoreError`] if a read or the write fails.
    pub async fn resume_journey(&self, journey: &str, now: Timestamp) -> Result<bool, StoreError> {
        let items = self.partition("resume_journey", keys::journey(journey), &keys::journey_day(now), false).await?;
        let today = sum(&items);
        let mut sets = vec!["#resumed = :resumed".to_owned()];
        let mut update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(state_key(journey)))
            .condition_expression("attribute_exists(#since)")
            .expression_attribute_names("#since", "since")
            .expression_attribute_names("#resumed", "resumed")
            .expression_attribute_values(":resumed", at(now));
        for (name, count) in Tally::NAMES.into_iter().zip(today.values()) {
            sets.push(format!("#was_{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#was_{name}"), format!("was_{name}"))
                .expression_attribute_values(format!(":{name}"), n(count));
        }
        let sent = update.update_expression(format!("SET {} REMOVE #since", sets.join(", "))).send().await;
        Ok(unless_conflict(sent.map(drop).map_err(|error| sort("resume_journey", error)))?.is_some())
    }

    /// All journeys that are paused, by name, without those of which that cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn paused_journeys(&self) -> Result<Vec<Paused>, StoreError> {
        let items = self.partition("paused_journeys", keys::PAUSES.to_owned(), "", false).await?;
        let read = |item: &Item| {
            let name = keys::journey_of(needed(keys::SK, item.text(keys::SK)?)?);
            paused(name.ok_or_else(|| StoreError::corrupt("no journey's key"))?, item)
        };
        Ok(logged("paused journeys", readable(&items, read)))
    }
}

/// Returns the sum of the shards of a journey's days; an unreadable shard counts as zero.
fn sum(items: &[Item]) -> Tally {
    let tallies = logged("counts of a journey", readable(items, |item| Tally::read(item, "").map(Some)));
    tallies.into_iter().fold(Tally::default(), Tally::plus)
}

fn day_key(journey: &str, day: Timestamp) -> Item {
    keys::key(keys::journey(journey), keys::journey_day(day))
}

fn state_key(journey: &str) -> Item {
    keys::key(keys::PAUSES, keys::journey(journey))
}

fn expiry(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    n(now.as_second() + KEPT_DAYS * DAY_SECONDS)
}

fn paused(journey: &str, state: &Item) -> Result<Option<Paused>, StoreError> {
    let Some(since) = state.moment("since")? else { return Ok(None) };
    Ok(Some(Paused { journey: journey.to_owned(), since, tally: Tally::read(state, "at_")? }))
}

fn resumed(state: &Item) -> Result<Option<Resumed>, StoreError> {
    let Some(at) = state.moment("resumed")? else { return Ok(None) };
    Ok(Some(Resumed { at, tally: Tally::read(state, "was_")? }))
}
