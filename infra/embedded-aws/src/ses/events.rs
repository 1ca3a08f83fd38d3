//! The events that SES publishes about a mail, wrapped as SNS delivers them to a queue without raw delivery.
//!
//! Sources: SES developer guide, "Examples of event data that Amazon SES publishes to Amazon SNS" (`eventType`); SNS developer guide,
//! "Amazon SNS message and JSON formats". Signatures are placeholders: what comes over SQS is trusted by the queue's policy.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::mail::CapturedMail;

/// The topic in the envelopes.
const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:ses-events";

/// The sending server's host in the events.
const REPORTING_MTA: &str = "a8-70.smtp-out.amazonses.com";

/// The delivery outcome for some of a mail's recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Taken over by the receiving server.
    Delivered,
    /// Rejected permanently.
    Bounced,
    /// Not sent, because the address is on the suppression list.
    Suppressed,
    /// Delivered, and marked as spam by its reader.
    Complained,
}

fn recipients(fated: &[(String, Fate)], fates: &[Fate]) -> Vec<String> {
    fated.iter().filter(|(_, fate)| fates.contains(fate)).map(|(address, _)| address.clone()).collect()
}

/// Returns all events of a mail in order, each as the body of one SQS message. `id` generates ids.
pub(super) fn of_mail(mail: &CapturedMail, fated: &[(String, Fate)], id: impl Fn() -> String) -> Vec<String> {
    let at = mail.at.to_string();
    let mut events = vec![("Send", "send", json!({}))];
    let delivered = recipients(fated, &[Fate::Delivered, Fate::Complained]);
    if !delivered.is_empty() {
        let delivery = json!({
            "timestamp": at,
            "processingTimeMillis": 480,
            "recipients": delivered,
            "smtpResponse": "250 2.6.0 Message received",
            "reportingMTA": REPORTING_MTA,
        });
        events.push(("Delivery", "delivery", delivery));
    }
    let kinds = [
        (Fate::Bounced, "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
        (
            Fate::Suppressed,
            "OnAccountSuppressionList",
            "5.1.1",
            "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
        ),
    ];
    for (fate, sub_type, status, diagnostic) in kinds {
        let bounced = recipients(fated, &[fate]);
        if bounced.is_empty() {
            continue;
        }
        let bounced: Vec<Value> = bounced
            .iter()
            .map(|address| json!({ "emailAddress": address, "action": "failed", "status": status, "diagnosticCode": diagnostic }))
            .collect();
        let bounce = json!({
            "bounceType": "Permanent",
            "bounceSubType": sub_type,
            "bouncedRecipients": bounced,
            "timestamp": at,
            "feedbackId": id(),
            "reportingMTA": format!("dns; {REPORTING_MTA}"),
        });
        events.push(("Bounce", "bounce", bounce));
    }
    let complained = recipients(fated, &[Fate::Complained]);
    if !complained.is_empty() {
        let complained: Vec<Value> = complained.iter().map(|address| json!({ "emailAddress": address })).collect();
        let complaint = json!({
            "complainedRecipients": complained,
            "timestamp": at,
            "arrivalDate": at,
            "feedbackId": id(),
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": "abuse",
        });
        events.push(("Complaint", "complaint", complaint));
    }
    let about = mail_object(mail);
    events
        .into_iter()
        .map(|(kind, key, detail)| envelope(&json!({ "eventType": kind, "mail": about, key: detail }), mail.at, id()))
        .collect()
}

/// The `mail` object of an event.
fn mail_object(mail: &CapturedMail) -> Value {
    let view = mail.view();
    let mut tags: Map<String, Value> = mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    tags.insert("ses:operation".to_owned(), json!(["SendEmail"]));
    if let Some(set) = &mail.configuration_set {
        tags.insert("ses:configuration-set".to_owned(), json!([set]));
    }
    let headers: Vec<Value> =
        view.headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "timestamp": mail.at.to_string(),
        "source": mail.from,
        "sendingAccountId": "000000000000",
        "messageId": mail.message_id,
        "destination": mail.recipients,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders": { "from": [mail.from], "to": mail.to, "messageId": mail.message_id, "subject": view.subject },
        "tags": tags,
    })
}

/// The SNS envelope around an event.
fn envelope(event: &Value, at: Timestamp, id: String) -> String {
    json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": TOPIC_ARN,
        "Subject": "Amazon SES Email Event Notification",
        "Message": event.to_string(),
        "Timestamp": at.to_string(),
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": "",
        "UnsubscribeURL": "",
    })
    .to_string()
}
