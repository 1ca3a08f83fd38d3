//! The value of subscriptions, and the touch model and owner that follow from it.

use crate::billing::{Phase, Subscription, phase};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::Touch;
use serde_json::Value;

/// Returns the annual price of paid subscriptions, in minor units of the currency that accounts are valued in.
pub(crate) fn subscribed<'a>(
    config: &Config,
    subscriptions: impl Iterator<Item = &'a Subscription>,
    now: Timestamp,
) -> Option<i64> {
    let currency = config.accounts.value.as_ref()?.currency;
    let is_paid = |each: &&Subscription| {
        matches!(phase(each, config.billing.trial_days, now.as_microsecond()), Phase::Paid { .. })
    };
    let paid = subscriptions.filter(is_paid);
    let yearly = paid.filter_map(Subscription::yearly).filter(|money| money.currency == currency);
    yearly.map(|money| money.minor).reduce(i64::saturating_add)
}

/// Returns the touch model of an account with `value`.
pub(crate) fn touch(config: &Config, value: Option<i64>) -> Touch {
    let levels = &config.accounts.touch;
    let reaches = |level: Option<i64>| value.zip(level).is_some_and(|(value, level)| value >= level);
    if reaches(levels.high) {
        Touch::High
    } else if reaches(levels.low) {
        Touch::Low
    } else {
        Touch::None
    }
}

/// Returns the owner in the account's own trait.
pub(crate) fn named_owner<'a>(config: &Config, traits: impl FnOnce(&str) -> Option<&'a Value>) -> Option<&'a str> {
    let named = traits(config.accounts.owner.r#trait.as_ref()?)?.as_str()?.trim();
    (!named.is_empty()).then_some(named)
}
