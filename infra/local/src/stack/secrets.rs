//! The secrets of this machine: the environment's, else documented defaults.

use super::{LOCAL_HOOK_SECRET, LOCAL_TOKEN_SECRET};
use futures::future::{BoxFuture, FutureExt};
use perennial_channels::secrets::SecretError;
use perennial_contracts::tokens::TokenSecrets;
use perennial_deliver::secrets::{SecretStore, Secrets};
use perennial_lambda_kit::{Env, tokens};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Returns the secret `name` in the environment.
fn given(name: &str) -> Option<String> {
    Env::process().optional::<String>(name, "a secret").ok().flatten()
}

/// Returns the secrets that sign the tokens of users and inboxes.
pub(super) fn token_secrets() -> anyhow::Result<TokenSecrets> {
    match tokens::from_env(&Env::process())? {
        Some(secrets) => Ok(secrets),
        None => Ok(TokenSecrets::parse(LOCAL_TOKEN_SECRET)?),
    }
}

/// Returns whether the environment contains the secret `name`.
pub(super) fn is_given(name: &str) -> bool {
    given(name).is_some()
}

/// Returns the signing secret `name`: the environment's, else the documented local default.
pub(super) fn secret_of_this_machine(name: &str) -> String {
    given(name).unwrap_or_else(|| LOCAL_HOOK_SECRET.to_owned())
}

/// Returns the secrets of endpoints, wherever they are configured: those of stand-ins, else the environment's, else the
/// documented local default.
pub(super) fn secrets_of_this_machine(stood_in: BTreeMap<String, String>) -> Secrets {
    let stood_in = Arc::new(stood_in);
    let env = Arc::clone(&stood_in);
    let of = |stood_in: &BTreeMap<String, String>, name: &str| {
        stood_in.get(name).cloned().unwrap_or_else(|| secret_of_this_machine(name))
    };
    Secrets::new(Env::new(move |name| Some(of(&env, name))), Arc::new(StandInStore(stood_in)))
}

/// A stand-in for Secrets Manager and the Parameter Store.
struct StandInStore(Arc<BTreeMap<String, String>>);

impl SecretStore for StandInStore {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, SecretError>> {
        let secret = self.0.get(name).cloned().unwrap_or_else(|| LOCAL_HOOK_SECRET.to_owned());
        async move { Ok(secret) }.boxed()
    }
}
