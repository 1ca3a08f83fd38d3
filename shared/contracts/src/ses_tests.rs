#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

/// A `mail` object with all that SES writes, and `rest` beside it.
fn raw(kind: &str, rest: serde_json::Value) -> String {
    let mut event = serde_json::json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-03-02T08:15:30.250Z",
            "source": "Perennial <hello@perennial.example>",
            "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/perennial.example",
            "sendingAccountId": "123456789012",
            "messageId": "0107018f2c5a1b3e-7d1c-000000",
            "destination": ["Ada@Example.com"],
            "headersTruncated": false,
            "headers": [{ "name": "From", "value": "Perennial <hello@perennial.example>" }, { "name": "Subject", "value": "Welcome" }],
            "commonHeaders": { "from": ["Perennial <hello@perennial.example>"], "to": ["Ada@Example.com"], "messageId": "0107018f2c5a1b3e-7d1c-000000", "subject": "Welcome" },
            "tags": { "ses:operation": ["SendEmail"], "ses:configuration-set": ["perennial"], "decision": ["abc"], "person": ["def"] }
        }
    });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    event.to_string()
}

fn wrapped(message: &str) -> String {
    serde_json::json!({
        "Type": "Notification", "MessageId": "f0d9e2a4-6f0e-5c07-9d0b-b9ea4c7d2f7a", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:ses-events",
        "Subject": "Amazon SES Email Event Notification", "Message": message, "Timestamp": "2026-03-02T08:15:31.000Z",
        "SignatureVersion": "1", "Signature": "c2ln", "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/x.pem",
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe"
    })
    .to_string()
}

fn mail(body: &str) -> MailEvent {
    match parse(body).unwrap() {
        Notice::Mail(event) => *event,
        other => panic!("{other:?} is no mail event"),
    }
}

#[test]
fn every_kind_of_event_is_read_wrapped_or_raw() {
    let cases = [
        ("Send", serde_json::json!({ "send": {} }), MailEventKind::Send, "2026-03-02T08:15:30.25Z"),
        (
            "Delivery",
            serde_json::json!({ "delivery": { "timestamp": "2026-03-02T08:15:31.100Z", "processingTimeMillis": 850, "recipients": ["Ada@Example.com"], "smtpResponse": "250 OK", "remoteMtaIp": "192.0.2.7", "reportingMTA": "b224-13.smtp-out.eu-central-1.amazonses.com" } }),
            MailEventKind::Delivery,
            "2026-03-02T08:15:31.1Z",
        ),
        (
            "Bounce",
            serde_json::json!({ "bounce": { "feedbackId": "f", "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [{ "emailAddress": "Ada@Example.com", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown" }], "timestamp": "2026-03-02T08:15:32Z", "reportingMTA": "dns; x" } }),
            MailEventKind::Bounce(Bounce { hard: true, sub_type: "General".into(), reported: true }),
            "2026-03-02T08:15:32Z",
        ),
        (
            "Bounce",
            serde_json::json!({ "bounce": { "bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": [{ "emailAddress": "Ada@Example.com" }], "timestamp": "2026-03-02T08:15:32Z" } }),
            MailEventKind::Bounce(Bounce { hard: false, sub_type: "MailboxFull".into(), reported: false }),
            "2026-03-02T08:15:32Z",
        ),
        (
            "Complaint",
            serde_json::json!({ "complaint": { "feedbackId": "f", "complaintSubType": null, "complainedRecipients": [{ "emailAddress": "Ada@Example.com" }], "timestamp": "2026-03-02T09:00:00Z", "userAgent": "x", "complaintFeedbackType": "abuse", "arrivalDate": "2026-03-02T08:15:32Z" } }),
            MailEventKind::Complaint { feedback: Some("abuse".into()), held_back: false },
            "2026-03-02T09:00:00Z",
        ),
        (
            "Open",
            serde_json::json!({ "open": { "ipAddress": "192.0.2.1", "timestamp": "2026-03-02T10:00:00Z", "userAgent": "Mozilla/5.0" } }),
            MailEventKind::Open { by: Agent::Machine },
            "2026-03-02T10:00:00Z",
        ),
        (
            "Click",
            serde_json::json!({ "click": { "ipAddress": "192.0.2.1", "link": "https://perennial.example/start", "linkTags": { "k": ["v"] }, "timestamp": "2026-03-02T10:01:00Z", "userAgent": "x" } }),
            MailEventKind::Click { link: "https://perennial.example/start".into(), by: Agent::Reader },
            "2026-03-02T10:01:00Z",
        ),
        (
            "Reject",
            serde_json::json!({ "reject": { "reason": "Bad content" } }),
            MailEventKind::Reject { reason: "Bad content".into() },
            "2026-03-02T08:15:30.25Z",
        ),
        (
            "DeliveryDelay",
            serde_json::json!({ "deliveryDelay": { "timestamp": "2026-03-02T11:00:00Z", "delayType": "TransientCommunicationFailure", "expirationTime": "2026-03-02T23:00:00Z", "delayedRecipients": [{ "emailAddress": "Ada@Example.com", "status": "4.4.1" }] } }),
            MailEventKind::DeliveryDelay { delay: "TransientCommunicationFailure".into() },
            "2026-03-02T11:00:00Z",
        ),
        (
            "Subscription",
            serde_json::json!({ "subscription": { "contactList": "c", "timestamp": "2026-03-02T12:00:00Z", "source": "UnsubscribeHeader", "newTopicPreferences": { "unsubscribeAll": true, "topicSubscriptionStatus": [] }, "oldTopicPreferences": { "unsubscribeAll": false, "topicSubscriptionStatus": [] } } }),
            MailEventKind::Subscription(Subscription { unsubscribed: Some(true), topics: BTreeMap::new() }),
            "2026-03-02T12:00:00Z",
        ),
        (
            "Rendering Failure",
            serde_json::json!({ "failure": { "errorMessage": "x", "templateName": "t" } }),
            MailEventKind::RenderingFailure,
            "2026-03-02T08:15:30.25Z",
        ),
    ];
    for (name, rest, kind, at) in cases {
        let text = raw(name, rest);
        let event = mail(&wrapped(&text));
        assert_eq!(event.kind, kind);
        assert_eq!(event.at.to_string(), at, "{name}");
        assert_eq!(event.recipients, [MailAddress::parse("Ada@Example.com").unwrap()]);
        assert_eq!(event.mail_id, "0107018f2c5a1b3e-7d1c-000000");
        assert_eq!(event.tags.keys().collect::<Vec<_>>(), ["decision", "person"]);
        assert_eq!(mail(&text), event, "a raw delivery says the same");
        assert!(!format!("{event:?}").to_lowercase().contains("ada@"));
    }
}

/// The same as the notifications of an identity have it: without tags, and with the mail's headers where those are switched on.
fn notification(kind: &str, headers: bool, rest: serde_json::Value) -> String {
    let mut event: serde_json::Value = serde_json::from_str(&raw(kind, rest)).unwrap();
    let object = event.as_object_mut().unwrap();
    object.remove("eventType");
    object.insert("notificationType".into(), kind.into());
    let mail = object["mail"].as_object_mut().unwrap();
    mail.remove("tags");
    if headers {
        let own = serde_json::json!({ "name": "x-perennial-decision", "value": "abc" });
        mail["headers"].as_array_mut().unwrap().push(own);
    } else {
        mail.remove("headers");
        mail.remove("commonHeaders");
    }
    event.to_string()
}

#[test]
fn notifications_of_an_identity_are_read_without_tags() {
    let delivery = serde_json::json!({ "delivery": { "recipients": ["Ada@Example.com"] } });
    let event = mail(&wrapped(&notification("Delivery", false, delivery.clone())));
    assert_eq!((event.kind, event.tags.len()), (MailEventKind::Delivery, 0));
    assert_eq!(event.recipients, [MailAddress::parse("ada@example.com").unwrap()]);
    let event = mail(&wrapped(&notification("Delivery", true, delivery)));
    assert_eq!(event.tags, BTreeMap::from([("decision".to_owned(), "abc".to_owned())]), "of the mail's own header");
}

#[test]
fn complaint_of_a_suppressed_address_is_of_no_mail_that_was_sent() {
    let complaint = serde_json::json!({ "complaint": { "complaintSubType": "OnAccountSuppressionList", "complaintFeedbackType": null, "complainedRecipients": [] } });
    let expected = MailEventKind::Complaint { feedback: None, held_back: true };
    for text in [raw("Complaint", complaint.clone()), notification("Complaint", false, complaint)] {
        assert_eq!(mail(&text).kind, expected);
    }
}

#[test]
fn subscription_says_what_changed() {
    let topics = |tips: &str, news: &str| serde_json::json!([{ "topicName": "tips", "subscriptionStatus": tips }, { "topicName": "news", "subscriptionStatus": news }, { "topicName": "odd" }]);
    let preferences = |all: bool, topics: &serde_json::Value| serde_json::json!({ "unsubscribeAll": all, "topicSubscriptionStatus": topics });
    let changed = |new: serde_json::Value, old: serde_json::Value| {
        let subscription =
            serde_json::json!({ "contactList": "c", "newTopicPreferences": new, "oldTopicPreferences": old });
        match mail(&raw("Subscription", serde_json::json!({ "subscription": subscription }))).kind {
            MailEventKind::Subscription(changed) => {
                (changed.unsubscribed, changed.topics.into_iter().collect::<Vec<_>>())
            }
            other => panic!("{other:?}"),
        }
    };
    let (both, tips) = (topics("OptIn", "OPT_IN"), topics("OptIn", "OptOut"));
    assert_eq!(changed(preferences(true, &both), preferences(false, &both)), (Some(true), vec![]));
    assert_eq!(changed(preferences(false, &both), preferences(true, &both)), (Some(false), vec![]));
    assert_eq!(changed(preferences(false, &tips), preferences(false, &both)), (None, vec![("news".into(), false)]));
    let all = vec![("news".into(), false), ("tips".into(), true)];
    assert_eq!(changed(preferences(false, &tips), serde_json::Value::Null), (Some(false), all));
}

#[test]
fn what_ses_and_sns_publish_when_notifications_are_set_up_is_no_error() {
    let greeting = "Successfully validated SNS topic for Amazon SES event publishing.";
    let legacy = r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have successfully subscribed your Amazon SNS topic 't' to receive 'Bounce' notifications from Amazon SES for identity 'acme.com'."}"#;
    let advice = serde_json::json!({
        "version": "0", "id": "1", "detail-type": "Advisor Recommendation Status Open", "source": "aws.ses", "account": "123456789012",
        "time": "2026-03-02T08:15:30Z", "region": "eu-central-1", "resources": [], "detail": { "version": "1.0.0", "data": "{}" }
    });
    for body in [
        wrapped(greeting),
        greeting.to_owned(),
        format!("\"{greeting}\""),
        wrapped(legacy),
        wrapped(&format!("{legacy}\n")),
        legacy.to_owned(),
        advice.to_string(),
    ] {
        assert!(is_notice(&body), "{body}");
        assert_eq!(parse(&body), Ok(Notice::Greeting), "{body}");
    }
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        let body = serde_json::json!({
            "Type": kind, "MessageId": "1", "Token": "secret", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t",
            "Message": "You have chosen to subscribe to the topic", "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Token=secret"
        });
        let topic = "arn:aws:sns:eu-central-1:123456789012:t".to_owned();
        assert_eq!(parse(&body.to_string()), Ok(Notice::Confirmation { topic }));
    }
}

#[test]
fn an_event_is_the_same_raw_wrapped_and_through_eventbridge() {
    let bounce = serde_json::json!({ "bounce": { "bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [{ "emailAddress": "Ada@Example.com" }], "timestamp": "2026-03-02T08:15:32Z" } });
    let text = raw("Bounce", bounce);
    let direct = mail(&text);
    let mut detail: serde_json::Value = serde_json::from_str(&text).unwrap();
    let bridge = |detail: &serde_json::Value| {
        serde_json::json!({
            "version": "0", "id": "1", "detail-type": "Email Bounced", "source": "aws.ses", "account": "123456789012",
            "time": "2026-03-02T08:15:33Z", "region": "eu-central-1", "resources": ["arn:aws:ses:x"], "detail": detail
        })
        .to_string()
    };
    assert_eq!(mail(&bridge(&detail)), direct);
    assert_eq!(mail(&wrapped(&bridge(&detail))), direct);
    detail.as_object_mut().unwrap().remove("eventType");
    assert_eq!(mail(&bridge(&detail)), direct, "its detail-type names the kind too");
    for name in ["RenderingFailure", "rendering failure", "Rendering Failure"] {
        assert_eq!(mail(&raw(name, serde_json::json!({ "failure": {} }))).kind, MailEventKind::RenderingFailure);
    }
}

#[test]
fn what_a_reader_took_out_of_the_spam_folder_is_no_complaint() {
    let kind = |feedback: serde_json::Value| {
        let complaint = serde_json::json!({ "complaint": { "complainedRecipients": [{ "emailAddress": "ada@example.com" }], "complaintFeedbackType": feedback } });
        mail(&wrapped(&raw("Complaint", complaint))).kind
    };
    for feedback in ["not-spam", "Not-Spam", "not_spam"] {
        assert_eq!(kind(feedback.into()), MailEventKind::NotSpam);
    }
    for feedback in ["abuse", "auth-failure", "fraud", "other", "virus", "something-new"] {
        assert_eq!(
            kind(feedback.into()),
            MailEventKind::Complaint { feedback: Some(feedback.into()), held_back: false }
        );
    }
    assert_eq!(kind(serde_json::Value::Null), MailEventKind::Complaint { feedback: None, held_back: false });
    assert_eq!(kind("".into()), MailEventKind::Complaint { feedback: None, held_back: false });
}

#[test]
fn an_automatic_reply_is_told_from_a_bounce() {
    let bounce = |kind: &str, sub_type: &str, recipient: serde_json::Value| {
        let bounce = serde_json::json!({ "bounce": { "bounceType": kind, "bounceSubType": sub_type, "bouncedRecipients": [recipient] } });
        match mail(&raw("Bounce", bounce)).kind {
            MailEventKind::Bounce(bounce) => bounce,
            other => panic!("{other:?}"),
        }
    };
    let bare = || serde_json::json!({ "emailAddress": "ada@example.com" });
    assert!(bounce("Transient", "General", bare()).is_automatic_reply(true));
    let others = [
        bounce("Transient", "General", bare()).is_automatic_reply(false),
        bounce("Transient", "MailboxFull", bare()).is_automatic_reply(true),
        bounce("Permanent", "General", bare()).is_automatic_reply(true),
        bounce("Undetermined", "Undetermined", bare()).is_automatic_reply(true),
        bounce(
            "Transient",
            "General",
            serde_json::json!({ "emailAddress": "ada@example.com", "action": "failed", "status": "4.4.7" }),
        )
        .is_automatic_reply(true),
    ];
    assert_eq!(others, [false; 5]);
    assert!(bounce("Permanent", "OnAccountSuppressionList", bare()).was_held_back());
    assert!(!bounce("Permanent", "Suppressed", bare()).was_held_back());
    for sub_type in ["MessageTooLarge", "ContentRejected", "attachmentrejected"] {
        assert!(bounce("Transient", sub_type, bare()).is_about_the_mail());
    }
    assert!(!bounce("Transient", "MailboxFull", bare()).is_about_the_mail());
}

#[test]
fn fields_that_are_null_or_of_other_forms_do_not_lose_an_event() {
    let bounce = serde_json::json!({ "bounce": { "bounceType": "permanent", "bounceSubType": null, "bouncedRecipients": null, "timestamp": "yesterday" } });
    let event = mail(&wrapped(&raw("Bounce", bounce)));
    assert_eq!(event.kind, MailEventKind::Bounce(Bounce { hard: true, sub_type: String::new(), reported: false }));
    assert_eq!(event.recipients, [MailAddress::parse("ada@example.com").unwrap()], "the mail's own destination");
    assert_eq!(event.at.to_string(), "2026-03-02T08:15:30.25Z");
    let mut event: serde_json::Value =
        serde_json::from_str(&raw("Complaint", serde_json::json!({ "complaint": {} }))).unwrap();
    event["mail"]["destination"] = serde_json::Value::Null;
    event["mail"]["tags"]["decision"] = "abc".into();
    let event = mail(&event.to_string());
    assert_eq!(event.recipients, [MailAddress::parse("ada@example.com").unwrap()], "whom its headers name");
    assert_eq!(event.tags.get("decision").map(String::as_str), Some("abc"));
}

#[test]
fn what_is_no_event_is_refused_without_quoting_it() {
    let bodies = [
        "secret".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        wrapped("secret"),
        wrapped("{}"),
        raw("Bounce", serde_json::json!({})),
        raw("Click", serde_json::json!({ "click": { "link": 7 } })),
        serde_json::json!({ "Type": "Other", "Message": "secret" }).to_string(),
        serde_json::json!({ "detail-type": "Email Bounced", "source": "aws.ses" }).to_string(),
    ];
    for body in bodies {
        let error = parse(&body).unwrap_err().to_string();
        assert!(!error.contains("secret") && !error.to_lowercase().contains("ada@"), "{error}");
    }
    let nested = (0..9).fold("{}".to_owned(), |inner, _| wrapped(&inner));
    assert!(parse(&nested).is_err());
}
