//! The function's environment.

use crate::access::{Access, ApiKey};
use perennial_channels::unsubscribe::{InvalidKeys, Keys};
use perennial_contracts::tokens::TokenSecrets;
use perennial_lambda_kit::queue::WatchedQueue;
use perennial_lambda_kit::tokens::{self, InvalidSecrets};
use perennial_lambda_kit::{Env, EnvError};
use std::time::Duration;

/// The default time for which totals are cached.
const MAX_AGE: Duration = Duration::from_secs(60);
/// The function's environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The queues with their dead-letter queues, in the order in which work flows.
    pub queues: Vec<WatchedQueue>,
    /// The access of callers.
    pub access: Access,
    /// The keys of unsubscribe links.
    pub unsubscribe_keys: Keys,
    /// The secrets of inbox tokens.
    pub tokens: TokenSecrets,
    /// How long totals are cached.
    pub status_max_age: Duration,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A key is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// There is no key, so nobody could read.
    #[error("API_KEY_HASHES is not set: it must contain the SHA-256 of at least one key, in hex")]
    NoKey,
    /// The keys of unsubscribe links.
    #[error("UNSUBSCRIBE_KEYS: {0}")]
    Keys(#[from] InvalidKeys),
    /// The secrets of inboxes.
    #[error(transparent)]
    Tokens(#[from] InvalidSecrets),
}

impl Settings {
    /// Reads the environment as the README lists it.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let queues = WatchedQueue::all_from_env(env)?;
        let keys: Vec<ApiKey> = env.list(
            "API_KEY_HASHES",
            "the SHA-256 of each key, in hex, with `read:` before that of one which may only read, and commas between",
        )?;
        if keys.is_empty() {
            return Err(SettingsError::NoKey);
        }
        let unsubscribe = env.secret("UNSUBSCRIBE_KEYS", "keys of at least 32 bytes, with commas between")?;
        // Without any, only who has a key may read inboxes.
        let tokens = tokens::from_env(env)?.unwrap_or_default();
        let max_age = env.optional("STATUS_MAX_AGE_SECONDS", "a whole number of seconds")?.map(Duration::from_secs);
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            queues,
            access: Access::Keys(keys),
            unsubscribe_keys: Keys::new(unsubscribe.expose().split(',').map(str::trim))?,
            tokens,
            status_max_age: max_age.unwrap_or(MAX_AGE),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_lambda_kit::queue::WATCHED;

    #[test]
    fn a_missing_key_is_named() {
        let hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let mut all = vec![
            ("TABLE".to_owned(), "t"),
            ("API_KEY_HASHES".to_owned(), hash),
            ("UNSUBSCRIBE_KEYS".to_owned(), "a key of at least thirty-two bytes"),
        ];
        for (_, key) in WATCHED {
            all.push((format!("{key}_QUEUE_URL"), "q"));
            all.push((format!("{key}_DLQ_URL"), "d"));
        }
        assert_eq!(Settings::from_env(&Env::from_pairs(all.clone())).unwrap().status_max_age, MAX_AGE);
        let short = all.iter().cloned().chain([("INBOX_SECRETS".to_owned(), "too short")]);
        let error = Settings::from_env(&Env::from_pairs(short)).unwrap_err();
        assert_eq!(error.to_string(), "INBOX_SECRETS: a secret needs at least 32 bytes");
        for (absent, _) in &all {
            let rest = all.iter().filter(|(key, _)| key != absent).cloned();
            let error = Settings::from_env(&Env::from_pairs(rest)).unwrap_err();
            assert!(error.to_string().starts_with(absent.as_str()), "{error}");
        }
    }
}
