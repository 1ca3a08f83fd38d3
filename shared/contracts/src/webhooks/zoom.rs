//! Zoom: HMAC-SHA256 over `v0:`, the timestamp, `:` and the body, in hex after `v0=`, with the app's secret token.
//!
//! Before Zoom sends anything to an address, and every 72 hours, it asks whether the address knows the secret: the event `endpoint.url_validation` with a
//! `plainToken`, that should be answered with its HMAC.
//! <https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint>, `#verify-webhook-events`

use super::{Rejection, Secret, Signed, fresh, header, verify_text};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};

/// The largest difference between the timestamp and now.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// The longest token that is answered, in bytes.
const MAX_TOKEN: usize = 256;

const SIGNATURE: &str = "x-zm-signature";
const TIMESTAMP: &str = "x-zm-request-timestamp";
const VALIDATION: &str = "endpoint.url_validation";

/// The answer to a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// The token as it came.
    pub plain_token: String,
    /// Its HMAC-SHA256 with the secret, in hex.
    pub encrypted_token: String,
}

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    let digits = header(request, SIGNATURE)?.strip_prefix("v0=").ok_or(Rejection::UnsupportedVersion(SIGNATURE))?;
    let signature = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| Rejection::MalformedHeader(SIGNATURE))?;
    let timestamp = header(request, TIMESTAMP)?;
    let signed_at = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    fresh(signed_at.ok_or(Rejection::MalformedHeader(TIMESTAMP))?, now, TOLERANCE)?;
    verify_text(secrets, &[b"v0:", timestamp.as_bytes(), b":", request.body], &[signature])
}

/// Returns the answer to a validation, with the secret that signed it; `None` if the request is none, or is not signed. A token of anyone
/// else is not answered: `v0:…` as a token would be answered with a signature.
pub fn validation(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Option<Validation> {
    #[derive(Deserialize)]
    struct Asked {
        event: String,
        payload: Token,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Token {
        plain_token: String,
    }
    let asked: Asked = serde_json::from_slice(request.body).ok()?;
    let token =
        Some(asked.payload.plain_token).filter(|token| asked.event == VALIDATION && token.len() <= MAX_TOKEN)?;
    let secret = secrets.iter().find(|secret| verify(std::slice::from_ref(secret), request, now).is_ok())?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let encrypted_token = HEXLOWER.encode(hmac::sign(&key, token.as_bytes()).as_ref());
    Some(Validation { plain_token: token, encrypted_token })
}
