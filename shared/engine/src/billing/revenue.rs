//! A person's total revenue.

use super::{Billing, MAX_PAYMENTS, Movement, Refund, Sums};
use crate::state::State;
use perennial_domain::{Currency, Money};
use std::collections::BTreeSet;

impl State {
    /// Merges a payment event. Call it once an event.
    pub(crate) fn pay(&mut self, movement: Movement) {
        if let Movement::Plain(Money { minor, currency }) = movement {
            self.add_revenue(currency, minor);
            return;
        }
        self.billing.pay(movement);
        while self.billing.payments.len() > MAX_PAYMENTS {
            let oldest = self.billing.payments.iter().min_by_key(|(id, payment)| (payment.at(), **id));
            let Some(id) = oldest.map(|(id, _)| *id) else { return };
            let Some((currency, minor)) = self.billing.take(id) else { return };
            self.add_revenue(currency, minor);
        }
        while self.billing.refunds.len() > MAX_PAYMENTS {
            let at = |refund: &Refund| refund.said.map_or(i64::MIN, |said| said.at);
            let oldest = self.billing.refunds.iter().min_by_key(|(id, refund)| (at(refund), **id));
            let Some(id) = oldest.map(|(id, _)| *id) else { return };
            let Some(refund) = self.billing.refunds.remove(&id) else { return };
            self.add_revenue(refund.currency, -refund.said.map_or(0, |said| said.minor));
        }
    }

    /// Returns payments minus refunds, in minor units by currency; never below zero. A refund takes back no more than
    /// its payment. A refund of a named but unknown payment applies to payments without ids or older ones, and one
    /// without a payment applies to any.
    pub fn revenues(&self) -> Sums {
        let mut sums = self.revenue.clone();
        let billing = &self.billing;
        let strange =
            billing.refunds.values().filter(|refund| refund.of.is_some_and(|of| !billing.payments.contains_key(&of)));
        for (currency, minor) in strange.filter_map(amount) {
            if let Some(sum) = sums.get_mut(&currency).filter(|sum| **sum > 0) {
                *sum = sum.saturating_sub(minor).max(0);
            }
        }
        let paid = billing.payments.keys().filter_map(|id| billing.net(*id));
        let unnamed = billing.refunds.values().filter(|refund| refund.of.is_none()).filter_map(amount);
        for (currency, minor) in paid.chain(unnamed.map(|(currency, minor)| (currency, -minor))) {
            let sum = sums.entry(currency).or_default();
            *sum = sum.saturating_add(minor);
        }
        sums.retain(|_, sum| *sum > 0);
        sums
    }

    /// Returns the currencies in which anything was ever paid, even if all of it was refunded.
    pub fn currencies_paid(&self) -> BTreeSet<Currency> {
        let named =
            self.billing.payments.values().filter(|payment| payment.minor() > 0).map(|payment| payment.currency);
        self.revenue.keys().copied().chain(named).collect()
    }

    /// Returns payments minus refunds in one currency, in minor units.
    pub fn revenue_in(&self, currency: Currency) -> i64 {
        self.revenues().get(&currency).copied().unwrap_or(0)
    }
}

impl Billing {
    /// Returns the net amount of a payment, and its currency.
    fn net(&self, id: u64) -> Option<(Currency, i64)> {
        let payment = self.payments.get(&id)?;
        let paid = payment.minor();
        let refunds = self.refunds.values().filter(|refund| refund.of == Some(id));
        let back = refunds.map(|refund| refund.said.map_or(paid, |said| said.minor)).fold(0_i64, i64::saturating_add);
        Some((payment.currency, (paid - back).max(0)))
    }

    /// Removes a payment and its refunds; returns their net amount.
    fn take(&mut self, id: u64) -> Option<(Currency, i64)> {
        let net = self.net(id)?;
        self.payments.remove(&id);
        self.refunds.retain(|_, refund| refund.of != Some(id));
        Some(net)
    }
}

/// Returns the amount of a refund, in minor units, if known.
fn amount(refund: &Refund) -> Option<(Currency, i64)> {
    refund.said.map(|said| (refund.currency, said.minor))
}
