//! The accounts that a person was reported to belong to, and where they were active: a merge of events, in any order,
//! any number of times.
//!
//! | kept | by | limit |
//! |---|---|---|
//! | the newest of joining and leaving; at the same time, leaving | account | [`MAX_MEMBERSHIPS`] current ones and [`MAX_ENDED`] left ones, the newest of each |
//! | the day on which they were first named as a member | account | with the former |
//! | the newest day of activity that names it without making anyone a member | account | [`MAX_ACTIVE`], the newest |
//! | the newest day of other activity: it names no account, or makes someone a member | | |
//! | the times of leaving without an account | | [`MAX_LEFT`], the newest |
//!
//! Accounts that a person left never displace current ones; beyond the limit, the one named longest ago is dropped
//! first. Within the limits the order of events does not matter at all. Beyond them it does in one case: a report about
//! an account that has been displaced is new again.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most accounts of a person. An identity keeps as many, and so does a profile of several identities.
pub const MAX_MEMBERSHIPS: usize = 8;
/// The most accounts that an identity is remembered to have left.
pub const MAX_ENDED: usize = 8;
/// The most accounts of which the newest day of activity is kept.
pub const MAX_ACTIVE: usize = 16;

/// The most times of leaving without an account that are kept.
pub const MAX_LEFT: usize = 4;

/// The newest report of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Membership {
    /// Its time, in microseconds since 1970.
    pub at: i64,
    /// `true` if it reports leaving.
    pub ended: bool,
    /// The day on which they were first named as a member, since 1970.
    pub first: Option<i32>,
}

impl Membership {
    /// Returns a membership reported at `at`.
    pub(super) fn joined(at: i64, day: i32) -> Self {
        Self { at, ended: false, first: Some(day) }
    }

    fn merge(&mut self, other: Self) {
        let first = [self.first, other.first].into_iter().flatten().min();
        let newest = (self.at, self.ended).max((other.at, other.ended));
        *self = Self { at: newest.0, ended: newest.1, first };
    }
}

/// The accounts of one identity; combined, of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memberships {
    /// The reports, by the account's id.
    pub said: BTreeMap<String, Membership>,
    /// The newest day of activity that names an account, since 1970, by the account's id.
    pub active: BTreeMap<String, i32>,
    /// The newest day of all other activity, since 1970.
    pub unnamed: Option<i32>,
    /// When they left their primary account, in microseconds since 1970.
    pub left_primary: BTreeSet<i64>,
}

impl Memberships {
    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.is_usual() && self.left_primary.is_empty()
    }

    /// Returns whether it contains only times of leaving without an account: the rest follows from the state.
    pub fn is_usual(&self) -> bool {
        self.said.is_empty() && self.active.is_empty() && self.unnamed.is_none()
    }

    /// Records that the person belongs to `account`.
    pub(super) fn join(&mut self, account: &str, at: i64, day: i32) {
        self.say(account, Membership::joined(at, day));
        self.bound(false, MAX_MEMBERSHIPS);
    }

    /// Records that the person left `account`.
    pub(super) fn leave(&mut self, account: &str, at: i64) {
        self.say(account, Membership { at, ended: true, first: None });
        self.bound(true, MAX_ENDED);
    }

    /// Records that the person left their primary account.
    pub(super) fn leave_primary(&mut self, at: i64) {
        self.left_primary.insert(at);
        while self.left_primary.len() > MAX_LEFT {
            self.left_primary.pop_first();
        }
    }

    /// Records activity on `day` in `account`.
    pub(super) fn mark_active(&mut self, account: Option<&str>, day: i32) {
        let Some(account) = account else {
            self.unnamed = self.unnamed.max(Some(day));
            return;
        };
        self.mark(account, day);
        while self.active.len() > MAX_ACTIVE {
            let first = self.active.iter().min_by_key(|(account, day)| (**day, *account));
            let Some(account) = first.map(|(account, _)| account.clone()) else { return };
            self.active.remove(&account);
        }
    }

    fn say(&mut self, account: &str, membership: Membership) {
        match self.said.get_mut(account) {
            Some(known) => known.merge(membership),
            None => {
                self.said.insert(account.to_owned(), membership);
            }
        }
    }

    fn mark(&mut self, account: &str, day: i32) {
        match self.active.get_mut(account) {
            Some(known) => *known = day.max(*known),
            None => {
                self.active.insert(account.to_owned(), day);
            }
        }
    }

    fn bound(&mut self, ended: bool, most: usize) {
        let of_kind = |said: &BTreeMap<String, Membership>| said.values().filter(|of| of.ended == ended).count();
        while of_kind(&self.said) > most {
            let all = self.said.iter().filter(|(_, of)| of.ended == ended);
            let first = all.min_by_key(|(account, of)| (of.at, *account)).map(|(account, _)| account.clone());
            let Some(account) = first else { return };
            self.said.remove(&account);
        }
    }

    /// Adds all of `other`. The bounds are those of one identity.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (account, membership) in &other.said {
            self.say(account, *membership);
        }
        for (account, day) in &other.active {
            self.mark(account, *day);
        }
        self.unnamed = self.unnamed.max(other.unnamed);
        self.left_primary.extend(&other.left_primary);
    }
}
