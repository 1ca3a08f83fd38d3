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
    mrr: i64,
}

impl Ledger {
    /// Returns a row for each interval and currency: subscriptions ever paid for, paid for now, and ended. Free plans, and seats and
    /// others without a price or payment, are left out.
    pub(crate) fn plans(&self, config: &Config, now: Timestamp) -> Table {
        let (trial_days, at) = (config.billing.trial_days, now.as_microsecond());
        let mut plans: BTreeMap<(&str, Currency), Plan> = BTreeMap::new();
        for known in self.known(now) {
            let (Some(subscription), Some(currency)) = (known.subscription.as_ref(), known.currency()) else {
                continue;
            };
            if !subscription.was_paid() || subscription.is_free() {
                continue;
            }
            let name = called(subscription.interval.as_ref().map(|of| of.value));
            let plan = plans.entry((name, currency)).or_default();
            plan.ever += 1;
            match phase(subscription, trial_days, at) {
                Phase::Paid { .. } => plan.paid += 1,
                Phase::Ended { .. } => plan.ended += 1,
                _ => {}
            }
            plan.mrr = plan.mrr.saturating_add(known.mrr(trial_days, at).map_or(0, |money| money.minor));
        }
        let columns = [
            ("interval", Unit::Text),
            ("currency", Unit::Text),
            ("ever paid", Unit::Count),
            ("paid now", Unit::Count),
            ("ended", Unit::Share),
            ("mrr", Unit::Money),
        ];
        let mut table = Table::new("intervals", &columns);
        for ((name, currency), plan) in plans {
            table.row([
                Cell::text(name),
                Cell::text(currency.as_str()),
                Cell::Count(plan.ever),
                Cell::Count(plan.paid),
                Cell::share(plan.ended, plan.ever),
                Cell::Money { minor: plan.mrr, currency },
            ]);
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
