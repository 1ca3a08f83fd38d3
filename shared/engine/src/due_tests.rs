//! The next moment that matters, against looking at each day from scratch.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::drift::value_of;
use crate::evaluate::{Evaluation, look};
use crate::listing::{Listed, REACH, Scale, is_within};
use crate::moment::Moment;
use crate::process::{Mode, process};
use crate::profile::Profile;
use crate::state::State;
use perennial_config::Config;
use perennial_domain::Event;
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

/// Conditions of every kind, beside the shipped ones.
const SEGMENTS: &str = r#"
[[segment]]
name = "fading"
when = 'activity_change(7) < -0.5 || count("Feature Used", 7) >= 2'
[[segment]]
name = "sad"
when = 'sentiment < 0.0 || nps_class == "passive" || nps_days > 40'
[[segment]]
name = "split"
when = 'active_days(28) * 2 > idle_days && !(engagement >= 30)'
[[segment]]
name = "close"
when = 'scores.purchase >= 20 || scores.churn >= 35 || (scores.recommendation > 10 && segment("sad"))'
[[segment]]
name = "quiet"
when = 'days_since("Content Viewed") > 17 && tenure_days < 90 || active_months(3) == 1'
[[segment]]
name = "hours"
when = 'count_hours("Report Shared", 30) > 0 || events > 60 || stage in ["lead", "at_risk"]'
[[segment]]
name = "alone"
when = 'account.value > 0 || account.people == 1 && idle_days > 63 || !has(traits.title)'
"#;

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| ConfigBuilder::shipped().with(&[("segments.toml", SEGMENTS)]).load());

/// The names of events that the shipped config scores, that end or begin something, and that mean nothing.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names: Vec<String> =
        CONFIG.scoring.by_event.keys().chain(CONFIG.lifecycle.milestones.keys()).cloned().collect();
    names.extend(["Settings Opened", "Feature Used", "Content Viewed", "Report Shared"].map(str::to_owned));
    names.sort_unstable();
    names.dedup();
    names
});

const NOW: i64 = 1_767_225_600;

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Some come from clocks that are days ahead.
    let one = (any::<prop::sample::Index>(), -120 * 86_400..4 * 86_400_i64, 0..11_u8, prop::bool::weighted(0.03));
    proptest::collection::vec(one, 1..40).prop_map(|all| {
        let event = |(number, (name, second, answer, is_ahead)): (usize, (prop::sample::Index, i64, u8, bool))| {
            let at = Timestamp::from_second(NOW + if is_ahead { second } else { second.min(0) }).unwrap();
            let text = ["I love it", "It is terrible, I hate it", ""][usize::from(answer % 3)];
            let properties = json!({
                "score": answer, "feature": "export", "revenue": answer, "currency": "EUR", "plan": "pro", "text": text,
                "subscription_id": format!("s{}", answer % 2),
            });
            let event = EventBuilder::track(&format!("m{number}"), "u", name.get(&NAMES[..]).as_str())
                .at(at)
                .properties(properties);
            event.build()
        };
        all.into_iter().enumerate().map(event).collect()
    })
}

/// The definition: a look at each moment, with nothing kept from another.
fn pulse_from_scratch(moment: &Moment<'_>, state: &State) -> Pulse {
    let person = look(moment, state);
    let journeys = moment.config.journeys.all.iter().enumerate();
    let above =
        journeys.filter(|(_, journey)| person.is_over(&journey.trigger) == Some(true)).map(|(at, _)| at).collect();
    Pulse { stage: person.stage, segments: person.segments, above, quiet: quiet(&person) }
}

fn next_idle_from_scratch(moment: &Moment<'_>, state: &State, until: Option<Timestamp>) -> Option<Timestamp> {
    let now = pulse_from_scratch(moment, state);
    let Some(last) = state.seen.map(|seen| seen.last_at()) else { return until };
    let mut day = days_between(last, moment.now) + 1;
    while day <= LAST {
        let at = plus_days(last, day);
        if until.is_some_and(|until| at >= until) {
            return until;
        }
        if at > moment.now && pulse_from_scratch(&moment.at(at), state) != now {
            let from = if day > DAILY { (day - COARSE).max(DAILY) + 1 } else { day };
            let days = (from..day).map(|day| plus_days(last, day)).filter(|at| *at > moment.now);
            let found = days.into_iter().find(|at| pulse_from_scratch(&moment.at(*at), state) != now);
            return Some(found.unwrap_or(at));
        }
        day += if day < DAILY { 1 } else { COARSE };
    }
    until
}

fn state_of(events: &[Event]) -> State {
    let mut profile = Profile::new(events[0].identity().unwrap());
    let moment = Moment::new(&CONFIG, Timestamp::from_second(NOW).unwrap());
    process(&moment, &mut profile, events, &Default::default(), Mode::Replay);
    profile.view()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_next_moment_is_that_of_a_look_at_each_day(events in events(), later in 0..200 * 86_400_i64, until in proptest::option::of(1..150_i64)) {
        let state = state_of(&events);
        let moment = Moment::new(&CONFIG, Timestamp::from_second(NOW + later).unwrap());
        let until = until.map(|days| plus_days(moment.now, days));
        let person = look(&moment, &state);
        let found = next_idle(&person, &Pulse::of(&person), until);
        prop_assert_eq!(found, next_idle_from_scratch(&moment, &state, until));
    }

    #[test]
    fn a_look_with_what_is_still_is_a_look_from_scratch(events in events(), days in proptest::collection::vec(0..300_i64, 1..12)) {
        let state = state_of(&events);
        let moment = Moment::new(&CONFIG, Timestamp::from_second(NOW).unwrap());
        let person = Person::new(moment, &state);
        for day in days {
            let at = plus_days(moment.now, day);
            prop_assert!(pulse(&person, at) == pulse_from_scratch(&moment.at(at), &state), "{}", at);
        }
    }

    #[test]
    fn until_its_lists_change_every_score_is_near_the_band_that_it_is_listed_in(events in events(), later in 0..60 * 86_400_i64) {
        let state = state_of(&events);
        let moment = Moment::new(&CONFIG, Timestamp::from_second(NOW + later).unwrap());
        let listed = Listed::of(&moment, &state, &Evaluation::of(&look(&moment, &state)), None);
        let found = next_drift(&look(&moment, &state), Watched { bands: Some(&listed.bands), contact: None }, None);
        for day in 0..800 {
            let at = plus_days(moment.now, day);
            let person = look(&moment.at(at), &state);
            if found.is_some_and(|found| found <= at) {
                break;
            }
            for scale in Scale::all() {
                let (band, value) = (listed.bands.get(scale), value_of(&person, scale));
                let is_near = band.zip(value).is_none_or(|(band, value)| is_within(band, REACH, value));
                prop_assert!(is_near, "{} is {:?} on day {}, in band {:?}", scale.as_str(), value, day, band);
            }
        }
        if let Some(found) = found {
            let person = look(&moment.at(found), &state);
            prop_assert!(listed.bands.is_left_by(|scale| value_of(&person, scale)), "nothing changes at {found}");
        }
    }
}
