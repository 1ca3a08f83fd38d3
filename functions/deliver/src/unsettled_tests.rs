//! Mails whose send was interrupted.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::test_support::{Answer, House, PERSON, config_with, mail_event};
use jiff::SignedDuration;
use perennial_domain::Channel;
use perennial_lambda_kit::queue::Delay;
use perennial_store::ConfigHandle;
use perennial_store::messages::{Held, MessageState, Outcome};
use perennial_store::suppressions::Reason;
use std::time::Duration;

/// Returns how many of `bodies` stay in the queue, received for the `times`th time, which distinguishes claimants.
async fn take(house: &House, bodies: &[String], times: u32) -> usize {
    handle(&house.deps, house.batch(bodies, times)).await.unwrap().batch_item_failures.len()
}

async fn held(house: &House) -> Held {
    house.deps.store.held(PERSON.person_id(), house.decision(Channel::Mail).id).await.unwrap().unwrap()
}

async fn state(house: &House) -> MessageState {
    held(house).await.record.state
}

/// The process dies while a mail of `bodies` is being sent.
async fn die(house: &House, bodies: &[String], times: u32, sends: bool) {
    house.mail.answer(Answer::Hang { sends });
    assert!(tokio::time::timeout(Duration::from_millis(300), take(house, bodies, times)).await.is_err());
    house.mail.answer(Answer::Sent);
}

/// Returns a mail whose delivery died, and the message that the function sent to itself.
async fn cut_off(sends: bool) -> (House, String) {
    let house = House::open().await;
    let bodies = [house.decision_body(Channel::Mail)];
    die(&house, &bodies, 1, sends).await;
    assert_eq!(take(&house, &bodies, 2).await, 0);
    assert_eq!(state(&house).await, MessageState::Unknown);
    let unsettled = only(&house, Delay::MAX);
    assert_eq!(take(&house, &bodies, 3).await, 0);
    assert!(house.messages.drain().is_empty(), "the decision again brings nothing new");
    (house, unsettled)
}

/// Returns the one message that the function sent to itself, with `delay`.
fn only(house: &House, delay: Delay) -> String {
    let mut sent = house.messages.drain();
    let Some((body, held_back)) = sent.pop() else { panic!("nothing was sent") };
    assert_eq!((sent.len(), held_back), (0, delay));
    body
}

fn minutes(house: &House, minutes: i64) {
    house.time.advance(SignedDuration::from_mins(minutes));
}

#[tokio::test]
async fn a_mail_that_ses_does_not_report_in_time_is_sent_again_once() {
    let (house, mut unsettled) = cut_off(false).await;
    for (passed, left) in [(15, Delay::MAX), (14, Delay::at_most(60))] {
        minutes(&house, passed);
        assert_eq!(take(&house, &[unsettled], 11).await, 0);
        assert_eq!((house.mail.sent(), state(&house).await), (0, MessageState::Unknown));
        unsettled = only(&house, left);
    }
    minutes(&house, 1);
    // Queues deliver at least once.
    for times in 11..=13 {
        assert_eq!(take(&house, &[unsettled.clone(), unsettled.clone()], times).await, 0);
    }
    let held = held(&house).await;
    assert_eq!((house.mail.sent(), held.record.state, held.tries()), (1, MessageState::Sent, 2));
    assert!(house.messages.drain().is_empty());
}

#[tokio::test]
async fn a_mail_that_ses_reports_is_not_sent_again() {
    let (house, unsettled) = cut_off(true).await;
    minutes(&house, 29);
    assert_eq!(take(&house, &[mail_event(&house, "Send", serde_json::json!({ "send": {} }))], 1).await, 0);
    minutes(&house, 1);
    assert_eq!(take(&house, &[unsettled], 11).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (1, MessageState::Sent));
    assert!(house.messages.drain().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_waited_for_in_the_same_way() {
    let house = House::open().await;
    house.mail.answer(Answer::Lost);
    assert_eq!(take(&house, &[house.decision_body(Channel::Mail)], 1).await, 0);
    let record = held(&house).await.record;
    assert_eq!((record.state, record.subject.as_deref()), (MessageState::Unknown, Some("Hi Ada")));
    let unsettled = only(&house, Delay::MAX);
    house.mail.answer(Answer::Sent);
    minutes(&house, 30);
    assert_eq!(take(&house, &[unsettled], 11).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (1, MessageState::Sent));
}

#[tokio::test]
async fn when_the_wait_cannot_be_made_durable_the_message_stays() {
    let house = House::open().await;
    let bodies = [house.decision_body(Channel::Mail)];
    die(&house, &bodies, 1, false).await;
    house.messages.refuse_next(1);
    assert_eq!(take(&house, &bodies, 2).await, 1);
    assert_eq!(state(&house).await, MessageState::Claimed, "nothing says that it is being waited for");
    assert_eq!(take(&house, &bodies, 3).await, 0);
    let unsettled = only(&house, Delay::MAX);
    house.messages.refuse_next(1);
    assert_eq!(take(&house, std::slice::from_ref(&unsettled), 1).await, 1, "nor is it forgotten on its way");
    minutes(&house, 30);
    assert_eq!(take(&house, &[unsettled], 2).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (1, MessageState::Sent));
}

#[tokio::test]
async fn a_second_try_that_ses_refuses_for_now_is_made_again() {
    let (house, unsettled) = cut_off(false).await;
    minutes(&house, 30);
    house.mail.answer(Answer::Throttled);
    assert_eq!(take(&house, std::slice::from_ref(&unsettled), 11).await, 0);
    assert_eq!((state(&house).await, held(&house).await.tries()), (MessageState::Unknown, 1));
    let waiting = house.messages.drain();
    let [(waiting, _)] = waiting.as_slice() else { panic!("{waiting:?}") };
    house.mail.answer(Answer::Sent);
    minutes(&house, 15);
    assert_eq!(take(&house, std::slice::from_ref(waiting), 1).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (1, MessageState::Sent));
}

#[tokio::test]
async fn a_second_try_that_dies_is_in_doubt_again_and_the_third_is_the_last() {
    let (house, first) = cut_off(false).await;
    let mut unsettled = first.clone();
    for tries in 2..=3 {
        minutes(&house, 30);
        die(&house, std::slice::from_ref(&unsettled), 10 * tries, false).await;
        assert_eq!((state(&house).await, held(&house).await.tries()), (MessageState::Claimed, tries));
        assert_eq!(take(&house, std::slice::from_ref(&unsettled), 10 * tries + 1).await, 0);
        unsettled = only(&house, Delay::MAX);
        assert_eq!(take(&house, std::slice::from_ref(&first), 9).await, 0);
        assert!(house.messages.drain().is_empty(), "what is about an older claim is of no account");
    }
    minutes(&house, 30);
    assert_eq!(take(&house, &[unsettled], 11).await, 0);
    let record = held(&house).await.record;
    assert_eq!((house.mail.sent(), record.state), (0, MessageState::Unknown));
    assert_eq!(record.detail.as_deref(), Some("SES did not report it; attempts: 3"));
    assert!(house.messages.drain().is_empty());
}

#[tokio::test]
async fn who_unsubscribes_meanwhile_gets_no_second_try() {
    let (house, unsettled) = cut_off(false).await;
    minutes(&house, 30);
    house.deps.store.suppress("ada@example.com", Reason::Unsubscribe, house.time.now()).await.unwrap();
    assert_eq!(take(&house, &[unsettled], 11).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (0, MessageState::Suppressed));
}

#[tokio::test]
async fn whoever_does_not_want_second_tries_gets_none() {
    let mut house = House::open().await;
    let channels = "[mail]\nfrom = \"a@b.example\"\nconfiguration_set = \"c\"\nresend_unknown_after_minutes = 0\n";
    let channels = format!("!max_event_age_hours = 48\n{channels}");
    house.deps.config = ConfigHandle::fixed(config_with(&[("channels.toml", &channels), ("journeys.toml", "!")]));
    let bodies = [house.decision_body(Channel::Mail)];
    die(&house, &bodies, 1, true).await;
    assert_eq!(take(&house, &bodies, 2).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (1, MessageState::Unknown));
    assert!(house.messages.drain().is_empty());
}

/// Claims the mail as the delivery of another queue message.
async fn claimed_by_another() -> House {
    let house = House::open().await;
    house.deps.store.claim(&house.decision(Channel::Mail), "another/1", house.time.now()).await.unwrap();
    house
}

/// Returns a mail that another delivery claimed 15 minutes ago, and what its copy, received after a minute, left on the
/// queue.
async fn copied() -> (House, String) {
    let house = claimed_by_another().await;
    minutes(&house, 1);
    assert_eq!(take(&house, &[house.decision_body(Channel::Mail)], 1).await, 0);
    assert_eq!((state(&house).await, house.mail.sent()), (MessageState::Claimed, 0));
    let kept = only(&house, Delay::at_most(14 * 60));
    minutes(&house, 14);
    (house, kept)
}

#[tokio::test]
async fn a_second_copy_of_a_decision_leaves_a_mail_to_the_delivery_that_is_at_it() {
    let (house, kept) = copied().await;
    let sent = Outcome::new(MessageState::Sent, house.time.now());
    let decision = house.decision(Channel::Mail);
    house.deps.store.record(decision.person, decision.id, &sent).await.unwrap();
    assert_eq!(take(&house, &[kept], 1).await, 0);
    assert_eq!((house.mail.sent(), state(&house).await), (0, MessageState::Sent));
    assert!(house.messages.drain().is_empty());
}

#[tokio::test]
async fn a_mail_that_comes_back_from_the_dead_letters_soon_after_its_delivery_died_is_not_lost() {
    let (house, kept) = copied().await;
    assert_eq!(take(&house, &[kept], 1).await, 0);
    assert_eq!(state(&house).await, MessageState::Unknown, "the other one died over it");
    assert_eq!(house.messages.drain().len(), 1, "what SES says of it is waited for");
}

#[tokio::test]
async fn a_copy_that_cannot_be_kept_stays_in_its_queue() {
    let house = claimed_by_another().await;
    house.messages.refuse_next(1);
    assert_eq!(take(&house, &[house.decision_body(Channel::Mail)], 1).await, 1);
}

#[tokio::test]
async fn unsettled_mail_redriven_soon_after_its_second_try_died_is_not_lost() {
    let (house, unsettled) = cut_off(false).await;
    minutes(&house, 30);
    let decision = house.decision(Channel::Mail);
    let first = held(&house).await.claimant;
    let now = house.time.now();
    assert!(house.deps.store.claim_again(decision.person, decision.id, &first, "another/1", now).await.unwrap());
    // The same message, under another id.
    assert_eq!(take(&house, &[unsettled], 11).await, 0);
    assert_eq!((state(&house).await, house.mail.sent()), (MessageState::Claimed, 0));
    let kept = only(&house, Delay::MAX);
    minutes(&house, 15);
    assert_eq!(take(&house, &[kept], 12).await, 0);
    assert_eq!(state(&house).await, MessageState::Unknown);
    assert_eq!(house.messages.drain().len(), 1, "what SES says of it is waited for");
}
