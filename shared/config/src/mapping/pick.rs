//! Where the value of a property comes from.

use super::convert::{Convert, RawConvert};
use super::place::{Place, RawPlaces};
use serde::{Deserialize, Serialize};

/// The source of a property's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pick {
    /// The value at the first of these places that has one.
    Value(Vec<Place>),
    /// The latest of the times at the places, in which a member `*` stands for every element of a list.
    Latest(Vec<Place>),
    /// An amount in minor units, written in major ones: 1990 of `usd` becomes 19.9.
    Money {
        /// The place of the whole number of minor units. If a member is `*`, the amounts of all elements of that list
        /// are added.
        minor: Vec<Place>,
        /// The place of the factor of each of a list's amounts, in the same elements; 1 if missing.
        times: Vec<Place>,
        /// The place of the billing interval of each of a list's amounts, in the same elements. Each is converted to the interval
        /// of the list's first element. None if empty.
        interval: Vec<Place>,
        /// The place of the number of these intervals; 1 if missing.
        interval_count: Vec<Place>,
        /// The place of its currency.
        currency: Vec<Place>,
        /// `true` if Stripe's table of currencies says how many minor units a major one has; `false` for ISO 4217's, or
        /// that of the webhook's sender.
        stripe: bool,
    },
    /// A converted value.
    Convert(Convert),
    /// Always this value.
    Constant(serde_json::Value),
}

impl Pick {
    /// Returns all places that it reads.
    pub fn places(&self) -> Vec<&Place> {
        match self {
            Self::Value(places) | Self::Latest(places) => places.iter().collect(),
            Self::Money { minor, times, interval, interval_count, currency, .. } => {
                minor.iter().chain(times).chain(interval).chain(interval_count).chain(currency).collect()
            }
            Self::Convert(convert) => convert.from.iter().collect(),
            Self::Constant(_) => Vec::new(),
        }
    }
}

/// A place, a list of places, an amount of money, the latest of several times, a converted value, or a constant one.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "takes a place such as \"/data/id\", a list of places, { minor = PLACE, currency = PLACE } for an amount in cents, { latest = PLACE }, { from = PLACE, type = \"number\" } or another conversion, or { value = CONSTANT }"
)]
pub(crate) enum RawPick {
    Value(RawPlaces),
    Latest(RawLatest),
    Money(RawMoney),
    Convert(RawConvert),
    Constant(RawConstant),
}

/// A value that does not come from the payload: { value = "newsletter" }.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConstant {
    /// A text, a number, or true or false.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOf"))]
    value: toml::Value,
}

/// An amount in minor units, written in major ones: 1990 of "usd" becomes 19.9.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMoney {
    /// The place of the whole number of minor units. If a member is `*`, the amounts of all elements of that list are
    /// added.
    minor: RawPlaces,
    /// The place of the factor of each of a list's amounts, in the same elements: "/items/*/quantity"; default: 1. An element without
    /// its factor adds nothing: it has no quantity because it is billed by use.
    #[serde(default)]
    times: RawPlaces,
    /// The place of the billing interval of each of a list's amounts, in the same elements: "/items/*/interval"; default: all have the same.
    /// Amounts of other intervals are converted to that of the list's first element: 120 a year beside 10 a month is 20 a month.
    #[serde(default)]
    interval: RawPlaces,
    /// The place of the number of these intervals, in the same elements; default: 1.
    #[serde(default)]
    interval_count: RawPlaces,
    /// The place of its currency.
    currency: RawPlaces,
    /// The table of currencies that says how many minor units a major one has: "iso" (ISO 4217) or "stripe", which differ for a
    /// few; default: "stripe" in webhooks of Stripe, else "iso".
    #[serde(default)]
    units: RawUnits,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RawUnits {
    #[default]
    Iso,
    Stripe,
}

/// The latest of several moments: "/lines/*/end" looks at `end` of every element of the list `lines`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLatest {
    /// The places of the times; `*` stands for every element of a list.
    latest: RawPlaces,
}

impl RawPick {
    pub(super) fn compile(self, complain: &mut impl FnMut(String)) -> Pick {
        match self {
            Self::Value(places) => Pick::Value(places.compile(complain)),
            Self::Latest(raw) => Pick::Latest(raw.latest.compile(complain)),
            Self::Money(money) => Pick::Money {
                minor: money.minor.compile(complain),
                times: money.times.compile(complain),
                interval: money.interval.compile(complain),
                interval_count: money.interval_count.compile(complain),
                currency: money.currency.compile(complain),
                stripe: money.units == RawUnits::Stripe,
            },
            Self::Convert(convert) => Pick::Convert(convert.compile(complain)),
            Self::Constant(constant) => Pick::Constant(super::scalar(&constant.value).unwrap_or_else(|| {
                complain("value must be a text, a number, or true or false".to_owned());
                serde_json::Value::Null
            })),
        }
    }
}
