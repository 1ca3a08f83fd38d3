//! `schedules.toml`: when the clock calls which function.

use crate::error::{Reporter, unknown};
use serde::Deserialize;
use std::collections::HashSet;

/// One schedule, as EventBridge Scheduler takes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its name.
    pub id: String,
    /// The function it calls.
    pub function: String,
    /// `rate(5 minutes)` or `cron(0 6 * * ? *)`.
    pub expression: String,
    /// The IANA zone that a cron expression is read in.
    #[serde(default = "utc")]
    pub time_zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    schedule: Vec<toml::Spanned<Schedule>>,
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
    for schedule in file.schedule {
        let span = schedule.span();
        let schedule = schedule.into_inner();
        if !ids.insert(schedule.id.clone()) {
            report.at(span.clone(), format!("two schedules cannot share the id `{}`", schedule.id));
        }
        if !FUNCTIONS.contains(&schedule.function.as_str()) {
            report.at(
                span.clone(),
                format!(
                    "schedule `{}`: {}",
                    schedule.id,
                    unknown("function with a schedule", &schedule.function, FUNCTIONS)
                ),
            );
        }
        if let Err(message) = expression(&schedule.expression) {
            report.at(span.clone(), format!("schedule `{}`: {message}", schedule.id));
        }
        if !is_time_zone(&schedule.time_zone) {
            report.at(
                span,
                format!(
                    "schedule `{}`: `{}` is no IANA time zone, such as Europe/Berlin",
                    schedule.id, schedule.time_zone
                ),
            );
        }
        out.push(schedule);
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
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(rate) = inner("rate") {
        return match rate.split_once(' ') {
            Some((count, "minute" | "minutes" | "hour" | "hours" | "day" | "days"))
                if count.parse::<u32>().is_ok_and(|n| n > 0) =>
            {
                Ok(())
            }
            _ => Err("rate takes a number from 1 and minutes, hours or days, such as rate(5 minutes)"),
        };
    }
    if let Some(cron) = inner("cron") {
        let fields = cron.split_whitespace().count();
        return if fields == 6 {
            Ok(())
        } else {
            Err("cron takes six fields: minute hour day-of-month month day-of-week year, such as cron(0 6 * * ? *)")
        };
    }
    match inner("at") {
        Some(at) if at.parse::<jiff::civil::DateTime>().is_ok() => Ok(()),
        Some(_) => Err("at takes a date and time, such as at(2027-01-31T06:00:00)"),
        None => Err("expression must be rate(…), cron(…) or at(…)"),
    }
}
