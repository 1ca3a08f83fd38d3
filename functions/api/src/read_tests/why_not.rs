#![allow(clippy::unwrap_used)]

use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{config_with, house_with, now, with_ada};
use http::StatusCode;
use perennial_channels::unsubscribe::address_hash;
use perennial_store::pauses::{Health, Tally};
use perennial_store::suppressions::Reason;
use serde_json::{Value, json};

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Report Viewed" }
    step = [{ channel = "mail", template = "letter" }]
    [[journey]]
    id = "note"
    trigger = { event = "Never Seen" }
    step = [{ channel = "in_app", template = "letter" }]
"#;

fn rule(answer: &Value, name: &str) -> Value {
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|check| check["rule"] == name).map_or(Value::Null, |check| check["outcome"].clone())
}

#[tokio::test]
async fn consent_and_pauses_are_rules_of_journeys_with_mails() {
    let files = [("journeys.toml", JOURNEYS), ("templates/letter.toml", "subject = \"s\"\ntext = \"t\"")];
    let house = house_with(Access::Open, config_with(&files)).await;
    with_ada(&house).await;
    let path = "/api/profiles/user%2F1/why-not/course";
    let open = get(&house, path).await;
    assert_eq!((rule(&open, "consent"), rule(&open, "pause")), (json!("passes"), json!("passes")));
    let store = &house.deps.views.store;
    store.suppress_hashed(&address_hash("ada@example.com"), Reason::Unsubscribe, now()).await.unwrap();
    let health = Health { tally: Tally { sent: 400, bounced: 31, complained: 0 }, paused: None, resumed: None };
    store.pause_journey("course", &health, now()).await.unwrap();
    let closed = get(&house, path).await;
    assert_eq!((rule(&closed, "consent"), rule(&closed, "pause")), (json!("blocks"), json!("blocks")));
    assert_eq!(closed["verdict"], "consent: mails to their address are withheld: unsubscribed");
    let note = get(&house, "/api/profiles/user%2F1/why-not/note").await;
    assert_eq!((rule(&note, "consent"), rule(&note, "trigger")), (Value::Null, json!("blocks")));
    assert_eq!(note["verdict"], "trigger: \"Never Seen\" never happened");
}

#[tokio::test]
async fn unknown_journey_is_answered_with_those_that_there_are() {
    let house = house_with(Access::Open, config_with(&[])).await;
    with_ada(&house).await;
    let (status, _, body) = call(&house, "GET", "/api/profiles/user%2F1/why-not/none").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("there is no journey `none`"), "{body}");
    let (status, _, _) = call(&house, "POST", "/api/profiles/user%2F1/why-not/none").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}
