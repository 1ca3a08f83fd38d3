//! Triggers of messages, and events that must not trigger any.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config, config_with};
use perennial_domain::time::plus_days;
use perennial_domain::{Event, Stage};
use perennial_engine::{Action, Moment, evaluate, tick};
use perennial_testkit::EventBuilder;

#[test]
fn a_fresh_event_sets_its_journey_off_once_with_all_its_steps() {
    let config = config();
    let now = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    let started = EventBuilder::track("m1", "u", "Trial Started").at(now).build();
    person.feed(&config, std::slice::from_ref(&started), now);
    let decided = person.profile.outbox.iter().filter(|action| !matches!(action, Action::List(_)));
    let ids: Vec<_> = decided.map(|a| if let Action::Send(d) = a { d.id } else { panic!("{a:?}") }).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    person.sent();
    person.feed(&config, &[started], now);
    person.feed(&config, &[EventBuilder::track("m2", "u", "Trial Started").at(now).build()], now);
    assert_eq!(person.sent(), Vec::<String>::new(), "neither a repeat nor a second trial welcomes again");
}

/// Returns the messages within 60 days, for a person whose trial start is imported.
fn sent_after_an_import(old: &str, on_start: &str) -> Vec<String> {
    let journeys = format!(
        "!{}",
        ["welcome", "quiet", "rescue"].map(|id| {
            let trigger = match id {
                "welcome" => "{ event = \"Trial Started\" }".to_owned(),
                "quiet" => format!("{{ idle_days = 14 }}\nreentry = \"always\"\n{on_start}"),
                _ => format!("{{ score = \"churn\", above = 50 }}\nreentry = \"always\"\n{on_start}"),
            };
            format!("[[journey]]\nid = \"{id}\"\ntrigger = {trigger}\nstep = [{{ channel = \"in_app\", template = \"t\" }}]\n")
        })
        .concat()
    );
    let config = config_with(&[("journeys.toml", &journeys)]);
    let now = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    person.feed(&config, &[EventBuilder::track("m1", "u", "Trial Started").at(at(old)).build()], now);
    assert!(person.sent().is_empty(), "nothing in the batch that makes them known");
    for day in 0..60 {
        tick(&Moment::new(&config, plus_days(now, day)), &mut person.profile);
    }
    let mut sent = person.sent();
    sent.sort_unstable();
    sent
}

#[test]
fn old_events_of_an_import_trigger_nothing_and_what_holds_already_starts_once_on_another_day() {
    let nothing = Vec::<String>::new();
    assert_eq!(sent_after_an_import("2026-01-10T10:00:00Z", ""), ["quiet", "rescue"]);
    assert_eq!(sent_after_an_import("2026-01-10T10:00:00Z", "on_start = \"skip\""), nothing);
    assert_eq!(sent_after_an_import("2025-01-01T10:00:00Z", ""), nothing, "quiet for a year is no news");
}

#[test]
fn the_third_page_within_a_week_counts_and_the_third_in_a_month_does_not() {
    let config = config();
    let day = |n| plus_days(at("2026-03-01T10:00:00Z"), n);
    let page = |id: &str, n| EventBuilder::page(id, "a").at(day(n)).build();
    let fresh = || Person {
        profile: perennial_engine::Profile::new(page("x", 0).identity().unwrap()),
        ledger: Default::default(),
    };
    let mut slow = fresh();
    for (i, n) in [0, 10, 20].into_iter().enumerate() {
        slow.feed(&config, &[page(&format!("m{i}"), n)], day(n));
    }
    assert!(slow.sent().is_empty());
    let mut quick = fresh();
    for (i, n) in [0, 3, 6].into_iter().enumerate() {
        quick.feed(&config, &[page(&format!("m{i}"), n)], day(n));
    }
    assert_eq!(quick.sent(), ["pricing"]);
}

#[test]
fn the_due_time_rings_when_someone_has_gone_quiet_and_each_quiet_time_speaks_once() {
    let config = config();
    let start = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    person.feed(&config, &[EventBuilder::track("m1", "u", "Login").at(start).build()], start);
    let mut now = start;
    let mut sent = Vec::new();
    let mut rings = 0;
    while let Some(due) = person.profile.due_at {
        assert!(due > now, "a timer lies ahead");
        now = due;
        tick(&Moment::new(&config, now), &mut person.profile);
        sent.extend(person.sent().into_iter().map(|journey| (journey, (now.as_second() - start.as_second()) / 86_400)));
        rings += 1;
        assert!(rings < 20, "timers come to an end");
    }
    // Churn is 10 + 80 * (idle - 7) / 20: 50 is reached on day 17.
    assert_eq!(sent, [("quiet".to_owned(), 14), ("rescue".to_owned(), 17)]);
    let back = plus_days(start, 40);
    person.feed(&config, &[EventBuilder::track("m2", "u", "Login").at(back).build()], back);
    tick(&Moment::new(&config, plus_days(back, 14)), &mut person.profile);
    assert_eq!(person.sent(), ["quiet"], "a second quiet time");
}

#[test]
fn activity_does_not_move_the_due_index() {
    let config = config();
    let start = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    person.feed(&config, &[EventBuilder::track("m0", "u", "Login").at(start).build()], start);
    let first = person.profile.due_at;
    for day in 1..6 {
        let now = plus_days(start, day);
        person.feed(&config, &[EventBuilder::track(&format!("m{day}"), "u", "Login").at(now).build()], now);
        assert_eq!(person.profile.due_at, first);
    }
}

#[test]
fn the_stage_follows_the_products_facts() {
    let config = config();
    let start = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    let mut step = |id: &str, name: &str, day: i64, expected: Stage| {
        let now = plus_days(start, day);
        person.feed(&config, &[EventBuilder::track(id, "u", name).at(now).build()], now);
        assert_eq!(
            evaluate(&Moment::new(&config, now), &person.profile.view()).stage,
            expected,
            "after {name} on day {day}"
        );
    };
    step("m0", "Seen", 0, Stage::Visitor);
    step("m1", "Trial Started", 1, Stage::Trial);
    step("m2", "Order Completed", 10, Stage::Onboarding);
    step("m3", "Order Completed", 45, Stage::Adopting);
    step("m4", "Login", 110, Stage::Established);
    step("m5", "Subscription Cancelled", 120, Stage::Churned);
    step("m6", "Order Completed", 130, Stage::WonBack);
    assert_eq!(evaluate(&Moment::new(&config, plus_days(start, 152)), &person.profile.view()).stage, Stage::AtRisk);
}

#[test]
fn money_is_summed_exactly() {
    let config = config();
    let now = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    let orders: Vec<_> = (0..1000)
        .map(|i| EventBuilder::track(&format!("m{i}"), "u", "Order Completed").at(now).property("revenue", 0.1).build())
        .collect();
    person.feed(&config, &orders, now);
    assert_eq!(person.profile.view().revenue_in(perennial_domain::Currency::USD), 10_000);
}

#[test]
fn a_mail_that_was_delivered_is_no_activity_of_its_reader() {
    let config = config();
    let start = at("2026-03-01T10:00:00Z");
    let mut person = Person::new("u");
    person.feed(&config, &[EventBuilder::track("m1", "u", "Login").at(start).build()], start);
    let later = plus_days(start, 13);
    person.feed(&config, &[EventBuilder::track("m2", "u", "Email Delivered").at(later).build()], later);
    let view = person.profile.view();
    assert_eq!((view.counts.get("Email Delivered"), view.seen.map(|seen| seen.last_at())), (1, Some(start)));
    tick(&Moment::new(&config, plus_days(start, 14)), &mut person.profile);
    assert_eq!(person.sent(), ["quiet"], "the mail did not begin the quiet time anew");
}

#[test]
fn an_answer_that_a_newer_one_replaced_sets_nothing_off() {
    let task = "![[journey]]\nid = \"detractor\"\ntrigger = { event = \"Survey Answered\", where = 'properties.nps <= 6' }\n\
        reentry = \"always\"\nstep = [{ channel = \"in_app\", template = \"t\" }]\n";
    let config = config_with(&[
        ("scoring.toml", "[nps]\nevent = \"Survey Answered\"\nproperty = \"nps\"\n"),
        ("journeys.toml", task),
    ]);
    let now = at("2026-03-02T10:00:00Z");
    let answer = |points: u8, when: &str| {
        EventBuilder::track(when, "u", "Survey Answered").property("nps", points).at(at(when)).build()
    };
    let (old, new) = ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z");
    let sent = |batches: &[&[Event]]| {
        let mut person = Person::new("u");
        batches
            .iter()
            .flat_map(|batch| {
                person.feed(&config, batch, now);
                person.sent()
            })
            .count()
    };
    let (high, low) = (answer(10, new), answer(1, old));
    let (first, second) = (std::slice::from_ref(&high), std::slice::from_ref(&low));
    assert_eq!(sent(&[first, second]), 0, "the older one is delivered late");
    assert_eq!(sent(&[&[low, high]]), 0, "both at once");
    assert_eq!(sent(&[&[answer(10, old)], &[answer(1, new)]]), 1);
    assert_eq!(sent(&[&[answer(1, old)], &[answer(10, new)]]), 1, "nobody knew better then");
}
