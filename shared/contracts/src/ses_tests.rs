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
        Notice::Greeting => panic!("no greeting"),
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
            MailEventKind::Bounce { hard: true, sub_type: "General".into() },
            "2026-03-02T08:15:32Z",
        ),
        (
            "Bounce",
            serde_json::json!({ "bounce": { "bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": [{ "emailAddress": "Ada@Example.com" }], "timestamp": "2026-03-02T08:15:32Z" } }),
            MailEventKind::Bounce { hard: false, sub_type: "MailboxFull".into() },
            "2026-03-02T08:15:32Z",
        ),
        (
            "Complaint",
            serde_json::json!({ "complaint": { "feedbackId": "f", "complaintSubType": null, "complainedRecipients": [{ "emailAddress": "Ada@Example.com" }], "timestamp": "2026-03-02T09:00:00Z", "userAgent": "x", "complaintFeedbackType": "abuse", "arrivalDate": "2026-03-02T08:15:32Z" } }),
            MailEventKind::Complaint { feedback: Some("abuse".into()) },
            "2026-03-02T09:00:00Z",
        ),
        (
            "Open",
            serde_json::json!({ "open": { "ipAddress": "192.0.2.1", "timestamp": "2026-03-02T10:00:00Z", "userAgent": "Mozilla/5.0" } }),
            MailEventKind::Open,
            "2026-03-02T10:00:00Z",
        ),
        (
            "Click",
            serde_json::json!({ "click": { "ipAddress": "192.0.2.1", "link": "https://perennial.example/start", "linkTags": { "k": ["v"] }, "timestamp": "2026-03-02T10:01:00Z", "userAgent": "x" } }),
            MailEventKind::Click { link: "https://perennial.example/start".into() },
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
            MailEventKind::Subscription { unsubscribed: true },
            "2026-03-02T12:00:00Z",
        ),
        (
            "Rendering Failure",
            serde_json::json!({ "failure": { "errorMessage": "x" } }),
            MailEventKind::Other("Rendering Failure".into()),
            "2026-03-02T08:15:30.25Z",
        ),
    ];
    for (name, rest, kind, at) in cases {
        let text = raw(name, rest);
        let event = mail(&wrapped(&text));
        assert_eq!(event.kind, kind);
        assert_eq!(event.at.to_string(), at, "{name}");
        assert_eq!(event.recipients, ["Ada@Example.com"]);
        assert_eq!(event.mail_id, "0107018f2c5a1b3e-7d1c-000000");
        assert_eq!(event.tags.keys().collect::<Vec<_>>(), ["decision", "person"]);
        assert_eq!(mail(&text), event, "a raw delivery says the same");
        assert!(!format!("{event:?}").to_lowercase().contains("ada@"));
    }
}

#[test]
fn the_older_notifications_are_read_too() {
    let text = raw("Delivery", serde_json::json!({ "delivery": { "recipients": ["Ada@Example.com"] } }))
        .replace("eventType", "notificationType");
    assert_eq!(mail(&wrapped(&text)).kind, MailEventKind::Delivery);
}

#[test]
fn the_greeting_of_a_new_destination_is_no_error() {
    let greeting = "Successfully validated SNS topic for Amazon SES event publishing.";
    assert_eq!(parse(&wrapped(greeting)), Ok(Notice::Greeting));
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
        serde_json::json!({ "Type": "SubscriptionConfirmation", "Message": "secret" }).to_string(),
    ];
    for body in bodies {
        let error = parse(&body).unwrap_err().to_string();
        assert!(!error.contains("secret") && !error.to_lowercase().contains("ada@"), "{error}");
    }
}
