//! Salesforce, REST API.
//!
//! Sources: "Upsert Records Using sObject Collections" (<https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-upsert.html>),
//! "Status Codes and Error Responses" of the same guide, "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration" for the token, and the
//! object reference for Task; "Query" of the REST guide and "Quoted String Escape Sequences" of the SOQL reference.
//!
//! A collection has at most 200 records of one object, each found by an external id. Its answer is 200 with one result for each record, in their order,
//! with `success` and `errors`; a request that cannot be read at all is answered with 400 and a list of errors. With `allOrNone` false each record
//! succeeds or fails by itself. An access token is good until Salesforce answers 401.

use super::batches::{self, Reading, Upserts};
use super::{AssignedTask, Contact, Crm, Object, Record, Upserted, joined, object, owner, task_text, words};
use crate::about::About;
use crate::connection::{HttpTo, Unanswered, json_headers};
use crate::pause;
use crate::render::Rendered;
use crate::text;
use crate::transport::Answer;
use futures::future::{BoxFuture, FutureExt};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::channels::{CrmRecords, TaskRecords};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The most records of one collection.
pub const MOST: usize = 200;
/// The most accounts of one query, which is part of a URL.
const MOST_QUERIED: usize = 20;
/// The version of the API: Spring '26.
pub const VERSION: &str = "v66.0";
/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 1024 * 1024;
/// The longest subject of a task, in bytes: the field takes 255 characters.
const MAX_SUBJECT: usize = 250;
/// The longest description of a task, in bytes: the field takes 32,000 characters.
const MAX_TEXT: usize = 31_000;

/// The credentials of a connected app.
#[derive(Clone, Deserialize)]
pub(crate) struct Client {
    client_id: String,
    client_secret: String,
}

impl Client {
    /// Reads the endpoint's secret.
    pub(crate) fn parse(secret: &str) -> Result<Self, &'static str> {
        serde_json::from_str(secret)
            .map_err(|_| "the endpoint's secret is not {\"client_id\": …, \"client_secret\": …}")
    }
}

/// Access tokens by host and app, kept until they are rejected. Only one request for a token runs at a time.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<(String, String), Arc<str>>>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// A Salesforce organisation, for one delivery.
pub(crate) struct Salesforce<'a> {
    http: HttpTo<'a>,
    records: &'a CrmRecords,
    client: Client,
    tokens: &'a Tokens,
}

impl<'a> Salesforce<'a> {
    pub(crate) fn new(http: HttpTo<'a>, records: &'a CrmRecords, client: Client, tokens: &'a Tokens) -> Self {
        Self { http, records, client, tokens }
    }

    async fn call(&self, method: Method, url: &str, headers: HeaderMap, body: String) -> Result<Answer, Upserted> {
        self.http.send(method, url, headers, body, MAX_ANSWER).await.map_err(|unanswered| match unanswered {
            Unanswered::Refused(reason) => Upserted::Rejected { reason: reason.to_owned() },
            Unanswered::Paused(after) => Upserted::Paused { after },
            // If the response was lost, the write may have succeeded: repeating it changes nothing.
            Unanswered::NotSent(reason) | Unanswered::Lost(reason) => Upserted::retry(reason),
        })
    }

    /// The token that is kept, unless it is `refused`; else a new one.
    async fn token(&self, refused: Option<&str>) -> Result<Arc<str>, Upserted> {
        let key = (self.http.endpoint.url.clone(), self.client.client_id.clone());
        let mut tokens = self.tokens.0.lock().await;
        if let Some(token) = tokens.get(&key).filter(|token| Some(&***token) != refused) {
            return Ok(Arc::clone(token));
        }
        tokens.remove(&key);
        let url = format!("{}/services/oauth2/token", self.http.endpoint.url);
        let mut headers = json_headers();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answer = self.call(Method::POST, &url, headers, token_body(&self.client)).await?;
        let token: Arc<str> = read_token(&answer, self.http.now)?.into();
        tokens.insert(key, Arc::clone(&token));
        Ok(token)
    }

    async fn call_with(&self, token: &str, method: Method, url: &str, body: String) -> Result<Answer, Upserted> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Upserted::retry("the access token is not fit for a header"))?;
        bearer.set_sensitive(true);
        let mut headers = json_headers();
        headers.insert(header::AUTHORIZATION, bearer);
        self.call(method, url, headers, body).await
    }

    /// Returns Salesforce's ids of the accounts that it has of `accounts`, by our ids.
    async fn accounts(&self, accounts: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, Upserted> {
        let (mut known, field) = (BTreeMap::new(), &self.records.account.id);
        let accounts: Vec<&str> = accounts.iter().copied().collect();
        for some in accounts.chunks(MOST_QUERIED) {
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("q", &accounts_query(field, some))
                .finish();
            let url = format!("{}/services/data/{VERSION}/query?{query}", self.http.endpoint.url);
            let answer = self.authorized(Method::GET, &url, String::new()).await?;
            if !answer.status.is_success() {
                return Err(failure(&answer, self.http.now));
            }
            let read: QueryResult = serde_json::from_slice(&answer.body)
                .map_err(|_| Upserted::retry("Salesforce's answer cannot be read"))?;
            let found = read.records.into_iter().filter_map(|record| {
                let text = |name: &str| record.get(name)?.as_str().map(str::to_owned);
                Some((text(field)?, text("Id")?))
            });
            known.extend(found);
        }
        Ok(known)
    }

    async fn upsert(&self, object: Object, records: &[Record]) -> Result<Answer, Upserted> {
        let (name, id) = match object {
            Object::Contact => ("Contact", &self.records.contact.id),
            Object::Account => ("Account", &self.records.account.id),
            Object::Task => ("Task", &self.records.task.id),
        };
        let url = format!("{}/services/data/{VERSION}/composite/sobjects/{name}/{id}", self.http.endpoint.url);
        let body = upsert_body(name, id, records);
        self.authorized(Method::PATCH, &url, body).await
    }

    /// Makes a call with an access token, and once more with a new one if it was refused.
    async fn authorized(&self, method: Method, url: &str, body: String) -> Result<Answer, Upserted> {
        let token = self.token(None).await?;
        let answer = self.call_with(&token, method.clone(), url, body.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.token(Some(&token)).await?;
        self.call_with(&token, method, url, body).await
    }
}

impl Upserts for Salesforce<'_> {
    const MOST: usize = MOST;

    fn upsert_once<'a>(&'a self, object: Object, records: &'a [Record]) -> BoxFuture<'a, Reading> {
        async move {
            match self.upsert(object, records).await {
                Ok(answer) => read_upsert(records, &answer, self.http.now),
                Err(outcome) => Reading::Whole(outcome),
            }
        }
        .boxed()
    }
}

impl Crm for Salesforce<'_> {
    fn upsert_contacts<'a>(&'a self, contacts: &'a [Contact]) -> BoxFuture<'a, Vec<Upserted>> {
        async move {
            let accounts: BTreeSet<&str> = contacts.iter().filter_map(|contact| contact.account.as_deref()).collect();
            let known = match self.accounts(&accounts).await.map_err(Upserted::unless_refused) {
                Ok(known) => known,
                // Without the field for our ids there is no account to name.
                Err(None) => BTreeMap::new(),
                Err(Some(failed)) => return vec![failed; contacts.len()],
            };
            let with_account = |contact: &Contact| {
                let mut record = contact.record.clone();
                let id = contact.account.as_ref().and_then(|account| known.get(account));
                record.fields.extend(id.map(|id| ("AccountId".to_owned(), json!(id))));
                record
            };
            let records: Vec<Record> = contacts.iter().map(with_account).collect();
            batches::upsert(self, Object::Contact, &records).await
        }
        .boxed()
    }

    fn upsert_accounts<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Vec<Upserted>> {
        batches::upsert(self, Object::Account, records).boxed()
    }

    fn upsert_tasks<'a>(&'a self, tasks: &'a [AssignedTask]) -> BoxFuture<'a, Vec<Upserted>> {
        async move {
            let with_contact = |task: &AssignedTask| {
                let mut record = task.record.clone();
                record.fields.extend(task.contact.clone().map(|id| ("WhoId".to_owned(), json!(id))));
                record
            };
            let records: Vec<Record> = tasks.iter().map(with_contact).collect();
            batches::upsert(self, Object::Task, &records).await
        }
        .boxed()
    }
}

/// Returns the record of a task with its due date and owner. Its status is left to Salesforce, so
/// that a repetition reopens nothing.
pub(crate) fn task(records: &TaskRecords, about: &About<'_>, rendered: &Rendered) -> Record {
    let due = about.brief.due.to_zoned(TimeZone::UTC).date();
    let mut fields: BTreeMap<String, Value> = BTreeMap::from([
        ("Subject".to_owned(), json!(text::one_line(&rendered.subject, MAX_SUBJECT))),
        ("Description".to_owned(), json!(task_text(about, rendered, MAX_TEXT))),
        ("ActivityDate".to_owned(), json!(due.to_string())),
    ]);
    fields.extend(owner(records, about).map(|id| ("OwnerId".to_owned(), json!(id))));
    fields.extend(records.values.iter().map(|(name, value)| (name.clone(), json!(value))));
    Record { id: about.decision.id.to_string(), fields }
}

/// Returns the SOQL query for the accounts with one of our ids.
fn accounts_query(field: &str, ids: &[&str]) -> String {
    let quoted = |id: &&str| format!("'{}'", id.replace('\\', "\\\\").replace('\'', "\\'"));
    let ids: Vec<String> = ids.iter().map(quoted).collect();
    format!("SELECT Id, {field} FROM Account WHERE {field} IN ({})", ids.join(", "))
}

fn token_body(client: &Client) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &client.client_id)
        .append_pair("client_secret", &client.client_secret)
        .finish()
}

fn read_token(answer: &Answer, now: Timestamp) -> Result<String, Upserted> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Read {
        access_token: String,
        error: String,
    }
    let read: Read = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status.is_success() && !read.access_token.is_empty() {
        return Ok(read.access_token);
    }
    // An operator can fix any cause: the secret, the app's permissions, the host.
    let reason = format!("Salesforce gave no access token: {}{}", answer.status.as_u16(), words([read.error.as_str()]));
    Err(Upserted::Retry { reason, after: pause::retry_after(&answer.headers, now) })
}

fn upsert_body(name: &str, id: &str, records: &[Record]) -> String {
    let records = records.iter().map(|record| {
        let mut written = object(&record.fields, field);
        written.insert("attributes".to_owned(), json!({ "type": name }));
        written.insert(id.to_owned(), json!(record.id));
        Value::Object(written)
    });
    json!({ "allOrNone": false, "records": records.collect::<Vec<_>>() }).to_string()
}

/// A field's value; several are the choices of a multi-select picklist.
fn field(value: &Value) -> Value {
    match value {
        Value::Array(values) => json!(joined(values)),
        Value::Object(_) => json!(value.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QueryResult {
    records: Vec<BTreeMap<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpsertResult {
    id: Option<String>,
    success: bool,
    errors: Vec<RecordError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RecordError {
    status_code: String,
    fields: Vec<String>,
}

fn read_upsert(records: &[Record], answer: &Answer, now: Timestamp) -> Reading {
    if !answer.status.is_success() {
        return Reading::Whole(failure(answer, now));
    }
    match serde_json::from_slice::<Vec<UpsertResult>>(&answer.body) {
        Ok(results) if results.len() == records.len() => Reading::Each(results.into_iter().map(upserted).collect()),
        Ok(_) => Reading::Whole(Upserted::retry("Salesforce answered of another number of records than were sent")),
        Err(_) => Reading::Whole(Upserted::retry("Salesforce's answer cannot be read")),
    }
}

fn upserted(result: UpsertResult) -> Upserted {
    if result.success {
        return Upserted::Done { id: result.id.unwrap_or_default() };
    }
    let codes = result.errors.iter().map(|error| error.status_code.as_str());
    let fields = result.errors.iter().flat_map(|error| &error.fields).map(String::as_str);
    let reason = format!("Salesforce refused the record{}", words(codes.chain(fields)));
    let may_pass = result.errors.iter().any(|error| is_passing(&error.status_code));
    if may_pass { Upserted::retry(reason) } else { Upserted::Rejected { reason } }
}

/// Returns whether a status code is not about the record itself.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "UNABLE_TO_LOCK_ROW" | "REQUEST_LIMIT_EXCEEDED" | "SERVER_UNAVAILABLE" | "UNKNOWN_EXCEPTION" | "QUERY_TIMEOUT"
    )
}

/// Returns the outcome for all records of a failed call. 400 is about the content; anything else can be fixed by an
/// operator or with time, such as a missing external id field (404) or the daily request limit (403).
fn failure(answer: &Answer, now: Timestamp) -> Upserted {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    #[derive(Default)]
    struct CallError {
        error_code: String,
        fields: Vec<String>,
    }
    let errors: Vec<CallError> = serde_json::from_slice(&answer.body).unwrap_or_default();
    let codes = errors.iter().map(|error| error.error_code.as_str());
    let fields = errors.iter().flat_map(|error| &error.fields).map(String::as_str);
    let reason = format!("Salesforce answered {}{}", answer.status.as_u16(), words(codes.chain(fields)));
    match answer.status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Upserted::Rejected { reason },
        _ => Upserted::Retry { reason, after: pause::retry_after(&answer.headers, now) },
    }
}

#[cfg(test)]
#[path = "salesforce_tests.rs"]
mod tests;
