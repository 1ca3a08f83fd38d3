//! A subscription as it is stored: its moments as distances from its newest report, which take 1 to 4 bytes instead of 6.

use super::subscription::{self, Dated};
use crate::span::Span;
use perennial_domain::Currency;
use perennial_domain::billing::{Interval, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A distance in time: twice the whole seconds, or one more than twice the microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// From the first report to the trial's first, and from there to its last: both are usually zero.
    trial: Option<(Distance, Distance)>,
    began: Option<Distance>,
    ended: Option<Distance>,
    paying: Vec<Distance>,
    account: Option<(Distance, String)>,
    details: Option<Details>,
}

/// Fields that calls without a billing system rarely have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Details {
    status: Option<(Distance, u8, Status)>,
    invoiced: Option<(Distance, Distance)>,
    plan: Option<(Distance, String)>,
    price: Option<(Distance, (i64, Currency))>,
    quantity: Option<(Distance, u32)>,
    interval: Option<(Distance, Interval)>,
    period_end: Option<(Distance, Distance)>,
    trial_end: Option<(Distance, Distance)>,
    cancels: Option<(Distance, bool)>,
}

impl From<subscription::Subscription> for Subscription {
    fn from(full: subscription::Subscription) -> Self {
        let last = full.last;
        let before = |at: i64| Distance::of(last - at);
        let moment = |dated: Dated<i64>| (before(dated.at), before(dated.value));
        let details = Details {
            status: full.status.map(|(at, rank, status)| (before(at), rank, status)),
            invoiced: full.invoiced.map(|span| (before(span.first), before(span.last))),
            plan: full.plan.map(|dated| (before(dated.at), dated.value)),
            price: full.price.map(|dated| (before(dated.at), dated.value)),
            quantity: full.quantity.map(|dated| (before(dated.at), dated.value)),
            interval: full.interval.map(|dated| (before(dated.at), dated.value)),
            period_end: full.period_end.map(moment),
            trial_end: full.trial_end.map(moment),
            cancels: full.cancels.map(|dated| (before(dated.at), dated.value)),
        };
        Self {
            named: full.named,
            last,
            first: before(full.first),
            trial: full.trial.map(|span| (Distance::of(span.first - full.first), Distance::of(span.last - span.first))),
            began: full.began.map(before),
            ended: full.ended.map(before),
            paying: full.paying.into_iter().map(before).collect(),
            account: full.account.map(|dated| (before(dated.at), dated.value)),
            details: (details != Details::default()).then_some(details),
        }
    }
}

impl From<Subscription> for subscription::Subscription {
    fn from(stored: Subscription) -> Self {
        let last = stored.last;
        let at = |distance: Distance| last.saturating_sub(distance.micros());
        let moment = |(reported, value): (Distance, Distance)| Dated { at: at(reported), value: at(value) };
        let first = at(stored.first);
        let trial = |(since, length): (Distance, Distance)| {
            let since = first.saturating_add(since.micros());
            Span { first: since, last: since.saturating_add(length.micros()) }
        };
        let invoiced = |(first, last): (Distance, Distance)| Span { first: at(first), last: at(last) };
        let details = stored.details.unwrap_or_default();
        Self {
            named: stored.named,
            last,
            first,
            status: details.status.map(|(reported, rank, status)| (at(reported), rank, status)),
            trial: stored.trial.map(trial),
            began: stored.began.map(at),
            ended: stored.ended.map(at),
            invoiced: details.invoiced.map(invoiced),
            paying: stored.paying.into_iter().map(at).collect::<BTreeSet<_>>(),
            plan: details.plan.map(|(reported, value)| Dated { at: at(reported), value }),
            price: details.price.map(|(reported, value)| Dated { at: at(reported), value }),
            quantity: details.quantity.map(|(reported, value)| Dated { at: at(reported), value }),
            interval: details.interval.map(|(reported, value)| Dated { at: at(reported), value }),
            period_end: details.period_end.map(moment),
            trial_end: details.trial_end.map(moment),
            cancels: details.cancels.map(|(reported, value)| Dated { at: at(reported), value }),
            account: stored.account.map(|(reported, value)| Dated { at: at(reported), value }),
        }
    }
}

/// Maps by hashes, which are written as eight bytes: a variable-length integer would take ten.
pub(super) mod hashed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(in super::super) fn serialize<S: Serializer, V: Serialize>(
        map: &BTreeMap<u64, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().map(|(hash, value)| (hash.to_be_bytes(), value)))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u64, V>, D::Error> {
        let all = Vec::<([u8; 8], V)>::deserialize(deserializer)?;
        Ok(all.into_iter().map(|(hash, value)| (u64::from_be_bytes(hash), value)).collect())
    }
}
