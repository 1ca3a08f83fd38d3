//! The secrets of endpoints: from the environment, or from where AWS keeps them, remembered for a while.

use crate::error::DeliverError;
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::secrets::{Extension, SecretError};
use perennial_config::channels::SecretPlace;
use perennial_lambda_kit::{Env, Redacted};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a secret is cached: a new one is in use after this, plus the extension's own five minutes.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How long a cached secret is used if it cannot be read again.
const USABLE: SignedDuration = SignedDuration::from_hours(1);

/// A secret store outside of the process.
pub trait SecretStore: Send + Sync {
    /// Returns the secret called `name`.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, SecretError>>;
}

impl SecretStore for Extension {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, SecretError>> {
        Self::get(self, name).boxed()
    }
}

/// The secrets of endpoints.
pub struct Secrets {
    env: Env,
    store: Arc<dyn SecretStore>,
    held: Mutex<HashMap<String, Held>>,
}

struct Held {
    secret: Redacted<String>,
    at: Timestamp,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Secrets of `env` and `store`.
    #[must_use]
    pub fn new(env: Env, store: Arc<dyn SecretStore>) -> Self {
        Self { env, store, held: Mutex::default() }
    }

    /// Returns the secret at `place`. One in the store is read again when it is older than five minutes; if that fails,
    /// the cached one is used for up to an hour.
    ///
    /// # Errors
    /// [`DeliverError::NoSecret`] and [`DeliverError::Secret`], which name the place.
    pub(crate) async fn get(&self, place: &SecretPlace, now: Timestamp) -> Result<Redacted<String>, DeliverError> {
        let name = match place {
            SecretPlace::Env(name) => {
                let found = self.env.secret(name, "the secret of an endpoint");
                return found.map_err(|_| DeliverError::NoSecret(name.clone()));
            }
            SecretPlace::Store(name) => name,
        };
        if let Some(secret) = self.held(name, now, FRESH) {
            return Ok(secret);
        }
        match self.store.get(name).await {
            Ok(secret) => {
                let secret = Redacted::new(secret);
                let held = Held { secret: secret.clone(), at: now };
                self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), held);
                Ok(secret)
            }
            Err(error) => match self.held(name, now, USABLE) {
                Some(secret) => {
                    tracing::warn!(secret = %name, %error, "failed to read a secret; the cached one is used");
                    Ok(secret)
                }
                None => Err(DeliverError::Secret { name: name.clone(), error }),
            },
        }
    }

    fn held(&self, name: &str, now: Timestamp, age: SignedDuration) -> Option<Redacted<String>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(name).filter(|held| now.duration_since(held.at) < age).map(|held| held.secret.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Returns `secret-1`, `secret-2` …, and fails on demand.
    #[derive(Default)]
    struct Store {
        asked: AtomicUsize,
        fails: Mutex<bool>,
    }

    impl SecretStore for Store {
        fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String, SecretError>> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let fails = *self.fails.lock().unwrap();
            async move { if fails { Err(SecretError::Refused(500)) } else { Ok(format!("secret-{number}")) } }.boxed()
        }
    }

    fn at(minutes: i64) -> Timestamp {
        "2026-03-02T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    fn secrets() -> (Secrets, Arc<Store>) {
        let store = Arc::new(Store::default());
        let env = Env::from_pairs([("TOKEN", "of the environment")]);
        (Secrets::new(env, Arc::clone(&store) as Arc<dyn SecretStore>), store)
    }

    async fn get(secrets: &Secrets, minutes: i64) -> String {
        secrets.get(&SecretPlace::Store("a".into()), at(minutes)).await.unwrap().into_exposed()
    }

    #[tokio::test]
    async fn a_secret_is_asked_for_once_in_five_minutes() {
        let (secrets, store) = secrets();
        assert_eq!((get(&secrets, 0).await, get(&secrets, 4).await), ("secret-1".into(), "secret-1".into()));
        assert_eq!(get(&secrets, 5).await, "secret-2", "a new one is in use by then");
        assert_eq!(store.asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_store_that_fails_stops_nothing_for_an_hour() {
        let (secrets, store) = secrets();
        get(&secrets, 0).await;
        *store.fails.lock().unwrap() = true;
        assert_eq!(get(&secrets, 59).await, "secret-1");
        let error = secrets.get(&SecretPlace::Store("a".into()), at(60)).await.unwrap_err();
        assert_eq!(error.to_string(), "the secret a: the Parameters and Secrets extension answered 500");
    }

    #[tokio::test]
    async fn what_the_environment_lacks_is_named() {
        let (secrets, store) = secrets();
        let of = |name: &str| SecretPlace::Env(name.to_owned());
        assert_eq!(secrets.get(&of("TOKEN"), at(0)).await.unwrap().expose(), "of the environment");
        assert!(secrets.get(&of("OTHER"), at(0)).await.unwrap_err().to_string().starts_with("OTHER is not set"));
        assert_eq!(store.asked.load(Ordering::SeqCst), 0);
    }
}
