//! The stored reports: those of the last run, or of a day.

use crate::{ViewError, Views};
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_reports::{Name, Report};
use serde::Serialize;
use serde_json::Value;

/// The reports there are.
#[derive(Debug, Serialize)]
pub struct ReportsView {
    /// All of them, in the order of their definition.
    pub reports: Vec<NameView>,
    /// The last complete run; `null` before the first one.
    pub made: Option<Value>,
    /// When this was asked.
    pub now: Timestamp,
}

/// A report that there is.
#[derive(Debug, Serialize)]
pub struct NameView {
    /// Its name.
    pub name: &'static str,
    /// Its contents, in words.
    pub description: &'static str,
    /// `true` if reports of earlier days can be read.
    pub history: bool,
}

/// Returns the names of all reports, and when they were made.
///
/// # Errors
/// [`ViewError`] if the table fails.
pub async fn list(views: &Views) -> Result<ReportsView, ViewError> {
    let view =
        |name: Name| NameView { name: name.as_str(), description: name.description(), history: !name.names_people() };
    let reports = Name::ALL.into_iter().map(view).collect();
    let made = views.store.reports_made().await?;
    Ok(ReportsView { reports, made, now: views.clock.now() })
}

/// Returns a report of the last run, or of the last run of the UTC day `day`.
///
/// # Errors
/// [`ViewError::Unknown`] for a name or a day without a report, [`ViewError::Wrong`] for a text that is no day, or if the
/// table fails.
pub async fn show(views: &Views, name: &str, day: Option<&str>) -> Result<Report, ViewError> {
    let Some(name) = Name::parse(name) else {
        let names: Vec<&str> = Name::ALL.into_iter().map(Name::as_str).collect();
        return Err(ViewError::Unknown(format!("no report is called that; there are {}", names.join(", "))));
    };
    let day: Option<Date> = match day.map(str::parse).transpose() {
        Ok(day) => day,
        Err(_) => return Err(ViewError::Wrong("day must be a date, such as 2026-01-31")),
    };
    let report: Option<Report> = views.store.report(name.as_str(), day).await?;
    match (report, day) {
        (Some(report), _) => Ok(report),
        (None, Some(day)) => {
            let why = if name.names_people() { "it names people, and has no history" } else { "none was made on that day" };
            Err(ViewError::Unknown(format!("there is no report `{}` of {day}: {why}", name.as_str())))
        }
        (None, None) => Err(ViewError::Unknown(
            "the reports were not made yet: the `report` function makes them once a day; `perennial report --now` makes them at once".to_owned(),
        )),
    }
}
