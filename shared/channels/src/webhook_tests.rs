#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::endpoint::{EndpointSender, Message};
use crate::fixture::{brief, decision, with_about};
use crate::receiver::{Receiver, Reply};
use perennial_config::Config;
use perennial_config::channels::{Endpoint, Kind, SecretPlace};
use perennial_domain::{ConfigVersion, UserId};
use perennial_engine::State;
use perennial_engine::register::Register;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn endpoint(url: String) -> Endpoint {
    Endpoint { kind: Kind::Standard, url, secret: SecretPlace::Env("S".into()), allow_private: true }
}

async fn send(endpoint: &Endpoint, secret: &str, id: &str, body: &str, now: Timestamp) -> Outcome {
    EndpointSender::new().send(endpoint, secret, id, &Message::Webhook(body.to_owned()), now).await
}

#[tokio::test]
async fn a_receiver_can_verify_a_webhook_and_tell_its_repetition() {
    let receiver = Receiver::start([]).await;
    let endpoint = endpoint(receiver.url("/tasks"));
    let now: Timestamp = "2026-03-02T08:15:31Z".parse().unwrap();
    for _ in 0..2 {
        let sent = send(&endpoint, SECRET, "decision-1", r#"{"ä":1}"#, now).await;
        assert_eq!(sent, Outcome::Sent { provider_id: None });
    }
    let seen = receiver.seen();
    for request in &seen {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/tasks"));
        let headers = &request.headers;
        assert_eq!(headers["webhook-id"], "decision-1");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(request.body, r#"{"ä":1}"#);
        let timestamp: i64 = headers["webhook-timestamp"].parse().unwrap();
        assert_eq!(timestamp, now.as_second());
        let expected = Webhook::new(SECRET).unwrap().sign("decision-1", timestamp, request.body.as_bytes()).unwrap();
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
        let receiver = Receiver::start([Reply::status(status)]).await;
        assert_eq!(send(&endpoint(receiver.url("/")), SECRET, "d", "{}", Timestamp::UNIX_EPOCH).await, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_from_what_may_work_later() {
    let inside = Endpoint { allow_private: false, ..endpoint("https://169.254.169.254/".into()) };
    let now = Timestamp::UNIX_EPOCH;
    let refused = Outcome::rejected("the host is not on the public Internet");
    assert_eq!(send(&inside, SECRET, "d", "{}", now).await, refused);
    let secret = Outcome::refused("the endpoint's secret is not base64");
    assert_eq!(send(&inside, "whsec_!", "d", "{}", now).await, secret);
    let large = Outcome::rejected("the payload is larger than 256 KiB");
    assert_eq!(send(&inside, SECRET, "d", &"x".repeat(256 * 1024 + 1), now).await, large);
}

#[test]
fn the_payload_says_what_was_decided_about_whom_and_why() {
    let mut state = State::default();
    state.traits.insert("email".into(), Register { at: 0, value: "\"ada@example.com\"".into() });
    state.account = Some(Register { at: 0, value: "acme".into() });
    let rendered = Rendered {
        subject: "Call Ada".into(),
        text: "Quiet for 14 days.".into(),
        html: None,
        link: None,
        invitation: None,
    };
    let user = Identity::User(UserId::parse("u-1").unwrap());
    let payload = with_about(&decision("tasks"), (&state, &[&user]), &brief(), |about| payload(about, &rendered));
    let payload: Value = serde_json::from_str(&payload).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload).unwrap());
}

pub(crate) fn empty_config() -> Config {
    Config {
        version: ConfigVersion::parse("v1").unwrap(),
        active_since: None,
        sources: Default::default(),
        imports: Vec::new(),
        pages: Default::default(),
        identity: Default::default(),
        features: Default::default(),
        personas: Default::default(),
        scoring: Default::default(),
        lifecycle: Default::default(),
        billing: Default::default(),
        accounts: Default::default(),
        segments: Default::default(),
        journeys: Default::default(),
        limits: Default::default(),
        history: Default::default(),
        channels: Default::default(),
        templates: Default::default(),
        schedules: Default::default(),
        deployment: Default::default(),
    }
}

#[test]
fn a_persons_update_has_the_ids_by_which_the_receiver_finds_them() {
    let user = Identity::User(UserId::parse("u-1").unwrap());
    let mut profile = perennial_engine::Profile::new(user.clone());
    let traits = &mut profile.part_mut(&user).state.traits;
    traits.insert("email".into(), Register { at: 0, value: "\"ada@example.com\"".into() });
    profile.part_mut(&Identity::Anonymous(perennial_domain::AnonymousId::parse("a-1").unwrap()));
    let subject = perennial_domain::Subject::Person(profile.id);
    let update = CrmUpdate {
        id: CrmUpdate::id_of(&subject, 7),
        subject,
        number: 7,
        endpoint: "crm".into(),
        fields: [("churn".to_owned(), json!(62))].into(),
        at: "2026-03-02T08:15:30Z".parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
    };
    let account = AccountId::parse("acme").unwrap();
    let person = Person { profile: &profile, view: &profile.view(), account: Some(&account), company: None };
    let payload: Value = serde_json::from_str(&person_payload(&update, &person)).unwrap();
    let expected = json!({
        "type": "perennial.person",
        "timestamp": "2026-03-02T08:15:30Z",
        "data": {
            "id": update.id, "number": 7, "fields": { "churn": 62 }, "config": "v1",
            "person": {
                "id": profile.id, "user_ids": ["u-1"], "anonymous_ids": ["a-1"], "external_ids": [],
                "traits": { "email": "ada@example.com" }, "account": "acme",
            },
        },
    });
    assert_eq!(payload, expected);
}
