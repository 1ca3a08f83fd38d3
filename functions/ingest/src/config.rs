//! What the environment says.

use perennial_contracts::tokens::{SecretTooShort, TokenSecrets};
use perennial_lambda_kit::{Env, EnvError};

/// Bodies worked on at once where nothing else is said. Each may be 10 MB.
pub const MAX_IN_FLIGHT: usize = 64;

/// The function's environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The events queue's URL.
    pub events_queue_url: String,
    /// The table's name.
    pub table: String,
    /// The secrets of the tokens by which users of a public source are known.
    pub tokens: TokenSecrets,
    /// Bodies worked on at once.
    pub max_in_flight: usize,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// A key is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A secret of tokens cannot be used.
    #[error("INBOX_SECRETS: {0}")]
    Tokens(#[from] SecretTooShort),
}

impl Settings {
    /// Reads `EVENTS_QUEUE_URL`, `TABLE`, `INBOX_SECRETS` and `MAX_IN_FLIGHT`.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, SettingsError> {
        // Without it, no event of a public source is signed.
        let secrets = env.secret("INBOX_SECRETS", "secrets of at least 32 bytes, with commas between").ok();
        let max_in_flight = env.optional::<std::num::NonZeroU16>("MAX_IN_FLIGHT", "a whole number from 1 to 65535")?;
        Ok(Self {
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            tokens: secrets.map(|secrets| TokenSecrets::parse(secrets.expose())).transpose()?.unwrap_or_default(),
            max_in_flight: max_in_flight.map_or(MAX_IN_FLIGHT, |n| usize::from(n.get())),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_is_named() {
        let error = Settings::from_env(&Env::from_pairs([("TABLE", "t")])).unwrap_err();
        assert!(error.to_string().starts_with("EVENTS_QUEUE_URL"), "{error}");
        let env = Env::from_pairs([("TABLE", "t"), ("EVENTS_QUEUE_URL", "q"), ("MAX_IN_FLIGHT", "0")]);
        assert!(Settings::from_env(&env).unwrap_err().to_string().starts_with("MAX_IN_FLIGHT"));
    }
}
