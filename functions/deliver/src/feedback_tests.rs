//! SES reports of mails whose record has to be found, and readers' choices in SES.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::test_support::{House, NOW, PERSON, mail_event};
use perennial_channels::unsubscribe::address_hash;
use perennial_config::Config;
use perennial_config::topics::Topic;
use perennial_domain::Event;
use perennial_store::ConfigHandle;
use perennial_store::messages::{MessageRecord, MessageState};
use perennial_store::suppressions::Reason;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

/// Returns fixtures with a sent mail.
async fn house() -> House {
    let house = House::open().await;
    take(&house, &[house.decision_body(Channel::Mail)]).await;
    house
}

/// Processes `bodies`, and returns the resulting events.
async fn take(house: &House, bodies: &[String]) -> Vec<Event> {
    let response = handle(&house.deps, house.batch(bodies, 1)).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    house.events().await
}

async fn report(house: &House, kind: &str, rest: Value) -> Vec<Event> {
    take(house, &[mail_event(house, kind, rest)]).await
}

async fn record(house: &House) -> MessageRecord {
    let id = house.decision(Channel::Mail).id;
    house.deps.store.message(PERSON.person_id(), id).await.unwrap().unwrap()
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(Event::counted_as).collect()
}

fn complaint(rest: Value) -> Value {
    let mut complaint =
        json!({ "timestamp": "2026-03-02T10:00:00Z", "complainedRecipients": [{ "emailAddress": ADA }] });
    complaint.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!({ "complaint": complaint })
}

fn hard_bounce() -> Value {
    json!({ "bounce": { "bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-03-02T10:00:00Z", "bouncedRecipients": [{ "emailAddress": ADA }] } })
}

async fn harmed(house: &House) -> (u64, u64) {
    let tally = house.deps.store.journey_health("welcome", 7, house.time.now()).await.unwrap().tally;
    (tally.bounced, tally.complained)
}

#[tokio::test]
async fn complaint_of_a_mail_that_ses_held_back_suppresses_and_harms_nobody() {
    let house = house().await;
    let held_back = complaint(json!({ "complaintSubType": "OnAccountSuppressionList", "complaintFeedbackType": null }));
    assert_eq!(report(&house, "Complaint", held_back).await, []);
    let found = record(&house).await;
    assert_eq!(found.state, MessageState::Suppressed);
    assert!(found.detail.unwrap().contains("suppression list"));
    assert_eq!(harmed(&house).await, (0, 0));
    let suppression = house.deps.store.suppression(ADA).await.unwrap();
    assert_eq!(suppression.map(|found| found.reason), Some(Reason::Complaint));

    let fresh = complaint(json!({ "complaintSubType": null, "complaintFeedbackType": "abuse" }));
    assert_eq!(names(&report(&house, "Complaint", fresh).await), ["Email Complained"]);
    assert_eq!((record(&house).await.state, harmed(&house).await), (MessageState::Complained, (0, 1)));
}

#[tokio::test]
async fn bounce_of_a_mail_that_ses_held_back_is_no_bounce() {
    for (sub_type, why, reason) in [
        ("OnAccountSuppressionList", "suppression list", Reason::Bounce),
        ("UnsubscribedRecipient", "unsubscribed there", Reason::Unsubscribe),
    ] {
        let house = house().await;
        let mut bounce = hard_bounce();
        bounce["bounce"]["bounceSubType"] = sub_type.into();
        assert_eq!(report(&house, "Bounce", bounce).await, [], "{sub_type}: no event of the person");
        let found = record(&house).await;
        assert_eq!((found.state, harmed(&house).await), (MessageState::Suppressed, (0, 0)), "{sub_type}");
        assert!(found.detail.unwrap().contains(why), "{sub_type}");
        let suppression = house.deps.store.suppression(ADA).await.unwrap();
        assert_eq!(suppression.map(|found| found.reason), Some(reason), "{sub_type}");
    }
}

/// The notification of an identity, as SES documents it: no tags, and the mail's headers only where they are switched on.
fn notification(kind: &str, mail_id: &str, rest: Value, headers: Option<Value>) -> String {
    let mut event = json!({ "notificationType": kind, "mail": { "timestamp": NOW, "messageId": mail_id, "source": "hello@example.com",
        "sendingAccountId": "123456789012", "destination": [ADA] } });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    if let Some(headers) = headers {
        event["mail"]["headers"] = headers;
    }
    json!({ "Type": "Notification", "MessageId": "1", "Message": event.to_string(), "Timestamp": NOW }).to_string()
}

#[tokio::test]
async fn notification_without_tags_is_of_the_mail_that_has_its_id() {
    let cases = [
        ("Bounce", hard_bounce(), MessageState::Bounced, "Email Bounced", (1, 0)),
        ("Complaint", complaint(json!({})), MessageState::Complained, "Email Complained", (0, 1)),
    ];
    for (kind, rest, state, name, harm) in cases {
        let house = house().await;
        // The mail service of the tests gives its first mail this id.
        let events = take(&house, &[notification(kind, "ses-1", rest, None)]).await;
        assert_eq!((names(&events), record(&house).await.state), (vec![name], state));
        assert_eq!(harmed(&house).await, harm);
        assert_eq!(events[0].properties["journey"], "welcome");
    }
}

#[tokio::test]
async fn notification_of_a_mail_whose_id_is_not_known_is_found_by_the_mails_own_header() {
    let house = house().await;
    let own = json!([{ "name": "X-Perennial-Decision", "value": house.decision(Channel::Mail).id }]);
    let events = take(&house, &[notification("Bounce", "other", hard_bounce(), Some(own))]).await;
    assert_eq!((names(&events), record(&house).await.state), (vec!["Email Bounced"], MessageState::Bounced));
}

#[tokio::test]
async fn notification_of_a_mail_of_another_system_suppresses_and_is_nobodys() {
    let house = house().await;
    assert_eq!(take(&house, &[notification("Bounce", "other", hard_bounce(), None)]).await, []);
    assert_eq!((record(&house).await.state, harmed(&house).await), (MessageState::Sent, (0, 0)));
    assert!(house.deps.store.suppression(ADA).await.unwrap().is_some());
}

fn click(at: &str, link: &str) -> Value {
    json!({ "click": { "timestamp": at, "link": link, "userAgent": PHONE, "ipAddress": "192.0.2.1" } })
}

#[tokio::test]
async fn click_right_after_a_late_delivery_is_of_a_machine() {
    let house = house().await;
    report(&house, "Delivery", json!({ "delivery": { "timestamp": "2026-03-02T11:00:00Z" } })).await;
    let soon = report(&house, "Click", click("2026-03-02T11:00:05Z", "https://app.example/")).await;
    assert_eq!((names(&soon), record(&house).await.state), (vec!["Email Scanned"], MessageState::Delivered));
    let later = report(&house, "Click", click("2026-03-02T11:01:00Z", "https://app.example/")).await;
    assert_eq!((names(&later), record(&house).await.state), (vec!["Email Clicked"], MessageState::Clicked));
}

#[tokio::test]
async fn links_followed_in_the_same_moment_count_as_one_click_of_a_reader() {
    let house = house().await;
    report(&house, "Delivery", json!({ "delivery": { "timestamp": "2026-03-02T08:16:00Z" } })).await;
    let clicks = |at: &str| {
        let links = ["a", "b", "c", "d", "e", "f"].map(|path| format!("https://app.example/{path}"));
        links.map(|link| mail_event(&house, "Click", click(at, &link)))
    };
    let events = take(&house, &clicks("2026-03-02T09:00:00Z")).await;
    let count = |name: &str| names(&events).into_iter().filter(|own| *own == name).count();
    assert_eq!((count("Email Clicked"), count("Email Scanned")), (1, 5));
    assert!(
        events
            .iter()
            .filter(|event| event.counted_as() == "Email Scanned")
            .all(|event| event.context["active"] == false)
    );
    let again = report(&house, "Click", click("2026-03-02T09:05:00Z", "https://app.example/b")).await;
    assert_eq!(names(&again), ["Email Clicked"], "a reader comes back");
}

#[tokio::test]
async fn bounces_that_speak_of_the_mail_give_its_address_no_rest() {
    for (sub_type, expected) in [
        ("MessageTooLarge", None),
        ("ContentRejected", None),
        ("AttachmentRejected", None),
        ("MailboxFull", Some("the address had too many temporary bounces, and is paused")),
    ] {
        let house = house().await;
        for mail in ["m1", "m2", "m3", "m4", "m5"] {
            let bounce = json!({ "bounce": { "bounceType": "Transient", "bounceSubType": sub_type, "timestamp": NOW, "bouncedRecipients": [{ "emailAddress": ADA }] } });
            report(&house, "Bounce", bounce).await;
            take(
                &house,
                &[mail_event(
                    &house,
                    "Bounce",
                    json!({ "bounce": { "bounceType": "Transient", "bounceSubType": sub_type, "timestamp": NOW } }),
                )
                .replace("ses-mail", mail)],
            )
            .await;
        }
        let preferences = house.deps.store.preferences_of(ADA).await.unwrap();
        let why = preferences.withholds(None, house.time.now()).map(perennial_store::preferences::Withheld::as_str);
        assert_eq!(why, expected, "{sub_type}");
        assert_eq!(record(&house).await.state, MessageState::Bounced);
    }
}

async fn with_topics() -> House {
    let mut house = house().await;
    let mut config = Config::clone(&*house.deps.config.current().await);
    let topic = |id: &str, essential| Topic {
        id: id.into(),
        title: id.into(),
        description: String::new(),
        default: true,
        essential,
    };
    config.channels.topics = vec![topic("product-news", false), topic("tips", false), topic("billing", true)];
    house.deps.config = ConfigHandle::fixed(config);
    house
}

fn subscription(at: &str, new: Value, old: Value) -> Value {
    json!({ "subscription": { "contactList": "readers", "timestamp": at, "source": "UnsubscribeHeader", "newTopicPreferences": new, "oldTopicPreferences": old } })
}

#[tokio::test]
async fn who_subscribes_again_in_ses_gets_mails_again() {
    let house = with_topics().await;
    let all = |stopped: bool| json!({ "unsubscribeAll": stopped, "topicSubscriptionStatus": [] });
    let stopped = report(&house, "Subscription", subscription("2026-03-02T10:00:00Z", all(true), all(false))).await;
    assert_eq!(names(&stopped), ["Unsubscribed"]);
    assert!(house.deps.store.suppression(ADA).await.unwrap().is_some());
    // An older change than the stored one has no effect.
    report(&house, "Subscription", subscription("2026-03-02T09:00:00Z", all(false), all(true))).await;
    assert!(house.deps.store.suppression(ADA).await.unwrap().is_some());
    let back = report(&house, "Subscription", subscription("2026-03-02T11:00:00Z", all(false), all(true))).await;
    assert_eq!((names(&back), house.deps.store.suppression(ADA).await.unwrap()), (vec!["Subscribed"], None));
}

#[tokio::test]
async fn who_subscribes_again_in_ses_after_a_complaint_stays_suppressed() {
    let house = with_topics().await;
    report(&house, "Complaint", complaint(json!({}))).await;
    let again =
        subscription("2026-03-02T11:00:00Z", json!({ "unsubscribeAll": false }), json!({ "unsubscribeAll": true }));
    report(&house, "Subscription", again).await;
    assert!(house.deps.store.suppression(ADA).await.unwrap().is_some());
}

#[tokio::test]
async fn topics_chosen_in_ses_are_those_of_channels_toml_with_the_same_name() {
    let house = with_topics().await;
    let topics = |product: &str| {
        let of = |name: &str, status: &str| json!({ "topicName": name, "subscriptionStatus": status });
        json!({ "unsubscribeAll": false, "topicSubscriptionStatus": [of("ProductNews", product), of("tips", "OptIn"), of("billing", product), of("unknown", product)] })
    };
    let events =
        report(&house, "Subscription", subscription("2026-03-02T10:00:00Z", topics("OptOut"), topics("OptIn"))).await;
    assert_eq!((names(&events), &events[0].properties["topic"]), (vec!["Unsubscribed"], &json!("product-news")));
    let chosen = house.deps.store.preferences(&address_hash(ADA)).await.unwrap();
    let topics = chosen.topics.iter().map(|(id, choice)| (id.as_str(), choice.wants)).collect::<Vec<_>>();
    assert_eq!((topics, chosen.suppression), (vec![("product-news", false)], None));
}
