//! One SES event about a mail.

use super::agent::Agent;
use super::{Bounce, InvalidMailEvent, MailEvent, MailEventKind, Notice, SUPPRESSED, Subscription, recipient};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The header that carries the id of a mail's decision, and the tag with the same content.
const DECISION_HEADER: &str = "X-Perennial-Decision";
const DECISION_TAG: &str = "decision";

/// Reads an event. `fallback` is the envelope's publication time, for events without a time.
pub(super) fn read(object: Map<String, Value>, fallback: Option<&str>) -> Result<Notice, InvalidMailEvent> {
    let raw: RawEvent = serde_json::from_value(object.into()).map_err(|error| {
        // serde's own words may quote a value.
        InvalidMailEvent::Format { part: "SES event", problem: format!("{:?}", error.classify()) }
    })?;
    let name = raw.event_type.or(raw.notification_type).ok_or(InvalidMailEvent::Missing("eventType"))?;
    let mail = raw.mail.ok_or(InvalidMailEvent::Missing("mail"))?;
    let missing = |field| move || InvalidMailEvent::Missing(field);
    let sent = mail.timestamp.or_else(|| fallback?.parse().ok());
    let by = |request: &RawRequest, at: Option<Timestamp>| {
        let at = at.or(sent).unwrap_or(Timestamp::UNIX_EPOCH);
        // Without its own send time a mail does not show how soon it was opened.
        let sent = mail.timestamp.filter(|_| request.timestamp.is_some());
        Agent::of(request.user_agent.as_deref(), request.ip_address.as_deref(), sent, at)
    };
    let mut named = Vec::new();
    let (kind, at) = match kind_of(&name) {
        Kind::Send => (MailEventKind::Send, None),
        Kind::Delivery => {
            let delivery = raw.delivery.ok_or_else(missing("delivery"))?;
            named = delivery.recipients.into_iter().filter_map(text).collect();
            (MailEventKind::Delivery, delivery.timestamp)
        }
        Kind::Bounce => {
            let bounce = raw.bounce.ok_or_else(missing("bounce"))?;
            let reported = bounce.bounced_recipients.iter().any(RawRecipient::reports_failure);
            named = addresses(bounce.bounced_recipients);
            let hard = bounce.bounce_type.is_some_and(|kind| kind.eq_ignore_ascii_case("Permanent"));
            let sub_type = bounce.bounce_sub_type.unwrap_or_default();
            (MailEventKind::Bounce(Bounce { hard, sub_type, reported }), bounce.timestamp)
        }
        Kind::Complaint => {
            let complaint = raw.complaint.ok_or_else(missing("complaint"))?;
            named = addresses(complaint.complained_recipients);
            let feedback = complaint.complaint_feedback_type.filter(|feedback| !feedback.trim().is_empty());
            let kind = match feedback {
                Some(feedback) if folded(&feedback) == "notspam" => MailEventKind::NotSpam,
                feedback => {
                    let sub_type = complaint.complaint_sub_type.unwrap_or_default();
                    MailEventKind::Complaint { feedback, held_back: sub_type.eq_ignore_ascii_case(SUPPRESSED) }
                }
            };
            (kind, complaint.timestamp)
        }
        Kind::Open => {
            let open = raw.open.ok_or_else(missing("open"))?;
            (MailEventKind::Open { by: by(&open, open.timestamp) }, open.timestamp)
        }
        Kind::Click => {
            let click = raw.click.ok_or_else(missing("click"))?;
            let link = click.link.ok_or_else(missing("click.link"))?;
            (MailEventKind::Click { link, by: by(&click.request, click.request.timestamp) }, click.request.timestamp)
        }
        Kind::Reject => {
            let reason = raw.reject.ok_or_else(missing("reject"))?.reason.unwrap_or_default();
            (MailEventKind::Reject { reason }, None)
        }
        Kind::RenderingFailure => (MailEventKind::RenderingFailure, None),
        Kind::DeliveryDelay => {
            let delay = raw.delivery_delay.ok_or_else(missing("deliveryDelay"))?;
            named = addresses(delay.delayed_recipients);
            (MailEventKind::DeliveryDelay { delay: delay.delay_type.unwrap_or_default() }, delay.timestamp)
        }
        Kind::Subscription => {
            let subscription = raw.subscription.ok_or_else(missing("subscription"))?;
            let at = subscription.timestamp;
            (MailEventKind::Subscription(changed(subscription)), at)
        }
        Kind::Other => (MailEventKind::Other(name), None),
    };
    let tags = mail.tags.unwrap_or_default().into_iter().filter(|(name, _)| !name.starts_with("ses:"));
    let mut tags: BTreeMap<String, String> = tags.filter_map(|(name, values)| Some((name, first(values)?))).collect();
    // Notifications of an identity have no tags; where they are set up to include the mail's headers, its own id is among those.
    if let Some(decision) = mail.headers.iter().find_map(own_decision) {
        tags.entry(DECISION_TAG.to_owned()).or_insert(decision);
    }
    let mut destination: Vec<String> = mail.destination.into_iter().filter_map(text).collect();
    if destination.is_empty() {
        destination = mail.common_headers.map(|headers| headers.to).unwrap_or_default();
    }
    Ok(Notice::Mail(Box::new(MailEvent {
        mail_id: mail.message_id,
        at: at.or(sent).ok_or(InvalidMailEvent::Missing("mail.timestamp"))?,
        kind,
        tags,
        recipients: recipient::of(&named, &destination),
    })))
}

/// Returns what changed in the preferences. If SES does not report the old ones, all new ones count as changed.
fn changed(subscription: RawSubscription) -> Subscription {
    let new = subscription.new_topic_preferences.unwrap_or_default();
    let old = subscription.old_topic_preferences.unwrap_or_default();
    let before = old.topics();
    let topics = new.topics().into_iter().filter(|(name, wants)| before.get(name) != Some(wants)).collect();
    Subscription { unsubscribed: new.unsubscribe_all.filter(|all| old.unsubscribe_all != Some(*all)), topics }
}

/// The subject of an event, by its name.
enum Kind {
    Send,
    Delivery,
    Bounce,
    Complaint,
    Open,
    Click,
    Reject,
    RenderingFailure,
    DeliveryDelay,
    Subscription,
    Other,
}

/// Returns the kind for a name in `eventType`, `notificationType` or EventBridge's `detail-type`.
fn kind_of(name: &str) -> Kind {
    match folded(name).as_str() {
        "send" | "emailsent" => Kind::Send,
        "delivery" | "emaildelivered" => Kind::Delivery,
        "bounce" | "emailbounced" => Kind::Bounce,
        "complaint" | "emailcomplaintreceived" => Kind::Complaint,
        "open" | "emailopened" => Kind::Open,
        "click" | "emailclicked" => Kind::Click,
        "reject" | "emailrejected" => Kind::Reject,
        "renderingfailure" | "emailrenderingfailed" => Kind::RenderingFailure,
        "deliverydelay" | "emaildeliverydelayed" => Kind::DeliveryDelay,
        "subscription" | "emailsubscribed" => Kind::Subscription,
        _ => Kind::Other,
    }
}

/// Normalizes a name, so that spellings such as `Rendering Failure` and `renderingFailure`, `not-spam` and `not_spam`
/// are equal.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn addresses(recipients: Vec<RawRecipient>) -> Vec<String> {
    recipients.into_iter().filter_map(|recipient| recipient.email_address).collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Returns the decision id if this is the header that carries it.
fn own_decision(header: &Value) -> Option<String> {
    let is_own = header.get("name")?.as_str()?.eq_ignore_ascii_case(DECISION_HEADER);
    header.get("value")?.as_str().filter(|_| is_own).map(|id| id.trim().to_owned())
}

/// A tag's first value; some publishers write the value itself.
fn first(values: Value) -> Option<String> {
    match values {
        Value::Array(values) => values.into_iter().next().and_then(text),
        value => text(value),
    }
}

/// A moment, `None` where it cannot be read.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(text).and_then(|text| text.trim().parse().ok()))
}

/// A list, empty where it is `null`.
fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    event_type: Option<String>,
    notification_type: Option<String>,
    mail: Option<RawMail>,
    delivery: Option<RawDelivery>,
    bounce: Option<RawBounce>,
    complaint: Option<RawComplaint>,
    open: Option<RawRequest>,
    click: Option<RawClick>,
    reject: Option<RawReject>,
    delivery_delay: Option<RawDelay>,
    subscription: Option<RawSubscription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMail {
    message_id: String,
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "list")]
    destination: Vec<Value>,
    tags: Option<BTreeMap<String, Value>>,
    common_headers: Option<RawHeaders>,
    #[serde(default, deserialize_with = "list")]
    headers: Vec<Value>,
}

#[derive(Deserialize)]
struct RawHeaders {
    #[serde(default, deserialize_with = "list")]
    to: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecipient {
    email_address: Option<String>,
    action: Option<String>,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

impl RawRecipient {
    /// Returns whether a server reported that the mail could not be delivered. A reply to a mail has none of these
    /// fields.
    fn reports_failure(&self) -> bool {
        let holds = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        self.action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("failed"))
            || (holds(&self.status) && holds(&self.diagnostic_code))
    }
}

#[derive(Deserialize)]
struct RawDelivery {
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "list")]
    recipients: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBounce {
    bounce_type: Option<String>,
    bounce_sub_type: Option<String>,
    #[serde(default, deserialize_with = "list")]
    bounced_recipients: Vec<RawRecipient>,
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawComplaint {
    #[serde(default, deserialize_with = "list")]
    complained_recipients: Vec<RawRecipient>,
    complaint_feedback_type: Option<String>,
    complaint_sub_type: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
}

/// SES's data about the request that loaded a picture or followed a link.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRequest {
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

#[derive(Deserialize)]
struct RawClick {
    link: Option<String>,
    #[serde(flatten)]
    request: RawRequest,
}

#[derive(Deserialize)]
struct RawReject {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDelay {
    delay_type: Option<String>,
    #[serde(default, deserialize_with = "list")]
    delayed_recipients: Vec<RawRecipient>,
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSubscription {
    #[serde(default, deserialize_with = "moment")]
    timestamp: Option<Timestamp>,
    new_topic_preferences: Option<RawPreferences>,
    old_topic_preferences: Option<RawPreferences>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPreferences {
    unsubscribe_all: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    topic_subscription_status: Vec<RawTopic>,
}

impl RawPreferences {
    /// Returns the topics and whether the reader is subscribed to each; unreadable ones are left out.
    fn topics(&self) -> BTreeMap<String, bool> {
        let topics = self.topic_subscription_status.iter();
        topics.filter_map(|topic| Some((topic.topic_name.clone()?, topic.is_wanted()?))).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTopic {
    topic_name: Option<String>,
    subscription_status: Option<String>,
}

impl RawTopic {
    /// Events write `OptIn`, SES's API `OPT_IN`.
    fn is_wanted(&self) -> Option<bool> {
        match folded(self.subscription_status.as_deref()?).as_str() {
            "optin" => Some(true),
            "optout" => Some(false),
            _ => None,
        }
    }
}
