//! The function's environment.

use perennial_channels::secrets::DEFAULT_PORT;
use perennial_channels::unsubscribe::{InvalidKeys, Keys};
use perennial_lambda_kit::{Env, EnvError, Redacted};

/// The function's environment. Its `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The events queue's URL.
    pub events_queue_url: String,
    /// The URL of the messages queue, the function's own: deferred messages are sent to it again, with a delay.
    pub messages_queue_url: String,
    /// The URL of the queue of essential messages, the function's own as well.
    pub essential_queue_url: String,
    /// The public URL of the api, without a trailing slash.
    pub public_url: String,
    /// The keys of unsubscribe links.
    pub unsubscribe_keys: Keys,
    /// The configuration set of mails, if it differs from the configured one.
    pub configuration_set: Option<String>,
    /// The port of the Parameters and Secrets extension on this machine.
    pub extension_port: u16,
    /// The token that authenticates the function to the extension; empty outside of Lambda.
    pub session_token: Redacted<String>,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A key is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The keys of unsubscribe links.
    #[error("UNSUBSCRIBE_KEYS: {0}")]
    Keys(#[from] InvalidKeys),
    /// The public address.
    #[error("PUBLIC_URL must begin with https:// (or http:// on this machine)")]
    PublicUrl,
}

impl Settings {
    /// Reads `TABLE`, `EVENTS_QUEUE_URL`, `MESSAGES_QUEUE_URL`, `ESSENTIAL_QUEUE_URL`, `PUBLIC_URL`, `UNSUBSCRIBE_KEYS` and `CONFIGURATION_SET`, and what Lambda sets:
    /// `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` and `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let public_url: String =
            env.required("PUBLIC_URL", "the address at which the api answers, such as https://perennial.example")?;
        if !public_url.starts_with("https://") && !public_url.starts_with("http://") {
            return Err(SettingsError::PublicUrl);
        }
        let keys = env.secret("UNSUBSCRIBE_KEYS", "keys of at least 32 bytes, with commas between")?;
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            events_queue_url: env.required("EVENTS_QUEUE_URL", "the URL of the events queue")?,
            messages_queue_url: env.required("MESSAGES_QUEUE_URL", "the URL of the messages queue")?,
            essential_queue_url: env.required("ESSENTIAL_QUEUE_URL", "the URL of the queue of essential messages")?,
            public_url: public_url.trim_end_matches('/').to_owned(),
            unsubscribe_keys: Keys::new(keys.expose().split(',').map(str::trim))?,
            configuration_set: env.optional("CONFIGURATION_SET", "the name of a configuration set of SES")?,
            extension_port: env.optional("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "a port")?.unwrap_or(DEFAULT_PORT),
            session_token: env.optional::<String>("AWS_SESSION_TOKEN", "a token")?.unwrap_or_default().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALL: [(&str, &str); 6] = [
        ("TABLE", "t"),
        ("EVENTS_QUEUE_URL", "q"),
        ("MESSAGES_QUEUE_URL", "m"),
        ("ESSENTIAL_QUEUE_URL", "s"),
        ("PUBLIC_URL", "https://p.example/"),
        ("UNSUBSCRIBE_KEYS", "a key of at least thirty-two bytes, another key of at least thirty-two bytes"),
    ];

    #[test]
    fn a_missing_or_wrong_key_is_named() {
        for (absent, _) in ALL {
            let error =
                Settings::from_env(&Env::from_pairs(ALL.into_iter().filter(|(key, _)| *key != absent))).unwrap_err();
            assert!(error.to_string().contains(absent), "{error}");
        }
        let wrong = |key: &str, value: &'static str| {
            Settings::from_env(&Env::from_pairs(ALL.map(|(k, v)| (k, if k == key { value } else { v })))).unwrap_err()
        };
        assert_eq!(wrong("PUBLIC_URL", "p.example"), SettingsError::PublicUrl);
        assert_eq!(wrong("UNSUBSCRIBE_KEYS", "short"), SettingsError::Keys(InvalidKeys::TooShort));
    }

    #[test]
    fn no_key_is_printed() {
        let settings = Settings::from_env(&Env::from_pairs(ALL)).unwrap();
        assert_eq!(settings.public_url, "https://p.example");
        assert!(!format!("{settings:?}").contains("thirty-two"));
    }
}
