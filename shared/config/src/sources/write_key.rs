//! Write keys, known by their hashes alone.

use ring::digest::{SHA256, digest};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::fmt;

/// SHA-256 of a write key. The key itself is nowhere kept; being long and random, it needs no salt. Does not print itself.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteKeyHash([u8; 32]);

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a write key's hash is its SHA-256 as 64 hexadecimal digits: printf %s KEY | sha256sum")]
pub struct InvalidHash;

/// The keys of the shipped configuration, which everybody knows.
pub const LOCAL_KEYS: [&str; 2] = ["local-write-key", "local-public-key"];

impl WriteKeyHash {
    /// Returns whether it is the hash of one of [`LOCAL_KEYS`].
    #[must_use]
    pub fn is_local(&self) -> bool {
        LOCAL_KEYS.iter().any(|key| self.same(&Self::of(key)))
    }

    /// The hash of `key`.
    pub fn of(key: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
        Self(bytes)
    }

    /// Parses 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidHash`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }

    /// The 64 hexadecimal digits that [`WriteKeyHash::parse`] takes.
    #[must_use]
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// Returns whether the two are the same, in time that does not depend on where they differ.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        // ring compares MACs in constant time; the key does not matter.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[]);
        hmac::verify(&key, &self.0, hmac::sign(&key, &other.0).as_ref()).is_ok()
    }
}

impl fmt::Debug for WriteKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteKeyHash([redacted])")
    }
}
