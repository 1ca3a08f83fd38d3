#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::test_support::{Answer, House, NOW, PERSON, config_with, mail_event};
use perennial_config::channels::UnverifiedMail;
use perennial_contracts::queue::EventsPayload;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, Decision, Event, Withheld};
use perennial_store::messages::{MessageRecord, MessageState};
use perennial_store::suppressions::Reason;
use perennial_store::{ConfigHandle, Consistency};
use perennial_testkit::EventBuilder;
use std::time::Duration;

pub(super) fn ids(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

pub(super) async fn record(house: &House, channel: Channel) -> MessageRecord {
    house.deps.store.message(PERSON.person_id(), house.decision(channel).id).await.unwrap().unwrap()
}

/// Delivers the decision for `channel` as receipt number `times` of one queue message; returns whether it stays in its
/// queue.
pub(super) async fn deliver(house: &House, channel: Channel, times: u32) -> bool {
    let response = handle(&house.deps, house.batch(&[house.decision_body(channel)], times)).await.unwrap();
    !ids(&response).is_empty()
}

#[tokio::test]
async fn a_mail_is_sent_once_however_often_its_decision_comes() {
    let house = House::open().await;
    for times in 1..=3 {
        assert!(!deliver(&house, Channel::Mail, times).await);
    }
    assert_eq!(house.mail.sent(), 1);
    let record = record(&house, Channel::Mail).await;
    assert_eq!(
        (record.state, record.provider_id.as_deref(), record.subject.as_deref()),
        (MessageState::Sent, Some("ses-1"), Some("Hi Ada"))
    );
}

#[tokio::test]
async fn when_the_process_dies_after_claiming_the_mail_is_not_sent_blindly() {
    let house = House::open().await;
    house.mail.answer(Answer::Hang { sends: false });
    let died = tokio::time::timeout(Duration::from_millis(300), deliver(&house, Channel::Mail, 1)).await;
    assert!(died.is_err(), "the delivery was cut off between claim and send");
    house.mail.answer(Answer::Sent);
    assert!(!deliver(&house, Channel::Mail, 2).await);
    assert_eq!((house.mail.sent(), record(&house, Channel::Mail).await.state), (0, MessageState::Unknown));
}

#[tokio::test]
async fn when_the_process_dies_after_sending_the_mail_is_not_sent_again_and_ses_resolves_it() {
    let house = House::open().await;
    house.mail.answer(Answer::Hang { sends: true });
    assert!(tokio::time::timeout(Duration::from_millis(300), deliver(&house, Channel::Mail, 1)).await.is_err());
    house.mail.answer(Answer::Sent);
    for times in 2..=3 {
        assert!(!deliver(&house, Channel::Mail, times).await);
    }
    assert_eq!((house.mail.sent(), record(&house, Channel::Mail).await.state), (1, MessageState::Unknown));
    let event = mail_event(&house, "Send", serde_json::json!({ "send": {} }));
    assert!(ids(&handle(&house.deps, house.batch(&[event], 1)).await.unwrap()).is_empty());
    let record = record(&house, Channel::Mail).await;
    assert_eq!((record.state, record.provider_id.as_deref()), (MessageState::Sent, Some("ses-mail")));
}

#[tokio::test]
async fn when_ses_throttles_the_claim_is_released_and_the_message_is_requeued() {
    let house = House::open().await;
    house.mail.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Mail, 1).await, "it uses up no receive");
    assert_eq!(house.messages.drain().len(), 1);
    let id = house.decision(Channel::Mail).id;
    assert_eq!(house.deps.store.message(PERSON.person_id(), id).await.unwrap(), None);
    house.mail.answer(Answer::Sent);
    assert!(!deliver(&house, Channel::Mail, 2).await);
    assert_eq!((house.mail.sent(), record(&house, Channel::Mail).await.state), (1, MessageState::Sent));
}

#[tokio::test]
async fn what_ses_refuses_or_does_not_answer_is_recorded_and_not_tried_again_at_once() {
    for (answer, state) in [(Answer::Rejected, MessageState::Failed), (Answer::Lost, MessageState::Unknown)] {
        let house = House::open().await;
        house.mail.answer(answer);
        assert!(!deliver(&house, Channel::Mail, 1).await);
        house.mail.answer(Answer::Sent);
        assert!(!deliver(&house, Channel::Mail, 2).await);
        let record = record(&house, Channel::Mail).await;
        assert_eq!((record.state, house.mail.sent()), (state, 0));
        assert!(record.detail.is_some());
    }
}

/// An address that only a public source named gets mails, unless the configuration forbids it.
#[tokio::test]
async fn address_that_nobody_vouches_for_gets_mails_where_config_lets_it() {
    for (unverified_mail, sent) in [(UnverifiedMail::Send, 1), (UnverifiedMail::Never, 0)] {
        let mut house = House::open().await;
        let mut config = config_with(&[]);
        config.channels.mail.unverified_mail = unverified_mail;
        house.deps.config = ConfigHandle::fixed(config.clone());
        let store = &house.deps.store;
        let mut stored = store.follow(PERSON.person_id(), Consistency::Strong).await.unwrap().unwrap();
        let mut event =
            EventBuilder::identify("m", "u-1", None).with_trait("email", "ada@example.com").public().build();
        event.received_at = NOW.parse().unwrap();
        stored.profile.parts[0].state.traits.clear();
        perennial_engine::apply::apply(&config, &mut stored.profile.parts[0].state, &event);
        store.save(&mut stored).await.unwrap();
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert_eq!(house.mail.sent(), sent, "{unverified_mail:?}");
        assert_eq!(record(&house, Channel::Mail).await.state == MessageState::Sent, sent == 1);
    }
}

#[tokio::test]
async fn an_in_app_message_is_its_record() {
    let house = House::open().await;
    for times in 1..=2 {
        assert!(!deliver(&house, Channel::InApp, times).await);
    }
    let inbox = house.deps.store.inbox(PERSON.person_id()).await.unwrap();
    assert_eq!(inbox.len(), 1);
    assert_eq!((inbox[0].subject.as_deref(), inbox[0].text.as_deref()), (Some("Hi Ada"), Some("Hello Ada.")));
    assert_eq!(inbox[0].link.as_deref(), Some("/start"));
}

#[tokio::test]
async fn an_in_app_message_whose_delivery_died_is_completed() {
    let house = House::open().await;
    let decision = house.decision(Channel::InApp);
    house.deps.store.claim(&decision, "another/1", NOW.parse().unwrap()).await.unwrap();
    assert!(!deliver(&house, Channel::InApp, 1).await);
    assert_eq!(house.deps.store.inbox(PERSON.person_id()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_repeated_under_one_id_until_it_is_taken() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Webhook, 1).await);
    assert_eq!(house.messages.drain().len(), 1);
    let pending = record(&house, Channel::Webhook).await;
    assert_eq!((pending.state, pending.detail.as_deref()), (MessageState::Claimed, Some("throttled")));
    house.webhooks.answer(Answer::Sent);
    assert!(!deliver(&house, Channel::Webhook, 2).await);
    assert!(!deliver(&house, Channel::Webhook, 3).await);
    let ids = house.webhooks.ids();
    assert_eq!(ids, vec![house.decision(Channel::Webhook).id.to_string(); 2]);
    assert_eq!(record(&house, Channel::Webhook).await.state, MessageState::Sent);
}

#[tokio::test]
async fn a_suppressed_address_gets_no_mail_and_still_its_other_messages() {
    for reason in [Reason::Unsubscribe, Reason::Bounce, Reason::Complaint] {
        let house = House::open().await;
        house.deps.store.suppress("ADA@example.com", reason, NOW.parse().unwrap()).await.unwrap();
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert!(!deliver(&house, Channel::InApp, 1).await);
        assert_eq!((house.mail.sent(), record(&house, Channel::Mail).await.state), (0, MessageState::Suppressed));
        assert_eq!(record(&house, Channel::InApp).await.state, MessageState::Sent);
    }
}

#[tokio::test]
async fn who_has_no_usable_address_or_left_the_stage_gets_no_mail() {
    for (email, converted, detail) in [
        (None, false, "no mail address is known"),
        (Some("ada@example.com\r\nBcc: eve@example.com"), false, "the mail address cannot be written to"),
        (Some("ada@example.com"), true, "the stage has changed"),
    ] {
        let house = House::with(email, converted).await;
        assert!(!deliver(&house, Channel::Mail, 1).await);
        let record = record(&house, Channel::Mail).await;
        assert_eq!(
            (house.mail.sent(), record.state, record.detail.as_deref()),
            (0, MessageState::Suppressed, Some(detail))
        );
    }
}

/// Between a decision and its mail, a server says that the address is gone.
#[tokio::test]
async fn mail_whose_address_was_removed_after_the_decision_says_so() {
    let house = House::open().await;
    let store = &house.deps.store;
    let mut stored = store.follow(PERSON.person_id(), Consistency::Strong).await.unwrap().unwrap();
    let at = NOW.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(1);
    let removed = EventBuilder::identify("m", "u-1", None).with_trait("E-Mail", serde_json::Value::Null).at(at).build();
    perennial_engine::apply::apply(&config_with(&[]), &mut stored.profile.parts[0].state, &removed);
    store.save(&mut stored).await.unwrap();
    assert!(!deliver(&house, Channel::Mail, 1).await);
    let record = record(&house, Channel::Mail).await;
    assert_eq!((house.mail.sent(), record.state), (0, MessageState::Suppressed));
    assert_eq!(record.detail.as_deref(), Some("the mail address was removed"));
}

#[tokio::test]
async fn a_poisoned_body_fails_alone() {
    let house = House::open().await;
    let bodies = [
        "{".to_owned(),
        house.decision_body(Channel::Mail),
        r#"{"Type":"Notification","Message":"{}"}"#.to_owned(),
        house.decision_body(Channel::InApp),
    ];
    let response = handle(&house.deps, house.batch(&bodies, 1)).await.unwrap();
    assert_eq!(ids(&response), ["m0", "m2"]);
    assert_eq!(house.mail.sent(), 1);
}

#[tokio::test]
async fn what_ses_says_moves_the_record_on_and_becomes_an_event() {
    let house = House::open().await;
    deliver(&house, Channel::Mail, 1).await;
    let cases = [
        (
            "Delivery",
            serde_json::json!({ "delivery": { "timestamp": "2026-03-02T08:16:00Z", "recipients": ["ada@example.com"] } }),
            MessageState::Delivered,
            "Email Delivered",
        ),
        (
            "Open",
            serde_json::json!({ "open": { "timestamp": "2026-03-02T09:00:00Z" } }),
            MessageState::Opened,
            "Email Opened",
        ),
        (
            "Click",
            serde_json::json!({ "click": { "timestamp": "2026-03-02T09:01:00Z", "link": "https://app.example/" } }),
            MessageState::Clicked,
            "Email Clicked",
        ),
        (
            "Complaint",
            serde_json::json!({ "complaint": { "timestamp": "2026-03-02T10:00:00Z", "complainedRecipients": [{ "emailAddress": "Ada@Example.com" }] } }),
            MessageState::Complained,
            "Email Complained",
        ),
    ];
    for (kind, rest, state, name) in cases {
        let body = mail_event(&house, kind, rest);
        // Twice: SNS and SQS deliver at least once.
        let response = handle(&house.deps, house.batch(&[body.clone(), body], 1)).await.unwrap();
        assert!(ids(&response).is_empty());
        assert_eq!(record(&house, Channel::Mail).await.state, state);
        let events: Vec<Event> = house.events().await;
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].message_id, events[1].message_id, "a repetition counts once");
        assert_eq!(
            (events[0].counted_as(), events[0].source.as_str(), events[0].user_id.as_ref().unwrap().as_str()),
            (name, "ses", "u-1")
        );
        assert!(!serde_json::to_string(&EventsPayload::Events { events }).unwrap().to_lowercase().contains("ada@"));
    }
    let suppression = house.deps.store.suppression("ada@example.com").await.unwrap().unwrap();
    assert_eq!(suppression.reason, Reason::Complaint);
}

#[tokio::test]
async fn a_hard_bounce_suppresses_the_address_and_a_soft_one_does_not() {
    for (kind, suppressed) in [("Permanent", true), ("Transient", false)] {
        let house = House::open().await;
        deliver(&house, Channel::Mail, 1).await;
        let bounce = serde_json::json!({ "bounce": { "bounceType": kind, "bounceSubType": "General", "timestamp": "2026-03-02T08:16:00Z", "bouncedRecipients": [{ "emailAddress": "Ada@example.com" }] } });
        let response = handle(&house.deps, house.batch(&[mail_event(&house, "Bounce", bounce)], 1)).await.unwrap();
        assert!(ids(&response).is_empty());
        assert_eq!(house.deps.store.suppression("ada@example.com").await.unwrap().is_some(), suppressed);
        assert_eq!(record(&house, Channel::Mail).await.state, MessageState::Bounced);
    }
}

#[tokio::test]
async fn when_the_events_queue_does_not_take_the_event_ses_is_asked_again() {
    let house = House::open().await;
    deliver(&house, Channel::Mail, 1).await;
    house.queue.refuse_next(1);
    let body = mail_event(&house, "Open", serde_json::json!({ "open": {} }));
    assert_eq!(ids(&handle(&house.deps, house.batch(std::slice::from_ref(&body), 1)).await.unwrap()), ["m0"]);
    assert!(ids(&handle(&house.deps, house.batch(&[body], 2)).await.unwrap()).is_empty());
    assert_eq!(house.events().await.len(), 1);
}

#[tokio::test]
async fn a_mail_of_someone_else_in_the_account_is_left_alone() {
    let house = House::open().await;
    let body = mail_event(&house, "Open", serde_json::json!({ "open": {} })).replace("person", "other");
    assert!(ids(&handle(&house.deps, house.batch(&[body], 1)).await.unwrap()).is_empty());
    assert!(house.events().await.is_empty());
}

#[tokio::test]
async fn what_is_withheld_is_on_the_trail_and_nothing_goes_out() {
    for (withheld, state) in [
        (Withheld::Capped, MessageState::Capped),
        (Withheld::HeldOut, MessageState::HeldOut),
        (Withheld::Expired, MessageState::Expired),
        (Withheld::Displaced, MessageState::Displaced),
    ] {
        // Without an address, and with a missing template: neither is needed.
        let house = House::with(None, false).await;
        for channel in Channel::ALL {
            let decision = Decision {
                withheld: Some(withheld),
                variant: Some("1=b".into()),
                template: "gone".into(),
                ..house.decision(channel)
            };
            let body = serde_json::to_string(&MessagesPayload::Decision(decision)).unwrap();
            for times in 1..=2 {
                let response = handle(&house.deps, house.batch(std::slice::from_ref(&body), times)).await.unwrap();
                assert!(ids(&response).is_empty());
            }
            let record = record(&house, channel).await;
            assert_eq!((record.state, record.variant.as_deref()), (state, Some("1=b")));
            assert_eq!(record.times, [(state, NOW.parse().unwrap())].into(), "it was never claimed");
        }
        assert_eq!((house.mail.sent(), house.webhooks.sent()), (0, 0));
        assert!(house.deps.store.inbox(PERSON.person_id()).await.unwrap().is_empty());
    }
}
