//! Test fixtures: a table, queues with fixed depths, and one person.

#![allow(clippy::unwrap_used)]

use crate::access::Access;
use crate::deps::Deps;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use perennial_channels::unsubscribe::Keys;
use perennial_config::Config;
use perennial_domain::{AnonymousId, Cause, Channel, ConfigVersion, Decision, DecisionId, Identity, MessageId, UserId};
use perennial_engine::Profile;
use perennial_engine::register::Register;
use perennial_engine::span::Span;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::calls::Calls;
use perennial_lambda_kit::queue::{Depth, Depths, MemoryQueue, Sender, WatchedQueue};
use perennial_store::messages::{MessageState, Outcome};
use perennial_store::{ConfigHandle, Store, Stored};
use perennial_testkit::ConfigBuilder;
use perennial_views::{MaxAge, Status, Views};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When it is.
pub(crate) const NOW: &str = "2026-03-02T08:15:30Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

#[derive(Default)]
pub(crate) struct Queues(pub(crate) Mutex<Depth>);

impl Depths for Queues {
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>> {
        let depth =
            if url.ends_with("-dlq") { Depth { visible: 2, ..Depth::default() } } else { *self.0.lock().unwrap() };
        async move { Ok(depth) }.boxed()
    }
}

pub(crate) struct House {
    pub(crate) deps: Deps,
    pub(crate) events: Arc<MemoryQueue>,
    pub(crate) queues: Arc<Queues>,
}

pub(crate) async fn table() -> Store {
    table_with(&Calls::default()).await
}

/// A table whose calls are noted.
pub(crate) async fn table_with(calls: &Calls) -> Store {
    let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
    let config = aws_sdk_dynamodb::config::Builder::from(&aws::local_config(endpoints).unwrap());
    let client = aws_sdk_dynamodb::Client::from_conf(config.interceptor(calls.clone()).build());
    let store = Store::new(client, "perennial");
    store.create_table().await.unwrap();
    store
}

/// The least config there is, with accounts that are worth something.
pub(crate) fn config() -> Config {
    config_with(&[])
}

/// The same with `others` added to its files.
pub(crate) fn config_with(others: &[(&str, &str)]) -> Config {
    let accounts = r#"
        [value]
        trait = "mrr"
        currency = "EUR"
        per = "month"
        [touch]
        low = 5_000
        [owner]
        low = "success"
        [score]
        ready = 70
        [domains]
        traits = ["domain"]
    "#;
    let config = ConfigBuilder::least().with(&[("accounts.toml", accounts)]).with(others).load();
    Config { version: ConfigVersion::parse("v1").unwrap(), ..config }
}

pub(crate) fn keys() -> Keys {
    Keys::new(["a key of at least thirty-two bytes"]).unwrap()
}

pub(crate) async fn house(access: Access) -> House {
    house_with(access, config()).await
}

/// Returns fixtures with `config`.
pub(crate) async fn house_with(access: Access, config: Config) -> House {
    house_on(table().await, access, config, |status| status)
}

/// The same on a given table, with its status changed.
pub(crate) fn house_on(store: Store, access: Access, config: Config, change: impl FnOnce(Status) -> Status) -> House {
    let (events, queues) = (Arc::new(MemoryQueue::new()), Arc::new(Queues::default()));
    let watched = ["events", "messages"].map(|name| WatchedQueue {
        name: name.into(),
        url: format!("http://q/{name}"),
        dlq_url: format!("http://q/{name}-dlq"),
    });
    let max_age = MaxAge { busy: Duration::from_secs(60), idle: Duration::from_secs(60) };
    let status = change(Status::new(watched.to_vec(), Arc::clone(&queues) as Arc<dyn Depths>, max_age));
    let views = Views { store, config: ConfigHandle::fixed(config), status, clock: Clock::simulated(now()).0 };
    let deps = Deps::new(views, Arc::clone(&events) as Arc<dyn Sender>, access, keys());
    House { deps, events, queues }
}

pub(crate) fn ada() -> Identity {
    Identity::User(UserId::parse("user/1").unwrap())
}

/// Ada, known as a user and as an anonymous visitor, with one in-app message.
pub(crate) async fn with_ada(house: &House) -> DecisionId {
    let mut profile = Profile::new(ada());
    let state = &mut profile.part_mut(&ada()).state;
    let at = now().as_microsecond();
    state.seen = Some(Span { first: at - 10 * 86_400_000_000, last: at });
    state.counts.add("Report Viewed", 3, &|_| false);
    state.tallies.insert("consideration".into(), 2);
    state.account = Some(Register { at, value: "acme".into() });
    state.traits.insert("email".into(), Register { at, value: "\"ada@example.com\"".into() });
    let visitor = Identity::Anonymous(AnonymousId::parse("anon-1").unwrap());
    profile.part_mut(&visitor).state.counts.add("$page", 2, &|_| false);
    house.deps.views.store.save(&mut Stored::new(profile)).await.unwrap();
    house.deps.views.store.index_address("ada@example.com", ada().person_id()).await.unwrap();
    let person = ada().person_id();
    let decision = Decision {
        id: DecisionId::of(person, "welcome", 1, b"c"),
        person,
        journey: "welcome".into(),
        step: 1,
        channel: Channel::InApp,
        template: "welcome".into(),
        endpoint: None,
        cause: Cause::Event { name: "Trial Started".into(), message_id: MessageId::parse("m").unwrap() },
        properties: perennial_domain::Properties::new(),
        decided_at: now(),
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    };
    house.deps.views.store.claim(&decision, "q/1", now()).await.unwrap();
    let outcome = Outcome {
        subject: Some("Hi".into()),
        text: Some("Hello".into()),
        link: Some("/start".into()),
        ..Outcome::new(MessageState::Sent, now())
    };
    house.deps.views.store.record(person, decision.id, &outcome).await.unwrap();
    decision.id
}
