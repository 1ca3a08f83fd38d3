//! Verifies the signatures of webhooks from other systems.
//!
//! | scheme | signed | signature | time |
//! |---|---|---|---|
//! | [`standard`] | id, time and body | `v1,` and base64, several | within 5 minutes |
//! | [`stripe`] | time and body | `v1=` and hex, several | at most 5 minutes old |
//! | [`github`] | body | `sha256=` and hex | none |
//! | [`hubspot`] | method, URI, body and time | base64 | within 5 minutes |
//! | [`zendesk`] | time and body | base64 | within a day |
//! | [`zoom`] | time and body | `v0=` and hex | within 5 minutes |
//!
//! All are HMAC-SHA256 over the body's raw bytes, compared in constant time. The current time is a parameter. While a
//! secret is rotated there may be several; any of them verifies.

pub mod github;
pub mod hubspot;
pub mod standard;
pub mod stripe;
pub mod zendesk;
pub mod zoom;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use std::fmt;

/// A request as it came: the signatures are over these very bytes.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The whole URI as the sender called it: scheme, host, path and query.
    pub uri: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body before anything was done to it.
    pub body: &'a [u8],
}

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks, and Svix with its older header names.
    Standard,
    /// Stripe.
    Stripe,
    /// GitHub, and the many that sign as it does.
    GitHub,
    /// HubSpot, version 3.
    HubSpot,
    /// Zendesk.
    Zendesk,
    /// Zoom.
    Zoom,
}

/// A secret that both sides know. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns a secret as its provider shows it; `None` if it is empty, because anyone could sign with that.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        (!secret.is_empty()).then(|| Self(secret.to_owned()))
    }

    /// Parses secrets separated by white space, as an environment variable contains them while one is rotated.
    pub fn list(secrets: &str) -> Vec<Self> {
        secrets.split_whitespace().filter_map(Self::new).collect()
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The reason why a webhook's signature verification failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A header with the signature or a signed value is missing.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// A header is there, but not of its form.
    #[error("the header {0} is malformed")]
    MalformedHeader(&'static str),
    /// There are signatures, but none of the version that is verified.
    #[error("the header {0} contains no signature of a supported version")]
    UnsupportedVersion(&'static str),
    /// The signature is too old: possibly a replayed request.
    #[error("the signature is too old")]
    TooOld,
    /// The signature was made in the future.
    #[error("the signature's timestamp is in the future")]
    TooNew,
    /// The scheme signs text, and the body is not text.
    #[error("the body is not UTF-8")]
    BodyNotText,
    /// The secret that was configured cannot be one of the scheme's.
    #[error("the configured secret is not of the scheme's form")]
    UnusableSecret,
    /// No secret produces this signature for this body.
    #[error("the signature is wrong")]
    WrongSignature,
}

impl Rejection {
    /// Returns the rejection's stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingHeader(_) => "missing_header",
            Self::MalformedHeader(_) => "malformed_header",
            Self::UnsupportedVersion(_) => "unsupported_version",
            Self::TooOld => "signature_too_old",
            Self::TooNew => "signature_too_new",
            Self::BodyNotText => "body_not_text",
            Self::UnusableSecret => "unusable_secret",
            Self::WrongSignature => "wrong_signature",
        }
    }
}

/// Verifies a webhook signed with any of `secrets`, at time `now`.
///
/// # Errors
/// [`Rejection`] if verification fails.
pub fn verify(scheme: Scheme, secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    match scheme {
        Scheme::Standard => standard::verify(secrets, request, now),
        Scheme::Stripe => stripe::verify(secrets, request, now),
        Scheme::GitHub => github::verify(secrets, request),
        Scheme::HubSpot => hubspot::verify(secrets, request, now),
        Scheme::Zendesk => zendesk::verify(secrets, request, now),
        Scheme::Zoom => zoom::verify(secrets, request, now),
    }
}

/// The header's text, or the rejection.
fn header<'a>(request: Signed<'a>, name: &'static str) -> Result<&'a str, Rejection> {
    let value = request.headers.get(name).ok_or(Rejection::MissingHeader(name))?;
    value.to_str().map(str::trim).map_err(|_| Rejection::MalformedHeader(name))
}

/// The moment lies within `tolerance` before `now`, or after it.
fn fresh(signed_at: Timestamp, now: Timestamp, tolerance: SignedDuration) -> Result<(), Rejection> {
    let age = now.duration_since(signed_at);
    if age > tolerance {
        Err(Rejection::TooOld)
    } else if age < -tolerance {
        Err(Rejection::TooNew)
    } else {
        Ok(())
    }
}

/// Returns whether any of `secrets` produces any of `signatures` for the concatenated `parts`. Each pair is compared in
/// constant time.
fn any_signs<'s>(secrets: impl IntoIterator<Item = &'s [u8]>, parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
    let message = parts.concat();
    let mut signed = false;
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        for signature in signatures {
            signed |= hmac::verify(&key, &message, signature).is_ok();
        }
    }
    signed
}

/// Like [`any_signs`], with the secrets' own text as key.
fn verify_text(secrets: &[Secret], parts: &[&[u8]], signatures: &[Vec<u8>]) -> Result<(), Rejection> {
    let keys = secrets.iter().map(|secret| secret.expose().as_bytes());
    if any_signs(keys, parts, signatures) { Ok(()) } else { Err(Rejection::WrongSignature) }
}

#[cfg(test)]
#[path = "webhooks/tests.rs"]
mod tests;
