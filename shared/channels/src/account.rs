//! The account of SES: its standing, and what it may send.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::SendQuota;

/// An account of SES. Source: SES API v2 reference, `GetAccount`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Account {
    /// It is out of the sandbox.
    pub production: bool,
    /// Sending is not paused.
    pub sending: bool,
    /// It is neither under review nor on probation.
    pub healthy: bool,
    /// The sending limits.
    pub allowance: Allowance,
}

impl Account {
    pub(crate) fn of(answer: &GetAccountOutput) -> Self {
        Self {
            production: answer.production_access_enabled(),
            sending: answer.sending_enabled(),
            healthy: answer.enforcement_status().is_none_or(|status| status == "HEALTHY"),
            allowance: answer.send_quota().map_or_else(Allowance::default, Allowance::of),
        }
    }
}

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

/// The account could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SES did not return the account: {code}")]
pub struct NotRead {
    /// SES's error code, or `NotReached`.
    pub code: String,
}

impl Allowance {
    /// Reads a quota of SES, which writes -1 for one without a limit.
    fn of(quota: &SendQuota) -> Self {
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
