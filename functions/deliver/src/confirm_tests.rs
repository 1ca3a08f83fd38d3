#![allow(clippy::unwrap_used)]

use crate::handler::handle;
use crate::test_support::{House, NOW, PERSON, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::unsubscribe::address_hash;
use perennial_config::channels::UnverifiedMail;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, PersonId};
use perennial_engine::apply::apply;
use perennial_store::messages::{MessageRecord, MessageState};
use perennial_store::{ConfigHandle, Consistency};
use perennial_testkit::EventBuilder;

const ADDRESS: &str = "ada@example.com";

/// A house with double opt-in.
async fn house() -> House {
    let mut house = House::open().await;
    let template = "subject = \"Is this you?\"\ntext = \"Please confirm: {{ confirm_url }}\"";
    let mut config = config_with(&[("templates/confirm_address.toml", template)]);
    config.channels.mail.unverified_mail = UnverifiedMail::Confirm;
    house.deps.config = ConfigHandle::fixed(config);
    house
}

/// The profile's address is what a web page said and nobody else.
async fn unverify(house: &House, person: PersonId, address: &str) {
    let store = &house.deps.store;
    let mut stored = store.follow(person, Consistency::Strong).await.unwrap().unwrap();
    let user = stored.profile.parts[0].identity.as_str().to_owned();
    let mut event = EventBuilder::identify("m", &user, None).with_trait("email", address).public().build();
    event.received_at = NOW.parse().unwrap();
    let state = &mut stored.profile.parts[0].state;
    state.traits.remove("email");
    apply(&config_with(&[]), state, &event);
    store.save(&mut stored).await.unwrap();
}

async fn hand(house: &House, body: String, times: u32) {
    assert!(handle(&house.deps, house.batch(&[body], times)).await.unwrap().batch_item_failures.is_empty());
}

/// Delivers the system's own mail and all that it causes; returns the number of mails sent by then.
async fn deliver(house: &House, body: String) -> usize {
    hand(house, body, 1).await;
    for (body, _) in house.messages.drain() {
        hand(house, body.clone(), 1).await;
        hand(house, body, 2).await;
    }
    house.mail.sent()
}

async fn records(house: &House, person: PersonId) -> Vec<MessageRecord> {
    house.deps.store.messages(person).await.unwrap().items
}

#[tokio::test]
async fn unverified_address_gets_one_mail_that_asks_and_no_other_until_it_is_confirmed() {
    let house = house().await;
    let person = PERSON.person_id();
    unverify(&house, person, ADDRESS).await;
    for _ in 0..3 {
        assert_eq!(deliver(&house, house.decision_body(Channel::Mail)).await, 1);
    }
    let all = records(&house, person).await;
    let asking = all.iter().find(|record| record.journey == "$confirm").unwrap();
    assert_eq!((asking.state, asking.subject.as_deref()), (MessageState::Sent, Some("Is this you?")));
    let other = all.iter().find(|record| record.journey != "$confirm").unwrap();
    assert_eq!(other.state, MessageState::Suppressed);
    assert_eq!(other.detail.as_deref(), Some("the reader has not confirmed the mail address yet"));

    house.deps.store.confirm_address(person, &address_hash(ADDRESS), true, NOW.parse().unwrap()).await.unwrap();
    let mut next = house.decision(Channel::Mail);
    next.id = perennial_domain::DecisionId::of(person, "welcome", 0, b"next");
    let body = serde_json::to_string(&MessagesPayload::Decision(next)).unwrap();
    assert_eq!(deliver(&house, body).await, 2);
}

#[tokio::test]
async fn reader_who_refuses_gets_nothing_and_is_never_asked_again() {
    let house = house().await;
    let person = PERSON.person_id();
    unverify(&house, person, ADDRESS).await;
    assert_eq!(deliver(&house, house.decision_body(Channel::Mail)).await, 1);
    house.deps.store.confirm_address(person, &address_hash(ADDRESS), false, NOW.parse().unwrap()).await.unwrap();
    let at: Timestamp = NOW.parse().unwrap();
    for day in 1..4 {
        house.time.set(at + SignedDuration::from_hours(24 * day));
        let mut next = house.decision(Channel::Mail);
        next.id = perennial_domain::DecisionId::of(person, "welcome", 0, &[u8::try_from(day).unwrap()]);
        next.decided_at = at + SignedDuration::from_hours(24 * day);
        let body = serde_json::to_string(&MessagesPayload::Decision(next)).unwrap();
        assert_eq!(deliver(&house, body).await, 1);
    }
}

/// A stranger names one address for many made-up users.
#[tokio::test]
async fn strangers_mailbox_is_not_filled_with_mails_that_ask() {
    let house = house().await;
    for n in 0..20 {
        let person = house.add(&format!("made-up-{n}"), ADDRESS).await;
        unverify(&house, person, ADDRESS).await;
        let decision = perennial_domain::Decision { person, ..house.decision(Channel::Mail) };
        let id = perennial_domain::DecisionId::of(person, "welcome", 0, b"c");
        let body = serde_json::to_string(&MessagesPayload::Decision(perennial_domain::Decision { id, ..decision }));
        assert_eq!(deliver(&house, body.unwrap()).await, 1, "{n}");
    }
}

#[tokio::test]
async fn address_that_a_server_names_meanwhile_needs_no_confirmation() {
    let house = house().await;
    let person = PERSON.person_id();
    unverify(&house, person, ADDRESS).await;
    hand(&house, house.decision_body(Channel::Mail), 1).await;
    let asking = house.messages.drain();
    assert_eq!(asking.len(), 1);
    let store = &house.deps.store;
    let mut stored = store.follow(person, Consistency::Strong).await.unwrap().unwrap();
    let named = EventBuilder::identify("s", "u-1", None).with_trait("email", ADDRESS).at(NOW.parse().unwrap()).build();
    apply(&config_with(&[]), &mut stored.profile.parts[0].state, &named);
    store.save(&mut stored).await.unwrap();
    hand(&house, asking[0].0.clone(), 1).await;
    assert_eq!(house.mail.sent(), 0);
    let mut next = house.decision(Channel::Mail);
    next.id = perennial_domain::DecisionId::of(person, "welcome", 0, b"next");
    assert_eq!(deliver(&house, serde_json::to_string(&MessagesPayload::Decision(next)).unwrap()).await, 1);
}
