//! One subscription: its reports, merged in any order.

use crate::span::Span;
use perennial_domain::billing::{Interval, Status, SubscriptionReport, Terms};
use perennial_domain::{AccountId, Currency, Identity, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Reports of payment that are kept by themselves: the newest. Where a subscription ended and began again, the first of them after the end is
/// when it did.
const MAX_PAYING: usize = 3;

/// A value and when it was reported. Of two the later stays; of the same time, the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dated<T> {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The value.
    pub value: T,
}

/// A subscription, as far as it was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "super::stored::Subscription", into = "super::stored::Subscription")]
pub struct Subscription {
    /// `true` if it has its own id; else it stands for all that an account or a user has without one.
    pub named: bool,
    /// The newest report of any kind, in microseconds since 1970.
    pub last: i64,
    /// The first report of any kind.
    pub first: i64,
    /// The status of one with an id, when it was reported, and what decides between reports of one time; of one without an id only
    /// [`Status::PastDue`].
    pub status: Option<(i64, u8, Status)>,
    /// When it was reported to be in its trial.
    pub trial: Option<Span>,
    /// The first report of a status that is paid for, renewals aside.
    pub began: Option<i64>,
    /// The last report of an end.
    pub ended: Option<i64>,
    /// When an invoice of it was paid.
    pub invoiced: Option<Span>,
    /// The newest reports that it is paid for, of status and of invoices.
    pub paying: BTreeSet<i64>,
    /// The plan's name.
    pub plan: Option<Dated<String>>,
    /// The price of one, each interval.
    pub price: Option<Dated<(i64, Currency)>>,
    /// The quantity.
    pub quantity: Option<Dated<u32>>,
    /// The billing interval.
    pub interval: Option<Dated<Interval>>,
    /// Until when it is paid.
    pub period_end: Option<Dated<i64>>,
    /// When its trial ends.
    pub trial_end: Option<Dated<i64>>,
    /// `true` if it ends with its period.
    pub cancels: Option<Dated<bool>>,
    /// The account that has it.
    pub account: Option<Dated<String>>,
}

/// Keeps the later of the two.
fn newer<T: Ord>(slot: &mut Option<Dated<T>>, other: Option<Dated<T>>) {
    let kept = slot.take();
    *slot = kept.max(other);
}

fn widen(slot: &mut Option<Span>, other: Option<Span>) {
    match (slot, other) {
        (Some(mine), Some(other)) => mine.merge(other),
        (slot, Some(other)) => *slot = Some(other),
        (_, None) => {}
    }
}

fn earlier(slot: &mut Option<i64>, other: Option<i64>) {
    *slot = [*slot, other].into_iter().flatten().min();
}

impl Subscription {
    /// A subscription of which this alone was reported.
    pub fn of(report: &SubscriptionReport) -> Self {
        let at = report.at;
        let dated = |value: Option<i64>| value.map(|value| Dated { at, value });
        let pays = report.status.is_some_and(Status::pays);
        let is_paying = pays || report.paid;
        Self {
            named: report.named,
            last: at,
            first: at,
            // For subscriptions without an id, the newest status is meaningless; an overdue payment stays until one is
            // made.
            status: report
                .status
                .filter(|status| report.named || *status == Status::PastDue)
                .map(|status| (at, report.rank, status)),
            trial: (report.status == Some(Status::Trialing)).then(|| Span::at(at)),
            began: (report.status == Some(Status::Active) && report.renewal.is_none()).then_some(at),
            ended: report.status.is_some_and(Status::has_ended).then_some(at),
            invoiced: (report.paid || (pays && report.renewal.is_some())).then(|| Span::at(at)),
            paying: is_paying.then_some(at).into_iter().collect(),
            plan: report.plan.clone().map(|value| Dated { at, value }),
            price: report.price.map(|Money { minor, currency }| Dated { at, value: (minor, currency) }),
            quantity: report.quantity.map(|value| Dated { at, value }),
            interval: report.interval.map(|value| Dated { at, value }),
            period_end: dated(report.period_end),
            trial_end: dated(report.trial_end),
            cancels: report.cancels.map(|value| Dated { at, value }),
            account: report.account.as_ref().map(|id| Dated { at, value: id.as_str().to_owned() }),
        }
    }

    /// A subscription without an id of which no more is known than that it was reported at `at`, in microseconds since 1970.
    pub(super) fn reported_at(at: i64) -> Self {
        Self {
            named: false,
            last: at,
            first: at,
            status: None,
            trial: None,
            began: None,
            ended: None,
            invoiced: None,
            paying: BTreeSet::new(),
            plan: None,
            price: None,
            quantity: None,
            interval: None,
            period_end: None,
            trial_end: None,
            cancels: None,
            account: None,
        }
    }

    /// Adds all that `other`, which is the same subscription, knows.
    pub fn merge(&mut self, other: Self) {
        self.named |= other.named;
        self.last = self.last.max(other.last);
        self.first = self.first.min(other.first);
        self.status = self.status.max(other.status);
        widen(&mut self.trial, other.trial);
        earlier(&mut self.began, other.began);
        self.ended = self.ended.max(other.ended);
        widen(&mut self.invoiced, other.invoiced);
        self.paying.extend(other.paying);
        while self.paying.len() > MAX_PAYING {
            self.paying.pop_first();
        }
        newer(&mut self.plan, other.plan);
        newer(&mut self.price, other.price);
        newer(&mut self.quantity, other.quantity);
        newer(&mut self.interval, other.interval);
        newer(&mut self.period_end, other.period_end);
        newer(&mut self.trial_end, other.trial_end);
        newer(&mut self.cancels, other.cancels);
        newer(&mut self.account, other.account);
    }

    /// The same, once it is known to have ended at `at`, in microseconds since 1970.
    #[must_use]
    pub(crate) fn ended_at(&self, at: i64) -> Self {
        let status = Some((at, Status::Canceled.rank(None), Status::Canceled));
        Self {
            status: self.status.max(status),
            ended: self.ended.max(Some(at)),
            last: self.last.max(at),
            ..self.clone()
        }
    }

    /// When it was last reported to have ended, in microseconds since 1970; `None` where it has not, or has no id.
    pub(crate) fn reported_end(&self) -> Option<i64> {
        let (at, _, status) = self.status.filter(|_| self.named)?;
        status.has_ended().then_some(at)
    }

    /// Returns the key that one without an id has if `identity` was the first to report it: it can be derived, and need
    /// not be stored.
    pub fn implied_key(&self, identity: &Identity) -> u64 {
        super::keys::implied_key(self.account.as_ref().map(|account| account.value.as_str()), identity)
    }

    /// The status that was last reported. Of one without an id it is known only as long as a payment is late.
    pub fn status(&self) -> Option<Status> {
        let (at, _, status) = self.status?;
        (self.named || self.paying.last().is_none_or(|paying| *paying <= at)).then_some(status)
    }

    /// Returns whether it was ever paid for.
    pub fn was_paid(&self) -> bool {
        self.began.is_some() || self.invoiced.is_some()
    }

    /// Returns whether its price is known to be zero: a free plan.
    pub fn is_free(&self) -> bool {
        self.price.as_ref().is_some_and(|price| price.value.0 == 0)
    }

    /// The account that has it.
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(&self.account.as_ref()?.value).ok()
    }

    /// Returns its annual price, in minor units; monthly if the interval is unknown.
    pub fn yearly(&self) -> Option<Money> {
        let price = self.price.as_ref().map(|price| Money { minor: price.value.0, currency: price.value.1 });
        let quantity = self.quantity.as_ref().map(|quantity| quantity.value);
        let interval = self.interval.as_ref().map(|interval| interval.value);
        Terms { price, quantity, interval }.yearly()
    }
}
