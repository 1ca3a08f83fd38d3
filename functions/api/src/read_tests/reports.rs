#![allow(clippy::unwrap_used)]

use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{house, house_on, now, table_with};
use http::StatusCode;
use perennial_engine::{Moment, evaluate};
use perennial_lambda_kit::calls::Calls;
use perennial_reports::{Archived, Counted, Name, Tally};
use perennial_store::Store;
use serde_json::{Value, json};

/// Stores the reports of one person.
async fn make(store: &Store) {
    let config = crate::test_support::config();
    let profile = perennial_engine::Profile::new(crate::test_support::ada());
    let evaluation = evaluate(&Moment::new(&config, now()), &profile.view());
    let mut tally = Tally::new(now());
    let scores = evaluation.scores.iter().collect();
    tally.add(
        &config,
        &Counted { profile: &profile, stage: evaluation.stage, nps: evaluation.nps, scores: &scores, segments: &[] },
    );
    for report in tally.reports(&config, &Archived::default()) {
        store.put_report(report.name.as_str(), now(), !report.name.names_people(), &report).await.unwrap();
    }
    store.put_reports_made(now(), &json!({ "at": now(), "people": 1 })).await.unwrap();
}

#[tokio::test]
async fn reports_are_listed_with_when_they_were_made_and_read_by_name_and_day() {
    let house = house(Access::Open).await;
    let list = get(&house, "/api/reports").await;
    assert_eq!((list["reports"].as_array().unwrap().len(), &list["made"]), (Name::ALL.len(), &Value::Null));
    let (status, _, body) = call(&house, "GET", "/api/reports/funnel").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("not made yet"), "{body}");

    make(&house.deps.views.store).await;
    assert_eq!(get(&house, "/api/reports").await["made"]["people"], 1);
    let funnel = get(&house, "/api/reports/funnel").await;
    assert_eq!((&funnel["name"], &funnel["people"]), (&json!("funnel"), &json!(1)));
    assert_eq!(funnel["tables"][0]["rows"][0], json!(["visitor", 1, { "part": 1, "of": 1 }]));
    assert_eq!(get(&house, "/api/reports/funnel?day=2026-03-02").await, funnel);
    for (path, status) in [
        ("/api/reports/funnel?day=2026-03-01", StatusCode::NOT_FOUND),
        ("/api/reports/funnel?day=yesterday", StatusCode::BAD_REQUEST),
        ("/api/reports/people?day=2026-03-02", StatusCode::NOT_FOUND),
        ("/api/reports/nothing", StatusCode::NOT_FOUND),
    ] {
        let (found, _, body) = call(&house, "GET", path).await;
        assert_eq!(found, status, "{path}: {body}");
    }
    assert_eq!(call(&house, "POST", "/api/reports/funnel").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_report_is_one_read_by_its_key() {
    let calls = Calls::default();
    let store = table_with(&calls).await;
    let house = house_on(store, Access::Open, crate::test_support::config(), |status| status);
    make(&house.deps.views.store).await;
    calls.take();
    get(&house, "/api/reports/activity").await;
    assert_eq!(calls.take(), ["GetItem"]);
}
