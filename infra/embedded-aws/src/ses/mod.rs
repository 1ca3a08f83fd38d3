//! A small SES v2: accepts and stores mails, responds like the real service, and publishes its events to a queue.
//!
//! Nothing leaves the machine. `SendEmail` accepts simple and raw content; the account's suppression list and
//! configuration sets are supported. Differences from AWS: senders need no verification, and every mail publishes
//! events, as if its sender had a default configuration set with an event destination.

mod address;
mod events;
mod mail;
mod mailbox;
pub(crate) mod operation;
mod quota;
mod send;

use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use perennial_lambda_kit::Clock;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use self::mail::{CapturedMail, MailContent, MailView};
pub use self::mailbox::{MAILS_FILE, MailQuery, MailboxError, Mails};
pub use self::quota::SesLimits;

use self::quota::Quota;
use super::http::{Answer, Answering, Call, Outcome, Service};
use super::random::Ids;
use super::sqs::Sqs;

const JSON: &str = "application/json";

/// Settings of the embedded SES.
#[derive(Clone, Default)]
pub struct SesOptions {
    /// The queue that Send, Delivery, Bounce and Complaint events go to; none are published when `None`. It has to be there when a mail is
    /// sent, else the mail's events wait for the next start.
    pub events_queue: Option<String>,
    /// Configuration sets that are there from the start.
    pub configuration_sets: Vec<String>,
    /// Addresses that bounce, besides `bounce@simulator.amazonses.com`. As with AWS they get onto the suppression list.
    pub bounces: Vec<String>,
    /// Addresses that complain, besides `complaint@simulator.amazonses.com`. As with AWS they get onto the suppression list.
    pub complaints: Vec<String>,
    /// The account's sending limits; none by default.
    pub limits: SesLimits,
}

impl std::fmt::Debug for SesOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SesOptions")
            .field("events_queue", &self.events_queue)
            .field("configuration_sets", &self.configuration_sets)
            .field("bounces", &self.bounces.len())
            .field("complaints", &self.complaints.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A rejected call. Source of names and statuses: SES API v2 reference.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct SesError {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl SesError {
    fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name: "BadRequestException", message: message.into() }
    }

    fn rejected(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name: "MessageRejected", message: message.into() }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, name: "NotFoundException", message: message.into() }
    }

    fn answer(&self) -> Answer {
        let body = json!({ "message": self.message });
        Answer::json(self.status, JSON, body.to_string()).with_header("x-amzn-errortype", self.name)
    }
}

impl From<MailboxError> for SesError {
    fn from(error: MailboxError) -> Self {
        tracing::error!(%error, "the embedded SES could not keep or read its mails");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            name: "InternalServiceErrorException",
            message: "Internal failure.".to_owned(),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SesError> {
    serde_json::from_slice(body).map_err(|error| {
        let what = format!("The request could not be read: line {}, column {}.", error.line(), error.column());
        SesError { status: StatusCode::BAD_REQUEST, name: "SerializationException", message: what }
    })
}

/// Returns the last part of a path, decoded.
fn last_part(path: &str) -> String {
    let part = path.rsplit('/').next().unwrap_or_default();
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// Returns the values of the query parameter `name`, decoded.
fn query_values(query: Option<&str>, name: &str) -> Vec<String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
        .collect()
}

/// The service.
#[derive(Debug)]
pub(crate) struct Ses {
    mails: Mails,
    quota: Quota,
    options: SesOptions,
    /// Stamps mails and events.
    clock: Clock,
    sqs: Arc<Sqs>,
    ids: Arc<Ids>,
}

impl Ses {
    /// Opens the mails of `data_dir`, or none in memory, and publishes what an earlier run could not.
    pub(crate) fn open(
        data_dir: Option<&Path>,
        options: SesOptions,
        clock: Clock,
        sqs: Arc<Sqs>,
        ids: Arc<Ids>,
    ) -> Result<Self, MailboxError> {
        let mails = Mails::open(data_dir)?;
        for set in &options.configuration_sets {
            mails.add_configuration_set(set)?;
        }
        let quota = Quota::new(options.limits);
        let ses = Self { mails, quota, options, clock, sqs, ids };
        for (message_id, events) in ses.mails.unpublished()? {
            ses.publish(&message_id, events);
        }
        Ok(ses)
    }

    /// The captured mails.
    pub(crate) fn mails(&self) -> Mails {
        self.mails.clone()
    }

    /// Sends a mail's events to the queue. They are stored until that succeeds, so they arrive at least once.
    fn publish(&self, message_id: &str, events: Vec<String>) {
        let Some(queue) = &self.options.events_queue else { return };
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.sqs.deliver(queue, events) {
            tracing::warn!(%error, "the events of a mail wait for the next start");
        } else if let Err(error) = self.mails.published(message_id) {
            tracing::warn!(%error, "the events of a mail may be published again");
        }
    }

    fn dispatch(&self, call: &Call) -> Result<Value, SesError> {
        match operation::of(&call.method, &call.path) {
            "SendEmail" => send::send(self, &call.body),
            "GetAccount" => Ok(json!({
                "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": true,
                "SendingEnabled": true,
                "SendQuota": self.quota.shown(self.clock.now()),
            })),
            "GetEmailIdentity" => Ok(verified()),
            "PutSuppressedDestination" => self.put_suppressed(&call.body),
            "ListSuppressedDestinations" => self.list_suppressed(call.query.as_deref()),
            "GetSuppressedDestination" => self.get_suppressed(&last_part(&call.path)),
            "DeleteSuppressedDestination" => {
                let removed = self.mails.unsuppress(&last_part(&call.path))?;
                if removed { Ok(json!({})) } else { Err(not_suppressed()) }
            }
            "CreateConfigurationSet" => self.create_configuration_set(&call.body),
            "ListConfigurationSets" => Ok(json!({ "ConfigurationSets": self.mails.configuration_sets()? })),
            "GetConfigurationSet" => {
                let name = last_part(&call.path);
                let known = self.mails.configuration_sets()?.contains(&name);
                if known { Ok(json!({ "ConfigurationSetName": name })) } else { Err(no_configuration_set()) }
            }
            "GetConfigurationSetEventDestinations" => Ok(json!({ "EventDestinations": self.destinations() })),
            "DeleteConfigurationSet" => {
                let removed = self.mails.remove_configuration_set(&last_part(&call.path))?;
                if removed { Ok(json!({})) } else { Err(no_configuration_set()) }
            }
            _ => Err(SesError::bad_request(format!(
                "The embedded SES does not support {} {}.",
                call.method,
                route_of(&call.path)
            ))),
        }
    }

    /// Every configuration set publishes to the one queue, if there is one.
    fn destinations(&self) -> Vec<Value> {
        let types = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT"];
        let destination = |queue: &String| json!({ "Name": queue, "Enabled": true, "MatchingEventTypes": types });
        self.options.events_queue.iter().map(destination).collect()
    }

    fn put_suppressed(&self, body: &[u8]) -> Result<Value, SesError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request {
            email_address: String,
            reason: String,
        }
        let request: Request = read(body)?;
        let address =
            address::parse(&request.email_address).ok_or_else(|| SesError::bad_request("The address is not valid."))?;
        if !matches!(request.reason.as_str(), "BOUNCE" | "COMPLAINT") {
            return Err(SesError::bad_request("Reason is BOUNCE or COMPLAINT."));
        }
        self.mails.suppress(&address, &request.reason, self.clock.now())?;
        Ok(json!({}))
    }

    fn get_suppressed(&self, address: &str) -> Result<Value, SesError> {
        let entry = self.mails.suppressed(address)?.ok_or_else(not_suppressed)?;
        Ok(json!({ "SuppressedDestination": suppressed_json(&entry) }))
    }

    fn list_suppressed(&self, query: Option<&str>) -> Result<Value, SesError> {
        let reasons = query_values(query, "Reason");
        let size = query_values(query, "PageSize")
            .first()
            .and_then(|size| size.parse().ok())
            .unwrap_or(1000_usize)
            .clamp(1, 1000);
        let after = query_values(query, "NextToken").into_iter().next().unwrap_or_default();
        let mut entries = self.mails.list_suppressed(&reasons, &after, size + 1)?;
        let more = entries.len() > size;
        entries.truncate(size);
        let summaries: Vec<Value> = entries.iter().map(suppressed_json).collect();
        let next = entries.last().filter(|_| more).map(|entry| entry.address.clone());
        Ok(match next {
            Some(next) => json!({ "SuppressedDestinationSummaries": summaries, "NextToken": next }),
            None => json!({ "SuppressedDestinationSummaries": summaries }),
        })
    }

    fn create_configuration_set(&self, body: &[u8]) -> Result<Value, SesError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request {
            configuration_set_name: String,
        }
        let name = read::<Request>(body)?.configuration_set_name;
        let legal = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !legal {
            return Err(SesError::bad_request(
                "A configuration set's name has 1 to 64 letters, digits, hyphens and underscores.",
            ));
        }
        if self.mails.add_configuration_set(&name)? {
            return Ok(json!({}));
        }
        Err(SesError {
            status: StatusCode::BAD_REQUEST,
            name: "AlreadyExistsException",
            message: format!("Configuration set {name} exists."),
        })
    }
}

/// Any identity: here every sender counts as verified.
fn verified() -> Value {
    json!({
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": true,
        "VerificationStatus": "SUCCESS",
        "FeedbackForwardingStatus": true,
        "DkimAttributes": { "SigningEnabled": true, "Status": "SUCCESS", "SigningAttributesOrigin": "AWS_SES" },
        "MailFromAttributes": { "MailFromDomain": "", "MailFromDomainStatus": "SUCCESS", "BehaviorOnMxFailure": "USE_DEFAULT_VALUE" },
    })
}

/// Returns a path without parts that may identify a person.
fn route_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(route, _)| route)
}

fn not_suppressed() -> SesError {
    SesError::not_found("The address is not on the suppression list.")
}

fn no_configuration_set() -> SesError {
    SesError::not_found("The configuration set does not exist.")
}

fn suppressed_json(entry: &mailbox::Suppressed) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit a double exactly")]
    let seconds = entry.at_ms as f64 / 1000.0;
    json!({ "EmailAddress": entry.address, "Reason": entry.reason, "LastUpdateTime": seconds })
}

impl Service for Ses {
    fn call(self: Arc<Self>, call: Call) -> Answering {
        Box::pin(async move {
            let answer = match self.dispatch(&call) {
                Ok(body) => Answer::json(StatusCode::OK, JSON, body.to_string()),
                Err(error) => error.answer(),
            };
            Outcome::Answer(answer.with_header("x-amzn-requestid", &self.ids.uuid()))
        })
    }
}
