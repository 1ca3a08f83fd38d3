//! The price of a subscription, and whether an event raises or lowers it.

use super::{Interval, said};
use crate::{Money, Properties};
use std::cmp::Ordering;

/// The price of a subscription, as far as an event contains it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// The price of one, each interval.
    pub price: Option<Money>,
    /// The quantity.
    pub quantity: Option<u32>,
    /// The billing interval.
    pub interval: Option<Interval>,
}

impl Terms {
    /// Reads `price` in `currency`, `quantity`, and `interval` (or `billing_period`) with `interval_count`. If
    /// `items_price` differs from the total price, the subscription has several items, and counts as one of that price.
    pub fn of(said: &Properties) -> Self {
        Self::named(said, ["price", "quantity", "interval", "billing_period", "interval_count", "items_price"])
    }

    /// Reads the terms before a change: `previous_price`, `previous_quantity`, `previous_interval` and
    /// `previous_items_price`. Absent fields have not changed.
    pub fn before(said: &Properties) -> Option<Self> {
        let before = Self::named(
            said,
            [
                "previous_price",
                "previous_quantity",
                "previous_interval",
                "previous_billing_period",
                "previous_interval_count",
                "previous_items_price",
            ],
        );
        let now = Self::of(said);
        (before != Self::default() || Self::interval_before(said).is_some()).then(|| Self {
            price: before.price.or(now.price),
            quantity: before.quantity.or(now.quantity),
            interval: before.interval.or_else(|| Self::interval_before(said)).or(now.interval),
        })
    }

    /// Returns the interval before a change that contains only its number: the unit has not changed.
    fn interval_before(said: &Properties) -> Option<Interval> {
        let times = said::count(said, &["previous_interval_count"])?;
        Interval::parse(&said::text(said, &["interval", "billing_period"])?, Some(times))
    }

    fn named(said: &Properties, [price, quantity, interval, period, times, items]: [&str; 6]) -> Self {
        let currency = said::currency(said);
        let amount = |name: &str| {
            let currency = currency?;
            Some(Money { minor: said::amount(said, &[name], currency)?, currency })
        };
        let interval =
            said::text(said, &[interval, period]).and_then(|text| Interval::parse(&text, said::count(said, &[times])));
        let one = Self { price: amount(price), quantity: said::count(said, &[quantity]), interval };
        match amount(items) {
            Some(all) if one.each_interval() != Some(all) => Self { price: Some(all), quantity: Some(1), interval },
            _ => one,
        }
    }

    /// Returns what all of it costs each interval; `None` without a price.
    fn each_interval(&self) -> Option<Money> {
        let price = self.price?;
        let minor = price.minor.checked_mul(i64::from(self.quantity.unwrap_or(1)))?;
        Some(Money { minor, currency: price.currency })
    }

    /// Returns the annual price. Quantity 1 and monthly payment are the defaults. `None` without a price.
    pub fn yearly(&self) -> Option<Money> {
        let all = self.each_interval()?;
        Some(Money { minor: self.interval.unwrap_or(Interval::MONTH).in_a_year(all.minor)?, currency: all.currency })
    }
}

/// Returns whether `said` contains an annual price that is higher (`Greater`) or lower (`Less`) than before; `None` if
/// it is equal or the earlier price is unknown.
pub fn change(said: &Properties) -> Option<Ordering> {
    let before = Terms::before(said)?.yearly()?;
    let now = Terms::of(said).yearly().filter(|now| now.currency == before.currency)?;
    Some(now.minor.cmp(&before.minor)).filter(|order| order.is_ne())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn changed(said: serde_json::Value) -> Option<Ordering> {
        change(&serde_json::from_value(said).unwrap())
    }

    #[test]
    fn a_change_is_told_by_what_a_year_costs() {
        let more = [
            json!({ "price": 29, "previous_price": "19.90" }),
            json!({ "price": 10, "quantity": 6, "previous_quantity": 5 }),
            // Fewer seats of a dearer plan.
            json!({ "price": 30, "quantity": 4, "previous_price": 10, "previous_quantity": 10 }),
            json!({ "price": 10, "interval": "month", "previous_price": 100, "previous_interval": "year" }),
            json!({ "price": 25, "interval": "month", "interval_count": 3, "previous_price": 24, "previous_interval_count": 3, "previous_interval": "month" }),
            json!({ "price": 5, "previous_price": 0 }),
            // A second item was added.
            json!({ "price": 10, "quantity": 5, "items_price": 60, "previous_price": 10, "previous_quantity": 5, "previous_items_price": 50 }),
        ];
        for said in more {
            assert_eq!(changed(said.clone()), Some(Ordering::Greater), "{said}");
        }
        let less = [
            json!({ "price": 19, "previous_price": 29 }),
            json!({ "price": 100, "interval": "year", "previous_price": 10, "previous_interval": "month" }),
            json!({ "price": 10, "quantity": 0, "previous_quantity": 1 }),
            json!({ "price": 25, "interval": "month", "interval_count": 3, "previous_price": 10, "previous_interval_count": 1 }),
            json!({ "price": 3000, "currency": "JPY", "previous_price": 5000 }),
            json!({ "price": 10, "items_price": 10, "previous_price": 10, "previous_items_price": 30 }),
        ];
        for said in less {
            assert_eq!(changed(said.clone()), Some(Ordering::Less), "{said}");
        }
    }

    #[test]
    fn nothing_changed_where_it_costs_the_same_or_one_of_both_is_not_known() {
        for said in [
            json!({ "price": 19 }),
            json!({ "previous_price": 19 }),
            json!({ "price": 19, "previous_price": 19, "quantity": 2 }),
            json!({ "price": "dear", "previous_price": 19 }),
            json!({ "price": 120, "interval": "year", "previous_price": 10, "previous_interval": "month" }),
            json!({ "price": 30, "interval": "month", "interval_count": 3, "previous_price": 10, "previous_interval_count": 1 }),
            json!({ "price": 10, "currency": "no currency", "previous_price": 5 }),
            json!({ "quantity": 2, "previous_quantity": 1 }),
            json!({ "price": 10, "quantity": 2, "items_price": 20, "previous_price": 20, "previous_quantity": 1, "previous_items_price": 20 }),
        ] {
            assert_eq!(changed(said.clone()), None, "{said}");
        }
    }
}
