//! Monthly against yearly subscriptions.

use super::ledger::Ledger;
use crate::report::{Cell, Table, Unit};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Currency;
use perennial_domain::billing::Interval;
use perennial_engine::billing::{Phase, phase};
use std::collections::BTreeMap;

/// Subscriptions of one interval.
#[derive(Debug, Clone, Default)]
struct Plan {
    /// Those that were ever paid for.
    ever: u64,
    paid: u64,
    ended: u64,
    mrr: BTreeMap<Currency, i64>,
}

impl Ledger {
    /// Returns a row for each interval and currency: subscriptions ever paid for, paid for now, and ended.
    pub(crate) fn plans(&self, config: &Config, now: Timestamp) -> Table {
        let (trial_days, at) = (config.billing.trial_days, now.as_microsecond());
        let mut plans: BTreeMap<&str, Plan> = BTreeMap::new();
        for known in self.known(now) {
            let Some(subscription) = known.subscription.as_ref().filter(|known| known.was_paid()) else { continue };
            let plan = plans.entry(called(subscription.interval.as_ref().map(|of| of.value))).or_default();
            plan.ever += 1;
            match phase(subscription, trial_days, at) {
                Phase::Paid { .. } => plan.paid += 1,
                Phase::Ended { .. } => plan.ended += 1,
                _ => {}
            }
            if let Some(money) = known.mrr(trial_days, at) {
                let sum = plan.mrr.entry(money.currency).or_default();
                *sum = sum.saturating_add(money.minor);
            }
        }
        let columns = [
            ("interval", Unit::Text),
            ("ever paid", Unit::Count),
            ("paid now", Unit::Count),
            ("ended", Unit::Share),
            ("currency", Unit::Text),
            ("mrr", Unit::Money),
        ];
        let mut table = Table::new("intervals", &columns);
        for (name, plan) in plans {
            let first =
                [Cell::text(name), Cell::Count(plan.ever), Cell::Count(plan.paid), Cell::share(plan.ended, plan.ever)];
            if plan.mrr.is_empty() {
                table.row(first.clone());
            }
            for (currency, minor) in plan.mrr {
                let money = [Cell::text(currency.as_str()), Cell::Money { minor, currency }];
                table.row(first.iter().cloned().chain(money));
            }
        }
        table
    }
}

/// Returns the name of an interval by how often it is paid: a hundred units each time make 1200 in a year of months.
fn called(interval: Option<Interval>) -> &'static str {
    match interval.and_then(|interval| interval.in_a_year(100)) {
        Some(1200) => "monthly",
        Some(100) => "yearly",
        Some(_) => "other",
        None => "not stated",
    }
}
