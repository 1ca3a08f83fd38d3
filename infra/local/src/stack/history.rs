//! Work over all history, over HTTP: the response is written line by line while it runs, first the progress and finally
//! the result.

use super::errors::error;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::future::BoxFuture;
use futures::stream;
use perennial_score::history::{HistoryError, Progress, calibrate, reach, rescore};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

/// Lines that wait for a slow reader; progress beyond them is dropped.
const WAITING: usize = 16;

/// The routes' dependencies.
#[derive(Clone)]
pub(super) struct History {
    pub(super) score: Arc<perennial_score::Deps>,
    /// Held while one runs: two at once would only slow each other down.
    pub(super) running: Arc<Mutex<()>>,
}

pub(super) fn router(history: History) -> Router {
    Router::new()
        .route("/_local/rescore", post(rescore))
        .route("/_local/reach", post(reach))
        .route("/_local/calibrate", post(calibrate))
        .with_state(history)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rescore {
    #[serde(default)]
    dry_run: bool,
}

/// `POST /_local/rescore?dry_run=true`
async fn rescore(State(history): State<History>, Query(asked): Query<Rescore>) -> Response {
    run(history, move |deps, lines| {
        Box::pin(async move { rescore::run(&deps, asked.dry_run, &|progress| tell(&lines, progress)).await })
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reach {
    #[serde(default)]
    dry_run: bool,
    #[serde(default = "unlimited")]
    writes_per_second: u32,
}

/// The embedded table has no limit of its own.
const fn unlimited() -> u32 {
    u32::MAX
}

/// `POST /_local/reach?dry_run=true`
async fn reach(State(history): State<History>, Query(asked): Query<Reach>) -> Response {
    run(history, move |deps, lines| {
        Box::pin(async move {
            reach::run(&deps, asked.dry_run, asked.writes_per_second, &|progress| tell(&lines, progress)).await
        })
    })
}

/// `POST /_local/calibrate`
async fn calibrate(State(history): State<History>) -> Response {
    run(history, |deps, lines| Box::pin(async move { calibrate::run(&deps, &|progress| tell(&lines, progress)).await }))
}

/// A line of an answer that comes while the work is done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line<P, T> {
    /// The progress.
    Progress(P),
    /// The result.
    Done(T),
    /// The error.
    Error(String),
}

type Lines = mpsc::Sender<String>;

fn tell(lines: &Lines, progress: Progress) {
    // A slow or disconnected reader misses only progress.
    drop(lines.try_send(line(&Line::<_, ()>::Progress(progress))));
}

/// Starts the work, which continues even if the client disconnects.
fn run<T: Serialize + Send + 'static>(
    history: History,
    work: impl FnOnce(Arc<perennial_score::Deps>, Lines) -> BoxFuture<'static, Result<T, HistoryError>>,
) -> Response {
    let Ok(running) = Arc::clone(&history.running).try_lock_owned() else {
        let message = "a run over all history is in progress; wait until it is done";
        return error(StatusCode::CONFLICT, "running", message);
    };
    let (lines, waiting) = mpsc::channel(WAITING);
    let work = work(history.score, lines.clone());
    tokio::spawn(finish(work, lines, running));
    let body = stream::unfold(waiting, |mut waiting| async move {
        let line = waiting.recv().await?;
        Some((Ok::<_, Infallible>(line), waiting))
    });
    ([("content-type", "application/x-ndjson")], Body::from_stream(body)).into_response()
}

async fn finish<T: Serialize>(
    work: BoxFuture<'static, Result<T, HistoryError>>,
    lines: Lines,
    running: OwnedMutexGuard<()>,
) {
    let last = match work.await {
        Ok(outcome) => Line::<(), _>::Done(outcome),
        Err(error) => {
            tracing::error!(%error, "a run over all history failed");
            Line::Error(error.to_string())
        }
    };
    drop(running);
    // The client may have disconnected.
    drop(lines.send(line(&last)).await);
}

fn line<P: Serialize, T: Serialize>(line: &Line<P, T>) -> String {
    let text = serde_json::to_string(line).unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string());
    text + "\n"
}
