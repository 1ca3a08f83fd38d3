//! The secrets that tokens of users and of inboxes are made with, from the environment.

use crate::env::Env;
use perennial_contracts::tokens::{SecretTooShort, TokenSecrets};

/// A secret in `INBOX_SECRETS` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("INBOX_SECRETS: {0}")]
pub struct InvalidSecrets(#[from] SecretTooShort);

/// Reads `INBOX_SECRETS`: secrets of at least 32 bytes, with commas between. `None` if it is not set: nobody has a token then.
///
/// # Errors
/// [`InvalidSecrets`] if one of them is too short.
pub fn from_env(env: &Env) -> Result<Option<TokenSecrets>, InvalidSecrets> {
    let secrets = env.secret("INBOX_SECRETS", "secrets of at least 32 bytes, with commas between").ok();
    Ok(secrets.map(|secrets| TokenSecrets::parse(secrets.expose())).transpose()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn short_secret_is_an_error_that_names_the_variable_and_none_is_no_error() {
        let read = |pairs: &[(&str, &str)]| from_env(&Env::from_pairs(pairs.iter().copied()));
        assert!(read(&[]).unwrap().is_none() && read(&[("INBOX_SECRETS", " ")]).unwrap().is_none());
        assert!(
            read(&[("INBOX_SECRETS", "a secret of thirty-two bytes or so, another secret of thirty-two bytes")])
                .unwrap()
                .is_some()
        );
        let error = read(&[("INBOX_SECRETS", "a secret of thirty-two bytes or so,short")]).unwrap_err();
        assert_eq!(error.to_string(), "INBOX_SECRETS: a secret needs at least 32 bytes");
    }
}
