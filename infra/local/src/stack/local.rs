//! HTTP routes of a local system only: captured webhooks, its queues, redriving dead letters, moving simulated time and
//! applying a pushed configuration.

use super::errors::{Body, error};
use super::passing::{NotMoved, Passing};
use super::queues::QueueUrls;
use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use perennial_embedded_aws::Mails;
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_store::ConfigHandle;
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

/// The routes' dependencies.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) webhooks: Webhooks,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) urls: QueueUrls,
    pub(super) simulated: Option<SimulatedTime>,
    pub(super) clock: Clock,
    pub(super) passing: Arc<Passing>,
    pub(super) config: ConfigHandle,
    pub(super) mails: Mails,
    /// Functions that do not run in this process.
    pub(super) elsewhere: Arc<[String]>,
}

pub(super) fn router(local: Local) -> Router {
    Router::new()
        .route("/_local/redrive/{queue}", post(redrive))
        .route("/_local/time", get(show_time).post(set_time))
        .route("/_local/config", post(take_up_config))
        .route("/_local/queues", get(list_queues))
        .route("/_local/webhooks", get(list_webhooks))
        .route("/_local/webhooks/{endpoint}", post(take_webhook))
        .with_state(local)
}

/// `POST /_local/redrive/{queue}`: moves the queue's dead letters back, and returns their number.
async fn redrive(State(local): State<Local>, Path(queue): Path<String>) -> Response {
    let Some(url) = local.urls.get(&queue) else {
        let message = format!("no queue is called {queue}; there are {}", super::queues::NAMES.join(", "));
        return error(StatusCode::NOT_FOUND, "no_such_queue", &message);
    };
    match move_back(&local.sqs, &format!("{url}-dlq")).await {
        Ok(moved) => Json(json!({ "queue": queue, "moved": moved })).into_response(),
        Err(why) => error(StatusCode::BAD_GATEWAY, "sqs", &why.to_string()),
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

/// `GET /_local/queues`: the depth of each queue. `delayed` messages wait for the clock: they were sent with a delay,
/// or deferred.
async fn list_queues(State(local): State<Local>) -> Response {
    let depths = local.passing.depths().into_iter().map(|(name, depth)| {
        let (in_flight, delayed) = (depth.in_flight - depth.put_off, depth.delayed + depth.put_off);
        (name, json!({ "visible": depth.visible, "in_flight": in_flight, "delayed": delayed }))
    });
    Json(depths.collect::<serde_json::Map<_, _>>()).into_response()
}

/// `GET /_local/time`: what time it is for the system, and whether that is simulated.
async fn show_time(State(local): State<Local>) -> Response {
    Json(json!({ "now": local.clock.now(), "simulated": local.clock.is_simulated() })).into_response()
}

/// The moment that simulated time moves to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    now: Timestamp,
}

/// `POST /_local/time` with `{"now": "2026-01-31T09:00:00Z"}`: moves simulated time, never back, through every moment at which something is due, and
/// answers when all of that is done.
async fn set_time(State(local): State<Local>, Body(time): Body<Time>) -> Response {
    let Some(simulated) = local.simulated else {
        let message = "the system runs on real time; start it with `perennial up --simulate-from TIMESTAMP`";
        return error(StatusCode::CONFLICT, "real_time", message);
    };
    // A separate task: a client that disconnects does not leave time half-way.
    let moving = tokio::spawn(async move { local.passing.move_to(&simulated, time.now).await });
    match moving.await {
        Ok(Ok(now)) => Json(json!({ "now": now })).into_response(),
        Ok(Err(why @ NotMoved::Earlier { .. })) => error(StatusCode::BAD_REQUEST, "earlier", &why.to_string()),
        Ok(Err(why @ NotMoved::Stuck { .. })) => error(StatusCode::SERVICE_UNAVAILABLE, "stuck", &why.to_string()),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "moving time failed; see the log"),
    }
}

/// `POST /_local/config`: applies the active configuration, its schedules included, after another process wrote it to
/// the table; responds when every function of this process uses it. Functions outside of this process poll for it
/// within a minute, and are listed.
async fn take_up_config(State(local): State<Local>) -> Response {
    match local.config.in_force().await {
        Ok(config) => {
            if let Err(why) = local.mails.add_configuration_set(&config.channels.mail.configuration_set) {
                return error(StatusCode::INTERNAL_SERVER_ERROR, "internal", &why.to_string());
            }
            if let Err(why) = local.passing.replan(&config.schedules) {
                return error(StatusCode::CONFLICT, "config", &why.to_string());
            }
            Json(json!({ "config": config.version, "within_a_minute": &*local.elsewhere })).into_response()
        }
        Err(why) => error(StatusCode::CONFLICT, "config", &why.to_string()),
    }
}

/// `POST /_local/webhooks/{endpoint}`: stands in for a receiver, which knows a repeat by its `webhook-id`.
async fn take_webhook(
    State(local): State<Local>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    Body(body): Body<serde_json::Value>,
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

/// `GET /_local/webhooks`: what came in, the newest last.
async fn list_webhooks(State(local): State<Local>) -> Response {
    let kept = local.webhooks.0.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "webhooks": kept.iter().collect::<Vec<_>>() })).into_response()
}
