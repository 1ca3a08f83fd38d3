//! `schedules.toml`: when the clock calls which function.

mod cron;
mod rhythm;

pub use cron::Cron;
pub use rhythm::Rhythm;

use crate::error::{Reporter, Used};
use crate::spanned::Spanned;
use crate::spelling::unknown;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// One schedule for EventBridge Scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name.
    pub id: String,
    /// The function it calls.
    pub function: String,
    /// `rate(5 minutes)` or `cron(0 6 * * ? *)`.
    pub expression: String,
    /// The IANA zone that a cron expression is read in.
    pub time_zone: String,
    /// The parsed expression.
    pub rhythm: Rhythm,
}

impl Schedule {
    /// The time between two calls of a rate, in whole minutes; `None` for a cron and for one moment.
    #[must_use]
    pub fn every(&self) -> Option<SignedDuration> {
        match self.rhythm {
            Rhythm::Every(period) => Some(period),
            Rhythm::Cron(_) | Rhythm::Once(_) => None,
        }
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
    /// The function to call: "sweep" or "report".
    function: Spanned<String>,
    /// When: rate(5 minutes), rate(1 hour), cron(minutes hours day-of-month month day-of-week year) or at(2027-01-31T06:00:00), as EventBridge Scheduler
    /// takes them. In cron, day 1 of the week is Sunday, and one of day-of-month and day-of-week is `?`; L, W and # are allowed.
    expression: Spanned<String>,
    /// The IANA zone of a cron expression, such as "Europe/Berlin"; default: "UTC".
    time_zone: Option<Spanned<String>>,
}

/// The functions that a schedule may call.
const FUNCTIONS: [&str; 2] = ["sweep", "report"];

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Vec<Schedule> {
    let Some(file) = report.parse::<File>() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut ids = Used::default();
    for raw in file.schedule {
        report.unique(&mut ids, "a schedule", "id", &raw.id);
        let id = raw.id.get_ref();
        let function = raw.function.get_ref();
        if !FUNCTIONS.contains(&function.as_str()) {
            let message = format!("schedule `{id}`: {}", unknown("function with a schedule", function, FUNCTIONS));
            report.at(raw.function.span(), message);
        }
        let rhythm = Rhythm::parse(raw.expression.get_ref());
        if let Err(message) = &rhythm {
            report.at(raw.expression.span(), format!("schedule `{id}`: {message}"));
        }
        if let Some(zone) = raw.time_zone.as_ref().filter(|zone| !is_time_zone(zone.get_ref())) {
            let message = format!("schedule `{id}`: `{}` is no IANA time zone, such as Europe/Berlin", zone.get_ref());
            report.at(zone.span(), message);
        }
        let Ok(rhythm) = rhythm else { continue };
        out.push(Schedule {
            rhythm,
            id: raw.id.into_inner(),
            function: raw.function.into_inner(),
            expression: raw.expression.into_inner(),
            time_zone: raw.time_zone.map_or_else(|| "UTC".to_owned(), Spanned::into_inner),
        });
    }
    out
}

/// Returns whether `name` is an IANA zone. UTC is accepted without the system's zones, which cost a function's start
/// more than the rest of this file; if the system has none, as in Lambda's minimal images, every name is accepted,
/// because `check` ran elsewhere.
fn is_time_zone(name: &str) -> bool {
    name == "UTC" || jiff::tz::db().is_definitively_empty() || jiff::tz::TimeZone::get(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rates_have_a_rate() {
        let every = |expression: &str| {
            let (id, function, rhythm) = ("s".to_owned(), "sweep".to_owned(), Rhythm::parse(expression).ok()?);
            let (expression, time_zone) = (expression.to_owned(), "UTC".to_owned());
            Schedule { id, function, expression, time_zone, rhythm }.every()
        };
        assert_eq!(every("rate(5 minutes)"), Some(SignedDuration::from_secs(300)));
        assert_eq!(every("rate(1 day)"), Some(SignedDuration::from_secs(86_400)));
        assert_eq!(every("cron(0 6 * * ? *)"), None);
    }
}
