//! A browser, as far as sign-in needs one, before a dashboard whose provider is a stand-in.

use super::provider::{FakeWeb, ISSUER, Issued, sign, web};
use super::{House, with_access};
use crate::access::Access;
use crate::form::Fields;
use crate::handler::handle;
use crate::sign_in::{SignIn, SignInSettings};
use crate::url;
use http::StatusCode;
use lambda_http::Body;
use perennial_lambda_kit::calls::Calls;
use perennial_lambda_kit::web::Web;
use perennial_lambda_kit::{Env, SimulatedTime};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const TOKEN: &str = "https://login.example/token";

/// A browser: it keeps cookies and follows nothing.
pub(crate) struct Browser {
    pub(crate) house: House,
    pub(crate) web: Arc<FakeWeb>,
    pub(crate) time: SimulatedTime,
    /// The calls of the table.
    pub(crate) calls: Calls,
    pub(crate) cookies: Vec<(String, String)>,
    /// Where requests come from, as browsers say it.
    pub(crate) site: &'static str,
}

/// The answer to a request.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) html: String,
    pub(crate) set: Vec<String>,
}

impl Browser {
    pub(crate) async fn new() -> Self {
        let env = Env::from_pairs([
            ("OIDC_ISSUER", ISSUER),
            ("OIDC_CLIENT_ID", "us"),
            ("OIDC_VIEWERS", "staff"),
            ("OIDC_OPERATORS", "ops"),
            ("OIDC_ADMINS", "boss"),
            ("SESSION_KEYS", "a key of sessions of thirty-two bytes"),
        ]);
        let web = Arc::new(web());
        let settings = SignInSettings::from_env(&env).unwrap().unwrap();
        let sign_in = SignIn::new(settings, Arc::clone(&web) as Arc<dyn Web>, true);
        let calls = Calls::default();
        let (house, time) = with_access(&calls, Access::SignIn(Arc::new(sign_in))).await;
        Self { house, web, time, calls, cookies: Vec::new(), site: "same-origin" }
    }

    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> Seen {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::builder().method(method).uri(path).header("host", "crm.example");
        let request = request.header("cookie", cookies.join("; ")).header("sec-fetch-site", self.site);
        let answer = handle(&self.house.deps, request.body(Body::Text(body.to_owned())).unwrap()).await;
        let set: Vec<String> =
            answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
        for cookie in &set {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(own, _)| own != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status();
        let Body::Text(html) = answer.into_body() else { panic!("{path}: no text") };
        Seen { status, location: location.unwrap_or_default(), html, set }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.call("GET", path, "").await
    }

    /// Begins a sign-in, and returns the parameter of the provider's address with this name.
    pub(crate) async fn begin(&mut self, to: &str) -> impl Fn(&str) -> String + use<> {
        let seen = self.get(&url::query("/sign-in", &[("to", to)])).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.html);
        let query = seen.location.split_once('?').unwrap().1.to_owned();
        move |name| Fields::parse(query.as_bytes()).unwrap().get(name).to_owned()
    }

    /// Lets the provider issue a token with these groups, and other claims.
    pub(crate) fn issue(&self, nonce: &str, groups: &Value, others: &Value) {
        let at = self.time.now().as_second();
        let mut claims = json!({
            "iss": ISSUER, "aud": "us", "sub": "u-1", "name": "Eve <b>", "nonce": nonce, "iat": at, "exp": at + 300, "groups": groups,
        });
        for (name, value) in others.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let answer = json!({ "id_token": sign(Issued::Ours, &claims) }).to_string();
        self.web.on(TOKEN, &[(200, answer)]);
    }

    pub(crate) async fn sign_in(&mut self, to: &str, groups: &Value) -> Seen {
        let asked = self.begin(to).await;
        self.issue(&asked("nonce"), groups, &json!({}));
        let state = asked("state");
        self.get(&format!("/sign-in/callback?code=c&state={state}")).await
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(own, _)| own == name)
    }
}

pub(crate) const SESSION: &str = "__Host-perennial-session";
pub(crate) const SIGN_IN: &str = "__Host-perennial-sign-in";
