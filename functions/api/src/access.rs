//! Who may read.

use data_encoding::HEXLOWER_PERMISSIVE;
use http::{HeaderMap, header};
use ring::digest;
use std::str::FromStr;

/// SHA-256 of a key, so that neither the environment nor memory holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits")]
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

    /// Whether both are the same, in a time that does not depend on where they differ.
    fn matches(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(other.0).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everyone who reaches the function: for the embedded stack on loopback.
    Open,
    /// Who has a key with one of these hashes.
    Keys(Vec<KeyHash>),
}

impl Access {
    /// Whether a request with `headers` may read.
    #[must_use]
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let Self::Keys(hashes) = self else { return true };
        let Some(key) = bearer(headers) else { return false };
        let hash = KeyHash::of(key);
        // All are looked at, so that the time does not tell which one it was.
        hashes.iter().fold(false, |known, own| known | own.matches(&hash))
    }
}

/// What a request's `Authorization` bears.
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
        let access = Access::Keys(vec![KeyHash::of("old"), KeyHash::of("new")]);
        for allowed in ["Bearer old", "bearer new", "Bearer  new "] {
            assert!(access.allows(&headers(allowed)), "{allowed}");
        }
        for refused in ["Bearer", "Bearer ", "Bearer other", "Basic old", "old", "Bearer oldnew"] {
            assert!(!access.allows(&headers(refused)), "{refused}");
        }
        assert!(!access.allows(&HeaderMap::new()));
        assert!(!Access::Keys(vec![]).allows(&headers("Bearer old")));
        assert!(Access::Open.allows(&HeaderMap::new()));
    }

    #[test]
    fn hashes_are_read_as_tools_write_them() {
        let hash: KeyHash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse().unwrap();
        assert_eq!(hash, KeyHash::of("foo"));
        assert_eq!("2C26".parse::<KeyHash>(), Err(InvalidKeyHash));
    }
}
