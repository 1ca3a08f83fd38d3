//! The settings of sign-in, from the environment.

use crate::keys::{InvalidKeys, Keys};
use crate::oidc::ProviderSettings;
use crate::oidc::discovery::{is_https, is_loopback};
use crate::role::Rules;
use perennial_lambda_kit::{Env, EnvError};

/// The default scopes: who signs in, their name, and their mail address.
const SCOPES: &str = "openid profile email";
/// The default hours of a session.
const HOURS: u16 = 8;
/// The most hours of a session: a role that was taken away is kept until its end.
const MAX_HOURS: u16 = 24;

/// The settings of sign-in.
#[derive(Debug, Clone)]
pub struct SignInSettings {
    pub(crate) provider: ProviderSettings,
    pub(crate) rules: Rules,
    pub(crate) keys: Keys,
    pub(crate) hours: u16,
    pub(crate) address: Option<String>,
}

/// The reason why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// A variable is missing or wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Other variables of sign-in are set, and this one is not.
    #[error(
        "OIDC_ISSUER is not set, and {0} is: it must contain the issuer of your identity provider, such as https://login.example"
    )]
    NoIssuer(&'static str),
    /// The issuer is no https URL.
    #[error("OIDC_ISSUER is invalid: it must be an https URL, such as https://login.example")]
    Issuer,
    /// The issuer is that of every tenant of Microsoft Entra.
    #[error(
        "OIDC_ISSUER is that of every tenant of Microsoft Entra, whose groups anybody can name: it must contain your own tenant's id"
    )]
    EveryTenant,
    /// The scopes are not those of OpenID Connect.
    #[error("OIDC_SCOPES is invalid: it must contain `openid`, and other scopes with spaces between")]
    Scopes,
    /// Nobody may see anything.
    #[error(
        "OIDC_VIEWERS, OIDC_OPERATORS and OIDC_ADMINS are not set: at least one must name a group, `mail:ADDRESS` or `domain:DOMAIN`"
    )]
    Nobody,
    /// The keys of sessions.
    #[error("SESSION_KEYS: {0}")]
    Keys(#[from] InvalidKeys),
    /// The hours of a session.
    #[error("SESSION_HOURS is invalid: it must be from 1 to {MAX_HOURS}")]
    Hours,
    /// The dashboard's own address.
    #[error("DASHBOARD_URL is invalid: it must be https://HOST without a path")]
    Address,
}

impl SignInSettings {
    /// Reads the variables of sign-in as the README lists them. `None` if none of them is set.
    ///
    /// # Errors
    /// [`SignInError`] naming the variable that is missing or wrong.
    pub fn from_env(env: &Env) -> Result<Option<Self>, SignInError> {
        let text = |name: &str, allowed: &str| env.optional::<String>(name, allowed);
        let Some(issuer) = text("OIDC_ISSUER", "the issuer of an identity provider")? else {
            for name in ["OIDC_CLIENT_ID", "OIDC_VIEWERS", "OIDC_OPERATORS", "OIDC_ADMINS"] {
                if text(name, "text")?.is_some() {
                    return Err(SignInError::NoIssuer(name));
                }
            }
            return Ok(None);
        };
        if !is_https(&issuer) && !is_loopback(&issuer) || issuer.contains('?') {
            return Err(SignInError::Issuer);
        }
        let every = ["common", "organizations", "consumers"];
        if issuer.contains("//login.microsoftonline.") && issuer.split('/').any(|part| every.contains(&part)) {
            return Err(SignInError::EveryTenant);
        }
        let scopes = text("OIDC_SCOPES", "scopes with spaces between")?.unwrap_or_else(|| SCOPES.to_owned());
        if !scopes.split_whitespace().any(|scope| scope == "openid") {
            return Err(SignInError::Scopes);
        }
        let hours = env.optional("SESSION_HOURS", "a whole number of hours")?.unwrap_or(HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(SignInError::Hours);
        }
        let keys = env.secret("SESSION_KEYS", "one or two keys of at least 32 bytes, with a comma between")?;
        Ok(Some(Self {
            provider: ProviderSettings {
                client: env.required("OIDC_CLIENT_ID", "the client id that the identity provider gave you")?,
                // A public client has none.
                secret: env.secret("OIDC_CLIENT_SECRET", "the client's secret").ok(),
                scopes,
                issuer,
            },
            rules: Rules::from_env(env)?.ok_or(SignInError::Nobody)?,
            keys: Keys::parse(keys.expose())?,
            hours,
            address: address(text("DASHBOARD_URL", "https://HOST")?)?,
        }))
    }
}

/// Returns the dashboard's own address without a slash at its end.
fn address(text: Option<String>) -> Result<Option<String>, SignInError> {
    let Some(text) = text else { return Ok(None) };
    let address = text.strip_suffix('/').unwrap_or(&text);
    let is_host = address.split_once("://").is_some_and(|(_, host)| !host.contains(['/', '?']));
    let is_ours = is_host && (is_https(address) || is_loopback(address));
    if is_ours { Ok(Some(address.to_owned())) } else { Err(SignInError::Address) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("OIDC_ISSUER", "https://login.example"),
        ("OIDC_CLIENT_ID", "us"),
        ("OIDC_VIEWERS", "staff"),
        ("SESSION_KEYS", "a key of sessions of thirty-two bytes"),
    ];

    fn read(pairs: &[(&str, &str)]) -> Result<Option<SignInSettings>, SignInError> {
        let all = GOOD.iter().filter(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
        SignInSettings::from_env(&Env::from_pairs(all.chain(pairs).copied()))
    }

    #[test]
    fn least_that_is_needed_is_enough_and_the_rest_has_defaults() {
        let settings = read(&[]).unwrap().unwrap();
        assert_eq!((settings.hours, settings.provider.scopes.as_str(), settings.address), (8, SCOPES, None));
        assert_eq!(settings.provider.secret, None);
        assert!(SignInSettings::from_env(&Env::from_pairs([("TABLE", "t")])).unwrap().is_none());
        let secret = read(&[("OIDC_CLIENT_SECRET", "s3cret"), ("DASHBOARD_URL", "https://crm.acme.example/")]);
        let settings = secret.unwrap().unwrap();
        assert_eq!(settings.address.as_deref(), Some("https://crm.acme.example"));
        assert!(!format!("{settings:?}").contains("s3cret") && !format!("{settings:?}").contains("thirty-two"));
    }

    #[test]
    fn each_variable_that_is_missing_or_wrong_is_named() {
        for (name, _) in GOOD {
            let error = read(&[(name, " ")]).unwrap_err().to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
        for (name, wrong) in [
            ("OIDC_ISSUER", "http://login.example"),
            ("OIDC_ISSUER", "login.example"),
            ("OIDC_ISSUER", "https://login.example?tenant=1"),
            ("OIDC_ISSUER", "https://login.microsoftonline.com/common/v2.0"),
            ("OIDC_ISSUER", "https://login.microsoftonline.com/organizations/v2.0"),
            ("OIDC_SCOPES", "profile"),
            ("SESSION_KEYS", "short"),
            ("SESSION_KEYS", "a key of sessions of thirty-two bytes,short"),
            ("SESSION_HOURS", "0"),
            ("SESSION_HOURS", "25"),
            ("SESSION_HOURS", "eight"),
            ("DASHBOARD_URL", "http://crm.acme.example"),
            ("DASHBOARD_URL", "https://crm.acme.example/dashboard"),
        ] {
            let error = read(&[(name, wrong)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{name} = {wrong}: {error}");
        }
    }
}
