//! Accounts whose people become inactive.

use crate::support::{ACCOUNTS, Bench, CRM, at, drain, member, person};
use perennial_contracts::queue::{EventsPayload, MessagesPayload};
use perennial_domain::curve::{Knot, Line};
use perennial_domain::{Curve, Member, Score};
use perennial_engine::account::facts;
use perennial_store::Consistency;

const DAY: i64 = 86_400;

/// Returns a buyer whose points fall linearly to 0 within `days`, with a curve that is known up to `end`.
fn fading(name: &str, purchase: u8, days: i64, end: Option<i64>) -> Member {
    let from = at(0).as_second();
    let knots = vec![Knot { at: from + days * DAY, jump: false, value: 0 }];
    let line = Line { from, start: i64::from(purchase) * 8, knots };
    let end = end.map(|days| from + days * DAY);
    Member { curve: Some(Curve { line, stages: Vec::new(), phase: 0, end }), ..member(name, purchase) }
}

/// Three buyers reach 72; when they go silent, the score falls.
#[tokio::test]
async fn when_people_go_silent_the_score_falls_and_the_due_index_knows_when() {
    let bench = Bench::new(&format!("{ACCOUNTS}{CRM}")).await;
    for (name, purchase) in [("a", 30), ("b", 22), ("c", 20)] {
        bench.put("acme", &fading(name, purchase, 120, None), 1).await;
    }
    bench.roll_up("acme").await;
    assert_eq!(bench.sums("acme").await, Some((3, 72, None)));
    let account = bench.account("acme").await.unwrap();
    let score = |day: i64| facts(&bench.config, &account, at(day * DAY)).score.get();
    assert_eq!([0, 30, 60, 120, 400].map(score), [72, 54, 36, 0, 0]);
    // Up to 69.5 it rounds to 70, which is ready: below that after 2.5 / 72 of 120 days.
    let due = account.due_at.unwrap();
    assert!((due.as_second() - at(0).as_second() - 120 * DAY * 25 / 720).abs() <= 300, "{due}");
    drain::<MessagesPayload>(&bench.messages);
    let (mut writes, mut told) = (0, Vec::new());
    let mut version = bench.version("acme").await;
    for day in 1..=150 {
        bench.time.set(at(day * DAY));
        let account = bench.account("acme").await.unwrap();
        if account.due_at.is_some_and(|due| due <= at(day * DAY)) {
            bench.roll_up("acme").await;
            assert_ne!(bench.version("acme").await, version, "a look that finds nothing");
            writes += 1;
            version = bench.version("acme").await;
        }
        for (payload, _) in drain::<MessagesPayload>(&bench.messages) {
            let MessagesPayload::AccountUpdate(update) = payload else { panic!("{payload:?}") };
            told.push(update.fields["score__c"].as_u64().unwrap());
        }
    }
    let account = bench.account("acme").await.unwrap();
    assert_eq!(facts(&bench.config, &account, at(150 * DAY)).score, Score::from(0));
    assert!(writes <= 4 * 5, "{writes} writes in five months");
    assert_eq!(told.first().copied(), Some(69), "no longer ready");
    assert!(told.last().is_some_and(|last| *last < 5) && told.is_sorted_by(|a, b| a > b), "the CRM follows: {told:?}");
    let stored = bench.store.account(&crate::support::id("acme"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(stored.account.due_at, None, "nothing changes any more");
}

#[tokio::test]
async fn curves_that_end_are_renewed_together_and_the_account_is_written_once_for_them() {
    let bench = Bench::new("").await;
    for (name, end) in [("a", Some(20)), ("b", Some(24)), ("c", Some(40)), ("d", None)] {
        bench.put("acme", &fading(name, 10, 100, end), 1).await;
    }
    bench.put("acme", &member("old", 5), 1).await;
    bench.roll_up("acme").await;
    let version = bench.version("acme").await;
    assert_eq!(bench.account("acme").await.unwrap().due_at, Some(at(20 * DAY)));
    drain::<EventsPayload>(&bench.events);
    bench.time.set(at(20 * DAY + 60));
    bench.roll_up("acme").await;
    let woken = drain::<EventsPayload>(&bench.events);
    let [(EventsPayload::Wake { people, .. }, _)] = &woken[..] else { panic!("{woken:?}") };
    let mut expected = vec![person("a"), person("b")];
    expected.sort();
    let mut people = people.clone();
    people.sort();
    assert_eq!(people, expected);
    assert_eq!(bench.version("acme").await, version, "the entries that come have it written");
    for name in ["a", "b"] {
        bench.put("acme", &fading(name, 8, 100, Some(80)), 2).await;
    }
    bench.roll_up("acme").await;
    assert_eq!(bench.version("acme").await, version + 1);
    // Before the next curve ends, the account's readiness leaves the band that it is listed in, and the account is due for its lists.
    let due = async || bench.account("acme").await.unwrap().due_at.unwrap();
    for _ in 0..10 {
        let next = due().await;
        if next >= at(40 * DAY) {
            break;
        }
        bench.time.set(next);
        bench.roll_up("acme").await;
        assert!(due().await > next);
    }
    assert_eq!(due().await, at(40 * DAY));
    // A person who is never evaluated again causes one recomputation of the account a day.
    bench.time.set(at(42 * DAY));
    bench.roll_up("acme").await;
    assert_eq!(bench.account("acme").await.unwrap().due_at, Some(at(43 * DAY)));
}

/// An account of a version that did not know courses is read as it was.
#[tokio::test]
async fn account_without_a_course_shows_the_score_that_was_summed_last() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 40), 1).await;
    bench.roll_up("acme").await;
    let mut account = bench.account("acme").await.unwrap();
    account.course = None;
    assert_eq!(facts(&bench.config, &account, at(300 * DAY)).score, Score::from(40));
}
