//! The real handler over a DynamoDB behind its real HTTP API; the queue is in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{AccountsPayload, EventsPayload};
use perennial_domain::{AccountId, Identity, PersonId, UserId};
use perennial_engine::Profile;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::queue::MemoryQueue;
use perennial_store::accounts::StoredAccount;
use perennial_store::{Store, Stored};
use perennial_sweep::{Deps, Swept, handler};
use std::collections::BTreeSet;
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-01-10T00:00:00Z".parse().unwrap()
}

/// A table with `due` people who are due and as many who are not yet, or wait for nothing.
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

fn ticked(queue: &MemoryQueue) -> BTreeSet<PersonId> {
    let person = |body: &String| match serde_json::from_str(body).unwrap() {
        EventsPayload::Tick { person, due_at } => {
            assert!(due_at <= now());
            person
        }
        other => panic!("{other:?} is no tick"),
    };
    queue.bodies().iter().map(person).collect()
}

#[tokio::test]
async fn everyone_whose_time_has_come_gets_a_tick_and_nobody_else() {
    let (store, expected) = table(40).await;
    let (deps, queue) = deps(store, 10_000);
    // Whatever the scheduler sends along.
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
    assert_eq!(queue.bodies().len() as u64, swept.sent);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_counted_and_found_again() {
    let (store, expected) = table(10).await;
    let (deps, queue) = deps(store, 10_000);
    queue.refuse_next(4);
    assert_eq!(
        handler::handle(&deps, serde_json::Value::Null).await.unwrap(),
        Swept { sent: 6, unsent: 4, unreadable: 0, more: false }
    );
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
    handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    time.advance(SignedDuration::from_mins(5));
    queue.refuse_next(100);
    handler::handle(&deps, serde_json::Value::Null).await.unwrap();
    let noted = store.sweeps(10).await.unwrap();
    let told: Vec<_> = noted.iter().map(|sweep| (sweep.at, sweep.sent, sweep.unsent, sweep.failed)).collect();
    assert_eq!(told, [(now() + SignedDuration::from_mins(5), 0, 2, false), (now(), 2, 0, false)]);
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
