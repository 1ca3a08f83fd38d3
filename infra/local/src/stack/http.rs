//! One port for all HTTP: tracking and hooks go to `ingest`, reads and preference pages to `api`, and pages for colleagues
//! to the dashboard, as with function URLs.

use super::errors::error;
use super::mails;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use perennial_embedded_aws::Mails;
use std::sync::Arc;

/// A function as its URL calls it.
pub type HttpHandler =
    Arc<dyn Fn(lambda_http::Request) -> BoxFuture<'static, http::Response<lambda_http::Body>> + Send + Sync>;

/// The most bytes of a body that are read at all; the functions' own limits are below it.
const MAX_BODY: usize = 12 * 1024 * 1024;

/// The functions behind the port.
#[derive(Clone)]
pub struct Functions {
    /// Accepts events.
    pub ingest: HttpHandler,
    /// Answers questions.
    pub api: HttpHandler,
    /// Shows pages to colleagues.
    pub dashboard: HttpHandler,
}

impl Functions {
    /// Returns the function that a path belongs to: `ingest`, unless another one has it.
    fn of(&self, path: &str) -> HttpHandler {
        // Jitsu's clients post to their own paths below /api/s/.
        let is_api = !path.starts_with("/api/s/")
            && (path == "/api" || ["/api/", "/u/", "/inbox."].iter().any(|start| path.starts_with(start)));
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let handler = match () {
            () if is_api => &self.api,
            () if perennial_dashboard::PATHS.contains(&first) => &self.dashboard,
            () => &self.ingest,
        };
        Arc::clone(handler)
    }
}

/// Returns all routes of the port.
pub fn router(functions: Functions, mails: Mails) -> Router {
    let local = Router::new()
        .route("/_local/mails", get(mails::list))
        .route("/_local/mails/{id}", get(mails::show))
        .with_state(mails);
    Router::new().fallback(call).with_state(functions).merge(local)
}

async fn call(State(functions): State<Functions>, request: Request) -> Response {
    let handler = functions.of(request.uri().path());
    let (parts, body) = request.into_parts();
    let bytes = match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(why) if why.is::<LengthLimitError>() => {
            let message = "the body has more than 12 MiB; at most 10 MiB are allowed";
            return error(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message);
        }
        // The client disconnected; nobody reads this.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let body = if bytes.is_empty() { lambda_http::Body::Empty } else { lambda_http::Body::Binary(bytes.to_vec()) };
    // A separate task, so that a panic is one failed request, as on Lambda.
    let answered = tokio::spawn(handler(http::Request::from_parts(parts, body))).await;
    match answered {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let bytes = match body {
                lambda_http::Body::Text(text) => text.into_bytes(),
                lambda_http::Body::Binary(bytes) => bytes,
                _ => Vec::new(),
            };
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(_) => {
            tracing::error!("a request's handler panicked");
            error(StatusCode::BAD_GATEWAY, "internal", "the function panicked; see the log")
        }
    }
}
