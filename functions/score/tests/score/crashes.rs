//! A process that dies between any two steps leaves work that the redelivery completes.

use crate::support::{Bench, at, events_body, user};
use futures::TryStreamExt;
use perennial_domain::Event;
use perennial_score::handler;
use perennial_testkit::EventBuilder;

#[tokio::test]
async fn what_was_written_and_not_sent_is_sent_when_the_records_come_again() {
    let bench = Bench::new().await;
    let trial = vec![EventBuilder::track("t", "u", "Trial Started").at(at(-40)).build()];
    bench.messages.refuse_next(1);
    assert_eq!(bench.feed(std::slice::from_ref(&trial)).await, ["r0"], "one of two decisions was not taken");
    assert_eq!(bench.messages.drain().len(), 1);
    let again = bench.restarted();
    assert!(again.feed(std::slice::from_ref(&trial)).await.is_empty());
    let sent: Vec<String> = again.messages.drain().into_iter().map(|(body, _)| body).collect();
    assert_eq!(sent.len(), 2, "a process that remembers nothing sends both again, and their ids are the same");
    assert_eq!(again.stored(user("u")).await.unwrap().profile.counted(), 1);
    assert!(again.feed(&[trial]).await.is_empty());
    assert!(again.messages.drain().is_empty(), "a process that remembers sends nothing again");
    let next = vec![EventBuilder::track("x", "u", "x").at(at(-30)).build()];
    assert!(again.feed(&[next]).await.is_empty());
    let kept = again.stored(user("u")).await.unwrap().profile.outbox;
    assert!(kept.is_empty(), "the next write drops what was done: {kept:?}");
}

#[tokio::test]
async fn the_next_event_alone_completes_what_a_dead_process_left() {
    let bench = Bench::new().await;
    bench.messages.refuse_next(usize::MAX);
    let trial = vec![EventBuilder::track("t", "u", "Trial Started").at(at(-40)).build()];
    assert_eq!(bench.feed(&[trial]).await, ["r0"]);
    bench.messages.refuse_next(0);
    let again = bench.restarted();
    assert!(again.feed(&[vec![EventBuilder::track("x", "u", "x").at(at(-30)).build()]]).await.is_empty());
    assert_eq!(again.messages.drain().len(), 2);
}

#[tokio::test]
async fn processes_that_work_on_the_same_person_at_once_count_everything_once() {
    let bench = Bench::new().await;
    let others: Vec<Bench> = (0..4).map(|_| bench.restarted()).collect();
    let batch = |i: usize| -> Vec<_> {
        // Every batch overlaps its neighbours.
        (i * 5..i * 5 + 10)
            .map(|n| EventBuilder::track(&format!("m{n}"), "u", "Order Completed").at(at(-40)).build())
            .collect()
    };
    let runs = others.iter().enumerate().map(|(i, other)| async move {
        let mut left = vec![batch(i), batch(i + 4)];
        for _ in 0..20 {
            let failed = other.feed(&left).await;
            left = left
                .into_iter()
                .enumerate()
                .filter(|(at, _)| failed.contains(&format!("r{at}")))
                .map(|(_, events)| events)
                .collect();
            if left.is_empty() {
                return;
            }
        }
        panic!("it never came to an end");
    });
    futures::future::join_all(runs).await;
    assert_eq!(bench.stored(user("u")).await.unwrap().profile.counted(), 45);
}

/// One of two records fails after both were archived, and is redelivered alone.
#[tokio::test]
async fn record_that_comes_again_is_not_archived_a_second_time() {
    let bench = Bench::new().await;
    let trial = events_body(&[EventBuilder::track("t", "u", "Trial Started").at(at(-40)).build()]);
    let other = events_body(&[EventBuilder::track("o", "v", "x").at(at(-40)).build()]);
    bench.messages.refuse_next(1);
    assert_eq!(bench.hand(vec![trial.clone(), other]).await, ["r0"]);
    for receives in 2..4 {
        bench.messages.refuse_next(usize::from(receives == 2));
        let record = serde_json::json!({ "messageId": "r0", "body": trial, "attributes": { "ApproximateReceiveCount": receives.to_string() } });
        let event = serde_json::from_value(serde_json::json!({ "Records": [record] })).unwrap();
        handler::handle(&bench.deps, event).await.unwrap();
    }
    let archived: Vec<Event> = bench.archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(archived.len(), 2);
    assert_eq!(bench.stored(user("u")).await.unwrap().profile.counted(), 1);
    // What this process does not remember is archived: no event is lost for it.
    let again = bench.restarted();
    again.hand(vec![trial]).await;
    let archived: Vec<Event> = bench.archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(archived.len(), 3);
}
