//! Tokens that the product's server makes for a signed-in user. Tokens of one purpose let the user's browser read the
//! inbox; those of the other prove the user's identity.
//!
//! A token is `EXPIRES.SIGNATURE`: `EXPIRES` is in seconds since 1970, and `SIGNATURE` is base64url, without padding,
//! of HMAC-SHA-256 with a secret over `PURPOSE:EXPIRES:ID`. A token is valid for one purpose only.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The shortest secret in bytes, which gives HMAC-SHA-256 its full strength.
pub const MIN_SECRET_BYTES: usize = 32;
/// The longest lifetime of a token, which limits the use of a leaked one.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The purpose of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading the inbox of the identity, as in the inbox's path before it is percent-encoded.
    Inbox,
    /// Sending events as this user, in `context.userToken`.
    User,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Inbox => "perennial-inbox",
            Self::User => "perennial-user",
        }
    }
}

/// The secrets that sign tokens. Without a secret, every token is invalid. There are several while one is rotated.
/// Clones share them.
#[derive(Clone, Default)]
pub struct TokenSecrets(Arc<[hmac::Key]>);

/// A secret is too short to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret needs at least 32 bytes")]
pub struct SecretTooShort;

impl fmt::Debug for TokenSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSecrets({})", self.0.len())
    }
}

impl TokenSecrets {
    /// Parses secrets separated by commas. Their bytes are used unchanged, except for surrounding white space.
    ///
    /// # Errors
    /// [`SecretTooShort`] if one has fewer than [`MIN_SECRET_BYTES`].
    pub fn parse(text: &str) -> Result<Self, SecretTooShort> {
        let key = |secret: &str| {
            let bytes = secret.as_bytes();
            (bytes.len() >= MIN_SECRET_BYTES).then(|| hmac::Key::new(hmac::HMAC_SHA256, bytes)).ok_or(SecretTooShort)
        };
        text.split(',').map(|secret| key(secret.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Returns whether `token` is valid for `purpose` and `id` at `now`.
    pub fn verify(&self, purpose: Purpose, token: &str, id: &str, now: Timestamp) -> bool {
        self.verified(purpose, token, id, now).is_some()
    }

    fn verified(&self, purpose: Purpose, token: &str, id: &str, now: Timestamp) -> Option<()> {
        let (expires, signature) = token.split_once('.')?;
        let at = Timestamp::from_second(expires.parse().ok()?).ok()?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        let message = format!("{}:{expires}:{id}", purpose.prefix());
        let signed = self.0.iter().any(|key| hmac::verify(key, message.as_bytes(), &signature).is_ok());
        (signed && now < at && at <= now + LONGEST).then_some(())
    }
}

/// The names of users' tokens in JSON, compared without case: the tracking API puts them in the context, PostHog among
/// the properties (`$user_token`).
const NAMES: [&str; 3] = ["usertoken", "user_token", "user-token"];

/// Returns JSON text, possibly truncated, without users' tokens.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let (mut clean, mut from) = (String::new(), 0);
    for (at, _) in text.match_indices('"') {
        if at < from || !ends_with_name(&text[..at]) {
            continue;
        }
        let value = text[at + 1..].trim_start().strip_prefix(':').map(str::trim_start);
        if let Some(value) = value.and_then(|value| value.strip_prefix('"')) {
            let start = text.len() - value.len();
            clean.push_str(&text[from..start]);
            clean.push_str("[redacted]");
            from = value.find('"').map_or(text.len(), |end| start + end);
        }
    }
    if from == 0 {
        return text.into();
    }
    clean.push_str(&text[from..]);
    clean.into()
}

fn ends_with_name(text: &str) -> bool {
    let text = text.as_bytes();
    NAMES.iter().any(|name| {
        let begin = text.len().checked_sub(name.len());
        begin.is_some_and(|begin| text[begin..].eq_ignore_ascii_case(name.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECRET: &str = "a secret of at least thirty-two bytes";
    const OTHER: &str = "another secret of thirty-two bytes.";
    /// Made by `printf %s perennial-inbox:1772440000:user/1 | openssl dgst -sha256 -hmac "$SECRET" -binary | basenc --base64url | tr -d =`.
    const TOKEN: &str = "1772440000.tyn9-4i1MUo9BcS3sm6TeCraZRNoeiby6QtyRjQ7kSU";
    /// The same of `perennial-user:1772440000:user/1`.
    const USER_TOKEN: &str = "1772440000.-EAh9wL-RdMl6awi55Sms_DDsaz7c-SmvTWmlgTAdn8";

    fn allows(secrets: &str, purpose: Purpose, token: &str, id: &str, second: i64) -> bool {
        let now = Timestamp::from_second(second).unwrap();
        TokenSecrets::parse(secrets).unwrap().verify(purpose, token, id, now)
    }

    #[test]
    fn a_token_as_other_languages_make_it_is_good_for_its_purpose_and_person_until_it_expires() {
        let before = 1_772_439_999;
        for (purpose, token, other) in
            [(Purpose::Inbox, TOKEN, Purpose::User), (Purpose::User, USER_TOKEN, Purpose::Inbox)]
        {
            assert!(allows(SECRET, purpose, token, "user/1", before));
            assert!(allows(&format!("{OTHER}, {SECRET}"), purpose, token, "user/1", before), "while rotated");
            assert!(!allows(SECRET, other, token, "user/1", before), "another purpose");
            assert!(!allows(SECRET, purpose, token, "user/2", before), "another person");
            assert!(!allows(SECRET, purpose, token, "user/1", 1_772_440_000), "expired");
            assert!(!allows(SECRET, purpose, token, "user/1", before - LONGEST.as_secs()), "good for too long");
            assert!(!allows(OTHER, purpose, token, "user/1", before), "another secret");
            let later = token.replace("1772440000", "1772440001");
            for wrong in [later.as_str(), "", ".", "1772440000.", "1772440000", "x.y", &token[..40]] {
                assert!(!allows(SECRET, purpose, wrong, "user/1", before), "{wrong}");
            }
        }
        let now = Timestamp::UNIX_EPOCH;
        assert!(!TokenSecrets::default().verify(Purpose::Inbox, TOKEN, "user/1", now), "no secret");
        assert_eq!(TokenSecrets::parse("short").unwrap_err(), SecretTooShort);
        assert_eq!(format!("{:?}", TokenSecrets::parse(SECRET).unwrap()), "TokenSecrets(1)");
    }

    #[test]
    fn no_token_is_left_in_a_text() {
        for (text, expected) in [
            (
                r#"{"context":{"userToken" : "1.abc","ip":"::1"}}"#,
                r#"{"context":{"userToken" : "[redacted]","ip":"::1"}}"#,
            ),
            (
                r#"{"a":{"$user_token":"1.abc"},"userToken":"2.d"}"#,
                r#"{"a":{"$user_token":"[redacted]"},"userToken":"[redacted]"}"#,
            ),
            (r#"{"userToken":"1.abc"#, r#"{"userToken":"[redacted]"#),
            (
                r#"{"a":{"UserToken":"1.a"},"user_token":"2.b"}"#,
                r#"{"a":{"UserToken":"[redacted]"},"user_token":"[redacted]"}"#,
            ),
            (r#"{"userToken":"1.a","userToken":"2.b"}"#, r#"{"userToken":"[redacted]","userToken":"[redacted]"}"#),
        ] {
            assert_eq!(redacted(text), expected);
        }
        for same in [r#"{"userToken":null}"#, r#"{"userToken"#, "{}", r#"{"userToken":"#] {
            assert!(matches!(redacted(same), Cow::Borrowed(text) if text == same), "{same}");
        }
    }
}
