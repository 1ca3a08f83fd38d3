//! The function's environment.

use crate::throttle::EVENTS_A_SECOND;
use http::HeaderName;
use perennial_contracts::tokens::TokenSecrets;
use perennial_lambda_kit::tokens::{self, InvalidSecrets};
use perennial_lambda_kit::{Env, EnvError};
use std::num::NonZeroU32;

/// The default number of bodies processed at once. Each may be 10 MB.
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
    /// Events a second that one address may send with a public key; `None` for any number.
    pub public_events_a_second: Option<NonZeroU32>,
    /// The header in which a proxy in front sends the client's address.
    pub client_ip_header: Option<HeaderName>,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// A key is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A secret of tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] InvalidSecrets),
}

impl Settings {
    /// Reads the environment as the README lists it.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, SettingsError> {
        // Without any, no event of a public source is signed.
        let tokens = tokens::from_env(env)?.unwrap_or_default();
        let max_in_flight = env.optional::<std::num::NonZeroU16>("MAX_IN_FLIGHT", "a whole number from 1 to 65535")?;
        Ok(Self {
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            tokens,
            max_in_flight: max_in_flight.map_or(MAX_IN_FLIGHT, |n| usize::from(n.get())),
            public_events_a_second: public_events_a_second(env, EVENTS_A_SECOND)?,
            client_ip_header: env.optional("CLIENT_IP_HEADER", "the name of a header")?,
        })
    }
}

/// Events a second that one address may send with a public key, by `PUBLIC_EVENTS_A_SECOND`; `default` where that is not set, and `None` where it is 0.
///
/// # Errors
/// [`EnvError`] where it is no whole number.
pub fn public_events_a_second(env: &Env, default: u32) -> Result<Option<NonZeroU32>, EnvError> {
    let events = env.optional::<u32>("PUBLIC_EVENTS_A_SECOND", "a whole number, 0 for no limit")?;
    Ok(NonZeroU32::new(events.unwrap_or(default)))
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

    #[test]
    fn limit_of_public_keys_is_on_unless_it_is_switched_off() {
        let with = |events: Option<&str>| {
            let mut pairs = vec![("TABLE", "t"), ("EVENTS_QUEUE_URL", "q")];
            pairs.extend(events.map(|events| ("PUBLIC_EVENTS_A_SECOND", events)));
            Settings::from_env(&Env::from_pairs(pairs))
                .map(|settings| settings.public_events_a_second.map(NonZeroU32::get))
        };
        assert_eq!(with(None).unwrap(), Some(EVENTS_A_SECOND));
        assert_eq!((with(Some("7")).unwrap(), with(Some("0")).unwrap()), (Some(7), None));
        assert!(with(Some("-1")).unwrap_err().to_string().starts_with("PUBLIC_EVENTS_A_SECOND"));
    }
}
