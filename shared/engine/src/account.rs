//! An account: its calls, the aggregate of its people, and the resulting actions. Pure, like all of the engine: calls
//! and people in any order, any number of times, produce the same account.

pub mod course;
mod due;
mod fit;
pub mod follow_up;
mod once;
pub mod renewal;
pub mod silence;
pub mod standing;
pub mod tally;

use crate::billing::{Billing, Subscription};
use crate::bounds::{ACCOUNT_TRAIT_BYTES, MAX_CLAIMS, SHARED_CLAIMS, account_trait_bytes};
use crate::membership::domains_of;
use crate::state::Span;
use crate::traits::MAX_DROPPED;
use jiff::Timestamp;
use perennial_config::accounts::Domains;
use perennial_config::lifecycle::Milestone;
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use perennial_domain::traits::pop_last_placed;
use perennial_domain::{AccountId, AccountSummary, MessageId, PersonId, Properties, Score};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use course::Course;
pub use due::next_due;
pub use follow_up::{AccountAction, Told, Written, decide};
pub use once::Once;
pub use standing::{facts, member};
pub use tally::Tally;

/// The most company domains of one account: the first in time.
pub const MAX_DOMAINS: usize = 20;
/// Weeks of score and health that are kept for the trend.
pub const TREND_WEEKS: usize = 12;

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// The latest traits of `group` calls, by name: the first [`MAX_TRAITS`] by their
    /// [`place`](perennial_domain::traits::place), and of these as many as fit into [`ACCOUNT_TRAIT_BYTES`].
    pub traits: BTreeMap<String, AccountTrait>,
    /// When a value of a trait was last dropped for its size: the first [`MAX_DROPPED`] names in alphabetical order.
    pub dropped: BTreeMap<String, Timestamp>,
    /// First and last time of each fact about the whole account.
    pub milestones: BTreeMap<Milestone, Span>,
    /// Its subscriptions.
    pub billing: Billing,
    /// The renewals by events without a subscription, as hashes of the events' ids: at most [`renewal::MAX_RENEWALS`].
    pub renewals: BTreeSet<u64>,
    /// The renewals of its subscriptions by the hashes of their ids: at most [`renewal::MAX_RENEWALS`], the newest.
    pub cycles: BTreeMap<u64, renewal::Cycle>,
    /// Every company domain that its traits ever contained, and when first.
    pub named: BTreeMap<String, Timestamp>,
    /// The domains at whose own accounts its claim is registered.
    pub registered: BTreeSet<String>,
    /// For the account of a company domain: the accounts that claim that domain, and since when.
    pub claims: BTreeMap<AccountId, Timestamp>,
    /// The aggregate of its people; `None` until the first rollup, and if another account owns its people.
    pub summary: Option<AccountSummary>,
    /// The buyer with the most weight when it became ready to buy; `None` if it is not.
    pub leading_buyer: Option<PersonId>,
    /// Score and health at the end of the weeks in which they changed, the newest last.
    pub trend: Vec<TrendPoint>,
    /// The last CRM update; `None` if there was none.
    pub written: Option<Written>,
    /// The state that its people were last notified of; `None` if they were not.
    pub told: Option<Told>,
    /// The actions to execute after the write that stores this.
    pub outbox: Vec<AccountAction>,
    /// How score and health change while its people are inactive; `None` if it was last computed by an older version.
    pub course: Option<Course>,
    /// The time in the due index.
    pub due_at: Option<Timestamp>,
}

/// A trait, and its call: the latest wins, and at the same time the one with the greater message id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTrait {
    /// The value; `null` where the trait was removed.
    pub value: serde_json::Value,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id.
    pub message_id: MessageId,
}

/// Score and health at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// When they were computed.
    pub at: Timestamp,
    /// Readiness to buy.
    pub score: Score,
    /// Health as a customer; `None` if nobody paid.
    pub health: Option<Score>,
}

impl Account {
    /// Returns an account without data.
    pub fn new(id: AccountId) -> Self {
        Self {
            id,
            traits: BTreeMap::new(),
            dropped: BTreeMap::new(),
            milestones: BTreeMap::new(),
            billing: Billing::default(),
            renewals: BTreeSet::new(),
            cycles: BTreeMap::new(),
            named: BTreeMap::new(),
            registered: BTreeSet::new(),
            claims: BTreeMap::new(),
            summary: None,
            leading_buyer: None,
            trend: Vec::new(),
            written: None,
            told: None,
            outbox: Vec::new(),
            course: None,
            due_at: None,
        }
    }

    /// Merges one `group` call. Idempotent, in any order.
    pub fn merge(&mut self, domains: &Domains, traits: &Properties, at: Timestamp, message_id: &MessageId) {
        for (name, value) in traits {
            if domains.traits.contains(name) {
                self.name_domains(domains_of(domains, value), at);
            }
            if name.len() > MAX_TRAIT_NAME_BYTES || value.to_string().len() > MAX_TRAIT_BYTES {
                self.note_dropped(name, at);
                continue;
            }
            let new = AccountTrait { value: value.clone(), at, message_id: message_id.clone() };
            match self.traits.get_mut(name) {
                Some(current) if (current.at, &current.message_id) >= (new.at, &new.message_id) => {}
                Some(current) => *current = new,
                None => {
                    self.traits.insert(name.clone(), new);
                }
            }
        }
        let mut bytes: usize = self.traits.keys().map(|name| account_trait_bytes(name)).sum();
        while self.traits.len() > MAX_TRAITS || bytes > ACCOUNT_TRAIT_BYTES {
            let Some((name, held)) = pop_last_placed(&mut self.traits) else { return };
            bytes -= account_trait_bytes(&name);
            self.note_dropped(&name, held.at);
        }
    }

    /// Records that `claimant` claims this domain since then, or with `None` no longer does; returns whether that
    /// changes the claims. Of more than [`MAX_CLAIMS`] the first in time count.
    pub fn claim(&mut self, claimant: &AccountId, since: Option<Timestamp>) -> bool {
        let before = self.claims.get(claimant).copied();
        match since {
            Some(since) => self.claims.insert(claimant.clone(), since),
            None => self.claims.remove(claimant),
        };
        while self.claims.len() > MAX_CLAIMS {
            let last = self.claims.iter().max_by_key(|(id, at)| (**at, *id)).map(|(id, _)| id.clone());
            last.and_then(|id| self.claims.remove(&id));
        }
        self.claims.get(claimant).copied() != before
    }

    fn note_dropped(&mut self, name: &str, at: Timestamp) {
        let shown = name[..name.floor_char_boundary(MAX_TRAIT_NAME_BYTES)].to_owned();
        self.dropped.entry(shown).and_modify(|last| *last = at.max(*last)).or_insert(at);
        while self.dropped.len() > MAX_DROPPED {
            self.dropped.pop_last();
        }
    }

    /// The traits that it has, with their values.
    pub fn present_traits(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        let all = self.traits.iter().map(|(name, held)| (name.as_str(), &held.value));
        all.filter(|(_, value)| !value.is_null())
    }

    /// Returns the names of traits of which a value was dropped for its size since they were last written, as far as
    /// they are recorded.
    pub fn dropped_traits(&self) -> impl Iterator<Item = &str> {
        let is_newest = |(name, at): &(&String, &Timestamp)| self.traits.get(*name).is_none_or(|held| held.at < **at);
        self.dropped.iter().filter(is_newest).map(|(name, _)| name.as_str())
    }

    fn name_domains(&mut self, domains: impl IntoIterator<Item = String>, at: Timestamp) {
        for domain in domains {
            self.named.entry(domain).and_modify(|first| *first = at.min(*first)).or_insert(at);
        }
        while self.named.len() > MAX_DOMAINS {
            let last = self.named.iter().max_by_key(|(domain, at)| (**at, *domain)).map(|(domain, _)| domain.clone());
            last.and_then(|domain| self.named.remove(&domain));
        }
    }

    /// Records a fact about the whole account. The order does not matter.
    pub fn mark_milestone(&mut self, milestone: Milestone, at: Timestamp) {
        let span = Span::at(at.as_microsecond());
        self.milestones.entry(milestone).and_modify(|known| known.merge(span)).or_insert(span);
    }

    /// Returns the domains in its traits, and since when each has been: what it may claim. Its own id is not among
    /// them, as people of that domain belong to it anyway.
    pub fn domains(&self, domains: &Domains) -> BTreeMap<String, Timestamp> {
        let values = domains.traits.iter().filter_map(|name| self.traits.get(name));
        let live: BTreeSet<String> = values.flat_map(|held| domains_of(domains, &held.value)).collect();
        let since = |domain: String| self.named.get(&domain).copied().map(|at| (domain, at));
        live.into_iter().filter(|domain| domain != self.id.as_str()).filter_map(since).collect()
    }

    /// Returns whether there is data about this very account, so that it is more than a company domain's.
    pub fn is_own(&self) -> bool {
        !self.traits.is_empty() || !self.milestones.is_empty() || !self.renewals.is_empty() || !self.billing.is_empty()
    }

    /// Returns the account that owns this one's people, for the account of a domain that another claims: the first in
    /// time, and at the same time the one with the smaller id. `None` if more than [`SHARED_CLAIMS`] claim it: such a
    /// domain identifies nobody.
    pub fn holder(&self) -> Option<&AccountId> {
        self.first_claimant(None).filter(|_| !self.is_own())
    }

    /// Returns the same without the claim of `claimant`.
    pub fn holder_without(&self, claimant: &AccountId) -> Option<&AccountId> {
        self.first_claimant(Some(claimant)).filter(|_| !self.is_own())
    }

    /// Returns the account that has this domain's people unless there is data about the domain's account itself;
    /// `without` ignores one of the claims.
    pub fn first_claimant(&self, without: Option<&AccountId>) -> Option<&AccountId> {
        let claims = || self.claims.iter().filter(move |(id, _)| Some(*id) != without);
        let first = claims().min_by_key(|(id, at)| (**at, *id)).map(|(id, _)| id);
        first.filter(|_| claims().count() <= SHARED_CLAIMS)
    }

    /// Its subscriptions by their keys, without those that have since been reported as another account's.
    pub fn subscriptions(&self) -> impl Iterator<Item = (u64, &Subscription)> {
        let all = self.billing.subscriptions.iter().map(|(key, each)| (*key, each));
        all.filter(|(_, each)| each.account.as_ref().is_none_or(|account| account.value == self.id.as_str()))
    }

    /// Returns the readiness to buy at `now`, with its people as they are then if they have been inactive since the
    /// last rollup.
    pub fn score_at(&self, now: Timestamp) -> Score {
        let summed = || self.summary.as_ref().map(|summary| summary.score).unwrap_or_default();
        self.summary.as_ref().and(self.course.as_ref()).map_or_else(summed, |course| course.score(now))
    }

    /// Returns the health at `now`, in the same way; `None` if nobody pays.
    pub fn health_at(&self, now: Timestamp) -> Option<Score> {
        let summary = self.summary.as_ref()?;
        self.course.as_ref().map_or(summary.health, |course| course.health(now))
    }

    /// Returns whether it has no data, so that it need not be stored.
    pub fn is_nothing(&self) -> bool {
        let people = self.summary.as_ref().map_or(0, |summary| summary.people);
        let unnamed = self.named.is_empty() && self.registered.is_empty() && self.claims.is_empty();
        people == 0 && !self.is_own() && unnamed && self.written.is_none()
    }

    /// Records the buyer with the most weight when its score has reached `ready`, and removes them once it has fallen
    /// below half of that: a score that varies around the threshold does not change the buyer.
    pub fn note_leading_buyer(&mut self, ready: Option<u8>) {
        let Some(summary) = &self.summary else { return };
        let score = summary.score.get();
        match ready {
            Some(ready) if score >= ready => {
                let first = || summary.reasons.iter().find_map(|reason| reason.person);
                self.leading_buyer = self.leading_buyer.or_else(first);
            }
            Some(ready) if score >= ready.div_ceil(2) => {}
            _ => self.leading_buyer = None,
        }
    }

    /// Records score and health for the trend if they changed: one point a week, the last of it.
    pub fn note_trend(&mut self, now: Timestamp) {
        const WEEK: i64 = 7 * perennial_domain::time::DAY_SECONDS;
        let Some(summary) = &self.summary else { return };
        let point = TrendPoint { at: now, score: summary.score, health: summary.health };
        match self.trend.last_mut() {
            Some(last) if (last.score, last.health) == (point.score, point.health) => return,
            Some(last) if last.at.as_second().div_euclid(WEEK) == now.as_second().div_euclid(WEEK) => *last = point,
            _ => self.trend.push(point),
        }
        let over = self.trend.len().saturating_sub(TREND_WEEKS);
        self.trend.drain(..over);
    }
}
