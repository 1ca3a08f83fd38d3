//! A subscription as it is stored: its moments as distances from its newest report, which take 1 to 4 bytes instead of 6.

use super::subscription::{self, Dated};
use crate::state::Span;
use perennial_domain::Currency;
use perennial_domain::billing::{Interval, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A distance in time: twice the whole seconds, or one more than twice the microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Distance(i64);

const SECOND: i64 = 1_000_000;

impl Distance {
    fn of(micros: i64) -> Self {
        if micros % SECOND == 0 { Self(micros / SECOND * 2) } else { Self(micros.saturating_mul(2).saturating_add(1)) }
    }

    fn micros(self) -> i64 {
        if self.0 % 2 == 0 { (self.0 / 2).saturating_mul(SECOND) } else { (self.0 - 1) / 2 }
    }
}

/// See [`subscription::Subscription`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Subscription {
    named: bool,
    #[serde(with = "crate::instant")]
    last: i64,
    first: Distance,
    status: Option<(Distance, u8, Status)>,
    trial: Option<(Distance, Distance)>,
    began: Option<Distance>,
    ended: Option<Distance>,
    invoiced: Option<(Distance, Distance)>,
    paying: Vec<Distance>,
    plan: Option<(Distance, String)>,
    price: Option<(Distance, (i64, Currency))>,
    quantity: Option<(Distance, u32)>,
    interval: Option<(Distance, Interval)>,
    period_end: Option<(Distance, Distance)>,
    trial_end: Option<(Distance, Distance)>,
    cancels: Option<(Distance, bool)>,
    account: Option<(Distance, String)>,
}

impl From<subscription::Subscription> for Subscription {
    fn from(full: subscription::Subscription) -> Self {
        let last = full.last;
        let before = |at: i64| Distance::of(last - at);
        let span = |span: Span| (before(span.first), before(span.last));
        let moment = |dated: Dated<i64>| (before(dated.at), before(dated.value));
        Self {
            named: full.named,
            last,
            first: before(full.first),
            status: full.status.map(|(at, rank, status)| (before(at), rank, status)),
            trial: full.trial.map(span),
            began: full.began.map(before),
            ended: full.ended.map(before),
            invoiced: full.invoiced.map(span),
            paying: full.paying.into_iter().map(before).collect(),
            plan: full.plan.map(|dated| (before(dated.at), dated.value)),
            price: full.price.map(|dated| (before(dated.at), dated.value)),
            quantity: full.quantity.map(|dated| (before(dated.at), dated.value)),
            interval: full.interval.map(|dated| (before(dated.at), dated.value)),
            period_end: full.period_end.map(moment),
            trial_end: full.trial_end.map(moment),
            cancels: full.cancels.map(|dated| (before(dated.at), dated.value)),
            account: full.account.map(|dated| (before(dated.at), dated.value)),
        }
    }
}

impl From<Subscription> for subscription::Subscription {
    fn from(stored: Subscription) -> Self {
        let last = stored.last;
        let at = |distance: Distance| last.saturating_sub(distance.micros());
        let span = |(first, end): (Distance, Distance)| Span { first: at(first), last: at(end) };
        let moment = |(reported, value): (Distance, Distance)| Dated { at: at(reported), value: at(value) };
        Self {
            named: stored.named,
            last,
            first: at(stored.first),
            status: stored.status.map(|(reported, rank, status)| (at(reported), rank, status)),
            trial: stored.trial.map(span),
            began: stored.began.map(at),
            ended: stored.ended.map(at),
            invoiced: stored.invoiced.map(span),
            paying: stored.paying.into_iter().map(at).collect::<BTreeSet<_>>(),
            plan: stored.plan.map(|(reported, value)| Dated { at: at(reported), value }),
            price: stored.price.map(|(reported, value)| Dated { at: at(reported), value }),
            quantity: stored.quantity.map(|(reported, value)| Dated { at: at(reported), value }),
            interval: stored.interval.map(|(reported, value)| Dated { at: at(reported), value }),
            period_end: stored.period_end.map(moment),
            trial_end: stored.trial_end.map(moment),
            cancels: stored.cancels.map(|(reported, value)| Dated { at: at(reported), value }),
            account: stored.account.map(|(reported, value)| Dated { at: at(reported), value }),
        }
    }
}
