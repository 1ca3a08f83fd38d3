//! Guarantees of a local stack beyond the functions: a push applies at once, time never goes back, errors have one
//! format.
#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use perennial_config::Bundle;
use perennial_lambda_kit::Clock;
use perennial_local::stack::{Stack, StackOptions, StartTime};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;

const MARCH: &str = "2026-03-02T10:00:00Z";
const MAY: &str = "2026-05-01T00:00:00Z";

async fn stack(data: Option<&Path>, from: &str) -> Stack {
    let (clock, simulated) = Clock::simulated(from.parse().unwrap());
    let data = data.map(Path::to_owned);
    let options = StackOptions { port: 0, data, fast: true, ..StackOptions::new(bundle(0), clock, Some(simulated)) };
    Stack::start(options).await.unwrap()
}

/// The built-in config with another base score, so that versions differ.
fn bundle(base: u8) -> Bundle {
    let mut bundle = perennial_local::bundle::embedded();
    let scoring = bundle.files.get_mut("scoring.toml").unwrap();
    *scoring += &format!("\n# {base}\n");
    bundle
}

async fn get(stack: &Stack, path: &str) -> Value {
    reqwest::get(format!("{}{path}", stack.base_url())).await.unwrap().json().await.unwrap()
}

async fn post(stack: &Stack, path: &str, body: &str) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(format!("{}{path}", stack.base_url())).body(body.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn config_pushed_by_another_process_is_in_force_when_the_stack_was_told() {
    let stack = stack(None, MARCH).await;
    // Another process reaches the table by itself.
    let store = perennial_store::Store::new(stack.store().client().clone(), stack.store().table());
    let version = store.push_config(&bundle(1), stack.now()).await.unwrap();
    let (status, answer) = post(&stack, "/_local/config", "").await;
    assert_eq!((status, &answer["config"]), (StatusCode::OK, &json!(version)));
    let status = get(&stack, "/api/status").await;
    assert_eq!((&status["config"], &status["in_force"]["version"]), (&json!(version), &json!(version)));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_schedules_hold_without_a_restart() {
    let stack = stack(None, MARCH).await;
    let store = perennial_store::Store::new(stack.store().client().clone(), stack.store().table());
    let push = async |rate: &str| {
        let schedule = format!("[[schedule]]\nid = \"sweep\"\nfunction = \"sweep\"\nexpression = \"{rate}\"\n");
        let mut bundle = bundle(0);
        bundle.files.insert("schedules.toml".to_owned(), schedule);
        store.push_config(&bundle, stack.now()).await.unwrap();
        assert_eq!(post(&stack, "/_local/config", "").await.0, StatusCode::OK);
    };
    let swept_by = async |to: &str| {
        let (status, answer) = post(&stack, "/_local/time", &json!({ "now": to }).to_string()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        get(&stack, "/api/status").await["sweeps"].as_array().map_or(0, Vec::len)
    };
    push("rate(1 day)").await;
    assert_eq!(swept_by("2026-03-02T12:00:00Z").await, 0, "the rate of the config that the stack began with is gone");
    push("rate(10 minutes)").await;
    assert_eq!(swept_by("2026-03-02T12:09:00Z").await, 0);
    assert_eq!(swept_by("2026-03-02T12:10:00Z").await, 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_go_by_the_version_in_force_though_nobody_told_of_it() {
    let stack = stack(None, MARCH).await;
    let store = perennial_store::Store::new(stack.store().client().clone(), stack.store().table());
    let version = store.push_config(&bundle(1), stack.now()).await.unwrap();
    assert_eq!(get(&stack, "/api/experiments").await["config"], json!(version));
    let version = store.push_config(&bundle(2), stack.now()).await.unwrap();
    let (_, played) = post(&stack, "/api/journeys/welcome/test", "").await;
    assert_eq!(played["config"], json!(version));
    let version = store.push_config(&bundle(3), stack.now()).await.unwrap();
    let answer = reqwest::Client::new().post(format!("{}/_local/rescore?dry_run=true", stack.base_url())).send();
    let text = answer.await.unwrap().text().await.unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["done"]["config"], json!(version), "{text}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_folder_goes_on_from_the_time_that_it_has_reached() {
    let dir = tempfile::tempdir().unwrap();
    let first = stack(Some(dir.path()), MARCH).await;
    let (status, answer) = post(&first, "/_local/time", &json!({ "now": MAY }).to_string()).await;
    assert_eq!((status, &answer["now"]), (StatusCode::OK, &json!(MAY)));
    first.stop().await;
    let again = stack(Some(dir.path()), MARCH).await;
    assert_eq!(again.start_time(), StartTime::Continued { asked: MARCH.parse().unwrap() });
    assert_eq!(get(&again, "/_local/time").await["now"], json!(MAY));
    again.stop().await;
    let options = StackOptions {
        port: 0,
        data: Some(dir.path().to_owned()),
        ..StackOptions::new(bundle(0), Clock::system(), None)
    };
    let real = Stack::start(options).await.unwrap();
    let reached: Timestamp = MAY.parse().unwrap();
    assert!(matches!(real.start_time(), StartTime::NoLongerSimulated { reached: told, .. } if told == reached));
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_to_go_back_is_refused_with_what_is_allowed() {
    let stack = stack(None, MAY).await;
    let (status, answer) = post(&stack, "/_local/time", &json!({ "now": MARCH }).to_string()).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("earlier")));
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("has to be {MAY} or later")), "{message}");
    let (status, _) = post(&stack, "/_local/time", &json!({ "now": MAY }).to_string()).await;
    assert_eq!(status, StatusCode::OK, "the present moment is no earlier one");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_below_local_are_json_whatever_is_wrong() {
    let stack = stack(None, MARCH).await;
    for (path, body, status, message) in [
        ("/_local/time", "{", StatusCode::BAD_REQUEST, "the JSON that this takes"),
        ("/_local/time", r#"{"now": "tomorrow"}"#, StatusCode::BAD_REQUEST, "the JSON that this takes"),
        ("/_local/rescore?dry=1", "", StatusCode::BAD_REQUEST, "dry"),
        ("/_local/queues", "", StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        ("/_local/redrive/nothing", "", StatusCode::NOT_FOUND, "no queue is called nothing"),
    ] {
        let (got, answer) = post(&stack, path, body).await;
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(message), "{path}: {answer}");
    }
    let missing = get(&stack, "/_local/mails/none").await;
    assert_eq!(missing["error"]["code"], "no_such_mail");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_has_its_own_paths_and_no_others() {
    let stack = stack(None, MARCH).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/people", "text/html; charset=utf-8"),
        ("/people/nobody", "text/html; charset=utf-8"),
        ("/assets/dashboard.css", "text/css; charset=utf-8"),
        ("/peoples", "application/json"),
        ("/v1/health", "application/json"),
        ("/api/people", "application/json"),
    ] {
        let answer = reqwest::get(format!("{}{path}", stack.base_url())).await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind, "{path}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_stay_in_their_order() {
    let stack = stack(None, MARCH).await;
    for id in ["1", "2"] {
        let url = format!("{}/_local/webhooks/tasks", stack.base_url());
        let request = reqwest::Client::new().post(url).header("webhook-id", id).body("{}");
        assert!(request.send().await.unwrap().status().is_success());
    }
    let webhooks = get(&stack, "/_local/webhooks").await;
    let ids: Vec<&Value> = webhooks["webhooks"].as_array().unwrap().iter().map(|webhook| &webhook["id"]).collect();
    assert_eq!(ids, ["1", "2"]);
    stack.stop().await;
}
