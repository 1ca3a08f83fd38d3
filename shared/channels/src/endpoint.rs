//! Sends messages, tasks and account updates to configured endpoints.

use crate::breaker::{Breaker, Took};
use crate::connection::{Http, HttpTo, PAUSED, Unanswered, json_headers};
use crate::crm;
use crate::crm::gather::Gather;
use crate::crm::hubspot::{self, HubSpot};
use crate::crm::record::Task;
use crate::crm::salesforce::{self, Salesforce};
use crate::outcome::Outcome;
use crate::render::Rendered;
use crate::transport::SystemResolver;
use crate::{slack, webhook};
use http::Method;
use jiff::Timestamp;
use perennial_config::channels::{Endpoint, Kind};
use perennial_domain::{AccountId, CrmUpdate};
use perennial_engine::account::Account;
use std::sync::Arc;

pub use crate::about::{About, Person};
pub use crate::message::Message;

/// The largest body that is sent, in bytes.
const MAX_BODY: usize = 256 * 1024;

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

/// The same where it is down, or slow.
const LEFT_ALONE: &str = "the receiver does not answer, or takes long, and is left alone for a while";

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
