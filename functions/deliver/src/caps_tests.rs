//! An address gets no more mails for belonging to several profiles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::test_support::{House, PERSON, config_with};
use perennial_config::topics::Topic;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, Decision, DecisionId, PersonId};
use perennial_store::ConfigHandle;
use perennial_store::messages::MessageState;

const LIMITS: &str = "[[cap]]\nmessages = 2\nwithin_days = 7\nchannels = [\"mail\"]\n";

async fn house(topic: Option<Topic>) -> House {
    let mut house = House::open().await;
    let mut config = config_with(&[("limits.toml", LIMITS)]);
    config.templates.get_mut("welcome").unwrap().topic = topic.as_ref().map(|topic| topic.id.clone());
    config.channels.topics = topic.into_iter().collect();
    house.deps.config = ConfigHandle::fixed(config);
    house
}

fn mail_to(house: &House, person: PersonId, number: u8) -> Decision {
    let id = DecisionId::of(person, "removed", 0, &[number]);
    // A journey that is not configured any more: the same mail may go out for each profile.
    Decision { id, person, journey: "removed".to_owned(), ..house.decision(Channel::Mail) }
}

/// Delivers the mail, received for the `times`th time; returns what was recorded of it.
async fn deliver(house: &House, decision: &Decision, times: u32) -> (MessageState, Option<String>) {
    let body = serde_json::to_string(&MessagesPayload::Decision(decision.clone())).unwrap();
    let failed = handle(&house.deps, house.batch(&[body], times)).await.unwrap().batch_item_failures;
    assert!(failed.is_empty());
    let record = house.deps.store.message(decision.person, decision.id).await.unwrap().unwrap();
    (record.state, record.detail)
}

#[tokio::test]
async fn mails_over_the_cap_of_their_address_are_capped_whatever_profile_they_are_for() {
    let house = house(None).await;
    let others = [house.add("u-2", "Ada@Example.com").await, house.add("u-3", "ada@example.com").await];
    let mails = [PERSON.person_id(), others[0], others[1]].map(|person| mail_to(&house, person, 0));
    let mut states = Vec::new();
    for mail in &mails {
        states.push(deliver(&house, mail, 1).await);
    }
    let why = "the address got 2 mails within 7 days, over all profiles".to_owned();
    assert_eq!(states, [(MessageState::Sent, None), (MessageState::Sent, None), (MessageState::Capped, Some(why))]);
    for (mail, state) in mails.iter().zip(&states) {
        assert_eq!(&deliver(&house, mail, 2).await, state, "a redelivery changes nothing");
    }
    assert_eq!(house.mail.sent(), 2);
    let ben = house.add("u-4", "ben@example.com").await;
    assert_eq!(deliver(&house, &mail_to(&house, ben, 0), 1).await.0, MessageState::Sent, "another address");
    let later = Decision {
        decided_at: house.decision(Channel::Mail).decided_at + jiff::SignedDuration::from_hours(169),
        ..mail_to(&house, others[1], 1)
    };
    assert_eq!(deliver(&house, &later, 1).await.0, MessageState::Sent, "a week after");
}

#[tokio::test]
async fn essential_mails_neither_count_nor_are_capped() {
    let billing = Topic {
        id: "billing".to_owned(),
        title: String::new(),
        description: String::new(),
        default: true,
        essential: true,
    };
    let house = house(Some(billing)).await;
    for number in 0..4 {
        assert_eq!(deliver(&house, &mail_to(&house, PERSON.person_id(), number), 1).await.0, MessageState::Sent);
    }
}

#[tokio::test]
async fn a_mail_that_is_put_off_by_its_service_counts_once() {
    let house = house(None).await;
    let mail = mail_to(&house, PERSON.person_id(), 0);
    house.mail.answer(crate::test_support::Answer::Throttled);
    let body = serde_json::to_string(&MessagesPayload::Decision(mail.clone())).unwrap();
    for times in 1..4 {
        let failed = handle(&house.deps, house.batch(std::slice::from_ref(&body), times)).await.unwrap();
        assert!(failed.batch_item_failures.is_empty());
        assert_eq!(house.messages.drain().len(), 1);
    }
    house.mail.answer(crate::test_support::Answer::Sent);
    assert_eq!(deliver(&house, &mail, 4).await.0, MessageState::Sent);
    assert_eq!(deliver(&house, &mail_to(&house, PERSON.person_id(), 1), 1).await.0, MessageState::Sent);
    assert_eq!(deliver(&house, &mail_to(&house, PERSON.person_id(), 2), 1).await.0, MessageState::Capped);
}

#[tokio::test]
async fn one_mail_goes_to_an_address_once_whatever_profiles_it_is_for() {
    let house = House::open().await;
    let other = house.add("u-2", "Ada@Example.com").await;
    let first = house.decision(Channel::Mail);
    let second =
        Decision { id: DecisionId::of(other, &first.journey, first.step, b"2"), person: other, ..first.clone() };
    assert_eq!(deliver(&house, &first, 1).await, (MessageState::Sent, None));
    let why = "the address got this mail already, for another profile".to_owned();
    let capped = (MessageState::Capped, Some(why));
    assert_eq!(deliver(&house, &second, 1).await, capped);
    assert_eq!(deliver(&house, &second, 2).await, capped, "a redelivery changes nothing");
    assert_eq!(house.mail.sent(), 1);
}
