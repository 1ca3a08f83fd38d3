//! The keys that sign cookies and the tokens of forms.

use crate::answer::Failure;
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::sync::Arc;

/// The shortest key in bytes, which gives HMAC-SHA-256 its full strength.
pub(crate) const MIN_KEY_BYTES: usize = 32;
/// The most keys: one signs, and one is on its way out. Each more is a second that a thief may have.
pub(crate) const MAX_KEYS: usize = 2;

/// The reason why keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// A key is too short to be safe.
    #[error("a key needs at least 32 bytes")]
    TooShort,
    /// There are more than two.
    #[error("at most two keys are allowed: the new one, and the old one after a comma")]
    TooMany,
}

/// The purpose of a signature: one of another purpose is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A session of a visitor.
    Session,
    /// A sign-in that has begun.
    SignIn,
    /// A form of one of our pages.
    Form,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "perennial-session",
            Self::SignIn => "perennial-sign-in",
            Self::Form => "perennial-form",
        }
    }
}

/// Keys of HMAC-SHA-256. The first signs, all verify: a new one goes in front to rotate. Clones share them, and debug output
/// shows only their number.
#[derive(Clone)]
pub(crate) struct Keys(Arc<[hmac::Key]>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Parses keys separated by commas. Their bytes are used unchanged, except for surrounding white space.
    ///
    /// # Errors
    /// [`InvalidKeys`] if one has fewer than [`MIN_KEY_BYTES`], or there are more than [`MAX_KEYS`].
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let texts: Vec<&str> = text.split(',').map(str::trim).collect();
        if texts.len() > MAX_KEYS {
            return Err(InvalidKeys::TooMany);
        }
        let key = |text: &&str| {
            let bytes = text.as_bytes();
            (bytes.len() >= MIN_KEY_BYTES)
                .then(|| hmac::Key::new(hmac::HMAC_SHA256, bytes))
                .ok_or(InvalidKeys::TooShort)
        };
        texts.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// Returns a key of this process only.
    pub(crate) fn random() -> Self {
        // Without randomness nothing is signed and nothing is valid: better than a key that can be guessed.
        Self(hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).into_iter().collect())
    }

    /// Returns the signature of `message`; empty without a key.
    pub(crate) fn sign(&self, purpose: Purpose, message: &str) -> String {
        let tag = self.0.first().map(|key| hmac::sign(key, signed(purpose, message).as_bytes()));
        tag.map_or_else(String::new, |tag| BASE64URL_NOPAD.encode(tag.as_ref()))
    }

    /// Returns whether one of the keys made `signature`. The comparison takes the same time wherever two signatures differ.
    pub(crate) fn is_signed(&self, purpose: Purpose, message: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else { return false };
        let message = signed(purpose, message);
        self.0.iter().any(|key| hmac::verify(key, message.as_bytes(), &signature).is_ok())
    }

    /// Returns `message` with its signature, as [`Keys::open`] reads it: both in base64url, with a dot between.
    pub(crate) fn seal(&self, purpose: Purpose, message: &[u8]) -> String {
        let message = BASE64URL_NOPAD.encode(message);
        let signature = self.sign(purpose, &message);
        format!("{message}.{signature}")
    }

    /// Returns the message in `sealed`; `None` if none of the keys signed it for this purpose.
    pub(crate) fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>> {
        let (message, signature) = sealed.split_once('.')?;
        self.is_signed(purpose, message, signature).then(|| BASE64URL_NOPAD.decode(message.as_bytes()).ok())?
    }
}

/// Returns random bytes that nobody can guess.
///
/// # Errors
/// [`Failure::Unavailable`] if the system has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Failure::Unavailable("no random numbers".to_owned()))?;
    Ok(bytes)
}

fn signed(purpose: Purpose, message: &str) -> String {
    format!("{}:{message}", purpose.prefix())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OLD: &str = "an old key of at least thirty-two bytes";
    const NEW: &str = "a new key of at least thirty-two bytes.";

    #[test]
    fn first_key_signs_and_both_verify_while_one_is_rotated() {
        let (old, new) = (Keys::parse(OLD).unwrap(), Keys::parse(NEW).unwrap());
        let both = Keys::parse(&format!("{NEW}, {OLD}")).unwrap();
        let (by_old, by_both) = (old.seal(Purpose::Session, b"ada"), both.seal(Purpose::Session, b"ada"));
        assert_eq!(both.open(Purpose::Session, &by_old).unwrap(), b"ada");
        assert_eq!(new.open(Purpose::Session, &by_both).unwrap(), b"ada", "the first signs");
        assert_eq!(new.open(Purpose::Session, &by_old), None, "a key that is gone");
        assert_eq!(both.open(Purpose::Form, &by_both), None, "another purpose");
        // printf %s perennial-session:YWRh | openssl dgst -sha256 -hmac "$OLD" -binary | basenc --base64url | tr -d =
        assert_eq!(by_old, OPENSSL);
    }

    /// The result of OpenSSL for `ada` and the old key.
    const OPENSSL: &str = "YWRh.7ocgVDcjq-0cgOP-X2_n2Gp2C-CFYVQgEif2-G7dzT4";

    #[test]
    fn keys_that_cannot_be_used_are_refused_and_never_shown() {
        assert_eq!(Keys::parse("short").unwrap_err(), InvalidKeys::TooShort);
        assert_eq!(Keys::parse(&format!("{NEW},")).unwrap_err(), InvalidKeys::TooShort, "nothing after a comma");
        assert_eq!(Keys::parse(&[NEW; 3].join(",")).unwrap_err(), InvalidKeys::TooMany);
        assert_eq!(format!("{:?}", Keys::parse(NEW).unwrap()), "Keys(1)");
    }
}
