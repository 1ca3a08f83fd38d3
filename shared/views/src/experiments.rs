//! The results of splits and holdouts.

pub mod words;

use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::Does;
use perennial_engine::experiment::report::EFFECT;
use perennial_engine::experiment::verdict::InvalidEffect;
use perennial_engine::experiment::{Report, Tally, reports};
use perennial_store::count::Count;
use serde::{Deserialize, Serialize};

/// The results of the experiments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiments {
    /// A report of each journey that has a split or a holdout, in the config's order.
    pub journeys: Vec<Report>,
    /// The number of evaluated people.
    pub people: u64,
    /// Profiles that cannot be read, and are in none of the numbers.
    #[serde(default)]
    pub unreadable: u64,
    /// The config whose splits and holdouts were counted.
    pub config: String,
    /// When they began to be counted.
    pub counted_at: Timestamp,
    /// When this was asked.
    pub now: Timestamp,
}

/// Returns the reports of all journeys, or of one. `effect` is the smallest difference of rates that matters, as a number over 0 and
/// below 1.
///
/// # Errors
/// [`ViewError::NotFound`] for a journey without a split or holdout, [`ViewError::Wrong`] for an effect that cannot be,
/// [`ViewError::NotCounted`] before the first count, or if the table fails.
pub async fn show(views: &Views, journey: Option<&str>, effect: Option<&str>) -> Result<Experiments, ViewError> {
    let effect = match effect {
        None => EFFECT,
        Some(text) => {
            text.parse().map_err(|_| ViewError::Wrong("effect is a number over 0 and below 1, such as 0.05"))?
        }
    };
    let (config, now) = (views.config.in_force().await?, views.clock.now());
    if let Some(name) = journey {
        is_tested(&config, name)?;
    }
    let invalid = |error: InvalidEffect| ViewError::Invalid(error.to_string());
    // An effect that cannot be is refused before anything is read.
    reports(&config, &Tally::new(&config, now), effect).map_err(invalid)?;
    let Count { at, config: version, figures, .. } = views.status.count(&views.store, &config, now).await?;
    if journey.is_some_and(|name| !figures.experiments.has(name)) {
        return Err(ViewError::NotCounted);
    }
    let mut journeys = reports(&config, &figures.experiments, effect).map_err(invalid)?;
    journeys.retain(|report| journey.is_none_or(|name| report.journey == name));
    let (people, unreadable) = (figures.people, figures.unreadable);
    Ok(Experiments { journeys, people, unreadable, config: version.to_string(), counted_at: at, now })
}

/// Returns an error unless the journey has a split or a holdout.
fn is_tested(config: &Config, name: &str) -> Result<(), ViewError> {
    const NONE: ViewError = ViewError::NotFound("there is no journey of this name");
    const PLAIN: ViewError =
        ViewError::NotFound("this journey has neither a split nor a holdout that it could be compared with");
    let journey = config.journeys.named(name).ok_or(NONE)?;
    let splits = journey.steps.iter().any(|step| matches!(step.does, Does::Split { .. }));
    let always = config.limits.holdout.is_some() && journey.goal.is_some() && !journey.essential;
    if splits || journey.holdout > 0 || always { Ok(()) } else { Err(PLAIN) }
}
