//! Bad input gets a clear answer or a reject with its reason; the server stays up and good events beside it are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, stack};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;

const NOW: &str = "2026-03-02T12:00:00Z";

fn good(id: &str) -> serde_json::Value {
    json!({ "messageId": id, "type": "track", "event": "Login", "userId": "good", "timestamp": "2026-03-02T11:00:00Z" })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_batch_is_refused_and_says_why() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let nested = format!(
        "{{\"batch\":[{{\"type\":\"track\",\"properties\":{}1{}}}]}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let bomb = gzip(&vec![b' '; 200 * 1024 * 1024]);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("malformed", b"{\"batch\":[".to_vec()),
        ("no object", b"[1,2,3".to_vec()),
        ("wrong type", b"{\"batch\":\"x\"}".to_vec()),
        ("invalid utf-8", b"{\"batch\":[{\"type\":\"track\",\"event\":\"\xff\xfe\"}]}".to_vec()),
        ("empty", Vec::new()),
        ("10 MB", vec![b'x'; 10 * 1024 * 1024 + 1]),
        ("13 MB", vec![b'x'; 13 * 1024 * 1024]),
        ("zip bomb", bomb),
        ("truncated gzip", gzip(b"{\"batch\":[]}")[..10].to_vec()),
    ];
    for (what, body) in bodies {
        let (code, answer) = client.post("/v1/batch", "application/json", body).await;
        assert!((400..500).contains(&code), "{what}: {code} {answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{what}: {answer}"));
        assert!(answer["error"]["message"].as_str().is_some_and(|m| m.len() > 10), "{what} is told nothing: {answer}");
    }
    // Nesting may be refused whole or as one event; it must not take the process along.
    let (code, _) = client.post("/v1/batch", "application/json", nested).await;
    assert!(code < 500, "deep nesting: {code}");
    client.batch(&[good("after").to_string()]).await;
    stack.wait_idle().await.unwrap();
    assert_eq!(client.status().await["events"]["accepted"], 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_event_is_rejected_with_its_reason_and_the_rest_of_its_batch_is_kept() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let with = |id: &str, fields: serde_json::Value| {
        let mut event = good(id);
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let bad = vec![
        with("b1", json!({ "userId": "" })),
        with("b2", json!({ "userId": "a\r\nBcc: everyone@example.com" })),
        with("b3", json!({ "event": null })),
        with("b4", json!({ "timestamp": "2199-01-01T00:00:00Z" })),
        with("b5", json!({ "timestamp": "1492-10-12T00:00:00Z" })),
        with("b6", json!({ "timestamp": "yesterday" })),
        with("b7", json!({ "properties": "not an object" })),
        with("b8", json!({ "properties": { "deep": deep } })),
        with("b9", json!({ "properties": { "big": "x".repeat(40_000) } })),
        with("b10", json!({ "type": "teleport" })),
        with("b11", json!({ "userId": { "$ne": null } })),
        json!(42),
        json!(null),
    ];
    let mut batch: Vec<String> = bad.iter().map(ToString::to_string).collect();
    batch.insert(3, good("g1").to_string());
    batch.push(good("g2").to_string());
    batch.push(with("g3", json!({ "somethingUnknown": { "a": 1 } })).to_string());
    client.batch(&batch).await;
    stack.wait_idle().await.unwrap();
    let status = client.status().await;
    assert_eq!(status["events"]["accepted"], 3, "{status}");
    assert_eq!(status["events"]["rejected"], bad.len() as u64, "{status}");
    let (code, rejects) = client.get("/api/rejects").await;
    assert_eq!(code, 200);
    let listed = rejects["rejects"].as_array().unwrap();
    assert_eq!(listed.len(), bad.len());
    for reject in listed {
        assert!(reject.to_string().len() > 60, "a reject says little: {reject}");
    }
    // The same batch again: rejects are identified by their content and not stored twice.
    client.batch(&batch).await;
    stack.wait_idle().await.unwrap();
    assert_eq!(client.status().await["events"]["rejected"], bad.len() as u64);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_headers_nor_templates_can_be_injected_through_traits() {
    let (stack, _) = stack(NOW).await;
    let client = Client::new(stack.base_url());
    let at = "2026-03-02T11:00:00Z";
    let person = |id: &str, email: &str, name: &str| {
        [
            json!({ "messageId": format!("i-{id}"), "type": "identify", "userId": id, "timestamp": at, "traits": { "email": email, "name": name, "first_name": name, "firstName": name } }).to_string(),
            json!({ "messageId": format!("t-{id}"), "type": "track", "event": "Trial Started", "userId": id, "timestamp": at }).to_string(),
        ]
    };
    client.batch(&person("u1", "u1@customer.example\r\nBcc: victim@elsewhere.example", "Mallory")).await;
    client.batch(&person("u2", "u2@customer.example, victim@elsewhere.example", "Mallory")).await;
    client
        .batch(&person(
            "u3",
            "u3@customer.example",
            "{{ 1234567 * 7 }}{% include 'x' %}\r\nBcc: victim@elsewhere.example <script>alert(1)</script>",
        ))
        .await;
    stack.wait_idle().await.unwrap();
    let (_, mails) = client.get("/_local/mails").await;
    let mails = mails["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 1, "only the address that is one gets a mail");
    let mail = mails[0].to_string();
    assert!(mail.contains("u3@customer.example") && !mail.contains("8641969"), "{mail}");
    assert_eq!(mails[0]["to"], json!(["u3@customer.example"]));
    assert!(!mails[0]["html"].as_str().unwrap().contains("<script>"), "{mail}");
    for header in mails[0]["headers"].as_array().unwrap() {
        assert_ne!(header[0].as_str().unwrap().to_lowercase(), "bcc");
    }
    stack.stop().await;
}
