//! An account: its calls, the aggregate of its people, and the resulting actions. Pure, like all of the engine: calls
//! and people in any order, any number of times, produce the same account.

pub mod course;
mod due;
mod fit;
pub mod follow_up;
pub mod listing;
mod once;
pub mod renewal;
pub mod silence;
pub mod standing;
pub mod tally;
pub(crate) mod value;

use crate::billing::{Billing, Subscription};
use crate::bounds::{ACCOUNT_TRAIT_BYTES, MAX_DROPPED, SHARED_CLAIMS, account_trait_bytes};
use crate::domains::domains_of;
use crate::listing::entry::ListEntry;
use crate::span::Span;
use crate::written::Written;
use jiff::Timestamp;
use perennial_config::accounts::Domains;
use perennial_config::lifecycle::Milestone;
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use perennial_domain::traits::{place, pop_last_placed};
use perennial_domain::{AccountId, AccountSummary, MessageId, PersonId, Properties, Score, Touch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use course::Course;
pub use due::next_due;
pub use follow_up::{AccountAction, Told, decide, fingerprint};
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
    /// The domains that it claims, and since when by the claim that is stored at the domain. `None` if that claim is from a version that stored it elsewhere.
    pub registered: BTreeMap<String, Option<Timestamp>>,
    /// The domains whose claims it changed, and whose own accounts have not been brought up to date since.
    pub unsettled: BTreeSet<String>,
    /// For the account of a company domain: the account that claims the domain first; see [`first_claimant`].
    pub claimant: Option<AccountId>,
    /// For the account of a company domain: claims that an earlier version stored here, until they are stored one by one.
    pub old_claims: BTreeMap<AccountId, Timestamp>,
    /// The summary of its people; `None` until its first rollup, and while another account has its people.
    pub summary: Option<AccountSummary>,
    /// The buyer with the most weight when it became ready to buy; `None` if it is not.
    pub leading_buyer: Option<PersonId>,
    /// Score and health at the end of the weeks in which they changed, the newest last.
    pub trend: Vec<TrendPoint>,
    /// The touch model that it had as a customer when it was last computed; `None` if it did not pay, or was last computed by an
    /// older version.
    pub touch: Option<Touch>,
    /// The last CRM update; `None` if there was none.
    pub written: Option<Written>,
    /// The state that its people were last notified of; `None` if they were not.
    pub told: Option<Told>,
    /// The actions to execute after the write that stores this.
    pub outbox: Vec<AccountAction>,
    /// Its entries in the lists.
    pub listed: BTreeSet<ListEntry>,
    /// How score and health change while its people are inactive; `None` if it was last computed by an older version.
    pub course: Option<Course>,
    /// The time in the due index.
    pub due_at: Option<Timestamp>,
}

/// One trait, and which call it is of: of several the latest of a trusted source stays, and of the same time that of the greater message id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTrait {
    /// The value; `null` where the trait was removed.
    pub value: serde_json::Value,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id.
    pub message_id: MessageId,
    /// `true` if only a user's own token vouches for it: any value of a trusted source replaces it, and it replaces
    /// none of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed: bool,
}

impl AccountTrait {
    /// Returns the rank that decides between two values of a trait.
    fn rank(&self) -> (bool, Timestamp, &MessageId) {
        (!self.signed, self.at, &self.message_id)
    }
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
            registered: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            claimant: None,
            old_claims: BTreeMap::new(),
            summary: None,
            leading_buyer: None,
            trend: Vec::new(),
            touch: None,
            written: None,
            told: None,
            outbox: Vec::new(),
            listed: BTreeSet::new(),
            course: None,
            due_at: None,
        }
    }

    /// Merges a `group` call of a trusted source. Commutative and idempotent.
    pub fn merge(&mut self, domains: &Domains, traits: &Properties, at: Timestamp, message_id: &MessageId) {
        self.merge_as(domains, traits, (at, message_id), false);
    }

    /// The same of a call for which a user's own token vouches. It sets traits that no trusted source ever set, and never company domains: people of a
    /// domain would become people of the user's account.
    pub fn merge_signed(&mut self, domains: &Domains, traits: &Properties, at: Timestamp, message_id: &MessageId) {
        self.merge_as(domains, traits, (at, message_id), true);
    }

    fn merge_as(
        &mut self,
        domains: &Domains,
        traits: &Properties,
        (at, message_id): (Timestamp, &MessageId),
        signed: bool,
    ) {
        for (name, value) in traits {
            if domains.traits.contains(name) {
                if signed {
                    continue;
                }
                self.name_domains(domains_of(domains, value), at);
            }
            if name.len() > MAX_TRAIT_NAME_BYTES || value.to_string().len() > MAX_TRAIT_BYTES {
                self.note_dropped(name, at);
                continue;
            }
            let new = AccountTrait { value: value.clone(), at, message_id: message_id.clone(), signed };
            match self.traits.get_mut(name) {
                Some(current) if current.rank() >= new.rank() => {}
                Some(current) => *current = new,
                None => {
                    self.traits.insert(name.clone(), new);
                }
            }
        }
        let mut bytes: usize = self.traits.keys().map(|name| account_trait_bytes(name)).sum();
        while self.traits.len() > MAX_TRAITS || bytes > ACCOUNT_TRAIT_BYTES {
            let Some((name, held)) = self.pop_trait() else { return };
            bytes -= account_trait_bytes(&name);
            self.note_dropped(&name, held.at);
        }
    }

    /// Takes out the trait with the last place: of those that only a token vouches for as long as there are any.
    fn pop_trait(&mut self) -> Option<(String, AccountTrait)> {
        let signed = self.traits.iter().filter(|(_, held)| held.signed).map(|(name, _)| name);
        match signed.max_by_key(|name| place(name)).cloned() {
            Some(name) => self.traits.remove_entry(&name),
            None => pop_last_placed(&mut self.traits),
        }
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
        let values = domains.traits.iter().filter_map(|name| self.traits.get(name)).filter(|held| !held.signed);
        let live: BTreeSet<String> = values.flat_map(|held| domains_of(domains, &held.value)).collect();
        let since = |domain: String| self.named.get(&domain).copied().map(|at| (domain, at));
        live.into_iter().filter(|domain| domain != self.id.as_str()).filter_map(since).collect()
    }

    /// Returns whether there is data about this very account, so that it is more than a company domain's.
    pub fn is_own(&self) -> bool {
        !self.traits.is_empty() || !self.milestones.is_empty() || !self.renewals.is_empty() || !self.billing.is_empty()
    }

    /// The account that has this one's people, for the account of a domain that another claims: unless something is said of the domain's account itself.
    pub fn holder(&self) -> Option<&AccountId> {
        self.claimant.as_ref().filter(|_| !self.is_own())
    }

    /// Sets the first claimant of this domain. Returns the accounts that gain or lose the domain's people; empty if
    /// none does.
    pub fn set_claimant(&mut self, claimant: Option<AccountId>) -> BTreeSet<AccountId> {
        let before = self.holder().cloned();
        self.claimant = claimant;
        let after = self.holder().cloned();
        if before == after {
            return BTreeSet::new();
        }
        if after.is_some() {
            self.summary = None;
        }
        before.into_iter().chain(after).collect()
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
        let unnamed = self.named.is_empty() && self.registered.is_empty() && self.unsettled.is_empty();
        let unclaimed = self.claimant.is_none() && self.old_claims.is_empty();
        people == 0 && !self.is_own() && unnamed && unclaimed && self.written.is_none()
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

/// Returns the account that claims a domain first in time, and of the same time that of the smaller id: it has the domain's people. `None` if there are
/// more than [`SHARED_CLAIMS`], which the caller may cut to one more than that: such a domain identifies nobody.
pub fn first_claimant(claims: &BTreeMap<AccountId, Timestamp>) -> Option<&AccountId> {
    let first = claims.iter().min_by_key(|(id, at)| (**at, *id)).map(|(id, _)| id);
    first.filter(|_| claims.len() <= SHARED_CLAIMS)
}
