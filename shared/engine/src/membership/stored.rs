//! The stored form of memberships: nothing if they follow from the rest of the state, as for a person with one account
//! named by one call and without activity that names one.

use super::set::{Membership, Memberships};
use crate::state::State;
use perennial_domain::time::day_of;
use serde::{Deserialize, Serialize};

/// Memberships, as distances from the newest account and the newest activity of their state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMemberships {
    listed: Vec<Listed>,
    /// Days from the newest activity that names no account to the newest of all; `None` if it is the newest of all, or
    /// there is none.
    unnamed: Option<Option<i32>>,
}

/// The data of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    /// Empty for the account that was named last.
    account: String,
    said: Option<Said>,
    /// Days from the newest activity there to the newest of all.
    active: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    /// Microseconds until the last-named account was named.
    before: i64,
    ended: bool,
    /// Days since it was first named.
    first: Option<i32>,
}

/// The origin of distances.
struct Origin<'a> {
    account: &'a str,
    at: i64,
    day: i32,
}

impl<'a> Origin<'a> {
    fn of(state: &'a State) -> Self {
        let (account, at) = state.account.as_ref().map_or(("", 0), |named| (named.value.as_str(), named.at));
        Self { account, at, day: last_day(state).unwrap_or_default() }
    }
}

fn last_day(state: &State) -> Option<i32> {
    state.seen.map(|seen| day_of(seen.last_at()))
}

/// Returns the newest activity without an account if nothing else is stored: the newest of all, unless that names one.
fn usual_unnamed(state: &State, active: &Memberships) -> Option<i32> {
    last_day(state).filter(|last| active.active.values().all(|day| day < last))
}

impl State {
    /// Returns the stored form of the memberships; `None` if [`Self::restore_memberships`] derives them without it.
    ///
    /// Times of leaving without an account are not included.
    pub fn stored_memberships(&self) -> Option<StoredMemberships> {
        let mut usual = Self { account: self.account.clone(), seen: self.seen, ..Self::default() };
        usual.restore_memberships(None);
        usual.memberships.left_primary.clone_from(&self.memberships.left_primary);
        if self.memberships == usual.memberships || self.memberships.is_empty() {
            return None;
        }
        let (origin, known) = (Origin::of(self), &self.memberships);
        let all: std::collections::BTreeSet<&String> = known.said.keys().chain(known.active.keys()).collect();
        let list = |account: &String| Listed {
            account: if account == origin.account { String::new() } else { account.clone() },
            said: known.said.get(account).map(|of| Said {
                before: origin.at.saturating_sub(of.at),
                ended: of.ended,
                first: of.first.map(|first| super::day(of.at).saturating_sub(first)),
            }),
            active: known.active.get(account).map(|day| origin.day.saturating_sub(*day)),
        };
        let unnamed = (known.unnamed != usual_unnamed(self, known))
            .then(|| known.unnamed.map(|day| origin.day.saturating_sub(day)));
        Some(StoredMemberships { listed: all.into_iter().map(list).collect(), unnamed })
    }

    /// Restores the memberships from their stored form, or from the rest of the state. An older state without
    /// memberships has one, of the account that was named last.
    pub fn restore_memberships(&mut self, stored: Option<StoredMemberships>) {
        let left_primary = std::mem::take(&mut self.memberships.left_primary);
        let mut known = Memberships { left_primary, ..Memberships::default() };
        let origin = Origin::of(self);
        let Some(stored) = stored else {
            if let Some(named) = &self.account {
                known.said.insert(named.value.clone(), Membership::joined(named.at, super::day(named.at)));
            }
            known.unnamed = usual_unnamed(self, &known);
            self.memberships = known;
            return;
        };
        for listed in stored.listed {
            let account = if listed.account.is_empty() { origin.account.to_owned() } else { listed.account };
            if let Some(said) = listed.said {
                let at = origin.at.saturating_sub(said.before);
                let first = said.first.map(|days| super::day(at).saturating_sub(days));
                known.said.insert(account.clone(), Membership { at, ended: said.ended, first });
            }
            if let Some(days) = listed.active {
                known.active.insert(account, origin.day.saturating_sub(days));
            }
        }
        known.unnamed = match stored.unnamed {
            Some(days) => days.map(|days| origin.day.saturating_sub(days)),
            None => usual_unnamed(self, &known),
        };
        self.memberships = known;
    }
}
