//! The reasons shown for messages that wait or were dropped.

use super::{Person, at, becomes, config};
use jiff::tz::TimeZone;
use perennial_engine::candidate::WaitsFor;
use perennial_engine::play::words::waits;
use perennial_engine::taken::Taken;
use perennial_engine::{Moment, candidates, tick};

const MONDAY: &str = "2026-03-02T10:00:00Z";

#[test]
fn what_waits_is_shown_in_the_order_of_choice_with_its_reason_and_its_next_look() {
    let journeys = [
        becomes("first", "Go", "mail", "priority = 90"),
        becomes("later", "Go", "in_app", "priority = 10"),
        becomes("next", "Go", "mail", "priority = 20\nworth = 7\nmax_age_days = 2"),
    ];
    let config = config(&journeys.concat(), "");
    let mut person = Person::new(&config, "u");
    person.does(&config, &["Go"], MONDAY);
    let all = candidates(&config, &person.profile);
    assert_eq!(all.iter().map(|one| one.journey.as_str()).collect::<Vec<_>>(), ["next", "later"]);
    let next = &all[0];
    assert_eq!((next.priority, next.worth, next.step.as_str()), (20, 7, "1"));
    assert_eq!((next.due, next.expires), (at(MONDAY), at("2026-03-04T10:00:00Z")));
    assert_eq!(next.waits_for, WaitsFor::Gap { sent: at(MONDAY) });
    assert_eq!(next.next_look, at("2026-03-03T10:00:00Z"));
    assert_eq!(
        waits(next, &TimeZone::UTC),
        "waits: another message was sent Mon 2 Mar 10:00; next look Tue 3 Mar 10:00"
    );
    // The decision that it becomes has the id that was shown.
    let id = next.decision;
    let decided = person.look(&config, at("2026-03-03T10:00:00Z"));
    assert_eq!(decided.iter().map(|decision| decision.id).collect::<Vec<_>>(), [id]);
}

#[test]
fn waiting_is_told_once_and_again_only_when_it_changes() {
    let journeys = [
        becomes("first", "Go", "mail", "priority = 90"),
        becomes("second", "Go", "mail", ""),
        becomes("third", "Go", "mail", "priority = 10"),
    ];
    let config = config(&journeys.concat(), "");
    let mut person = Person::new(&config, "u");
    let told = |steps: &[perennial_engine::StepTaken]| {
        let queued = steps.iter().filter(|step| matches!(step.what, Taken::Queued { .. }));
        queued.map(|step| step.journey.clone()).collect::<Vec<_>>()
    };
    let event = person.event("Go", at(MONDAY));
    let processed = person.feed(&config, &[event], at(MONDAY));
    assert_eq!(told(&processed.steps), ["second", "third"]);
    let look = tick(&Moment::new(&config, at("2026-03-02T18:00:00Z")), &mut person.profile);
    assert_eq!((told(&look.steps).len(), look.changed), (0, false), "nothing to write");
    let look = tick(&Moment::new(&config, at("2026-03-03T10:00:00Z")), &mut person.profile);
    assert_eq!(told(&look.steps), ["third"]);
}
