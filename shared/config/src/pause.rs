//! `[pause]` of `channels.toml`: when a journey stops sending mails by itself.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};

/// The unit of a share, as parts of one percent: a limit of 0.1 % is 100.
const PARTS: f64 = 1000.0;

/// A share of mails, exact to a thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(u32);

impl Share {
    /// `percent`, 0 to 100.
    #[must_use]
    pub fn percent(percent: f64) -> Self {
        Self((percent.clamp(0.0, 100.0) * PARTS).round() as u32)
    }

    /// 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / (100.0 * PARTS)
    }

    /// Returns whether `part` of `whole` exceeds this share.
    #[must_use]
    pub fn is_passed_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 100_000 > u128::from(self.0) * u128::from(whole)
    }
}

/// When a journey stops sending mails until it is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// More complaints than this share of its mails stop it.
    pub complaints: Share,
    /// More bounces than this share of its mails stop it.
    pub bounces: Share,
    /// The minimum number of mails within the window, 1 or more.
    pub least_messages: u32,
    /// The window in days, today included, 1 or more.
    pub window_days: u16,
}

impl Default for Pause {
    /// The shares at which SES puts an account under review: 0.1 % complaints, 5 % bounces; of 200 mails or more within a week.
    /// Source: Amazon SES developer guide, "Sender review process FAQs".
    fn default() -> Self {
        Self { complaints: Share::percent(0.1), bounces: Share::percent(5.0), least_messages: 200, window_days: 7 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPause {
    /// The complaint rate in percent above which a journey pauses, 0.001 to 100; default: 0.1, at which SES puts an
    /// account under review. 100 never pauses it.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.001, max = 100.0)))]
    complaint_percent: Option<Spanned<f64>>,
    /// The rate of permanent bounces in percent, as from addresses that do not exist, above which a journey pauses;
    /// default: 5, at which SES puts an account under review.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.001, max = 100.0)))]
    bounce_percent: Option<Spanned<f64>>,
    /// The minimum number of mails within the window before it can pause, 1 or more; default: 200.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    least_messages: Option<Spanned<u32>>,
    /// The window in days in which mails, bounces and complaints are counted, 1 to 90, today included; default: 7.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    window_days: Option<Spanned<u16>>,
}

/// Checks the limits.
pub(crate) fn load(report: &mut Reporter<'_>, raw: RawPause) -> Pause {
    let usual = Pause::default();
    let mut share = |name: &str, value: Option<Spanned<f64>>, usual: Share| {
        let Some(value) = value else { return usual };
        if !(0.001..=100.0).contains(value.get_ref()) {
            report.at(value.span(), format!("pause.{name} must be from 0.001 to 100"));
        }
        Share::percent(value.into_inner())
    };
    let complaints = share("complaint_percent", raw.complaint_percent, usual.complaints);
    let bounces = share("bounce_percent", raw.bounce_percent, usual.bounces);
    if let Some(least) = raw.least_messages.as_ref().filter(|least| *least.get_ref() == 0) {
        report.at(least.span(), "pause.least_messages must be at least 1");
    }
    if let Some(days) = raw.window_days.as_ref().filter(|days| !(1..=90).contains(days.get_ref())) {
        report.at(days.span(), "pause.window_days must be from 1 to 90");
    }
    Pause {
        complaints,
        bounces,
        least_messages: raw.least_messages.map_or(usual.least_messages, Spanned::into_inner),
        window_days: raw.window_days.map_or(usual.window_days, Spanned::into_inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_passed_by_more_and_not_by_as_much() {
        let limit = Share::percent(0.1);
        assert!(!limit.is_passed_by(1, 1000) && limit.is_passed_by(1, 999) && limit.is_passed_by(2, 1000));
        assert!(!Share::percent(5.0).is_passed_by(5, 100) && Share::percent(5.0).is_passed_by(6, 100));
        assert!(!Share::percent(100.0).is_passed_by(u64::MAX, u64::MAX) && !limit.is_passed_by(0, 0));
    }
}
