//! Mails go where their readers want them, and where they can arrive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::test_support::{House, NOW, PERSON, mail_event};
use perennial_channels::unsubscribe::address_hash;
use perennial_config::Config;
use perennial_config::topics::Topic;
use perennial_domain::{Channel, DecisionId, Identity, UserId};
use perennial_engine::register::Register;
use perennial_store::messages::MessageState;
use perennial_store::suppressions::Reason;
use perennial_store::{ConfigHandle, Consistency};

fn topic(id: &str, default: bool, essential: bool) -> Topic {
    Topic { id: id.to_owned(), title: id.to_owned(), description: String::new(), default, essential }
}

/// Returns fixtures whose mail is about `about`.
async fn house(about: Option<&str>) -> House {
    let mut house = House::open().await;
    let mut config = Config::clone(&*house.deps.config.current().await);
    config.channels.topics =
        vec![topic("tips", true, false), topic("news", false, false), topic("billing", true, true)];
    config.channels.mail.soft_bounces.count = 2;
    config.templates.get_mut("welcome").unwrap().topic = about.map(str::to_owned);
    house.deps.config = ConfigHandle::fixed(config);
    house
}

/// Returns the outcome of the mail, and the reason.
async fn sent(house: &House) -> (usize, MessageState, Option<String>) {
    let batch = house.batch(&[house.decision_body(Channel::Mail)], 1);
    assert!(handle(&house.deps, batch).await.unwrap().batch_item_failures.is_empty());
    let id = house.decision(Channel::Mail).id;
    let record = house.deps.store.message(PERSON.person_id(), id).await.unwrap().unwrap();
    (house.mail.sent(), record.state, record.detail)
}

fn withheld(why: &str) -> (usize, MessageState, Option<String>) {
    (0, MessageState::Suppressed, Some(why.to_owned()))
}

const SENT: (usize, MessageState, Option<String>) = (1, MessageState::Sent, None);

#[tokio::test]
async fn a_topic_that_the_reader_switched_off_is_withheld_while_others_go() {
    let off = [("tips".to_owned(), false)].into();
    for (topic, expected) in [
        (Some("tips"), withheld("the reader does not want this topic")),
        (Some("billing"), SENT),
        (None, SENT),
        (Some("news"), withheld("the reader does not want this topic")),
    ] {
        let house = house(topic).await;
        let address = address_hash("ada@example.com");
        house.deps.store.choose(&address, &off, NOW.parse().unwrap()).await.unwrap();
        assert_eq!(sent(&house).await, expected, "{topic:?}");
    }
}

#[tokio::test]
async fn who_stopped_all_mails_gets_essential_ones_and_who_complained_gets_none() {
    for (topic, reason, expected) in [
        (Some("tips"), Reason::Unsubscribe, withheld("unsubscribed")),
        (None, Reason::Unsubscribe, withheld("unsubscribed")),
        (Some("billing"), Reason::Unsubscribe, SENT),
        (Some("billing"), Reason::Complaint, withheld("the reader complained before")),
    ] {
        let house = house(topic).await;
        house.deps.store.suppress("ada@example.com", reason, NOW.parse().unwrap()).await.unwrap();
        assert_eq!(sent(&house).await, expected, "{topic:?} {reason:?}");
    }
}

#[tokio::test]
async fn an_address_that_bounces_softly_too_often_has_a_rest() {
    for (bounces, expected) in [
        (vec!["m1", "m1"], SENT),
        (vec!["m1", "m2"], withheld("the address had too many temporary bounces, and is paused")),
    ] {
        let house = house(Some("tips")).await;
        for mail in bounces {
            let bounce = serde_json::json!({ "bounce": { "bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": NOW, "bouncedRecipients": [{ "emailAddress": "Ada@example.com" }] } });
            let body = mail_event(&house, "Bounce", bounce).replace("ses-mail", mail);
            // About another mail, so that this one is not sent yet.
            let body = body.replace(&house.decision(Channel::Mail).id.to_string(), "other");
            assert!(handle(&house.deps, house.batch(&[body], 1)).await.unwrap().batch_item_failures.is_empty());
        }
        assert_eq!(sent(&house).await, expected);
    }
}

/// Changes the person's address, as a trusted source would.
async fn move_to(house: &House, address: &str) {
    let mut stored = house.deps.store.follow(PERSON.person_id(), Consistency::Strong).await.unwrap().unwrap();
    let at = NOW.parse::<jiff::Timestamp>().unwrap().as_microsecond() + 1;
    let value = serde_json::Value::from(address).to_string();
    stored.profile.part_mut(&PERSON.identity()).state.traits.insert("email".into(), Register { at, value });
    house.deps.store.save(&mut stored).await.unwrap();
}

#[tokio::test]
async fn address_that_changed_after_the_decision_is_decided_anew() {
    // The mail goes to the new address, although the old one is suppressed.
    let house = house(Some("tips")).await;
    house.deps.store.suppress("ada@example.com", Reason::Bounce, NOW.parse().unwrap()).await.unwrap();
    move_to(&house, "ada@new.example").await;
    assert_eq!(sent(&house).await, SENT);
    assert!(
        house.mail.mails()[0].contains("To: <ada@new.example>") || house.mail.mails()[0].contains("ada@new.example")
    );
    assert!(!house.mail.mails()[0].contains("ada@example.com"), "nothing goes to the old address");
}

#[tokio::test]
async fn consent_of_the_new_address_is_heard() {
    let house = house(Some("tips")).await;
    house.deps.store.suppress("ada@new.example", Reason::Unsubscribe, NOW.parse().unwrap()).await.unwrap();
    move_to(&house, "ada@new.example").await;
    assert_eq!(sent(&house).await, withheld("unsubscribed"));
}

#[tokio::test]
async fn who_stopped_mails_and_then_changes_their_address_gets_none_at_the_new_one() {
    let complaint = serde_json::json!({ "complaint": { "timestamp": NOW, "complainedRecipients": [{ "emailAddress": "ada@example.com" }] } });
    let unsubscribed = serde_json::json!({ "subscription": {
        "contactList": "list", "timestamp": NOW, "source": "UnsubscribeHeader",
        "newTopicPreferences": { "unsubscribeAll": true, "topicSubscriptionStatus": [] },
        "oldTopicPreferences": { "unsubscribeAll": false, "topicSubscriptionStatus": [] },
    } });
    for (kind, rest) in [("Complaint", complaint), ("Subscription", unsubscribed)] {
        let house = house(Some("tips")).await;
        // About another mail, so that this one is not sent yet.
        let body = mail_event(&house, kind, rest).replace(&house.decision(Channel::Mail).id.to_string(), "other");
        assert!(handle(&house.deps, house.batch(&[body], 1)).await.unwrap().batch_item_failures.is_empty());
        move_to(&house, "ada@new.example").await;
        assert_eq!(sent(&house).await, withheld("unsubscribed"), "{kind}");
    }
}

#[tokio::test]
async fn choice_made_for_any_identity_of_the_person_counts() {
    let house = house(Some("tips")).await;
    let mut stored = house.deps.store.follow(PERSON.person_id(), Consistency::Strong).await.unwrap().unwrap();
    let other = Identity::User(UserId::parse("u-2").unwrap());
    stored.profile.part_mut(&other);
    house.deps.store.save(&mut stored).await.unwrap();
    house.deps.store.stop_mails(other.person_id(), NOW.parse().unwrap()).await.unwrap();
    assert_eq!(sent(&house).await, withheld("unsubscribed"));
    // Unmerged again, the choice goes along with the identity that it was made for.
    stored.profile.parts.retain(|part| part.identity != other);
    house.deps.store.save(&mut stored).await.unwrap();
    let again = house.decision_body(Channel::Mail).replace(
        &house.decision(Channel::Mail).id.to_string(),
        &DecisionId::of(PERSON.person_id(), "welcome", 9, b"again").to_string(),
    );
    handle(&house.deps, house.batch(&[again], 1)).await.unwrap();
    assert_eq!(house.mail.sent(), 1);
}

#[tokio::test]
async fn complaint_about_a_mail_of_an_erased_person_leaves_nothing_behind() {
    let house = House::with(None, false).await;
    let gone = Identity::User(UserId::parse("gone").unwrap()).person_id();
    let complaint = serde_json::json!({ "complaint": { "timestamp": NOW, "complainedRecipients": [{ "emailAddress": "ada@example.com" }] } });
    let body = mail_event(&house, "Complaint", complaint).replace(&PERSON.person_id().to_string(), &gone.to_string());
    handle(&house.deps, house.batch(&[body], 1)).await.unwrap();
    assert_eq!(house.deps.store.wishes(gone).await.unwrap(), perennial_store::preferences::Preferences::default());
}
