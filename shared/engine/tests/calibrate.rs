//! Points from what people took before they bought.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{at, config_with};
use perennial_config::Config;
use perennial_domain::Event;
use perennial_engine::calibrate::{Taken, before_sale, calibrate, needs, taken};
use perennial_engine::evaluate;
use perennial_testkit::EventBuilder;

const SCORING: &str = r#"!
    [[tally]]
    name = "first"
    events = ["$page"]
    [[tally]]
    name = "second"
    events = ["White Paper Downloaded"]
    [[tally]]
    name = "third"
    events = ["Demo Requested"]
    [[tally]]
    name = "loyalty"
    events = ["Invite Sent", "Email Delivered"]
    [[rule]]
    id = "page"
    score = "purchase"
    event = "$page"
    points = 3
    [[rule]]
    id = "careers"
    score = "purchase"
    event = "$page"
    where = 'properties.path == "/careers"'
    points = -5
    [[rule]]
    id = "paper"
    score = "purchase"
    event = "White Paper Downloaded"
    points = 20
    [[rule]]
    id = "demo"
    score = "purchase"
    event = "Demo Requested"
    points = 60
    [[rule]]
    id = "other_score"
    score = "upgrade"
    event = "$page"
    points = 3
"#;

fn rules() -> Config {
    config_with(&[("scoring.toml", SCORING)])
}

fn took(first: u32, second: u32, third: u32) -> Taken {
    [("first", first), ("second", second), ("third", third)].map(|(name, n)| (name.to_owned(), n)).into()
}

/// Events of one user, a minute apart.
fn story(names: &[&str]) -> Vec<Event> {
    let start = at("2026-01-01T00:00:00Z").as_second();
    let one = |(i, name): (usize, &&str)| {
        let id = format!("m{i}");
        let builder = EventBuilder::track(&id, "u", name);
        builder.at(jiff::Timestamp::from_second(start + 60 * i as i64).unwrap()).build()
    };
    names.iter().enumerate().map(one).collect()
}

#[test]
fn five_and_three_and_four_pieces_make_an_action_worth_about_eight() {
    let calibration = calibrate(&rules(), &[took(4, 3, 3), took(6, 3, 5), took(5, 3, 4)]);
    let averages: Vec<_> = calibration.tallies.iter().map(|tally| (tally.name.as_str(), tally.average)).collect();
    assert_eq!(averages, [("first", 5.0), ("second", 3.0), ("third", 4.0)]);
    assert!((calibration.points.unwrap() - 100.0 / 12.0).abs() < 1e-9);
    assert_eq!(calibration.people, 3);
    let rules: Vec<_> = calibration.rules.iter().map(|rule| (rule.rule.as_str(), rule.now, rule.suggested)).collect();
    assert_eq!(
        rules,
        [("page", 3.0, Some(8.0)), ("paper", 20.0, Some(8.0)), ("demo", 60.0, Some(8.0))],
        "negative points, and other scores, stay as they are"
    );
}

#[test]
fn who_took_nothing_of_a_tally_counts_with_0() {
    let calibration = calibrate(&rules(), &[took(4, 0, 0), Taken::new()]);
    assert_eq!((calibration.tallies[0].average, calibration.tallies[0].people), (2.0, 1));
    assert_eq!(calibration.points, Some(50.0));
}

#[test]
fn without_anyone_ready_nothing_is_suggested() {
    let calibration = calibrate(&rules(), &[]);
    assert_eq!((calibration.people, calibration.points), (0, None));
    assert!(calibration.rules.iter().all(|rule| rule.suggested.is_none()));
}

#[test]
fn tallies_after_the_sale_are_left_out() {
    let config = rules();
    let names: Vec<_> = before_sale(&config).iter().map(|tally| tally.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
}

#[test]
fn actions_count_up_to_the_first_payment() {
    let mut events = story(&["White Paper Downloaded", "Order Completed", "White Paper Downloaded", "Order Completed"]);
    events.reverse();
    events.push(events[3].clone());
    assert_eq!(taken(&rules(), events), Some(took_only("second", 1)), "in any order, each once");
}

#[test]
fn actions_count_up_to_full_readiness_where_that_comes_first() {
    let events = story(&[
        "Demo Requested",
        "White Paper Downloaded",
        "White Paper Downloaded",
        "White Paper Downloaded",
        "Order Completed",
    ]);
    let mut expected = took_only("third", 1);
    expected.insert("second".to_owned(), 2);
    assert_eq!(taken(&rules(), events), Some(expected));
}

#[test]
fn what_merely_happens_to_someone_is_no_action_and_who_never_became_ready_says_nothing() {
    let events = story(&["Email Delivered", "Invite Sent", "Order Completed"]);
    assert_eq!(taken(&rules(), events), Some(took_only("loyalty", 1)));
    assert_eq!(taken(&rules(), story(&["White Paper Downloaded"])), None);
}

#[test]
fn events_that_no_rule_asks_about_need_not_be_looked_at() {
    let config = rules();
    let needed = |name| needs(&config, &story(&[name])[0]);
    assert!(needed("White Paper Downloaded") && needed("Order Completed") && needed("Invite Sent"));
    assert!(!needed("Dashboard Opened"));
}

#[test]
fn the_suggestion_makes_the_average_buyer_ready() {
    let calibration = calibrate(&rules(), &[took(5, 3, 4)]);
    let mut scoring = SCORING.to_owned();
    for rule in &calibration.rules {
        let (head, tail) = scoring.split_once(&format!("id = \"{}\"", rule.rule)).unwrap();
        let tail =
            tail.replacen(&format!("points = {}", rule.now), &format!("points = {}", rule.suggested.unwrap()), 1);
        scoring = format!("{head}id = \"{}\"{tail}", rule.rule);
    }
    let config = config_with(&[("scoring.toml", &scoring)]);
    let pages = (0..5).map(|i| EventBuilder::page(&format!("p{i}"), "a").build());
    let rest = story(&["White Paper Downloaded"; 3]).into_iter().chain(story(&["Demo Requested"; 4]));
    let mut state = perennial_engine::State::default();
    pages.chain(rest).for_each(|event| perennial_engine::apply::apply(&config, &mut state, &event));
    let score = evaluate(&perennial_engine::Moment::new(&config, at("2026-01-02T00:00:00Z")), &state).scores;
    assert!(score.get(perennial_domain::Likelihood::Purchase).get() >= 96);
}

fn took_only(name: &str, n: u32) -> Taken {
    [(name.to_owned(), n)].into()
}
