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
