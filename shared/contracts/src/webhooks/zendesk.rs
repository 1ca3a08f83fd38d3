//! Zendesk: HMAC-SHA256 over timestamp and body, in base64.
//! <https://developer.zendesk.com/documentation/webhooks/verifying/>

use super::{Rejection, Secret, Signed, fresh, header, verify_text};
use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};

/// The largest difference between the timestamp and now. Zendesk documents no limit and retries for a long time, so
/// this only excludes old requests; repeats within it are recognized by their event ids.
pub const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// The public secret of the test requests that Zendesk sends before a webhook, and thus its secret, exists.
const REHEARSAL_SECRET: &str = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";

const SIGNATURE: &str = "x-zendesk-webhook-signature";
const TIMESTAMP: &str = "x-zendesk-webhook-signature-timestamp";

/// Returns whether this is a test request that Zendesk sends before the webhook is created. Anyone could have made it:
/// respond to it, but process nothing of it.
pub fn is_rehearsal(request: Signed<'_>, now: Timestamp) -> bool {
    Secret::new(REHEARSAL_SECRET).is_some_and(|secret| verify(&[secret], request, now).is_ok())
}

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    let signature = header(request, SIGNATURE)?;
    let signature = BASE64.decode(signature.as_bytes()).map_err(|_| Rejection::MalformedHeader(SIGNATURE))?;
    let timestamp = header(request, TIMESTAMP)?;
    fresh(timestamp.parse().map_err(|_| Rejection::MalformedHeader(TIMESTAMP))?, now, TOLERANCE)?;
    verify_text(secrets, &[timestamp.as_bytes(), request.body], &[signature])
}
