#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::fixture::decision;
use crate::receiver::{Receiver, Reply};
use perennial_config::channels::SecretPlace;
use serde_json::{Value, json};
use std::time::Duration;

fn rendered(subject: &str, text: &str, link: Option<&str>) -> Rendered {
    Rendered { subject: subject.into(), text: text.into(), html: None, link: link.map(str::to_owned), invitation: None }
}

fn chat() -> Endpoint {
    Endpoint { kind: Kind::Slack, url: String::new(), secret: SecretPlace::Env("S".into()), allow_private: true }
}

fn now() -> Timestamp {
    "2026-03-02T08:15:31Z".parse().unwrap()
}

async fn say(receiver: &Receiver) -> Outcome {
    let body = slack::payload(&decision("chat"), &rendered("Call Ada", "Quiet for 14 days.", None));
    EndpointSender::new().send(&chat(), &receiver.url("/services/T/B/x"), "d", &Message::Chat(body), now()).await
}

#[test]
fn a_chat_message_says_what_the_template_says_and_calls_nobody() {
    let said = rendered(
        "Call <!channel> & Ada",
        "Quiet for 14 days.\n*Company*: A > B",
        Some("https://crm.example/ada?a=1&b=2"),
    );
    let payload: Value = serde_json::from_str(&slack::payload(&decision("chat"), &said)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload).unwrap());
}

#[test]
fn a_chat_message_keeps_the_limits_of_its_blocks() {
    let said = rendered(&"&".repeat(200), &"<b>".repeat(2000), Some("/path/of/the/product"));
    let payload: Value = serde_json::from_str(&slack::payload(&decision("chat"), &said)).unwrap();
    let blocks = payload["blocks"].as_array().unwrap();
    let length = |block: &Value| block["text"]["text"].as_str().unwrap().chars().count();
    assert_eq!(blocks.len(), 3, "a path leads nowhere in a chat");
    assert!(length(&blocks[0]) <= 150 && blocks[0]["text"]["text"].as_str().unwrap().ends_with("&amp;"));
    assert!(length(&blocks[1]) <= 3000 && !blocks[1]["text"]["text"].as_str().unwrap().contains('<'));
    let empty: Value = serde_json::from_str(&slack::payload(&decision("chat"), &rendered("", "", None))).unwrap();
    assert_eq!(empty["blocks"].as_array().unwrap().len(), 1, "empty blocks are refused by Slack");
}

#[tokio::test]
async fn the_secret_is_where_a_chat_message_goes() {
    let receiver = Receiver::start([Reply::status(200).body("ok")]).await;
    assert_eq!(say(&receiver).await, Outcome::Sent { provider_id: None });
    let seen = receiver.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/services/T/B/x"));
    assert_eq!(seen[0].headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body["text"], json!("Call Ada\nQuiet for 14 days."));
}

#[tokio::test]
async fn what_a_chat_may_have_posted_is_not_known_and_what_it_refused_is() {
    let cases = [
        (Reply::status(400).body("invalid_blocks"), Outcome::rejected("the chat answered 400: invalid_blocks")),
        (Reply::status(404).body("no_service"), Outcome::retry("the chat answered 404: no_service")),
        (Reply::status(500).body("rollup_error"), Outcome::retry("the chat answered 500: rollup_error")),
        (Reply::status(503).body("later"), Outcome::retry("the chat answered 503: later")),
        (Reply::status(502).body("bad gateway"), Outcome::unknown("the chat answered 502: bad gateway")),
        (Reply::status(504), Outcome::unknown("the chat answered 504: ")),
        (Reply::status(520), Outcome::unknown("the chat answered 520: ")),
        (Reply::none(), Outcome::unknown("the connection to the receiver broke")),
    ];
    for (reply, expected) in cases {
        let receiver = Receiver::start([reply]).await;
        assert_eq!(say(&receiver).await, expected);
    }
}

#[tokio::test]
async fn a_receiver_that_wants_to_be_left_alone_is() {
    let receiver = Receiver::start([Reply::status(429).header("Retry-After", "30").body("rate_limited")]).await;
    let (sender, url) = (EndpointSender::new(), receiver.url("/a"));
    let send = |now: Timestamp| {
        let (sender, url) = (&sender, &url);
        async move { sender.send(&chat(), url, "d", &Message::Chat("{}".into()), now).await }
    };
    let after = |seconds| Some(Duration::from_secs(seconds));
    let asked = Outcome::Retry { reason: "the chat answered 429: rate_limited".into(), after: after(30) };
    assert_eq!(send(now()).await, asked);
    let left_alone = Outcome::Paused { reason: PAUSED, after: Duration::from_secs(20) };
    assert_eq!(send(now() + Duration::from_secs(10)).await, left_alone);
    assert_eq!(receiver.seen().len(), 1, "it is not called before");
    assert_eq!(send(now() + Duration::from_secs(30)).await, Outcome::Sent { provider_id: None });
}

#[tokio::test]
async fn receiver_that_failed_three_times_is_not_called_for_a_while_and_others_are() {
    let down = Receiver::start((0..4).map(|_| Reply::status(503))).await;
    let well = Receiver::start([]).await;
    let sender = EndpointSender::new();
    let message = Message::Chat("{}".into());
    for _ in 0..3 {
        let outcome = sender.send(&chat(), &down.url("/a"), "d", &message, now()).await;
        assert_eq!(outcome, Outcome::retry("the chat answered 503: "));
    }
    for _ in 0..5 {
        let outcome = sender.send(&chat(), &down.url("/a"), "d", &message, now()).await;
        assert!(matches!(outcome, Outcome::Paused { reason: LEFT_ALONE, .. }), "{outcome:?}");
    }
    assert_eq!(down.seen().len(), 3);
    let outcome = sender.send(&chat(), &well.url("/a"), "d", &message, now()).await;
    assert_eq!(outcome, Outcome::Sent { provider_id: None });
    // A pause is no failure: after it one call tells whether the receiver is back.
    let later = now() + Duration::from_secs(7);
    let outcome = sender.send(&chat(), &down.url("/a"), "d", &message, later).await;
    assert_eq!((outcome, down.seen().len()), (Outcome::retry("the chat answered 503: "), 4));
}

#[tokio::test]
async fn a_chat_inside_the_own_network_has_to_be_allowed() {
    let inside = Endpoint { allow_private: false, ..chat() };
    let (sender, message) = (EndpointSender::new(), Message::Chat("{}".into()));
    let sent = sender.send(&inside, "https://169.254.169.254/", "d", &message, now()).await;
    assert_eq!(sent, Outcome::refused("the host is not on the public Internet"));
}

#[test]
fn no_message_prints_what_it_says() {
    let message = Message::Chat("ada@example.com".into());
    assert!(!format!("{message:?}").contains("ada"));
}
