#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use perennial_config::Config;
use perennial_domain::{Cause, Channel, ConfigVersion, DecisionId, PersonId, Stage, UserId};
use perennial_engine::register::Register;
use perennial_engine::{Moment, State};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn decision() -> Decision {
    let person = PersonId::derive(&[b"ada"]);
    Decision {
        id: DecisionId::of(person, "churn_task", 0, b"cause"),
        person,
        journey: "churn_task".into(),
        step: 0,
        channel: Channel::Webhook,
        template: "task".into(),
        endpoint: Some("tasks".into()),
        cause: Cause::Quiet { since: Timestamp::UNIX_EPOCH, days: 14 },
        decided_at: "2026-03-02T08:15:30Z".parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
    }
}

async fn receiver(status: u16) -> (Endpoint, Arc<Mutex<Vec<(BTreeMap<String, String>, String)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tasks", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, body) = loop {
                stream.read_buf(&mut bytes).await.unwrap();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let headers: BTreeMap<String, String> = head
                        .lines()
                        .skip(1)
                        .filter_map(|line| line.split_once(": "))
                        .map(|(k, v)| (k.to_lowercase(), v.to_owned()))
                        .collect();
                    if body.len() >= headers["content-length"].parse().unwrap() {
                        break (headers, body.to_owned());
                    }
                }
            };
            log.lock().unwrap().push((head, body));
            stream.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
        }
    });
    (Endpoint { url, secret_env: "S".into(), allow_private: true }, seen)
}

#[tokio::test]
async fn a_receiver_can_verify_a_webhook_and_tell_its_repetition() {
    let (endpoint, seen) = receiver(200).await;
    let now: Timestamp = "2026-03-02T08:15:31Z".parse().unwrap();
    let sender = WebhookSender::new();
    for _ in 0..2 {
        assert_eq!(
            sender.send(&endpoint, SECRET, "decision-1", r#"{"ä":1}"#.into(), now).await,
            Outcome::Sent { provider_id: None }
        );
    }
    let seen = seen.lock().unwrap();
    for (headers, body) in seen.iter() {
        assert_eq!(headers["webhook-id"], "decision-1");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(body, r#"{"ä":1}"#);
        let timestamp: i64 = headers["webhook-timestamp"].parse().unwrap();
        assert_eq!(timestamp, now.as_second());
        let expected = Webhook::new(SECRET).unwrap().sign("decision-1", timestamp, body.as_bytes()).unwrap();
        assert_eq!(headers["webhook-signature"], expected);
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn each_status_says_whether_to_try_again() {
    for (status, expected) in [
        (204, Outcome::Sent { provider_id: None }),
        (410, Outcome::rejected("the receiver answered 410: it wants no more")),
        (307, Outcome::retry("the receiver answered 307")),
        (400, Outcome::retry("the receiver answered 400")),
        (429, Outcome::retry("the receiver answered 429")),
        (500, Outcome::retry("the receiver answered 500")),
    ] {
        let (endpoint, _) = receiver(status).await;
        assert_eq!(
            WebhookSender::new().send(&endpoint, SECRET, "d", "{}".into(), Timestamp::UNIX_EPOCH).await,
            expected
        );
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_from_what_may_work_later() {
    let inside = Endpoint { url: "https://169.254.169.254/".into(), secret_env: "S".into(), allow_private: false };
    let send = |endpoint: Endpoint, secret: &'static str, body: String| async move {
        WebhookSender::new().send(&endpoint, secret, "d", body, Timestamp::UNIX_EPOCH).await
    };
    assert_eq!(
        send(inside.clone(), SECRET, "{}".into()).await,
        Outcome::rejected("the host is not on the public Internet")
    );
    assert_eq!(
        send(inside.clone(), "whsec_!", "{}".into()).await,
        Outcome::retry("the endpoint's secret is not base64")
    );
    assert_eq!(
        send(inside, SECRET, "x".repeat(MAX_BODY + 1)).await,
        Outcome::rejected("the payload is larger than 256 KiB")
    );
}

#[test]
fn the_payload_says_what_was_decided_about_whom_and_why() {
    let mut state = State::default();
    state.traits.insert("email".into(), Register { at: 0, value: "\"ada@example.com\"".into() });
    state.account = Some(Register { at: 0, value: "acme".into() });
    let context = Context::new(&decision(), &state, Stage::Established);
    let rendered = Rendered { subject: "Call Ada".into(), text: "Quiet for 14 days.".into(), html: None, link: None };
    let user = Identity::User(UserId::parse("u-1").unwrap());
    let evaluation = perennial_engine::evaluate(&Moment::new(&empty_config(), Timestamp::UNIX_EPOCH), &state);
    let payload: Value =
        serde_json::from_str(&payload(&decision(), &[&user], &context, &evaluation, &rendered)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload).unwrap());
}

fn empty_config() -> Config {
    Config {
        version: ConfigVersion::parse("v1").unwrap(),
        sources: Default::default(),
        identity: Default::default(),
        features: Default::default(),
        personas: Default::default(),
        scoring: Default::default(),
        lifecycle: Default::default(),
        accounts: Default::default(),
        segments: Default::default(),
        journeys: Default::default(),
        history: Default::default(),
        channels: Default::default(),
        templates: Default::default(),
        schedules: Default::default(),
    }
}
