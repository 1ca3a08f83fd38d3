//! The recommendation survey by month: a past month stays what it was.

use crate::support::{at, count, person_of};
use perennial_config::Config;
use perennial_domain::{Event, Identity};
use perennial_reports::{Archived, Name, Tally, shown, surveyed};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;

const NOW: &str = "2026-03-15T00:00:00Z";

fn config() -> Config {
    let scoring = "[nps]\nevent = \"Answered\"\nproperty = \"nps\"\nlowest = 0\npromoter_min_engagement = 50\n";
    ConfigBuilder::least().with(&[("scoring.toml", scoring)]).load()
}

fn answer(id: &str, user: &str, when: &str, points: u8) -> Event {
    EventBuilder::track(id, user, "Answered").at(at(when)).property("nps", points).build()
}

/// Month, promoters, passives, detractors and score.
fn months(config: &Config, tally: &Tally, events: &[Event]) -> Vec<[String; 5]> {
    let mut archived = Archived::default();
    archived.surveys.extend(events.iter().filter_map(|event| surveyed(config, event)));
    let report = tally.reports(config, &archived).into_iter().find(|report| report.name == Name::Nps).unwrap();
    report.tables[0].rows.iter().map(|row| [0, 2, 3, 4, 5].map(|column| shown::text(&row[column]))).collect()
}

/// Ada and Bob in January, Ada twice in February, and Bob in March.
fn events() -> Vec<Event> {
    vec![
        answer("1", "ada", "2026-01-31T23:59:59Z", 9),
        answer("2", "bob", "2026-01-10T00:00:00Z", 3),
        answer("3", "ada", "2026-02-01T00:00:00Z", 10),
        answer("4", "ada", "2026-02-20T00:00:00Z", 7),
        answer("5", "bob", "2026-03-10T00:00:00Z", 10),
        answer("6", "bob", "2026-03-11T00:00:00Z", 11),
        answer("7", "eve", "2026-03-20T00:00:00Z", 0),
    ]
}

fn expected() -> [[String; 5]; 3] {
    [["2026-01", "1", "0", "1", "0.0"], ["2026-02", "0", "1", "0", "0.0"], ["2026-03", "1", "0", "0", "100.0"]]
        .map(|row| row.map(str::to_owned))
}

#[test]
fn past_month_stays_what_it_was_when_somebody_answers_again() {
    let (config, events) = (config(), events());
    let tally = Tally::new(at(NOW));
    assert_eq!(months(&config, &tally, &events[..2]), expected()[..1]);
    assert_eq!(months(&config, &tally, &events), expected(), "11 is no answer, and eve has not answered yet");
}

#[test]
fn people_of_a_merged_profile_answer_once_a_month() {
    let (config, events) = (config(), events());
    let of = |user: &str| {
        let own: Vec<Event> =
            events.iter().filter(|event| event.identity().unwrap().as_str() == user).cloned().collect();
        person_of(&config, user, &own, at(NOW))
    };
    let (mut ada, bob) = (of("ada"), of("bob"));
    ada.parts.extend(bob.parts);
    let months = months(&config, &count(&config, &[ada], at(NOW)), &events);
    assert_eq!(months[0], ["2026-01", "1", "0", "0", "100.0"].map(str::to_owned), "the later answer of the two");
}

#[test]
fn id_of_another_system_answers_once_it_is_linked_to_a_person() {
    let config = config();
    let mut event = answer("1", "ada", "2026-01-10T00:00:00Z", 9);
    event.user_id = None;
    event.context = perennial_domain::event::context_of("zendesk", &serde_json::json!(7));
    let Some(Identity::External(_)) = event.identity() else { panic!("{event:?}") };
    let events = [event.clone()];
    assert!(months(&config, &Tally::new(at(NOW)), &events).is_empty());
    let mut ada = person_of(&config, "ada", &[], at(NOW));
    ada.parts.extend(crate::support::profile_of(&config, event.identity().unwrap(), &events, at(NOW)).parts);
    assert_eq!(months(&config, &count(&config, &[ada], at(NOW)), &events).len(), 1);
}

proptest! {
    #[test]
    fn answers_come_in_any_order_and_repetition(order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(), again in 0..7_usize) {
        let (config, events) = (config(), events());
        let mut shuffled: Vec<Event> = order.iter().map(|at| events[*at].clone()).collect();
        shuffled.push(events[again].clone());
        prop_assert_eq!(months(&config, &Tally::new(at(NOW)), &shuffled), expected());
    }
}
