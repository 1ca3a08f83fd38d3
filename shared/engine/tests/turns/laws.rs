//! Laws of the choice, for any candidates.

use super::{Outcome, Person, at, becomes, config, message, on_event, outcome, takes_turn};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{Cause, Decision, Event, Withheld};
use perennial_engine::candidates;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const GAP: i64 = 24 * 3600;

/// A journey that a state triggers.
#[derive(Debug, Clone)]
struct Rule {
    priority: u8,
    worth: u8,
    max_age_days: i64,
    in_app: bool,
    /// Hours between its first message and a second one.
    then: Option<u16>,
}

prop_compose! {
    fn rule()(priority in 0..4_u8, worth in 0..3_u8, max_age_days in 1..5_i64, in_app: bool, then in prop::option::of(1..40_u16)) -> Rule {
        Rule { priority, worth, max_age_days, in_app, then }
    }
}

/// Events of a moment: numbers of rules that start to hold, and how often an event's message is triggered.
type Step = (i64, Vec<usize>, bool);

fn story() -> impl Strategy<Value = (Vec<Rule>, Vec<Step>)> {
    prop::collection::vec(rule(), 1..9).prop_flat_map(|rules| {
        let many = rules.len();
        // Minutes since the moment before.
        let step = (1..3000_i64, prop::collection::vec(0..many, 0..5), prop::bool::weighted(0.2));
        (Just(rules), prop::collection::vec(step, 1..8))
    })
}

fn config_of(rules: &[Rule]) -> Config {
    let journeys = rules.iter().enumerate().map(|(at, rule)| {
        let channel = if rule.in_app { "in_app" } else { "mail" };
        let more =
            format!("priority = {}\nworth = {}\nmax_age_days = {}", rule.priority, rule.worth, rule.max_age_days);
        let then =
            rule.then.map(|hours| format!("[[journey.step]]\nwait = {{ hours = {hours} }}\n{}", message(channel, "")));
        becomes(&format!("j{at}"), &format!("E{at}"), channel, &more) + &then.unwrap_or_default()
    });
    let journeys: String = journeys.chain([on_event("now", "Now", "in_app", "")]).collect();
    config(&journeys, "")
}

fn moments(steps: &[Step]) -> Vec<Timestamp> {
    let mut now = at("2026-03-02T10:00:00Z");
    let each = steps.iter().map(|(minutes, ..)| {
        now += SignedDuration::from_mins(*minutes);
        now
    });
    each.collect()
}

/// Plays the story: `turn` returns the events of a moment in the order and with the repetitions in which they are fed.
/// With `looks`, the person is evaluated more often than requested.
fn play(config: &Config, steps: &[Step], looks: bool, turn: impl Fn(usize, Vec<Event>) -> Vec<Event>) -> Vec<Decision> {
    let mut person = Person::new(config, "u");
    let mut all = Vec::new();
    let times = moments(steps);
    let end = *times.last().unwrap() + SignedDuration::from_hours(24 * 60);
    let pass = |person: &mut Person, all: &mut Vec<Decision>, until: Timestamp| {
        let mut looked = 0;
        while let Some(due) = person.profile.due_at.filter(|due| *due <= until) {
            all.extend(person.look(config, due));
            if looks {
                all.extend(person.look(config, due));
                let later = due + SignedDuration::from_secs(7);
                // A look in between; the due time itself is not passed over.
                if later <= until && person.profile.due_at.is_none_or(|next| next > later) {
                    all.extend(person.look(config, later));
                }
            }
            looked += 1;
            assert!(looked < 500, "due times come to an end");
        }
    };
    let mut earlier = Vec::new();
    for (nth, ((_, rules, now_too), now)) in steps.iter().zip(&times).enumerate() {
        pass(&mut person, &mut all, *now);
        let mut names: Vec<String> = rules.iter().map(|rule| format!("E{rule}")).collect();
        names.extend(now_too.then(|| "Now".to_owned()));
        let events: Vec<Event> = names.iter().map(|name| person.event(name, *now)).collect();
        let fed = turn(nth, events.clone());
        person.feed(config, &fed, *now);
        all.extend(person.decided());
        if looks {
            // The queue redelivers earlier events.
            person.feed(config, &earlier, *now);
            all.extend(person.look(config, *now));
        }
        earlier = events;
        assert!(candidates(config, &person.profile).len() <= 16);
    }
    pass(&mut person, &mut all, end);
    assert!(person.profile.facts().runs.is_empty(), "nobody waits for ever");
    all
}

/// Computes the choices independently for rules without a second message: the journey, when, and whether it was sent.
fn by_hand(rules: &[Rule], steps: &[Step]) -> BTreeSet<(String, i64, bool)> {
    let mut out = BTreeSet::new();
    let mut known = BTreeSet::new();
    // (rule, due)
    let mut waiting: Vec<(usize, i64)> = Vec::new();
    let mut last: Option<i64> = None;
    let mut settle =
        |waiting: &mut Vec<(usize, i64)>, last: &mut Option<i64>, from: i64, until: i64, may_start: bool| {
            let mut now = from;
            if !may_start {
                now = last.map_or(from, |last| (last + GAP).max(from));
            }
            loop {
                now = last.map_or(now, |last| (last + GAP).max(now));
                let late = |(rule, due): &(usize, i64), now: i64| now > due + rules[*rule].max_age_days * 86_400;
                let gone: Vec<_> = waiting.iter().copied().filter(|one| late(one, now.min(until))).collect();
                for (rule, due) in gone {
                    out.insert((format!("j{rule}"), due + rules[rule].max_age_days * 86_400 + 1, false));
                    waiting.retain(|other| other.0 != rule);
                }
                if now > until || waiting.is_empty() {
                    return;
                }
                let best = *waiting
                    .iter()
                    .min_by_key(|(rule, due)| {
                        let of = &rules[*rule];
                        (u8::MAX - of.priority, u8::MAX - of.worth, *due, format!("j{rule}"))
                    })
                    .unwrap();
                out.insert((format!("j{}", best.0), now, true));
                waiting.retain(|other| other.0 != best.0);
                *last = Some(now);
            }
        };
    let times = moments(steps);
    for (nth, ((_, started, now_too), time)) in steps.iter().zip(&times).enumerate() {
        let now = time.as_second();
        let from = if nth == 0 { now } else { times[nth - 1].as_second() };
        // Messages that were due up to this moment come before its events.
        settle(&mut waiting, &mut last, from, now, false);
        waiting.extend(started.iter().filter(|rule| known.insert(**rule)).map(|rule| (*rule, now)));
        if *now_too {
            last = Some(now);
        }
        settle(&mut waiting, &mut last, now, now, true);
    }
    let end = times.last().unwrap().as_second();
    settle(&mut waiting, &mut last, end, end + 90 * 86_400, false);
    out
}

fn outcomes(decisions: &[Decision]) -> Vec<Outcome> {
    decisions.iter().map(outcome).collect()
}

fn is_by_event(decision: &Decision) -> bool {
    matches!(decision.cause, Cause::Event { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_same_candidates_lead_to_the_same_choice_whatever_the_order_the_repeats_and_the_looks(
        (rules, steps) in story(), seed: u64
    ) {
        let config = config_of(&rules);
        let plain = play(&config, &steps, false, |_, events| events);
        let turned = play(&config, &steps, true, |nth, mut events| {
            if !events.is_empty() {
                let by = (seed as usize).wrapping_add(nth) % events.len();
                events.rotate_left(by);
                if seed % 2 == 0 { events.reverse(); }
                let again = events.clone();
                events.extend(again);
            }
            events
        });
        prop_assert_eq!(outcomes(&plain), outcomes(&turned));
        let ids = |all: &[Decision]| all.iter().map(|one| one.id).collect::<Vec<_>>();
        // An event's message has the event's id in its own.
        let of_states = |all: &[Decision]| ids(&all.iter().filter(|one| !is_by_event(one)).cloned().collect::<Vec<_>>());
        prop_assert_eq!(of_states(&plain), of_states(&turned));
    }

    #[test]
    fn no_message_that_a_state_triggers_follows_another_message_within_the_gap_and_none_comes_twice(
        (rules, steps) in story(), split: bool
    ) {
        let config = config_of(&rules);
        let all = if split { in_pieces(&config, &steps) } else { play(&config, &steps, false, |_, events| events) };
        let turns: Vec<&Decision> = all.iter().filter(|one| takes_turn(one)).collect();
        for (before, after) in turns.iter().zip(turns.iter().skip(1)) {
            let apart = after.decided_at.as_second() - before.decided_at.as_second();
            prop_assert!(is_by_event(after) || apart >= GAP, "{:?} after {:?}", outcome(after), outcome(before));
        }
        let ids: BTreeSet<_> = all.iter().map(|one| one.id).collect();
        prop_assert_eq!(ids.len(), all.len(), "nothing is decided twice");
        // Each message of each journey that was entered is sent or dropped with a reason.
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        all.iter().filter(|one| !is_by_event(one)).for_each(|one| *of.entry(&one.journey).or_default() += 1);
        let started: BTreeSet<usize> = steps.iter().flat_map(|(_, rules, _)| rules.iter().copied()).collect();
        for (at, rule) in rules.iter().enumerate() {
            let expected = if started.contains(&at) { 1 + usize::from(rule.then.is_some()) } else { 0 };
            prop_assert_eq!(of.get(format!("j{at}").as_str()).copied().unwrap_or(0), expected);
        }
        for one in &all {
            prop_assert!(matches!(one.withheld, None | Some(Withheld::Expired)), "{:?}", one);
        }
    }

    #[test]
    fn the_choice_is_that_of_a_choice_by_hand((rules, steps) in story()) {
        let rules: Vec<Rule> = rules.into_iter().map(|rule| Rule { then: None, ..rule }).collect();
        let config = config_of(&rules);
        let all = play(&config, &steps, false, |_, events| events);
        let states = all.iter().filter(|one| !is_by_event(one));
        let found: BTreeSet<_> = states
            .map(|one| (one.journey.clone(), one.decided_at.as_second(), one.withheld.is_none()))
            .collect();
        prop_assert_eq!(found, by_hand(&rules, &steps));
    }
}

/// Plays the story with each event in a separate batch, at the same moments.
fn in_pieces(config: &Config, steps: &[Step]) -> Vec<Decision> {
    let mut pieces = Vec::new();
    for (minutes, rules, now_too) in steps {
        pieces.push((*minutes, Vec::new(), false));
        pieces.extend(rules.iter().map(|rule| (0, vec![*rule], false)));
        pieces.extend(now_too.then(|| (0, Vec::new(), true)));
    }
    play(config, &pieces, false, |_, events| events)
}
