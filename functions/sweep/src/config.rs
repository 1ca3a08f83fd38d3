//! The function's environment.

use perennial_lambda_kit::{Env, EnvError};
use std::num::NonZeroU32;

/// The default limit of ticks in one run: 5,000 requests to the queue, which take some ten seconds.
pub const LIMIT: u32 = 50_000;

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The events queue's URL.
    pub events_queue_url: String,
    /// The accounts queue's URL.
    pub accounts_queue_url: String,
    /// The most ticks of one run.
    pub limit: u32,
}

impl Settings {
    /// Reads `TABLE`, `EVENTS_QUEUE_URL`, `ACCOUNTS_QUEUE_URL` and `SWEEP_LIMIT`.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        let limit = env.optional::<NonZeroU32>("SWEEP_LIMIT", "a whole number of at least 1")?;
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            accounts_queue_url: env.required("ACCOUNTS_QUEUE_URL", "the URL of the accounts queue")?,
            limit: limit.map_or(LIMIT, NonZeroU32::get),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_or_wrong_key_is_named() {
        let error = Settings::from_env(&Env::from_pairs([("TABLE", "t")])).unwrap_err();
        assert!(error.to_string().starts_with("EVENTS_QUEUE_URL"), "{error}");
        let error = Settings::from_env(&Env::from_pairs([("TABLE", "t"), ("EVENTS_QUEUE_URL", "q")])).unwrap_err();
        assert!(error.to_string().starts_with("ACCOUNTS_QUEUE_URL"), "{error}");
        let env = Env::from_pairs([("TABLE", "t"), ("EVENTS_QUEUE_URL", "q"), ("SWEEP_LIMIT", "0")]);
        assert!(Settings::from_env(&env).unwrap_err().to_string().starts_with("SWEEP_LIMIT"));
    }
}
