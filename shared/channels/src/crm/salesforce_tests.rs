#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::crm::Task;
use crate::endpoint::{EndpointSender, Message};
use crate::outcome::Outcome;
use crate::receiver::{Receiver, Reply};
use bytes::Bytes;
use perennial_config::channels::{AccountRecords, ContactId, ContactRecords, Endpoint, Kind, SecretPlace};

const SECRET: &str = r#"{"client_id": "app&1", "client_secret": "s=1"}"#;
const CONTACTS: &str = "/services/data/v66.0/composite/sobjects/Contact/Perennial_Id__c";
const TASKS: &str = "/services/data/v66.0/composite/sobjects/Task/Perennial_Id__c";
const TOKEN: &str = "/services/oauth2/token";

fn records() -> CrmRecords {
    let id = || "Perennial_Id__c".to_owned();
    CrmRecords {
        contact: ContactRecords { id: id(), holds: ContactId::PersonId, fields: [].into() },
        account: AccountRecords { id: id(), fields: [].into() },
        task: TaskRecords {
            id: id(),
            values: [("Priority".into(), "High".into())].into(),
            owners: [("customer success".into(), "1234567".into())].into(),
        },
    }
}

fn record(id: &str) -> Record {
    Record { id: id.into(), fields: [("LastName".to_owned(), json!("Lovelace"))].into() }
}

fn read(sent: usize, status: u16, body: &Value) -> Reading {
    let records: Vec<Record> = (0..sent).map(|number| record(&number.to_string())).collect();
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) };
    read_upsert(&records, &answer, Timestamp::UNIX_EPOCH)
}

#[test]
fn a_collection_is_written_as_the_guide_shows_it() {
    let mut second = record("b");
    second.fields = [
        ("Score__c".to_owned(), json!(70)),
        ("Owner__c".to_owned(), Value::Null),
        ("Plans__c".to_owned(), json!(["a", "b"])),
    ]
    .into();
    let body: Value = serde_json::from_str(&upsert_body("Contact", "Perennial_Id__c", &[record("a"), second])).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn each_record_has_its_own_result_in_its_place() {
    let body = json!([
        { "id": "003A", "success": true, "created": true, "errors": [] },
        { "success": false, "errors": [{ "statusCode": "REQUIRED_FIELD_MISSING", "message": "ada@example.com", "fields": ["LastName"] }] },
        { "success": false, "errors": [{ "statusCode": "UNABLE_TO_LOCK_ROW", "message": "x", "fields": [] }] },
    ]);
    let expected = vec![
        Upserted::Done { id: "003A".into() },
        Upserted::Rejected { reason: "Salesforce refused the record: REQUIRED_FIELD_MISSING LastName".into() },
        Upserted::retry("Salesforce refused the record: UNABLE_TO_LOCK_ROW"),
    ];
    assert_eq!(read(3, 200, &body), Reading::Each(expected));
    let other = Upserted::retry("Salesforce answered of another number of records than were sent");
    assert_eq!(read(2, 200, &body), Reading::Whole(other));
}

#[test]
fn a_refused_call_says_whether_to_come_again() {
    let error = |code: &str| json!([{ "errorCode": code, "message": "ada@example.com" }]);
    let refused = Upserted::Rejected { reason: "Salesforce answered 400: JSON_PARSER_ERROR".into() };
    assert_eq!(read(1, 400, &error("JSON_PARSER_ERROR")), Reading::Whole(refused));
    for (status, code) in
        [(401, "INVALID_SESSION_ID"), (403, "REQUEST_LIMIT_EXCEEDED"), (404, "NOT_FOUND"), (503, "SERVER_UNAVAILABLE")]
    {
        let expected = Upserted::retry(format!("Salesforce answered {status}: {code}"));
        assert_eq!(read(1, status, &error(code)), Reading::Whole(expected));
    }
}

fn endpoint(receiver: &Receiver) -> Endpoint {
    Endpoint {
        kind: Kind::Salesforce(records()),
        url: receiver.url(""),
        secret: SecretPlace::Env("T".into()),
        allow_private: true,
    }
}

fn token(token: &str) -> Reply {
    Reply::status(200)
        .body(json!({ "access_token": token, "instance_url": "https://x.example", "token_type": "Bearer" }))
}

fn made(id: &str) -> Reply {
    Reply::status(200).body(json!([{ "id": id, "success": true, "created": true, "errors": [] }]))
}

fn expired() -> Reply {
    Reply::status(401).body(json!([{ "errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid" }]))
}

fn task_message() -> Message {
    Message::Task(Task {
        contact: Some(record("person-1")),
        task: Record { id: "decision-1".into(), fields: [].into() },
    })
}

#[tokio::test]
async fn one_token_serves_until_it_is_refused() {
    let replies = [token("t1"), made("003A"), made("00TA"), expired(), token("t2"), made("003A"), made("00TA")];
    let receiver = Receiver::start(replies).await;
    let (sender, endpoint) = (EndpointSender::new(), endpoint(&receiver));
    for _ in 0..2 {
        let sent = sender.send(&endpoint, SECRET, "d", &task_message(), Timestamp::UNIX_EPOCH).await;
        assert_eq!(sent, Outcome::Sent { provider_id: Some("00TA".into()) });
    }
    let seen = receiver.seen();
    let calls: Vec<_> = seen.iter().map(|call| (call.method.as_str(), call.path.as_str())).collect();
    let (asks, contacts, tasks) = (("POST", TOKEN), ("PATCH", CONTACTS), ("PATCH", TASKS));
    assert_eq!(calls, [asks, contacts, tasks, contacts, asks, contacts, tasks]);
    assert_eq!(seen[0].body, "grant_type=client_credentials&client_id=app%261&client_secret=s%3D1");
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    let bearers: Vec<_> = seen.iter().filter_map(|call| call.headers.get("authorization")).collect();
    assert_eq!(bearers, ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"]);
    let task: Value = serde_json::from_str(&seen[2].body).unwrap();
    assert_eq!(task["records"][0]["WhoId"], "003A", "the task is the contact's");
    assert_eq!(task["allOrNone"], false);
}

#[tokio::test]
async fn without_access_nothing_is_lost() {
    let cases = [
        (
            vec![Reply::status(400).body(json!({ "error": "invalid_client" }))],
            "Salesforce gave no access token: 400: invalid_client",
        ),
        (vec![token("t1"), expired(), token("t2"), expired()], "Salesforce answered 401: INVALID_SESSION_ID"),
    ];
    for (replies, reason) in cases {
        let receiver = Receiver::start(replies).await;
        let sent =
            EndpointSender::new().send(&endpoint(&receiver), SECRET, "d", &task_message(), Timestamp::UNIX_EPOCH).await;
        assert_eq!(sent, Outcome::retry(reason));
    }
    let receiver = Receiver::start([]).await;
    let sent =
        EndpointSender::new().send(&endpoint(&receiver), "secret", "d", &task_message(), Timestamp::UNIX_EPOCH).await;
    assert!(matches!(sent, Outcome::Refused { .. }), "an operator has to mend the secret");
    assert_eq!(receiver.seen().len(), 0);
}

#[test]
fn a_task_says_what_the_template_says_and_is_the_same_each_time() {
    let rendered = Rendered {
        subject: "Call Ada\n".into(),
        text: "Quiet for 14 days.\n".into(),
        html: None,
        link: Some("https://app.example/ada".into()),
        invitation: None,
    };
    let decision = crate::fixture::decision("crm");
    let (state, brief) = (perennial_engine::State::default(), crate::fixture::brief());
    let write = || {
        crate::fixture::with_about(&decision, (&state, &[]), &brief, |about| task(&records().task, about, &rendered))
    };
    let written = write();
    assert_eq!(written, write());
    insta::assert_snapshot!(serde_json::to_string_pretty(&written.fields).unwrap());
}

#[test]
fn ids_in_a_query_are_quoted_as_the_reference_says() {
    let query = accounts_query("Perennial_Id__c", &["acme", r"O'Neill \ sons"]);
    let expected = r"SELECT Id, Perennial_Id__c FROM Account WHERE Perennial_Id__c IN ('acme', 'O\'Neill \\ sons')";
    assert_eq!(query, expected);
}

#[tokio::test]
async fn a_contact_names_its_account_if_salesforce_has_it() {
    let contact = Message::Contact(Contact { record: record("person-1"), account: Some("acme".into()) });
    let found = json!([{ "attributes": { "type": "Account" }, "Id": "001A", "Perennial_Id__c": "acme" }]);
    let sent = Outcome::Sent { provider_id: Some("003A".into()) };
    let refused = json!([{ "errorCode": "INVALID_FIELD", "message": "No such column" }]);
    for (reply, expected) in [
        (Reply::status(200).body(json!({ "totalSize": 1, "done": true, "records": found })), json!("001A")),
        (Reply::status(200).body(json!({ "totalSize": 0, "done": true, "records": [] })), Value::Null),
        (Reply::status(400).body(&refused), Value::Null),
    ] {
        let receiver = Receiver::start([token("t1"), reply, made("003A")]).await;
        let outcome =
            EndpointSender::new().send(&endpoint(&receiver), SECRET, "d", &contact, Timestamp::UNIX_EPOCH).await;
        assert_eq!(outcome, sent);
        let seen = receiver.seen();
        let calls: Vec<_> = seen.iter().skip(1).map(|call| (call.method.as_str(), call.path.as_str())).collect();
        let query = "/services/data/v66.0/query?q=SELECT+Id%2C+Perennial_Id__c+FROM+Account+WHERE+Perennial_Id__c+IN+%28%27acme%27%29";
        assert_eq!(calls, [("GET", query), ("PATCH", CONTACTS)]);
        let body: Value = serde_json::from_str(&seen[2].body).unwrap();
        assert_eq!(body["records"][0]["AccountId"], expected);
    }
    let receiver = Receiver::start([token("t1"), Reply::status(503)]).await;
    let outcome = EndpointSender::new().send(&endpoint(&receiver), SECRET, "d", &contact, Timestamp::UNIX_EPOCH).await;
    assert_eq!(outcome, Outcome::retry("Salesforce answered 503"));
}
