//! Captured requests of real clients; see `tests/captures/README.md`.

use super::*;
use std::collections::{BTreeMap, HashSet};

/// Returns captured requests by client; none, with a printed note, if there are no captures.
fn captured() -> BTreeMap<String, Vec<Value>> {
    let mut clients = BTreeMap::new();
    let Ok(folders) = std::fs::read_dir(repository("tests/captures")) else {
        eprintln!("skipped: there is no tests/captures");
        return clients;
    };
    for folder in
        folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir() && !path.ends_with("webhooks"))
    {
        let client = folder.file_name().unwrap().to_string_lossy().into_owned();
        let requests: &mut Vec<Value> = clients.entry(client).or_default();
        for file in std::fs::read_dir(folder).unwrap() {
            let capture: Value = serde_json::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
            // A redirect was followed to a path without an endpoint.
            requests.extend(
                capture["requests"].as_array().unwrap().iter().filter(|request| request["path"] != "/other").cloned(),
            );
        }
    }
    clients
}

fn body(request: &Value) -> Vec<u8> {
    match (&request["body_raw_b64"], &request["body_json"]) {
        (Value::String(raw), _) => BASE64.decode(raw.as_bytes()).unwrap(),
        (_, Value::Null) => Vec::new(),
        (_, json) => json.to_string().into_bytes(),
    }
}

fn ids(request: &Value) -> Vec<String> {
    let body = &request["body_json"];
    let events = body["batch"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
    events
        .iter()
        .filter_map(|event| event["messageId"].as_str().or(event["uuid"].as_str()))
        .map(str::to_owned)
        .collect()
}

async fn replay(fixture: &Fixture, request: &Value) -> Answered {
    let pairs: Vec<(String, String)> = serde_json::from_value(request["headers"].clone()).unwrap();
    let headers: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fixture.send(request["method"].as_str().unwrap(), request["path"].as_str().unwrap(), &headers, &body(request)).await
}

#[tokio::test]
async fn every_captured_request_is_taken_and_every_event_of_it_queued() {
    for (client, requests) in captured() {
        let fixture = Fixture::new();
        let mut sent = HashSet::new();
        for request in &requests {
            let answer = replay(&fixture, request).await;
            let what = format!("{client} {} {}: {} {}", request["method"], request["path"], answer.status, answer.body);
            assert!((200..300).contains(&answer.status), "{what}");
            if request["method"] == "POST" {
                sent.extend(ids(request));
            }
        }
        // PostHog's alias makes a second event, whose id is the first one's with a suffix.
        let own = |event: &Event| event.message_id.as_str().trim_end_matches(":$alias").to_owned();
        let queued: HashSet<String> = fixture.events().iter().map(own).collect();
        assert_eq!(queued, sent, "{client}");
        assert_eq!(fixture.rejected(), [], "{client}");
    }
}

#[tokio::test]
async fn every_client_makes_the_same_person_known() {
    for (client, requests) in captured() {
        let fixture = Fixture::new();
        for request in &requests {
            replay(&fixture, request).await;
        }
        let events = fixture.events();
        let known = events.iter().find(|event| event.kind.as_str() == "identify" && !event.traits.is_empty()).unwrap();
        let person = known.user_id.as_ref().unwrap().as_str();
        assert_eq!((person, &known.traits["email"]), ("u-1", &json!("ada@example.com")), "{client}");
        let order = events.iter().find(|event| event.counted_as() == "Order Completed").unwrap();
        assert_eq!(order.properties["revenue"], 39.9, "{client}");
        let group = events.iter().find(|event| event.kind.as_str() == "group").unwrap();
        assert_eq!(
            (group.group_id.as_ref().unwrap().as_str(), group.traits.contains_key("name")),
            ("acct-9", true),
            "{client}"
        );
    }
}
