//! Tokens with which a person's own browser reads their inbox, and nothing else.
//!
//! The customer's backend makes one for whoever is signed in: `EXPIRES.SIGNATURE`, where `EXPIRES` is in seconds since 1970 and
//! `SIGNATURE` is base64url, without padding, of HMAC-SHA-256 with the secret over `perennial-inbox:EXPIRES:IDENTITY`. The identity is
//! that of the inbox's path, before it is percent-encoded.

use crate::access::bearer;
use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use std::fmt;

/// The shortest secret, in bytes: what HMAC-SHA-256 gives full strength with.
pub const MIN_SECRET_BYTES: usize = 32;
/// How far ahead a token may expire: one that is lost opens an inbox for no longer.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The secrets that tokens are made with; without any, nobody has a token. Several while one is rotated.
#[derive(Clone, Default)]
pub struct Readers(Vec<hmac::Key>);

/// A secret is too short to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret needs at least 32 bytes")]
pub struct SecretTooShort;

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({})", self.0.len())
    }
}

impl Readers {
    /// Secrets from their texts, whose bytes are taken as they stand.
    ///
    /// # Errors
    /// [`SecretTooShort`] where one has less than [`MIN_SECRET_BYTES`].
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, SecretTooShort> {
        let key = |secret: &str| {
            let bytes = secret.as_bytes();
            (bytes.len() >= MIN_SECRET_BYTES).then(|| hmac::Key::new(hmac::HMAC_SHA256, bytes)).ok_or(SecretTooShort)
        };
        secrets.into_iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request with `headers` comes from whose inbox `identity` leads to.
    pub(crate) fn allows(&self, headers: &HeaderMap, identity: &str, now: Timestamp) -> bool {
        bearer(headers).is_some_and(|token| self.verify(token, identity, now).is_some())
    }

    fn verify(&self, token: &str, identity: &str, now: Timestamp) -> Option<()> {
        let (expires, signature) = token.split_once('.')?;
        let at = Timestamp::from_second(expires.parse().ok()?).ok()?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        let message = format!("perennial-inbox:{expires}:{identity}");
        let signed = self.0.iter().any(|key| hmac::verify(key, message.as_bytes(), &signature).is_ok());
        (signed && now < at && at <= now + LONGEST).then_some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::header::AUTHORIZATION;

    const SECRET: &str = "a secret of at least thirty-two bytes";
    /// Made by `printf %s perennial-inbox:1772440000:user/1 | openssl dgst -sha256 -hmac "$SECRET" -binary | basenc --base64url | tr -d =`.
    const TOKEN: &str = "1772440000.tyn9-4i1MUo9BcS3sm6TeCraZRNoeiby6QtyRjQ7kSU";

    fn allows(secrets: &[&str], token: &str, identity: &str, second: i64) -> bool {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        let readers = Readers::new(secrets.iter().copied()).unwrap();
        readers.allows(&headers, identity, Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_token_as_other_languages_make_it_opens_its_own_inbox_until_it_expires() {
        let before = 1_772_439_999;
        assert!(allows(&[SECRET], TOKEN, "user/1", before));
        assert!(allows(&["another secret of thirty-two bytes.", SECRET], TOKEN, "user/1", before), "while rotated");
        assert!(!allows(&[SECRET], TOKEN, "user/2", before), "another person");
        assert!(!allows(&[SECRET], TOKEN, "user/1", 1_772_440_000), "expired");
        assert!(!allows(&[SECRET], TOKEN, "user/1", before - LONGEST.as_secs()), "good for too long");
        assert!(!allows(&["another secret of thirty-two bytes."], TOKEN, "user/1", before), "another secret");
        assert!(!allows(&[], TOKEN, "user/1", before), "no secret");
        let later = TOKEN.replace("1772440000", "1772440001");
        for wrong in [later.as_str(), "", ".", "1772440000.", "1772440000", "x.y", &TOKEN[..40]] {
            assert!(!allows(&[SECRET], wrong, "user/1", before), "{wrong}");
        }
        assert!(!Readers::new([SECRET]).unwrap().allows(&HeaderMap::new(), "user/1", Timestamp::UNIX_EPOCH));
        assert_eq!(Readers::new(["short"]).unwrap_err(), SecretTooShort);
    }
}
