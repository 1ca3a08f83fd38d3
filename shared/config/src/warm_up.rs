//! `[mail.warm_up]` of `channels.toml`: the daily ramp of a new sender.

use crate::error::Reporter;
use crate::spanned::Spanned;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The most days of a ramp.
const MAX_DAYS: usize = 90;

/// The daily number of mails of a new sender in its first days, UTC. Essential mails are always sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmUp {
    /// The first day.
    pub starts: Date,
    /// The most mails of each day, from the first one on; 1 or more each, never falling.
    pub mails_per_day: Vec<u32>,
}

impl WarmUp {
    /// Returns the UTC day of `now` and its most mails; `None` once the ramp is over. Before the ramp starts the first
    /// day's number applies.
    #[must_use]
    pub fn limit_at(&self, now: Timestamp) -> Option<(Date, u32)> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let day = today.since(self.starts).map_or(0, |span| span.get_days().max(0));
        let most = usize::try_from(day).ok().and_then(|day| self.mails_per_day.get(day))?;
        Some((today, *most))
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWarmUp {
    /// The first day of sending, such as "2026-12-01", UTC.
    starts: Spanned<String>,
    /// The most mails of each day from the first one on, 1 to 90 numbers that do not fall, such as [50, 100, 200, 400]. After the last day the
    /// account's own quota is the only limit. What does not fit into a day waits for the next one, up to its age limit. Essential mails
    /// are always sent.
    mails_per_day: Spanned<Vec<u32>>,
}

/// Checks the ramp.
pub(crate) fn load(report: &mut Reporter<'_>, raw: RawWarmUp) -> Option<WarmUp> {
    let starts: Result<Date, _> = raw.starts.get_ref().parse();
    if starts.is_err() {
        report.at(raw.starts.span(), "mail.warm_up.starts must be a day, such as \"2026-12-01\"");
    }
    let days = raw.mails_per_day.get_ref();
    if !(1..=MAX_DAYS).contains(&days.len()) {
        report.at(
            raw.mails_per_day.span(),
            format!("mail.warm_up.mails_per_day must have from 1 to {MAX_DAYS} numbers, one for each day"),
        );
    } else if days.contains(&0) {
        report.at(
            raw.mails_per_day.span(),
            "mail.warm_up.mails_per_day: 0 would stop all mails of a day; each number must be 1 or more",
        );
    } else if let Some(pair) = days.windows(2).find(|pair| matches!(pair, [before, after] if after < before)) {
        let message = format!(
            "mail.warm_up.mails_per_day falls from {} to {}: mailbox providers trust a sender whose volume grows steadily",
            pair.first().copied().unwrap_or_default(),
            pair.last().copied().unwrap_or_default()
        );
        report.at(raw.mails_per_day.span(), message);
    }
    Some(WarmUp { starts: starts.ok()?, mails_per_day: raw.mails_per_day.into_inner() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ramp() -> WarmUp {
        WarmUp { starts: "2026-12-01".parse().unwrap(), mails_per_day: vec![50, 100, 400] }
    }

    fn limit(at: &str) -> Option<u32> {
        ramp().limit_at(at.parse().unwrap()).map(|(_, most)| most)
    }

    #[test]
    fn each_utc_day_has_its_number_and_after_the_last_there_is_no_limit() {
        assert_eq!(limit("2026-12-01T00:00:00Z"), Some(50));
        assert_eq!(limit("2026-12-01T23:59:59Z"), Some(50));
        assert_eq!(limit("2026-12-02T00:00:00Z"), Some(100));
        assert_eq!(limit("2026-12-03T12:00:00Z"), Some(400));
        assert_eq!(limit("2026-12-04T00:00:00Z"), None);
        assert_eq!(limit("2027-12-04T00:00:00Z"), None, "a year later, whatever a span counts in");
    }

    #[test]
    fn before_the_first_day_its_number_holds() {
        assert_eq!(limit("2026-11-12T08:00:00Z"), Some(50));
    }
}
