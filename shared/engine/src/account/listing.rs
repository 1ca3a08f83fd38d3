//! The lists that an account is in: by stage, touch model, owner, readiness and health, and the words of its name.

use super::Account;
use super::follow_up::AccountAction;
use crate::listing::{DRIFT, ListChange, ListEntry, SLACK, band, is_within, owner_key};
use jiff::Timestamp;
use perennial_domain::traits::readable;
use perennial_domain::{AccountFacts, Score, search};
use std::collections::BTreeSet;

/// The trait with an account's name.
pub const NAME: &str = "name";

/// A number from 0 to 100 by which accounts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountScale {
    /// The sum over the buyers.
    Readiness,
    /// Health as a customer; accounts that do not pay have none.
    Health,
}

impl AccountScale {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Readiness, Self::Health];

    /// Returns the name in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Health => "health",
        }
    }

    /// Returns the scale with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.as_str() == name)
    }

    /// Returns the account's value.
    pub fn of(self, facts: &AccountFacts) -> Option<Score> {
        self.choose(facts.score, facts.health)
    }

    fn choose(self, score: Score, health: Option<Score>) -> Option<Score> {
        match self {
            Self::Readiness => Some(score),
            Self::Health => health,
        }
    }

    /// Returns the name of the list.
    fn list(self) -> String {
        ListEntry::of_band(self.as_str(), 0).list().to_owned()
    }
}

/// Returns the words that an account is found by: of the name in its traits, and of its id.
pub fn words(facts: &AccountFacts) -> BTreeSet<String> {
    let name = facts.traits.get(NAME).and_then(readable);
    search::words(name.as_deref().into_iter().chain([facts.id.as_str()]))
}

/// Returns the entries that the lists should have of the account with these facts; none for the account of a domain whose
/// people another account has. A band stays if the score is within [`SLACK`] points of it.
pub fn entries(account: &Account, facts: &AccountFacts) -> BTreeSet<ListEntry> {
    if account.holder().is_some() || account.is_nothing() {
        return BTreeSet::new();
    }
    let of_scale = |scale: AccountScale| {
        let score = scale.of(facts)?;
        let kept = listed_band(&account.listed, scale).filter(|band| is_within(*band, SLACK, score));
        Some(ListEntry::of_band(scale.as_str(), kept.unwrap_or_else(|| band(score))))
    };
    let bands = AccountScale::ALL.into_iter().filter_map(of_scale);
    let stage = facts.stage.map(ListEntry::of_stage);
    let owner = facts.owner.as_deref().map(|owner| ListEntry::of_owner(owner_key(owner)));
    let words = words(facts);
    let words = words.iter().map(|word| ListEntry::of_word(word));
    bands.chain(stage).chain(owner).chain(words).chain([ListEntry::of_touch(facts.touch.as_str())]).collect()
}

/// Puts the difference between the account's entries and those that it should have into the outbox. Returns whether there
/// is one.
pub fn list(account: &mut Account, facts: &AccountFacts, now: Timestamp) -> bool {
    let new = entries(account, facts);
    let mut change = ListChange::between(&account.listed, &new);
    if change.is_empty() {
        return false;
    }
    account.outbox.retain(|action| match action {
        AccountAction::List { change: pending, .. } => {
            change.include(pending, &new);
            false
        }
        _ => true,
    });
    account.outbox.push(AccountAction::List { change, at: now });
    account.listed = new;
    true
}

/// Returns whether a score is [`DRIFT`] points outside of the band that it is listed in, or health is listed and unknown,
/// or the reverse.
pub(super) fn is_adrift(listed: &BTreeSet<ListEntry>, score: Score, health: Option<Score>) -> bool {
    AccountScale::ALL.into_iter().any(|scale| match (listed_band(listed, scale), scale.choose(score, health)) {
        (Some(band), Some(score)) => !is_within(band, DRIFT, score),
        (None, None) => false,
        _ => true,
    })
}

fn listed_band(listed: &BTreeSet<ListEntry>, scale: AccountScale) -> Option<u8> {
    let list = scale.list();
    listed.iter().find(|entry| entry.list() == list).and_then(|entry| entry.order().parse().ok())
}
