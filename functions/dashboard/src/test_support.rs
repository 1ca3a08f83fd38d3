//! Test fixtures: a table whose calls are noted, a queue, and people.

#![allow(clippy::unwrap_used)]

pub(crate) mod browser;
pub(crate) mod provider;

use crate::access::Access;
use crate::deps::Deps;
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{Identity, UserId};
use perennial_engine::{Action, Mode, Moment, Profile, process};
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::calls::Calls;
use perennial_lambda_kit::queue::{Depth, Depths, MemoryQueue, Sender, WatchedQueue};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_store::count::new_pass;
use perennial_store::lists::Listee;
use perennial_store::{ConfigHandle, Store, Stored, Summary};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use perennial_views::{MaxAge, Status, Views};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    description = "teaches"
    trigger = { event = "Login" }
    when = 'count("Bought") >= 2'
    goal = { event = "Report Viewed" }
    holdout = 10
    [[journey.step]]
    id = "which"
    split = { long = 50, short = 50 }
    [[journey.step]]
    id = "long"
    wait = { event = "Report Viewed", days = 3, timeout = "end" }
    then = "end"
    [[journey.step]]
    id = "short"
    channel = "mail"
    template = "note"
"#;

/// The dependencies, and their queue.
pub(crate) struct House {
    pub(crate) deps: Deps,
    pub(crate) events: Arc<MemoryQueue>,
    config: Config,
}

/// Empty queues.
struct Idle;

impl Depths for Idle {
    fn depth<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Depth, String>> {
        async { Ok(Depth::default()) }.boxed()
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-02T08:15:30Z".parse().unwrap()
}

fn config() -> Config {
    let rule = "[[rule]]\nid = \"bought\"\nscore = \"purchase\"\nevent = \"Bought\"\npoints = 10\n";
    let segment = "[[segment]]\nname = \"keen\"\nwhen = 'scores.purchase >= 10'\n";
    ConfigBuilder::least()
        .with(&[
            ("scoring.toml", rule),
            ("segments.toml", segment),
            ("journeys.toml", JOURNEYS),
            ("templates/note.toml", "subject = \"s\"\ntext = \"t\""),
        ])
        .load()
}

/// Returns an open dashboard on an empty table. As deployed, it never counts the table itself.
pub(crate) async fn open(calls: &Calls) -> House {
    let house = deps(calls, Access::Open).await;
    let (store, mut pass) = (&house.deps.views.store, new_pass(None, &house.config, now()));
    while !store.count_page(&mut pass, &house.config).await.unwrap() {}
    assert!(store.note_count(&mut pass).await.unwrap());
    house
}

/// Returns a dashboard with this access.
pub(crate) async fn deps(calls: &Calls, access: Access) -> House {
    with_access(calls, access).await.0
}

/// Returns a dashboard with this access, and its clock.
pub(crate) async fn with_access(calls: &Calls, access: Access) -> (House, SimulatedTime) {
    let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
    let sdk = aws::local_config(endpoints).unwrap();
    let builder = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(calls.clone());
    let store = Store::new(aws_sdk_dynamodb::Client::from_conf(builder.build()), "perennial");
    store.create_table().await.unwrap();
    let watched = WatchedQueue { name: "events".into(), url: "http://q/events".into(), dlq_url: "http://q/dlq".into() };
    let max_age = MaxAge { busy: Duration::ZERO, idle: Duration::ZERO };
    let status = Status::new(vec![watched], Arc::new(Idle), max_age).with_pages_at_once(0);
    let (config, (clock, time)) = (config(), Clock::simulated(now()));
    let views = Views { store, config: ConfigHandle::fixed(config.clone()), status, clock };
    let events = Arc::new(MemoryQueue::new());
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let deps = Deps::new(views, Arc::clone(&events) as Arc<dyn Sender>, sqs, access);
    (House { deps, events, config }, time)
}

/// Stores the user `u{n}` with a linked visitor `desk-{n}` and an account, as `score` does.
pub(crate) async fn add(house: &House, n: usize) {
    let at = now() - SignedDuration::from_hours(1);
    let name = format!("u{n}");
    let traits = json!({ "name": format!("=Person {n}"), "email": format!("u{n}@example.com") });
    let events = [
        EventBuilder::identify(&format!("{n}-i"), &name, Some(&format!("desk-{n}"))).at(at).traits(traits).build(),
        EventBuilder::group(&format!("{n}-g"), &name, "acme").at(at).build(),
        EventBuilder::track(&format!("{n}-b"), &name, "Bought").at(at).build(),
    ];
    let identity = Identity::User(UserId::parse(&name).unwrap());
    let mut stored = Stored::new(Profile::new(identity.clone()));
    let moment = Moment::new(&house.config, now());
    let processed = process(&moment, &mut stored.profile, &events, &HashSet::new(), Mode::Live);
    stored.summary = Summary::of(&stored.profile, &processed.evaluation, &house.config);
    let visitor = Identity::Anonymous(perennial_domain::AnonymousId::parse(&format!("desk-{n}")).unwrap());
    stored.profile.part_mut(&visitor).state.counts.add("$page", 2, &|_| false);
    let store = &house.deps.views.store;
    store.save(&mut stored).await.unwrap();
    for action in &stored.profile.outbox {
        if let Action::List(change) = action {
            let person = Listee::Person(identity.person_id());
            store.change_lists(person, change, stored.version, now()).await.unwrap();
        }
    }
}
