//! Recurring revenue at risk and payments so far, by segment and currency.

mod shared;

use crate::counted::Counted;
use crate::money::mrr;
use crate::report::{Cell, Table, Unit};
use perennial_domain::{Currency, Likelihood, Stage};
use perennial_engine::billing::reported_subscriptions;
use perennial_engine::{Moment, State};
use serde::{Deserialize, Serialize};
use shared::{Holder, Shared};
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
    /// Of all but the revenue of [`Self::shared`].
    groups: BTreeMap<String, BTreeMap<Currency, Sums>>,
    shared: Shared,
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
        let churn = person.scores.get(&Likelihood::Churn).map_or(0, |score| score.get());
        let at_risk = person.stage == Stage::AtRisk || churn >= AT_RISK;
        for each in reported_subscriptions(moment, state) {
            // People whose account says that they have left pay for nothing, whatever was reported for them.
            let is_paid = each.is_paid && person.stage.pays();
            let money = mrr(&each.subscription, None, trial_days, now).filter(|_| is_paid);
            if let Some(money) = money {
                own.entry(money.currency).or_default().customers = 1;
            }
            match (&each.subscription.account, money) {
                (Some(account), money) => {
                    // Segments and risk are those of customers.
                    let segments = if money.is_some() { person.segments } else { &[] };
                    let holder = Holder { segments, at_risk: at_risk && money.is_some() };
                    self.shared.add((each.key, &account.value), &each.subscription, money, holder);
                }
                (None, Some(money)) => {
                    let sums = own.entry(money.currency).or_default();
                    sums.mrr = sums.mrr.saturating_add(money.minor);
                }
                (None, None) => {}
            }
        }
        if at_risk {
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
        self.shared.merge(&other.shared);
        for (group, currencies) in &other.groups {
            let mine = self.groups.entry(group.clone()).or_default();
            for (currency, sums) in currencies {
                mine.entry(*currency).or_default().merge(*sums);
            }
        }
    }

    /// Returns the sums with those of the accounts' subscriptions.
    fn sums(&self) -> BTreeMap<String, BTreeMap<Currency, Sums>> {
        let mut groups = self.groups.clone();
        self.shared.each(|segments, money, at_risk| {
            let at_risk = if at_risk { money.minor } else { 0 };
            let sums = Sums { mrr: money.minor, at_risk, ..Sums::default() };
            for group in [EVERYONE].into_iter().chain(segments.iter().map(String::as_str)) {
                groups.entry(group.to_owned()).or_default().entry(money.currency).or_default().merge(sums);
            }
        });
        groups
    }

    /// Returns a row for each group and currency. Says in `notes` where revenue is estimated.
    pub(crate) fn table(&self, notes: &mut Vec<String>) -> Table {
        if let Some(sample) = self.shared.sample() {
            notes.push(format!("revenue of accounts is estimated from {sample} of their subscriptions"));
        }
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
        for (group, currencies) in self.sums() {
            for (currency, sums) in currencies {
                let money = |minor| Cell::Money { minor, currency };
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
