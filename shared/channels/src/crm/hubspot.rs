//! HubSpot, API version 2026-03.
//!
//! Sources: "Upsert contacts", "Upsert companies" and "Upsert tasks" of the reference
//! (<https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/upsert-contacts>, likewise for
//! companies and activities/tasks), "Retrieve companies" (batch/read by a property with unique values), "Associate records"
//! (<https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/update-association>),
//! the guide on tasks for their properties, and "Error handling" for multi-status responses and their
//! `objectWriteTraceId` (<https://developers.hubspot.com/docs/api-reference/latest/error-handling>).
//!
//! A batch has at most 100 inputs, each identified by a property with unique values. The response is 200, or 207 if
//! some inputs failed: an error then names its input by the trace id that we sent. The order of results is not
//! guaranteed.

use super::batches::{self, Reading, Upserts};
use super::{AssignedTask, Contact, Crm, Object, Record, Upserted, joined, object, owner, task_text, words};
use crate::about::About;
use crate::connection::{HttpTo, Unanswered, json_headers};
use crate::pause;
use crate::render::Rendered;
use crate::transport::Answer;
use futures::future::{BoxFuture, FutureExt};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use perennial_config::channels::{CrmRecords, TaskRecords};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most inputs of one batch.
pub const MOST: usize = 100;
/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// The longest body of a task, in bytes: a property has at most 65,536 characters.
const MAX_TEXT: usize = 60_000;

/// A HubSpot account, for one delivery.
pub(crate) struct HubSpot<'a> {
    http: HttpTo<'a>,
    records: &'a CrmRecords,
    token: &'a str,
}

impl<'a> HubSpot<'a> {
    pub(crate) fn new(http: HttpTo<'a>, records: &'a CrmRecords, token: &'a str) -> Self {
        Self { http, records, token: token.trim() }
    }

    fn headers(&self) -> Result<HeaderMap, Upserted> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token))
            .map_err(|_| Upserted::retry("the access token is not fit for a header"))?;
        bearer.set_sensitive(true);
        let mut headers = json_headers();
        headers.insert(header::AUTHORIZATION, bearer);
        Ok(headers)
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Result<Answer, Upserted> {
        let url = format!("{}{path}", self.http.endpoint.url);
        let answer = self.http.send(method, &url, self.headers()?, body, MAX_ANSWER).await;
        answer.map_err(|unanswered| match unanswered {
            Unanswered::Refused(reason) => Upserted::Rejected { reason: reason.to_owned() },
            Unanswered::Paused(after) => Upserted::Paused { after },
            // If the response was lost, the write may have succeeded: repeating it changes nothing.
            Unanswered::NotSent(reason) | Unanswered::Lost(reason) => Upserted::retry(reason),
        })
    }

    fn id_property(&self, object: Object) -> &str {
        match object {
            Object::Contact => &self.records.contact.id,
            Object::Account => &self.records.account.id,
            Object::Task => &self.records.task.id,
        }
    }

    /// Ties two records by the most general association of their objects, which is there at most once.
    async fn tie(&self, object: &str, id: &str, to: &str, other: &str) -> Result<(), Upserted> {
        let answer = self.call(Method::PUT, &association(object, id, to, other), String::new()).await?;
        if answer.status.is_success() { Ok(()) } else { Err(failure(&answer, self.http.now)) }
    }

    /// Returns HubSpot's ids of the companies that it has of `accounts`, by the accounts' ids.
    async fn companies(&self, accounts: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, Upserted> {
        let (mut companies, property) = (BTreeMap::new(), &self.records.account.id);
        let accounts: Vec<&str> = accounts.iter().copied().collect();
        for some in accounts.chunks(MOST) {
            let answer = self.call(Method::POST, COMPANIES, read_body(property, some)).await?;
            // Companies that are not there are errors of a response with 207.
            if !answer.status.is_success() {
                return Err(failure(&answer, self.http.now));
            }
            let read: BatchAnswer =
                serde_json::from_slice(&answer.body).map_err(|_| Upserted::retry("HubSpot's answer cannot be read"))?;
            let found = read
                .results
                .into_iter()
                .filter_map(|result| Some((result.properties.get(property)?.as_str()?.to_owned(), result.id)));
            companies.extend(found);
        }
        Ok(companies)
    }
}

impl Upserts for HubSpot<'_> {
    const MOST: usize = MOST;

    fn upsert_once<'a>(&'a self, object: Object, records: &'a [Record]) -> BoxFuture<'a, Reading> {
        async move {
            let id = self.id_property(object);
            match self.call(Method::POST, upsert_path(object), upsert_body(id, records)).await {
                Ok(answer) => read_upsert(id, records, &answer, self.http.now),
                Err(outcome) => Reading::Whole(outcome),
            }
        }
        .boxed()
    }
}

impl Crm for HubSpot<'_> {
    fn upsert_contacts<'a>(&'a self, contacts: &'a [Contact]) -> BoxFuture<'a, Vec<Upserted>> {
        async move {
            let records: Vec<Record> = contacts.iter().map(|contact| contact.record.clone()).collect();
            let mut outcomes = batches::upsert(self, Object::Contact, &records).await;
            let written = outcomes.iter().zip(contacts).filter(|(outcome, _)| matches!(outcome, Upserted::Done { .. }));
            let accounts: BTreeSet<&str> = written.filter_map(|(_, contact)| contact.account.as_deref()).collect();
            let companies = self.companies(&accounts).await;
            for (outcome, contact) in outcomes.iter_mut().zip(contacts) {
                let (Upserted::Done { id }, Some(account)) = (&*outcome, contact.account.as_deref()) else { continue };
                let tied = match &companies {
                    Ok(companies) => match companies.get(account) {
                        Some(company) => self.tie("contacts", id, "companies", company).await,
                        None => Ok(()),
                    },
                    Err(failed) => Err(failed.clone()),
                };
                // The contact itself is written.
                if let Some(failed) = tied.err().and_then(Upserted::unless_refused) {
                    *outcome = failed;
                }
            }
            outcomes
        }
        .boxed()
    }

    fn upsert_accounts<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Vec<Upserted>> {
        batches::upsert(self, Object::Account, records).boxed()
    }

    fn upsert_tasks<'a>(&'a self, tasks: &'a [AssignedTask]) -> BoxFuture<'a, Vec<Upserted>> {
        async move {
            let records: Vec<Record> = tasks.iter().map(|task| task.record.clone()).collect();
            let mut outcomes = batches::upsert(self, Object::Task, &records).await;
            for (outcome, task) in outcomes.iter_mut().zip(tasks) {
                let (Upserted::Done { id }, Some(contact)) = (&*outcome, &task.contact) else { continue };
                if let Err(failed) = self.tie("tasks", id, "contacts", contact).await {
                    *outcome = failed;
                }
            }
            outcomes
        }
        .boxed()
    }
}

/// Returns the record of a task with its due date and owner. Its status is left to HubSpot, so that a repetition
/// reopens nothing.
pub(crate) fn task(records: &TaskRecords, about: &About<'_>, rendered: &Rendered) -> Record {
    let mut fields: BTreeMap<String, Value> = BTreeMap::from([
        ("hs_timestamp".to_owned(), json!(about.brief.due.as_millisecond().to_string())),
        ("hs_task_subject".to_owned(), json!(rendered.subject)),
        ("hs_task_body".to_owned(), json!(task_text(about, rendered, MAX_TEXT))),
        ("hs_task_type".to_owned(), json!("TODO")),
    ]);
    fields.extend(owner(records, about).map(|id| ("hubspot_owner_id".to_owned(), json!(id))));
    fields.extend(records.values.iter().map(|(name, value)| (name.clone(), json!(value))));
    Record { id: about.decision.id.to_string(), fields }
}

const fn upsert_path(object: Object) -> &'static str {
    match object {
        Object::Contact => "/crm/objects/2026-03/contacts/batch/upsert",
        Object::Account => "/crm/objects/2026-03/companies/batch/upsert",
        Object::Task => "/crm/objects/2026-03/tasks/batch/upsert",
    }
}

/// The path to read companies by the values of a property.
const COMPANIES: &str = "/crm/objects/2026-03/companies/batch/read";

fn read_body(property: &str, ids: &[&str]) -> String {
    let inputs: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    json!({ "idProperty": property, "inputs": inputs, "properties": [property] }).to_string()
}

fn association(object: &str, id: &str, to: &str, other: &str) -> String {
    // HubSpot's ids are numbers; the filter keeps anything else out of the path.
    let part = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    format!("/crm/objects/2026-03/{object}/{}/associations/default/{to}/{}", part(id), part(other))
}

/// The body of a batch; trace ids are the records' places.
fn upsert_body(id: &str, records: &[Record]) -> String {
    let inputs = records.iter().enumerate().map(|(place, record)| {
        json!({
            "idProperty": id,
            "id": record.id,
            "objectWriteTraceId": place.to_string(),
            "properties": object(&record.fields, property),
        })
    });
    json!({ "inputs": inputs.collect::<Vec<_>>() }).to_string()
}

/// A property's value: always a text; an empty one empties it.
fn property(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text),
        Value::Null => json!(""),
        Value::Array(values) => json!(joined(values)),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => json!(value.to_string()),
    }
}

/// The response to a batch. Every field may be missing, as the documentation says of errors.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BatchAnswer {
    results: Vec<BatchResult>,
    errors: Vec<BatchError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BatchResult {
    id: String,
    object_write_trace_id: Option<String>,
    properties: BTreeMap<String, Value>,
}

/// An error of the whole call, of one input, or of one property of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BatchError {
    category: String,
    code: String,
    context: BTreeMap<String, Value>,
    errors: Vec<BatchError>,
}

fn read_upsert(id: &str, records: &[Record], answer: &Answer, now: Timestamp) -> Reading {
    if !answer.status.is_success() {
        return Reading::Whole(failure(answer, now));
    }
    let Ok(read) = serde_json::from_slice::<BatchAnswer>(&answer.body) else {
        return Reading::Whole(Upserted::retry("HubSpot's answer cannot be read"));
    };
    let mut outcomes = vec![Upserted::retry("HubSpot said nothing of the record"); records.len()];
    for result in &read.results {
        let by_property = || {
            let held = result.properties.get(id)?.as_str()?;
            records.iter().position(|record| record.id.eq_ignore_ascii_case(held))
        };
        let place =
            result.object_write_trace_id.as_deref().and_then(|trace| place(trace, records)).or_else(by_property);
        // The only result for the only input needs no id.
        let place = place.or_else(|| (records.len() == 1 && read.results.len() == 1).then_some(0));
        if let Some(outcome) = place.and_then(|place| outcomes.get_mut(place)) {
            *outcome = Upserted::Done { id: result.id.clone() };
        }
    }
    for error in &read.errors {
        let traces = error.context.get("objectWriteTraceId").and_then(Value::as_array).into_iter().flatten();
        let mut places: Vec<usize> = traces.filter_map(|trace| place(trace.as_str()?, records)).collect();
        if places.is_empty() && records.len() == 1 {
            places.push(0);
        }
        for place in places {
            outcomes[place] = refused(error);
        }
    }
    Reading::Each(outcomes)
}

/// Returns the position in a trace id.
fn place(trace: &str, records: &[Record]) -> Option<usize> {
    trace.parse().ok().filter(|place| *place < records.len())
}

/// Returns the outcome for all records of a failed call. 400, 409 and 413 are about the content; anything else can be
/// fixed by an operator or with time.
fn failure(answer: &Answer, now: Timestamp) -> Upserted {
    let error: BatchError = serde_json::from_slice(&answer.body).unwrap_or_default();
    let reason = format!("HubSpot answered {}{}", answer.status.as_u16(), told(&error));
    match answer.status {
        StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::PAYLOAD_TOO_LARGE => Upserted::Rejected { reason },
        _ => Upserted::Retry { reason, after: pause::retry_after(&answer.headers, now) },
    }
}

/// Returns the outcome of an error about one record.
fn refused(error: &BatchError) -> Upserted {
    let reason = format!("HubSpot refused the record{}", told(error));
    match error.category.as_str() {
        "RATE_LIMITS" | "RATE_LIMIT" | "INTERNAL_ERROR" | "TIMEOUT" | "SERVICE_UNAVAILABLE" => Upserted::retry(reason),
        _ => Upserted::Rejected { reason },
    }
}

/// Category, codes and properties of an error.
fn told(error: &BatchError) -> String {
    let mut told = vec![error.category.as_str()];
    for one in std::iter::once(error).chain(&error.errors) {
        told.push(&one.code);
        for property in ["propertyName", "propertyNames"].iter().filter_map(|key| one.context.get(*key)) {
            told.extend(property.as_str());
            told.extend(property.as_array().into_iter().flatten().filter_map(Value::as_str));
        }
    }
    words(told)
}

#[cfg(test)]
#[path = "hubspot_tests.rs"]
mod tests;
