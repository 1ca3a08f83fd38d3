//! Stand-ins of the services that endpoints of the config lead to: HubSpot, Salesforce and the incoming webhooks of a chat.
//!
//! Each checks what the real one documents: paths, shapes, ids, limits, access. Each stores the requests that it received, by ids, and can be set to fail: to
//! refuse calls for a while, single records for now or for good, or access tokens. Nothing leaves the machine.
//!
//! An endpoint called `crm` of the kind `hubspot` is stood in for at `/_local/hubspot/crm`, below which HubSpot's own paths follow; likewise
//! `/_local/salesforce/NAME` and `/_local/slack/NAME`. `GET /_local/standins` shows everything that they keep, and
//! `POST /_local/standins/KIND/NAME` takes [`Faults`].

mod hubspot;
mod salesforce;
mod slack;

use crate::stack::errors;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Errors that a stand-in should produce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The number of calls to answer with 429.
    pub throttle: u32,
    /// The `Retry-After` of those, in seconds.
    pub retry_after: u32,
    /// The number of calls that are applied, and answered with 500.
    pub lose_answer: u32,
    /// Records with these ids are refused.
    pub refuse: BTreeSet<String>,
    /// Records with these ids are refused for now: each once.
    pub busy: BTreeSet<String>,
    /// Access tokens that were given out before are refused. Salesforce only.
    pub expire: bool,
}

/// A call to a stand-in: the rest of the path, and the body.
struct Call<'a> {
    method: &'a Method,
    path: &'a str,
    /// The parameters of the query.
    query: &'a BTreeMap<String, String>,
    bearer: Option<&'a str>,
    is_json: bool,
    body: &'a [u8],
}

impl Call<'_> {
    /// The body as JSON.
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok().filter(|_| self.is_json)
    }
}

/// A stand-in's response.
#[derive(Debug)]
struct Reply {
    status: u16,
    body: Value,
}

impl Reply {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }
}

/// A record that a stand-in keeps.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Kept {
    /// The service's own id.
    id: String,
    /// The number of writes.
    writes: u32,
    fields: Map<String, Value>,
}

/// Records by kind of object, then by identifying value.
#[derive(Debug, Default, Serialize)]
struct Records(BTreeMap<String, BTreeMap<String, Kept>>);

impl Records {
    /// Creates or updates a record; returns its id, and whether it is new.
    fn upsert(
        &mut self,
        object: &str,
        id: &str,
        fields: Map<String, Value>,
        own_id: impl Fn(usize) -> String,
    ) -> (Kept, bool) {
        let of_kind = self.0.entry(object.to_owned()).or_default();
        let number = of_kind.len() + 1;
        let is_new = !of_kind.contains_key(id);
        let kept =
            of_kind.entry(id.to_owned()).or_insert_with(|| Kept { id: own_id(number), writes: 0, fields: Map::new() });
        kept.writes += 1;
        kept.fields.extend(fields);
        (kept.clone(), is_new)
    }

    fn get(&self, object: &str, id: &str) -> Option<&Kept> {
        self.0.get(object)?.get(id)
    }

    fn has(&self, object: &str, id: &str) -> bool {
        self.get(object, id).is_some()
    }

    /// Returns whether the service assigned this id.
    fn has_own(&self, object: &str, own_id: &str) -> bool {
        self.0.get(object).is_some_and(|of_kind| of_kind.values().any(|kept| kept.id == own_id))
    }
}

/// A stand-in.
trait StandIn: Send {
    /// Answers a call, as `faults` say what to do with single records and tokens.
    fn answer(&mut self, call: &Call<'_>, faults: &mut Faults) -> Reply;
    /// Returns its stored records.
    fn kept(&self) -> Value;
}

/// A stand-in with its faults and number of calls.
struct Stood {
    service: Box<dyn StandIn>,
    faults: Faults,
    calls: u32,
}

/// All stand-ins, each created by its first call.
#[derive(Clone, Default)]
pub struct StandIns(Arc<Mutex<BTreeMap<(String, String), Stood>>>);

impl std::fmt::Debug for StandIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StandIns")
    }
}

impl StandIns {
    /// Sets the faults of the stand-in of `kind` (`hubspot`, `salesforce`, `slack`) for the endpoint `name`; returns
    /// whether the stand-in has this kind.
    pub fn set_faults(&self, kind: &str, name: &str, faults: Faults) -> bool {
        self.with(kind, name, |stood| stood.faults = faults).is_some()
    }

    /// Returns the records of all of them, by kind and name.
    #[must_use]
    pub fn kept(&self) -> Value {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = all.iter().map(|((kind, name), stood)| {
            json!({ "kind": kind, "endpoint": name, "calls": stood.calls, "kept": stood.service.kept() })
        });
        Value::Array(shown.collect())
    }

    /// Their routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_local/standins", get(list))
            .route("/_local/standins/{kind}/{name}", post(faults))
            .route("/_local/hubspot/{name}/{*path}", any(hubspot))
            .route("/_local/salesforce/{name}/{*path}", any(salesforce))
            .route("/_local/slack/{name}", any(slack))
            .with_state(self.clone())
    }

    fn with<T>(&self, kind: &str, name: &str, work: impl FnOnce(&mut Stood) -> T) -> Option<T> {
        let make: fn() -> Box<dyn StandIn> = match kind {
            "hubspot" => || Box::new(hubspot::HubSpot::default()),
            "salesforce" => || Box::new(salesforce::Salesforce::default()),
            "slack" => || Box::new(slack::Slack::default()),
            _ => return None,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stood = all.entry((kind.to_owned(), name.to_owned()));
        Some(work(stood.or_insert_with(|| Stood { service: make(), faults: Faults::default(), calls: 0 })))
    }

    fn call(&self, kind: &str, name: &str, call: &Call<'_>) -> Response {
        let reply = self.with(kind, name, |stood| {
            stood.calls += 1;
            if stood.faults.throttle > 0 {
                stood.faults.throttle -= 1;
                return Err(stood.faults.retry_after);
            }
            let reply = stood.service.answer(call, &mut stood.faults);
            if stood.faults.lose_answer > 0 {
                stood.faults.lose_answer -= 1;
                return Ok(Reply::new(500, json!({ "message": "internal error" })));
            }
            Ok(reply)
        });
        match reply {
            None => StatusCode::NOT_FOUND.into_response(),
            Some(Err(seconds)) => {
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
            }
            Some(Ok(Reply { status, body })) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                match body {
                    Value::String(word) => (status, word).into_response(),
                    body => (status, Json(body)).into_response(),
                }
            }
        }
    }

    fn answer(
        &self,
        kind: &str,
        name: &str,
        (path, query): (&str, &BTreeMap<String, String>),
        method: &Method,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let is_json = text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
        self.call(kind, name, &Call { method, path, query, bearer, is_json, body })
    }
}

async fn list(State(all): State<StandIns>) -> Json<Value> {
    Json(all.kept())
}

async fn faults(
    State(all): State<StandIns>,
    Path((kind, name)): Path<(String, String)>,
    errors::Body(faults): errors::Body<Faults>,
) -> StatusCode {
    if all.set_faults(&kind, &name, faults) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn hubspot(
    State(all): State<StandIns>,
    Path((name, path)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    all.answer("hubspot", &name, (&path, &query), &method, &headers, &body)
}

async fn salesforce(
    State(all): State<StandIns>,
    Path((name, path)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    all.answer("salesforce", &name, (&path, &query), &method, &headers, &body)
}

async fn slack(
    State(all): State<StandIns>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    all.answer("slack", &name, ("", &BTreeMap::new()), &method, &headers, &body)
}
