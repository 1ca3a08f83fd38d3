//! `GET /api/experiments` and `/api/experiments/{journey}`: what splits and holdouts have shown.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_config::journeys::Does;
use perennial_engine::experiment::verdict::InvalidEffect;
use perennial_engine::experiment::{Report, Tally, reports};
use perennial_store::count::Count;
use serde::{Deserialize, Serialize};

/// The default difference of rates to plan for: five percentage points.
const EFFECT: f64 = 0.05;

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

/// Answers with the reports of all journeys, or of one. `effect` is the smallest difference of rates that matters, as a number over 0 and
/// below 1.
pub(crate) async fn show(deps: &Deps, journey: Option<&str>, effect: Option<&str>) -> Result<Response<Body>, Failure> {
    let effect = match effect {
        None => EFFECT,
        Some(text) => {
            text.parse().map_err(|_| Failure::Wrong("effect is a number over 0 and below 1, such as 0.05"))?
        }
    };
    let (config, now) = (deps.config.in_force().await?, deps.clock.now());
    if let Some(name) = journey {
        is_tested(&config, name)?;
    }
    let invalid = |error: InvalidEffect| Failure::Invalid(error.to_string());
    // An effect that cannot be is refused before anything is read.
    reports(&config, &Tally::new(&config, now), effect).map_err(invalid)?;
    let Count { at, config: version, figures, .. } = deps.status.count(&deps.store, &config, now).await?;
    if journey.is_some_and(|name| !figures.experiments.has(name)) {
        return Err(Failure::NotCounted);
    }
    let mut journeys = reports(&config, &figures.experiments, effect).map_err(invalid)?;
    journeys.retain(|report| journey.is_none_or(|name| report.journey == name));
    let (people, unreadable) = (figures.people, figures.unreadable);
    answer::json(&Experiments { journeys, people, unreadable, config: version.to_string(), counted_at: at, now })
}

/// Returns an error unless the journey has a split or a holdout.
fn is_tested(config: &Config, name: &str) -> Result<(), Failure> {
    const NONE: Failure = Failure::NotFound("there is no journey of this name");
    const PLAIN: Failure =
        Failure::NotFound("this journey has neither a split nor a holdout that it could be compared with");
    let journey = config.journeys.named(name).ok_or(NONE)?;
    let splits = journey.steps.iter().any(|step| matches!(step.does, Does::Split { .. }));
    let always = config.limits.holdout.is_some() && journey.goal.is_some() && !journey.essential;
    if splits || journey.holdout > 0 || always { Ok(()) } else { Err(PLAIN) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::access::Access;
    use crate::handler::tests::{call, get};
    use crate::test_support::{ada, config_with, house_with, now};
    use perennial_domain::hash::hash32;
    use perennial_engine::Profile;
    use perennial_engine::facts::{Assigned, Entered, split_key};
    use perennial_store::Stored;
    use serde_json::json;

    const JOURNEYS: &str = r#"!
        [[journey]]
        id = "course"
        trigger = { event = "Login" }
        goal = { event = "Report Viewed", within_days = 10 }
        [[journey.step]]
        id = "which"
        split = { long = 50, short = 50 }
        [[journey.step]]
        id = "long"
        wait = { days = 1 }
        then = "end"
        [[journey.step]]
        id = "short"
        wait = { days = 1 }
        [[journey]]
        id = "plain"
        trigger = { event = "Login" }
        step = [{ wait = { days = 1 } }]
    "#;

    #[tokio::test]
    async fn people_are_counted_by_the_way_that_they_were_assigned_to() {
        let house = house_with(Access::Open, config_with(&[("journeys.toml", JOURNEYS)])).await;
        let mut profile = Profile::new(ada());
        let at = now().as_second() - 20 * 86_400;
        let facts = &mut profile.part_mut(&ada()).facts;
        facts.entered.insert(hash32("course"), Entered { times: 1, last: at * 1000, reached: Some(at * 1000) });
        facts.assigned.insert(split_key("course", "which"), Assigned { at, way: hash32("short") });
        house.deps.store.save(&mut Stored::new(profile)).await.unwrap();
        let all = get(&house, "/api/experiments").await;
        assert_eq!((&all["people"], all["journeys"].as_array().unwrap().len()), (&json!(1), 1));
        let one = get(&house, "/api/experiments/course?effect=0.1").await;
        assert_eq!(one["journeys"][0]["effect"], json!(0.1));
        let groups = &one["journeys"][0]["experiments"][0]["groups"];
        assert_eq!((&groups[0]["name"], &groups[0]["people"]), (&json!("long"), &json!(0)));
        assert_eq!((&groups[1]["name"], &groups[1]["reached"]), (&json!("short"), &json!(1)));
        let read: Experiments = serde_json::from_value(one).unwrap();
        assert_eq!(read.journeys[0].experiments[0].groups[1].people, 1);
    }

    #[tokio::test]
    async fn what_is_no_experiment_is_told() {
        let house = house_with(Access::Open, config_with(&[("journeys.toml", JOURNEYS)])).await;
        for (path, message) in [
            ("/api/experiments/plain", "neither a split nor a holdout"),
            ("/api/experiments/curse", "no journey of this name"),
            ("/api/experiments?effect=x", "a number over 0"),
            ("/api/experiments?effect=1", "and not 1"),
        ] {
            let (status, _, body) = call(&house, "GET", path).await;
            assert!(status.is_client_error() && body.contains(message), "{path}: {body}");
        }
    }
}
