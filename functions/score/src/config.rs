//! The function's environment.

use perennial_lambda_kit::queue::Delay;
use perennial_lambda_kit::{Env, EnvError};

/// The default number of seconds that a changed account waits for more changes.
pub const DEBOUNCE_SECONDS: u64 = 60;

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The messages queue's URL.
    pub messages_queue_url: String,
    /// The URL of the queue of essential messages.
    pub essential_queue_url: String,
    /// The accounts queue's URL.
    pub accounts_queue_url: String,
    /// The events queue's URL.
    pub events_queue_url: String,
    /// The archive's URL.
    pub archive: String,
    /// How long a changed account waits for more changes.
    pub debounce: Delay,
}

impl Settings {
    /// Reads `TABLE`, `MESSAGES_QUEUE_URL`, `ESSENTIAL_QUEUE_URL`, `ACCOUNTS_QUEUE_URL`, `EVENTS_QUEUE_URL`, `ARCHIVE` and `ACCOUNTS_DEBOUNCE_SECONDS`.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        let debounce = env.optional("ACCOUNTS_DEBOUNCE_SECONDS", "a whole number of seconds")?;
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            messages_queue_url: env.required("MESSAGES_QUEUE_URL", "the URL of the messages queue")?,
            essential_queue_url: env.required("ESSENTIAL_QUEUE_URL", "the URL of the queue of essential messages")?,
            accounts_queue_url: env.required("ACCOUNTS_QUEUE_URL", "the URL of the accounts queue")?,
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            archive: env.required("ARCHIVE", "s3://BUCKET/PREFIX or file:///a/directory")?,
            debounce: Delay::at_most(debounce.unwrap_or(DEBOUNCE_SECONDS)),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_is_named_and_the_debounce_has_a_default() {
        let pairs = [
            ("TABLE", "t"),
            ("MESSAGES_QUEUE_URL", "m"),
            ("ESSENTIAL_QUEUE_URL", "s"),
            ("ACCOUNTS_QUEUE_URL", "a"),
            ("EVENTS_QUEUE_URL", "e"),
            ("ARCHIVE", "file:///x"),
        ];
        assert_eq!(Settings::from_env(&Env::from_pairs(pairs)).unwrap().debounce, Delay::at_most(DEBOUNCE_SECONDS));
        for (missing, _) in pairs {
            let rest = pairs.into_iter().filter(|(key, _)| *key != missing);
            let error = Settings::from_env(&Env::from_pairs(rest)).unwrap_err();
            assert!(error.to_string().starts_with(missing), "{error}");
        }
    }
}
