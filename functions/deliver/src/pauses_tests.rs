//! Journeys whose mails bounce or are reported as spam.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::handler::handle;
use crate::test_support::{House, PERSON, config_with, mail_event};
use perennial_config::pause::Share;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, Decision, DecisionId};
use perennial_store::ConfigHandle;
use perennial_store::messages::{MessageRecord, MessageState};
use serde_json::json;

const LIMITS: &str = "[pause]\nbounce_percent = 50\ncomplaint_percent = 20\nleast_messages = 4\nwindow_days = 2\n";

/// Returns fixtures in which 4 mails are enough to judge a journey.
async fn house() -> House {
    let mut house = House::open().await;
    house.deps.config = ConfigHandle::fixed(config_with(&[("channels.toml", LIMITS)]));
    house
}

/// The decision for mail number `n` of the journey.
fn decision(house: &House, n: u32) -> Decision {
    let decision = house.decision(Channel::Mail);
    let id = DecisionId::of(decision.person, "welcome", 0, &n.to_be_bytes());
    Decision { id, decided_at: house.time.now(), ..decision }
}

async fn send(house: &House, decision: Decision) -> MessageRecord {
    let id = decision.id;
    let body = serde_json::to_string(&MessagesPayload::Decision(decision)).unwrap();
    assert!(handle(&house.deps, house.batch(&[body], 1)).await.unwrap().batch_item_failures.is_empty());
    house.deps.store.message(PERSON.person_id(), id).await.unwrap().unwrap()
}

/// The address that the reported mails went to: not the profile's own, so that this one stays usable.
const OTHER: &str = "gone@example.com";

/// SES reports something of mail `n`, twice, as queues do.
async fn report(house: &House, n: u32, kind: &str, detail: serde_json::Value) {
    let own = decision(house, n).id.to_string();
    let body = mail_event(house, kind, detail).replace(&house.decision(Channel::Mail).id.to_string(), &own);
    let body = body.replace("ada@example.com", OTHER);
    let response = handle(&house.deps, house.batch(&[body.clone(), body], 1)).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
}

async fn bounce(house: &House, n: u32, hardness: &str) {
    let recipients = json!([{ "emailAddress": OTHER }]);
    let bounce = json!({ "bounceType": hardness, "bounceSubType": "General", "timestamp": house.time.now(), "bouncedRecipients": recipients });
    report(house, n, "Bounce", json!({ "bounce": bounce })).await;
}

async fn complain(house: &House, n: u32) {
    let recipients = json!([{ "emailAddress": OTHER }]);
    let complaint = json!({ "timestamp": house.time.now(), "complainedRecipients": recipients });
    report(house, n, "Complaint", json!({ "complaint": complaint })).await;
}

fn minutes(house: &House, minutes: i64) {
    house.time.advance(SignedDuration::from_mins(minutes));
}

#[tokio::test]
async fn a_journey_whose_mails_bounce_too_often_stops_until_it_is_resumed() {
    let house = house().await;
    for n in 0..4 {
        assert_eq!(send(&house, decision(&house, n)).await.state, MessageState::Sent);
    }
    bounce(&house, 0, "Transient").await;
    for n in 1..4 {
        bounce(&house, n, "Permanent").await;
    }
    minutes(&house, 1);
    let record = send(&house, decision(&house, 4)).await;
    let why = "the journey is paused: of 4 mails, 3 bounced and 0 caused complaints";
    assert_eq!((record.state, record.detail.as_deref()), (MessageState::Suppressed, Some(why)));
    let paused = house.deps.store.paused_journeys().await.unwrap();
    let [one] = paused.as_slice() else { panic!("{paused:?}") };
    assert_eq!((one.journey.as_str(), one.since), ("welcome", house.time.now()));
    assert_eq!(one.tally, Tally { sent: 4, bounced: 3, complained: 0 });

    // It does not resume by itself when the window has passed.
    minutes(&house, 3 * 24 * 60);
    assert_eq!(send(&house, decision(&house, 5)).await.state, MessageState::Suppressed);

    assert!(house.deps.store.resume_journey("welcome", house.time.now()).await.unwrap());
    assert!(!house.deps.store.resume_journey("welcome", house.time.now()).await.unwrap(), "it is resumed");
    minutes(&house, 1);
    assert_eq!(send(&house, decision(&house, 6)).await.state, MessageState::Sent);
    assert!(house.deps.store.paused_journeys().await.unwrap().is_empty());
    assert_eq!(house.mail.sent(), 5);
}

#[tokio::test]
async fn a_resume_begins_the_window_anew_on_the_same_day() {
    let house = house().await;
    for n in 0..4 {
        send(&house, decision(&house, n)).await;
    }
    complain(&house, 0).await;
    minutes(&house, 1);
    let why = send(&house, decision(&house, 4)).await.detail.unwrap();
    assert!(why.ends_with("of 4 mails, 0 bounced and 1 caused complaints"), "{why}");
    house.deps.store.resume_journey("welcome", house.time.now()).await.unwrap();
    minutes(&house, 1);
    for n in 5..9 {
        assert_eq!(send(&house, decision(&house, n)).await.state, MessageState::Sent, "what was before is forgiven");
    }
    let health = house.deps.store.journey_health("welcome", 2, house.time.now()).await.unwrap();
    assert_eq!(health.tally, Tally { sent: 4, bounced: 0, complained: 0 });
    complain(&house, 5).await;
    minutes(&house, 1);
    assert_eq!(send(&house, decision(&house, 9)).await.state, MessageState::Suppressed, "what comes after is not");
}

#[tokio::test]
async fn mails_that_someone_must_get_go_on_and_so_do_other_channels() {
    let topic = "[[topic]]\nid = \"billing\"\ntitle = \"Billing\"\nessential = true\n";
    let files = [("channels.toml", &*format!("{LIMITS}{topic}")), ("templates/welcome.toml", "topic = \"billing\"\n")];
    let mut house = house().await;
    for n in 0..4 {
        send(&house, decision(&house, n)).await;
        bounce(&house, n, "Permanent").await;
    }
    minutes(&house, 1);
    assert_eq!(send(&house, house.decision(Channel::InApp)).await.state, MessageState::Sent);
    assert_eq!(send(&house, decision(&house, 4)).await.state, MessageState::Suppressed);
    house.deps.config = ConfigHandle::fixed(config_with(&files));
    assert_eq!(send(&house, decision(&house, 5)).await.state, MessageState::Sent);
}

#[test]
fn a_journey_is_not_judged_by_few_mails() {
    let policy =
        Pause { complaints: Share::percent(0.1), bounces: Share::percent(5.0), least_messages: 200, window_days: 7 };
    let health =
        |sent, bounced, complained| Health { tally: Tally { sent, bounced, complained }, paused: None, resumed: None };
    for (sent, bounced, complained, expected) in
        [(199, 199, 0, false), (200, 10, 0, false), (200, 11, 0, true), (200, 0, 1, true), (1000, 50, 1, false)]
    {
        assert_eq!(passes(&health(sent, bounced, complained), &policy), expected, "{sent} {bounced} {complained}");
    }
}
