//! The function's environment.

use perennial_lambda_kit::{Env, EnvError};

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The imports queue's URL.
    pub imports_queue_url: String,
    /// The URL of the queue of S3's notices.
    pub incoming_queue_url: String,
    /// The archive's URL, below which the progress of imports is stored.
    pub archive: String,
    /// The bucket with the folder `incoming/`.
    pub bucket: String,
}

impl Settings {
    /// Reads `TABLE`, `IMPORTS_QUEUE_URL`, `INCOMING_QUEUE_URL`, `ARCHIVE` and `BUCKET`.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            imports_queue_url: env.required("IMPORTS_QUEUE_URL", "the URL of the imports queue")?,
            incoming_queue_url: env.required("INCOMING_QUEUE_URL", "the URL of the queue of S3's notices")?,
            archive: env.required("ARCHIVE", "s3://BUCKET/PREFIX or file:///a/directory")?,
            bucket: env.required("BUCKET", "s3://BUCKET or file:///a/directory")?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_is_named() {
        let mut pairs = Vec::new();
        for key in ["TABLE", "IMPORTS_QUEUE_URL", "INCOMING_QUEUE_URL", "ARCHIVE", "BUCKET"] {
            let error = Settings::from_env(&Env::from_pairs(pairs.clone())).unwrap_err();
            assert!(error.to_string().starts_with(key), "{error}");
            pairs.push((key, "x"));
        }
        assert!(Settings::from_env(&Env::from_pairs(pairs)).is_ok());
    }
}
