//! Reports of billing systems about subscriptions.

pub mod said;
mod status;
mod terms;

pub use status::Status;
pub use terms::{Terms, change};

use crate::{AccountId, Money};
use serde::{Deserialize, Serialize};

/// A billing interval: a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    unit: IntervalUnit,
    /// 1 or more.
    count: u16,
}

/// The unit of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IntervalUnit {
    Day,
    Week,
    Month,
    Year,
}

impl Interval {
    /// One month.
    pub const MONTH: Self = Self { unit: IntervalUnit::Month, count: 1 };

    /// Parses an interval's name, such as `month`, `monthly`, `quarter`, `semiannual` or `annual`, or an ISO 8601 duration of
    /// one unit, such as `P1M` or `P2Y`, with `count` of it (1 if `None` or 0).
    pub fn parse(text: &str, count: Option<u32>) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (unit, of) = match text.as_str() {
            "day" | "days" | "daily" => (IntervalUnit::Day, 1),
            "week" | "weeks" | "weekly" => (IntervalUnit::Week, 1),
            "fortnight" | "fortnightly" | "biweekly" | "bi-weekly" => (IntervalUnit::Week, 2),
            "month" | "months" | "monthly" | "mo" => (IntervalUnit::Month, 1),
            "quarter" | "quarters" | "quarterly" => (IntervalUnit::Month, 3),
            "semiannual" | "semi-annual" | "semiannually" | "semi-annually" | "half-yearly" | "half_yearly"
            | "halfyear" | "biannual" | "biannually" => (IntervalUnit::Month, 6),
            "year" | "years" | "yearly" | "yr" | "annual" | "annually" | "annum" => (IntervalUnit::Year, 1),
            "biennial" | "biennially" => (IntervalUnit::Year, 2),
            "triennial" | "triennially" => (IntervalUnit::Year, 3),
            text => iso_duration(text)?,
        };
        let count = count.unwrap_or(1).max(1).checked_mul(of).and_then(|count| u16::try_from(count).ok())?;
        Some(Self { unit, count })
    }

    /// Returns the annual amount for `minor` units per interval; `None` on overflow.
    pub fn in_a_year(self, minor: i64) -> Option<i64> {
        Some(minor.checked_mul(self.unit.in_a_year())? / i64::from(self.count.max(1)))
    }

    /// Returns what `minor` units per interval are per `other` interval, rounded to the nearest unit; `None` on overflow.
    pub fn converted(self, minor: i64, other: Self) -> Option<i64> {
        if self == other {
            return Some(minor);
        }
        let each_year = |of: Self| (i128::from(of.unit.in_a_year()), i128::from(of.count.max(1)));
        let ((mine, my_count), (theirs, their_count)) = (each_year(self), each_year(other));
        let (amount, parts) = (i128::from(minor) * mine * their_count, my_count * theirs);
        i64::try_from((amount + parts * amount.signum() / 2) / parts).ok()
    }
}

impl IntervalUnit {
    /// Returns how many of it a year has.
    fn in_a_year(self) -> i64 {
        match self {
            Self::Day => 365,
            Self::Week => 52,
            Self::Month => 12,
            Self::Year => 1,
        }
    }
}

/// Reads a duration of ISO 8601 in one unit, in lower case: `p6m`.
fn iso_duration(text: &str) -> Option<(IntervalUnit, u32)> {
    let text = text.strip_prefix('p')?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "d" => IntervalUnit::Day,
        "w" => IntervalUnit::Week,
        "m" => IntervalUnit::Month,
        "y" => IntervalUnit::Year,
        _ => return None,
    };
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some((unit, number))
}

/// A payment that begins another period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The hash of the invoice's id, else of the event's id; each counts once.
    pub id: u64,
    /// When the period begins, in microseconds since 1970.
    pub from: i64,
    /// `true` if an invoice reports the renewal, as it also does for a first payment, rather than the event's name.
    #[serde(default = "by_invoice", skip_serializing_if = "Clone::clone")]
    pub by_invoice: bool,
}

fn by_invoice() -> bool {
    true
}

/// A report about one subscription in one event. Fields that the event does not contain are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionReport {
    /// Which subscription: the hash of its id; where the event has none, of the account, or else of who it is of.
    pub key: u64,
    /// `true` if that is the subscription's own id.
    pub named: bool,
    /// The billing system's time, in microseconds since 1970.
    pub at: i64,
    /// The order of reports with the same time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rank: u8,
    /// Its status from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// `true` if an invoice was paid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
    /// The renewal that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// The plan's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The price of one, each interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// The quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// The billing interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Until when it is paid, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<i64>,
    /// When its trial ends, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<i64>,
    /// `true` if it is cancelled at the end of its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancels: Option<bool>,
    /// The account that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

impl SubscriptionReport {
    /// Returns whether this only changes what a subscription costs, without saying which one: it has no id, and no status, payment,
    /// renewal or end.
    pub fn is_change_of_terms(&self) -> bool {
        let says_more = self.status.is_some() || self.paid || self.renewal.is_some() || self.cancels == Some(true);
        !self.named && !says_more
    }

    /// Returns a report that only links a subscription id to an account, since `at` in microseconds since 1970.
    pub fn of_account(key: u64, at: i64, account: AccountId) -> Self {
        Self {
            key,
            named: true,
            at,
            rank: 0,
            status: None,
            paid: false,
            renewal: None,
            plan: None,
            price: None,
            quantity: None,
            interval: None,
            period_end: None,
            trial_end: None,
            cancels: None,
            account: Some(account),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(rank: &u8) -> bool {
    *rank == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amount_of_one_interval_is_converted_to_another_by_the_year() {
        let of = |text: &str| Interval::parse(text, None).unwrap();
        for (minor, from, to, expected) in [
            (12_000, "year", "month", 1_000),
            (1_000, "month", "year", 12_000),
            (10_000, "year", "month", 833),
            (-10_000, "year", "month", -833),
            (10_004, "year", "quarter", 2_501),
            (1_000, "week", "month", 4_333),
            (7, "month", "month", 7),
        ] {
            assert_eq!(of(from).converted(minor, of(to)), Some(expected), "{minor} {from} {to}");
        }
        assert_eq!(of("day").converted(i64::MAX, of("year")), None);
    }
}
