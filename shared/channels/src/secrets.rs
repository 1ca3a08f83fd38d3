//! Reads secrets of AWS Secrets Manager and of the Systems Manager's Parameter Store, through the AWS Parameters and
//! Secrets Lambda Extension: a layer with an HTTP server on the function's own machine, which caches secrets and saves
//! the function two SDKs.
//!
//! Sources: "Use Secrets Manager secrets in Lambda functions"
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html>) and "Using Parameter Store parameters in
//! Lambda functions"
//! (<https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html>). The
//! extension responds while an invocation runs, not while the function starts.

use crate::transport::{Call, SystemResolver, Transport};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// The extension's default port, which `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` overrides.
pub const DEFAULT_PORT: u16 = 2773;
/// The most bytes of an answer that are read: a secret has at most 64 KiB.
const MAX_ANSWER: usize = 512 * 1024;
/// The header by which the extension authenticates its own function.
const TOKEN: HeaderName = HeaderName::from_static("x-aws-parameters-secrets-token");

/// The reason why a secret cannot be read. The text does not contain its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The extension does not respond: its layer may be missing.
    #[error("the Parameters and Secrets extension does not answer: {0}")]
    NoExtension(&'static str),
    /// It responded with an error: there is no such secret, or the role may not read it.
    #[error("the Parameters and Secrets extension answered {0}")]
    Refused(u16),
    /// The response contains no text.
    #[error("the secret is no text")]
    NotText,
}

/// A client of the extension.
pub struct Extension {
    transport: Transport,
    base: String,
    token: HeaderValue,
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Extension {
    /// The extension on `port` of this machine, which knows the function by its `session_token` (`AWS_SESSION_TOKEN`).
    #[must_use]
    pub fn new(port: u16, session_token: &str) -> Self {
        // The extension rejects a token that is not valid in a header, and reports it.
        let mut token = HeaderValue::from_str(session_token).unwrap_or_else(|_| HeaderValue::from_static(""));
        token.set_sensitive(true);
        let base = format!("http://localhost:{port}");
        Self { transport: Transport::new(Arc::new(SystemResolver)), base, token }
    }

    /// Returns the secret called `name`: a parameter if it begins with `/` or is the ARN of one, else a secret of
    /// Secrets Manager by name or ARN.
    ///
    /// # Errors
    /// [`SecretError`] if the extension does not respond, reports an error, or returns no text.
    pub async fn get(&self, name: &str) -> Result<String, SecretError> {
        let url = self.url(name).map_err(|_| SecretError::NoExtension("its address cannot be written"))?;
        let headers: HeaderMap = [(TOKEN, self.token.clone())].into_iter().collect();
        let (method, body) = (Method::GET, Bytes::new());
        let call = Call { method, url: url.as_str(), allow_private: true, headers, body, read: MAX_ANSWER };
        let answer = self.transport.send(call).await.map_err(|error| SecretError::NoExtension(error.reason()))?;
        if !answer.status.is_success() {
            return Err(SecretError::Refused(answer.status.as_u16()));
        }
        let read: Answered = serde_json::from_slice(&answer.body).map_err(|_| SecretError::NotText)?;
        read.secret_string.or(read.parameter.and_then(|parameter| parameter.value)).ok_or(SecretError::NotText)
    }

    fn url(&self, name: &str) -> Result<Url, url::ParseError> {
        if is_parameter(name) {
            let query = [("name", name), ("withDecryption", "true")];
            Url::parse_with_params(&format!("{}/systemsmanager/parameters/get", self.base), query)
        } else {
            Url::parse_with_params(&format!("{}/secretsmanager/get", self.base), [("secretId", name)])
        }
    }
}

/// Returns whether `name` is a parameter of the Parameter Store, by its leading slash or its ARN, rather than a secret
/// of Secrets Manager.
#[must_use]
pub fn is_parameter(name: &str) -> bool {
    name.starts_with('/') || (name.starts_with("arn:") && name.split(':').nth(2) == Some("ssm"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    secret_string: Option<String>,
    parameter: Option<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::receiver::{Receiver, Reply};
    use serde_json::json;

    fn extension(receiver: &Receiver) -> Extension {
        Extension { base: receiver.url(""), ..Extension::new(DEFAULT_PORT, "session") }
    }

    #[tokio::test]
    async fn secrets_and_parameters_are_asked_for_where_each_is_kept() {
        let secret = || Reply::status(200).body(json!({ "Name": "x", "SecretString": "s1", "VersionId": "1" }));
        let parameter =
            || Reply::status(200).body(json!({ "Parameter": { "Name": "x", "Value": "p1" }, "ResultMetadata": {} }));
        let receiver = Receiver::start([secret(), secret(), parameter(), parameter()]).await;
        let extension = extension(&receiver);
        let names = [
            ("perennial/hubspot token", "s1", "/secretsmanager/get?secretId=perennial%2Fhubspot+token"),
            (
                "arn:aws:secretsmanager:eu-central-1:1:secret:a-b",
                "s1",
                "/secretsmanager/get?secretId=arn%3Aaws%3Asecretsmanager%3Aeu-central-1%3A1%3Asecret%3Aa-b",
            ),
            ("/perennial/slack", "p1", "/systemsmanager/parameters/get?name=%2Fperennial%2Fslack&withDecryption=true"),
            (
                "arn:aws:ssm:eu-central-1:1:parameter/a",
                "p1",
                "/systemsmanager/parameters/get?name=arn%3Aaws%3Assm%3Aeu-central-1%3A1%3Aparameter%2Fa&withDecryption=true",
            ),
        ];
        for (name, value, _) in names {
            assert_eq!(extension.get(name).await.as_deref(), Ok(value));
        }
        for ((_, _, path), seen) in names.iter().zip(receiver.seen()) {
            assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", *path));
            assert_eq!(seen.headers["x-aws-parameters-secrets-token"], "session");
        }
    }

    #[tokio::test]
    async fn what_is_no_secret_is_told_without_its_name() {
        let binary = Reply::status(200).body(json!({ "SecretBinary": "AA==" }));
        let receiver = Receiver::start([Reply::status(400).body("no such secret"), binary, Reply::none()]).await;
        let extension = extension(&receiver);
        assert_eq!(extension.get("a").await, Err(SecretError::Refused(400)));
        assert_eq!(extension.get("a").await, Err(SecretError::NotText));
        assert!(matches!(extension.get("a").await, Err(SecretError::NoExtension(_))));
        assert!(!format!("{extension:?}").contains("session"));
    }
}
