//! An account's value, owner and stage.

use super::Account;
use crate::account::value::{named_owner, subscribed, touch};
use crate::billing::{Billing, Standing, Subscription};
use crate::evaluate::Evaluation;
use crate::instant::timestamp;
use crate::moment::Moment;
use crate::span::Span;
use crate::stage::stage_of;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, Member, Money, PersonId, Stage, Touch};
use serde_json::Value;
use std::collections::BTreeMap;

/// Returns the facts of `account` at `now`, for conditions, people and the CRM. All but the sums over its people is
/// computed now, under the active configuration; score and health are those of `now` by its people's curves.
pub fn facts(config: &Config, account: &Account, now: Timestamp) -> AccountFacts {
    let value = value(config, account, now);
    let touch = touch_of(config, account, value, now);
    let summary = account.summary.as_ref();
    let (stage, standing) = standing_of(config, account, now);
    AccountFacts {
        id: account.id.clone(),
        people: summary.map_or(0, |summary| summary.people),
        score: account.score_at(now),
        health: account.health_at(now),
        value,
        touch,
        owner: owner(config, account, touch),
        stage,
        left: standing.ended.filter(|_| stage.is_some_and(|stage| !stage.pays())).map(timestamp),
        ended: account.subscriptions().filter_map(|(key, each)| Some((key, each.reported_end()?))).collect(),
        renewals: account.renewal_count(config, now),
        cancels: standing.cancels,
        past_due: standing.past_due,
        renews_at: account.renews_at(config, now).filter(|_| stage != Some(Stage::Churned)),
        leading_buyer: account.leading_buyer,
        traits: account.present_traits().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
    }
}

/// Returns the entry of a person in their primary account at the moment of `evaluation`, without a curve.
pub fn member(config: &Config, person: PersonId, view: &State, evaluation: &Evaluation) -> Member {
    Member {
        person,
        stage: evaluation.stage,
        scores: evaluation.scores.iter().filter(|(_, value)| value.get() > 0).collect(),
        engagement: evaluation.engagement,
        last_seen: view.seen.map(|seen| seen.last_at()),
        personas: evaluation.personas(config).map(str::to_owned).collect(),
        elsewhere: false,
        curve: None,
    }
}

/// Returns the account's annual value, in minor units of the configured currency: that of its trait, else the price of
/// its paid subscriptions in that currency; `None` if neither has an amount.
pub fn value(config: &Config, account: &Account, now: Timestamp) -> Option<i64> {
    let rule = config.accounts.value.as_ref()?;
    let said = account.traits.get(&rule.r#trait).and_then(|held| {
        let amount = match &held.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return None,
        };
        Money::parse(&amount, rule.currency).ok()?.minor.checked_mul(rule.times_a_year)
    });
    said.or_else(|| subscribed(config, account.subscriptions().map(|(_, each)| each), now))
}

/// Returns the touch model of `account`, whose value is `value`: for as long as configured, the one that it had as a customer
/// when it was last computed.
pub(super) fn touch_of(config: &Config, account: &Account, value: Option<i64>, now: Timestamp) -> Touch {
    let keeps = config.accounts.touch.existing_until.is_some_and(|until| now.as_second() < until);
    account.touch.filter(|_| keeps).unwrap_or_else(|| touch(config, value))
}

/// Returns the account's owner: that of its trait, else the touch model's.
fn owner(config: &Config, account: &Account, touch: Touch) -> Option<String> {
    let named = named_owner(config, |name| account.traits.get(name).map(|held| &held.value));
    named.or_else(|| config.accounts.owner.by_touch.get(&touch).map(String::as_str)).map(str::to_owned)
}

/// Returns the account's stage and status from its own facts, as for a person with these facts; no stage without facts. It is
/// idle for as long as all of its people are.
fn standing_of(config: &Config, account: &Account, now: Timestamp) -> (Option<Stage>, Standing) {
    let Some(state) = state_of(account) else { return (None, Standing::default()) };
    let moment = Moment::new(config, now);
    let standing = Standing::of(&moment, &state);
    (Some(stage_of(&moment, &state, &standing)), standing)
}

/// Returns the account's facts as those of a person; `None` if there are none.
pub(super) fn state_of(account: &Account) -> Option<State> {
    let subscriptions: BTreeMap<u64, Subscription> =
        account.subscriptions().map(|(key, each)| (key, each.clone())).collect();
    if account.milestones.is_empty() && subscriptions.is_empty() {
        return None;
    }
    let last_seen = account.summary.as_ref().and_then(|summary| summary.last_seen);
    let reported = subscriptions.values().map(|each| each.last);
    let facts = account.milestones.values().map(|span| span.last).chain(reported).max();
    // A buyer for others may never have been active: then the newest fact counts.
    let seen = last_seen.map(Timestamp::as_microsecond).max(facts).map(Span::at);
    let milestones = account.milestones.clone();
    let billing = Billing { subscriptions, ..Billing::default() };
    Some(State { milestones, billing, seen, ..State::default() })
}
