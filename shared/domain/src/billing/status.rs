//! Subscription statuses, in the terms of the billing systems that report them.

use serde::{Deserialize, Serialize};

/// The status of a subscription, in Stripe's terms, in the order of its life.
/// <https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for the first payment; not started.
    Incomplete,
    /// The first payment never arrived; never started.
    IncompleteExpired,
    /// In its trial.
    Trialing,
    /// Paid for.
    Active,
    /// A payment failed and is tried again: a customer still.
    PastDue,
    /// Collection was given up: unpaid, but not cancelled.
    Unpaid,
    /// The trial ended without a means of payment.
    Paused,
    /// Over.
    Canceled,
}

impl Status {
    /// Returns the name in JSON and conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }

    /// Parses a status of Stripe, Paddle, Chargebee, Recurly, Lemon Squeezy, Maxio (Chargify), PayPal, Razorpay, Zoho or
    /// WooCommerce, in any case and with spaces, dashes or underscores. `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match letters(text).as_str() {
            "incomplete" | "pending" | "future" | "created" | "approvalpending" | "approved" | "authenticated"
            | "awaitingsignup" => Self::Incomplete,
            "incompleteexpired" | "failedtocreate" | "failed" => Self::IncompleteExpired,
            "trialing" | "trial" | "intrial" | "ontrial" | "trialling" => Self::Trialing,
            "active" | "nonrenewing" | "live" | "paid" | "assessing" | "pendingcancel" | "pendingcancellation" => {
                Self::Active
            }
            "pastdue" | "overdue" | "dunning" | "softfailure" | "ingraceperiod" => Self::PastDue,
            "unpaid" | "halted" => Self::Unpaid,
            "paused" | "onhold" | "suspended" => Self::Paused,
            "canceled"
            | "cancelled"
            | "expired"
            | "ended"
            | "deleted"
            | "terminated"
            | "completed"
            | "inactive"
            | "trialexpired"
            | "trialended"
            | "cancelledfromdunning"
            | "canceledfromdunning" => Self::Canceled,
            _ => return None,
        })
    }

    /// Returns whether `text` is an active status that ends with its period: Chargebee's `non_renewing`, or WooCommerce's
    /// `pending-cancel`.
    pub fn is_last_period(text: &str) -> bool {
        matches!(letters(text).as_str(), "nonrenewing" | "pendingcancel" | "pendingcancellation")
    }

    /// Returns whether it is the status of a customer.
    pub fn pays(self) -> bool {
        matches!(self, Self::Active | Self::PastDue)
    }

    /// Returns whether it is over, or was never paid.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Unpaid | Self::Paused | Self::Canceled | Self::IncompleteExpired)
    }

    /// Returns the order among reports of the same second, which is the precision of Stripe's times: a report with a
    /// previous status comes after the one that reported that status; otherwise the later status in a subscription's
    /// life cycle comes last.
    #[must_use]
    pub fn rank(self, before: Option<Self>) -> u8 {
        let own = 2 * self as u8;
        before.map_or(own, |before| own.max(2 * before as u8 + 1))
    }
}

/// The letters and digits of `text`, in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_as_billing_systems_write_them() {
        for (text, status) in [
            ("active", Status::Active),
            ("past_due", Status::PastDue),
            ("Past Due", Status::PastDue),
            ("incomplete_expired", Status::IncompleteExpired),
            ("in_trial", Status::Trialing),
            ("on-trial", Status::Trialing),
            ("non_renewing", Status::Active),
            ("cancelled", Status::Canceled),
            ("CANCELED", Status::Canceled),
            ("expired", Status::Canceled),
        ] {
            assert_eq!(Status::parse(text), Some(status), "{text}");
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        for text in ["", "SOLVED", "open", "trueish"] {
            assert_eq!(Status::parse(text), None, "{text}");
        }
    }

    #[test]
    fn of_one_second_the_report_that_knows_the_status_before_is_the_later() {
        let failed = Status::PastDue.rank(Some(Status::Active));
        let recovered = Status::Active.rank(Some(Status::PastDue));
        assert!(failed < recovered);
        assert!(Status::Trialing.rank(None) < Status::Active.rank(None));
        assert!(Status::Active.rank(Some(Status::Trialing)) < Status::Canceled.rank(None));
    }
}
