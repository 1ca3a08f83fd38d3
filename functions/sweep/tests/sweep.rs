//! The real handler over a DynamoDB behind its real HTTP API; the queue is in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, TICKS_AT_ONCE};
use perennial_domain::{AccountId, Identity, PersonId, UserId};
use perennial_engine::Profile;
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_store::accounts::StoredAccount;
use perennial_store::count::new_pass;
use perennial_store::{Consistency, Store, Stored, keys};
use perennial_sweep::{Deps, Swept, handler};
use perennial_testkit::ConfigBuilder;
use std::collections::BTreeSet;
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-01-10T00:00:00Z".parse().unwrap()
}

/// Returns a table with `due` people who are due and as many who are not yet, or wait for nothing.
async fn table(due: i64) -> (Store, BTreeSet<PersonId>) {
    let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws::local_config(endpoints).unwrap()), "perennial");
    store.create_table().await.unwrap();
    let mut expected = BTreeSet::new();
    for i in 0..due * 3 {
        let mut stored = Stored::new(Profile::new(Identity::User(UserId::parse(&format!("u{i}")).unwrap())));
        let hours = SignedDuration::from_hours(i);
        stored.profile.due_at = match i % 3 {
            0 => Some(now() - hours),
            1 => Some(now() + hours),
            _ => None,
        };
        if i % 3 == 0 {
            expected.insert(stored.profile.id);
        }
        store.save(&mut stored).await.unwrap();
    }
    (store, expected)
}

fn deps(store: Store, limit: u32) -> (Deps, Arc<MemoryQueue>) {
    let queue = Arc::new(MemoryQueue::new());
    let (clock, _) = Clock::simulated(now());
    (Deps::new(store, queue.clone(), Arc::<MemoryQueue>::default(), clock, limit), queue)
}

/// Everyone who was sent, as often as they were.
fn all_ticked(queue: &MemoryQueue) -> Vec<PersonId> {
    let people = |body: &String| match serde_json::from_str(body).unwrap() {
        EventsPayload::Ticks { due } => {
            assert!(
                due.len() <= TICKS_AT_ONCE
                    && due.iter().all(|(_, due_at)| *due_at <= now() + SignedDuration::from_hours(9))
            );
            due.into_iter().map(|(person, _)| person).collect::<Vec<_>>()
        }
        other => panic!("{other:?} are no ticks"),
    };
    queue.bodies().iter().flat_map(people).collect()
}

fn ticked(queue: &MemoryQueue) -> BTreeSet<PersonId> {
    all_ticked(queue).into_iter().collect()
}

/// Returns a sweep with a simulated time.
fn moving(store: &Store, limit: u32) -> (Deps, Arc<MemoryQueue>, SimulatedTime) {
    let queue = Arc::new(MemoryQueue::new());
    let (clock, time) = Clock::simulated(now());
    (Deps::new(store.clone(), queue.clone(), Arc::<MemoryQueue>::default(), clock, limit), queue, time)
}

async fn sweep(deps: &Deps) -> Swept {
    handler::handle(deps, serde_json::Value::Null).await.unwrap()
}

/// Saves a person of this name who is due at `due_at`, in a given shard of the due index.
async fn due_in_shard(store: &Store, shard: &str, name: &str, due_at: Timestamp) -> PersonId {
    let names = (0..).map(|n| Identity::User(UserId::parse(&format!("{name}-{n}")).unwrap()));
    let identity = names.into_iter().find(|id| keys::due_shard(id.person_id()) == shard).unwrap();
    let mut stored = Stored::new(Profile::new(identity));
    stored.profile.due_at = Some(due_at);
    store.save(&mut stored).await.unwrap();
    stored.profile.id
}

/// Processes the person's timer: nothing is due any more.
async fn serve(store: &Store, person: PersonId) {
    let mut stored = store.follow(person, Consistency::Strong).await.unwrap().unwrap();
    stored.profile.due_at = None;
    store.save(&mut stored).await.unwrap();
}

#[tokio::test]
async fn whose_tick_is_unserved_is_sent_again_after_an_hour_and_not_before() {
    let (store, expected) = table(40).await;
    let (deps, queue, time) = moving(&store, 10_000);
    assert_eq!(sweep(&deps).await.sent, 40);
    for _ in 0..11 {
        time.advance(SignedDuration::from_mins(5));
        // Those that became due meanwhile are new.
        sweep(&deps).await;
    }
    let sent = all_ticked(&queue);
    assert_eq!(sent.len(), ticked(&queue).len(), "nobody twice within the hour");
    let served = *expected.first().unwrap();
    serve(&store, served).await;
    time.advance(SignedDuration::from_mins(5));
    drop(queue.drain());
    sweep(&deps).await;
    let again = ticked(&queue);
    assert!(expected.iter().filter(|person| **person != served).all(|person| again.contains(person)));
    assert!(!again.contains(&served));
    drop(queue.drain());
    time.advance(SignedDuration::from_mins(5));
    sweep(&deps).await;
    assert_eq!(all_ticked(&queue), [], "once an hour");
}

#[tokio::test]
async fn backlog_in_one_shard_starves_nobody_who_is_due_after_it() {
    let (store, _) = table(0).await;
    let shard = keys::shard_name(3);
    let long_ago = now() - SignedDuration::from_hours(24 * 30);
    // As many as a run processes of a shard, due at one time and never processed.
    let mut backlog = BTreeSet::new();
    for n in 0..12 {
        backlog.insert(due_in_shard(&store, &shard, &format!("stuck{n}"), long_ago).await);
    }
    let new = due_in_shard(&store, &shard, "new", now()).await;
    let (deps, queue, time) = moving(&store, 16 * 5);
    let mut seen = BTreeSet::new();
    for run in 0..3 {
        let swept = sweep(&deps).await;
        assert_eq!(swept.more, run < 2, "{swept:?}");
        seen.extend(ticked(&queue));
        time.advance(SignedDuration::from_mins(5));
    }
    assert!(seen.contains(&new) && seen.is_superset(&backlog));
    assert_eq!(all_ticked(&queue).len(), 13, "each once");
}

#[tokio::test]
async fn those_who_are_new_come_before_those_who_are_sent_again() {
    let (store, _) = table(0).await;
    let shard = keys::shard_name(7);
    for n in 0..9 {
        due_in_shard(&store, &shard, &format!("stuck{n}"), now() - SignedDuration::from_hours(50)).await;
    }
    let (deps, queue, time) = moving(&store, 16 * 4);
    for _ in 0..3 {
        sweep(&deps).await;
    }
    time.advance(SignedDuration::from_hours(2));
    let new = due_in_shard(&store, &shard, "new", time.now()).await;
    drop(queue.drain());
    sweep(&deps).await;
    let sent = all_ticked(&queue);
    assert_eq!((sent.len(), sent[0]), (4, new), "first, and with the rest of the run's share the others");
    for _ in 0..2 {
        time.advance(SignedDuration::from_mins(5));
        sweep(&deps).await;
    }
    assert_eq!((all_ticked(&queue).len(), ticked(&queue).len()), (10, 10), "the walk goes on where it ended");
}

#[tokio::test]
async fn who_comes_late_into_the_index_is_found_by_the_next_run() {
    let (store, _) = table(0).await;
    let (deps, queue, time) = moving(&store, 1_000);
    let shard = keys::shard_name(1);
    let first = due_in_shard(&store, &shard, "first", now()).await;
    sweep(&deps).await;
    // Due before the run, and written after it.
    let late = due_in_shard(&store, &shard, "late", now() - SignedDuration::from_secs(20)).await;
    time.advance(SignedDuration::from_mins(1));
    sweep(&deps).await;
    assert_eq!(all_ticked(&queue), [first, late]);
}

#[tokio::test]
async fn ticks_of_a_shard_travel_together() {
    let (store, _) = table(0).await;
    for n in 0..TICKS_AT_ONCE + 1 {
        due_in_shard(&store, &keys::shard_name(2), &format!("p{n}"), now()).await;
    }
    let (deps, queue, _) = moving(&store, 10_000);
    assert_eq!(sweep(&deps).await.sent as usize, TICKS_AT_ONCE + 1);
    assert_eq!(queue.bodies().len(), 2);
}

#[tokio::test]
async fn when_the_clock_goes_back_everyone_who_is_due_is_found() {
    let (store, _) = table(0).await;
    let (deps, queue, time) = moving(&store, 1_000);
    time.advance(SignedDuration::from_hours(500));
    due_in_shard(&store, &keys::shard_name(4), "later", time.now() - SignedDuration::from_hours(1)).await;
    sweep(&deps).await;
    let early = due_in_shard(&store, &keys::shard_name(4), "early", now()).await;
    let (deps, again, _) = moving(&store, 1_000);
    sweep(&deps).await;
    assert_eq!((all_ticked(&again), queue.bodies().len()), (vec![early], 1));
}

#[tokio::test]
async fn everyone_whose_time_has_come_gets_a_tick_and_nobody_else() {
    let (store, expected) = table(40).await;
    let (deps, queue) = deps(store, 10_000);
    // Any payload of the scheduler is accepted.
    let swept = handler::handle(&deps, serde_json::json!({ "source": "aws.scheduler" })).await.unwrap();
    assert_eq!(swept, Swept { sent: 40, unsent: 0, unreadable: 0, more: false });
    assert_eq!(ticked(&queue), expected);
    assert_eq!(serde_json::to_string(&swept).unwrap(), r#"{"sent":40,"unsent":0,"unreadable":0,"more":false}"#);
}

#[tokio::test]
async fn a_run_is_bounded_and_says_that_more_are_due() {
    let (store, _) = table(80).await;
    let (deps, queue) = deps(store, 16);
    let swept = handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    assert!(swept.more && swept.sent <= 16, "{swept:?}");
    assert_eq!(all_ticked(&queue).len() as u64, swept.sent);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_counted_and_found_again() {
    let (store, expected) = table(10).await;
    let (deps, queue) = deps(store, 10_000);
    queue.refuse_next(4);
    let swept = sweep(&deps).await;
    assert_eq!((swept.sent + swept.unsent, swept.sent > 0, swept.unsent >= 4), (10, true, true), "{swept:?}");
    assert_eq!(all_ticked(&queue).len() as u64, swept.sent);
    handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    assert_eq!(ticked(&queue), expected);
}

#[tokio::test]
async fn when_the_index_cannot_be_read_the_run_fails() {
    let (store, _) = table(1).await;
    let (deps, _) = deps(Store::new(store.client().clone(), "no-such-table"), 10);
    assert!(handler::handle(&deps, serde_json::Value::Null).await.is_err());
}

#[tokio::test]
async fn each_run_is_noted_with_how_many_were_due_the_newest_first() {
    let (store, _) = table(2).await;
    let queue = Arc::new(MemoryQueue::new());
    let (clock, time) = Clock::simulated(now());
    let deps = Deps::new(store.clone(), queue.clone(), Arc::<MemoryQueue>::default(), clock, 100);
    queue.refuse_next(100);
    handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    time.advance(SignedDuration::from_mins(5));
    queue.refuse_next(0);
    handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    let noted = store.sweeps(10).await.unwrap();
    let told: Vec<_> = noted.iter().map(|sweep| (sweep.at, sweep.sent, sweep.unsent, sweep.failed)).collect();
    assert_eq!(told, [(now() + SignedDuration::from_mins(5), 2, 0, false), (now(), 0, 2, false)]);
    assert_eq!(store.sweeps(1).await.unwrap(), noted[..1]);
    let since = store.oldest_due(now()).await.unwrap();
    assert_eq!(since, Some(now() - SignedDuration::from_hours(3)), "the longest overdue of all shards");
}

#[tokio::test]
async fn account_that_is_due_goes_to_the_accounts_queue_and_others_do_not() {
    let (store, expected) = table(3).await;
    for (name, due_at) in
        [("due", Some(now())), ("later", Some(now() + SignedDuration::from_hours(1))), ("never", None)]
    {
        let mut stored = StoredAccount::new(AccountId::parse(name).unwrap());
        stored.account.due_at = due_at;
        store.save_account(&mut stored).await.unwrap();
    }
    let (events, accounts) = (Arc::new(MemoryQueue::new()), Arc::new(MemoryQueue::new()));
    let (clock, _) = Clock::simulated(now());
    let deps = Deps::new(store, events.clone(), accounts.clone(), clock, 10_000);
    let swept = handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    assert_eq!(swept, Swept { sent: 4, unsent: 0, unreadable: 0, more: false });
    assert_eq!(ticked(&events), expected);
    let anew = serde_json::to_string(&AccountsPayload::anew(AccountId::parse("due").unwrap())).unwrap();
    assert_eq!(accounts.bodies(), [anew]);
}

/// The least config, in whose version `base` shows.
fn bundle(base: u8) -> perennial_config::Bundle {
    let scoring = format!("[base]\nchurn = {base}\n");
    ConfigBuilder::least().with(&[("scoring.toml", &scoring)]).bundle()
}

#[tokio::test]
async fn the_table_is_counted_each_hour_and_when_the_config_has_changed() {
    let (store, _) = table(5).await;
    let (deps, _, time) = moving(&store, 10_000);
    let counted = async || {
        sweep(&deps).await;
        store.last_count().await.unwrap().map(|count| (count.at, count.totals.profiles, count.figures.people))
    };
    assert_eq!(counted().await, None, "there is no config to count under");
    store.push_config(&bundle(1), now()).await.unwrap();
    assert_eq!(counted().await, Some((now(), 15, 15)));
    let after = |minutes| now() + SignedDuration::from_mins(minutes);
    time.set(after(55));
    assert_eq!(counted().await.unwrap().0, now());
    time.set(after(60));
    assert_eq!(counted().await.unwrap().0, after(60));
    store.push_config(&bundle(2), after(60)).await.unwrap();
    time.set(after(65));
    assert_eq!(counted().await.unwrap().0, after(65));
    assert_eq!(
        store.last_count().await.unwrap().unwrap().config,
        store.current_config().await.unwrap().unwrap().version
    );
}

#[tokio::test]
async fn a_pass_ends_under_the_config_that_it_began_with() {
    let (store, _) = table(1).await;
    let first = store.push_config(&bundle(1), now()).await.unwrap();
    let config = store.load_config().await.unwrap();
    for number in 0..3 {
        let put = store.client().put_item().table_name(store.table());
        let put =
            put.item("pk", AttributeValue::S(format!("X#{number}"))).item("sk", AttributeValue::S("X".to_owned()));
        put.item("x", AttributeValue::S("x".repeat(390_000))).send().await.unwrap();
    }
    // A run came this far when it was stopped.
    let mut pass = new_pass(None, &config, now() - SignedDuration::from_hours(2));
    assert!(!store.count_page(&mut pass, &config).await.unwrap() && store.note_count(&mut pass).await.unwrap());
    let second = store.push_config(&bundle(2), now()).await.unwrap();
    let (deps, _, time) = moving(&store, 10_000);
    sweep(&deps).await;
    let count = store.last_count().await.unwrap().unwrap();
    assert_eq!((count.config, count.totals.profiles), (first, 3));
    time.advance(SignedDuration::from_mins(5));
    sweep(&deps).await;
    assert_eq!(store.last_count().await.unwrap().unwrap().config, second, "and the next one begins at once");
    time.advance(SignedDuration::from_hours(2));
    let (deps, ..) = moving(&store, 10_000);
    sweep(&deps.without_counting()).await;
    assert_eq!(store.last_count().await.unwrap().unwrap().at, now() + SignedDuration::from_mins(5));
}
