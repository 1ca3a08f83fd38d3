//! The signed token in an unsubscribe link, which identifies the address without naming it.
//!
//! `base64url(version, person, SHA-256 of the address, topic, HMAC-SHA-256 of all before it)`. It contains the hashed
//! profile id and the address's hash, so neither a log of links nor a forwarded mail reveals an address; and it does
//! not expire, because a mail may be read years later.

use crate::address::Address;
use data_encoding::BASE64URL_NOPAD;
use perennial_domain::{PersonId, hash};
use perennial_engine::{Part, Profile};
use ring::hmac;
use std::fmt;

const VERSION: u8 = 1;
const PERSON: usize = 15;
const ADDRESS: usize = 32;
const TAG: usize = 32;
/// The longest topic, in bytes.
const MAX_TOPIC: usize = 64;
/// The shortest key in bytes, which gives HMAC-SHA-256 its full strength.
pub const MIN_KEY_BYTES: usize = 32;

/// The topic of a token by which a reader confirms their address, and the journey of the mail that asks for it. No topic or journey of a config has such a
/// name.
pub const CONFIRM: &str = "$confirm";

/// The content of a token: a request to unsubscribe or to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The profile.
    pub person: PersonId,
    /// SHA-256 of the normalised address ([`address_hash`]).
    pub address: [u8; 32],
    /// The topic; `None` for all mail.
    pub topic: Option<String>,
}

/// The hash under which an address in lower case is suppressed.
#[must_use]
pub fn address_hash(normalised: &str) -> [u8; 32] {
    hash::sha256(&[normalised.as_bytes()])
}

/// Returns the identities of a profile that have the address of this hash now, by their own profile ids.
pub fn owners_of<'a>(profile: &'a Profile, address: &'a [u8; 32]) -> impl Iterator<Item = PersonId> + 'a {
    let has_it = move |part: &&Part| {
        let own = part.state.text_trait("email").and_then(|own| Address::parse(&own).ok());
        own.is_some_and(|own| address_hash(&own.normalised()) == *address)
    };
    profile.parts.iter().filter(has_it).map(Part::owner)
}

/// The keys that tokens are signed with. The first signs, all verify: put a new one in front to rotate, and keep the old ones.
#[derive(Clone)]
pub struct Keys {
    keys: Vec<hmac::Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.keys.len())
    }
}

/// Why keys were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// There is no key.
    #[error("at least one unsubscribe key is needed")]
    None,
    /// A key is too short to be safe.
    #[error("an unsubscribe key needs at least 32 bytes")]
    TooShort,
}

/// The token was not made by us, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the unsubscribe link is not valid")]
pub struct InvalidToken;

impl Keys {
    /// Returns keys from their texts, whose bytes are used unchanged.
    ///
    /// # Errors
    /// [`InvalidKeys`] if there is none or one is shorter than [`MIN_KEY_BYTES`].
    pub fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Self, InvalidKeys> {
        let mut keys = Vec::new();
        for text in texts {
            let bytes = text.as_ref().as_bytes();
            if bytes.len() < MIN_KEY_BYTES {
                return Err(InvalidKeys::TooShort);
            }
            keys.push(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        }
        if keys.is_empty() { Err(InvalidKeys::None) } else { Ok(Self { keys }) }
    }

    /// Returns the token for `request`; a topic longer than 64 bytes is left out, which unsubscribes from all mail.
    #[must_use]
    pub fn sign(&self, request: &Unsubscribe) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(request.person.as_bytes());
        bytes.extend_from_slice(&request.address);
        if let Some(topic) = request.topic.as_deref().filter(|topic| topic.len() <= MAX_TOPIC) {
            bytes.extend_from_slice(topic.as_bytes());
        }
        if let Some(key) = self.keys.first() {
            let tag = hmac::sign(key, &bytes);
            bytes.extend_from_slice(tag.as_ref());
        }
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Returns the request in `token`. The comparison takes the same time wherever a tag differs.
    ///
    /// # Errors
    /// [`InvalidToken`] if none of the keys signed it.
    pub fn verify(&self, token: &str) -> Result<Unsubscribe, InvalidToken> {
        if token.len() > 4 * (1 + PERSON + ADDRESS + MAX_TOPIC + TAG) / 3 + 4 {
            return Err(InvalidToken);
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| InvalidToken)?;
        let (content, tag) = bytes.split_last_chunk::<TAG>().ok_or(InvalidToken)?;
        if !self.keys.iter().any(|key| hmac::verify(key, content, tag).is_ok()) {
            return Err(InvalidToken);
        }
        let (&version, rest) = content.split_first().ok_or(InvalidToken)?;
        let (person, rest) = rest.split_first_chunk::<PERSON>().ok_or(InvalidToken)?;
        let (address, topic) = rest.split_first_chunk::<ADDRESS>().ok_or(InvalidToken)?;
        if version != VERSION {
            return Err(InvalidToken);
        }
        let topic = std::str::from_utf8(topic).map_err(|_| InvalidToken)?;
        Ok(Unsubscribe {
            person: PersonId::from_bytes(*person),
            address: *address,
            topic: (!topic.is_empty()).then(|| topic.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OLD: &str = "an old key of at least thirty-two bytes";
    const NEW: &str = "a new key of at least thirty-two bytes!";

    fn request(topic: Option<&str>) -> Unsubscribe {
        Unsubscribe {
            person: PersonId::derive(&[b"ada"]),
            address: address_hash("ada@example.com"),
            topic: topic.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_gives_back_what_was_signed_and_fits_a_url() {
        let keys = Keys::new([NEW]).unwrap();
        for request in [request(None), request(Some("product news")), request(Some(&"t".repeat(64)))] {
            let token = keys.sign(&request);
            assert_eq!(keys.verify(&token), Ok(request));
            assert!(token.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
            assert!(!token.contains("ada"));
        }
    }

    #[test]
    fn a_token_with_any_character_changed_cut_or_added_is_refused() {
        let keys = Keys::new([NEW]).unwrap();
        let token = keys.sign(&request(Some("news")));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(keys.verify(&String::from_utf8(changed).unwrap()).is_err(), "character {at}");
            assert!(keys.verify(&token[..at]).is_err());
        }
        for wrong in ["", "A", "%%%", &format!("{token}A"), &"A".repeat(10_000)] {
            assert!(keys.verify(wrong).is_err());
        }
    }

    #[test]
    fn an_old_key_still_verifies_and_a_strange_one_does_not() {
        let token = Keys::new([OLD]).unwrap().sign(&request(None));
        assert!(Keys::new([NEW, OLD]).unwrap().verify(&token).is_ok());
        assert!(Keys::new([NEW]).unwrap().verify(&token).is_err());
    }

    #[test]
    fn short_or_missing_keys_are_refused() {
        assert_eq!(Keys::new(["short"]).unwrap_err(), InvalidKeys::TooShort);
        assert_eq!(Keys::new([""; 0]).unwrap_err(), InvalidKeys::None);
    }
}
