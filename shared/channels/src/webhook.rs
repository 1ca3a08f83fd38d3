//! Signed webhooks, after the Standard Webhooks specification 1.0 (<https://www.standardwebhooks.com>).
//!
//! The `webhook-id` is the decision's id at every attempt, so that a receiver can respond 200 to a repetition and do
//! nothing. The content is the same at every attempt as long as the profile is; the timestamp and the signature over it
//! are new each time.

use crate::about::{About, Person};
use crate::connection::json_headers;
use crate::outcome::Outcome;
use crate::pause;
use crate::render::Rendered;
use crate::transport::Answer;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use perennial_domain::{AccountId, CrmUpdate, Identity};
use perennial_engine::account::Account;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::collections::BTreeMap;

/// The type of a decision's payload.
pub const TYPE: &str = "perennial.decision";
/// The type of an account update's payload.
pub const ACCOUNT_TYPE: &str = "perennial.account";
/// The type of a person update's payload.
pub const PERSON_TYPE: &str = "perennial.person";

/// Returns the outcome of a response.
pub(crate) fn outcome(answer: &Answer, now: Timestamp) -> Outcome {
    match answer.status {
        status if status.is_success() => Outcome::Sent { provider_id: None },
        StatusCode::GONE => Outcome::rejected("the receiver answered 410: it wants no more"),
        status => Outcome::Retry {
            reason: format!("the receiver answered {}", status.as_u16()),
            after: pause::retry_after(&answer.headers, now),
        },
    }
}

/// Returns the headers, with the signature by `secret` (`whsec_…`) at `now`.
pub(crate) fn headers(secret: &str, id: &str, body: &str, now: Timestamp) -> Result<HeaderMap, &'static str> {
    let webhook = Webhook::new(secret).map_err(|_| "the endpoint's secret is not base64")?;
    let signature =
        webhook.sign(id, now.as_second(), body.as_bytes()).map_err(|_| "the payload could not be signed")?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| "the id is not fit for a header");
    let mut headers = json_headers();
    headers.insert(standardwebhooks::HEADER_WEBHOOK_ID, value(id)?);
    headers.insert(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, value(&now.as_second().to_string())?);
    headers.insert(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, value(&signature)?);
    Ok(headers)
}

/// Returns the payload: the decision and its cause, the profile with stage and scores, the brief of a task, and the rendered template.
#[must_use]
pub fn payload(about: &About<'_>, rendered: &Rendered) -> String {
    let About { decision, identities, context, evaluation, brief, .. } = about;
    let scores: Value = evaluation
        .scores
        .iter()
        .map(|(likelihood, score)| (likelihood.as_str().to_owned(), json!(score)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let Ids { users, anonymous, external } = Ids::of(identities.iter().copied());
    json!({
        "type": TYPE,
        "timestamp": decision.decided_at,
        "data": {
            "id": decision.id,
            "journey": decision.journey,
            "step": decision.step,
            "template": decision.template,
            "cause": decision.cause,
            "config": decision.config,
            "title": rendered.subject,
            "text": rendered.text,
            "link": rendered.link,
            "owner": context.owner(),
            "task": brief.json(),
            "person": {
                "id": decision.person,
                "user_ids": users,
                "anonymous_ids": anonymous,
                "external_ids": external,
                "traits": context.person(),
                "account": context.account_id(),
                "stage": evaluation.stage,
                "scores": scores,
                "engagement": evaluation.engagement,
            },
        },
    })
    .to_string()
}

/// The ids of a profile, by kind.
#[derive(Default)]
struct Ids<'a> {
    users: Vec<&'a str>,
    anonymous: Vec<&'a str>,
    external: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    fn of(identities: impl Iterator<Item = &'a Identity>) -> Self {
        let mut ids = Self::default();
        for identity in identities {
            match identity {
                Identity::User(id) => ids.users.push(id.as_str()),
                Identity::Anonymous(id) => ids.anonymous.push(id.as_str()),
                Identity::External(id) => ids.external.push(id.as_str()),
            }
        }
        ids
    }
}

/// Returns the payload of an account's update: the fields and their new values, and the account, with the traits and domains
/// by which the receiver can find its record.
#[must_use]
pub fn account_payload(update: &CrmUpdate, id: &AccountId, account: Option<&Account>) -> String {
    let traits: BTreeMap<&str, &Value> = account.into_iter().flat_map(Account::present_traits).collect();
    let summary = account.and_then(|account| account.summary.as_ref());
    let account = json!({
        "id": id,
        "traits": traits,
        "domains": account.map(|account| account.registered.keys().collect::<Vec<_>>()),
        "people": summary.map(|summary| summary.people),
    });
    update_payload(ACCOUNT_TYPE, update, "account", account)
}

/// Returns the payload of a person's update: the fields and their new values, and the person, with the ids and traits by which the
/// receiver can find their record.
#[must_use]
pub fn person_payload(update: &CrmUpdate, person: &Person<'_>) -> String {
    let Ids { users, anonymous, external } = Ids::of(person.profile.parts.iter().map(|part| &part.identity));
    let traits = person.view.present_traits();
    let traits: BTreeMap<&str, Value> =
        traits.filter_map(|(name, value)| Some((name, serde_json::from_str(value).ok()?))).collect();
    let person = json!({
        "id": person.profile.id,
        "user_ids": users,
        "anonymous_ids": anonymous,
        "external_ids": external,
        "traits": traits,
        "account": person.account,
    });
    update_payload(PERSON_TYPE, update, "person", person)
}

fn update_payload(kind: &str, update: &CrmUpdate, subject: &str, about: Value) -> String {
    json!({
        "type": kind,
        "timestamp": update.at,
        "data": {
            "id": update.id,
            "number": update.number,
            "fields": update.fields,
            "config": update.config,
            subject: about,
        },
    })
    .to_string()
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
pub(crate) mod tests;
