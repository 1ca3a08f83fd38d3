//! Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, with the crate of the specification's authors.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//!
//! The crate's own `verify` reads the system clock, so the timestamp is checked here and the crate verifies only the
//! signature.

use super::{Rejection, Secret, Signed, fresh, header};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use standardwebhooks::{Webhook, WebhookError};

/// The largest difference between the timestamp and now.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

const VERSION: &str = "v1";

/// The three headers, with the specification's names and with Svix's.
const NAMES: [[&str; 3]; 2] =
    [["webhook-id", "webhook-timestamp", "webhook-signature"], ["svix-id", "svix-timestamp", "svix-signature"]];

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    let [specified, svix] = NAMES;
    let [id, timestamp, signature] =
        if request.headers.contains_key(svix[0]) && !request.headers.contains_key(specified[0]) {
            svix
        } else {
            specified
        };
    let message_id = header(request, id)?;
    let seconds: i64 = header(request, timestamp)?.parse().map_err(|_| Rejection::MalformedHeader(timestamp))?;
    let signed_at = Timestamp::from_second(seconds).map_err(|_| Rejection::MalformedHeader(timestamp))?;
    header(request, signature)?;
    // Several signatures are in one header, or in several of the same name.
    let lines = request.headers.get_all(signature).iter().filter_map(|line| line.to_str().ok());
    let given: Vec<&str> = lines
        .flat_map(|line| line.split(' '))
        .filter(|one| one.split_once(',').is_some_and(|(v, _)| v == VERSION))
        .collect();
    if given.is_empty() {
        return Err(Rejection::UnsupportedVersion(signature));
    }
    fresh(signed_at, now, TOLERANCE)?;

    let mut signed = false;
    for secret in secrets {
        let webhook = Webhook::new(secret.expose()).map_err(|_| Rejection::UnusableSecret)?;
        let expected = webhook.sign(message_id, seconds, request.body).map_err(|error| match error {
            WebhookError::InvalidPayload => Rejection::BodyNotText,
            _ => Rejection::UnusableSecret,
        })?;
        for one in &given {
            signed |= same(one, &expected);
        }
    }
    if signed { Ok(()) } else { Err(Rejection::WrongSignature) }
}

/// Compares in constant time, by the MACs of both under an arbitrary key.
fn same(a: &str, b: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[]);
    hmac::verify(&key, a.as_bytes(), hmac::sign(&key, b.as_bytes()).as_ref()).is_ok()
}
