//! Responses to the caller.

use crate::limits::{MAX_INFLATED_BYTES, MAX_WIRE_BYTES};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Response, StatusCode};
use lambda_http::Body;
use perennial_contracts::tracking::{Code, Dialect, Invalid, Unreadable};
use perennial_contracts::webhooks::Rejection;
use perennial_domain::hygiene::Note;
use serde_json::json;
use std::time::Duration;

/// Seconds after which a client should try again.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Why a request as a whole is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "there is nothing at this path; events go to /v1/track, identify, group, page, screen, alias or batch, webhooks to /hooks/SOURCE, and PostHog's libraries to /batch/, /capture/, /e/ or /i/v0/e/"
    )]
    NoSuchPath,
    #[error("this path does not support this method; it supports {}", methods(.0))]
    Method(&'static [Method]),
    #[error(
        "no source has this write key; it may come as the user name of Basic authentication, in X-Write-Key, in the query or in the body as `writeKey`, which PostHog's libraries call `api_key` or `token`"
    )]
    NoSuchKey,
    #[error("the body is empty")]
    EmptyBody,
    #[error("the body has more than {MAX_WIRE_BYTES} bytes")]
    TooLarge,
    #[error("the inflated body has more than {MAX_INFLATED_BYTES} bytes")]
    TooLargeInflated,
    #[error("the body has a gzip header but is not valid gzip")]
    NotGzip,
    #[error("the body is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("{problem}")]
    Unreadable { problem: Unreadable, at: Option<String> },
    #[error("the body is neither JSON nor a form: {0}")]
    NotJson(String),
    #[error("the body must be a JSON object, an array of them, or a form")]
    NoPayload,
    /// The event of a single call.
    #[error("{0}")]
    Event(Invalid),
    #[error("webhook signature verification failed: {0}")]
    Webhook(Rejection),
    #[error("the signing secret of this hook is not configured")]
    NoSecret,
    #[error("too many concurrent requests; try again")]
    Busy,
    #[error("the queue is throttled; try again")]
    Throttled,
    #[error("too many events from this address with a public key; send them again after the time in Retry-After")]
    TooMany { after: Duration },
    #[error("failed to store all of the body; send it again")]
    NotStored,
}

fn methods(all: &[Method]) -> String {
    all.iter().map(Method::as_str).collect::<Vec<_>>().join(" and ")
}

impl Refusal {
    pub(crate) fn unreadable(problem: Unreadable, text: &str) -> Self {
        let at = match problem {
            Unreadable::Json(malformed) => Some(place(text, malformed.at)),
            _ => None,
        };
        Self::Unreadable { problem, at }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSuchKey | Self::Webhook(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge
            | Self::TooLargeInflated
            | Self::Unreadable { problem: Unreadable::TooManyEvents | Unreadable::ContextTooLarge, .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Event(invalid) if invalid.code == Code::EventTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::EmptyBody
            | Self::NotGzip
            | Self::NotUtf8 { .. }
            | Self::Unreadable { .. }
            | Self::NotJson(_)
            | Self::NoPayload
            | Self::Event(_) => StatusCode::BAD_REQUEST,
            Self::Throttled | Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoSecret | Self::Busy | Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPath => "not_found",
            Self::Method(_) => "method_not_allowed",
            Self::NoSuchKey => "unknown_write_key",
            Self::EmptyBody => "empty_body",
            Self::TooLarge => "body_too_large",
            Self::TooLargeInflated => "inflated_body_too_large",
            Self::NotGzip => "invalid_gzip",
            Self::NotUtf8 { .. } => "invalid_utf8",
            Self::Unreadable { problem, .. } => match problem {
                Unreadable::Json(_) => "invalid_json",
                Unreadable::NotAnObject => "not_an_object",
                Unreadable::NoBatch => "no_batch",
                Unreadable::TooManyEvents => "too_many_events",
                Unreadable::ContextTooLarge => "context_too_large",
            },
            Self::NotJson(_) => "invalid_json",
            Self::NoPayload => "not_an_object",
            Self::Event(invalid) => invalid.code.as_str(),
            Self::Webhook(rejection) => rejection.code(),
            Self::NoSecret => "hook_not_configured",
            Self::Busy => "busy",
            Self::Throttled => "throttled",
            Self::TooMany { .. } => "rate_limited",
            Self::NotStored => "not_stored",
        }
    }

    fn at(&self) -> Option<String> {
        match self {
            Self::NotUtf8 { at } => Some(format!("byte {at}")),
            Self::Unreadable { at, .. } => at.clone(),
            Self::Event(invalid) if !invalid.path.is_empty() => Some(invalid.path.to_owned()),
            _ => None,
        }
    }

    pub(crate) fn answer(&self) -> Response<Body> {
        let status = self.status();
        let body = json!({ "error": { "code": self.code(), "message": self.to_string(), "at": self.at() } });
        let mut answer = json_answer(status, &body);
        let headers = answer.headers_mut();
        if let Self::Method(allowed) = self {
            let allowed: Vec<&str> = allowed.iter().map(Method::as_str).chain(["OPTIONS"]).collect();
            if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
                headers.insert(ALLOW, allowed);
            }
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = match self {
                Self::TooMany { after } => after.as_secs() + u64::from(after.subsec_nanos() > 0),
                _ => RETRY_AFTER_SECONDS,
            };
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// Returns the response for stored calls. `warnings` lists what was dropped of which call, and `rejects` why which call was
/// rejected, by its position in the body.
pub(crate) fn stored(
    (accepted, rejected): (usize, usize),
    warnings: &[(usize, Note)],
    rejects: &[(usize, Invalid)],
    dialect: Dialect,
) -> Response<Body> {
    let mut body = json!({ "success": true, "accepted": accepted, "rejected": rejected });
    if !rejects.is_empty() {
        let rejects = rejects.iter().map(|(index, invalid)| {
            let at = (!invalid.path.is_empty()).then_some(invalid.path);
            json!({ "index": index, "code": invalid.code.as_str(), "message": invalid.to_string(), "at": at })
        });
        body["rejects"] = rejects.collect();
    }
    if !warnings.is_empty() {
        let warnings = warnings.iter().map(|(index, note)| {
            let mut warning = json!(note);
            warning["index"] = json!(index);
            warning
        });
        body["warnings"] = warnings.collect();
    }
    if dialect == Dialect::PostHog {
        body["status"] = json!(1);
    }
    json_answer(StatusCode::OK, &body)
}

/// Returns the response for a single stored call. `warnings` lists the changes to its traits; it is absent if there are
/// none.
pub(crate) fn stored_one(notes: &[&Note]) -> Response<Body> {
    let mut body = json!({ "success": true, "accepted": 1, "rejected": 0 });
    if !notes.is_empty() {
        body["warnings"] = json!(notes);
    }
    json_answer(StatusCode::OK, &body)
}

pub(crate) fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut answer = Response::new(Body::Text(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Returns the position of byte `at` of `text` for readers.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column} (byte {at})")
}
