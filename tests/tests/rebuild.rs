//! All state can be rebuilt from the archive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, derived, everyone, feed, stack};
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::EventsPayload;
use perennial_domain::Event;
use perennial_local::stack::Stack;
use perennial_sample as sample;
use perennial_store::Archive;
use perennial_store::archive::unmerges::Entry;
use serde_json::json;

/// Much later, so that no event is new enough to trigger a message.
const LATER: &str = "2027-06-01T00:00:00Z";

async fn send(stack: &Stack, payload: &EventsPayload) {
    let body = serde_json::to_string(payload).unwrap();
    stack.sqs().send_message().queue_url(&stack.queue_urls().events).message_body(body).send().await.unwrap();
}

async fn send_events(stack: &Stack, events: &mut Vec<Event>) {
    for events in std::mem::take(events).chunks(60) {
        send(stack, &EventsPayload::Events { events: events.to_vec() }).await;
    }
}

/// Plays all that happened: events in any order, and each unmerge once all that came before is done.
async fn play(stack: &Stack, archive: &Archive) {
    let mut entries = std::pin::pin!(archive.history().await.unwrap());
    let mut events = Vec::new();
    while let Some(entry) = entries.try_next().await.unwrap() {
        match entry {
            Entry::Event(event) => events.push(*event),
            Entry::Unmerge(unmerge) => {
                send_events(stack, &mut events).await;
                stack.wait_idle().await.unwrap();
                send(stack, &EventsPayload::Unmerge(unmerge)).await;
                stack.wait_idle().await.unwrap();
            }
        }
    }
    send_events(stack, &mut events).await;
    stack.wait_idle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_rebuilds_every_profile_of_the_sample_company() {
    let end = "2026-11-01T00:00:00Z";
    let company = sample::company(end.parse().unwrap(), sample::SEED);
    let calls: Vec<String> = company.calls().map(|call| call.body.to_string()).collect();
    let (first, _) = stack(end).await;
    feed(&first, &calls, || 200).await;
    let original = derived(&everyone(first.store()).await);
    assert_eq!(original.len() as u64, company.expected().people);
    let archived: Vec<Event> = first.archive().read_all().await.unwrap().try_collect().await.unwrap();
    assert!(archived.len() as u64 >= company.expected().accepted, "every accepted event is in the archive");

    let (second, _) = stack(LATER).await;
    play(&second, first.archive()).await;
    // The archive goes with its stack.
    first.stop().await;
    let rebuilt = derived(&everyone(second.store()).await);
    assert_eq!(rebuilt.len(), original.len());
    for (person, bytes) in &original {
        assert_eq!(Some(bytes), rebuilt.get(person), "{person} is not as it was");
    }
    second.stop().await;
}

/// A merge can be explained and undone permanently: unmerged profiles stay separate, and profiles with new evidence after
/// the unmerge are merged again.
#[tokio::test(flavor = "multi_thread")]
async fn the_archive_rebuilds_people_as_they_were_parted_by_hand() {
    let begin: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let says = |id: &str, user: &str, address: &str| {
        let traits = json!({ "email": address });
        let call = json!({ "messageId": id, "type": "identify", "userId": user, "timestamp": begin, "traits": traits });
        call.to_string()
    };
    let hour = |n: i64| begin + SignedDuration::from_hours(n);
    let (first, time) = stack(&begin.to_string()).await;
    let desks = [
        says("1", "ada", "kim@acme.example"),
        says("2", "ben", "kim@acme.example"),
        says("3", "cleo", "lee@acme.example"),
        says("4", "dan", "lee@acme.example"),
    ];
    feed(&first, &desks, || 4).await;
    assert_eq!(everyone(first.store()).await.len(), 2);
    let client = Client::new(first.base_url());
    time.set(hour(1));
    for (person, identity) in [("ada", "user:ben"), ("cleo", "user:dan")] {
        let body = json!({ "identity": identity, "by": "eve", "why": "a shared desk" }).to_string();
        let (status, text) = client.post(&format!("/api/people/{person}/unmerge"), "application/json", body).await;
        assert_eq!(status, 200, "{text}");
    }
    first.wait_idle().await.unwrap();
    assert_eq!(everyone(first.store()).await.len(), 4);
    time.set(hour(2));
    feed(&first, &[says("5", "cleo", "cleo@acme.example"), says("6", "dan", "cleo@acme.example")], || 1).await;
    let original = everyone(first.store()).await;
    assert_eq!(original.len(), 3, "ada, ben, and cleo who is dan");

    // A rescore does not change identities.
    let (status, text) = client.post("/_local/rescore", "application/json", "").await;
    assert_eq!(status, 200, "{text}");
    first.wait_idle().await.unwrap();
    assert_eq!(derived(&everyone(first.store()).await), derived(&original));

    // A rebuilt system has an archive that it can be rebuilt from.
    let mut last = first;
    for _ in 0..2 {
        let (next, _) = stack(LATER).await;
        play(&next, last.archive()).await;
        let rebuilt = everyone(next.store()).await;
        assert_eq!(derived(&rebuilt), derived(&original));
        for (person, stored) in &original {
            let notes = |of: &perennial_store::Stored| {
                of.profile.parts.iter().map(|part| part.notes.clone()).collect::<Vec<_>>()
            };
            assert_eq!(notes(stored), notes(&rebuilt[person]), "who said so, when and why");
        }
        // The archive goes with its stack.
        std::mem::replace(&mut last, next).stop().await;
    }
    last.stop().await;
}
