//! What the environment says.

use perennial_lambda_kit::{Env, EnvError};

/// People of one run where nothing else is said: a minute's work.
pub const MAX_PEOPLE: usize = 20_000;

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The events queue's URL.
    pub events_queue_url: String,
    /// People of one run at most.
    pub max_people: usize,
}

impl Settings {
    /// Reads `TABLE`, `EVENTS_QUEUE_URL` and `MAX_PEOPLE`.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        let max_people = env.optional::<std::num::NonZeroU32>("MAX_PEOPLE", "a whole number above 0")?;
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            max_people: max_people.map_or(MAX_PEOPLE, |n| n.get() as usize),
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
    }
}
