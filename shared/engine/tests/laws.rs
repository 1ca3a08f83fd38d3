//! The laws of state: order, duplication and batching do not show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support;
use crate::support::{Person, at, config, config_with};
use jiff::Timestamp;
use perennial_domain::{Event, Stage};
use perennial_engine::{Moment, evaluate, explain};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::Value;

/// Events of one user and two browsers of theirs, over two years.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0..6_u8, 0..63_072_000_i64, 0..3_u8, -500..500_i32);
    proptest::collection::vec(one, 1..160)
        .prop_map(|parts| parts.into_iter().enumerate().map(|(i, part)| event(i, part)).collect())
}

fn event(i: usize, (kind, second, who, amount): (u8, i64, u8, i32)) -> Event {
    let id = format!("m{i}");
    let builder = match kind {
        0 => EventBuilder::identify(&id, "u", None)
            .with_trait("plan", amount % 3)
            .with_trait(["a", "b", "c"][usize::from(who)], if amount % 7 == 0 { Value::Null } else { "x".into() })
            .with_trait_once(["a", "b", "d"][usize::from(who)], amount),
        1 => EventBuilder::page(&id, ["a1", "a2", "a3"][usize::from(who)])
            .group_id(["g1", "g2", "g3"][amount.unsigned_abs() as usize % 3]),
        2 => EventBuilder::group(&id, "u", ["g1", "g2", "g3"][usize::from(who)]),
        3 => EventBuilder::track(&id, "u", "Order Completed")
            .property("revenue", f64::from(amount) / 100.0)
            .property("size", if amount > 0 { "big" } else { "small" }),
        4 => EventBuilder::track(&id, "u", "Complained"),
        _ => EventBuilder::track(&id, "u", &format!("Event {}", amount.unsigned_abs() % 5)),
    };
    // Some of a batch are a microsecond apart.
    let micros = i64::from(amount.unsigned_abs() % 3);
    builder.at(Timestamp::from_microsecond((1_600_000_000 + second) * 1_000_000 + micros).unwrap()).build()
}

fn bytes_of(events: &[Event], batches: &[usize]) -> Vec<u8> {
    let config = config();
    let mut person = Person::new("u");
    let now = at("2024-01-01T00:00:00Z");
    let mut rest = events;
    let mut sizes = batches.iter().cycle();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((*sizes.next().unwrap_or(&1)).clamp(1, rest.len()));
        person.feed(&config, batch, now);
        rest = after;
    }
    person.profile.derived_bytes().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn state_is_the_same_whatever_the_order_the_repeats_and_the_batches(
        events in events(),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..80),
        seed in any::<u64>(),
        batches in proptest::collection::vec(1..40_usize, 1..8),
    ) {
        let straight = bytes_of(&events, &[usize::MAX]);
        let mut shuffled: Vec<Event> = events.clone();
        shuffled.extend(repeats.iter().map(|index| index.get(&events).clone()));
        // A simple deterministic shuffle from the seed.
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(bytes_of(&shuffled, &batches), straight);
    }

    #[test]
    fn an_event_is_counted_once_however_late_it_comes_again(n in 60..400_usize, again in any::<prop::sample::Index>(), batch in 1..50_usize) {
        let config = config();
        let now = at("2024-01-01T00:00:00Z");
        let events: Vec<Event> = (0..n).map(|i| event(i, (5, i as i64 * 100, 0, 1))).collect();
        let mut person = Person::new("u");
        for chunk in events.chunks(batch) {
            person.feed(&config, chunk, now);
        }
        let repeated = again.get(&events).clone();
        let processed = person.feed(&config, &[repeated], now);
        prop_assert_eq!((processed.counted, processed.duplicates), (0, 1));
        prop_assert_eq!(person.profile.counted(), n as u64);
    }

    #[test]
    fn contributions_add_up_and_scores_stay_in_range(events in events(), later in 0..800_i64) {
        let config = config();
        let mut person = Person::new("u");
        person.feed(&config, &events, at("2024-01-01T00:00:00Z"));
        let now = Timestamp::from_second(1_600_000_000 + 86_400 * later).unwrap();
        let (moment, view) = (Moment::new(&config, now), person.profile.view());
        for (likelihood, value) in evaluate(&moment, &view).scores.iter() {
            let explained = explain(&moment, &view, &person.profile.facts(), likelihood).expect("a score that applies");
            let sum: f64 = explained.reasons.iter().map(|reason| reason.points).sum();
            prop_assert!((sum - f64::from(value.get())).abs() <= 0.5 + 1e-6, "{:?}: {} is not {:?}", likelihood, sum, explained);
            prop_assert!(explained.value == value && value.get() <= 100);
        }
    }

    #[test]
    fn an_event_never_moves_a_score_against_its_points(events in events(), later in 0..800_i64) {
        let config = config();
        let mut person = Person::new("u");
        person.feed(&config, &events, at("2024-01-01T00:00:00Z"));
        let now = Timestamp::from_second(1_600_000_000 + 86_400 * later).unwrap();
        let purchase = |person: &Person| person.at(&config, now).scores.get(perennial_domain::Likelihood::Purchase);
        let before = purchase(&person);
        for (name, rises) in [("Order Completed", true), ("Complained", false)] {
            let mut person = Person { profile: person.profile.clone(), ledger: person.ledger.clone() };
            person.feed(&config, &[EventBuilder::track("one more", "u", name).at(now).build()], now);
            let after = purchase(&person);
            prop_assert!(if rises { after >= before } else { after <= before }, "{}: {:?} to {:?}", name, before, after);
        }
    }

    #[test]
    fn nothing_that_is_decided_changes_before_the_due_time(events in events(), quiet in 0..40_i64) {
        let config = support::config_with(&[(
            "segments.toml",
            "[[segment]]\nname = \"keen\"\nwhen = 'count(\"$page\", 7) >= 1 || activity_change(14) < 0.0'\n[[segment]]\nname = \"hot\"\nwhen = 'scores.purchase >= 40'\n",
        )]);
        let mut person = Person::new("u");
        let Some(last) = events.iter().map(|event| event.timestamp).max() else { return Ok(()) };
        let now = perennial_domain::time::plus_days(last, quiet);
        person.feed(&config, &events, now);
        let Some(seen) = person.profile.view().seen else { return Ok(()) };
        let told = |at: Timestamp| {
            let is = person.at(&config, at);
            (is.stage, is.segments(&config).collect::<Vec<_>>(), is.scores.reaches(perennial_domain::Likelihood::Churn, 50))
        };
        let before = told(now);
        let due = person.profile.due_at.unwrap_or(perennial_domain::time::plus_days(now, 600));
        for day in 0..700 {
            let at = perennial_domain::time::plus_days(seen.last_at(), day);
            if at > now && at < due {
                prop_assert_eq!(&told(at), &before, "{} of {}", at, due);
            }
        }
    }
}

/// Ingest puts equal timestamps of a batch a microsecond apart: "within one batch the position decides".
#[test]
fn a_microsecond_decides_between_stages_accounts_and_survey_answers() {
    let config = config_with(&[("scoring.toml", "[nps]\nevent = \"Survey Answered\"\nproperty = \"nps\"\n")]);
    let now = at("2024-01-01T00:00:00Z");
    let said = |order: [usize; 2]| {
        let placed = |builders: [EventBuilder; 2]| {
            let [first, second] = order.map(|at| builders[at].clone());
            let micros = |n| Timestamp::from_microsecond(now.as_microsecond() - 60_000_000 + n).unwrap();
            [first.at(micros(0)).build(), second.at(micros(1)).build()]
        };
        let track = |id: &str, name: &str| EventBuilder::track(id, "u", name);
        let all = [
            placed([track("s0", "Order Completed"), track("s1", "Subscription Cancelled")]),
            placed([EventBuilder::group("a0", "u", "g1"), EventBuilder::group("a1", "u", "g2")]),
            placed([
                track("n0", "Survey Answered").property("nps", 10),
                track("n1", "Survey Answered").property("nps", 2),
            ]),
        ];
        let mut person = Person::new("u");
        person.feed(&config, &all.concat(), now);
        let view = person.profile.view();
        let stage = evaluate(&Moment::new(&config, now), &view).stage;
        (stage, view.account_id().unwrap().to_string(), view.nps.unwrap().points)
    };
    assert_eq!(said([0, 1]), (Stage::Churned, "g2".to_owned(), 2));
    assert_eq!(said([1, 0]), (Stage::Onboarding, "g1".to_owned(), 10), "bought again at once: never away");
}
