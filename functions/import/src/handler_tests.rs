#![allow(clippy::unwrap_used)]
use super::*;
use crate::test_support::Kept;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_store::Archive;
use perennial_testkit::ConfigBuilder;
use std::sync::atomic::{AtomicU64, Ordering};

struct World {
    deps: Deps,
    arrivals: Arrivals,
    imports: Arc<MemoryQueue>,
    notices: Arc<MemoryQueue>,
    rejects: Arc<Kept>,
}

async fn world(objects: &[(&str, &[u8])]) -> World {
    let (imports, notices, rejects) =
        (Arc::new(MemoryQueue::new()), Arc::new(MemoryQueue::new()), Arc::new(Kept::default()));
    let toml = "[[import]]\nid = \"logs\"\nformat = \"calls\"\n";
    let config = ConfigBuilder::least().with(&[("imports.toml", toml)]).load();
    World {
        deps: Deps {
            archive: Archive::memory(),
            rejects: Arc::<Kept>::clone(&rejects),
            suppressions: Arc::<Kept>::clone(&rejects),
            imports: Arc::<MemoryQueue>::clone(&imports),
            backlog: None,
            clock: Clock::simulated("2026-06-01T00:00:00Z".parse().unwrap()).0,
        },
        arrivals: Arrivals {
            bucket: Incoming::memory(objects).await.unwrap(),
            notices: Arc::<MemoryQueue>::clone(&notices),
            config: ConfigHandle::fixed(config),
        },
        imports,
        notices,
        rejects,
    }
}

fn notice(key: &str) -> String {
    format!(r#"{{"Records":[{{"s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":1}}}}}}]}}"#)
}

async fn call(world: &World, body: &str, chunks: u64) -> usize {
    let mut message = SqsMessage::default();
    message.message_id = Some("m".to_owned());
    message.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records.push(message);
    let left = AtomicU64::new(chunks);
    let has_time = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    handle(&world.deps, &world.arrivals, event, &has_time).await.unwrap().batch_item_failures.len()
}

fn log(rows: usize) -> Vec<u8> {
    let rows = (0..rows).map(|n| format!("m{n},track,u{n},E,2025-01-01\n"));
    std::iter::once("messageId,type,userId,event,timestamp\n".to_owned()).chain(rows).collect::<String>().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_file_is_imported_as_a_feed() {
    let world = world(&[("incoming/logs/my file.csv", &log(3))]).await;
    assert_eq!(call(&world, &notice("incoming/logs/my+file.csv"), 9).await, 0);
    let bodies = world.imports.bodies();
    assert_eq!((bodies.len(), bodies[0].matches("\"messageId\"").count()), (1, 3));
    assert!(!bodies[0].contains("\"history\""), "what is young enough triggers");
    // SQS delivers a notice twice.
    assert_eq!(call(&world, &notice("incoming/logs/my+file.csv"), 9).await, 0);
    assert_eq!(world.imports.bodies().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_takes_longer_than_a_call_goes_on_with_its_notice_sent_again() {
    let world = world(&[("incoming/logs/a.csv", &log(12_000))]).await;
    let mut calls = 0;
    let mut body = notice("incoming/logs/a.csv");
    loop {
        calls += 1;
        assert_eq!(call(&world, &body, 1).await, 0);
        match world.notices.drain().pop() {
            Some((next, _)) => body = next,
            None => break,
        }
    }
    let events: usize = world.imports.bodies().iter().map(|body| body.matches("\"messageId\"").count()).sum();
    assert_eq!((events, calls), (12_000, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_file_and_unknown_folder_are_rejects_and_not_retried() {
    let world =
        world(&[("incoming/logs/a.xls", &[0xd0, 0xcf, 0x11, 0xe0, 1, 2]), ("incoming/other/a.csv", b"id\n1\n")]).await;
    for key in ["incoming/logs/a.xls", "incoming/other/a.csv", "incoming/logs/gone.csv"] {
        assert_eq!(call(&world, &notice(key), 9).await, 0, "{key}");
    }
    let reasons: Vec<String> = world.rejects.0.lock().unwrap().iter().map(|reject| reject.reason.clone()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("Excel") && reasons[1].contains("no import"), "{reasons:?}");
    assert_eq!(call(&world, "{", 9).await, 1, "a body that is no notice ends in the dead-letter queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_taken_as_they_are_and_those_that_cannot_be_read_are_rejects() {
    let odd = "incoming/logs/50% of #1 ~ü (a+b)*.csv";
    let world = world(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("incoming/logs")).unwrap();
    std::fs::write(dir.path().join(odd), log(2)).unwrap();
    let world =
        World { arrivals: Arrivals { bucket: Incoming::directory(dir.path()).unwrap(), ..world.arrivals }, ..world };
    assert_eq!(call(&world, &notice::of(odd), 9).await, 0);
    assert_eq!(world.imports.bodies().len(), 1);
    assert_eq!(call(&world, &notice("incoming/logs//a.csv"), 9).await, 0);
    assert_eq!(call(&world, &notice("incoming/a.csv"), 9).await, 0, "without a source there is nothing but the log");
    let reasons: Vec<String> = world.rejects.0.lock().unwrap().iter().map(|reject| reject.reason.clone()).collect();
    assert!(reasons.len() == 1 && reasons[0].contains("an empty part"), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_replaced_while_it_is_read_is_retried_and_then_read_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("incoming/logs");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), log(2)).unwrap();
    let bucket = Incoming::directory(dir.path()).unwrap();
    let found = bucket.find("incoming/logs/a.csv").await.unwrap().unwrap();
    assert_eq!(bucket.read(&found, 0..9).await.unwrap().as_ref(), b"messageId");
    std::fs::write(folder.join("a.csv"), log(3)).unwrap();
    assert!(bucket.read(&found, 0..9).await.is_err());
    let again = bucket.find("incoming/logs/a.csv").await.unwrap().unwrap();
    assert!(again != found && bucket.read(&again, 0..9).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_the_repository_are_read() {
    for (name, files) in [("created", 1), ("several", 2), ("test-event", 0)] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/import/{name}.json"));
        let event: SqsEvent = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let found = notice::objects(event.records[0].body.as_deref().unwrap()).unwrap();
        assert_eq!(found.len(), files, "{name}");
        assert_eq!(names_no_file(&event), files == 0, "{name}");
        assert!(found.iter().all(|object| object.source.as_deref() == Some("customers")), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn call_without_time_for_a_single_row_fails_and_does_not_call_itself_again() {
    let world = world(&[("incoming/logs/a.csv", &log(3))]).await;
    assert_eq!(call(&world, &notice("incoming/logs/a.csv"), 0).await, 1);
    assert!(world.notices.drain().is_empty());
    assert_eq!(call(&world, &notice("incoming/logs/a.csv"), 9).await, 0);
    assert_eq!(world.imports.bodies().len(), 1);
}

#[test]
fn reserve_of_a_call_is_a_minute_and_at_most_half_of_it() {
    let at = |second| Timestamp::from_second(second).unwrap();
    for (seconds, last) in [(900, 840), (120, 60), (60, 30), (10, 5)] {
        assert_eq!(last_start(at(1000), at(1000 + seconds)), at(1000 + last), "{seconds}");
    }
    assert_eq!(last_start(at(1000), at(600)), Timestamp::MAX, "no deadline");
    assert!(last_start(at(1000), Timestamp::MAX) > at(1_000_000));
}
