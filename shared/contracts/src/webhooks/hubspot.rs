//! HubSpot, version 3: HMAC-SHA256 over method, URI, body and timestamp, in base64, with the app's client secret.
//! <https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests#validate-the-v3-request-signature>

use super::{Rejection, Secret, Signed, fresh, header, verify_text};
use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};

/// The largest difference between the timestamp and now.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

const SIGNATURE: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// The characters whose percent-encoding is decoded before signing, from HubSpot's table.
const DECODED: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>, now: Timestamp) -> Result<(), Rejection> {
    let signature = header(request, SIGNATURE)?;
    let signature = BASE64.decode(signature.as_bytes()).map_err(|_| Rejection::MalformedHeader(SIGNATURE))?;
    let timestamp = header(request, TIMESTAMP)?;
    let signed_at = timestamp.parse().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    fresh(signed_at.ok_or(Rejection::MalformedHeader(TIMESTAMP))?, now, TOLERANCE)?;
    let uri = decoded(request.uri);
    let parts: [&[u8]; 4] = [request.method.as_bytes(), uri.as_bytes(), request.body, timestamp.as_bytes()];
    verify_text(secrets, &parts, &[signature])
}

fn decoded(uri: &str) -> String {
    DECODED.iter().fold(uri.to_owned(), |uri, (encoded, plain)| {
        uri.replace(encoded, plain).replace(&encoded.to_lowercase(), plain)
    })
}
