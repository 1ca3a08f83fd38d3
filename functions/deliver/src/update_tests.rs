#![allow(clippy::unwrap_used)]

use crate::handler::handle;
use crate::test_support::{Answer, House, NOW};
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{AccountId, ConfigVersion, CrmUpdate, Subject};
use perennial_engine::Written;
use perennial_store::accounts::StoredAccount;
use perennial_store::messages::MessageState;
use serde_json::json;
use std::time::Duration;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn update(number: u64) -> CrmUpdate {
    let subject = Subject::Account(acme());
    CrmUpdate {
        id: CrmUpdate::id_of(&subject, number),
        subject,
        number,
        endpoint: "crm".into(),
        fields: [("perennial_account_score".to_owned(), json!(70))].into(),
        at: NOW.parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
    }
}

/// Delivers the update as receipt number `times` of one queue message; returns whether it stays in its queue.
async fn deliver(house: &House, update: &CrmUpdate, times: u32) -> bool {
    let body = serde_json::to_string(&MessagesPayload::update(update.clone())).unwrap();
    !handle(&house.deps, house.batch(&[body], times)).await.unwrap().batch_item_failures.is_empty()
}

async fn state(house: &House, number: u64) -> MessageState {
    let updates = house.deps.store.updates(&Subject::Account(acme())).await.unwrap();
    updates.items.into_iter().find(|record| record.number == number).unwrap().state
}

/// The account score is written to a field of the CRM's account record.
#[tokio::test]
async fn the_crm_is_told_once_however_often_the_update_comes() {
    let house = House::open().await;
    for times in 1..=3 {
        assert!(!deliver(&house, &update(1), times).await);
    }
    assert_eq!(house.webhooks.ids(), [update(1).id.to_string()]);
    assert_eq!(state(&house, 1).await, MessageState::Sent);
}

#[tokio::test]
async fn when_the_receiver_fails_or_the_process_dies_the_repeat_has_the_same_id() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, &update(1), 1).await, "it uses up no receive");
    assert_eq!(house.messages.drain().len(), 1);
    house.webhooks.answer(Answer::Hang { sends: true });
    assert!(tokio::time::timeout(Duration::from_millis(300), deliver(&house, &update(1), 2)).await.is_err());
    house.webhooks.answer(Answer::Sent);
    assert!(!deliver(&house, &update(1), 3).await);
    assert_eq!(house.webhooks.ids(), vec![update(1).id.to_string(); 3]);
    assert_eq!(state(&house, 1).await, MessageState::Sent);
}

#[tokio::test]
async fn an_update_that_a_later_one_replaces_does_not_overwrite_it() {
    let house = House::open().await;
    let mut stored = StoredAccount::new(acme());
    stored.account.written = Some(Written { number: 2, record: None, fields: update(2).fields });
    house.deps.store.save_account(&mut stored).await.unwrap();
    assert!(!deliver(&house, &update(2), 1).await);
    assert!(!deliver(&house, &update(1), 1).await);
    assert_eq!(house.webhooks.ids(), [update(2).id.to_string()]);
    assert_eq!((state(&house, 1).await, state(&house, 2).await), (MessageState::Suppressed, MessageState::Sent));
}

/// Deletes the record of an update, as the table does 90 days after the last attempt.
async fn forget_record(house: &House, update: &CrmUpdate) {
    let store = &house.deps.store;
    let delete = store.client().delete_item().table_name(store.table());
    let delete = delete.key("pk", AttributeValue::S("A#acme".to_owned()));
    delete.key("sk", AttributeValue::S(format!("M#{}", update.id))).send().await.unwrap();
}

/// The account's outbox holds its last update until the account is next written, and a new process executes it again.
#[tokio::test]
async fn update_that_comes_again_after_its_record_is_forgotten_is_not_sent_again() {
    for answer in [Answer::Sent, Answer::Rejected] {
        let house = House::open().await;
        house.webhooks.answer(answer);
        assert!(!deliver(&house, &update(1), 1).await);
        assert!(!deliver(&house, &update(2), 1).await);
        let sent = house.webhooks.ids().len();
        forget_record(&house, &update(2)).await;
        house.webhooks.answer(Answer::Sent);
        assert!(!deliver(&house, &update(2), 1).await);
        assert_eq!(house.webhooks.ids().len(), sent);
        assert!(!deliver(&house, &update(3), 1).await, "the next one goes out");
        assert_eq!(house.webhooks.ids().last(), Some(&update(3).id.to_string()));
    }
}

#[tokio::test]
async fn update_that_never_went_out_is_sent_though_its_claim_is_forgotten() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, &update(1), 1).await);
    forget_record(&house, &update(1)).await;
    house.webhooks.answer(Answer::Sent);
    assert!(!deliver(&house, &update(1), 1).await);
    assert_eq!(state(&house, 1).await, MessageState::Sent);
}
