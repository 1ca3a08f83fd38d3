//! The stage by subscriptions and purchases.

use super::subscription::Subscription;
use super::{keys, unverified};
use crate::moment::Moment;
use crate::span::Span;
use crate::state::State;
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::Status;
use std::borrow::Cow;

const DAY: i64 = 86_400_000_000;
/// How long after the end of a trial, or of a last period, nothing is concluded from a missing report, in microseconds: billing
/// systems report the result hours later.
pub const GRACE: i64 = DAY;
/// Pauses between two subscriptions that do not count as a pause: a plan that is changed by cancelling and subscribing again.
pub(crate) const CHANGEOVER: i64 = DAY;
/// The largest time between the first reports of a subscription with an id and one without, if both are the same one,
/// reported twice.
const SAME: i64 = 2 * DAY;

/// The phase of a subscription at a moment. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has not begun, and may never.
    Nothing,
    /// In its trial.
    Trial {
        /// Since when.
        since: i64,
        /// When it ends, if nothing is reported until then.
        until: i64,
    },
    /// A free plan.
    Free {
        /// Since when.
        since: i64,
    },
    /// Paid for.
    Paid {
        /// Since when, without a break.
        since: i64,
        /// When it ends, if nothing is reported until then.
        until: Option<i64>,
    },
    /// Over.
    Ended {
        /// When.
        at: i64,
        /// `true` if it was paid before, or may have been: without data about a trial.
        paid: bool,
    },
}

/// Returns the phase of `subscription` at `now`, in microseconds since 1970; `trial_days` is the length of trials
/// without a known end.
pub fn phase(subscription: &Subscription, trial_days: u16, now: i64) -> Phase {
    let ended = |at: i64| Phase::Ended { at, paid: subscription.was_paid() || subscription.trial.is_none() };
    let last_paying = subscription.paying.last().copied();
    let status = match (subscription.named, subscription.status) {
        // Billing systems report the payment by itself, before the status or without it.
        (true, Some((at, _, Status::Incomplete))) if last_paying.is_some_and(|paying| paying >= at) => Status::Active,
        (true, Some((_, _, status))) => status,
        (true, None) if last_paying.is_some() => Status::Active,
        (true, None) => return Phase::Nothing,
        // For subscriptions without an id: a trial beside a paid one ends nothing; only an end does.
        (false, _) => match (last_paying, subscription.ended, subscription.trial) {
            (Some(paying), end, _) if end.is_none_or(|end| end < paying) => Status::Active,
            (_, end, Some(trial)) if end.is_none_or(|end| end < trial.last) => Status::Trialing,
            (_, Some(_), _) => Status::Canceled,
            _ => return Phase::Nothing,
        },
    };
    match status {
        Status::Incomplete => Phase::Nothing,
        Status::IncompleteExpired => {
            Phase::Ended { at: subscription.ended.unwrap_or(subscription.last), paid: subscription.was_paid() }
        }
        Status::Trialing => {
            let Some(trial) = subscription.trial else { return Phase::Nothing };
            let said = subscription.trial_end.as_ref().or(subscription.period_end.as_ref()).map(|end| end.value);
            let by_rule = trial.last.saturating_add(i64::from(trial_days) * DAY);
            let end = said.filter(|end| *end >= trial.first).unwrap_or(by_rule);
            let until = end.saturating_add(GRACE);
            if now < until { Phase::Trial { since: trial.first, until } } else { ended(end) }
        }
        Status::Active | Status::PastDue => {
            let since = paid_since(subscription);
            if subscription.is_free() {
                return Phase::Free { since };
            }
            let cancels = subscription.cancels.as_ref().is_some_and(|cancels| cancels.value);
            let end = subscription.period_end.as_ref().map(|end| end.value).filter(|_| cancels);
            let end = end.filter(|end| last_paying.is_none_or(|paying| paying <= *end));
            match end {
                Some(end) if now >= end.saturating_add(GRACE) => ended(end),
                _ => Phase::Paid { since, until: end.map(|end| end.saturating_add(GRACE)) },
            }
        }
        Status::Unpaid | Status::Paused | Status::Canceled => ended(subscription.ended.unwrap_or(subscription.last)),
    }
}

/// Since when a subscription that is paid for has been so without a break.
fn paid_since(subscription: &Subscription) -> i64 {
    let again = subscription.ended.and_then(|end| subscription.paying.iter().find(|paying| **paying > end));
    again.copied().unwrap_or_else(|| first_paid(subscription).unwrap_or(subscription.first))
}

fn first_paid(subscription: &Subscription) -> Option<i64> {
    let invoiced = subscription.invoiced.map(|span| span.first);
    [subscription.began, invoiced, subscription.paying.first().copied()].into_iter().flatten().min()
}

/// A person's status by subscriptions and purchases. Times are microseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when they have paid without a break; `None` if they pay for nothing.
    pub paying_since: Option<i64>,
    /// `true` if they had paid before that, and stopped.
    pub returned: bool,
    /// Since when they have been in a trial.
    pub trial_since: Option<i64>,
    /// Since when they have had a free plan.
    pub free_since: Option<i64>,
    /// When they last stopped paying.
    pub left: Option<i64>,
    /// When a trial, or the time for a first payment, last ended without a payment.
    pub lost: Option<i64>,
    /// When they paid first.
    pub first_paid: Option<i64>,
    /// The accounts of what they pay for; `None` for what belongs to none.
    pub payers: Vec<Option<String>>,
    /// The accounts of paid subscriptions that have ended; `None` for anything else that ended, such as a seat.
    pub ended_for: Vec<Option<String>>,
    /// When a subscription with an id last ended, including a trial: another one may replace it.
    pub ended: Option<i64>,
    /// `true` if a paid subscription ends with its period.
    pub cancels: bool,
    /// `true` if a payment for a paid subscription is overdue.
    pub past_due: bool,
    /// Moments at which silence alone changes any of this.
    pub turns: Vec<i64>,
}

/// Returns whether `state` contains trials, payments or cancellations from before subscriptions were distinguished.
/// They stay until a rescore.
pub fn has_old_milestones(config: &Config, state: &State) -> bool {
    let bought = || config.billing.one_time.iter().any(|name| state.counts.get(name) > 0);
    let told = |milestone| state.milestones.contains_key(&milestone);
    told(Milestone::Trial) || told(Milestone::Churned) || (told(Milestone::Customer) && !bought())
}

/// Returns the current phase of each subscription of `state`, without those that only public sources reported if these
/// do not count. The account knows the end of a subscription that any of its people reported: it has ended for the
/// others, too.
pub(crate) fn phases<'a>(
    moment: &Moment<'a>,
    state: &'a State,
) -> impl Iterator<Item = (Cow<'a, Subscription>, Phase)> + use<'a> {
    keyed_phases(moment, state).map(|(_, known, phase)| (known, phase))
}

/// The same, each after its key.
fn keyed_phases<'a>(
    moment: &Moment<'a>,
    state: &'a State,
) -> impl Iterator<Item = (u64, Cow<'a, Subscription>, Phase)> + use<'a> {
    let (days, now, account) = (moment.config.billing.trial_days, moment.now.as_microsecond(), moment.account);
    let stands = move |(key, each): (&u64, &'a Subscription)| {
        let ended = account.and_then(|account| account.ended.get(key)).filter(|_| each.named);
        let known = ended.map_or(Cow::Borrowed(each), |at| Cow::Owned(each.ended_at(*at)));
        let phase = unverified::free_plan(*key, &known).unwrap_or_else(|| phase(&known, days, now));
        (*key, known, phase)
    };
    let subscriptions = &state.billing.subscriptions;
    let vouched = move || subscriptions.iter().filter(|(key, _)| !keys::is_unverified(**key));
    let is_asked = subscriptions.keys().any(|key| keys::is_unverified(*key));
    let counts = !is_asked || !unverified::is_outranked(state, vouched().map(|each| stands(each).2));
    subscriptions.iter().filter(move |(key, _)| counts || !keys::is_unverified(**key)).map(stands)
}

/// A subscription that was reported for a person.
#[derive(Debug, Clone)]
pub struct Reported<'a> {
    /// Its key, as in [`super::Billing::subscriptions`].
    pub key: u64,
    /// Its reports, merged.
    pub subscription: Cow<'a, Subscription>,
    /// `true` if it is paid for at the moment.
    pub is_paid: bool,
}

/// Returns the subscriptions that trusted sources reported for the person of `state`, without paid ones that are the same as another
/// one, reported twice. Those without an id and an account of all identities of a merged profile are one.
pub fn reported_subscriptions<'a>(moment: &Moment<'a>, state: &'a State) -> Vec<Reported<'a>> {
    let is_own = |each: &Subscription| !each.named && each.account.is_none();
    let vouched = keyed_phases(moment, state).filter(|(key, ..)| !keys::is_unverified(*key));
    let (own, others): (Vec<_>, Vec<_>) = vouched.partition(|(_, each, _)| is_own(each));
    let own = own.into_iter().map(|(key, each, _)| (key, each.into_owned())).reduce(|(key, mut one), (_, other)| {
        one.merge(other);
        (key, one)
    });
    let (days, now) = (moment.config.billing.trial_days, moment.now.as_microsecond());
    let own = own.map(|(key, own)| {
        let phase = phase(&own, days, now);
        (key, Cow::Owned(own), phase)
    });
    let (keys, all): (Vec<u64>, Vec<(Cow<'_, Subscription>, Phase)>) =
        others.into_iter().chain(own).map(|(key, each, phase)| (key, (each, phase))).unzip();
    let told = keys.into_iter().zip(&all).map(|(key, (each, phase))| {
        let is_paid = matches!(phase, Phase::Paid { .. });
        let is_counted = !is_paid || !is_told_twice(each, *phase, &all);
        is_counted.then(|| Reported { key, subscription: each.clone(), is_paid })
    });
    told.flatten().collect()
}

impl Standing {
    /// Returns the status of the owner of `state` at the moment.
    pub fn of(moment: &Moment<'_>, state: &State) -> Self {
        if state.billing.subscriptions.is_empty() && !state.milestones.contains_key(&Milestone::Customer) {
            return Self::default();
        }
        let config = moment.config;
        let all: Vec<(Cow<'_, Subscription>, Phase)> = phases(moment, state).collect();
        let mut found = Self::default();
        // When each began to be paid for, and when that ended.
        let mut paid: Vec<(i64, Option<i64>)> = Vec::new();
        let of = |milestone| state.milestones.get(&milestone).copied();
        let bought = of(Milestone::Customer);
        for (subscription, phase) in all.iter().filter(|(each, phase)| !is_told_twice(each, *phase, &all)) {
            if let Phase::Ended { at, .. } = *phase
                && subscription.named
            {
                found.ended = found.ended.max(Some(at));
            }
            match *phase {
                Phase::Nothing => {}
                Phase::Trial { since, until } => {
                    found.trial_since = found.trial_since.max(Some(since));
                    found.turns.push(until);
                }
                Phase::Free { since } => found.free_since = found.free_since.max(Some(since)),
                Phase::Paid { since, until } => {
                    if let Some(end) = subscription.ended.filter(|end| *end < since) {
                        // Payments before that end: without one, a trial ended.
                        let before = first_paid(subscription).filter(|first| *first <= end);
                        paid.extend(before.map(|first| (first, Some(end))));
                    }
                    paid.push((since, None));
                    found.turns.extend(until);
                    found.cancels |= until.is_some();
                    found.past_due |= subscription.status() == Some(Status::PastDue);
                    found.payers.push(subscription.account.as_ref().map(|account| account.value.clone()));
                }
                Phase::Ended { at, paid: true } => {
                    paid.push((first_paid(subscription).unwrap_or(at), Some(at)));
                    let account = subscription.account.as_ref().filter(|_| subscription.named);
                    found.ended_for.push(account.map(|account| account.value.clone()));
                }
                // A cancellation without a subscription by a person who bought something cancels that.
                Phase::Ended { at, paid: false } if is_of_purchase(subscription, at, bought) => {
                    paid.push((at, Some(at)))
                }
                Phase::Ended { at, paid: false } => found.lost = found.lost.max(Some(at)),
            }
        }
        if let Some(bought) = bought {
            // A one-time purchase has no end of its own: it counts until something ends after it.
            let left = paid.iter().filter_map(|(_, end)| *end).max();
            let end = left.max(of(Milestone::Churned).map(|churned| churned.last)).filter(|end| *end >= bought.first);
            paid.push((bought.first, end));
            if end.is_none_or(|end| end < bought.last) {
                let is_again = |moved: &&(i64, Milestone)| Some(moved.0) > end && moved.1 == Milestone::Customer;
                let again = state.moves.iter().find(is_again).map_or(bought.last, |moved| moved.0);
                paid.extend(end.map(|_| (again, None)));
                found.payers.push(None);
            }
        }
        found.first_paid = paid.iter().map(|(start, _)| *start).min();
        found.left = paid.iter().filter_map(|(_, end)| *end).max();
        found.paying_since = paid.iter().filter(|(_, end)| end.is_none()).map(|(start, _)| *start).min();
        if let Some(since) = &mut found.paying_since {
            paid.sort_unstable();
            for (start, end) in paid.iter().rev() {
                if end.is_some_and(|end| end.saturating_add(CHANGEOVER) >= *since) {
                    *since = (*since).min(*start);
                }
            }
            let since = *since;
            found.returned = paid.iter().any(|(_, end)| end.is_some_and(|end| end.saturating_add(CHANGEOVER) < since));
            let lifecycle = &config.lifecycle;
            let grown = [lifecycle.onboarding_days, lifecycle.adopting_days];
            found.turns.extend(grown.map(|days| since.saturating_add(i64::from(days) * DAY)));
        }
        found
    }
}

/// Returns whether a cancellation at `at` without a subscription is that of an earlier purchase.
fn is_of_purchase(subscription: &Subscription, at: i64, bought: Option<Span>) -> bool {
    !subscription.named && subscription.ended == Some(at) && bought.is_some_and(|bought| bought.first < at)
}

/// Returns whether a subscription without an id is one that another system reports with its id, or a trial that led to
/// a paid one.
fn is_told_twice(subscription: &Subscription, phase: Phase, all: &[(Cow<'_, Subscription>, Phase)]) -> bool {
    if subscription.named {
        return false;
    }
    let (own, others) =
        (subscription.account.as_ref(), all.iter().filter(|(other, _)| !std::ptr::eq(&**other, subscription)));
    let mut others = others.filter(|(other, _)| match (own, &other.account) {
        (Some(own), Some(other)) => own.value == other.value,
        _ => true,
    });
    others.any(|(other, theirs)| match (phase, *theirs) {
        (Phase::Trial { since, .. }, Phase::Paid { since: paid, .. }) => paid >= since,
        (Phase::Trial { since, .. }, Phase::Ended { at, .. }) => {
            at >= since && other.first.saturating_add(SAME) >= since
        }
        (Phase::Trial { since, .. }, Phase::Trial { .. }) => other.named && (other.first - since).abs() <= SAME,
        (Phase::Ended { at, paid: false }, _) => other.was_paid() && other.last >= at.saturating_sub(SAME),
        (Phase::Paid { since, .. }, Phase::Paid { since: theirs, .. }) => {
            other.named && theirs <= since.saturating_add(SAME)
        }
        (Phase::Paid { since, .. }, Phase::Ended { at, paid: true }) => {
            let began = first_paid(other).unwrap_or(at);
            other.named && began <= since.saturating_add(SAME) && at >= since.saturating_sub(SAME)
        }
        _ => false,
    })
}
