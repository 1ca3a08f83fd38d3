//! The sending limits of an SES account.

use aws_sdk_sesv2::types::SendQuota;

/// The account's rate and quota, and how much of it is used. Source: SES API v2 reference, `SendQuota`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Allowance {
    /// Mails a second; `None` without a limit.
    pub per_second: Option<f64>,
    /// Mails in 24 hours; `None` without a limit.
    pub per_day: Option<u64>,
    /// Mails of the last 24 hours.
    pub sent: u64,
}

/// The account's quota is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the account's SES quota: {code}")]
pub struct NotTold {
    /// SES's error code, or `NotReached`.
    pub code: String,
}

impl Allowance {
    /// Reads what `GetAccount` answers. SES writes -1 for a quota without a limit.
    pub(crate) fn of(quota: &SendQuota) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of mails, above zero, which saturate"
        )]
        let count = |number: f64| number.max(0.0) as u64;
        Self {
            per_second: Some(quota.max_send_rate()).filter(|rate| *rate > 0.0),
            per_day: Some(quota.max24_hour_send()).filter(|most| *most >= 0.0).map(count),
            sent: count(quota.sent_last24_hours()),
        }
    }

    /// Mails that may still be sent now; `None` without a limit.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        self.per_day.map(|most| most.saturating_sub(self.sent))
    }
}
