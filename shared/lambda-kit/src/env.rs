//! Typed reading of the environment. A missing or invalid variable fails at init with its name; it never becomes a
//! default.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use crate::redact::Redacted;

/// The reason why a variable could not be read. Shows its name, what is wrong and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// The variable is not set, or only white space.
    #[error("{key} is not set: it must contain {allowed}")]
    Missing {
        /// The name of the variable.
        key: String,
        /// The allowed values.
        allowed: String,
    },
    /// The key's value does not parse.
    #[error("{key} is invalid: {problem}; it must contain {allowed}")]
    Invalid {
        /// The name of the variable.
        key: String,
        /// The parser's error. The value itself is not repeated.
        problem: String,
        /// The allowed values.
        allowed: String,
    },
}

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A reader of environment variables: of the process, or of a table from a test or the embedded stack.
#[derive(Clone)]
pub struct Env(Arc<Lookup>);

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    /// Reads through `lookup`, which returns a variable's value or `None`.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// Reads the environment of this process. Bytes that are not UTF-8 come back as U+FFFD, and so fail where they are parsed.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn process() -> Self {
        Self::new(|key| std::env::var_os(key).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads from a fixed list of pairs.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let table: std::collections::HashMap<String, String> =
            pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self::new(move |key| table.get(key).cloned())
    }

    fn text(&self, key: &str) -> Option<String> {
        let value = (self.0)(key)?;
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// The value of `key`, parsed. `allowed` completes the sentence "it must contain …".
    ///
    /// The parser's own words appear in the error; read secrets with [`Env::secret`] instead.
    ///
    /// # Errors
    /// [`EnvError::Missing`] if the key is unset or blank, [`EnvError::Invalid`] if it does not parse.
    pub fn required<T>(&self, key: &str, allowed: &str) -> Result<T, EnvError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.optional(key, allowed)?.ok_or_else(|| missing(key, allowed))
    }

    /// Like [`Env::required`], but an unset or blank key is `None`.
    ///
    /// # Errors
    /// [`EnvError::Invalid`] if the key is set and does not parse.
    pub fn optional<T>(&self, key: &str, allowed: &str) -> Result<Option<T>, EnvError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.text(key).map(|text| parse(key, &text, allowed)).transpose()
    }

    /// A comma-separated list; blanks around and between commas are dropped, and an unset key is an empty list.
    ///
    /// # Errors
    /// [`EnvError::Invalid`] for the first entry that does not parse.
    pub fn list<T>(&self, key: &str, allowed: &str) -> Result<Vec<T>, EnvError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.text(key).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| parse(key, entry, allowed))
            .collect()
    }

    /// Reads a secret, unchanged and wrapped, so that neither an error nor a log line can show it.
    ///
    /// # Errors
    /// [`EnvError::Missing`] if the variable is unset or blank.
    pub fn secret(&self, key: &str, allowed: &str) -> Result<Redacted<String>, EnvError> {
        self.text(key).map(Redacted::new).ok_or_else(|| missing(key, allowed))
    }
}

fn missing(key: &str, allowed: &str) -> EnvError {
    EnvError::Missing { key: key.to_owned(), allowed: allowed.to_owned() }
}

fn parse<T>(key: &str, text: &str, allowed: &str) -> Result<T, EnvError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|problem: T::Err| EnvError::Invalid {
        key: key.to_owned(),
        problem: problem.to_string(),
        allowed: allowed.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn env() -> Env {
        Env::from_pairs([
            ("PORT", " 8080 "),
            ("BAD", "eighty"),
            ("BLANK", "  "),
            ("PORTS", "1, 2,,3"),
            ("KEY", "s3cret"),
        ])
    }

    #[test]
    fn values_are_trimmed_and_parsed() {
        assert_eq!(env().required::<u16>("PORT", "a port").unwrap(), 8080);
        assert_eq!(env().list::<u16>("PORTS", "ports").unwrap(), [1, 2, 3]);
        assert_eq!(env().list::<u16>("NONE", "ports").unwrap(), [0u16; 0]);
    }

    #[test]
    fn when_a_key_is_missing_the_error_names_it_and_what_it_must_hold() {
        for key in ["NONE", "BLANK"] {
            let error = env().required::<u16>(key, "a port").unwrap_err();
            assert_eq!(error.to_string(), format!("{key} is not set: it must contain a port"));
            assert_eq!(env().optional::<u16>(key, "a port").unwrap(), None);
        }
    }

    #[test]
    fn when_a_value_is_wrong_the_error_says_so_even_if_it_was_optional() {
        let error = env().optional::<u16>("BAD", "a port").unwrap_err();
        assert_eq!(error.to_string(), "BAD is invalid: invalid digit found in string; it must contain a port");
        assert!(env().list::<u16>("BAD", "ports").is_err());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = env().secret("KEY", "a key").unwrap();
        assert_eq!(secret.expose(), "s3cret");
        assert!(!format!("{secret:?} {:?}", env()).contains("s3cret"));
        assert!(env().secret("BLANK", "a key").is_err());
    }
}
