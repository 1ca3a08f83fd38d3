#![allow(clippy::unwrap_used)]
use super::*;
use crate::test_support::Kept;
use aws_lambda_events::event::sqs::SqsMessage;
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
