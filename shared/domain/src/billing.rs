//! What billing systems report of subscriptions.

mod status;

pub use status::Status;

use crate::{AccountId, Money};
use serde::{Deserialize, Serialize};

/// How often a subscription is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every month.
    Month,
    /// Every three months.
    Quarter,
    /// Every year.
    Year,
}

impl Interval {
    /// Reads an interval's name, such as `month`, `monthly` or `annual`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "day" | "daily" => Self::Day,
            "week" | "weekly" => Self::Week,
            "month" | "monthly" => Self::Month,
            "quarter" | "quarterly" => Self::Quarter,
            "year" | "yearly" | "annual" | "annually" => Self::Year,
            _ => return None,
        })
    }

    /// How many of them a year has.
    pub fn a_year(self) -> i64 {
        match self {
            Self::Day => 365,
            Self::Week => 52,
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Year => 1,
        }
    }
}

/// A payment that begins another period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The hash of the invoice's id, or of the event's where there is none: it counts once.
    pub id: u64,
    /// When the period begins, in microseconds since 1970.
    pub from: i64,
}

/// What one event says of one subscription. What it does not say is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionReport {
    /// Which subscription: the hash of its id; where the event has none, of the account, or else of who it is of.
    pub key: u64,
    /// Whether that is the subscription's own id.
    pub named: bool,
    /// The billing system's time, in microseconds since 1970.
    pub at: i64,
    /// What decides between reports of one time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rank: u8,
    /// Its status from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether it says that an invoice was paid.
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
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// How often it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Until when it is paid, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<i64>,
    /// When its trial ends, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<i64>,
    /// Whether it ends with its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancels: Option<bool>,
    /// The account that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(rank: &u8) -> bool {
    *rank == 0
}
