//! Messages to a chat or a CRM.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::test_support::{Answer, House, NOW, PERSON};
use perennial_channels::endpoint::Message;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{AccountId, Channel, ConfigVersion, CrmUpdate, Subject};
use perennial_store::messages::{MessageRecord, MessageState};
use serde_json::json;
use std::time::Duration;

/// Delivers the decision for `endpoint` as receipt number `times` of one queue message; returns whether it stays in its
/// queue.
async fn deliver(house: &House, endpoint: &str, times: u32) -> bool {
    let body = serde_json::to_string(&MessagesPayload::Decision(house.decision_for(endpoint))).unwrap();
    !handle(&house.deps, house.batch(&[body], times)).await.unwrap().batch_item_failures.is_empty()
}

async fn record(house: &House) -> Option<MessageRecord> {
    house.deps.store.message(PERSON.person_id(), house.decision(Channel::Webhook).id).await.unwrap()
}

async fn state(house: &House) -> MessageState {
    record(house).await.unwrap().state
}

/// The process dies while the endpoint is being called.
async fn die(house: &House, endpoint: &str) {
    house.webhooks.answer(Answer::Hang { sends: true });
    assert!(tokio::time::timeout(Duration::from_millis(300), deliver(house, endpoint, 1)).await.is_err());
    house.webhooks.answer(Answer::Sent);
}

#[tokio::test]
async fn a_chat_that_may_have_been_written_to_is_not_written_to_again() {
    let house = House::open().await;
    die(&house, "chat").await;
    for times in 2..=3 {
        assert!(!deliver(&house, "chat", times).await);
    }
    assert_eq!((house.webhooks.sent(), state(&house).await), (1, MessageState::Unknown));

    let house = House::open().await;
    house.webhooks.answer(Answer::Lost);
    for times in 1..=2 {
        assert!(!deliver(&house, "chat", times).await);
    }
    assert_eq!((house.webhooks.sent(), state(&house).await), (1, MessageState::Unknown));
}

#[tokio::test]
async fn when_a_chat_refuses_for_now_the_claim_is_given_back() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, "chat", 1).await, "it uses up no receive");
    assert_eq!(house.messages.drain().len(), 1);
    assert_eq!(record(&house).await, None);
    house.webhooks.answer(Answer::Sent);
    assert!(!deliver(&house, "chat", 2).await);
    assert_eq!((house.webhooks.sent(), state(&house).await), (2, MessageState::Sent));
}

#[tokio::test]
async fn a_task_for_a_crm_is_sent_again_under_the_same_id() {
    let house = House::open().await;
    die(&house, "hubspot").await;
    assert!(!deliver(&house, "hubspot", 2).await);
    let messages = house.webhooks.messages();
    assert_eq!((messages.len(), &messages[0]), (2, &messages[1]));
    let ("hubspot", Message::Task(task)) = &messages[0] else { panic!("{messages:?}") };
    assert_eq!(task.task.id, house.decision(Channel::Webhook).id.to_string());
    assert_eq!(task.contact.as_ref().unwrap().id, "ada@example.com");
    assert_eq!(task.task.fields["hs_task_subject"], "Hi Ada");
    let record = record(&house).await.unwrap();
    assert_eq!((record.state, record.subject.as_deref()), (MessageState::Sent, Some("Hi Ada")));
}

fn update(endpoint: &str) -> CrmUpdate {
    let subject = Subject::Account(AccountId::parse("acme").unwrap());
    CrmUpdate {
        id: CrmUpdate::id_of(&subject, 1),
        subject,
        number: 1,
        endpoint: endpoint.into(),
        fields: [("perennial_account_score".to_owned(), json!(70))].into(),
        at: NOW.parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
    }
}

/// The account score is written to a field of the CRM's account record.
#[tokio::test]
async fn an_update_for_a_crm_is_the_accounts_record() {
    let house = House::open().await;
    let body = serde_json::to_string(&MessagesPayload::update(update("hubspot"))).unwrap();
    let response = handle(&house.deps, house.batch(&[body], 1)).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    let messages = house.webhooks.messages();
    let [("hubspot", Message::Account(record))] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((record.id.as_str(), &record.fields["perennial_account_score"]), ("acme", &json!(70)));
}

#[tokio::test]
async fn an_update_for_a_chat_waits_for_another_config() {
    let house = House::open().await;
    let body = serde_json::to_string(&MessagesPayload::update(update("chat"))).unwrap();
    let response = handle(&house.deps, house.batch(&[body], 1)).await.unwrap();
    assert_eq!((response.batch_item_failures.len(), house.webhooks.sent()), (1, 0));
}
