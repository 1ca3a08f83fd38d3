//! Access control: read and operate permissions.

use data_encoding::HEXLOWER_PERMISSIVE;
use http::{HeaderMap, header};
use ring::digest;
use std::str::FromStr;

/// SHA-256 of a key, so that neither the environment nor memory contains a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

/// The text is no hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits, with `read:` before them for a key that may only read")]
pub struct InvalidKeyHash;

impl FromStr for KeyHash {
    type Err = InvalidKeyHash;

    fn from_str(text: &str) -> Result<Self, InvalidKeyHash> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| InvalidKeyHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKeyHash)
    }
}

impl KeyHash {
    /// The hash of `key`.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, key.as_bytes()).as_ref());
        Self(hash)
    }

    /// Returns whether both are the same, in a time that does not depend on where they differ.
    fn matches(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(other.0).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

/// The scope of a key, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Looking at everything.
    Read,
    /// Reading, and changes: unlinking identities, resuming a paused journey, acting in an inbox.
    Operate,
}

/// A key that may be used, and for what. Written `HASH`, or `read:HASH` for one that may only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's hash.
    pub hash: KeyHash,
    /// Its scope.
    pub scope: Scope,
}

impl FromStr for ApiKey {
    type Err = InvalidKeyHash;

    fn from_str(text: &str) -> Result<Self, InvalidKeyHash> {
        match text.trim().split_once(':') {
            None => Ok(Self { hash: text.parse()?, scope: Scope::Operate }),
            Some(("read", hash)) => Ok(Self { hash: hash.parse()?, scope: Scope::Read }),
            Some(("operate", hash)) => Ok(Self { hash: hash.parse()?, scope: Scope::Operate }),
            Some(_) => Err(InvalidKeyHash),
        }
    }
}

/// The access of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everyone who reaches the function may do everything: for the embedded stack on loopback.
    Open,
    /// Callers with one of these keys.
    Keys(Vec<ApiKey>),
}

impl Access {
    /// Returns the scope of a request with `headers`; `None` if it has none.
    #[must_use]
    pub fn scope(&self, headers: &HeaderMap) -> Option<Scope> {
        let Self::Keys(keys) = self else { return Some(Scope::Operate) };
        let hash = KeyHash::of(bearer(headers)?);
        // All keys are compared, so that the time does not reveal which one matched.
        keys.iter().fold(None, |known, own| if own.hash.matches(&hash) { known.max(Some(own.scope)) } else { known })
    }
}

/// Returns the bearer token of a request's `Authorization`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, borne) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| borne.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn only_a_key_with_a_listed_hash_may_read() {
        let key = |key: &str, scope| ApiKey { hash: KeyHash::of(key), scope };
        let access = Access::Keys(vec![key("old", Scope::Operate), key("new", Scope::Read)]);
        for (allowed, scope) in
            [("Bearer old", Scope::Operate), ("bearer new", Scope::Read), ("Bearer  new ", Scope::Read)]
        {
            assert_eq!(access.scope(&headers(allowed)), Some(scope), "{allowed}");
        }
        for refused in ["Bearer", "Bearer ", "Bearer other", "Basic old", "old", "Bearer oldnew"] {
            assert_eq!(access.scope(&headers(refused)), None, "{refused}");
        }
        assert_eq!(access.scope(&HeaderMap::new()), None);
        assert_eq!(Access::Keys(vec![]).scope(&headers("Bearer old")), None);
        assert_eq!(Access::Open.scope(&HeaderMap::new()), Some(Scope::Operate));
    }

    #[test]
    fn hashes_are_read_as_tools_write_them() {
        let hash: KeyHash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse().unwrap();
        assert_eq!(hash, KeyHash::of("foo"));
        assert_eq!("2C26".parse::<KeyHash>(), Err(InvalidKeyHash));
        let foo = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let parse = |text: &str| text.parse::<ApiKey>().map(|key| key.scope);
        assert_eq!(parse(foo), Ok(Scope::Operate));
        assert_eq!(parse(&format!(" read:{foo}")), Ok(Scope::Read));
        assert_eq!(parse(&format!("operate:{foo}")), Ok(Scope::Operate));
        assert_eq!(parse(&format!("write:{foo}")), Err(InvalidKeyHash));
    }
}
