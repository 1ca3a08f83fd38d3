#![allow(clippy::unwrap_used)]
use super::*;
use crate::test_support::provider::{FakeWeb, ISSUER, Issued, JWKS, sign, web};
use serde_json::json;

const DOCUMENT: &str = "https://login.example/.well-known/openid-configuration";
const ASKED: Asked<'static> = Asked {
    state: "s-1",
    nonce: "n-1",
    verifier: "a verifier",
    callback: "https://crm.example/sign-in/callback",
    is_again: false,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_440_000 + second).unwrap()
}

fn provider(web: &Arc<FakeWeb>, secret: Option<&str>) -> Provider {
    let settings = ProviderSettings {
        issuer: ISSUER.to_owned(),
        client: "us & them".to_owned(),
        secret: secret.map(|secret| Redacted::new(secret.to_owned())),
        scopes: "openid email".to_owned(),
    };
    Provider::new(settings, Arc::clone(web) as Arc<dyn Web>)
}

fn token(second: i64, nonce: &str) -> String {
    let now = at(second).as_second();
    let claims =
        json!({ "iss": ISSUER, "aud": "us & them", "sub": "u-1", "nonce": nonce, "iat": now, "exp": now + 300 });
    json!({ "access_token": "x", "id_token": sign(Issued::Ours, &claims) }).to_string()
}

fn urls(web: &FakeWeb) -> Vec<String> {
    web.take().into_iter().map(|call| call.url).collect()
}

#[tokio::test]
async fn page_of_the_provider_is_asked_with_state_nonce_and_challenge() {
    let web = Arc::new(web());
    let url = provider(&web, None).sign_in_url(&ASKED, at(0)).await.unwrap();
    // printf %s "a verifier" | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
    let challenge = "a8Xydxs4829ltqgGef8OlDLr0Swt-8yWfySBRiYF8tw";
    assert_eq!(
        url,
        format!(
            "https://login.example/authorize?brand=1&response_type=code&client_id=us%20%26%20them\
            &redirect_uri=https%3A%2F%2Fcrm.example%2Fsign-in%2Fcallback&scope=openid%20email&state=s-1&nonce=n-1\
            &code_challenge={challenge}&code_challenge_method=S256"
        )
    );
    let again = Asked { is_again: true, ..ASKED };
    let other = provider(&web, None).sign_in_url(&again, at(0)).await.unwrap();
    assert_eq!(other, format!("{url}&prompt=login"), "for another account");
    assert_eq!(prompt(crate::role::GOOGLE), "select_account");
}

#[tokio::test]
async fn code_is_exchanged_with_the_verifier_and_the_secret_as_the_provider_takes_it() {
    let web = Arc::new(web());
    let unknown = (401, json!({ "error": "invalid_client" }).to_string());
    web.on("https://login.example/token", &[unknown, (200, token(0, "n-1"))]);
    let claims = provider(&web, Some("a/b+c")).claims("the code", &ASKED, at(0)).await.unwrap();
    assert_eq!(claims["sub"], "u-1");
    let calls: Vec<Call> = web.take().into_iter().filter(|call| call.url.ends_with("/token")).collect();
    let form = |call: &Call| call.form.as_ref().unwrap().expose().clone();
    let fields = "grant_type=authorization_code&code=the%20code&redirect_uri=https%3A%2F%2Fcrm.example%2Fsign-in%2Fcallback\
        &code_verifier=a%20verifier";
    assert_eq!(form(&calls[0]), fields);
    // printf %s "us%20%26%20them:a%2Fb%2Bc" | base64
    let basic = "Basic dXMlMjAlMjYlMjB0aGVtOmElMkZiJTJCYw==";
    assert_eq!(calls[0].headers[0].1.expose(), basic);
    assert_eq!(form(&calls[1]), format!("{fields}&client_id=us%20%26%20them&client_secret=a%2Fb%2Bc"));
    assert!(calls[1].headers.is_empty());

    web.on("https://login.example/token", &[(200, token(0, "n-1"))]);
    provider(&web, None).claims("c", &ASKED, at(0)).await.unwrap();
    let public = web.take().into_iter().find(|call| call.url.ends_with("/token")).unwrap();
    assert!(form(&public).ends_with("&client_id=us%20%26%20them") && public.headers.is_empty());
}

#[tokio::test]
async fn refusals_of_the_token_endpoint_are_errors_and_not_retried_with_another_code() {
    let web = Arc::new(web());
    for (status, body, is_outage) in [
        (400, r#"{"error":"invalid_grant"}"#, false),
        (400, r#"{"error":"<script>alert(1)</script>"}"#, false),
        (503, "busy", true),
        (302, "", false),
        (200, "{}", false),
        (200, "<html>", false),
        (200, r#"{"id_token":"a.b.c"}"#, false),
    ] {
        web.on("https://login.example/token", &[(status, body.to_owned())]);
        let error = provider(&web, Some("s")).claims("c", &ASKED, at(0)).await.unwrap_err();
        assert_eq!(error.is_outage(), is_outage, "{status} {body}: {error}");
        assert!(!error.to_string().contains('<'), "{error}");
        assert_eq!(urls(&web).iter().filter(|url| url.ends_with("/token")).count(), 1, "{status} {body}");
    }
    web.on("https://login.example/token", &[(200, token(0, "n-2"))]);
    let error = provider(&web, None).claims("c", &ASKED, at(0)).await.unwrap_err();
    assert_eq!(error, OidcError::Token(super::super::token::InvalidToken::Nonce));
}

#[tokio::test]
async fn document_and_keys_are_fetched_once_an_hour() {
    let web = Arc::new(web());
    let provider = provider(&web, None);
    for (second, expected) in [(0, 3), (1, 1), (3_599, 1), (3_600, 3)] {
        web.on("https://login.example/token", &[(200, token(second, "n-1"))]);
        provider.claims("c", &ASKED, at(second)).await.unwrap();
        assert_eq!(urls(&web).len(), expected, "at {second}");
    }
}

#[tokio::test]
async fn new_key_of_the_provider_is_found_and_unknown_keys_are_looked_for_once_a_minute() {
    let web = Arc::new(web());
    let provider = provider(&web, None);
    let without = JWKS.replace("\"kid\": \"ec\"", "\"kid\": \"older\"");
    web.on("https://login.example/keys", &[(200, without.clone()), (200, without), (200, JWKS.to_owned())]);
    web.on("https://login.example/token", &[(200, token(0, "n-1"))]);
    let fetched = |web: &FakeWeb| urls(web).iter().filter(|url| url.ends_with("/keys")).count();
    for (second, expected) in [(0, 1), (59, 0), (60, 1), (61, 0)] {
        assert!(provider.claims("c", &ASKED, at(second)).await.is_err());
        assert_eq!(fetched(&web), expected, "at {second}");
    }
    assert!(provider.claims("c", &ASKED, at(120)).await.is_ok(), "the provider rotated its keys");
    assert_eq!(fetched(&web), 1);
}

#[tokio::test]
async fn outage_after_the_first_sign_in_is_bridged_and_before_it_is_an_error() {
    let web = Arc::new(web());
    let first = provider(&web, None);
    first.sign_in_url(&ASKED, at(0)).await.unwrap();
    web.on(DOCUMENT, &[(503, String::new())]);
    assert!(first.sign_in_url(&ASKED, at(4_000)).await.is_ok());
    let second = provider(&web, None);
    let error = second.sign_in_url(&ASKED, at(0)).await.unwrap_err();
    assert!(error.is_outage());
    web.take();
    assert_eq!(second.sign_in_url(&ASKED, at(4)).await.unwrap_err(), error, "remembered for some seconds");
    assert_eq!(urls(&web).len(), 0);
    assert!(second.sign_in_url(&ASKED, at(5)).await.is_err());
    assert_eq!(urls(&web).len(), 1);
    assert_eq!(error.to_string(), "the provider's discovery document: the provider answered with the status 503");
    web.on(DOCUMENT, &[(200, json!({ "issuer": "https://evil.example" }).to_string())]);
    assert!(first.sign_in_url(&ASKED, at(9_000)).await.is_err(), "no outage: something is wrong");
}
