//! Cross-origin rules: browser SDKs run on pages of any origin.
//!
//! No cookie means anything here, so that every origin may send and read answers. The origin is echoed rather than `*`,
//! since some SDKs send their requests with credentials, and browsers then take no `*`.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderValue, Response, StatusCode};
use lambda_http::Body;

/// Every header that a browser SDK was seen to request: analytics.js, Rudder JS (the `rsa-` ones), Jitsu.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, content-encoding, x-retry-count, x-write-key, anonymousid, sentat, rsa-retry-reason, rsa-retry-attempt, \
     rsa-since-first-attempt, rsa-since-last-attempt",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
/// A browser that cannot see it tries again at once.
const EXPOSED: HeaderValue = HeaderValue::from_static("Retry-After");
/// Seconds; Chromium keeps a preflight's answer for no longer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The answer to a preflight.
pub(crate) fn preflight() -> Response<Body> {
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    answer
}

/// Lets a page of `origin` read the response.
pub(crate) fn allow(answer: &mut Response<Body>, origin: Option<HeaderValue>) {
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}
