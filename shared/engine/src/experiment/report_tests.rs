#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::tally::HOLDOUT_DAYS;
use super::super::verdict::Verdict;
use super::*;
use crate::facts::{Assigned, Entered, Facts, always_key, holdout_key, split_key};
use jiff::Timestamp;
use perennial_domain::time::plus_days;
use perennial_testkit::ConfigBuilder;
use proptest::prelude::*;

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Login" }
    goal = { event = "Report Shared", within_days = 10 }
    holdout = 20
    [[journey.step]]
    id = "which"
    split = { a = 30, b = 30, control = 40 }
    [[journey.step]]
    id = "a"
    wait = { days = 1 }
    then = "end"
    [[journey.step]]
    id = "b"
    wait = { days = 1 }
    then = "end"
    [[journey.step]]
    id = "control"
    wait = { days = 1 }
    [[journey]]
    id = "plain"
    trigger = { event = "Login" }
    step = [{ wait = { days = 1 } }]
"#;

fn config(limits: &str) -> Config {
    ConfigBuilder::least().with(&[("journeys.toml", JOURNEYS), ("limits.toml", limits)]).load()
}

fn now() -> Timestamp {
    "2026-03-31T00:00:00Z".parse().unwrap()
}

/// Returns a person who entered so many days ago.
fn person(days_ago: i64, reached: bool, assigned: &[(u32, u32)]) -> Facts {
    let at = plus_days(now(), -days_ago);
    let mut facts = Facts::default();
    let reached = reached.then(|| at.as_millisecond() + 1000);
    let entered = Entered { times: 1, last: at.as_millisecond(), reached };
    facts.entered.insert(hash32("course"), entered);
    facts.assigned = assigned.iter().map(|(key, way)| (*key, Assigned { at: at.as_second(), way: *way })).collect();
    facts
}

fn way(name: &str) -> (u32, u32) {
    (split_key("course", "which"), hash32(name))
}

fn held_out() -> (u32, u32) {
    (holdout_key("course"), 0)
}

fn report(config: &Config, people: impl IntoIterator<Item = Facts>) -> Report {
    let mut tally = Tally::new(config, now());
    people.into_iter().for_each(|facts| tally.add(config, &facts));
    reports(config, &tally, 0.05).unwrap().remove(0)
}

/// Returns so many equal people.
fn many(people: usize, facts: &Facts) -> impl Iterator<Item = Facts> {
    std::iter::repeat_n(facts.clone(), people)
}

#[test]
fn the_way_named_control_is_the_control_and_those_whose_time_runs_wait() {
    let config = config("");
    let people = [
        person(20, true, &[way("control")]),
        person(20, false, &[way("a")]),
        person(10, true, &[way("a")]),
        person(9, true, &[way("a")]),
        person(20, true, &[way("gone")]),
        person(20, false, &[]),
    ];
    let split = report(&config, people).experiments.remove(0);
    assert_eq!(split.of, Of::Split { step: "which".into() });
    let groups: Vec<_> =
        split.groups.iter().map(|group| (group.name.as_str(), group.people, group.waiting, group.reached)).collect();
    assert_eq!(groups, [("control", 1, 0, Some(1)), ("a", 3, 1, Some(1)), ("b", 0, 0, Some(0))]);
    assert_eq!(split.others, 1);
    assert_eq!(split.groups.iter().map(|group| group.comparison.is_some()).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn a_way_that_is_much_better_leads_and_groups_that_do_not_compare_void_it() {
    let config = config("");
    let group = |name: &str, people: usize, reached: usize| {
        let (yes, no) = (person(20, true, &[way(name)]), person(20, false, &[way(name)]));
        many(reached, &yes).chain(many(people - reached, &no)).collect::<Vec<_>>()
    };
    let verdicts = |experiment: &Experiment| {
        let comparisons = experiment.groups.iter().filter_map(|group| group.comparison);
        comparisons.map(|comparison| comparison.verdict).collect::<Vec<_>>()
    };
    let fair = [group("control", 400, 40), group("a", 300, 90), group("b", 300, 33)].concat();
    let fair = report(&config, fair).experiments.remove(0);
    assert_eq!(verdicts(&fair), [Verdict::Leading, Verdict::NoDifferenceYet]);
    assert!(!fair.mismatch && fair.needed.unwrap() > 100);
    let broken = [group("control", 400, 40), group("a", 300, 90), group("b", 100, 11)].concat();
    let broken = report(&config, broken).experiments.remove(0);
    assert!(broken.mismatch);
    assert_eq!(verdicts(&broken), [Verdict::Void, Verdict::Void]);
}

/// 42 of 169 reached the goal of one variant and 90 of 180 of the other; 22 and 20 more people were held out, by the
/// journey's holdout or that of everything.
#[test]
fn people_in_a_holdout_are_in_no_arm_of_a_split() {
    let config = config("[holdout]\npercent = 5\n");
    let always = (always_key("always"), 0);
    let arm = |name: &str, people: usize, reached: usize, out: usize| {
        let (yes, no) = (person(20, true, &[way(name)]), person(20, false, &[way(name)]));
        let held = person(20, false, &[way(name), held_out()]);
        let held_always = person(20, false, &[way(name), always]);
        let both = person(20, true, &[way(name), always, held_out()]);
        many(reached, &yes)
            .chain(many(people - reached, &no))
            .chain(many(out - 2, &held))
            .chain(many(1, &held_always))
            .chain(many(1, &both))
            .collect::<Vec<_>>()
    };
    let report = report(&config, [arm("a", 169, 42, 22), arm("b", 180, 90, 20)].concat());
    let rates: Vec<_> =
        report.experiments[0].groups.iter().map(|group| (group.people, group.judged, group.reached)).collect();
    assert_eq!(rates, [(0, 0, Some(0)), (169, 169, Some(42)), (180, 180, Some(90))]);
    let percent = |at: usize| (report.experiments[0].groups[at].rate.unwrap().value * 1000.0).round() / 10.0;
    assert_eq!((percent(1), percent(2)), (24.9, 50.0));
}

#[test]
fn who_entered_before_they_were_held_out_is_in_an_arm() {
    let mut late = person(25, true, &[way("a"), held_out()]);
    late.assigned.insert(held_out().0, Assigned { at: plus_days(now(), -15).as_second(), way: 0 });
    let split = report(&config(""), [late]).experiments.remove(0);
    assert_eq!(split.groups[1].people, 1);
}

#[test]
fn a_holdout_is_compared_with_those_who_entered_since_it_began() {
    let config = config("[holdout]\npercent = 5\n");
    let always = (always_key("always"), 0);
    let mut late = person(25, true, &[held_out()]);
    late.assigned.insert(held_out().0, Assigned { at: plus_days(now(), -15).as_second(), way: 0 });
    let mut elsewhere = person(30, false, &[always]);
    elsewhere.entered.clear();
    let people = [
        person(20, false, &[held_out()]),
        person(19, true, &[]),
        person(21, true, &[]),
        person(15, true, &[always]),
        person(15, true, &[always, held_out()]),
        late,
        elsewhere,
    ];
    let report = report(&config, people);
    let counted = |at: usize| -> Vec<(String, u64)> {
        report.experiments[at].groups.iter().map(|group| (group.name.clone(), group.people)).collect()
    };
    let groups = |held_out, rest| [("held out".to_owned(), held_out), ("the others".to_owned(), rest)];
    assert_eq!((report.experiments[1].of.clone(), counted(1)), (Of::Holdout, groups(1, 1).to_vec()));
    assert_eq!(counted(2), groups(1, 2), "that of everything began when the first was held out of any journey");
}

#[test]
fn a_tally_that_was_stored_midway_ends_as_one_that_was_not() {
    let config = config("[holdout]\nname = \"always\"\npercent = 5\n");
    let always = (always_key("always"), 0);
    let people = [
        person(20, true, &[way("control")]),
        person(20, false, &[way("gone")]),
        person(20, false, &[held_out()]),
        person(19, true, &[]),
        person(15, true, &[always]),
    ];
    let (mut whole, mut parts) = (Tally::new(&config, now()), Tally::new(&config, now()));
    for facts in &people {
        whole.add(&config, facts);
        parts = serde_json::from_slice(&serde_json::to_vec(&parts).unwrap()).unwrap();
        parts.add(&config, facts);
    }
    assert_eq!(parts, whole);
    assert!(whole.has("course") && !whole.has("curse"));
}

#[test]
fn holdouts_count_who_entered_within_two_years_so_that_a_tally_stays_small() {
    let config = config("");
    let people = (0..HOLDOUT_DAYS + 200).flat_map(|days| [person(days, true, &[]), person(days, false, &[held_out()])]);
    let mut tally = Tally::new(&config, now());
    people.into_iter().for_each(|facts| tally.add(&config, &facts));
    let groups = &reports(&config, &tally, 0.05).unwrap()[0].experiments[1].groups;
    let days = u64::try_from(HOLDOUT_DAYS).unwrap() + 1;
    assert_eq!(groups.iter().map(|group| group.people).collect::<Vec<_>>(), [days, days], "both sides alike");
    assert!(serde_json::to_vec(&tally).unwrap().len() < 20_000);
}

#[test]
fn without_a_goal_people_are_counted_and_nothing_is_compared() {
    let journeys = JOURNEYS.replace("goal = { event = \"Report Shared\", within_days = 10 }", "");
    let files = [("journeys.toml", journeys.as_str()), ("limits.toml", "[holdout]\npercent = 5\n")];
    let config = ConfigBuilder::least().with(&files).load();
    let mut report = report(&config, [person(20, true, &[way("a")])]);
    assert_eq!(report.experiments.iter().filter(|one| matches!(one.of, Of::Always { .. })).count(), 0);
    let split = report.experiments.remove(0);
    let group = &split.groups[1];
    assert_eq!((group.people, group.reached, group.rate, group.comparison), (1, None, None, None));
    assert_eq!(split.needed, None);
}

#[test]
fn an_effect_that_cannot_be_is_refused_and_journeys_without_experiments_are_left_out() {
    let config = config("");
    let tally = Tally::new(&config, now());
    assert!(reports(&config, &tally, 0.0).is_err() && reports(&config, &tally, 1.0).is_err());
    assert_eq!(reports(&config, &tally, 0.05).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn everyone_who_was_assigned_is_in_exactly_one_group(
        people in prop::collection::vec((0_i64..40, any::<bool>(), 0_usize..5, any::<bool>(), any::<bool>()), 0..200)
    ) {
        let config = config("");
        let names = ["a", "b", "control", "gone"];
        let all: Vec<Facts> = people.iter().map(|(days, reached, name, known, out)| {
            let assigned: Vec<_> = names.get(*name).map(|name| way(name)).into_iter().chain(out.then(held_out)).collect();
            let mut facts = person(*days, *reached, &assigned);
            if !known {
                facts.entered.clear();
            }
            facts
        }).collect();
        // A held-out person is in no group of the split.
        let gets_it = |facts: &&Facts| facts.entered.is_empty() || !facts.assigned.contains_key(&held_out().0);
        let assigned = all.iter().filter(|facts| facts.assigned.contains_key(&way("a").0)).filter(gets_it).count() as u64;
        let entered = all.iter().filter(|facts| !facts.entered.is_empty()).count() as u64;
        let report = report(&config, all);
        let split = &report.experiments[0];
        prop_assert_eq!(split.groups.iter().map(|group| group.people).sum::<u64>() + split.others, assigned);
        prop_assert!(report.experiments[1].groups.iter().map(|group| group.people).sum::<u64>() <= entered);
        for group in report.experiments.iter().flat_map(|experiment| &experiment.groups) {
            prop_assert!(group.reached.unwrap() + group.waiting <= group.people);
        }
    }
}
