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
        suppressions: Arc::<Kept>::clone(&rejects),
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

#[tokio::test(flavor = "multi_thread")]
async fn suppression_list_is_stored_once_and_its_addresses_become_no_events() {
    let world = world(NOW);
    let text = "email,reason,created_at\nada@acme.example,hard_bounce,2026-01-01\nBob@Acme.example,Unsubscribed,2027-01-01\nnobody,bounce,\n";
    let list = || Request {
        import: Arc::new(Import::of(SourceId::parse("list").unwrap(), Format::named("suppressions").unwrap())),
        ..request(text)
    };
    let outcome = run(&world.deps, list(), &|| true, &|_, _| {}).await.unwrap();
    let job = outcome.job();
    assert_eq!((job.rows, job.suppressed, job.rejected, job.events), (3, 2, 1, 0));
    assert!(matches!(run(&world.deps, list(), &|| true, &|_, _| {}).await.unwrap(), Outcome::Known(_)));
    let mut stored: Vec<_> = world.rejects.1.lock().unwrap().clone();
    stored.sort_by_key(|suppression| suppression.since);
    let told: Vec<_> =
        stored.iter().map(|of| (of.address.key().into_owned(), of.reason.as_str(), of.since.to_string())).collect();
    assert_eq!(told[0], ("ada@acme.example".to_owned(), "bounce", "2026-01-01T00:00:00Z".to_owned()));
    assert_eq!((told[1].0.as_str(), told[1].1), ("bob@acme.example", "unsubscribe"));
    assert!(told[1].2.starts_with("2026-06-01T00:00:00"), "no row is of the future: {}", told[1].2);
    assert!(world.queue.bodies().is_empty());
    let reject = &world.rejects.0.lock().unwrap()[0];
    assert_eq!((reject.code.as_str(), reject.path.as_str()), ("address", "email"));
}

/// Bytes that cannot be read from a position on, until they can.
struct Failing(Vec<u8>, Arc<AtomicU64>);

impl perennial_imports::input::ReaderAt for Failing {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if offset >= self.1.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("the bucket does not respond"));
        }
        self.0.as_slice().read_at(buffer, offset)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_cannot_be_read_end_the_import_and_cost_no_row() {
    let text = log(20_000);
    // More than is read at once, so that the end is read on its own.
    assert!(text.len() > 600_000);
    let world = world(NOW);
    let readable = Arc::new(AtomicU64::new(u64::MAX));
    let bytes = || Arc::new(Failing(text.clone().into_bytes(), Arc::clone(&readable)));
    let failing = || Request { input: Input::new("log.csv", text.len() as u64, bytes()), ..request(&text) };
    // The digest is complete; then the bucket fails.
    let fails = {
        let readable = Arc::clone(&readable);
        move || {
            readable.store(300_000, Ordering::Relaxed);
            true
        }
    };
    let error = run(&world.deps, failing(), &fails, &|_, _| {}).await.unwrap_err();
    assert!(matches!(&error, ImportError::Read(_)), "{error:?}");
    readable.store(u64::MAX, Ordering::Relaxed);
    let outcome = run(&world.deps, failing(), &|| true, &|_, _| {}).await.unwrap();
    assert_eq!((outcome.job().events, outcome.job().rejected), (20_000, 0));
    assert_eq!(sent(&world.queue).len(), 20_000);
}

/// Bytes that count how many of them are read.
struct Counted(Vec<u8>, Arc<AtomicU64>);

impl perennial_imports::input::ReaderAt for Counted {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let read = self.0.as_slice().read_at(buffer, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_file_is_read_for_its_digest_once_and_another_content_is_another_file() {
    let text = log(500_000);
    let size = text.len() as u64;
    assert!(size > SEALED);
    let world = world(NOW);
    // A call that ends before its first chunk; returns the import, and the bytes that it read.
    let call = async |text: &str, seal: &str| {
        let read = Arc::new(AtomicU64::new(0));
        let bytes = Arc::new(Counted(text.as_bytes().to_vec(), Arc::clone(&read)));
        let input = Input::new("log.csv", text.len() as u64, bytes).with_seal(seal.to_owned());
        let outcome = run(&world.deps, Request { input, ..request(text) }, &|| false, &|_, _| {}).await.unwrap();
        (outcome.job().id.clone(), read.load(Ordering::Relaxed))
    };
    let (first, read) = call(&text, "a:1").await;
    assert!(read >= size, "{read}");
    let (again, read) = call(&text, "a:1").await;
    assert!(again == first && read < 1 << 20, "only the beginning is read, for the kind of file: {read}");
    let (elsewhere, read) = call(&text, "b:1").await;
    assert!(elsewhere == first && read >= size, "the same content is the same import");
    let (other, _) = call(&text.replace("Signed In", "Signed Up"), "a:2").await;
    assert_ne!(other, first);
}
