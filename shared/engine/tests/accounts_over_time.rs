//! An account while its people are inactive: the curves of its members, their sum, and when it has to be recomputed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, default_config};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::curve::MAX_BYTES;
use perennial_domain::{AccountId, Likelihood, Member, Score, Stage};
use perennial_engine::account::{Account, Tally, facts, next_due};
use perennial_engine::explain::reasons_of;
use perennial_engine::{Action, Evaluation, Moment, State, evaluate, tick};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

const DAY: i64 = 86_400;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn now() -> Timestamp {
    at("2026-06-10T14:27:31Z")
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// Returns what people do: the event, and its properties.
fn deeds() -> [(&'static str, serde_json::Value); 14] {
    [
        ("Content Viewed", json!({})),
        ("Pricing Page Viewed", json!({})),
        ("Demo Requested", json!({})),
        ("White Paper Downloaded", json!({})),
        ("Campaign Clicked", json!({})),
        ("Careers Page Viewed", json!({})),
        ("Trial Started", json!({})),
        ("Subscription Started", json!({})),
        ("Subscription Cancelled", json!({})),
        ("Feature Used", json!({ "feature": "forecast" })),
        ("Feature Used", json!({ "feature": "alerts" })),
        ("Error Shown", json!({})),
        ("Payment Failed", json!({})),
        ("Survey Answered", json!({ "nps": 3, "text": "this is a terrible product" })),
    ]
}

/// The life of a user before now: seconds before it, and the event.
type Life = Vec<(i64, usize)>;

fn life() -> impl Strategy<Value = Life> {
    let deed = prop_oneof![0..6_usize, Just(6), Just(7), Just(7), Just(8), 9..14_usize];
    prop::collection::vec((0..70 * DAY, deed), 1..60)
}

/// Lives a life, day by day as `score` would see it, up to now.
fn lived(name: &str, life: &Life) -> Person {
    let mut life = life.clone();
    life.sort_by_key(|(before, _)| -before);
    let mut person = Person::new(name);
    let deeds = deeds();
    for (nth, (before, deed)) in life.iter().enumerate() {
        let (event, properties) = &deeds[*deed];
        let when = later(-before);
        let event = EventBuilder::track(&format!("{name}-{nth}"), name, event).at(when).group_id("acme");
        person.feed(&CONFIG, &[event.properties(properties.clone()).build()], when);
    }
    tick(&Moment::new(&CONFIG, now()), &mut person.profile);
    person
}

/// The same, with an entry of now.
fn fresh(name: &str, life: &Life) -> Person {
    let mut person = lived(name, life);
    person.profile.published = None;
    tick(&Moment::new(&CONFIG, now()), &mut person.profile);
    person
}

fn entry(person: &Person) -> Member {
    person.profile.published.clone().unwrap().1
}

/// Returns the points that a person gives the account before they are rounded, computed from the explanation.
fn points(state: &State, now: Timestamp) -> (Evaluation, f64) {
    let moment = Moment::new(&CONFIG, now);
    let evaluation = evaluate(&moment, state);
    let of = |likelihood| {
        let reasons = reasons_of(&moment, state, likelihood);
        reasons.map_or(0.0, |(_, reasons)| reasons.iter().map(|reason| reason.points).sum())
    };
    let points = if evaluation.stage.pays() {
        let engaged = evaluation.engaged.often + evaluation.engaged.much;
        engaged * 0.5 + of(Likelihood::Success) * 0.5 - of(Likelihood::Churn)
    } else {
        of(Likelihood::Purchase)
    };
    (evaluation, points)
}

/// Returns the weight of a paying person in the health, in the shipped configuration.
fn weight_of(evaluation: &Evaluation) -> f64 {
    let weighs = |persona: &str| match persona {
        "executive_sponsor" => 4.0,
        "buyer" | "administrator" | "power_user" => 2.0,
        _ => 1.0,
    };
    evaluation.personas(&CONFIG).map(weighs).fold(1.0, f64::max)
}

fn of_entry(member: &Member, now: Timestamp) -> f64 {
    member.curve.as_ref().unwrap().points(now) as f64 / 1000.0
}

fn rolled_up(members: &[Member], now: Timestamp) -> Account {
    let mut account = Account::new(AccountId::parse("acme").unwrap());
    let mut tally = Tally::new(&CONFIG, now);
    members.iter().for_each(|member| tally.add(member));
    let (summary, course) = tally.finish();
    (account.summary, account.course) = (Some(summary), Some(course));
    account
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn curve_is_within_half_a_point_of_the_silent_person_and_of_64_bytes(
        life in life(), moments in prop::collection::vec(0..200 * DAY, 60)
    ) {
        let person = fresh("ada", &life);
        let member = entry(&person);
        let curve = member.curve.clone().unwrap();
        let bytes = curve.to_bytes(member.last_seen).len();
        prop_assert!(bytes <= MAX_BYTES, "{bytes} bytes");
        let view = person.profile.view();
        for moment in moments.into_iter().map(later).filter(|moment| curve.reaches(*moment)) {
            let (evaluation, points) = points(&view, moment);
            let of_entry = of_entry(&member, moment);
            prop_assert!((of_entry - points).abs() <= 0.5, "{of_entry} for {points} at {moment}: {curve:?}");
            prop_assert_eq!(member.stage_at(moment), evaluation.stage, "at {}", moment);
        }
    }

    /// Events after an entry was written may change the future points but not the current ones: then a timer has the
    /// entry written again.
    #[test]
    fn entry_of_someone_who_went_silent_later_is_right_once_due_timers_have_fired(
        life in life(), moments in prop::collection::vec(0..100 * DAY, 12)
    ) {
        let mut person = lived("ada", &life);
        let mut moments: Vec<Timestamp> = moments.into_iter().map(later).collect();
        moments.sort_unstable();
        let mut last = now();
        for moment in moments {
            while let Some(due) = person.profile.due_at.filter(|due| *due <= moment) {
                prop_assert!(due > last, "a timer that never moves");
                last = due;
                tick(&Moment::new(&CONFIG, due), &mut person.profile);
            }
            let member = entry(&person);
            if !member.curve.as_ref().unwrap().reaches(moment) {
                // The account's due time requests it.
                tick(&Moment::new(&CONFIG, moment), &mut person.profile);
            }
            let points = points(&person.profile.view(), moment).1;
            let of_entry = of_entry(&entry(&person), moment);
            // Between two timers, steady changes add up to less than a point.
            prop_assert!((of_entry - points).abs() <= 1.0, "{of_entry} for {points} at {moment}");
        }
    }

    /// A curve is never less exact to hold longer, so how long curves hold is checked by itself: an account is written at most four times
    /// a month for a silent member.
    #[test]
    fn silent_person_has_at_most_four_further_curves_in_a_month(life in life()) {
        let mut person = fresh("ada", &life);
        let mut ends = Vec::new();
        while let Some(end) = entry(&person).curve.unwrap().end.filter(|end| *end < later(30 * DAY).as_second()) {
            ends.push(end);
            prop_assert!(ends.len() <= 4, "{ends:?}");
            tick(&Moment::new(&CONFIG, Timestamp::from_second(end).unwrap()), &mut person.profile);
            prop_assert_ne!(entry(&person).curve.unwrap().end, Some(end), "a curve that is not renewed");
        }
    }

    #[test]
    fn account_equals_the_sum_over_its_silent_people_to_half_a_point_a_member(
        lives in prop::collection::vec(life(), 1..7), moments in prop::collection::vec(0..200 * DAY, 12)
    ) {
        let people: Vec<Person> = lives.iter().enumerate().map(|(i, life)| fresh(&format!("u{i}"), life)).collect();
        let members: Vec<Member> = people.iter().map(entry).collect();
        let account = rolled_up(&members, now());
        let end = account.course.as_ref().unwrap().end;
        for moment in moments.into_iter().map(later).filter(|moment| end.is_none_or(|end| moment.as_second() < end)) {
            let (mut score, mut health, mut weight) = (0.0, 0.0, 0.0);
            for person in &people {
                let (evaluation, points) = points(&person.profile.view(), moment);
                if evaluation.stage.pays() {
                    let own = weight_of(&evaluation);
                    (health, weight) = (health + points * own, weight + own);
                } else {
                    score += points;
                }
            }
            let found = facts(&CONFIG, &account, moment);
            // A point more for rounding to a whole score.
            let least = people.len() as f64 * 0.5 + 0.5;
            let apart = (f64::from(found.score.get()) - score.clamp(0.0, 100.0)).abs();
            prop_assert!(apart <= least, "score {} for {score} at {moment}", found.score.get());
            prop_assert_eq!(found.health.is_some(), weight > 0.0, "at {}", moment);
            if let Some(found) = found.health {
                let apart = (f64::from(found.get()) - (health / weight).clamp(0.0, 100.0)).abs();
                prop_assert!(apart <= 1.0 + 1e-6, "health {} for {} at {moment}", found.get(), health / weight);
            }
            // Recomputing from the same entries has the same result.
            let again = rolled_up(&members, moment);
            let again = facts(&CONFIG, &again, moment);
            prop_assert!(again.score.get().abs_diff(found.score.get()) <= 1, "{} and {}", again.score.get(), found.score.get());
        }
    }

    #[test]
    fn order_of_people_does_not_matter(lives in prop::collection::vec(life(), 2..6), seed in any::<u64>()) {
        let members: Vec<Member> =
            lives.iter().enumerate().map(|(i, life)| entry(&fresh(&format!("u{i}"), life))).collect();
        let mut shuffled = members.clone();
        shuffled.sort_by_key(|member| perennial_domain::hash::hash64(&[member.person.as_bytes(), &seed.to_be_bytes()]));
        prop_assert_eq!(rolled_up(&members, now()), rolled_up(&shuffled, now()));
    }

    #[test]
    fn due_time_is_never_later_than_the_first_crossing(lives in prop::collection::vec(life(), 1..6)) {
        let members: Vec<Member> =
            lives.iter().enumerate().map(|(i, life)| entry(&fresh(&format!("u{i}"), life))).collect();
        let account = rolled_up(&members, now());
        let due = next_due(&CONFIG, &account, now());
        let end = account.course.as_ref().unwrap().end;
        prop_assert!(end.is_none_or(|end| due.is_some_and(|due| due.as_second() <= end.max(later(DAY).as_second()))));
        // The levels of the shipped config: `ready`, half of it, and 70 in segments and journeys.
        let levels = |score: Score| [score.get() >= 70, score.get() >= 35, score.get() > 70];
        let before = levels(account.score_at(now()));
        for hour in 0..120 * 24 {
            let moment = later(hour * 3600 + 1800);
            if due.is_some_and(|due| due <= moment) {
                break;
            }
            prop_assert_eq!(levels(account.score_at(moment)), before, "at {}, due {:?}", moment, due);
        }
    }
}

/// Three buyers reach 72; 120 days later their people sum to almost nothing, and so does the account.
#[test]
fn when_buyers_go_silent_the_account_is_due_and_its_score_falls_with_theirs() {
    let life: Life = vec![(60, 2), (50, 1)];
    let members: Vec<Member> = ["a", "b"].iter().map(|name| entry(&lived(name, &life))).collect();
    let mut account = rolled_up(&members, now());
    assert!(account.score_at(now()).get() >= 70, "{:?}", account.summary);
    assert_eq!(facts(&CONFIG, &account, later(120 * DAY)).score, account.score_at(later(120 * DAY)));
    assert!(account.score_at(later(120 * DAY)).get() <= 6);
    let due = next_due(&CONFIG, &account, now()).unwrap();
    assert!(due < later(30 * DAY), "{due}");
    let writes = (0..30).filter(|day| {
        let moment = later(day * DAY);
        let is_due = account.due_at.is_none_or(|due| due <= moment);
        if is_due {
            account = rolled_up(&members, moment);
            account.due_at = next_due(&CONFIG, &account, moment);
        }
        is_due && *day > 0
    });
    assert!(writes.count() <= 4, "at most four writes a month");
    account.course = None;
    assert!(account.score_at(later(120 * DAY)).get() >= 20, "without a course it is read as before");
}

/// An inactive person is not published again, and an active one is.
#[test]
fn entry_is_written_again_where_its_curve_says_something_else_and_not_while_it_holds() {
    let mut person = lived("ada", &vec![(60, 2), (50, 1), (DAY, 0)]);
    person.profile.outbox.clear();
    let is_published = |person: &mut Person| {
        std::mem::take(&mut person.profile.outbox).iter().any(|action| matches!(action, Action::PublishMember { .. }))
    };
    tick(&Moment::new(&CONFIG, later(3600)), &mut person.profile);
    assert!(!is_published(&mut person), "nothing has changed");
    let read = EventBuilder::track("more", "ada", "Content Viewed").at(later(7200)).build();
    person.feed(&CONFIG, &[read], later(7200));
    assert!(is_published(&mut person), "four points more are told");
    let published = entry(&person);
    assert!((of_entry(&published, later(7200)) - points(&person.profile.view(), later(7200)).1).abs() <= 0.5);
    person.profile.published.as_mut().unwrap().1.curve = None;
    tick(&Moment::new(&CONFIG, later(7300)), &mut person.profile);
    assert!(is_published(&mut person), "an entry of a version without curves is brought up to date");
}

#[test]
fn customer_who_goes_silent_becomes_at_risk_in_the_curve_to_the_second() {
    let person = lived("ada", &vec![(40 * DAY, 7), (19 * DAY + 77, 9)]);
    let member = entry(&person);
    let turn = later(-19 * DAY - 77 + 21 * DAY);
    assert_eq!(member.stage, Stage::Adopting);
    assert_eq!(member.stage_at(turn - SignedDuration::from_secs(1)), Stage::Adopting);
    assert_eq!(member.stage_at(turn), Stage::AtRisk);
}
