//! Stripe: HMAC-SHA256 over `t.body`, in hex, in one header with its timestamp.
//! <https://docs.stripe.com/webhooks#verify-manually>

use super::{Rejection, Secret, Signed, header, verify_text};
use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::{SignedDuration, Timestamp};

/// The oldest signature that is accepted. As in Stripe's own libraries, a signature in the future is not an error.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

const HEADER: &str = "stripe-signature";

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    let malformed = Rejection::MalformedHeader(HEADER);
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for part in header(request, HEADER)?.split(',') {
        let (name, value) = part.trim().split_once('=').ok_or(malformed)?;
        match name {
            "t" => timestamp = Some(value),
            // `v0` is a test scheme, and anything else none of ours.
            "v1" => signatures.push(HEXLOWER_PERMISSIVE.decode(value.as_bytes()).map_err(|_| malformed)?),
            _ => {}
        }
    }
    let timestamp = timestamp.ok_or(malformed)?;
    let signed_at = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(malformed)?;
    if signatures.is_empty() {
        return Err(Rejection::UnsupportedVersion(HEADER));
    }
    if now.duration_since(signed_at) > TOLERANCE {
        return Err(Rejection::TooOld);
    }
    verify_text(secrets, &[timestamp.as_bytes(), b".", request.body], &signatures)
}
