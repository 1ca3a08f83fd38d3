//! `schedules.toml`: when the clock calls which function.

use crate::error::Reporter;
use serde::Deserialize;

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

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Vec<Schedule> {
    let Some(file) = report.parse::<File>() else { return Vec::new() };
    let mut out = Vec::new();
    for schedule in file.schedule {
        let span = schedule.span();
        let schedule = schedule.into_inner();
        let known = ["rate(", "cron(", "at("].iter().any(|p| schedule.expression.starts_with(p)) && schedule.expression.ends_with(')');
        if !known {
            report.at(span.clone(), format!("schedule `{}`: expression must be rate(…), cron(…) or at(…)", schedule.id));
        }
        if jiff::tz::TimeZone::get(&schedule.time_zone).is_err() {
            report.at(span, format!("schedule `{}`: `{}` is no IANA time zone", schedule.id, schedule.time_zone));
        }
        out.push(schedule);
    }
    out
}
