//! Reports of SES about mails that were sent: bounces, automatic replies, what machines do, and the greetings of SES and SNS.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::tests::{deliver, ids, record};
use super::*;
use crate::test_support::{House, NOW, mail_event};
use perennial_domain::Event;
use perennial_store::messages::MessageState;
use perennial_store::suppressions::Reason;

/// Handles a report of the mail, and returns the events that follow from it.
async fn report(house: &House, kind: &str, rest: serde_json::Value) -> Vec<Event> {
    let response = handle(&house.deps, house.batch(&[mail_event(house, kind, rest)], 1)).await.unwrap();
    assert!(ids(&response).is_empty());
    house.events().await
}

async fn delivered() -> House {
    let house = House::open().await;
    deliver(&house, Channel::Mail, 1).await;
    report(&house, "Delivery", serde_json::json!({ "delivery": { "timestamp": "2026-03-02T08:16:00Z" } })).await;
    house
}

fn transient(sub_type: &str) -> serde_json::Value {
    serde_json::json!({ "bounce": { "bounceType": "Transient", "bounceSubType": sub_type, "timestamp": "2026-03-02T08:17:00Z", "bouncedRecipients": [{ "emailAddress": "ada@example.com" }] } })
}

#[tokio::test]
async fn accepted_mails_and_reports_are_noted_once_an_hour() {
    let house = delivered().await;
    let at: Timestamp = NOW.parse().unwrap();
    let first = house.deps.store.mail_reports().await.unwrap();
    assert_eq!((first.sent, first.reported), (Some(at), Some(at)));
    assert_eq!(first.links.as_deref(), Some("https://p.example"));
    for minutes in [59, 60] {
        house.time.set(at + SignedDuration::from_mins(minutes));
        let rest = serde_json::json!({ "open": { "timestamp": "2026-03-02T08:17:00Z" } });
        report(&house, "Open", rest).await;
        let reported = at + SignedDuration::from_mins(if minutes < 60 { 0 } else { minutes });
        let now = house.deps.store.mail_reports().await.unwrap();
        assert_eq!((now.sent, now.reported), (Some(at), Some(reported)), "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_mail_taken_out_of_the_spam_folder_suppresses_nobody() {
    let house = delivered().await;
    let complaint = serde_json::json!({ "complaint": { "timestamp": "2026-03-02T10:00:00Z", "complaintFeedbackType": "not-spam", "complainedRecipients": [{ "emailAddress": "ada@example.com" }] } });
    let events = report(&house, "Complaint", complaint).await;
    assert_eq!(events[0].counted_as(), "Email Marked Not Spam");
    assert_eq!(house.deps.store.suppression("ada@example.com").await.unwrap(), None);
    assert_eq!(record(&house, Channel::Mail).await.state, MessageState::Delivered);
}

#[tokio::test]
async fn a_bounced_address_is_suppressed_however_the_server_wrote_it() {
    for recipients in [
        serde_json::json!([{ "emailAddress": "\"Ada Byron\" <Ada@EXAMPLE.com>" }]),
        serde_json::json!([{ "emailAddress": "<ada@example.com>" }]),
        serde_json::json!([{ "emailAddress": "rfc822; ada@example.com" }]),
        serde_json::json!([{ "emailAddress": "someone unreadable" }]),
        serde_json::json!([{}]),
        serde_json::json!([]),
        serde_json::json!(null),
    ] {
        let house = House::open().await;
        deliver(&house, Channel::Mail, 1).await;
        let bounce = serde_json::json!({ "bounce": { "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": recipients } });
        report(&house, "Bounce", bounce).await;
        let suppression = house.deps.store.suppression("ada@example.com").await.unwrap();
        assert_eq!(suppression.map(|found| found.reason), Some(Reason::Bounce), "{recipients}");
    }
}

#[tokio::test]
async fn an_automatic_reply_is_no_bounce() {
    let house = delivered().await;
    for _ in 0..3 {
        assert_eq!(report(&house, "Bounce", transient("General")).await, []);
    }
    let found = record(&house, Channel::Mail).await;
    assert_eq!((found.state, found.detail), (MessageState::Delivered, None));
    let preferences = house.deps.store.preferences_of("ada@example.com").await.unwrap();
    assert_eq!(preferences.withholds(None, house.time.now()), None);
    // A full mailbox is a bounce, whatever came before.
    assert_eq!(report(&house, "Bounce", transient("MailboxFull")).await.len(), 1);
    assert_eq!(record(&house, Channel::Mail).await.state, MessageState::Bounced);
}

#[tokio::test]
async fn an_automatic_reply_that_is_reported_before_the_delivery_is_no_bounce_either() {
    let house = House::open().await;
    deliver(&house, Channel::Mail, 1).await;
    report(&house, "Bounce", transient("General")).await;
    assert_eq!(record(&house, Channel::Mail).await.state, MessageState::Bounced, "nothing says that it was delivered");
    report(&house, "Delivery", serde_json::json!({ "delivery": { "timestamp": "2026-03-02T08:16:00Z" } })).await;
    let found = record(&house, Channel::Mail).await;
    assert_eq!((found.state, found.detail.as_deref()), (MessageState::Delivered, None));
    assert!(!found.times.contains_key(&MessageState::Bounced));
}

#[tokio::test]
async fn what_machines_do_with_a_mail_is_nothing_that_its_reader_did() {
    let phone =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
    let relay = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    let request = |agent: &str, at: &str| serde_json::json!({ "userAgent": agent, "ipAddress": "192.0.2.1", "timestamp": at, "link": "https://app.example/" });
    let cases = [
        ("Open", request("Mozilla/5.0", "2026-03-02T09:00:00Z"), "Email Prefetched", false, MessageState::Delivered),
        (
            "Click",
            request("Barracuda Sentinel", "2026-03-02T09:00:00Z"),
            "Email Scanned",
            false,
            MessageState::Delivered,
        ),
        ("Click", request(phone, NOW), "Email Scanned", false, MessageState::Delivered),
        ("Open", request(relay, "2026-03-02T09:00:00Z"), "Email Opened", false, MessageState::Opened),
        ("Open", request(phone, "2026-03-02T09:00:00Z"), "Email Opened", true, MessageState::Opened),
        ("Click", request(phone, "2026-03-02T09:00:00Z"), "Email Clicked", true, MessageState::Clicked),
    ];
    let house = delivered().await;
    for (kind, request, name, is_active, state) in cases {
        let key = kind.to_lowercase();
        let events = report(&house, kind, serde_json::json!({ key: request })).await;
        assert_eq!((events.len(), events[0].counted_as()), (1, name));
        assert_eq!(events[0].context.get("active"), (!is_active).then(|| false.into()).as_ref(), "{name}");
        assert_eq!(record(&house, Channel::Mail).await.state, state, "{name}");
    }
}

#[tokio::test]
async fn greetings_of_ses_and_sns_are_taken_off_the_queue() {
    let house = House::open().await;
    let legacy =
        r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed"}"#;
    let bodies = [
        legacy.to_owned(),
        serde_json::json!({ "Type": "Notification", "Message": legacy }).to_string(),
        "Successfully validated SNS topic for Amazon SES event publishing.".to_owned(),
        serde_json::json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t", "Message": "x" }).to_string(),
        serde_json::json!({ "Type": "UnsubscribeConfirmation", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t", "Message": "x" }).to_string(),
    ];
    assert_eq!(ids(&handle(&house.deps, house.batch(&bodies, 1)).await.unwrap()), Vec::<&str>::new());
}
