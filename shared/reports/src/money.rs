//! The monthly recurring revenue of a subscription.

use perennial_domain::Money;
use perennial_domain::billing::Terms;
use perennial_engine::billing::{GRACE, Phase, Subscription, phase};

/// The months of a year.
const MONTHS: i64 = 12;

/// Returns the monthly recurring revenue of `subscription` at `now`, in microseconds since 1970: its annual price by
/// twelve, rounded to the nearest minor unit. `None` unless it is paid for: nothing in a trial, paused, unpaid or over.
/// Without a price, `paid`, its last payment, stands for that of one interval, a month if unknown.
pub(crate) fn mrr(subscription: &Subscription, paid: Option<Money>, trial_days: u16, now: i64) -> Option<Money> {
    match phase(subscription, trial_days, now) {
        // Over with its last period, if only the report of it may be missing: an end on the last day of a month is one of that month.
        Phase::Paid { until: Some(until), .. } if now >= until.saturating_sub(GRACE) => return None,
        Phase::Paid { .. } => {}
        _ => return None,
    }
    let interval = subscription.interval.as_ref().map(|interval| interval.value);
    let by_payment = || Terms { price: paid, quantity: Some(1), interval }.yearly();
    let yearly = if subscription.price.is_some() { subscription.yearly() } else { by_payment() };
    let yearly = yearly.filter(|yearly| yearly.minor > 0)?;
    Some(Money { minor: yearly.minor.saturating_add(MONTHS / 2) / MONTHS, currency: yearly.currency })
}
