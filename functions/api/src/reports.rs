//! `GET /api/reports` and `/api/reports/{name}`: what the `report` function stored last, or on a day.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use lambda_http::Body;
use perennial_reports::{Name, Report};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct ReportsView {
    reports: Vec<NameView>,
    /// The last complete run; `null` before the first one.
    made: Option<Value>,
    now: Timestamp,
}

#[derive(Serialize)]
struct NameView {
    name: &'static str,
    description: &'static str,
    /// `true` if reports of earlier days can be read.
    history: bool,
}

/// Returns the names of all reports, and when they were made.
pub(crate) async fn list(deps: &Deps) -> Result<Response<Body>, Failure> {
    let view =
        |name: Name| NameView { name: name.as_str(), description: name.description(), history: !name.names_people() };
    let reports = Name::ALL.into_iter().map(view).collect();
    let made = deps.store.reports_made().await?;
    answer::json(&ReportsView { reports, made, now: deps.clock.now() })
}

/// Returns a report of the last run, or of the last run of the UTC day `day`.
pub(crate) async fn show(deps: &Deps, name: &str, day: Option<&str>) -> Result<Response<Body>, Failure> {
    let Some(name) = Name::parse(name) else {
        let names: Vec<&str> = Name::ALL.into_iter().map(Name::as_str).collect();
        return Err(Failure::Unknown(format!("no report is called that; there are {}", names.join(", "))));
    };
    let day: Option<Date> = match day.map(str::parse).transpose() {
        Ok(day) => day,
        Err(_) => return Err(Failure::Wrong("day must be a date, such as 2026-01-31")),
    };
    let report: Option<Report> = deps.store.report(name.as_str(), day).await?;
    match (report, day) {
        (Some(report), _) => answer::json(&report),
        (None, Some(day)) => {
            let why = if name.names_people() { "it names people, and has no history" } else { "none was made on that day" };
            Err(Failure::Unknown(format!("there is no report `{}` of {day}: {why}", name.as_str())))
        }
        (None, None) => Err(Failure::Unknown(
            "the reports were not made yet: the `report` function makes them once a day; `perennial report --now` makes them at once".to_owned(),
        )),
    }
}

#[cfg(test)]
#[path = "reports_tests.rs"]
mod tests;
