//! GitHub's scheme, which other systems use as well: HMAC-SHA256 over the body, in hex after `sha256=`. No time is
//! signed, so anyone who has seen a request can replay it; event ids derived from the delivery make that harmless.
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>

use super::{Rejection, Secret, Signed, header, verify_text};
use data_encoding::HEXLOWER_PERMISSIVE;

const HEADER: &str = "x-hub-signature-256";

pub(super) fn verify(secrets: &[Secret], request: Signed<'_>) -> Result<(), Rejection> {
    let digits = header(request, HEADER)?.strip_prefix("sha256=").ok_or(Rejection::UnsupportedVersion(HEADER))?;
    let signature = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| Rejection::MalformedHeader(HEADER))?;
    verify_text(secrets, &[request.body], &[signature])
}
