//! The changes of recurring revenue from month to month, and how much of it stays.

use super::ledger::{ByMonth, Ledger, end_of};
use crate::cohorts::{MONTHS, month_name};
use crate::report::{Cell, Table, Unit};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use perennial_config::Config;
use perennial_domain::Currency;
use perennial_domain::time::{date_of, day_of, month_of};
use std::collections::BTreeMap;

/// The changes of one month, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Changes {
    opening: i64,
    new: i64,
    expansion: i64,
    contraction: i64,
    churned: i64,
    reactivation: i64,
    closing: i64,
    customers: u64,
}

impl Changes {
    /// Adds a customer whose revenue went from `before` to `now`; `is_known` if they had any at the end of an earlier
    /// month.
    fn add(&mut self, before: i64, now: i64, is_known: bool) {
        self.opening = self.opening.saturating_add(before);
        self.closing = self.closing.saturating_add(now);
        self.customers += u64::from(now > 0);
        let by = now.saturating_sub(before);
        let kind = match (before > 0, now > 0) {
            (false, true) if is_known => &mut self.reactivation,
            (false, true) => &mut self.new,
            (true, false) => &mut self.churned,
            _ if by > 0 => &mut self.expansion,
            _ => &mut self.contraction,
        };
        *kind = kind.saturating_add(by);
    }
}

impl Ledger {
    /// Returns the changes of each of the last 24 months, and the revenue that stays, by currency. Says in `notes` where
    /// less than a year is compared.
    pub(crate) fn revenue(&self, config: &Config, now: Timestamp, notes: &mut Vec<String>) -> Vec<Table> {
        let trial_days = config.billing.trial_days;
        let all = self.customers(trial_days, now);
        let mut currencies: BTreeMap<Currency, Vec<&ByMonth>> = BTreeMap::new();
        for ((_, currency), months) in &all {
            currencies.entry(*currency).or_default().push(months);
        }
        let this_month = month_of(now);
        let columns = [
            ("month", Unit::Text),
            ("currency", Unit::Text),
            ("opening", Unit::Money),
            ("new", Unit::Money),
            ("expansion", Unit::Money),
            ("contraction", Unit::Money),
            ("churned", Unit::Money),
            ("reactivation", Unit::Money),
            ("closing", Unit::Money),
            ("customers", Unit::Count),
        ];
        let mut table = Table::new("months", &columns);
        let columns = [
            ("currency", Unit::Text),
            ("since", Unit::Text),
            ("months", Unit::Count),
            ("mrr then", Unit::Money),
            ("net retention", Unit::Share),
            ("gross retention", Unit::Share),
            ("customers then", Unit::Count),
            ("customers kept", Unit::Share),
        ];
        let mut kept = Table::new("retention", &columns);
        for (currency, customers) in &currencies {
            let first = customers.iter().filter_map(|months| months.keys().next()).min().copied();
            let Some(first) = first else { continue };
            for month in first.max(this_month - MONTHS + 1)..=this_month {
                table.row(row(month, *currency, changes(customers, month)));
            }
            let (year_ago, first_end) = (a_year_before(now), end_of(first));
            let since = year_ago.max(first_end);
            if since > year_ago {
                let months = this_month - first;
                notes.push(format!("{currency}: retention is over {months} months only; a year is intended"));
            }
            if first < this_month {
                let before = self.customers_at(trial_days, since);
                let is = |customer: &(u64, Currency)| all.get(customer).map_or(0, |months| at(months, this_month));
                kept.row(stayed(&before, is, *currency, since, this_month - month_of(since)));
            }
        }
        vec![table, kept]
    }
}

fn at(months: &ByMonth, month: i32) -> i64 {
    months.get(&month).copied().unwrap_or(0)
}

fn changes(customers: &[&ByMonth], month: i32) -> Changes {
    let mut changes = Changes::default();
    for months in customers {
        changes.add(at(months, month - 1), at(months, month), months.range(..month).next().is_some());
    }
    changes
}

fn row(month: i32, currency: Currency, of: Changes) -> impl Iterator<Item = Cell> {
    let money = [of.opening, of.new, of.expansion, of.contraction, of.churned, of.reactivation, of.closing].into_iter();
    let money = money.map(move |minor| Cell::Money { minor, currency });
    let names = [Cell::text(month_name(month)), Cell::text(currency.as_str())];
    names.into_iter().chain(money).chain([Cell::Count(of.customers)])
}

/// Returns the same time of day a year before.
fn a_year_before(now: Timestamp) -> Timestamp {
    let now = now.to_zoned(TimeZone::UTC);
    now.checked_sub(1.year()).map_or(Timestamp::MIN, |then| then.timestamp())
}

/// Compares the revenue of the customers of `before` with their revenue now.
fn stayed(
    before: &BTreeMap<(u64, Currency), i64>,
    now: impl Fn(&(u64, Currency)) -> i64,
    currency: Currency,
    since: Timestamp,
    months: i32,
) -> [Cell; 8] {
    let (mut then, mut net, mut gross) = (0_i64, 0_i64, 0_i64);
    let (mut customers, mut kept) = (0, 0);
    for (customer, was) in before.iter().filter(|((_, of), was)| *of == currency && **was > 0) {
        let is = now(customer);
        then = then.saturating_add(*was);
        net = net.saturating_add(is);
        gross = gross.saturating_add(is.min(*was));
        customers += 1;
        kept += u64::from(is > 0);
    }
    [
        Cell::text(currency.as_str()),
        Cell::text(date_of(day_of(since)).to_string()),
        Cell::Count(months.unsigned_abs().into()),
        Cell::Money { minor: then, currency },
        Cell::Share { part: net, of: then },
        Cell::Share { part: gross, of: then },
        Cell::Count(customers),
        Cell::share(kept, customers),
    ]
}
