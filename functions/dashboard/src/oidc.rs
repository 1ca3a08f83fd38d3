//! OpenID Connect: the authorization code flow with PKCE, for any provider.
//!
//! Signatures are verified by `ring`, which the TLS of every function links anyway, over the two formats that ID tokens need
//! (RFC 7515's compact form, RFC 7517's keys). The claims that say whether a token is for us are checked here, against the
//! injected clock.

pub(crate) mod discovery;
pub(crate) mod jwks;
pub(crate) mod provider;
pub(crate) mod token;

pub(crate) use provider::{Provider, ProviderSettings};

use perennial_lambda_kit::web::WebError;

/// The reason why nobody can sign in now, or why a sign-in was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider does not answer.
    #[error("{what}: {why}")]
    Web {
        /// Its part.
        what: &'static str,
        /// Why.
        why: WebError,
    },
    /// The provider answers with an error.
    #[error("{what}: the provider answered with the status {status}{}{code}", if code.is_empty() { "" } else { " and the error " })]
    Refused {
        /// Its part.
        what: &'static str,
        /// The status.
        status: u16,
        /// RFC 6749's error code, if the answer has one.
        code: String,
    },
    /// All of its answers together took too long.
    #[error("the identity provider takes too long to answer")]
    Slow,
    /// The answer of the provider is not what OpenID Connect says.
    #[error("{what}: {why}")]
    Malformed {
        /// Its part.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The ID token is not one for us.
    #[error("the ID token is not valid: {0}")]
    Token(#[from] token::InvalidToken),
}

impl OidcError {
    /// Returns whether a retry may help: the provider, or the way to it, is out of order.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Web { .. } | Self::Slow => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Malformed { .. } | Self::Token(_) => false,
        }
    }
}
