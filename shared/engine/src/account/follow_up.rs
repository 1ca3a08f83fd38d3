//! The consequences of an account's change: CRM updates, and the evaluation of its people if their conditions could
//! read the change.

use super::Account;
use crate::listing::ListChange;
use crate::stage::settled;
use crate::written::{Written, differs};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_config::accounts::{Crm, CrmField, PersonField};
use perennial_config::vocabulary::AccountField;
use perennial_domain::{AccountFacts, AccountId, CrmUpdate, Stage, Subject, hash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The increase of the pause between two evaluations for each of an account's people, in milliseconds: more people are
/// more expensive to evaluate.
const PAUSE_A_PERSON_MS: i32 = 60;
/// The longest: what a queue can hold a message back for.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// An action after an account is written. Idempotent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAction {
    /// Hand the update to `deliver`.
    Update(CrmUpdate),
    /// Evaluate every person of the account again.
    Wake {
        /// When it was decided.
        at: Timestamp,
    },
    /// Check the account again, to evaluate its people then.
    LookAgain {
        /// When.
        at: Timestamp,
    },
    /// Change the account's entries in the lists.
    List {
        /// The change.
        change: ListChange,
        /// When it was decided.
        at: Timestamp,
    },
    /// Recompute other accounts, which gained or lost the people of this domain.
    Recompute {
        /// The accounts.
        accounts: BTreeSet<AccountId>,
        /// When it was decided.
        at: Timestamp,
    },
}

/// The state that an account's people were last notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// A hash of what conditions can see.
    pub facts: u64,
    /// When the account will be checked again because more has changed since; `None` if nothing has.
    pub again: Option<Timestamp>,
}

/// Decides the consequences of `facts`, which are the account's at `now`, adds them to the outbox, and records the touch model
/// of a customer. Returns whether the outbox has anything new. `pause` is the shortest time between two evaluations of the account's people; it grows with their
/// number, up to threefold.
pub fn decide(
    config: &Config,
    account: &mut Account,
    facts: &AccountFacts,
    now: Timestamp,
    pause: SignedDuration,
) -> bool {
    // Without facts about its stage, an account with a value is a customer.
    let is_customer = facts.stage.map_or(facts.value.is_some(), Stage::pays);
    account.touch = is_customer.then_some(facts.touch);
    // An end that only changes the plan is not written to the CRM.
    let is_settled = facts.left.and_then(|left| settled(left, now)).is_none();
    let crm = config.accounts.crm.as_ref().filter(|_| is_settled);
    let updated = crm.is_some_and(|crm| update(config, crm, account, facts, now));
    let woken = config.asks_account() && facts.people > 0 && wake(config, account, facts, now, pause);
    updated || woken
}

fn update(config: &Config, crm: &Crm, account: &mut Account, facts: &AccountFacts, now: Timestamp) -> bool {
    let ready = config.accounts.score.ready;
    let fields: BTreeMap<String, Value> =
        crm.fields.iter().map(|(field, name)| (name.clone(), value_of(*field, config, facts))).collect();
    let held = account.written.as_ref();
    let worth = crm.fields.iter().any(|(field, name)| {
        let old = held.and_then(|held| held.fields.get(name)).cloned().unwrap_or_else(|| unwritten(*field));
        is_worth_writing(*field, &old, &fields[name], crm.least_change, ready)
    });
    if !worth {
        return false;
    }
    let number = held.map_or(0, |held| held.number) + 1;
    // This update would replace one that has not been sent yet.
    account.outbox.retain(|action| !matches!(action, AccountAction::Update(_)));
    let written = Written { number, record: None, fields };
    let update = written.update(config, Subject::Account(account.id.clone()), &crm.endpoint, now);
    account.outbox.push(AccountAction::Update(update));
    account.written = Some(written);
    true
}

fn value_of(field: CrmField, config: &Config, facts: &AccountFacts) -> Value {
    match field {
        CrmField::Score => json!(facts.score),
        CrmField::Health => json!(facts.health),
        CrmField::Ready => json!(config.accounts.score.ready.is_some_and(|ready| facts.score.get() >= ready)),
        CrmField::Touch => json!(facts.touch),
        CrmField::Stage => json!(facts.stage),
        CrmField::Owner => json!(facts.owner),
        CrmField::Value => {
            let unit = config.accounts.value.as_ref().map_or(1, |value| 10_i64.pow(value.currency.exponent()));
            json!(facts.value.map(|minor| minor / unit))
        }
    }
}

/// Returns the value that a field counts as having before the first update.
fn unwritten(field: CrmField) -> Value {
    match field {
        CrmField::Score => json!(0),
        CrmField::Ready => json!(false),
        CrmField::Touch => json!(perennial_domain::Touch::None),
        CrmField::Health | CrmField::Stage | CrmField::Owner | CrmField::Value => Value::Null,
    }
}

fn is_worth_writing(field: CrmField, old: &Value, new: &Value, least: u8, ready: Option<u8>) -> bool {
    let has_crossed = |ready: u64| match (old.as_u64(), new.as_u64()) {
        (Some(before), Some(after)) => (before >= ready) != (after >= ready),
        _ => false,
    };
    match field {
        CrmField::Score => differs(old, new, least) || ready.map(u64::from).is_some_and(has_crossed),
        CrmField::Health => differs(old, new, least),
        CrmField::Ready | CrmField::Touch | CrmField::Stage | CrmField::Owner | CrmField::Value => old != new,
    }
}

fn wake(config: &Config, account: &mut Account, facts: &AccountFacts, now: Timestamp, least: SignedDuration) -> bool {
    let seen = fingerprint(config, facts);
    let pause = pause(facts.people, least);
    let action = match account.told {
        // A person who was evaluated with other facts in between keeps them, even if the facts are as before again.
        Some(told) if told.facts == seen && told.again.is_none() => return false,
        Some(told) if now < told.at + pause => {
            let again = told.at + pause;
            if told.again.is_some_and(|again| now < again) {
                return false;
            }
            account.told = Some(Told { again: Some(again), ..told });
            AccountAction::LookAgain { at: again }
        }
        _ => {
            account.told = Some(Told { at: now, facts: seen, again: None });
            AccountAction::Wake { at: now }
        }
    };
    account.outbox.retain(|action| !matches!(action, AccountAction::Wake { .. } | AccountAction::LookAgain { .. }));
    account.outbox.push(action);
    true
}

/// Returns the time between two evaluations of so many people.
fn pause(people: u32, least: SignedDuration) -> SignedDuration {
    let longer = SignedDuration::from_millis(i64::from(PAUSE_A_PERSON_MS) * i64::from(people));
    (least + longer.min(least * 2)).min(LONGEST_PAUSE)
}

/// Returns a hash of everything that this configuration's conditions read, and of the next renewal where the CRM's contacts have it: other
/// changes cause no evaluation.
pub fn fingerprint(config: &Config, facts: &AccountFacts) -> u64 {
    let follows = config.lifecycle.people_follow_account.then_some(&AccountField::Stage);
    // People are listed by their owner.
    let listed = config.accounts.owner.is_any().then_some(&AccountField::Owner);
    let people = config.accounts.people.as_ref();
    let renews = people.is_some_and(|crm| crm.fields.contains_key(&PersonField::NextRenewal));
    let written = renews.then_some(&AccountField::RenewsInDays);
    let asked = config.asked_of_account().chain(follows).chain(listed).chain(written).map(|field| match field {
        AccountField::Id => json!(facts.id),
        AccountField::People => json!(facts.people),
        AccountField::Score => json!(facts.score),
        AccountField::Health => json!(facts.health),
        AccountField::Value => json!(facts.value),
        AccountField::Touch => json!(facts.touch),
        AccountField::Owner => json!(facts.owner),
        AccountField::Stage => json!(facts.stage),
        AccountField::LeadingBuyer => json!(facts.leading_buyer),
        AccountField::Renewals => json!(facts.renewals),
        AccountField::Cancels => json!(facts.cancels),
        AccountField::PastDue => json!(facts.past_due),
        // The passing of days causes none: each person has a timer for them.
        AccountField::RenewsInDays => json!(facts.renews_at),
        AccountField::Trait(path) => json!(path.first().and_then(|name| facts.traits.get(name))),
    });
    hash::hash64(&[Value::from_iter(asked).to_string().as_bytes()])
}
