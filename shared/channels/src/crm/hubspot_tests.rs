#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::crm::Task;
use crate::endpoint::{EndpointSender, Message};
use crate::outcome::Outcome;
use crate::receiver::{Receiver, Reply};
use bytes::Bytes;
use perennial_config::channels::{AccountRecords, ContactId, ContactRecords, Endpoint, Kind, SecretPlace};
use std::time::Duration;

pub(super) fn records() -> CrmRecords {
    CrmRecords {
        contact: ContactRecords { id: "email".into(), holds: ContactId::Email, fields: [].into() },
        account: AccountRecords { id: "perennial_id".into(), fields: [].into() },
        task: TaskRecords {
            id: "perennial_id".into(),
            values: [("hs_task_priority".into(), "HIGH".into())].into(),
            owners: [("customer success".into(), "1234567".into())].into(),
        },
    }
}

fn record(id: &str) -> Record {
    Record { id: id.into(), fields: [("firstname".to_owned(), json!("Ada"))].into() }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    }
}

fn read(records: &[Record], status: u16, body: &Value) -> Reading {
    read_upsert("email", records, &answer(status, body), Timestamp::UNIX_EPOCH)
}

fn done(id: &str) -> Upserted {
    Upserted::Done { id: id.into() }
}

fn rejected(reason: &str) -> Upserted {
    Upserted::Rejected { reason: reason.into() }
}

#[test]
fn a_batch_is_written_as_the_reference_shows_it() {
    let mut second = record("b@example.com");
    second.fields = [
        ("score".to_owned(), json!(70)),
        ("ready".to_owned(), json!(true)),
        ("owner".to_owned(), Value::Null),
        ("plans".to_owned(), json!(["a", "b"])),
    ]
    .into();
    let body: Value = serde_json::from_str(&upsert_body("email", &[record("a@example.com"), second])).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn results_find_their_inputs_whatever_their_order() {
    let sent = [record("a@example.com"), record("b@example.com"), record("c@example.com")];
    let by_trace = json!({ "status": "COMPLETE", "results": [
        { "id": "3", "objectWriteTraceId": "2", "new": true, "properties": {} },
        { "id": "1", "objectWriteTraceId": "0", "new": false, "properties": {} },
        { "id": "2", "properties": { "email": "B@example.com" } },
    ] });
    assert_eq!(read(&sent, 200, &by_trace), Reading::Each(vec![done("1"), done("2"), done("3")]));
    let strangers = json!({ "results": [{ "id": "9", "objectWriteTraceId": "7", "properties": {} }] });
    let nothing = Upserted::retry("HubSpot said nothing of the record");
    assert_eq!(read(&sent, 200, &strangers), Reading::Each(vec![nothing; 3]));
}

#[test]
fn of_a_partial_failure_only_the_failed_record_is_refused() {
    let sent = [record("a@example.com"), record("bad"), record("c@example.com")];
    let body = json!({
        "status": "COMPLETE", "numErrors": 2,
        "results": [{ "id": "1", "objectWriteTraceId": "0", "properties": {} }],
        "errors": [
            {
                "status": "error", "category": "VALIDATION_ERROR", "message": "Property values were not valid: bad",
                "context": { "objectWriteTraceId": ["1"] },
                "errors": [{ "message": "Email address bad is invalid", "code": "INVALID_EMAIL", "context": { "propertyName": ["email"] } }],
            },
            { "status": "error", "category": "RATE_LIMITS", "message": "x", "context": { "objectWriteTraceId": ["2"] } },
        ],
    });
    let expected = vec![
        done("1"),
        rejected("HubSpot refused the record: VALIDATION_ERROR INVALID_EMAIL email"),
        Upserted::retry("HubSpot refused the record: RATE_LIMITS"),
    ];
    assert_eq!(read(&sent, 207, &body), Reading::Each(expected));
}

#[test]
fn a_refused_call_says_whether_to_come_again_and_nothing_personal() {
    let error = json!({
        "status": "error", "message": "ada@example.com is bad", "correlationId": "c", "category": "VALIDATION_ERROR",
        "errors": [{ "message": "ada@example.com", "code": "ada@example.com", "context": { "propertyName": ["plan_nme"] } }],
    });
    let sent = [record("ada@example.com")];
    let refused = rejected("HubSpot answered 400: VALIDATION_ERROR plan_nme");
    assert_eq!(read(&sent, 400, &error), Reading::Whole(refused));
    for status in [401, 403, 404, 423, 429, 477, 500, 502, 503] {
        let expected = Upserted::retry(format!("HubSpot answered {status}"));
        assert_eq!(read(&sent, status, &json!("a page")), Reading::Whole(expected));
    }
    assert_eq!(read(&sent, 200, &json!("a page")), Reading::Whole(Upserted::retry("HubSpot's answer cannot be read")));
}

async fn send(receiver: &Receiver, message: Message) -> Outcome {
    let endpoint = Endpoint {
        kind: Kind::HubSpot(records()),
        url: receiver.url(""),
        secret: SecretPlace::Env("T".into()),
        allow_private: true,
    };
    EndpointSender::new().send(&endpoint, " pat-1\n", "d", &message, Timestamp::UNIX_EPOCH).await
}

fn made(id: &str) -> Reply {
    Reply::status(200)
        .body(json!({ "status": "COMPLETE", "results": [{ "id": id, "objectWriteTraceId": "0", "new": true }] }))
}

fn task_about(contact: Option<Record>) -> Message {
    Message::Task(Task { contact, task: Record { id: "decision-1".into(), fields: [].into() } })
}

#[tokio::test]
async fn a_task_is_made_after_its_contact_and_tied_to_it() {
    let receiver = Receiver::start([made("101"), made("202"), Reply::status(200).body("{}")]).await;
    let sent = send(&receiver, task_about(Some(record("ada@example.com")))).await;
    assert_eq!(sent, Outcome::Sent { provider_id: Some("202".into()) });
    let seen = receiver.seen();
    let calls: Vec<_> = seen.iter().map(|call| (call.method.as_str(), call.path.as_str())).collect();
    assert_eq!(
        calls,
        [
            ("POST", "/crm/objects/2026-03/contacts/batch/upsert"),
            ("POST", "/crm/objects/2026-03/tasks/batch/upsert"),
            ("PUT", "/crm/objects/2026-03/tasks/202/associations/default/contacts/101"),
        ]
    );
    assert!(seen.iter().all(|call| call.headers["authorization"] == "Bearer pat-1"));
    let input: Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(input["inputs"][0]["id"], "decision-1");
}

#[tokio::test]
async fn without_a_contact_the_task_stands_alone() {
    let receiver = Receiver::start([made("202")]).await;
    assert_eq!(send(&receiver, task_about(None)).await, Outcome::Sent { provider_id: Some("202".into()) });
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn whatever_step_fails_the_task_comes_again_or_is_refused() {
    let refused = json!({ "category": "VALIDATION_ERROR" });
    let busy = || Reply::status(429).header("retry-after", "10");
    let later =
        |seconds| Outcome::Retry { reason: "HubSpot answered 429".into(), after: Some(Duration::from_secs(seconds)) };
    let cases = [
        (
            vec![Reply::status(400).body(&refused)],
            Outcome::rejected("the task's contact was refused: HubSpot answered 400: VALIDATION_ERROR"),
        ),
        (vec![busy()], later(10)),
        (
            vec![made("1"), Reply::status(400).body(&refused)],
            Outcome::rejected("HubSpot answered 400: VALIDATION_ERROR"),
        ),
        (vec![made("1"), Reply::none()], Outcome::retry("the connection to the receiver broke")),
        (vec![made("1"), made("2"), busy()], later(10)),
    ];
    for (replies, expected) in cases {
        let receiver = Receiver::start(replies).await;
        assert_eq!(send(&receiver, task_about(Some(record("ada@example.com")))).await, expected);
    }
}

#[tokio::test]
async fn a_hundred_and_one_accounts_are_two_calls() {
    let results = |range: std::ops::Range<usize>| {
        let results: Vec<Value> =
            range.map(|place| json!({ "id": format!("c{place}"), "objectWriteTraceId": place.to_string() })).collect();
        Reply::status(200).body(json!({ "results": results }))
    };
    let receiver = Receiver::start([results(0..100), results(0..1)]).await;
    let endpoint = Endpoint {
        kind: Kind::HubSpot(records()),
        url: receiver.url(""),
        secret: SecretPlace::Env("T".into()),
        allow_private: true,
    };
    let http = crate::connection::Http::new(std::sync::Arc::new(crate::transport::SystemResolver));
    let records_of = records();
    let hubspot =
        HubSpot::new(HttpTo { http: &http, endpoint: &endpoint, now: Timestamp::UNIX_EPOCH }, &records_of, "t");
    let accounts: Vec<Record> = (0..101).map(|number| record(&format!("account-{number}"))).collect();
    let outcomes = hubspot.upsert_accounts(&accounts).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Upserted::Done { .. })), "{outcomes:?}");
    assert_eq!((outcomes[99].clone(), outcomes[100].clone()), (done("c99"), done("c0")));
    assert!(receiver.seen().iter().all(|call| call.path == "/crm/objects/2026-03/companies/batch/upsert"));
    assert_eq!(receiver.seen().len(), 2);
}

#[test]
fn a_task_says_what_the_template_says_and_is_the_same_each_time() {
    let decision = crate::fixture::decision("crm");
    let rendered = Rendered {
        subject: "Call Ada".into(),
        text: "Quiet for 14 days.\n".into(),
        html: None,
        link: Some("https://app.example/ada".into()),
        invitation: None,
    };
    let (state, brief) = (perennial_engine::State::default(), crate::fixture::brief());
    let write = || {
        crate::fixture::with_about(&decision, (&state, &[]), &brief, |about| task(&records().task, about, &rendered))
    };
    let written = write();
    assert_eq!(written, write());
    assert_eq!(written.id, decision.id.to_string());
    insta::assert_snapshot!(serde_json::to_string_pretty(&written.fields).unwrap());
}

#[tokio::test]
async fn a_contact_is_tied_to_its_company_if_hubspot_has_it() {
    let contact = |account: Option<&str>| {
        Message::Contact(Contact { record: record("ada@example.com"), account: account.map(str::to_owned) })
    };
    let found = || json!([{ "id": "303", "properties": { "perennial_id": "acme" } }]);
    let receiver = Receiver::start([
        made("101"),
        Reply::status(200).body(json!({ "status": "COMPLETE", "results": found() })),
        Reply::status(200).body("{}"),
    ])
    .await;
    let sent = Outcome::Sent { provider_id: Some("101".into()) };
    assert_eq!(send(&receiver, contact(Some("acme"))).await, sent);
    let seen = receiver.seen();
    let calls: Vec<_> = seen.iter().map(|call| (call.method.as_str(), call.path.as_str())).collect();
    assert_eq!(
        calls,
        [
            ("POST", "/crm/objects/2026-03/contacts/batch/upsert"),
            ("POST", "/crm/objects/2026-03/companies/batch/read"),
            ("PUT", "/crm/objects/2026-03/contacts/101/associations/default/companies/303"),
        ]
    );
    let asked: Value = serde_json::from_str(&seen[1].body).unwrap();
    let expected =
        json!({ "idProperty": "perennial_id", "inputs": [{ "id": "acme" }], "properties": ["perennial_id"] });
    assert_eq!(asked, expected);

    let receiver = Receiver::start([made("101")]).await;
    assert_eq!(send(&receiver, contact(None)).await, sent);
    assert_eq!(receiver.seen().len(), 1, "nothing is asked for nothing");
    let missing =
        json!({ "results": [], "errors": [{ "category": "OBJECT_NOT_FOUND", "context": { "ids": ["acme"] } }] });
    let refused = json!({ "category": "VALIDATION_ERROR" });
    let busy = || Reply::status(429).header("retry-after", "10");
    let later = Outcome::Retry { reason: "HubSpot answered 429".into(), after: Some(Duration::from_secs(10)) };
    for (reply, expected) in [
        (Reply::status(207).body(&missing), sent.clone()),
        // The property is not there: the contact is written all the same.
        (Reply::status(400).body(&refused), sent.clone()),
        (busy(), later),
    ] {
        let receiver = Receiver::start([made("101"), reply]).await;
        assert_eq!(send(&receiver, contact(Some("acme"))).await, expected);
        assert_eq!(receiver.seen().len(), 2);
    }
}
