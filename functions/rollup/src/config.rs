//! What the environment says.

use perennial_lambda_kit::{Env, EnvError};

/// The function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
}

impl Settings {
    /// Reads `TABLE`.
    ///
    /// # Errors
    /// [`EnvError`] where it is missing.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        Ok(Self { table: env.required("TABLE", "the name of a DynamoDB table")? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_key_is_named() {
        let none: [(&str, &str); 0] = [];
        assert!(Settings::from_env(&Env::from_pairs(none)).unwrap_err().to_string().starts_with("TABLE"));
    }
}
