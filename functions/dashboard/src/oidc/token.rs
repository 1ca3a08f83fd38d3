//! ID tokens: whether one was made by our provider, for us, now, for this sign-in.
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>

use super::jwks::{Algorithm, KeySet};
use crate::role::{Claims, GOOGLE};
use crate::session::MAX_SUBJECT;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The longest token that is read, in bytes. Entra's with 200 groups have some 10 KB.
pub(crate) const MAX_TOKEN: usize = 32 * 1024;
/// The seconds by which the provider's clock may differ from ours.
const LEEWAY: i64 = 60;

/// The reason why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    /// It is not of three parts of JSON and base64url, or too long.
    #[error("it is not a signed JSON Web Token")]
    Form,
    /// Its algorithm is not one of those that are accepted.
    #[error("it is not signed with RS or PS 256, 384 or 512, or with ES 256 or 384")]
    Algorithm,
    /// No key of the provider made its signature.
    #[error("no key of the provider made its signature")]
    Signature,
    /// It is of another issuer.
    #[error("it is of another issuer")]
    Issuer,
    /// It is for another client.
    #[error("it is for another client")]
    Audience,
    /// It has expired, or is not valid yet.
    #[error("it has expired, or is not valid yet: compare the clocks")]
    Time,
    /// It is of another sign-in.
    #[error("it is of another sign-in")]
    Nonce,
    /// It does not say who signed in.
    #[error("it does not say who signed in")]
    Subject,
}

/// The values that a token must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The issuer, as its discovery document says.
    pub(crate) issuer: &'a str,
    /// Our client id.
    pub(crate) client: &'a str,
    /// The nonce of this sign-in.
    pub(crate) nonce: &'a str,
    /// The time.
    pub(crate) now: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that have to be understood. None is.
    crit: Option<Value>,
}

/// A token whose signature was not verified yet.
pub(crate) struct Unverified<'a> {
    algorithm: Algorithm,
    /// The id of its key.
    pub(crate) key: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads the form of a token.
    ///
    /// # Errors
    /// [`InvalidToken::Form`] and [`InvalidToken::Algorithm`].
    pub(crate) fn read(token: &'a str) -> Result<Self, InvalidToken> {
        if token.len() > MAX_TOKEN {
            return Err(InvalidToken::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidToken::Form)?;
        let (header, payload) =
            signed.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(InvalidToken::Form)?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidToken::Form);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| InvalidToken::Form)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(InvalidToken::Algorithm)?;
        if header.crit.is_some() {
            return Err(InvalidToken::Form);
        }
        Ok(Self { algorithm, key: header.kid, signed, payload, signature: decode(signature)? })
    }

    /// Returns the claims of a token that one of `keys` signed, and that is what is expected.
    ///
    /// # Errors
    /// [`InvalidToken`] with the first thing that is wrong.
    pub(crate) fn verify(&self, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, InvalidToken> {
        if !keys.is_signed(self.algorithm, self.key.as_deref(), self.signed.as_bytes(), &self.signature) {
            return Err(InvalidToken::Signature);
        }
        let payload = BASE64URL_NOPAD.decode(self.payload.as_bytes()).map_err(|_| InvalidToken::Form)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| InvalidToken::Form)?;
        check(&claims, expected)?;
        Ok(claims)
    }
}

fn check(claims: &Claims, expected: &Expected<'_>) -> Result<(), InvalidToken> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // Google's tokens may have its issuer without the scheme, as its documentation says.
    let issuer = text("iss").ok_or(InvalidToken::Issuer)?;
    let is_google = expected.issuer == GOOGLE && GOOGLE.strip_prefix("https://") == Some(issuer);
    if issuer != expected.issuer && !is_google {
        return Err(InvalidToken::Issuer);
    }
    let (is_ours, is_shared) = match claims.get("aud") {
        Some(Value::String(client)) => (client == expected.client, false),
        Some(Value::Array(clients)) => (clients.iter().any(|client| client == expected.client), clients.len() > 1),
        _ => (false, false),
    };
    // A token for several clients says which of them asked for it.
    let is_asked_by_us = match claims.get("azp") {
        None => !is_shared,
        Some(party) => party == expected.client,
    };
    if !is_ours || !is_asked_by_us {
        return Err(InvalidToken::Audience);
    }
    let now = expected.now.as_second();
    let second = |name: &str| claims.get(name).map(|value| value.as_f64().map(|second| second as i64));
    let is_over = !matches!(second("exp"), Some(Some(expires)) if now < expires.saturating_add(LEEWAY));
    // Something that is no number is not passed over.
    let is_early = |name: &str| second(name).is_some_and(|at| at.is_none_or(|at| at > now + LEEWAY));
    if is_over || is_early("nbf") || is_early("iat") {
        return Err(InvalidToken::Time);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(InvalidToken::Nonce);
    }
    let is_subject = |subject: &&str| subject.len() <= MAX_SUBJECT && !subject.trim().is_empty();
    text("sub").filter(is_subject).map(drop).ok_or(InvalidToken::Subject)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::test_support::provider::{Issued, keys, sign};
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_772_440_000;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://login.example",
            client: "us",
            nonce: "n-1",
            now: Timestamp::from_second(NOW).unwrap(),
        }
    }

    fn claims() -> Value {
        json!({ "iss": "https://login.example", "aud": "us", "sub": "u-1", "nonce": "n-1", "iat": NOW, "exp": NOW + 300 })
    }

    fn verify(token: &str, expected: &Expected<'_>) -> Result<Claims, InvalidToken> {
        Unverified::read(token)?.verify(&keys(), expected)
    }

    fn of(claims: &Value) -> Result<Claims, InvalidToken> {
        verify(&sign(Issued::Ours, claims), &expected())
    }

    fn with(name: &str, value: Value) -> Value {
        let mut all = claims();
        all[name] = value;
        all
    }

    #[test]
    fn token_of_this_sign_in_is_accepted_with_its_claims() {
        assert_eq!(of(&claims()).unwrap()["sub"], "u-1");
        assert!(of(&with("aud", json!(["us"]))).is_ok());
        let mut shared = with("aud", json!(["us", "them"]));
        assert_eq!(of(&shared), Err(InvalidToken::Audience), "of several clients, who asked is unknown");
        shared["azp"] = "us".into();
        assert!(of(&shared).is_ok());
    }

    #[test]
    fn each_claim_that_is_wrong_missing_or_of_another_type_is_refused() {
        use InvalidToken::{Audience, Issuer, Nonce, Subject, Time};
        for (name, value, error) in [
            ("iss", json!("https://login.example/"), Issuer),
            ("iss", json!("https://evil.example"), Issuer),
            ("iss", json!("accounts.google.com"), Issuer),
            ("iss", json!(["https://login.example"]), Issuer),
            ("iss", Value::Null, Issuer),
            ("aud", json!("them"), Audience),
            ("aud", json!("US"), Audience),
            ("aud", json!(["them"]), Audience),
            ("aud", json!([]), Audience),
            ("aud", json!({ "us": true }), Audience),
            ("aud", Value::Null, Audience),
            ("azp", json!("them"), Audience),
            ("azp", Value::Null, Audience),
            ("exp", json!(NOW - 60), Time),
            ("exp", json!("9999999999"), Time),
            ("exp", Value::Null, Time),
            ("exp", json!(-1), Time),
            ("nbf", json!(NOW + 61), Time),
            ("nbf", json!("9999999999"), Time),
            ("iat", json!(NOW + 61), Time),
            ("iat", json!([]), Time),
            ("nonce", json!("n-2"), Nonce),
            ("nonce", json!(""), Nonce),
            ("nonce", Value::Null, Nonce),
            ("sub", json!(""), Subject),
            ("sub", json!("  "), Subject),
            ("sub", json!("x".repeat(256)), Subject),
            ("sub", json!(7), Subject),
        ] {
            assert_eq!(of(&with(name, value.clone())), Err(error), "{name} = {value}");
        }
        for name in ["iss", "aud", "exp", "nonce", "sub"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(name);
            assert!(of(&without).is_err(), "without {name}");
        }
        assert!(of(&with("exp", json!(NOW - 59))).is_ok(), "clocks differ");
        assert!(of(&with("exp", json!(NOW as f64 + 0.5))).is_ok(), "seconds may be fractions");
        assert!(of(&with("sub", json!("x".repeat(255)))).is_ok());
    }

    #[test]
    fn google_names_itself_in_two_ways() {
        let google = Expected { issuer: GOOGLE, ..expected() };
        for issuer in ["https://accounts.google.com", "accounts.google.com"] {
            assert!(verify(&sign(Issued::Ours, &with("iss", json!(issuer))), &google).is_ok(), "{issuer}");
        }
        assert!(verify(&sign(Issued::Ours, &with("iss", json!("google.com"))), &google).is_err());
    }

    #[test]
    fn tokens_that_our_provider_did_not_sign_are_refused() {
        let token = sign(Issued::Ours, &claims());
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let none = encode(&json!({ "alg": "none" }));
        let shared = encode(&json!({ "alg": "HS256", "kid": "ec" }));
        let critical = encode(&json!({ "alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false }));
        let admin = encode(&with("sub", json!("admin")));
        for (wrong, error) in [
            (sign(Issued::Others, &claims()), InvalidToken::Signature),
            (format!("{}.{admin}.{}", parts[0], parts[2]), InvalidToken::Signature),
            (format!("{}.{}.", parts[0], parts[1]), InvalidToken::Signature),
            (format!("{none}.{}.", parts[1]), InvalidToken::Algorithm),
            (format!("{none}.{}.{}", parts[1], parts[2]), InvalidToken::Algorithm),
            (format!("{shared}.{}.{}", parts[1], parts[2]), InvalidToken::Algorithm),
            (format!("{critical}.{}.{}", parts[1], parts[2]), InvalidToken::Form),
            (format!("{}.{}", parts[0], parts[1]), InvalidToken::Form),
            (format!("{token}.x"), InvalidToken::Form),
            (format!("{token}="), InvalidToken::Form),
            (String::new(), InvalidToken::Form),
            ("..".to_owned(), InvalidToken::Form),
            (format!("{}.{}.{}", parts[0], "A".repeat(MAX_TOKEN), parts[2]), InvalidToken::Form),
        ] {
            assert_eq!(verify(&wrong, &expected()).unwrap_err(), error, "{}", &wrong[..wrong.len().min(200)]);
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_accepted(at in 0_usize..2_000, byte in proptest::num::u8::ANY) {
            let token = sign(Issued::Ours, &claims());
            let mut changed = token.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = byte;
            if let Ok(changed) = String::from_utf8(changed) && changed != token {
                prop_assert!(verify(&changed, &expected()).is_err());
            }
            prop_assert!(verify(&token[..at], &expected()).is_err(), "cut");
        }
    }
}
