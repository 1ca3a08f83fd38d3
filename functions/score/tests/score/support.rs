//! A function with its table, and the messages it sends.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{AnonymousId, Event, Identity, PersonId, UserId};
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::queue::{Delay, MemoryQueue};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_score::{Deps, Parts, handler};
use perennial_store::{Archive, ConfigHandle, Consistency, Loaded, Store, Stored};
use perennial_testkit::ConfigBuilder;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

pub struct Bench {
    pub deps: Deps,
    pub store: Store,
    pub archive: Archive,
    pub messages: Arc<MemoryQueue>,
    pub essential: Arc<MemoryQueue>,
    pub accounts: Arc<MemoryQueue>,
    pub events: Arc<MemoryQueue>,
    pub clock: Clock,
    pub time: SimulatedTime,
    pub config: Config,
}

/// Clients of one DynamoDB; different table names separate runs.
pub struct Database(aws_sdk_dynamodb::Client);

impl Database {
    pub fn start() -> Self {
        let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
        Self(aws_sdk_dynamodb::Client::new(&aws::local_config(endpoints).unwrap()))
    }

    pub async fn bench(&self, table: &str) -> Bench {
        self.bench_with(table, config()).await
    }

    pub async fn bench_with(&self, table: &str, config: Config) -> Bench {
        let store = Store::new(self.0.clone(), table);
        store.create_table().await.unwrap();
        let (clock, time) = Clock::simulated(at(0));
        Bench::over(store, Archive::memory(), Default::default(), config, clock, time)
    }
}

/// Runs one case of a property, over a database and on a runtime that all of them share; the case's number separates
/// its tables from the others'.
pub fn case<T>(test: impl AsyncFnOnce(&'static Database, u32) -> T) -> T {
    static DATABASE: LazyLock<Database> = LazyLock::new(Database::start);
    static RUN: AtomicU32 = AtomicU32::new(0);
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
    RUNTIME.block_on(test(&DATABASE, RUN.fetch_add(1, Ordering::Relaxed)))
}

impl Bench {
    pub async fn new() -> Self {
        Database::start().bench("perennial").await
    }

    fn over(
        store: Store,
        archive: Archive,
        [messages, essential, accounts, events]: [Arc<MemoryQueue>; 4],
        config: Config,
        clock: Clock,
        time: SimulatedTime,
    ) -> Self {
        let deps = Deps::new(Parts {
            store: store.clone(),
            archive: archive.clone(),
            messages: messages.clone(),
            essential: essential.clone(),
            accounts: accounts.clone(),
            events: events.clone(),
            config: ConfigHandle::fixed(config.clone()),
            clock: clock.clone(),
            debounce: Delay::at_most(30),
        });
        Self { deps, store, archive, messages, essential, accounts, events, clock, time, config }
    }

    /// Returns another process over the same table and queues, without records of executed actions.
    pub fn restarted(&self) -> Self {
        self.restarted_with(self.config.clone())
    }

    /// The same under another configuration.
    pub fn restarted_with(&self, config: Config) -> Self {
        Self::over(
            self.store.clone(),
            self.archive.clone(),
            [self.messages.clone(), self.essential.clone(), self.accounts.clone(), self.events.clone()],
            config,
            self.clock.clone(),
            self.time.clone(),
        )
    }

    /// Handles one record for each list of events; returns the records that failed.
    pub async fn feed(&self, records: &[Vec<Event>]) -> Vec<String> {
        self.hand(records.iter().map(|events| events_body(events)).collect()).await
    }

    pub async fn hand(&self, bodies: Vec<String>) -> Vec<String> {
        failures(&handler::handle(&self.deps, sqs(bodies)).await.unwrap())
    }

    pub async fn stored(&self, person: PersonId) -> Option<Stored> {
        match self.store.load(person, Consistency::Strong).await.unwrap() {
            Loaded::Profile(stored) => Some(stored),
            Loaded::Absent | Loaded::Moved(_) => None,
        }
    }
}

pub fn events_body(events: &[Event]) -> String {
    serde_json::to_string(&EventsPayload::Events { events: events.to_vec() }).unwrap()
}

pub fn tick_body(person: PersonId, due_at: Timestamp) -> String {
    serde_json::to_string(&EventsPayload::Tick { person, due_at }).unwrap()
}

/// Records `r0`, `r1` …
pub fn sqs(bodies: Vec<String>) -> SqsEvent {
    let records = bodies
        .into_iter()
        .enumerate()
        .map(|(i, body)| serde_json::json!({ "messageId": format!("r{i}"), "body": body }));
    serde_json::from_value(serde_json::json!({ "Records": records.collect::<Vec<_>>() })).unwrap()
}

fn failures(response: &SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect()
}

pub fn at(second: i64) -> Timestamp {
    "2026-01-10T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

pub fn user(text: &str) -> PersonId {
    Identity::User(UserId::parse(text).unwrap()).person_id()
}

pub fn anonymous(text: &str) -> PersonId {
    Identity::Anonymous(AnonymousId::parse(text).unwrap()).person_id()
}

pub fn config() -> Config {
    config_with(&[])
}

/// The same with `others` added to its files, or put in their place where they begin with `!`.
pub fn config_with(others: &[(&str, &str)]) -> Config {
    let files = [
        (
            "scoring.toml",
            r#"
            [[rule]]
            id = "bought"
            score = "purchase"
            event = "Order Completed"
            points = 30
            half_life_days = 20
            [[tally]]
            name = "decision"
            events = ["Order Completed", "$page"]
            "#,
        ),
        (
            "lifecycle.toml",
            r#"
            lead = ["$identify"]
            trial = ["Trial Started"]
            customer = ["Order Completed"]
            churned = ["Subscription Cancelled"]
            "#,
        ),
        (
            "journeys.toml",
            r#"
            [[journey]]
            id = "welcome"
            trigger = { event = "Trial Started" }
            step = [{ channel = "mail", template = "t" }, { channel = "in_app", template = "t" }]
            [[journey]]
            id = "quiet"
            trigger = { idle_days = 14 }
            reentry = "always"
            step = [{ channel = "mail", template = "t" }]
            "#,
        ),
        ("templates/t.toml", "subject = \"s\"\ntext = \"t\""),
    ];
    ConfigBuilder::least().with(&files).with(others).load()
}
