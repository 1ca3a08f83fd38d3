//! Points from what people did before they bought.
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
    let events = [("$page", first), ("White Paper Downloaded", second), ("Demo Requested", third)];
    events.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect()
}

/// Returns events of one user, a minute apart.
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
    assert_eq!(taken(&rules(), events), Some(took_only("White Paper Downloaded", 1)), "in any order, each once");
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
    let mut expected = took_only("Demo Requested", 1);
    expected.insert("White Paper Downloaded".to_owned(), 2);
    assert_eq!(taken(&rules(), events), Some(expected));
}

#[test]
fn what_merely_happens_to_someone_is_no_action_and_who_never_became_ready_says_nothing() {
    let events = story(&["Email Delivered", "Invite Sent", "Order Completed"]);
    assert_eq!(taken(&rules(), events), Some(took_only("Invite Sent", 1)));
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
    assert!(score.reaches(perennial_domain::Likelihood::Purchase, 96));
}

fn took_only(name: &str, n: u32) -> Taken {
    [(name.to_owned(), n)].into()
}

/// Returns the shipped rules with the suggestions applied.
fn calibrated(scoring: &str, calibration: &perennial_engine::calibrate::Calibration) -> String {
    let mut text = scoring.to_owned();
    let mut set = |id: &str, field: &str, value: f64| {
        let at = text.find(&format!("{id}\"")).unwrap();
        let line = at + text[at..].find(&format!("\n{field} = ")).unwrap() + 1;
        let end = line + text[line..].find('\n').unwrap();
        text.replace_range(line..end, &format!("{field} = {value}"));
    };
    for rule in &calibration.rules {
        if let Some(points) = rule.suggested {
            set(&format!("id = \"{}", rule.rule), "points", points);
        }
        if let Some(cap) = rule.cap {
            set(&format!("id = \"{}", rule.rule), "cap", cap);
        }
    }
    for category in &calibration.categories {
        set(&format!("name = \"{}", category.name), "cap", category.suggested);
    }
    for rule in &calibration.missing {
        text += &format!(
            "\n[[rule]]\nid = \"{}\"\nscore = \"purchase\"\nevent = \"{}\"\npoints = {}\nhalf_life_days = 30\ncap = {}\n",
            rule.rule, rule.event, rule.points, rule.cap
        );
    }
    text
}

#[test]
fn with_the_shipped_rules_the_buyer_of_the_tally_example_stands_at_96() {
    let shipped = perennial_testkit::ConfigBuilder::shipped();
    let config = shipped.clone().load();
    let path = ["Content Viewed"; 5].into_iter().chain(["White Paper Downloaded"; 3]).chain(["Paywall Reached"; 4]);
    let path: Vec<&str> = path.collect();
    let mut buyer = Taken::new();
    path.iter().for_each(|event| *buyer.entry((*event).to_owned()).or_default() += 1);
    let calibration = calibrate(&config, &vec![buyer; 40]);

    let missing: Vec<_> =
        calibration.missing.iter().map(|rule| (rule.rule.as_str(), rule.event.as_str(), rule.points)).collect();
    assert_eq!(missing, [("purchase_paywall_reached", "Paywall Reached", 8.0)]);
    let suggested: Vec<_> =
        calibration.rules.iter().filter_map(|rule| Some((rule.rule.as_str(), rule.suggested?, rule.cap))).collect();
    // 5 pieces of 8 points need a cap of 40, and 3 of them 24, which the white papers have.
    assert_eq!(suggested, [("purchase_content", 8.0, Some(40.0)), ("purchase_white_paper", 8.0, None)]);
    let category: Vec<_> =
        calibration.categories.iter().map(|one| (one.name.as_str(), one.now, one.suggested)).collect();
    assert_eq!(category, [("content", 40.0, 64.0)]);
    // Now 5 * 4 is capped at 16 and 3 * 8 are 24, together 40; nothing counts the paywall. Then 12 * 8.
    let path_points = calibration.path.unwrap();
    assert!((path_points.now - 40.0).abs() < 1e-9 && (path_points.suggested - 96.0).abs() < 1e-9, "{path_points:?}");

    let text = calibrated(&shipped.clone().bundle().files["scoring.toml"], &calibration);
    let config = shipped.with(&[("scoring.toml", &format!("!{text}"))]).load();
    let mut state = perennial_engine::State::default();
    for event in story(&path) {
        perennial_engine::apply::apply(&config, &mut state, &event);
    }
    let moment = perennial_engine::Moment::new(&config, at("2026-01-01T00:12:00Z"));
    assert_eq!(
        evaluate(&moment, &state).scores.get(perennial_domain::Likelihood::Purchase).map(|score| score.get()),
        Some(96)
    );
}

#[test]
fn of_what_nobody_who_became_ready_took_nothing_is_suggested() {
    let calibration = calibrate(&rules(), &[took(4, 0, 0), took(4, 0, 0)]);
    let suggested: Vec<_> = calibration.rules.iter().map(|rule| (rule.rule.as_str(), rule.suggested)).collect();
    assert_eq!(suggested, [("page", Some(25.0)), ("paper", None), ("demo", None)]);
    assert!(calibration.missing.is_empty(), "{:?}", calibration.missing);
    assert_eq!(calibrate(&rules(), &[]).path, None);
}
