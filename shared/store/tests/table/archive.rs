//! The archive.

use crate::support::{at, user};
use flate2::read::GzDecoder;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use perennial_contracts::queue::Unmerge;
use perennial_domain::Event;
use perennial_store::archive::unmerges::Entry;
use perennial_store::archive::{AlreadyRead, undamaged};
use perennial_store::traces::Subject;
use perennial_store::{Archive, ArchiveError};
use perennial_testkit::EventBuilder;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    let mut read = AlreadyRead::default();
    let new: Vec<Event> = archive.read_new(&mut read).await.unwrap().try_collect().await.unwrap();
    assert_eq!(new, all);
    archive.write(&events(3, 2)).await.unwrap();
    let new: Vec<Event> = archive.read_new(&mut read).await.unwrap().try_collect().await.unwrap();
    assert_eq!(new, events(3, 2), "only what was not read yet");
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

/// Puts `text`, gzipped, into an object of this name.
async fn put(objects: &InMemory, name: &str, text: &[u8]) {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text).unwrap();
    objects.put(&name.into(), gzip.finish().unwrap().into()).await.unwrap();
}

#[tokio::test]
async fn damaged_objects_and_lines_stop_nothing_and_are_counted() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    let good = events(1, 3);
    archive.write(&good).await.unwrap();
    archive.write_unmerge(&unmerge("u", 10), at(3 * 86_400)).await.unwrap();
    objects.put(&"day=2026-01-01/a.ndjson.gz".into(), "not gzip".into()).await.unwrap();
    let (first, last) = (events(0, 1).remove(0), events(5, 1).remove(0));
    let line = |event: &Event| serde_json::to_string(event).unwrap();
    let mixed = [line(&first).as_bytes(), b"{\"userId\":\"u\",", b"\xff\xfe", line(&last).as_bytes()].join(&b'\n');
    put(&objects, "day=2026-01-01/b.ndjson.gz", &mixed).await;
    put(&objects, "unmerges/day=2026-01-01/x.ndjson.gz", b"no unmerge").await;
    // What can be inflated of an object that was cut off counts.
    let mut cut = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut cut, format!("{}\n{}", line(&events(7, 1)[0]), "x".repeat(200_000)).as_bytes())
        .unwrap();
    let bytes = cut.finish().unwrap();
    objects.put(&"day=2026-01-09/c.ndjson.gz".into(), bytes[..bytes.len() / 2].to_vec().into()).await.unwrap();

    let damaged = AtomicU64::new(0);
    let read = undamaged(archive.read_all().await.unwrap(), &damaged);
    let read: Vec<Event> = read.try_collect().await.unwrap();
    let expected: Vec<Event> = [first, last].into_iter().chain(good.clone()).chain(events(7, 1)).collect();
    assert_eq!(
        (read, damaged.load(Ordering::Relaxed)),
        (expected, 4),
        "an object, two lines, and the rest of the last"
    );
    let damaged = AtomicU64::new(0);
    let all: Vec<Entry> = undamaged(archive.history().await.unwrap(), &damaged).try_collect().await.unwrap();
    assert_eq!((all.len(), damaged.load(Ordering::Relaxed)), (7, 5));

    // Who asks for one person's share gets what can be read, and learns what may be theirs.
    let subject = Subject::named("u");
    let (mut found, mut unreadable) = (0, 0);
    for object in archive.objects_since(None).await.unwrap() {
        let share = archive.share(&object, &subject).await.unwrap();
        archive.take_out(&object, &share).await.unwrap();
        found += share.events.len() + share.unmerges.len();
        unreadable += share.unreadable;
    }
    assert_eq!((found, unreadable), (2 + good.len() + 1, 3), "two objects, and the one line that names them");
}

fn unmerge(name: &str, said: i64) -> Unmerge {
    Unmerge { identity: user(name), at: at(said), by: "ada".to_owned(), why: "a desk".to_owned(), done_at: None }
}

/// Returns each event by its id and each unmerge by its identity.
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
    // Requested on the first day and executed on the second, at the same moment as an event; another one after all
    // events.
    archive.write_unmerge(&unmerge("late", 3 * 86_400), at(3 * 86_400)).await.unwrap();
    archive.write_unmerge(&unmerge("u", 10), at(86_400)).await.unwrap();
    assert_eq!(history(&archive).await, ["m-0-0", "m-0-1", "m-1-0", "user:u", "m-2-0", "user:late"]);
    let told: Vec<Event> = archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(told.len(), 4, "who reads events finds events only");

    // Executed again, after a crash: it is one, at the time of the last execution.
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
    let error = archive.history().await.unwrap().try_collect::<Vec<_>>().await.err();
    assert!(matches!(error, Some(ArchiveError::NoUnmerge { path, line: 1 }) if path.ends_with("x.ndjson.gz")));
}
