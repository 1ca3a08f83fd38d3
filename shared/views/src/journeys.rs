//! The journeys that a person entered, and where they wait.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_engine::candidate::WaitsFor;
use perennial_engine::facts::{Facts, Run};
use serde::Serialize;

/// A journey that the person entered.
#[derive(Debug, Serialize)]
pub struct JourneyView<'a> {
    /// The journey's id.
    pub name: &'a str,
    /// The number of entries.
    pub times: u32,
    /// When last.
    pub entered: Option<Timestamp>,
    /// When its goal was reached after that; `null` if it was not, or there is none.
    pub reached: Option<Timestamp>,
    /// The current wait; `null` if no run is in progress.
    pub waits: Option<WaitView<'a>>,
}

/// The wait of a run.
#[derive(Debug, Serialize)]
pub struct WaitView<'a> {
    /// The step's id; `null` for one that the journey does not have any more.
    pub step: Option<&'a str>,
    /// When it began.
    pub since: Option<Timestamp>,
    /// When the run resumes at the latest; for a step's message that waits for its turn, when it is evaluated again.
    pub until: Option<Timestamp>,
    /// The condition that the step's message waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_waits_for: Option<WaitsFor>,
}

/// Returns the journeys that the person entered, in the file's order.
pub fn journeys<'c>(config: &'c Config, facts: &Facts) -> Vec<JourneyView<'c>> {
    let millisecond = |at| Timestamp::from_millisecond(at).ok();
    let each = config.journeys.all.iter().filter_map(|journey| {
        let entered = facts.entered.get(&journey.key)?;
        Some(JourneyView {
            name: &journey.id,
            times: entered.times,
            entered: millisecond(entered.last),
            reached: entered.reached.and_then(millisecond),
            waits: facts.runs.get(&journey.key).map(|run| waits(config, journey, run)),
        })
    });
    each.collect()
}

fn waits<'c>(config: &'c Config, journey: &'c Journey, run: &Run) -> WaitView<'c> {
    let journey = config.journeys.under_way(journey.key, run.version).unwrap_or(journey);
    let step = journey.steps.iter().find(|step| step.key == run.step);
    WaitView {
        step: step.map(|step| step.id.as_str()),
        since: Timestamp::from_millisecond(run.since).ok(),
        until: Timestamp::from_second(run.due).ok(),
        message_waits_for: run.candidate.map(|candidate| candidate.delay.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_engine::{Mode, Moment, Profile, process};
    use perennial_testkit::{ConfigBuilder, EventBuilder};
    use serde_json::json;

    const JOURNEYS: &str = r#"!
        [[journey]]
        id = "others"
        trigger = { event = "Something Else" }
        [[journey.step]]
        wait = { days = 1 }
        [[journey]]
        id = "course"
        trigger = { event = "Login" }
        goal = { event = "Course Completed" }
        [[journey.step]]
        id = "pause"
        wait = { days = 2 }
    "#;

    #[test]
    fn who_is_on_the_way_is_shown_with_the_step_at_which_they_wait() {
        let config = ConfigBuilder::least().with(&[("journeys.toml", JOURNEYS)]).load();
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        let event = |id: &str, name: &str| EventBuilder::track(id, "ada", name).at(now).build();
        let mut profile = Profile::new(event("m0", "Login").identity().unwrap());
        let mut shown = |event| {
            process(&Moment::new(&config, now), &mut profile, &[event], &Default::default(), Mode::Live);
            serde_json::to_value(journeys(&config, &profile.facts())).unwrap()
        };
        let mut expected = json!([{
            "name": "course", "times": 1, "entered": "2026-03-02T10:00:00Z", "reached": null,
            "waits": { "step": "pause", "since": "2026-03-02T10:00:00Z", "until": "2026-03-04T10:00:00Z" },
        }]);
        assert_eq!(shown(event("m1", "Login")), expected);
        (expected[0]["reached"], expected[0]["waits"]) = ("2026-03-02T10:00:00Z".into(), json!(null));
        assert_eq!(shown(event("m2", "Course Completed")), expected);
    }
}
