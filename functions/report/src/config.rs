//! The function's environment.

use perennial_lambda_kit::{Env, EnvError};

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The archive's URL.
    pub archive: String,
}

impl Settings {
    /// Reads `TABLE` and `ARCHIVE`.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            archive: env.required("ARCHIVE", "s3://BUCKET/PREFIX or file:///a/directory")?,
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
        assert!(error.to_string().starts_with("ARCHIVE"), "{error}");
        let env = Env::from_pairs([("TABLE", "t"), ("ARCHIVE", "file:///x")]);
        assert_eq!(Settings::from_env(&env).unwrap().table, "t");
    }
}
