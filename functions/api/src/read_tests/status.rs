#![allow(clippy::unwrap_used)]
use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{House, config_with, house_on, now, table_with};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_domain::{Identity, UserId};
use perennial_engine::{Mode, Moment, Profile, process};
use perennial_lambda_kit::calls::Calls;
use perennial_store::count::new_pass;
use perennial_store::{Store, Stored, Summary};
use perennial_testkit::EventBuilder;
use serde_json::json;
use std::ops::Range;

/// Everything that is shown of everyone.
const PATHS: [&str; 5] = ["/api/status", "/api/features", "/api/segments", "/api/journeys", "/api/experiments/course"];

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Login" }
    goal = { event = "Report Viewed", within_days = 10 }
    holdout = 20
    step = [{ wait = { days = 1 } }]
"#;
const FEATURES: &str = "!\n[[feature]]\nname = \"login\"\nevent = \"Login\"\n";

fn config() -> Config {
    config_with(&[("journeys.toml", JOURNEYS), ("features.toml", FEATURES)])
}

/// People of these numbers, who logged in.
async fn people(store: &Store, config: &Config, numbers: Range<u32>) {
    for number in numbers {
        let user = format!("u{number}");
        let mut stored = Stored::new(Profile::new(Identity::User(UserId::parse(&user).unwrap())));
        let event = EventBuilder::track("m", &user, "Login").at(now()).build();
        let moment = Moment::new(config, now());
        let processed = process(&moment, &mut stored.profile, &[event], &Default::default(), Mode::Live);
        stored.summary = Summary::of(&stored.profile, &processed.evaluation, config);
        store.save(&mut stored).await.unwrap();
    }
}

/// Completes a pass of the sweep that began `minutes` ago.
async fn pass(store: &Store, config: &Config, minutes: i64) {
    let began = now() - SignedDuration::from_mins(minutes);
    let mut pass = new_pass(store.count_pass().await.unwrap().as_ref(), config, began);
    while !store.count_page(&mut pass, config).await.unwrap() {}
    assert!(store.note_count(&mut pass).await.unwrap());
}

/// The calls of the table that each path takes.
async fn calls(house: &House, calls: &Calls) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for path in PATHS {
        calls.take();
        let (status, _, body) = call(house, "GET", path).await;
        assert!(status.is_success(), "{path}: {body}");
        all.push(calls.take());
    }
    all
}

#[tokio::test]
async fn what_is_shown_of_everyone_costs_the_same_however_many_they_are() {
    let mut seen = Vec::new();
    for number in [50, 500] {
        let noted = Calls::default();
        let store = table_with(&noted).await;
        people(&store, &config(), 0..number).await;
        pass(&store, &config(), 30).await;
        // As of a table that is too large to be counted when somebody asks.
        let house = house_on(store, Access::Open, config(), |status| status.with_pages_at_once(0));
        let made = calls(&house, &noted).await;
        assert!(made.iter().flatten().all(|call| call != "Scan"), "{made:?}");
        seen.push(made);
        let status = get(&house, "/api/status").await;
        assert_eq!((&status["profiles"], &status["counted_at"]), (&json!(number), &json!("2026-03-02T07:45:30Z")));
        let features = get(&house, "/api/features").await;
        assert_eq!((&features["features"][0]["people"], &features["people"]), (&json!(number), &json!(number)));
        assert_eq!(get(&house, "/api/journeys").await["journeys"][0]["entered"], json!(number));
        assert_eq!(get(&house, "/api/experiments").await["people"], json!(number));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_small_table_is_counted_when_somebody_asks_and_a_large_one_by_the_sweep() {
    let noted = Calls::default();
    let store = table_with(&noted).await;
    people(&store, &config(), 0..3).await;
    let new = || house_on(store.clone(), Access::Open, config(), |status| status);
    pass(&store, &config(), 30).await;
    people(&store, &config(), 3..4).await;
    let status = get(&new(), "/api/status").await;
    assert_eq!(
        (&status["profiles"], &status["counted_at"], &status["now"]),
        (&json!(4), &status["now"], &json!(now()))
    );
    for number in 0..30 {
        let put = store.client().put_item().table_name(store.table());
        let put =
            put.item("pk", AttributeValue::S(format!("X#{number}"))).item("sk", AttributeValue::S("X".to_owned()));
        put.item("x", AttributeValue::S("x".repeat(390_000))).send().await.unwrap();
    }
    // A request reads a bounded number of pages, even if the last count found a small table.
    let scans = |calls: &[String]| calls.iter().filter(|call| *call == "Scan").count();
    for made in calls(&new(), &noted).await {
        assert!(scans(&made) <= 4, "{made:?}");
    }
    assert_eq!(get(&new(), "/api/status").await["profiles"], json!(3), "of the last pass");
    pass(&store, &config(), 20).await;
    for made in calls(&new(), &noted).await {
        assert_eq!(scans(&made), 0, "{made:?}");
    }
    assert_eq!(get(&new(), "/api/status").await["profiles"], json!(4));
}

#[tokio::test]
async fn before_the_first_count_of_a_large_table_no_number_is_shown() {
    let store = table_with(&Calls::default()).await;
    let house = house_on(store, Access::Open, config(), |status| status.with_pages_at_once(0));
    let status = get(&house, "/api/status").await;
    assert_eq!((&status["counted_at"], status.get("profiles"), &status["idle"]), (&json!(null), None, &json!(true)));
    for path in &PATHS[1..] {
        let (status, headers, body) = call(&house, "GET", path).await;
        assert_eq!((status.as_u16(), headers["retry-after"].as_bytes()), (503, b"300".as_slice()), "{path}");
        assert!(body.contains("not_counted") && body.contains("the sweep counts it"), "{body}");
    }
}

#[tokio::test]
async fn what_a_push_added_since_the_last_count_has_no_number_yet() {
    let store = table_with(&Calls::default()).await;
    people(&store, &config(), 0..2).await;
    pass(&store, &config_with(&[]), 30).await;
    let house = house_on(store, Access::Open, config(), |status| status.with_pages_at_once(0));
    assert_eq!(get(&house, "/api/features").await["features"][0]["people"], json!(null));
    assert_eq!(get(&house, "/api/journeys").await["journeys"][0]["entered"], json!(null));
    assert_eq!(get(&house, "/api/experiments").await["journeys"], json!([]));
    let (status, _, body) = call(&house, "GET", "/api/experiments/course").await;
    assert!(status.as_u16() == 503 && body.contains("not_counted"), "{body}");
}
