#![allow(clippy::unwrap_used)]
use super::*;
use crate::deps::Backlog;
use crate::test_support::Kept;
use futures::future::{BoxFuture, FutureExt};
use perennial_config::imports::Format;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{Event, SourceId};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_store::Archive;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

struct World {
    deps: Deps,
    queue: Arc<MemoryQueue>,
    rejects: Arc<Kept>,
}

fn world(now: &str) -> World {
    let (queue, rejects) = (Arc::new(MemoryQueue::new()), Arc::new(Kept::default()));
    let deps = Deps {
        archive: Archive::memory(),
        rejects: Arc::<Kept>::clone(&rejects),
        imports: Arc::<MemoryQueue>::clone(&queue),
        backlog: None,
        clock: Clock::simulated(now.parse().unwrap()).0,
    };
    World { deps, queue, rejects }
}

const NOW: &str = "2026-06-01T00:00:00Z";

fn log(rows: usize) -> String {
    let row = |n: usize| format!("m{n},track,u{},Signed In,2025-01-01T00:00:{:02}Z\n", n % 700, n % 60);
    std::iter::once("messageId,type,userId,event,timestamp\n".to_owned()).chain((0..rows).map(row)).collect()
}

fn request(text: &str) -> Request {
    Request {
        input: Input::new("log.csv", text.len() as u64, Arc::new(text.as_bytes().to_vec())),
        import: Arc::new(Import::of(SourceId::parse("logs").unwrap(), Format::named("calls").unwrap())),
        mode: Mode::History,
        made_at: NOW.parse().unwrap(),
        again: false,
    }
}

/// The events on the queue by their ids, with how often each is there.
fn sent(queue: &MemoryQueue) -> BTreeMap<String, (Event, usize)> {
    let mut all = BTreeMap::new();
    for body in queue.bodies() {
        let EventsPayload::Events { events } = serde_json::from_str(&body).unwrap() else { unreachable!() };
        for event in events {
            all.entry(event.message_id.as_str().to_owned()).or_insert((event, 0)).1 += 1;
        }
    }
    all
}

async fn import(world: &World, text: &str) -> Outcome {
    run(&world.deps, request(text), &|| true, &|_, _| {}).await.unwrap()
}

#[tokio::test]
async fn file_is_on_the_queue_once_and_not_imported_again() {
    let (world, text) = (world(NOW), log(12_000));
    let outcome = import(&world, &text).await;
    let Outcome::Finished(job) = &outcome else { unreachable!() };
    assert_eq!((job.rows, job.events, job.rejected, job.chunks), (12_000, 12_000, 0, 3));
    let events = sent(&world.queue);
    assert!(events.len() == 12_000 && events.values().all(|(event, times)| *times == 1 && event.history));
    let _sent_before = world.queue.drain();
    assert_eq!(import(&world, &text).await, Outcome::Known(job.clone()));
    assert_eq!(world.queue.bodies().len(), 0, "nothing is sent for a file that was imported");
    // Another mapping of the same file is another import; and with `again`, so is the same one.
    let feed = Request { mode: Mode::Feed, ..request(&text) };
    assert!(matches!(run(&world.deps, feed, &|| true, &|_, _| {}).await.unwrap(), Outcome::Finished(_)));
    let again = Request { again: true, ..request(&text) };
    assert!(matches!(run(&world.deps, again, &|| true, &|_, _| {}).await.unwrap(), Outcome::Finished(_)));
    assert_eq!(sent(&world.queue).len(), 12_000, "under the same ids");
}

#[tokio::test]
async fn interrupted_import_goes_on_and_equals_an_uninterrupted_one() {
    let text = log(12_000);
    let whole = world(NOW);
    import(&whole, &text).await;
    let parts = world(NOW);
    let calls = AtomicU64::new(0);
    // Time for one chunk in each call.
    let outcome = run(&parts.deps, request(&text), &|| calls.fetch_add(1, Ordering::Relaxed) == 0, &|_, _| {}).await;
    assert!(matches!(outcome.unwrap(), Outcome::Paused(job) if job.rows == 5_000));
    // The queue fails within the second chunk: some of it is sent, and there is no checkpoint.
    parts.queue.refuse_next(1);
    assert!(matches!(run(&parts.deps, request(&text), &|| true, &|_, _| {}).await, Err(ImportError::Queue(_))));
    let Outcome::Finished(job) = import(&parts, &text).await else { unreachable!() };
    assert_eq!((job.rows, job.events, job.chunks), (12_000, 12_000, 3));
    let strip =
        |queue: &MemoryQueue| sent(queue).into_iter().map(|(id, (event, _))| (id, event)).collect::<BTreeMap<_, _>>();
    assert!(strip(&parts.queue) == strip(&whole.queue), "the same events, to the byte");
}

#[tokio::test]
async fn rejects_are_stored_with_their_place_up_to_a_limit() {
    let world = world(NOW);
    let bad: String = (0..1_500).map(|_| "m,track,,E,2025-01-01\n").collect();
    let text = format!("{}{bad}", log(3));
    let Outcome::Finished(job) = import(&world, &text).await else { unreachable!() };
    assert_eq!((job.rows, job.events, job.rejected), (1_503, 3, 1_500));
    let rejects = world.rejects.0.lock().unwrap();
    assert_eq!(rejects.len() as u64, STORED_REJECTS);
    assert!(rejects[0].reason.starts_with("log.csv, line 5: an event needs a userId"), "{}", rejects[0].reason);
    assert_eq!((rejects[0].path.as_str(), rejects[0].code.as_str()), ("userId", "no_identity"));
    let ids: std::collections::BTreeSet<&str> = rejects.iter().map(|reject| reject.id.as_str()).collect();
    assert_eq!(ids.len(), rejects.len());
}

/// A nightly dump: only changed rows are sent, and a state that holds again is sent again.
#[tokio::test]
async fn snapshot_costs_what_changed_and_what_holds_again_is_an_event_of_its_own() {
    let world = world(NOW);
    let toml = "[[import]]\nid = \"users\"\nsnapshot_key = \"/id\"\n[[import.map]]\ntype = \"identify\"\nuser_id = \"/id\"\nall_traits = \"*\"\n";
    let config = perennial_testkit::ConfigBuilder::least().with(&[("imports.toml", toml)]).load();
    let users = Arc::new(config.imports[0].clone());
    let (free, pro) = ("id,plan\nu1,free\nu2,pro\n", "id,plan\nu1,pro\nu2,pro\n");
    let mut ids = Vec::new();
    for (text, sent_rows) in [(free, 2), (free, 0), (pro, 1), (free, 1), (free, 0), (pro, 1)] {
        let request = Request { import: Arc::clone(&users), ..request(text) };
        let outcome = run(&world.deps, request, &|| true, &|_, _| {}).await.unwrap();
        assert_eq!((outcome.job().events, outcome.job().unchanged), (sent_rows, 2 - sent_rows), "{text}");
        ids.extend(sent(&world.queue).into_keys());
        let _sent_so_far = world.queue.drain();
    }
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (5, 5), "none of them looks like a repeat");
}

struct Full(AtomicU64);

impl Backlog for Full {
    fn waiting(&self) -> BoxFuture<'_, Option<u64>> {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(200)));
        async move { left.ok() }.boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn import_waits_while_its_queue_is_long() {
    let mut world = world(NOW);
    let full = Arc::new(Full(AtomicU64::new(1_000)));
    world.deps.backlog = Some(Arc::<Full>::clone(&full));
    import(&world, &log(3)).await;
    assert!(full.0.load(Ordering::Relaxed) <= BACKLOG);
}
