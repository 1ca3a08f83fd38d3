//! `[mail.soft_bounces]` of `channels.toml`: the pause of an address after temporary bounces.

use crate::error::Reporter;
use crate::spanned::Spanned;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// When temporary bounces, such as from a full mailbox, pause mails to an address, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftBounces {
    /// The number of bounces, 1 or more.
    pub count: u16,
    /// Within how many days, 1 or more.
    pub within_days: u16,
    /// The number of days after the last of them in which nothing is sent, 1 or more.
    pub rest_days: u16,
}

impl Default for SoftBounces {
    /// Three within a week, and a rest of two.
    fn default() -> Self {
        Self { count: 3, within_days: 7, rest_days: 14 }
    }
}

impl SoftBounces {
    /// The time within which they count.
    #[must_use]
    pub fn within(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.within_days))
    }

    /// Returns the time for which nothing is sent.
    #[must_use]
    pub fn rest(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.rest_days))
    }
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSoftBounces {
    /// The number of temporary bounces that pauses all further mails to an address, 1 to 20; default: 3.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 20)))]
    count: Option<Spanned<u16>>,
    /// The period in days in which they are counted, 1 to 365; default: 7.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 365)))]
    within_days: Option<Spanned<u16>>,
    /// The length of the pause in days after the last of them, 1 to 365; default: 14.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 365)))]
    rest_days: Option<Spanned<u16>>,
}

/// Checks the policy.
pub(crate) fn load(report: &mut Reporter<'_>, raw: RawSoftBounces) -> SoftBounces {
    let usual = SoftBounces::default();
    let mut take = |name: &str, value: Option<Spanned<u16>>, most: u16, usual: u16| {
        let Some(value) = value else { return usual };
        if !(1..=most).contains(value.get_ref()) {
            report.at(value.span(), format!("mail.soft_bounces.{name} must be from 1 to {most}"));
        }
        value.into_inner()
    };
    SoftBounces {
        count: take("count", raw.count, 20, usual.count),
        within_days: take("within_days", raw.within_days, 365, usual.within_days),
        rest_days: take("rest_days", raw.rest_days, 365, usual.rest_days),
    }
}
