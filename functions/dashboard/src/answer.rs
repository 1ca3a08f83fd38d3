//! Answers, and how failures become them.

use crate::read::Read;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use lambda_http::Body;
use perennial_store::StoreError;
use perennial_views::ViewError;

/// The policy of pages: they may load their own style, script and pictures, and forms to this origin. Nothing inline.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// The reason why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no such page, person, account or journey.
    #[error("{0}")]
    NotFound(String),
    /// The request is wrong: what, and what is allowed.
    #[error("{0}")]
    Wrong(String),
    /// A form that none of our pages sent, or one that was open for too long.
    #[error("this form has expired, or was sent from another site: go back, reload the page and try again")]
    Form,
    /// The visitor has no session, or it has ended.
    #[error("your session has ended: sign in, and do it again")]
    SignedOut,
    /// The visitor's role does not allow it.
    #[error("{0}")]
    Role(&'static str),
    /// The path is there, but not with this method.
    #[error("this address is not for that")]
    Method,
    /// Nothing was counted yet.
    #[error(
        "nothing was counted yet: the sweep counts everyone in the background, some minutes after the first events; reload then"
    )]
    NotCounted,
    /// A service does not respond.
    #[error("{0}")]
    Unavailable(String),
    /// Something stored cannot be read.
    #[error("{0}")]
    Internal(String),
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::NotFound(why) => Self::NotFound(why.to_owned()),
            ViewError::Unknown(why) => Self::NotFound(why),
            ViewError::Wrong(why) => Self::Wrong(why.to_owned()),
            ViewError::Invalid(why) => Self::Wrong(why),
            ViewError::NotCounted => Self::NotCounted,
            ViewError::Store(error) => error.into(),
            ViewError::Queue(why) => Self::Unavailable(why),
            error @ (ViewError::Config(_) | ViewError::Json(_)) => Self::Internal(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_unreadable() { Self::Internal(error.to_string()) } else { Self::Unavailable(error.to_string()) }
    }
}

impl Failure {
    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Form | Self::SignedOut | Self::Role(_) => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotCounted | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the title of its page.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Not found",
            Self::Wrong(_) => "That cannot be shown",
            Self::Form | Self::SignedOut => "Nothing was changed",
            Self::Role(_) => "Your role does not allow this",
            Self::Method => "Not here",
            Self::NotCounted => "Not counted yet",
            Self::Unavailable(_) => "A part of the system does not respond",
            Self::Internal(_) => "Something stored cannot be read",
        }
    }

    /// Returns what its page says. Messages of services stay in the log.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Unavailable(_) => {
                "Reload in a moment. If it stays, the Operations page and the function's log say more.".to_owned()
            }
            Self::Internal(_) => "The function's log says which item. Everything else is not affected.".to_owned(),
            other => crate::words::sentence(&other.to_string()),
        }
    }
}

/// Returns a page.
pub(crate) fn html(status: StatusCode, html: String) -> Response<Body> {
    let mut answer = with_headers(status, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    set(headers, header::REFERRER_POLICY, "same-origin");
    set(headers, HeaderName::from_static("x-robots-tag"), "noindex");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    answer
}

/// Returns a table as a file to download.
pub(crate) fn csv(name: &str, table: String) -> Response<Body> {
    let mut answer = with_headers(StatusCode::OK, "text/csv; charset=utf-8; header=present", table);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}

/// The content of an answer, without the frame of pages.
pub(crate) enum Shown<P> {
    /// A page.
    Page(P),
    /// A file, and the personal data in it.
    File(Response<Body>, Option<Read>),
}

/// Sends the browser to another page after a form.
pub(crate) fn see_other(path: &str) -> Response<Body> {
    let mut answer = with_headers(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    if let Ok(value) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(header::LOCATION, value);
    }
    answer
}

/// Returns an answer that no cache keeps.
pub(crate) fn with_headers(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Body::Text(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    set(headers, header::CONTENT_TYPE, kind);
    set(headers, header::CACHE_CONTROL, "no-store");
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    answer
}

/// Sets a header to a constant.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
