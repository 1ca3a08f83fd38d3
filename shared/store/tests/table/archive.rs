//! The archive.

use crate::support::at;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use perennial_domain::Event;
use perennial_store::{Archive, ArchiveError};
use perennial_testkit::EventBuilder;
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

#[tokio::test]
async fn a_directory_keeps_the_archive_and_an_unknown_url_is_refused() {
    let folder = std::env::temp_dir().join(format!("perennial-archive-{}", std::process::id()));
    let url = format!("file://{}", folder.display());
    Archive::open(&url).unwrap().write(&events(0, 2)).await.unwrap();
    let again: Vec<Event> = Archive::open(&url).unwrap().read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(again, events(0, 2));
    std::fs::remove_dir_all(folder).unwrap();
    for url in ["", "somewhere", "ftp://x", "file://relative"] {
        assert!(matches!(Archive::open(url), Err(ArchiveError::Url)), "{url}");
    }
}

#[tokio::test]
async fn an_object_that_is_no_archive_is_an_error_that_names_it() {
    let objects = Arc::new(InMemory::new());
    let archive = Archive::new(objects.clone());
    objects.put(&"day=2026-01-01/x.ndjson.gz".into(), "not gzip".into()).await.unwrap();
    let read: Result<Vec<Event>, _> = archive.read_all().await.unwrap().try_collect().await;
    assert!(matches!(read, Err(ArchiveError::Unreadable { path, .. }) if path.ends_with("x.ndjson.gz")));
}
