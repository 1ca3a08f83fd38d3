//! The archive.

use crate::support::{at, user};
use flate2::read::GzDecoder;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use perennial_contracts::queue::Unmerge;
use perennial_domain::Event;
use perennial_store::archive::unmerges::Entry;
use perennial_store::{Archive, ArchiveError};
use perennial_testkit::EventBuilder;
use std::io::Read;
use std::sync::Arc;

fn events(day: i64, n: i64) -> Vec<Event> {
    (0..n)
        .map(|i| {
            EventBuilder::track(&format!("m-{day}-{i}"), "u", "Paid").property("i", i).at(at(day * 86_400 + i)).build()
        })
        .collect()
}

#[tokio::test]
async fn what_is_written_is_read_by_day_and_a_batch_written_again_adds_nothing() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    let batch: Vec<Event> = events(0, 40).into_iter().chain(events(1, 5)).collect();
    for _ in 0..2 {
        archive.write(&batch).await.unwrap();
    }
    archive.write(&events(2, 3)).await.unwrap();
    let names: Vec<String> =
        objects.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("day=2026-01-0") && name.ends_with(".ndjson.gz")), "{names:?}");
    let all: Vec<Event> = archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(all, batch.iter().cloned().chain(events(2, 3)).collect::<Vec<_>>());
    let day = "2026-01-02".parse().unwrap();
    let of_day: Vec<Event> = archive.read(day, day).await.unwrap().try_collect().await.unwrap();
    assert_eq!(of_day, events(1, 5));
}

/// SQS delivers the messages of a batch in any order.
#[tokio::test]
async fn batch_that_comes_again_in_another_order_adds_no_object() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    let mut batch = events(0, 40);
    archive.write(&batch).await.unwrap();
    batch.reverse();
    archive.write(&batch).await.unwrap();
    let names: Vec<String> =
        objects.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test]
async fn an_object_that_is_no_archive_is_an_error_that_names_it() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    objects.put(&"day=2026-01-01/x.ndjson.gz".into(), "not gzip".into()).await.unwrap();
    let read: Result<Vec<Event>, _> = archive.read_all().await.unwrap().try_collect().await;
    assert!(matches!(read, Err(ArchiveError::Unreadable { path, .. }) if path.ends_with("x.ndjson.gz")));
}

fn unmerge(name: &str, said: i64) -> Unmerge {
    Unmerge { identity: user(name), at: at(said), by: "ada".to_owned(), why: "a desk".to_owned(), done_at: None }
}

/// Each event by its id and each unmerge by whom it is about.
async fn history(archive: &Archive) -> Vec<String> {
    let entries: Vec<Entry> = archive.history().await.unwrap().try_collect().await.unwrap();
    let told = entries.into_iter().map(|entry| match entry {
        Entry::Event(event) => event.message_id.as_str().to_owned(),
        Entry::Unmerge(unmerge) => unmerge.identity.to_string(),
    });
    told.collect()
}

#[tokio::test]
async fn an_unmerge_stands_after_what_was_received_by_the_time_it_was_done() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    for batch in [events(0, 2), events(1, 1), events(2, 1)] {
        archive.write(&batch).await.unwrap();
    }
    // Said on the first day and done on the second, in the very moment in which an event came; another one after all events.
    archive.write_unmerge(&unmerge("late", 3 * 86_400), at(3 * 86_400)).await.unwrap();
    archive.write_unmerge(&unmerge("u", 10), at(86_400)).await.unwrap();
    assert_eq!(history(&archive).await, ["m-0-0", "m-0-1", "m-1-0", "user:u", "m-2-0", "user:late"]);
    let told: Vec<Event> = archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(told.len(), 4, "who reads events finds events only");

    // Done again, after a crash: it is one, at the time at which it was done at last.
    archive.write_unmerge(&unmerge("u", 10), at(2 * 86_400)).await.unwrap();
    assert_eq!(history(&archive).await, ["m-0-0", "m-0-1", "m-1-0", "m-2-0", "user:u", "user:late"]);
    // Played from another archive it keeps its time.
    let played = Unmerge { done_at: Some(at(5)), ..unmerge("u", 10) };
    archive.write_unmerge(&played, at(9 * 86_400)).await.unwrap();
    assert_eq!(history(&archive).await, ["m-0-0", "m-0-1", "user:u", "m-1-0", "m-2-0", "user:late"]);

    let path = "unmerges/day=2026-01-01".into();
    let names: Vec<_> = objects.list(Some(&path)).map_ok(|object| object.location).try_collect().await.unwrap();
    let [name] = names.as_slice() else { panic!("{names:?}") };
    assert!(name.as_ref().starts_with("unmerges/day=2026-01-01/20260101T000010000Z-"), "{name}");
    let mut line = String::new();
    let bytes = objects.get(name).await.unwrap().bytes().await.unwrap();
    GzDecoder::new(bytes.as_ref()).read_to_string(&mut line).unwrap();
    assert!(line.starts_with(r#"{"unmerge.v1":{"#) && line.ends_with("}\n"), "{line}");
}

#[tokio::test]
async fn what_is_no_unmerge_is_an_error_that_names_it() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    archive.write(&events(0, 1)).await.unwrap();
    let mut found = objects.list(None);
    let event = found.try_next().await.unwrap().unwrap().location;
    objects.copy(&event, &"unmerges/day=2026-01-01/x.ndjson.gz".into()).await.unwrap();
    let error = archive.history().await.err();
    assert!(matches!(error, Some(ArchiveError::NoUnmerge { path, line: 1 }) if path.ends_with("x.ndjson.gz")));
}
