//! What only a local system has: bringing dead letters back and moving simulated time, over HTTP.

use super::passing::Passing;
use super::queues::QueueUrls;
use super::{adapt, wiring};
use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use perennial_config::Bundle;
use perennial_lambda_kit::SimulatedTime;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Webhooks kept at most; older ones are let go.
const KEPT: usize = 1000;

/// A webhook that came in.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Captured {
    endpoint: String,
    id: String,
    body: serde_json::Value,
}

/// Webhooks to reserved `.example` hosts, which come here instead: the newest last.
#[derive(Debug, Clone, Default)]
pub(super) struct Webhooks(Arc<Mutex<VecDeque<Captured>>>);

/// What the routes work with.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) webhooks: Webhooks,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) urls: QueueUrls,
    pub(super) simulated: Option<SimulatedTime>,
    pub(super) passing: Arc<Passing>,
    /// Where the system is.
    pub(super) base: String,
    /// The write key that it was started with, if it was given one.
    pub(super) write_key: Option<String>,
}

pub(super) fn router(local: Local) -> Router {
    Router::new()
        .route("/_local/redrive/{queue}", post(redrive))
        .route("/_local/config/adapted", post(adapted))
        .route("/_local/time", post(set_time))
        .route("/_local/queues", get(list_queues))
        .route("/_local/webhooks", get(list_webhooks))
        .route("/_local/webhooks/{endpoint}", post(take_webhook))
        .with_state(local)
}

/// `POST /_local/redrive/{queue}`: moves the queue's dead letters back, and says how many there were.
async fn redrive(State(local): State<Local>, Path(queue): Path<String>) -> Response {
    let Some(url) = local.urls.get(&queue) else {
        let known = super::queues::NAMES.join(", ");
        return (StatusCode::NOT_FOUND, Json(json!({ "error": { "code": "no_such_queue", "message": format!("no queue is called {queue}; there are {known}") } }))).into_response();
    };
    match move_back(&local.sqs, &format!("{url}-dlq")).await {
        Ok(moved) => Json(json!({ "queue": queue, "moved": moved })).into_response(),
        Err(error) => {
            (StatusCode::BAD_GATEWAY, Json(json!({ "error": { "code": "sqs", "message": error.to_string() } })))
                .into_response()
        }
    }
}

/// `POST /_local/config/adapted` with a config: gives what it is on this machine, as it would be had the system been started with it.
async fn adapted(State(local): State<Local>, Json(bundle): Json<Bundle>) -> Response {
    match adapt::to_this_machine(&bundle, local.write_key.as_deref(), &local.base, wiring::is_given) {
        Ok(adapted) => Json(adapted.bundle).into_response(),
        Err(error) => {
            let error = json!({ "error": { "code": "config", "message": error.to_string() } });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response()
        }
    }
}

async fn move_back(sqs: &aws_sdk_sqs::Client, dlq: &str) -> anyhow::Result<u64> {
    let names = [QueueAttributeName::QueueArn, QueueAttributeName::ApproximateNumberOfMessages];
    let attributes = sqs.get_queue_attributes().queue_url(dlq).set_attribute_names(Some(names.to_vec())).send().await?;
    let value = |name| attributes.attributes().and_then(|map| map.get(&name)).cloned().unwrap_or_default();
    let waiting: u64 = value(QueueAttributeName::ApproximateNumberOfMessages).parse()?;
    if waiting > 0 {
        sqs.start_message_move_task().source_arn(value(QueueAttributeName::QueueArn)).send().await?;
    }
    Ok(waiting)
}

/// `GET /_local/queues`: what is in each queue, without counting anything else as `GET /api/status` does.
async fn list_queues(State(local): State<Local>) -> Response {
    let depths = local.passing.depths().into_iter().map(|(name, depth)| {
        (name, json!({ "visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed }))
    });
    Json(depths.collect::<serde_json::Map<_, _>>()).into_response()
}

/// The moment that simulated time moves to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    now: Timestamp,
}

/// `POST /_local/time` with `{"now": "2026-01-31T09:00:00Z"}`: moves simulated time, never back, and does what is due by then: schedules
/// are called once, and messages come whose delay is over.
async fn set_time(State(local): State<Local>, Json(time): Json<Time>) -> Response {
    match local.simulated {
        Some(simulated) => {
            let now = simulated.set(time.now);
            local.passing.catch_up().await;
            Json(json!({ "now": now })).into_response()
        }
        None => (StatusCode::CONFLICT, Json(json!({ "error": { "code": "real_time", "message": "the system runs on real time; start it with --simulate-from" } }))).into_response(),
    }
}

/// `POST /_local/webhooks/{endpoint}`: stands in for a receiver, which knows a repeat by its `webhook-id`.
async fn take_webhook(
    State(local): State<Local>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    Json(body): Json<serde_json::Value>,
) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut kept = local.webhooks.0.lock().unwrap_or_else(PoisonError::into_inner);
    if !kept.iter().any(|captured| captured.id == id) {
        kept.push_back(Captured { endpoint, id, body });
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
    StatusCode::NO_CONTENT
}

/// `GET /_local/webhooks`: what came in.
async fn list_webhooks(State(local): State<Local>) -> Response {
    let kept = local.webhooks.0.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "webhooks": kept.iter().collect::<Vec<_>>() })).into_response()
}
