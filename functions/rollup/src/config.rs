//! The function's environment.

use perennial_lambda_kit::{Env, EnvError};

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The messages queue's URL.
    pub messages_queue_url: String,
    /// The events queue's URL.
    pub events_queue_url: String,
    /// The accounts queue's URL.
    pub accounts_queue_url: String,
    /// The shortest time between two evaluations of an account's people, in seconds.
    pub wake_pause_seconds: u32,
    /// The time from an account's write to the evaluation of its people, in seconds.
    pub wake_after_seconds: u32,
}

/// Five minutes: the people of an account that changes all day are evaluated at most a dozen times an hour.
const WAKE_PAUSE_SECONDS: u32 = 300;
/// `score` uses what it has read of an account for two seconds, and then has to finish its writes.
const WAKE_AFTER_SECONDS: u32 = 5;

impl Settings {
    /// Reads `TABLE`, `MESSAGES_QUEUE_URL`, `EVENTS_QUEUE_URL` and `ACCOUNTS_QUEUE_URL`, and `WAKE_PAUSE_SECONDS`
    /// (default: 300) and `WAKE_AFTER_SECONDS` (default: 5; at most 900).
    ///
    /// # Errors
    /// [`EnvError`] with the name of the missing variable.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            messages_queue_url: env.required("MESSAGES_QUEUE_URL", "the URL of the messages queue")?,
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            accounts_queue_url: env.required("ACCOUNTS_QUEUE_URL", "the URL of the accounts queue")?,
            wake_pause_seconds: env
                .optional("WAKE_PAUSE_SECONDS", "a whole number of seconds")?
                .unwrap_or(WAKE_PAUSE_SECONDS),
            wake_after_seconds: env
                .optional("WAKE_AFTER_SECONDS", "a whole number of seconds")?
                .unwrap_or(WAKE_AFTER_SECONDS),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_is_named() {
        let pairs =
            [("TABLE", "t"), ("MESSAGES_QUEUE_URL", "m"), ("EVENTS_QUEUE_URL", "e"), ("ACCOUNTS_QUEUE_URL", "a")];
        assert!(Settings::from_env(&Env::from_pairs(pairs)).is_ok());
        for (missing, _) in pairs {
            let rest = pairs.into_iter().filter(|(key, _)| *key != missing);
            let error = Settings::from_env(&Env::from_pairs(rest)).unwrap_err();
            assert!(error.to_string().starts_with(missing), "{error}");
        }
    }
}
