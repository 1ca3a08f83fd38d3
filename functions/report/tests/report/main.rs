//! The real handler over a DynamoDB behind its real HTTP API, and an archive in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Event, Identity, UserId};
use perennial_engine::{Mode, Moment, Profile, process};
use perennial_lambda_kit::aws::{self, Endpoints};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_report::{Deps, Ran, Request, handler};
use perennial_reports::{Cell, Name, Report};
use perennial_store::{Archive, Store, Stored, Summary};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use std::collections::HashSet;

const NOW: &str = "2026-01-10T06:00:00Z";
const DUE: Request = Request { now: false };
const AT_ONCE: Request = Request { now: true };

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct House {
    store: Store,
    archive: Archive,
    deps: Deps,
    time: SimulatedTime,
}

async fn house() -> House {
    let endpoints = Endpoints { dynamodb: Some(perennial_testkit::dynamodb::start()), ..Endpoints::default() };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws::local_config(endpoints).unwrap()), "perennial");
    store.create_table().await.unwrap();
    let bundle = ConfigBuilder::shipped().bundle();
    store.push_config(&bundle, at(NOW)).await.unwrap();
    let archive = Archive::memory();
    let (clock, time) = Clock::simulated(at(NOW));
    let deps = Deps::new(store.clone(), archive.clone(), clock);
    House { store, archive, deps, time }
}

/// Stores a person who pays 20 dollars a month since `day`, and archives the event.
async fn customer(house: &House, user: &str, day: &str) {
    let config = ConfigBuilder::shipped().load();
    let said = serde_json::json!({"price": 20, "currency": "USD", "subscription": format!("s-{user}")});
    let event = EventBuilder::track(&format!("m-{user}"), user, "Subscription Started").at(at(day)).properties(said);
    let event: Event = event.build();
    let mut stored = Stored::new(Profile::new(Identity::User(UserId::parse(user).unwrap())));
    let moment = Moment::new(&config, at(NOW));
    let events = [event];
    let processed = process(&moment, &mut stored.profile, &events, &HashSet::new(), Mode::Live);
    stored.summary = Summary::of(&stored.profile, &processed.evaluation, &config);
    house.store.save(&mut stored).await.unwrap();
    house.archive.write(&events).await.unwrap();
}

async fn report(house: &House, name: Name) -> Report {
    house.store.report(name.as_str(), None).await.unwrap().unwrap()
}

/// The recurring revenue and the customers of the current month.
async fn revenue(house: &House) -> (Cell, Cell) {
    let report = report(house, Name::Revenue).await;
    let last = report.tables[0].rows.last().unwrap().clone();
    (last[8].clone(), last[9].clone())
}

fn usd(minor: i64) -> Cell {
    Cell::Money { minor, currency: perennial_domain::Currency::USD }
}

#[tokio::test]
async fn all_reports_are_stored_once_a_day_with_their_history() {
    let house = house().await;
    customer(&house, "ada", "2025-12-20T10:00:00Z").await;
    customer(&house, "bob", "2026-01-09T10:00:00Z").await;
    let ran = handler::handle(&house.deps, DUE).await.unwrap();
    let made = ran.made.unwrap();
    assert_eq!((made.at, made.people, made.unreadable, ran.more), (at(NOW), 2, 0, false));
    for name in Name::ALL {
        let report = report(&house, name).await;
        assert_eq!((report.name, report.at, report.people), (name, at(NOW), 2));
    }
    assert_eq!(revenue(&house).await, (usd(4000), Cell::Count(2)));

    customer(&house, "eve", "2026-01-10T05:00:00Z").await;
    house.time.set(at("2026-01-10T23:59:59Z"));
    assert_eq!(handler::handle(&house.deps, DUE).await.unwrap(), Ran { more: false, made: None }, "made today");
    assert_eq!(handler::handle(&house.deps, AT_ONCE).await.unwrap().made.unwrap().people, 3);
    assert_eq!(revenue(&house).await, (usd(6000), Cell::Count(3)), "objects that came since are read");

    house.time.set(at("2026-01-11T00:00:00Z"));
    assert!(handler::handle(&house.deps, DUE).await.unwrap().made.is_some());
    let of_day = |name: Name, day: &str| {
        let (store, day) = (house.store.clone(), day.parse().unwrap());
        async move { store.report::<Report>(name.as_str(), Some(day)).await.unwrap() }
    };
    let kept = of_day(Name::Revenue, "2026-01-10").await.unwrap();
    assert_eq!(kept.at, at("2026-01-10T23:59:59Z"), "the last run of the day");
    assert!(of_day(Name::Revenue, "2026-01-11").await.is_some() && of_day(Name::Revenue, "2026-01-09").await.is_none());
    assert!(of_day(Name::People, "2026-01-10").await.is_none(), "a report that names people has no history");
}

#[tokio::test]
async fn a_pass_continues_in_parts_and_finds_what_one_run_finds() {
    let house = house().await;
    for (number, day) in
        (0..6).zip(["2025-12-20T10:00:00Z", "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z"].iter().cycle())
    {
        customer(&house, &format!("u{number}"), day).await;
    }
    // About 4 MB of what nobody counts, so that the scan has pages.
    for number in 0..12 {
        let put = house.store.client().put_item().table_name(house.store.table());
        let put =
            put.item("pk", AttributeValue::S(format!("X#{number}"))).item("sk", AttributeValue::S("X".to_owned()));
        put.item("x", AttributeValue::S("x".repeat(390_000))).send().await.unwrap();
    }
    let whole = handler::handle(&house.deps, DUE).await.unwrap();
    let reports = [report(&house, Name::Funnel).await, report(&house, Name::Revenue).await];

    let parts = house.deps.clone().with_until(SignedDuration::ZERO);
    house.time.set(at("2026-01-10T06:00:01Z"));
    let mut runs = 0;
    let made = loop {
        runs += 1;
        let ran = handler::handle(&parts, AT_ONCE).await.unwrap();
        if let Some(made) = ran.made {
            break made;
        }
        assert!(ran.more && runs < 50);
    };
    assert!(runs > 3, "{runs}");
    assert_eq!(made.people, whole.made.unwrap().people);
    for before in reports {
        let after = report(&house, before.name).await;
        assert_eq!(after.tables, before.tables);
        assert_eq!(after.at, at("2026-01-10T06:00:01Z"));
    }
}

#[tokio::test]
async fn unreadable_profiles_and_objects_are_counted_and_do_not_stop_a_run() {
    let house = house().await;
    for user in ["ada", "bob"] {
        customer(&house, user, "2026-01-09T10:00:00Z").await;
    }
    let person = Identity::User(UserId::parse("ada").unwrap()).person_id();
    let update = house.store.client().update_item().table_name(house.store.table());
    let update =
        update.key("pk", AttributeValue::S(format!("P#{person}"))).key("sk", AttributeValue::S("P".to_owned()));
    let update = update.update_expression("SET #state = :noise").expression_attribute_names("#state", "state");
    let noise = AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(vec![5, 255, 255, 255]));
    update.expression_attribute_values(":noise", noise).send().await.unwrap();
    let made = handler::handle(&house.deps, DUE).await.unwrap().made.unwrap();
    assert_eq!((made.people, made.unreadable), (1, 1));
    assert_eq!(report(&house, Name::Activity).await.unreadable, 1);
}

#[tokio::test]
async fn a_person_whose_events_are_erased_is_gone_with_the_next_run() {
    let house = house().await;
    for user in ["ada", "bob"] {
        customer(&house, user, "2025-11-09T10:00:00Z").await;
    }
    handler::handle(&house.deps, DUE).await.unwrap();
    assert_eq!(revenue(&house).await, (usd(4000), Cell::Count(2)));
    let profile = Profile::new(Identity::User(UserId::parse("ada").unwrap()));
    let subject = perennial_store::traces::Subject::of(&profile);
    for object in house.archive.objects_since(None).await.unwrap() {
        let share = house.archive.share(&object, &subject).await.unwrap();
        house.archive.take_out(&object, &share).await.unwrap();
    }
    handler::handle(&house.deps, AT_ONCE).await.unwrap();
    assert_eq!(revenue(&house).await, (usd(2000), Cell::Count(1)), "a day that is closed is read again");
}

/// Facts of accounts are kept under the names that the erasure gives them, which no longer contain a person.
#[tokio::test]
async fn account_pays_on_after_the_person_whose_events_said_so_is_erased() {
    let house = house().await;
    let config = ConfigBuilder::shipped().load();
    let said = serde_json::json!({"price": 20, "currency": "USD", "subscription": "s"});
    let paid = EventBuilder::track("m", "ada", "Subscription Started").at(at("2025-11-09T10:00:00Z"));
    let paid = paid.group_id("acme").properties(said).build();
    house.archive.write(std::slice::from_ref(&paid)).await.unwrap();
    let subject = perennial_store::traces::Subject::of(&Profile::new(Identity::User(UserId::parse("ada").unwrap())));
    // Twice, as after a crash between the two steps.
    for _ in 0..2 {
        for object in house.archive.objects_since(None).await.unwrap() {
            let share = house.archive.share(&object, &subject).await.unwrap();
            let account = perennial_domain::AccountId::parse("acme").unwrap();
            let notices = share.events.iter().filter_map(|event| perennial_reports::notice(&config, event));
            let facts = notices.map(|notice| notice.of_account(account.clone())).collect();
            house.archive.keep(perennial_report::SUBSCRIPTIONS, &object, facts).await.unwrap();
            handler::handle(&house.deps, AT_ONCE).await.unwrap();
            assert_eq!(revenue(&house).await, (usd(2000), Cell::Count(1)), "known by both, it counts once");
            house.archive.take_out(&object, &share).await.unwrap();
        }
        handler::handle(&house.deps, AT_ONCE).await.unwrap();
        assert_eq!(revenue(&house).await, (usd(2000), Cell::Count(1)));
        house.time.set(at("2026-01-11T06:00:00Z"));
    }
    assert!(house.archive.days_of_receipt().await.unwrap().is_empty(), "nothing of the event is left");
}

#[tokio::test]
async fn a_damaged_pass_is_replaced() {
    let house = house().await;
    customer(&house, "ada", "2026-01-09T10:00:00Z").await;
    handler::handle(&house.deps, DUE).await.unwrap();
    let update = house.store.client().update_item().table_name(house.store.table());
    let update =
        update.key("pk", AttributeValue::S("FIGURES".to_owned())).key("sk", AttributeValue::S("PASS".to_owned()));
    let update = update.update_expression("SET body = :noise");
    let noise = AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(vec![1, 2, 3]));
    update.expression_attribute_values(":noise", noise).send().await.unwrap();
    assert_eq!(handler::handle(&house.deps, DUE).await.unwrap().made.unwrap().people, 1);
}
