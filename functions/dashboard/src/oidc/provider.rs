//! The provider: where people are sent to sign in, and what it says about who did.

use super::OidcError;
use super::discovery::{self, ClientAuth, Discovered};
use super::jwks::KeySet;
use super::token::{Expected, Unverified};
use crate::role::{Claims, GOOGLE};
use crate::url;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::Timestamp;
use perennial_lambda_kit::Redacted;
use perennial_lambda_kit::web::{Answer, Call, Web};
use ring::digest;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The seconds for which the discovery document and the keys are used before they are fetched again.
const FRESH: i64 = 60 * 60;
/// The least seconds between two fetches of the keys: a token may name any key, and anyone can send one.
const PAUSE: i64 = 60;
/// The seconds after a failed fetch of the document in which it is not tried again: every visitor without a session asks for it.
const FAILED_PAUSE: i64 = 5;
/// The most bytes of the discovery document.
const DOCUMENT: usize = 64 * 1024;
/// The most bytes of the keys.
const KEYS: usize = 256 * 1024;
/// The most bytes of an answer of the token endpoint: an ID token, and tokens that we do not use.
const TOKENS: usize = 128 * 1024;

/// The settings of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderSettings {
    /// The issuer, `https://…`.
    pub(crate) issuer: String,
    /// Our client id there.
    pub(crate) client: String,
    /// Our secret there; `None` for a public client, which PKCE alone protects.
    pub(crate) secret: Option<Redacted<String>>,
    /// The scopes, with spaces between.
    pub(crate) scopes: String,
}

/// The values of one sign-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Comes back with the answer.
    pub(crate) state: &'a str,
    /// Comes back within the ID token.
    pub(crate) nonce: &'a str,
    /// The secret of PKCE.
    pub(crate) verifier: &'a str,
    /// Where the provider sends the browser back to.
    pub(crate) callback: &'a str,
    /// `true` if the provider has to ask who it is, although it knows the browser: for another account.
    pub(crate) is_again: bool,
}

/// A provider.
pub(crate) struct Provider {
    settings: ProviderSettings,
    web: Arc<dyn Web>,
    known: Mutex<Known>,
}

/// The fetched documents, with their times in seconds since 1970.
#[derive(Default)]
struct Known {
    document: Option<(Arc<Discovered>, i64)>,
    /// The last failure of the document's fetch.
    failed: Option<(OidcError, i64)>,
    keys: Option<(KeySet, i64)>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Provider {
    pub(crate) fn new(settings: ProviderSettings, web: Arc<dyn Web>) -> Self {
        Self { settings, web, known: Mutex::default() }
    }

    /// Returns the address of the page on which a person signs in.
    ///
    /// # Errors
    /// [`OidcError`] if the provider cannot be asked for it.
    pub(crate) async fn sign_in_url(&self, asked: &Asked<'_>, now: Timestamp) -> Result<String, OidcError> {
        let document = self.document(now).await?;
        let challenge = digest::digest(&digest::SHA256, asked.verifier.as_bytes());
        let challenge = BASE64URL_NOPAD.encode(challenge.as_ref());
        Ok(url::query(
            &document.authorization,
            &[
                ("response_type", "code"),
                ("client_id", &self.settings.client),
                ("redirect_uri", asked.callback),
                ("scope", &self.settings.scopes),
                ("state", asked.state),
                ("nonce", asked.nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("prompt", if asked.is_again { prompt(&document.issuer) } else { "" }),
            ],
        ))
    }

    /// Returns the page on which people sign out of the provider itself, if it is known and the provider has one.
    pub(crate) async fn sign_out_url(&self) -> Option<String> {
        let known = self.known.lock().await;
        let page = known.document.as_ref()?.0.end_session.clone()?;
        Some(url::query(&page, &[("client_id", &self.settings.client)]))
    }

    /// Returns the issuer as the provider writes it.
    ///
    /// # Errors
    /// [`OidcError`] if its document cannot be read.
    pub(crate) async fn issuer(&self, now: Timestamp) -> Result<String, OidcError> {
        Ok(self.document(now).await?.issuer.clone())
    }

    /// Exchanges the code of a sign-in, and returns the claims of its verified ID token.
    ///
    /// # Errors
    /// [`OidcError`] if the provider does not accept the code, or its token is not one for this sign-in.
    pub(crate) async fn claims(&self, code: &str, asked: &Asked<'_>, now: Timestamp) -> Result<Claims, OidcError> {
        let document = self.document(now).await?;
        let token = self.exchange(&document, code, asked).await?;
        let token = Unverified::read(&token)?;
        let keys = self.keys(&document, token.key.as_deref(), now).await?;
        let expected = Expected { issuer: &document.issuer, client: &self.settings.client, nonce: asked.nonce, now };
        Ok(token.verify(&keys, &expected)?)
    }

    async fn document(&self, now: Timestamp) -> Result<Arc<Discovered>, OidcError> {
        const WHAT: &str = "the provider's discovery document";
        let mut known = self.known.lock().await;
        if let Some((document, at)) = &known.document
            && is_fresh(*at, now, FRESH)
        {
            return Ok(Arc::clone(document));
        }
        if let Some((error, at)) = &known.failed
            && is_fresh(*at, now, FAILED_PAUSE)
        {
            return Err(error.clone());
        }
        let fetched = async {
            let body = self.fetch(WHAT, Call::get(discovery::url(&self.settings.issuer), DOCUMENT)).await?;
            discovery::parse(body.expose(), &self.settings.issuer)
        };
        let document = match (fetched.await, &known.document) {
            (Ok(document), _) => Arc::new(document),
            // One that was good an hour ago is better than none.
            (Err(error), Some((old, _))) if error.is_outage() => Arc::clone(old),
            (Err(error), _) => {
                known.failed = Some((error.clone(), now.as_second()));
                return Err(error);
            }
        };
        known.document = Some((Arc::clone(&document), now.as_second()));
        Ok(document)
    }

    /// Returns the keys of the provider: those that are known, unless they are old or the one called `id` is not among them.
    async fn keys(&self, document: &Discovered, id: Option<&str>, now: Timestamp) -> Result<KeySet, OidcError> {
        const WHAT: &str = "the provider's keys";
        let mut known = self.known.lock().await;
        if let Some((keys, at)) = &known.keys {
            let is_known = id.is_none_or(|id| keys.has(id));
            if is_fresh(*at, now, if is_known { FRESH } else { PAUSE }) {
                return Ok(keys.clone());
            }
        }
        let body = match (self.fetch(WHAT, Call::get(&document.jwks, KEYS)).await, &known.keys) {
            (Ok(body), _) => body,
            // Keys that were good an hour ago are better than none.
            (Err(error), Some((keys, _))) if error.is_outage() && id.is_none_or(|id| keys.has(id)) => {
                return Ok(keys.clone());
            }
            (Err(error), _) => return Err(error),
        };
        let keys = KeySet::parse(body.expose())
            .ok_or_else(|| OidcError::Malformed { what: WHAT, why: "it is no set of keys".to_owned() })?;
        known.keys = Some((keys.clone(), now.as_second()));
        Ok(keys)
    }

    /// Returns the ID token for a code.
    async fn exchange(&self, document: &Discovered, code: &str, asked: &Asked<'_>) -> Result<String, OidcError> {
        const WHAT: &str = "the provider's token endpoint";
        let mut outcome = Err(OidcError::Malformed { what: WHAT, why: "it takes no secret".to_owned() });
        for auth in &document.auth {
            outcome = self.fetch(WHAT, self.token_call(document, *auth, code, asked)).await;
            // So answers a provider at which the client was registered for the other way of showing its secret.
            let is_unknown = matches!(&outcome, Err(OidcError::Refused { code, .. }) if code == "invalid_client");
            if !is_unknown || self.settings.secret.is_none() {
                break;
            }
        }
        let tokens = serde_json::from_slice::<Tokens>(outcome?.expose()).ok();
        tokens.and_then(|tokens| tokens.id_token).ok_or_else(|| OidcError::Malformed {
            what: WHAT,
            why: "its answer has no id_token; the scopes must contain openid".to_owned(),
        })
    }

    fn token_call(&self, document: &Discovered, auth: ClientAuth, code: &str, asked: &Asked<'_>) -> Call {
        let secret = self.settings.secret.as_ref().map(Redacted::expose);
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", asked.callback),
            ("code_verifier", asked.verifier),
        ];
        let mut headers = Vec::new();
        match (secret, auth) {
            (Some(secret), ClientAuth::Basic) => {
                // Both are encoded as in a form before they are joined: RFC 6749, 2.3.1.
                let pair = format!("{}:{}", url::encode(&self.settings.client), url::encode(secret));
                headers.push(("authorization", Redacted::new(format!("Basic {}", BASE64.encode(pair.as_bytes())))));
            }
            (Some(secret), ClientAuth::Post) => {
                fields.extend([("client_id", self.settings.client.as_str()), ("client_secret", secret)]);
            }
            (None, _) => fields.push(("client_id", &self.settings.client)),
        }
        let form = Redacted::new(url::query("", &fields).trim_start_matches('?').to_owned());
        Call { url: document.token.clone(), headers, form: Some(form), limit: TOKENS }
    }

    async fn fetch(&self, what: &'static str, call: Call) -> Result<Redacted<Vec<u8>>, OidcError> {
        let Answer { status, body } = self.web.call(call).await.map_err(|why| OidcError::Web { what, why })?;
        if status == 200 {
            return Ok(body);
        }
        let refusal = serde_json::from_slice::<Refusal>(body.expose()).ok();
        let code = refusal.and_then(|refusal| refusal.error).unwrap_or_default();
        // A code of RFC 6749 is short and of these characters; anything else stays out of pages and logs.
        let is_code =
            code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        Err(OidcError::Refused { what, status, code: if is_code { code } else { String::new() } })
    }
}

/// Returns the value of `prompt` for which a provider asks who it is. Google refuses `login`, which the standard has.
fn prompt(issuer: &str) -> &'static str {
    if issuer == GOOGLE { "select_account" } else { "login" }
}

fn is_fresh(at: i64, now: Timestamp, seconds: i64) -> bool {
    (0..seconds).contains(&(now.as_second() - at))
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
