//! A separate table for each test.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use jiff::Timestamp;
use perennial_domain::{Event, Identity, PersonId, UserId};
use perennial_engine::Profile;
use perennial_store::{Store, Stored};
use perennial_testkit::ConfigBuilder;

/// An empty table.
pub async fn store() -> Store {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(perennial_testkit::dynamodb::start())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let store = Store::new(Client::from_conf(config), "perennial");
    store.create_table().await.unwrap();
    store
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

pub fn user(text: &str) -> Identity {
    Identity::User(UserId::parse(text).unwrap())
}

pub fn person(text: &str) -> PersonId {
    user(text).person_id()
}

/// Returns a profile of `text` that is not stored yet.
pub fn new(text: &str) -> Stored {
    Stored::new(Profile::new(user(text)))
}

/// Returns the files of a configuration whose base score of churn is `base`, so that versions differ.
pub fn bundle(base: u8) -> perennial_config::Bundle {
    let scoring = format!("[base]\nchurn = {base}\n");
    ConfigBuilder::least().with(&[("scoring.toml", &scoring), ("lifecycle.toml", "customer = [\"Paid\"]\n")]).bundle()
}

/// Feeds events to a profile and stores it.
pub async fn feed(store: &Store, stored: &mut Stored, events: &[Event]) {
    let config = perennial_config::Config::load(&bundle(0)).unwrap();
    let ledger = std::collections::HashSet::new();
    let processed = perennial_engine::process(
        &perennial_engine::Moment::new(&config, at(0)),
        &mut stored.profile,
        events,
        &ledger,
        perennial_engine::Mode::Live,
    );
    store.put_blocks(&processed.rolled).await.unwrap();
    stored.summary = perennial_store::Summary::of(&stored.profile, &processed.evaluation, &config);
    store.save(stored).await.unwrap();
}
