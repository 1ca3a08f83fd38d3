//! The function's environment.

use crate::sign_in::{SignInError, SignInSettings};
use perennial_lambda_kit::queue::WatchedQueue;
use perennial_lambda_kit::{Env, EnvError};
use std::time::Duration;

/// The default time for which totals are cached.
const MAX_AGE: Duration = Duration::from_secs(60);
/// The default days for which entries of the audit log are kept: a year, and a month to look back at it.
pub(crate) const AUDIT_DAYS: u16 = 400;
/// The most days for which they are kept: ten years.
const MAX_AUDIT_DAYS: u16 = 3_650;

/// The function's environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The queues with their dead-letter queues, in the order in which work flows.
    pub queues: Vec<WatchedQueue>,
    /// How long totals are cached.
    pub status_max_age: Duration,
    /// Sign-in; `None` without a provider, and nobody is shown anything then.
    pub sign_in: Option<SignInSettings>,
    /// Days for which entries of the audit log are kept.
    pub audit_days: u16,
}

/// The reason why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A variable is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A variable of sign-in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The days of the audit log.
    #[error("AUDIT_DAYS is invalid: it must be from 1 to {MAX_AUDIT_DAYS}")]
    AuditDays,
}

impl Settings {
    /// Reads the environment as the README lists it.
    ///
    /// # Errors
    /// [`SettingsError`] naming the variable that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let max_age = env.optional("STATUS_MAX_AGE_SECONDS", "a whole number of seconds")?.map(Duration::from_secs);
        let audit_days = env.optional("AUDIT_DAYS", "a whole number of days")?.unwrap_or(AUDIT_DAYS);
        if !(1..=MAX_AUDIT_DAYS).contains(&audit_days) {
            return Err(SettingsError::AuditDays);
        }
        Ok(Self {
            table: env.required("TABLE", "the name of a DynamoDB table")?,
            queues: WatchedQueue::all_from_env(env)?,
            status_max_age: max_age.unwrap_or(MAX_AGE),
            sign_in: SignInSettings::from_env(env)?,
            audit_days,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_lambda_kit::queue::WATCHED;

    #[test]
    fn missing_variable_is_named() {
        let mut all = vec![("TABLE".to_owned(), "t")];
        for (_, key) in WATCHED {
            all.push((format!("{key}_QUEUE_URL"), "q"));
            all.push((format!("{key}_DLQ_URL"), "d"));
        }
        let settings = Settings::from_env(&Env::from_pairs(all.clone())).unwrap();
        assert_eq!((settings.queues.len(), settings.audit_days), (WATCHED.len(), AUDIT_DAYS));
        assert!(settings.sign_in.is_none());
        for wrong in ["0", "3651", "a year"] {
            let with = all.iter().cloned().chain([("AUDIT_DAYS".to_owned(), wrong)]);
            let error = Settings::from_env(&Env::from_pairs(with)).unwrap_err();
            assert!(error.to_string().starts_with("AUDIT_DAYS"), "{error}");
        }
        for (absent, _) in &all {
            let rest = all.iter().filter(|(key, _)| key != absent).cloned();
            let error = Settings::from_env(&Env::from_pairs(rest)).unwrap_err();
            assert!(error.to_string().starts_with(absent.as_str()), "{error}");
        }
    }
}
