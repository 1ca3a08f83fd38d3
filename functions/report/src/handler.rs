//! Counts all profiles, in parts, and makes the reports once they are counted.

use crate::deps::Deps;
use crate::error::ReportError;
use crate::{events, profiles};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::ConfigVersion;
use perennial_domain::time::day_of;
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_reports::Tally;
use perennial_store::ConfigStoreError;
use perennial_store::figures::{Found, Pass};
use serde::{Deserialize, Serialize};

/// A request of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// `true` to begin a pass even if one was made today. One in progress is continued.
    #[serde(default)]
    pub now: bool,
}

impl Request {
    /// Reads the request in a payload: a schedule's has none, `{"now": true}` has.
    pub fn of(payload: &serde_json::Value) -> Self {
        serde_json::from_value(payload.clone()).unwrap_or_default()
    }
}

/// The stored description of a complete run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The time that the reports describe: when the pass began.
    pub at: Timestamp,
    /// The configuration under which they were counted.
    pub config: ConfigVersion,
    /// Profiles that were counted.
    pub people: u64,
    /// Profiles, events and objects that cannot be read, and are not counted.
    pub unreadable: u64,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// `true` if work is left for the next run.
    pub more: bool,
    /// The reports that were made in this run; `None` if none were.
    pub made: Option<Made>,
}

/// A pass as this function counts it.
type Counting = Pass<Tally>;

/// Continues the pass in progress, or begins one if none was made today or `request` says so. Makes the reports once it
/// is complete. Safe to run again at any point, and twice at once.
///
/// # Errors
/// [`ReportError`] if the table or the archive fails: the next run continues from the last stored progress.
pub async fn handle(deps: &Deps, request: Request) -> Result<Ran, ReportError> {
    let began = deps.clock.now();
    let ran = run(deps, request, began).await;
    Metrics::new("Perennial", "report")
        .count("ReportsMade", u64::from(ran.as_ref().is_ok_and(|ran| ran.made.is_some())))
        .count(CONFIGS_COMPILED, deps.store.take_compiled_configs())
        .emit(began);
    ran
}

async fn run(deps: &Deps, request: Request, began: Timestamp) -> Result<Ran, ReportError> {
    let Some((mut pass, config)) = next(deps, request, began).await? else {
        return Ok(Ran { more: false, made: None });
    };
    let outcome = profiles::count(deps, &mut pass, &config, began).await;
    // A failure does not lose the counts before it. Where another run continued the pass, this one's share is in it.
    if !deps.store.note_figures_pass(&mut pass).await? {
        return Ok(Ran { more: true, made: None });
    }
    outcome?;
    if !pass.is_read {
        return Ok(Ran { more: true, made: None });
    }
    let Some(archived) = events::archived(deps, &config, pass.began.0, began).await? else {
        return Ok(Ran { more: true, made: None });
    };
    let made = make(deps, &mut pass, &config, &archived).await?;
    Ok(Ran { more: false, made })
}

/// Stores the reports, and the pass as complete.
async fn make(
    deps: &Deps,
    pass: &mut Counting,
    config: &Config,
    archived: &perennial_reports::Archived,
) -> Result<Option<Made>, ReportError> {
    let Some(tally) = pass.counted.take() else { return Ok(None) };
    let at = tally.at();
    for report in tally.reports(config, archived) {
        deps.store.put_report(report.name.as_str(), at, !report.name.names_people(), &report).await?;
    }
    let unreadable = tally.unreadable + archived.ledger.unreadable;
    let made = Made { at, config: config.version.clone(), people: tally.people, unreadable };
    deps.store.put_reports_made(at, &made).await?;
    // Last: what fails before is made again.
    deps.store.note_figures_pass(pass).await?;
    if unreadable > 0 {
        tracing::error!(unreadable, "failed to read profiles, events or objects; they are not counted");
    }
    Ok(Some(made))
}

/// Returns the pass to continue, and the configuration that it counts under; `None` if no pass is due.
async fn next(deps: &Deps, request: Request, now: Timestamp) -> Result<Option<(Counting, Config)>, ReportError> {
    let before = deps.store.figures_pass::<Tally>().await?;
    if let Found::Pass(pass) = &before {
        let (at, version) = &pass.began;
        if pass.counted.is_some() {
            match deps.store.config(version).await {
                Ok(config) => return Ok(Some((pass.clone(), config))),
                Err(ConfigStoreError::Store(error)) if !error.is_unreadable() => return Err(error.into()),
                // A version that cannot be read or compiled any more is not counted under to the end.
                Err(_) => {}
            }
        } else if !request.now && day_of(*at) == day_of(now) {
            return Ok(None);
        }
    }
    let config = match deps.store.load_config().await {
        Err(ConfigStoreError::Nothing) => return Err(ReportError::NoConfig),
        config => config?,
    };
    let (version, tally) = (config.version.clone(), Tally::new(now));
    let pass = match before {
        Found::Pass(before) => Pass::new(Some(&before), now, version, tally),
        Found::Nothing => Pass::new(None, now, version, tally),
        Found::Unreadable(stored) => Pass::replacing(stored, now, version, tally),
    };
    Ok(Some((pass, config)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schedule_requests_nothing_and_an_operator_a_run_now() {
        assert_eq!(Request::of(&json!({"detail-type": "Scheduled Event", "detail": "{}"})), Request { now: false });
        assert_eq!(Request::of(&serde_json::Value::Null), Request { now: false });
        assert_eq!(Request::of(&json!({"now": true})), Request { now: true });
    }
}
