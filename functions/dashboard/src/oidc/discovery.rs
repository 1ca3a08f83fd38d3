//! The discovery document of a provider: its issuer and its endpoints.
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>

use super::OidcError;
use http::Uri;
use serde::Deserialize;

/// The path of the document below the issuer.
const PATH: &str = "/.well-known/openid-configuration";
/// The part of errors.
const WHAT: &str = "the provider's discovery document";

/// How a client shows its secret to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// In the header `Authorization`.
    Basic,
    /// In the form.
    Post,
}

/// The parts of the document that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discovered {
    /// The issuer, exactly as ID tokens have it.
    pub(crate) issuer: String,
    /// The page where people sign in.
    pub(crate) authorization: String,
    /// Where a code is exchanged.
    pub(crate) token: String,
    /// The keys that sign ID tokens.
    pub(crate) jwks: String,
    /// The page where people sign out of the provider, if it has one.
    pub(crate) end_session: Option<String>,
    /// How the secret is shown: the preferred way first.
    pub(crate) auth: Vec<ClientAuth>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Returns the URL of an issuer's document.
pub(crate) fn url(issuer: &str) -> String {
    format!("{}{PATH}", issuer.trim_end_matches('/'))
}

/// Parses the document of the configured `issuer`.
///
/// # Errors
/// [`OidcError::Malformed`] if it is of another issuer, has no endpoint, or has one without TLS.
pub(crate) fn parse(body: &[u8], issuer: &str) -> Result<Discovered, OidcError> {
    let wrong = |why: String| OidcError::Malformed { what: WHAT, why };
    let document: Document = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
    // Auth0 writes its issuer with a slash at the end, Cognito without; people write either.
    if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        let shown: String = document.issuer.chars().take(200).collect();
        return Err(wrong(format!("it is of the issuer `{shown}`, and OIDC_ISSUER is `{issuer}`")));
    }
    let is_local = is_loopback(issuer);
    let endpoint = |name: &str, url: String| {
        let is_safe = is_https(&url) || is_local && is_loopback(&url);
        if is_safe { Ok(url) } else { Err(wrong(format!("{name} is not an https URL"))) }
    };
    // Without a list, the standard says Basic.
    let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
    let has = |name: &str| methods.iter().any(|method| method == name);
    let auth = match (has("client_secret_post"), has("client_secret_basic")) {
        (true, false) => vec![ClientAuth::Post],
        (false, _) => vec![ClientAuth::Basic],
        // Which of the two this client was registered with is known to the provider alone.
        (true, true) => vec![ClientAuth::Basic, ClientAuth::Post],
    };
    Ok(Discovered {
        authorization: endpoint("authorization_endpoint", document.authorization_endpoint)?,
        token: endpoint("token_endpoint", document.token_endpoint)?,
        jwks: endpoint("jwks_uri", document.jwks_uri)?,
        end_session: document.end_session_endpoint.and_then(|url| endpoint("end_session_endpoint", url).ok()),
        issuer: document.issuer,
        auth,
    })
}

/// Returns whether a text is an https URL with a host, without a query that would be mixed with ours or a fragment.
pub(crate) fn is_https(text: &str) -> bool {
    has_scheme(text, "https").is_some()
}

/// Returns whether a text is a plain HTTP URL of this machine: for a provider of tests.
pub(crate) fn is_loopback(text: &str) -> bool {
    has_scheme(text, "http").is_some_and(|host| matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]"))
}

/// Returns the host of a URL with this scheme.
fn has_scheme(text: &str, scheme: &str) -> Option<String> {
    let uri: Uri = text.parse().ok().filter(|_| !text.contains('#'))?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let is_plain = !uri.authority()?.as_str().contains('@');
    (uri.scheme_str() == Some(scheme) && is_plain).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn document(issuer: &str) -> Value {
        json!({
            "issuer": issuer,
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://oauth2.login.example/token",
            "jwks_uri": "https://keys.example/jwks",
        })
    }

    fn read(document: &Value, issuer: &str) -> Result<Discovered, OidcError> {
        parse(document.to_string().as_bytes(), issuer)
    }

    /// As the providers publish them.
    #[test]
    fn issuer_is_kept_as_the_provider_writes_it_whether_a_slash_ends_it_or_not() {
        for (configured, published) in [
            (
                "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a",
                "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a",
            ),
            ("https://acme.eu.auth0.com", "https://acme.eu.auth0.com/"),
            ("https://acme.eu.auth0.com/", "https://acme.eu.auth0.com/"),
            ("https://acme.okta.com/oauth2/default/", "https://acme.okta.com/oauth2/default"),
            ("https://sso.acme.example/realms/acme", "https://sso.acme.example/realms/acme"),
        ] {
            assert_eq!(read(&document(published), configured).unwrap().issuer, published);
            assert!(!url(configured).contains("//.well-known"), "{configured}");
        }
    }

    #[test]
    fn document_of_another_issuer_or_of_every_tenant_is_refused() {
        for (configured, published) in [
            ("https://login.example", "https://evil.example"),
            ("https://login.example", "https://login.example.evil.example"),
            ("https://login.example", "http://login.example"),
            // Entra's `common` and `organizations` are of nobody in particular.
            ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ] {
            let error = read(&document(published), configured).unwrap_err().to_string();
            assert!(error.contains(published) && error.contains(configured), "{error}");
        }
    }

    #[test]
    fn endpoints_need_tls_except_on_this_machine() {
        for url in [
            "http://login.example/token",
            "javascript:alert(1)",
            "/token",
            "https://",
            "https://a@login.example/",
            "https://login.example/#a",
        ] {
            let mut wrong = document("https://login.example");
            wrong["token_endpoint"] = url.into();
            assert!(read(&wrong, "https://login.example").unwrap_err().to_string().contains("token_endpoint"), "{url}");
        }
        let mut local = document("http://127.0.0.1:9999");
        local["token_endpoint"] = "http://127.0.0.1:9999/token".into();
        assert_eq!(read(&local, "http://127.0.0.1:9999").unwrap().token, "http://127.0.0.1:9999/token");
        let mut mixed = document("https://login.example");
        mixed["jwks_uri"] = "http://127.0.0.1/jwks".into();
        assert!(read(&mixed, "https://login.example").is_err());
        assert!(parse(b"<html>", "https://login.example").is_err());
    }

    #[test]
    fn secret_is_shown_as_the_provider_takes_it() {
        for (methods, expected) in [
            (Value::Null, vec![ClientAuth::Basic]),
            (json!(["client_secret_post", "private_key_jwt"]), vec![ClientAuth::Post]),
            (json!(["client_secret_basic", "client_secret_post"]), vec![ClientAuth::Basic, ClientAuth::Post]),
            (json!(["none"]), vec![ClientAuth::Basic]),
        ] {
            let mut one = document("https://login.example");
            one["token_endpoint_auth_methods_supported"] = methods;
            assert_eq!(read(&one, "https://login.example").unwrap().auth, expected);
        }
    }
}
