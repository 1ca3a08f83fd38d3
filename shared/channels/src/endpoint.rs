//! Sends messages, tasks and account updates to configured endpoints.

use crate::breaker::{Breaker, Took};
use crate::brief::Brief;
use crate::crm::gather::Gather;
use crate::crm::hubspot::{self, HubSpot};
use crate::crm::salesforce::{self, Salesforce};
use crate::crm::{self, Contact, Record, Task};
use crate::outcome::Outcome;
use crate::pause::{self, Pauses};
use crate::render::{Context, Rendered};
use crate::transport::{Answer, Call, Resolve, SystemResolver, Transport, TransportError};
use crate::{slack, webhook};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use perennial_config::channels::{Endpoint, Kind};
use perennial_domain::{AccountId, CrmUpdate, Decision, Identity, PersonId};
use perennial_engine::account::Account;
use perennial_engine::{Evaluation, Profile, State};
use std::fmt;
use std::sync::Arc;

/// The largest body that is sent, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// A message in the format of its endpoint.
#[derive(Clone, PartialEq)]
pub enum Message {
    /// The body of a signed webhook, JSON.
    Webhook(String),
    /// The body of an incoming webhook of a chat, JSON.
    Chat(String),
    /// A task of a CRM, and the contact that it is about.
    Task(Task),
    /// A CRM's record of an account.
    Account(Record),
    /// A CRM's record of a person.
    Contact(Contact),
}

impl fmt::Debug for Message {
    // A message contains personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook(_) => "Webhook",
            Self::Chat(_) => "Chat",
            Self::Task(_) => "Task",
            Self::Account(_) => "Account",
            Self::Contact(_) => "Contact",
        })
    }
}

/// The parts of a message about a person.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// The profile as it is now.
    pub person: PersonId,
    /// All identities of the profile.
    pub identities: &'a [&'a Identity],
    /// Traits and account.
    pub context: &'a Context,
    /// Stage and scores.
    pub evaluation: &'a Evaluation,
    /// The brief, for a task.
    pub brief: &'a Brief,
}

impl fmt::Debug for About<'_> {
    // Traits are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("decision", &self.decision.id).finish_non_exhaustive()
    }
}

/// The person of an update.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The profile as it is now.
    pub profile: &'a Profile,
    /// The combined state of its identities.
    pub view: &'a State,
    /// The primary account.
    pub account: Option<&'a AccountId>,
    /// The account if the endpoint has its record.
    pub company: Option<&'a AccountId>,
}

impl fmt::Debug for Person<'_> {
    // Traits are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("profile", &self.profile.id).finish_non_exhaustive()
    }
}

impl Message {
    /// Returns the message for `rendered` at an endpoint of this `kind`.
    #[must_use]
    pub fn about_person(kind: &Kind, about: &About<'_>, rendered: &Rendered) -> Self {
        match kind {
            Kind::Standard => Self::Webhook(webhook::payload(about, rendered)),
            Kind::Slack => Self::Chat(slack::payload(about.decision, &about.brief.added_to(rendered))),
            Kind::HubSpot(records) => Self::Task(Task {
                contact: crm::contact(&records.contact, about),
                task: hubspot::task(&records.task, about, rendered),
            }),
            Kind::Salesforce(records) => Self::Task(Task {
                contact: crm::contact(&records.contact, about),
                task: salesforce::task(&records.task, about, rendered),
            }),
        }
    }

    /// Returns the message for an account's update; `None` for an endpoint without records, which the configuration does
    /// not allow.
    #[must_use]
    pub fn about_account(kind: &Kind, update: &CrmUpdate, id: &AccountId, account: Option<&Account>) -> Option<Self> {
        match kind {
            Kind::Standard => Some(Self::Webhook(webhook::account_payload(update, id, account))),
            Kind::Slack => None,
            Kind::HubSpot(records) | Kind::Salesforce(records) => {
                Some(Self::Account(crm::account(records, update, id, account)))
            }
        }
    }

    /// Returns the message for a person's update; `None` for an endpoint without records, and for a person without the value by
    /// which contacts are found.
    #[must_use]
    pub fn about_contact(kind: &Kind, update: &CrmUpdate, person: &Person<'_>) -> Option<Self> {
        match kind {
            Kind::Standard => Some(Self::Webhook(webhook::person_payload(update, person))),
            Kind::Slack => None,
            Kind::HubSpot(records) | Kind::Salesforce(records) => {
                crm::person(records, update, person).map(Self::Contact)
            }
        }
    }

    /// Returns whether the receiver recognizes a repetition, so that a message with an unknown outcome can be sent
    /// again.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        match self {
            Self::Webhook(_) | Self::Task(_) | Self::Account(_) | Self::Contact(_) => true,
            Self::Chat(_) => false,
        }
    }
}

/// Sends messages to endpoints. One for the whole process: it keeps Salesforce's access tokens, and who wants to be left alone.
#[derive(Debug)]
pub struct EndpointSender {
    http: Http,
    tokens: salesforce::Tokens,
    gather: Gather,
    breaker: Breaker,
}

impl Default for EndpointSender {
    fn default() -> Self {
        Self::new()
    }
}

impl EndpointSender {
    /// Returns a sender that resolves names with the system's resolver.
    #[must_use]
    pub fn new() -> Self {
        let resolver = Arc::new(SystemResolver);
        Self {
            http: Http::new(resolver),
            tokens: salesforce::Tokens::default(),
            gather: Gather::default(),
            breaker: Breaker::default(),
        }
    }

    /// Sends `message` to `endpoint` at `now`, once; messages to one CRM within moments are sent together. `secret` is
    /// the endpoint's secret, and `id` identifies the message, so that receivers of webhooks recognize a repetition. A
    /// receiver that failed several times or was slow is not called for a while: the message is to be retried then.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        secret: &str,
        id: &str,
        message: &Message,
        now: Timestamp,
    ) -> Outcome {
        let url = if endpoint.kind == Kind::Slack { secret.trim() } else { &endpoint.url };
        if let Some(after) = self.breaker.left(url, now) {
            return Outcome::Paused { reason: LEFT_ALONE, after };
        }
        let began = tokio::time::Instant::now();
        let outcome = self.offer(endpoint, secret, id, message, now).await;
        let took = match &outcome {
            Outcome::Sent { .. } | Outcome::Rejected { .. } => Some(Took::Answered),
            Outcome::Retry { .. } | Outcome::Unknown { .. } => Some(Took::Failed),
            // It was not called.
            Outcome::Paused { .. } | Outcome::Refused { .. } => None,
        };
        if let Some(took) = took {
            self.breaker.note(url, now, took, began.elapsed());
        }
        outcome
    }

    async fn offer(&self, endpoint: &Endpoint, secret: &str, id: &str, message: &Message, now: Timestamp) -> Outcome {
        match (&endpoint.kind, message) {
            (Kind::Standard, Message::Webhook(body)) => self.webhook(endpoint, secret, id, body, now).await,
            (Kind::Slack, Message::Chat(body)) => self.chat(endpoint, secret, body, now).await,
            (Kind::HubSpot(records), message) => {
                let http = HttpTo { http: &self.http, endpoint, now };
                let crm = HubSpot::new(http, records, secret);
                let write = |messages: Vec<Message>| async move { crm::deliver(&crm, &messages).await };
                self.gather.send(endpoint, secret, message.clone(), write).await
            }
            (Kind::Salesforce(records), message) => {
                let http = HttpTo { http: &self.http, endpoint, now };
                let client = match salesforce::Client::parse(secret) {
                    Ok(client) => client,
                    Err(reason) => return Outcome::refused(reason),
                };
                let crm = Salesforce::new(http, records, client, &self.tokens);
                let write = |messages: Vec<Message>| async move { crm::deliver(&crm, &messages).await };
                self.gather.send(endpoint, secret, message.clone(), write).await
            }
            (Kind::Standard | Kind::Slack, _) => Outcome::rejected("the message is of another kind than its endpoint"),
        }
    }

    /// Posts a webhook. Any 2xx response is a success; 410 means that the receiver wants no more; anything else may
    /// work later. A lost response may hide a success, which does not matter: the receiver recognizes the repetition by
    /// its id.
    async fn webhook(&self, endpoint: &Endpoint, secret: &str, id: &str, body: &str, now: Timestamp) -> Outcome {
        if body.len() > MAX_BODY {
            return Outcome::rejected("the payload is larger than 256 KiB");
        }
        let headers = match webhook::headers(secret, id, body, now) {
            Ok(headers) => headers,
            Err(reason) => return Outcome::refused(reason),
        };
        let http = HttpTo { http: &self.http, endpoint, now };
        match http.send(Method::POST, &endpoint.url, headers, body.to_owned(), 0).await {
            Ok(answer) => webhook::outcome(&answer, now),
            Err(Unanswered::Refused(reason)) => Outcome::rejected(reason),
            Err(Unanswered::Paused(after)) => Outcome::Paused { reason: PAUSED, after },
            Err(Unanswered::NotSent(reason) | Unanswered::Lost(reason)) => Outcome::retry(reason),
        }
    }

    async fn chat(&self, endpoint: &Endpoint, secret: &str, body: &str, now: Timestamp) -> Outcome {
        let http = HttpTo { http: &self.http, endpoint, now };
        match http.send(Method::POST, secret.trim(), json_headers(), body.to_owned(), slack::MAX_ANSWER).await {
            Ok(answer) => slack::outcome(&answer, now),
            Err(Unanswered::Refused(reason)) => Outcome::refused(reason),
            Err(Unanswered::Paused(after)) => Outcome::Paused { reason: PAUSED, after },
            Err(Unanswered::NotSent(reason)) => Outcome::retry(reason),
            Err(Unanswered::Lost(reason)) => Outcome::unknown(reason),
        }
    }
}

/// Why a message was not offered whose receiver wants to be left alone.
pub(crate) const PAUSED: &str = "the receiver asked to be left alone for a while";
/// The same where it is down, or slow.
const LEFT_ALONE: &str = "the receiver does not answer, or takes long, and is left alone for a while";

/// Connections and the pauses of receivers.
#[derive(Debug)]
pub(crate) struct Http {
    transport: Transport,
    pauses: Pauses,
}

impl Http {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { transport: Transport::new(resolver), pauses: Pauses::default() }
    }
}

/// The connection to one endpoint.
#[derive(Clone, Copy)]
pub(crate) struct HttpTo<'a> {
    pub(crate) http: &'a Http,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) now: Timestamp,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The address is not allowed.
    Refused(&'static str),
    /// The receiver wants to be left alone for so long.
    Paused(std::time::Duration),
    /// It was not sent.
    NotSent(&'static str),
    /// It may have been sent.
    Lost(&'static str),
}

impl HttpTo<'_> {
    /// Sends one request, unless the receiver wants to be left alone.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
        read: usize,
    ) -> Result<Answer, Unanswered> {
        if let Some(after) = self.http.pauses.left(url, self.now) {
            return Err(Unanswered::Paused(after));
        }
        let allow_private = self.endpoint.allow_private;
        let call = Call { method, url, allow_private, headers, body: body.into(), read };
        let answer = self.http.transport.send(call).await.map_err(|error| match error {
            TransportError::NotAllowed(reason) => Unanswered::Refused(reason),
            TransportError::Unresolved | TransportError::Certificate(_) | TransportError::NotSent(_) => {
                Unanswered::NotSent(error.reason())
            }
            TransportError::Lost(reason) => Unanswered::Lost(reason),
        })?;
        if matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            && let Some(after) = pause::retry_after(&answer.headers, self.now)
        {
            self.http.pauses.begin(url, self.now, after);
        }
        Ok(answer)
    }
}

/// The headers of a JSON body.
pub(crate) fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Perennial"));
    headers
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
