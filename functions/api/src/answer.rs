//! Answers, and how failures become them.

use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::Body;
use perennial_store::{ConfigStoreError, StoreError};
use perennial_views::ViewError;
use serde::Serialize;
use serde_json::json;

/// The policy of a page: it may only display itself and post its form back. No script, no picture, no frame around it.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The reason why a request fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Not found.
    #[error("{0}")]
    NotFound(&'static str),
    /// Not found, with a longer message.
    #[error("{0}")]
    Unknown(String),
    /// The path is there, but not with this method.
    #[error("this path answers {0} only")]
    Method(&'static str),
    /// The request is wrong.
    #[error("{0}")]
    Wrong(&'static str),
    /// The request is wrong, which takes more words.
    #[error("{0}")]
    Invalid(String),
    /// No key, or none that is known.
    #[error("send a key that may read as `Authorization: Bearer KEY`")]
    NoKey,
    /// A key that may read, and no more.
    #[error("this key may only read; send one that may operate")]
    ReadOnly,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The active configuration cannot be loaded.
    #[error("the active config cannot be read: {0}")]
    Config(ConfigStoreError),
    /// A queue.
    #[error("{0}")]
    Queue(String),
    /// The table is too large to be counted for a request, and the sweep is not through with it for the first time.
    #[error("the table was not counted yet: the sweep counts it a part at a time; ask again in some minutes")]
    NotCounted,
    /// The answer cannot be written.
    #[error("failed to serialize the response: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<ConfigStoreError> for Failure {
    fn from(error: ConfigStoreError) -> Self {
        match error {
            ConfigStoreError::Store(error) => Self::Store(error),
            error => Self::Config(error),
        }
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::NotFound(why) => Self::NotFound(why),
            ViewError::Unknown(why) => Self::Unknown(why),
            ViewError::Wrong(why) => Self::Wrong(why),
            ViewError::Invalid(why) => Self::Invalid(why),
            ViewError::Store(error) => Self::Store(error),
            ViewError::Config(error) => Self::Config(error),
            ViewError::Queue(why) => Self::Queue(why),
            ViewError::NotCounted => Self::NotCounted,
            ViewError::Json(error) => Self::Json(error),
        }
    }
}

impl Failure {
    pub(crate) fn answer(&self) -> Response<Body> {
        let (status, code) = match self {
            Self::NotFound(_) | Self::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Wrong(_) | Self::Invalid(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::NoKey => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::ReadOnly => (StatusCode::FORBIDDEN, "read_only"),
            Self::Store(StoreError::Corrupt(_) | StoreError::Unstorable(_)) | Self::Config(_) | Self::Json(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
            Self::NotCounted => (StatusCode::SERVICE_UNAVAILABLE, "not_counted"),
            Self::Store(_) | Self::Queue(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let message = if status.is_server_error() && !matches!(self, Self::NotCounted) {
            tracing::error!(error = %self, "failed to answer a request");
            "internal error; try again".to_owned()
        } else {
            self.to_string()
        };
        let body = json!({ "error": { "code": code, "message": message } });
        let mut answer = with_headers(status, "application/json", body.to_string());
        let headers = answer.headers_mut();
        match self {
            Self::NoKey => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Self::Method(allowed) => headers.insert(header::ALLOW, HeaderValue::from_static(allowed)),
            Self::NotCounted => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("300")),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"))
            }
            _ => None,
        };
        answer
    }
}

/// `value` as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Response<Body>, Failure> {
    Ok(with_headers(StatusCode::OK, "application/json", serde_json::to_string(value)?))
}

/// Returns a table as CSV.
pub(crate) fn csv(table: String) -> Response<Body> {
    with_headers(StatusCode::OK, "text/csv; charset=utf-8; header=present", table)
}

/// Returns a page, under a policy that allows only its own style and form.
pub(crate) fn page(status: StatusCode, html: String) -> Response<Body> {
    let mut answer = with_headers(status, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    answer
}

fn with_headers(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Body::Text(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
