#![allow(clippy::unwrap_used, clippy::panic)]

use crate::handler::handle;
use crate::test_support::{House, config_with};
use perennial_channels::endpoint::Message;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Cause, Channel, MessageId};
use perennial_store::ConfigHandle;
use serde_json::{Value, json};

const SCORING: &str = "[nps]\nevent = \"Survey Answered\"\nproperty = \"nps\"\n[sentiment]\nproperties = [\"text\"]\n";
const SEGMENTS: &str =
    "[[segment]]\nname = \"quiet\"\nwhen = 'true'\nphone = false\n[[segment]]\nname = \"all\"\nwhen = 'true'\n";

/// Sends a mail, then a task, and returns the task's payload.
async fn task(segments: &str) -> Value {
    let mut house = House::open().await;
    let mut config = config_with(&[("scoring.toml", SCORING), ("segments.toml", segments)]);
    config.channels.person_page = Some("https://crm.example/people/{id}".to_owned());
    for template in config.templates.values_mut() {
        template.due_days = Some(2);
        template.text = "{% if may_call %}Call.{% else %}Write.{% endif %}".to_owned();
    }
    house.deps.config = ConfigHandle::fixed(config);
    let mail = house.batch(&[house.decision_body(Channel::Mail)], 1);
    assert!(handle(&house.deps, mail).await.unwrap().batch_item_failures.is_empty());
    let mut decision = house.decision(Channel::Webhook);
    decision.cause = Cause::Event { name: "Survey Answered".into(), message_id: MessageId::parse("m").unwrap() };
    decision.properties = json!({ "nps": 3, "text": "It fails.", "other": 1 }).as_object().unwrap().clone();
    let batch = house.batch(&[serde_json::to_string(&MessagesPayload::Decision(decision)).unwrap()], 1);
    assert!(handle(&house.deps, batch).await.unwrap().batch_item_failures.is_empty());
    let messages = house.webhooks.messages();
    let [(_, Message::Webhook(body))] = messages.as_slice() else { panic!("{messages:?}") };
    let payload: Value = serde_json::from_str(body).unwrap();
    payload["data"].clone()
}

#[tokio::test]
async fn task_says_when_it_is_due_what_was_answered_what_was_sent_and_where_to_read_more() {
    let data = task("").await;
    let task = &data["task"];
    let decided: jiff::Timestamp = data["task"]["steps"][0]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(task["due_at"], json!(perennial_domain::time::plus_days(decided, 2)));
    assert_eq!(task["answers"], json!({ "nps": 3, "text": "It fails." }), "of the event, and nothing else");
    assert_eq!((&task["steps"][0]["channel"], &task["steps"][0]["state"]), (&json!("mail"), &json!("sent")));
    assert_eq!(task["steps"].as_array().unwrap().len(), 1, "the task itself is none");
    assert_eq!(task["page"], json!(format!("https://crm.example/people/{}", data["person"]["id"].as_str().unwrap())));
    assert_eq!((&task["may_call"], &data["text"]), (&json!(true), &json!("Call.")));
}

#[tokio::test]
async fn segment_without_telephone_forbids_calls_whatever_others_say() {
    let data = task(SEGMENTS).await;
    assert_eq!((&data["task"]["may_call"], &data["text"]), (&json!(false), &json!("Write.")));
}
