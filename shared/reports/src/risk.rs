//! Recurring revenue at risk and payments so far, by segment and currency.

use crate::counted::Counted;
use crate::money::mrr;
use crate::report::{Cell, Table, Unit};
use perennial_domain::{Currency, Likelihood, Stage};
use perennial_engine::billing::paid_subscriptions;
use perennial_engine::{Moment, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The churn score from which a customer's revenue is at risk.
pub(crate) const AT_RISK: u8 = 60;
/// The group of everyone.
const EVERYONE: &str = "everyone";

/// Sums of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    /// People with a paid subscription.
    customers: u64,
    mrr: i64,
    /// Of these, at risk.
    customers_at_risk: u64,
    at_risk: i64,
    /// People who ever paid.
    payers: u64,
    /// Payments less refunds.
    paid: i64,
}

impl Sums {
    fn merge(&mut self, other: Self) {
        self.customers += other.customers;
        self.mrr = self.mrr.saturating_add(other.mrr);
        self.customers_at_risk += other.customers_at_risk;
        self.at_risk = self.at_risk.saturating_add(other.at_risk);
        self.payers += other.payers;
        self.paid = self.paid.saturating_add(other.paid);
    }
}

/// The sums by segment and currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Risk {
    groups: BTreeMap<String, BTreeMap<Currency, Sums>>,
}

impl Risk {
    /// Counts a person.
    pub(crate) fn add(&mut self, moment: &Moment<'_>, person: &Counted<'_>, state: &State) {
        let mut own: BTreeMap<Currency, Sums> = BTreeMap::new();
        let paid = state.revenues();
        for currency in state.currencies_paid() {
            let paid = paid.get(&currency).copied().unwrap_or(0);
            own.insert(currency, Sums { payers: 1, paid, ..Sums::default() });
        }
        let (trial_days, now) = (moment.config.billing.trial_days, moment.now.as_microsecond());
        // People whose account says that they have left pay for nothing, whatever was reported for them.
        let subscriptions = if person.stage.pays() { paid_subscriptions(moment, state) } else { Vec::new() };
        for subscription in &subscriptions {
            if let Some(money) = mrr(subscription, None, trial_days, now) {
                let sums = own.entry(money.currency).or_default();
                sums.customers = 1;
                sums.mrr = sums.mrr.saturating_add(money.minor);
            }
        }
        let churn = person.scores.get(&Likelihood::Churn).map_or(0, |score| score.get());
        if person.stage == Stage::AtRisk || churn >= AT_RISK {
            for sums in own.values_mut() {
                (sums.customers_at_risk, sums.at_risk) = (sums.customers, sums.mrr);
            }
        }
        for (currency, sums) in own {
            for group in [EVERYONE].into_iter().chain(person.segments.iter().map(String::as_str)) {
                self.groups.entry(group.to_owned()).or_default().entry(currency).or_default().merge(sums);
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (group, currencies) in &other.groups {
            let mine = self.groups.entry(group.clone()).or_default();
            for (currency, sums) in currencies {
                mine.entry(*currency).or_default().merge(*sums);
            }
        }
    }

    /// Returns a row for each group and currency.
    pub(crate) fn table(&self) -> Table {
        let columns = [
            ("segment", Unit::Text),
            ("currency", Unit::Text),
            ("customers", Unit::Count),
            ("mrr", Unit::Money),
            ("customers at risk", Unit::Count),
            ("mrr at risk", Unit::Money),
            ("payers", Unit::Count),
            ("paid so far", Unit::Money),
            ("paid on average", Unit::Money),
        ];
        let mut table = Table::new("segments", &columns);
        for (group, currencies) in &self.groups {
            for (currency, sums) in currencies {
                let money = |minor| Cell::Money { minor, currency: *currency };
                let payers = i64::try_from(sums.payers).unwrap_or(i64::MAX);
                table.row([
                    Cell::text(group.clone()),
                    Cell::text(currency.as_str()),
                    Cell::Count(sums.customers),
                    money(sums.mrr),
                    Cell::Count(sums.customers_at_risk),
                    money(sums.at_risk),
                    Cell::Count(sums.payers),
                    money(sums.paid),
                    if payers > 0 { money(sums.paid / payers) } else { Cell::NOTHING },
                ]);
            }
        }
        table
    }
}
