//! `schedules.toml`: when the clock calls which function.

use crate::error::{Reporter, unknown};
use crate::spanned::Spanned;
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::HashSet;

/// One schedule, as EventBridge Scheduler takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub id: String,
    /// The function it calls.
    pub function: String,
    /// `rate(5 minutes)` or `cron(0 6 * * ? *)`.
    pub expression: String,
    /// The IANA zone that a cron expression is read in.
    pub time_zone: String,
}

impl Schedule {
    /// The time between two calls of a rate, in whole minutes; `None` for a cron and for one moment.
    #[must_use]
    pub fn every(&self) -> Option<SignedDuration> {
        period(inner(&self.expression, "rate")?)
    }
}

/// When the clock calls which function.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// A schedule: what is called, and when.
    #[serde(default)]
    schedule: Vec<RawSchedule>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSchedule {
    /// A name of your own: letters, digits, `_` and `-`; unique.
    id: Spanned<String>,
    /// What it calls: "sweep".
    function: Spanned<String>,
    /// rate(5 minutes), rate(1 hour), cron(minute hour day-of-month month day-of-week year) or at(2027-01-31T06:00:00).
    expression: Spanned<String>,
    /// The IANA zone that a cron expression is read in, such as "Europe/Berlin"; "UTC" where nothing is written.
    time_zone: Option<Spanned<String>>,
}

/// What a schedule may call.
const FUNCTIONS: [&str; 1] = ["sweep"];

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Vec<Schedule> {
    let Some(file) = report.parse::<File>() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut ids = HashSet::new();
    for raw in file.schedule {
        report.name("a schedule", &raw.id);
        let id = raw.id.get_ref();
        if !ids.insert(id.clone()) {
            report.at(raw.id.span(), format!("two schedules cannot share the id `{id}`"));
        }
        let function = raw.function.get_ref();
        if !FUNCTIONS.contains(&function.as_str()) {
            let message = format!("schedule `{id}`: {}", unknown("function with a schedule", function, FUNCTIONS));
            report.at(raw.function.span(), message);
        }
        if let Err(message) = expression(raw.expression.get_ref()) {
            report.at(raw.expression.span(), format!("schedule `{id}`: {message}"));
        }
        if let Some(zone) = raw.time_zone.as_ref().filter(|zone| !is_time_zone(zone.get_ref())) {
            let message = format!("schedule `{id}`: `{}` is no IANA time zone, such as Europe/Berlin", zone.get_ref());
            report.at(zone.span(), message);
        }
        out.push(Schedule {
            id: raw.id.into_inner(),
            function: raw.function.into_inner(),
            expression: raw.expression.into_inner(),
            time_zone: raw.time_zone.map_or_else(|| "UTC".to_owned(), Spanned::into_inner),
        });
    }
    out
}

/// Whether `name` is an IANA zone. UTC is one without a look at the system's zones, which costs a function's start more than the rest of this
/// file; where the system has none, as in Lambda's minimal images, every name is taken: `check` was run elsewhere.
fn is_time_zone(name: &str) -> bool {
    name == "UTC" || jiff::tz::db().is_definitively_empty() || jiff::tz::TimeZone::get(name).is_ok()
}

/// Checks the outer form of an EventBridge Scheduler expression; the fields of a cron are the scheduler's to read.
fn expression(text: &str) -> Result<(), &'static str> {
    if let Some(rate) = inner(text, "rate") {
        return period(rate)
            .map(drop)
            .ok_or("rate takes a number from 1 and minutes, hours or days, such as rate(5 minutes)");
    }
    if let Some(cron) = inner(text, "cron") {
        let fields = cron.split_whitespace().count();
        return if fields == 6 {
            Ok(())
        } else {
            Err("cron takes six fields: minute hour day-of-month month day-of-week year, such as cron(0 6 * * ? *)")
        };
    }
    match inner(text, "at") {
        Some(at) if at.parse::<jiff::civil::DateTime>().is_ok() => Ok(()),
        Some(_) => Err("at takes a date and time, such as at(2027-01-31T06:00:00)"),
        None => Err("expression must be rate(…), cron(…) or at(…)"),
    }
}

/// What stands between the brackets of `name(…)`.
fn inner<'a>(expression: &'a str, name: &str) -> Option<&'a str> {
    expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// The time of `5 minutes`, if it is one that a rate may have.
fn period(rate: &str) -> Option<SignedDuration> {
    let (count, unit) = rate.split_once(' ')?;
    let minutes = match unit {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return None,
    };
    let count = count.parse::<u32>().ok().filter(|count| *count > 0)?;
    Some(SignedDuration::from_mins(i64::from(count) * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rates_have_a_rate() {
        let every = |expression: &str| {
            let (id, function) = ("s".to_owned(), "sweep".to_owned());
            Schedule { id, function, expression: expression.to_owned(), time_zone: "UTC".to_owned() }.every()
        };
        assert_eq!(every("rate(5 minutes)"), Some(SignedDuration::from_secs(300)));
        assert_eq!(every("rate(1 day)"), Some(SignedDuration::from_secs(86_400)));
        assert_eq!(every("cron(0 6 * * ? *)"), None);
        for wrong in ["rate(0 minutes)", "rate(5 weeks)", "rate 5", "rate(5)"] {
            assert_eq!(every(wrong), None, "{wrong}");
        }
    }
}
