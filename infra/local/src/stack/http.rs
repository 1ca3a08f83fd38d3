//! One port for all HTTP: tracking and hooks go to `ingest`, reads and preference pages to `api`, as with function
//! URLs.

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
    let path = request.uri().path();
    let is_api = path == "/api"
        || path.starts_with("/api/")
        || path.starts_with("/u/")
        || path.starts_with("/inbox.")
        || path == "/";
    // Jitsu's clients post to their own paths below /api/s/.
    let handler = if is_api && !path.starts_with("/api/s/") { functions.api } else { functions.ingest };
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
