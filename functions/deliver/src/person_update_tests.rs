//! Updates of people in the CRM.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::handler::handle;
use crate::test_support::{Answer, House, NOW, PERSON, config_with};
use perennial_channels::crm::Contact;
use perennial_channels::endpoint::Message;
use perennial_contracts::queue::{MessagesPayload, Waiting};
use perennial_domain::{ConfigVersion, CrmUpdate, PersonId, Subject, SuppressionReason};
use perennial_engine::Written;
use perennial_store::messages::MessageState;
use perennial_store::profiles::Reshape;
use perennial_store::updates::UpdateRecord;
use perennial_store::{Consistency, Loaded, Moved, Store};
use serde_json::{Value, json};

fn update(endpoint: &str, number: u64) -> CrmUpdate {
    let subject = Subject::Person(PERSON.person_id());
    CrmUpdate {
        id: CrmUpdate::id_of(&subject, number),
        subject,
        number,
        endpoint: endpoint.into(),
        fields: [("perennial_churn".to_owned(), json!(62)), ("perennial_unsubscribed".to_owned(), Value::Null)].into(),
        at: NOW.parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
    }
}

/// Delivers the update as receipt number `times` of one queue message; returns whether it stays in its queue.
async fn deliver(house: &House, update: &CrmUpdate, times: u32) -> bool {
    let body = serde_json::to_string(&MessagesPayload::update(update.clone())).unwrap();
    assert!(body.starts_with(r#"{"person_update.v1":"#), "{body}");
    !handle(&house.deps, house.batch(&[body], times)).await.unwrap().batch_item_failures.is_empty()
}

async fn records(house: &House) -> Vec<UpdateRecord> {
    house.deps.store.updates(&Subject::Person(PERSON.person_id())).await.unwrap().items
}

async fn state(house: &House, number: u64) -> (MessageState, Option<String>) {
    let records = records(house).await;
    let record = records.into_iter().find(|record| record.number == number).unwrap();
    (record.state, record.detail)
}

#[tokio::test]
async fn contact_is_written_once_however_often_the_update_comes() {
    let house = House::open().await;
    for times in 1..=3 {
        assert!(!deliver(&house, &update("hubspot", 1), times).await);
    }
    let messages = house.webhooks.messages();
    let [("hubspot", Message::Contact(Contact { record, .. }))] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((record.id.as_str(), &record.fields["perennial_churn"]), ("ada@example.com", &json!(62)));
    assert_eq!(state(&house, 1).await, (MessageState::Sent, None));
}

#[tokio::test]
async fn webhook_has_the_fields_and_the_person() {
    let house = House::open().await;
    assert!(!deliver(&house, &update("crm", 1), 1).await);
    let messages = house.webhooks.messages();
    let [("standard", Message::Webhook(body))] = messages.as_slice() else { panic!("{messages:?}") };
    let payload: Value = serde_json::from_str(body).unwrap();
    assert_eq!(payload["type"], "perennial.person");
    assert_eq!(payload["data"]["person"]["user_ids"], json!(["u-1"]));
    assert_eq!(house.webhooks.ids(), [update("crm", 1).id.to_string()]);
}

#[tokio::test]
async fn failure_is_recorded_on_the_profile_and_waiting_uses_up_no_receive() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, &update("hubspot", 1), 1).await);
    assert_eq!(state(&house, 1).await, (MessageState::Claimed, Some("throttled".to_owned())));
    let [(body, _)] = house.messages.drain().try_into().unwrap();
    let MessagesPayload::Waiting(Waiting { message, .. }) = serde_json::from_str(&body).unwrap() else {
        panic!("{body}")
    };
    assert!(matches!(*message, MessagesPayload::PersonUpdate(_)));
    house.webhooks.answer(Answer::Rejected);
    assert!(!deliver(&house, &update("hubspot", 1), 2).await);
    assert_eq!(state(&house, 1).await, (MessageState::Failed, Some("MessageRejected".to_owned())));
    house.webhooks.answer(Answer::Sent);
    assert!(!deliver(&house, &update("hubspot", 1), 3).await);
    assert_eq!(house.webhooks.sent(), 2, "what was refused for good is not sent again");
    assert!(!deliver(&house, &update("hubspot", 2), 1).await);
    assert_eq!(state(&house, 2).await.0, MessageState::Sent, "the next one goes out");
}

/// Writes the profile as it is after the update `number`.
async fn write(store: &Store, number: u64) {
    let Loaded::Profile(mut stored) = store.load(PERSON.person_id(), Consistency::Strong).await.unwrap() else {
        panic!()
    };
    stored.profile.written = Some(Written { number, ..Written::default() });
    store.save(&mut stored).await.unwrap();
}

#[tokio::test]
async fn update_that_a_later_one_replaces_does_not_overwrite_it() {
    let house = House::open().await;
    write(&house.deps.store, 2).await;
    assert!(!deliver(&house, &update("crm", 2), 1).await);
    assert!(!deliver(&house, &update("crm", 1), 1).await);
    assert_eq!(house.webhooks.ids(), [update("crm", 2).id.to_string()]);
    assert_eq!((state(&house, 1).await.0, state(&house, 2).await.0), (MessageState::Suppressed, MessageState::Sent));
}

#[tokio::test]
async fn person_who_was_erased_or_merged_into_another_is_not_written_and_leaves_no_trace() {
    let house = House::open().await;
    let other = Subject::Person(PersonId::derive(&[b"nobody"]));
    let gone = CrmUpdate { id: CrmUpdate::id_of(&other, 1), subject: other.clone(), ..update("crm", 1) };
    assert!(!deliver(&house, &gone, 1).await);
    assert_eq!(house.deps.store.updates(&other).await.unwrap().items, []);

    let into = house.add("u-2", "ada@example.com").await;
    let pointer = (PERSON.person_id(), Moved { to: into, version: 2 });
    let merge = Reshape { pointers: vec![pointer], ..Reshape::default() };
    house.deps.store.reshape(&merge, NOW.parse().unwrap()).await.unwrap();
    assert!(!deliver(&house, &update("crm", 1), 1).await);
    assert_eq!((house.webhooks.sent(), records(&house).await.len()), (0, 0));
}

#[tokio::test]
async fn person_without_the_value_that_identifies_contacts_is_withheld_with_the_reason() {
    let house = House::with(None, false).await;
    assert!(!deliver(&house, &update("hubspot", 1), 1).await);
    let why = "the person has no value by which the CRM finds contacts".to_owned();
    assert_eq!((house.webhooks.sent(), state(&house, 1).await), (0, (MessageState::Suppressed, Some(why))));
}

#[tokio::test]
async fn wish_for_no_mails_is_read_when_it_is_written() {
    let accounts = "[crm]\nendpoint = \"hubspot\"\n[crm.people]\nfields = { churn = \"perennial_churn\", unsubscribed = \"perennial_unsubscribed\" }\n";
    let house = House::open_with(config_with(&[("accounts.toml", accounts)])).await;
    let told = |number: usize| {
        let messages = house.webhooks.messages();
        let Some(("hubspot", Message::Contact(Contact { record, .. }))) = messages.get(number).cloned() else {
            panic!("{messages:?}")
        };
        record.fields["perennial_unsubscribed"].clone()
    };
    let now = NOW.parse().unwrap();
    deliver(&house, &update("hubspot", 1), 1).await;
    assert_eq!(told(0), false);
    house.deps.store.suppress("ada@example.com", SuppressionReason::Bounce, now).await.unwrap();
    deliver(&house, &update("hubspot", 2), 1).await;
    assert_eq!(told(1), false, "that the address bounces is no wish");
    let house = House::open_with(config_with(&[("accounts.toml", accounts)])).await;
    house.deps.store.stop_mails(PERSON.person_id(), now).await.unwrap();
    deliver(&house, &update("hubspot", 1), 1).await;
    let messages = house.webhooks.messages();
    let [("hubspot", Message::Contact(Contact { record, .. }))] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(record.fields["perennial_unsubscribed"], true);
    assert_eq!(records(&house).await[0].fields["perennial_unsubscribed"], true, "as it is recorded");
}
