//! Signing in and out: a cookie carries a sign-in from its beginning to the provider's answer, and another one the session.

mod pages;
mod settings;

pub use settings::{SignInError, SignInSettings};

use crate::answer::{Failure, see_other};
use crate::cookie::{self, Cookie, Cookies};
use crate::form::{Fields, Tokens, is_same_origin};
use crate::keys::{self, Keys, Purpose};
use crate::oidc::provider::Asked;
use crate::oidc::{OidcError, Provider};
use crate::role::{Claims, NoRole, Role, Rules};
use crate::session::Session;
use crate::url;
use crate::visitor::Visitor;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, Method, Response, header};
use jiff::Timestamp;
use lambda_http::{Body, Request};
use perennial_lambda_kit::metrics::Metrics;
use perennial_lambda_kit::web::Web;
use ring::digest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The seconds within which somebody has to sign in at the provider.
const PATIENCE: i64 = 10 * 60;
/// The time for all calls to the provider for one sign-in: less than the function's, so that the visitor gets an answer.
const DEADLINE: Duration = Duration::from_secs(12);
/// The path that the provider sends browsers back to.
const CALLBACK: &str = "/sign-in/callback";

/// The end of a sign-in, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// A session began.
    SignedIn,
    /// No role, or an answer of the provider that is not valid.
    Refused,
    /// The provider did not answer.
    Failed,
}

/// Sign-in at one provider.
#[derive(Debug)]
pub struct SignIn {
    provider: Provider,
    rules: Rules,
    keys: Keys,
    hours: u16,
    /// The dashboard's own address; `None` for the one that it is asked under.
    address: Option<String>,
    cookies: Cookies,
}

/// A sign-in that has begun, as it is in its cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    #[serde(rename = "s")]
    state: String,
    #[serde(rename = "n")]
    nonce: String,
    #[serde(rename = "v")]
    verifier: String,
    /// The page that was asked for.
    #[serde(rename = "t")]
    to: String,
    /// When it expires, in seconds since 1970.
    #[serde(rename = "e")]
    expires: i64,
}

/// The reason why a sign-in led to no session.
#[derive(Debug)]
enum Refusal {
    /// The cookie of its beginning is missing, expired or of another sign-in.
    Lost,
    /// The provider says that it was refused, with its error code.
    Provider(String),
    /// The provider does not answer, or its answer is not valid.
    Oidc(OidcError),
    /// The person has no role.
    NoRole(NoRole),
}

impl SignIn {
    /// Returns sign-in with these settings, whose provider is called by `web`. `is_secure` is `false` on plain HTTP, which only
    /// the embedded stack on loopback has.
    pub fn new(settings: SignInSettings, web: Arc<dyn Web>, is_secure: bool) -> Self {
        let SignInSettings { provider, rules, keys, hours, address } = settings;
        Self { provider: Provider::new(provider, web), rules, keys, hours, address, cookies: Cookies { is_secure } }
    }

    /// Returns the keys of sessions and forms.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Returns the visitor whose session a request carries; `None` without a valid one.
    pub(crate) fn visitor(&self, headers: &HeaderMap, now: Timestamp) -> Option<Visitor> {
        let cookie = self.cookies.get(headers, Cookie::Session)?;
        Some(Visitor::of(Session::open(cookie, &self.keys, now, self.hours)?, cookie))
    }

    /// Answers the paths of signing in and out; `None` for all others.
    ///
    /// # Errors
    /// [`Failure`] if a form was not one of ours.
    pub(crate) async fn answer(
        &self,
        segments: &[&str],
        request: &Request,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Option<Response<Body>>, Failure> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        Ok(Some(match segments {
            ["sign-in"] if is_read => self.begin(request, now).await?,
            ["sign-in", "callback"] if is_read => self.finish(request, now).await?,
            ["sign-out"] if *request.method() == Method::POST => self.end(request, tokens, now)?,
            ["signed-out"] if is_read => pages::signed_out(self.provider.sign_out_url().await.as_deref()),
            ["sign-in" | "sign-out" | "signed-out", ..] => return Err(Failure::Method),
            _ => return Ok(None),
        }))
    }

    /// Returns the address at which a visitor without a session signs in, to come back to the page of `request`.
    pub(crate) fn page_for(request: &Request) -> String {
        let asked = request.uri().path_and_query().map_or("/", |page| page.as_str());
        let to = url::own_page(asked);
        url::query("/sign-in", &[("to", if to == "/" { "" } else { &to })])
    }

    /// Sends the browser to the provider.
    async fn begin(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, Failure> {
        let query = Fields::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let pending = Pending {
            state: random()?,
            nonce: random()?,
            verifier: random()?,
            to: url::own_page(query.get("to")),
            expires: now.as_second() + PATIENCE,
        };
        let callback = self.callback(request)?;
        let asked = Asked { is_again: !query.get("again").is_empty(), ..pending.asked(&callback) };
        match self.provider.sign_in_url(&asked, now).await {
            Ok(url) => {
                let mut all = self.pending(request.headers(), now);
                all.push(pending);
                let mut answer = see_other(&url);
                self.keep(&mut answer, all)?;
                Ok(answer)
            }
            Err(error) => Ok(self.refused(&Refusal::Oidc(error), now)),
        }
    }

    /// Makes a session of the provider's answer.
    async fn finish(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, Failure> {
        let callback = self.callback(request)?;
        let query = Fields::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let mut all = self.pending(request.headers(), now);
        let Some(at) = all.iter().position(|pending| is_same(query.get("state"), &pending.state)) else {
            // Not an answer to this browser, or the second one of its kind: all sessions and all pending sign-ins stay.
            return Ok(match self.visitor(request.headers(), now) {
                Some(_) => see_other("/"),
                None => self.refused(&Refusal::Lost, now),
            });
        };
        let pending = all.remove(at);
        let accepted = tokio::time::timeout(DEADLINE, self.accept(&query, &pending, &callback, now));
        let accepted = accepted.await.unwrap_or(Err(Refusal::Oidc(OidcError::Slow)));
        let mut answer = match accepted {
            Ok(session) => {
                count(Counted::SignedIn, now);
                let mut answer = see_other(&pending.to);
                let seconds = i64::from(self.hours) * 3_600;
                self.set(&mut answer, Cookie::Session, &session.seal(&self.keys), seconds);
                answer
            }
            Err(refusal) => self.refused(&refusal, now),
        };
        // An answer of the provider is good once, whatever it says.
        self.keep(&mut answer, all)?;
        Ok(answer)
    }

    async fn accept(
        &self,
        query: &Fields,
        pending: &Pending,
        callback: &str,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        // RFC 9207: a provider may name itself, so that the answer of another one is not accepted.
        let issuer = query.get("iss");
        if !issuer.is_empty() && self.provider.issuer(now).await.map_err(Refusal::Oidc)? != issuer {
            return Err(Refusal::Provider("the answer is of another issuer".to_owned()));
        }
        if !query.get("error").is_empty() {
            let said = [query.get("error"), query.get("error_description")].join(" ");
            return Err(Refusal::Provider(said.trim().chars().take(300).collect()));
        }
        if query.get("code").is_empty() {
            return Err(Refusal::Provider("the answer has no code".to_owned()));
        }
        let claims = self.provider.claims(query.get("code"), &pending.asked(callback), now).await;
        let claims = claims.map_err(Refusal::Oidc)?;
        let role = self.rules.role(&claims).map_err(Refusal::NoRole)?;
        Ok(self.session(&claims, role, now))
    }

    fn session(&self, claims: &Claims, role: Role, now: Timestamp) -> Session {
        let text =
            |name: &str| claims.get(name).and_then(|value| value.as_str()).filter(|text| !text.trim().is_empty());
        let subject = text("sub").unwrap_or_default();
        let name = ["name", "preferred_username", "cognito:username", "email"].into_iter().find_map(text);
        Session::new(subject, name.unwrap_or(subject), role, now, self.hours)
    }

    /// Ends the session of this browser.
    fn end(&self, request: &Request, tokens: &Tokens, now: Timestamp) -> Result<Response<Body>, Failure> {
        // Browsers send no `SameSite=Lax` cookie with a form of another site: that a request has no session says nothing about its origin.
        if !is_same_origin(request.headers()) {
            return Err(Failure::Form);
        }
        if let Some(visitor) = self.visitor(request.headers(), now) {
            let fields = Fields::parse(request.body().as_ref()).unwrap_or_default();
            if !tokens.is_valid(fields.get("token"), &visitor.session, now) {
                return Err(Failure::Form);
            }
        }
        let mut answer = see_other("/signed-out");
        self.set(&mut answer, Cookie::Session, "", 0);
        Ok(answer)
    }

    /// Returns the sign-ins that this browser has begun, the newest last: each of its tabs may have one.
    fn pending(&self, headers: &HeaderMap, now: Timestamp) -> Vec<Pending> {
        let cookie =
            self.cookies.get(headers, Cookie::SignIn).and_then(|cookie| self.keys.open(Purpose::SignIn, cookie));
        let all: Option<Vec<Pending>> = cookie.and_then(|json| serde_json::from_slice(&json).ok());
        all.unwrap_or_default().into_iter().filter(|pending| now.as_second() < pending.expires).collect()
    }

    /// Keeps the newest of the sign-ins that have begun, as many as a cookie holds.
    fn keep(&self, answer: &mut Response<Body>, mut all: Vec<Pending>) -> Result<(), Failure> {
        loop {
            if all.is_empty() {
                self.set(answer, Cookie::SignIn, "", 0);
                return Ok(());
            }
            let json = serde_json::to_vec(&all).map_err(|error| Failure::Internal(error.to_string()))?;
            let cookie = self.keys.seal(Purpose::SignIn, &json);
            if cookie.len() <= cookie::MAX_BYTES {
                self.set(answer, Cookie::SignIn, &cookie, PATIENCE);
                return Ok(());
            }
            all.remove(0);
        }
    }

    fn refused(&self, refusal: &Refusal, now: Timestamp) -> Response<Body> {
        let is_outage = matches!(refusal, Refusal::Oidc(error) if error.is_outage());
        count(if is_outage { Counted::Failed } else { Counted::Refused }, now);
        if let Refusal::Oidc(error) = refusal {
            tracing::warn!(%error, "failed to sign somebody in");
        }
        pages::refused(refusal, &self.rules)
    }

    fn set(&self, answer: &mut Response<Body>, cookie: Cookie, value: &str, seconds: i64) {
        if let Some(value) = self.cookies.set(cookie, value, seconds) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
    }

    /// Returns the address that the provider sends the browser back to. The provider compares it with those that it knows, so
    /// a wrong host leads nowhere.
    fn callback(&self, request: &Request) -> Result<String, Failure> {
        if let Some(address) = &self.address {
            return Ok(format!("{address}{CALLBACK}"));
        }
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let is_host = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        let host = host.filter(is_host).ok_or_else(|| Failure::Wrong("the request names no host".to_owned()))?;
        let scheme = if self.cookies.is_secure { "https" } else { "http" };
        Ok(format!("{scheme}://{host}{CALLBACK}"))
    }
}

impl Pending {
    fn asked<'a>(&'a self, callback: &'a str) -> Asked<'a> {
        Asked { state: &self.state, nonce: &self.nonce, verifier: &self.verifier, callback, is_again: false }
    }
}

/// Returns 256 random bits: 43 characters, the least that PKCE allows.
fn random() -> Result<String, Failure> {
    Ok(BASE64URL_NOPAD.encode(&keys::random::<32>()?))
}

/// Returns whether two texts are the same, without showing by the time where they differ.
fn is_same(one: &str, other: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    hash(one).as_ref() == hash(other).as_ref()
}

fn count(end: Counted, now: Timestamp) {
    let is = |other| u64::from(end == other);
    Metrics::new("Perennial", "dashboard")
        .count("SignedIn", is(Counted::SignedIn))
        .count("SignInsRefused", is(Counted::Refused))
        .count("SignInsFailed", is(Counted::Failed))
        .emit(now);
}

#[cfg(test)]
mod tests;
