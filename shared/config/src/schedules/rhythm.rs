//! When a schedule calls: the expressions of EventBridge Scheduler. `config check`, the embedded stack and deployments read them here.

use super::cron::Cron;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When a schedule calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rhythm {
    /// `rate(5 minutes)`: again and again, in whole minutes.
    Every(SignedDuration),
    /// `cron(0 6 * * ? *)`: at times of the schedule's time zone.
    Cron(Box<Cron>),
    /// `at(2027-01-31T06:00:00)`: once, at a time of the schedule's time zone.
    Once(DateTime),
}

impl Rhythm {
    /// Parses an expression of EventBridge Scheduler.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            let period = period(rate).map(Self::Every);
            return period.ok_or_else(|| RATE.to_owned());
        }
        if let Some(fields) = inner("cron") {
            return Ok(Self::Cron(Box::new(Cron::parse(fields)?)));
        }
        match inner("at") {
            Some(at) => DateTime::strptime("%Y-%m-%dT%H:%M:%S", at.trim())
                .map(Self::Once)
                .map_err(|_| "at takes a date and a time, such as at(2027-01-31T06:00:00)".to_owned()),
            None => Err("expression must be rate(…), cron(…) or at(…)".to_owned()),
        }
    }

    /// Returns the first time after `after`, in `zone`; a rate counts from `after`. A local time that is skipped in
    /// spring is left out, and one that is repeated in autumn is used once, as in EventBridge Scheduler.
    #[must_use]
    pub fn after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(period) => after.checked_add(*period).ok(),
            Self::Cron(cron) => {
                let mut from = zone.to_datetime(after);
                loop {
                    let next = cron.next(from)?;
                    // In the second of two equal hours, the times of the first have passed.
                    match moment(next, zone).filter(|at| *at > after) {
                        Some(at) => return Some(at),
                        None => from = next,
                    }
                }
            }
            Self::Once(at) => moment(*at, zone).filter(|at| *at > after),
        }
    }
}

/// When clocks in `zone` first show `at`; `None` where they pass over it.
fn moment(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        _ => ambiguous.earlier().ok(),
    }
}

const RATE: &str = "rate takes a whole number from 1 and minutes, hours or days, such as rate(5 minutes)";

/// Returns the period of `5 minutes`, if it is a valid rate.
fn period(rate: &str) -> Option<SignedDuration> {
    let mut words = rate.split_whitespace();
    let (count, unit) = (words.next()?, words.next()?);
    if words.next().is_some() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let minutes = match unit {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return None,
    };
    let count = count.parse::<u32>().ok().filter(|count| *count > 0)?;
    Some(SignedDuration::from_mins(i64::from(count) * minutes))
}
