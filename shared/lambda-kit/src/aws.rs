//! AWS clients without `aws-config`: reading profiles, IMDS and SSO costs a cold start ten million instructions, and a function needs none of it.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::config::{IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::env::{Env, EnvError};
use crate::redact::Redacted;

/// The roots that AWS endpoints chain to, as PEM; see the README for their rotation.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));

/// Time to open a connection, TLS included. In a region this takes milliseconds.
const CONNECT: Duration = Duration::from_secs(1);
/// Time for one attempt of a call.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Time for a call with all its attempts and the waits between them.
const OPERATION: Duration = Duration::from_secs(10);
/// Attempts of a call, the first included.
const ATTEMPTS: u32 = 3;
/// The waits before a second and later attempts are random up to this, doubled each time.
const BACKOFF: Duration = Duration::from_millis(100);
/// No wait is longer.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The region, credentials and endpoints of AWS clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsEnv {
    /// The region, `eu-central-1`.
    pub region: String,
    /// The credentials of these calls.
    pub credentials: AwsCredentials,
    /// Endpoints that differ from the public ones.
    pub endpoints: Endpoints,
}

/// A static key pair, with the session token that a Lambda role's keys come with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Redacted<String>,
    /// The session token, if the keys are temporary.
    pub session_token: Option<Redacted<String>>,
}

impl AwsCredentials {
    /// Returns meaningless credentials: for the embedded stack, which does not check them.
    #[must_use]
    pub fn local() -> Self {
        Self {
            access_key_id: "local".to_owned(),
            secret_access_key: Redacted::new("local".to_owned()),
            session_token: None,
        }
    }
}

/// Endpoint overrides. `None` falls back to `all`, and then to the service's public endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// For services without their own.
    pub all: Option<String>,
    /// DynamoDB's base URL.
    pub dynamodb: Option<String>,
    /// SQS's base URL.
    pub sqs: Option<String>,
    /// SESv2's base URL.
    pub sesv2: Option<String>,
    /// S3's base URL; buckets are in the path then.
    pub s3: Option<String>,
}

impl Endpoints {
    /// The override for the service that the SDKs call `service_id`.
    fn get(&self, service_id: &str) -> Option<&String> {
        let own = match service_id {
            "DynamoDB" => self.dynamodb.as_ref(),
            "SQS" => self.sqs.as_ref(),
            "SESv2" => self.sesv2.as_ref(),
            "S3" => self.s3.as_ref(),
            _ => None,
        };
        own.or(self.all.as_ref())
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() == "AWS_ENDPOINT_URL").then(|| self.get(key.service_id()).cloned()).flatten()
    }
}

impl AwsEnv {
    /// Reads `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and the
    /// `AWS_ENDPOINT_URL…` overrides; Lambda sets all but the last.
    ///
    /// # Errors
    /// [`EnvError`] naming the first key that is missing.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        const REGION: &str = "an AWS region such as eu-central-1";
        const URL: &str = "a base URL";
        let region = match env.optional("AWS_REGION", REGION)? {
            Some(region) => region,
            None => match env.optional("AWS_DEFAULT_REGION", REGION)? {
                Some(region) => region,
                None => env.required("AWS_REGION", REGION)?,
            },
        };
        let session_token = env.optional::<String>("AWS_SESSION_TOKEN", "a session token")?;
        Ok(Self {
            region,
            credentials: AwsCredentials {
                access_key_id: env.required("AWS_ACCESS_KEY_ID", "an access key id")?,
                secret_access_key: env.secret("AWS_SECRET_ACCESS_KEY", "a secret access key")?,
                session_token: session_token.map(Redacted::new),
            },
            endpoints: Endpoints {
                all: env.optional("AWS_ENDPOINT_URL", URL)?,
                dynamodb: env.optional("AWS_ENDPOINT_URL_DYNAMODB", URL)?,
                sqs: env.optional("AWS_ENDPOINT_URL_SQS", URL)?,
                sesv2: env.optional("AWS_ENDPOINT_URL_SESV2", URL)?,
                s3: env.optional("AWS_ENDPOINT_URL_S3", URL)?,
            },
        })
    }
}

/// Why no HTTP client could be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    /// The environment is wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The file named by `AWS_CA_BUNDLE` cannot be read.
    #[error("AWS_CA_BUNDLE names {path}, which cannot be read: it must name a PEM file")]
    CaBundle {
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The TLS provider refused its roots.
    #[error("TLS could not be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Returns one HTTP client for all service clients of a process: rustls on ring, trusting Amazon's roots, or the PEM
/// file in `AWS_CA_BUNDLE` if that is set. Its connections live on the tokio runtime that first uses it.
///
/// # Errors
/// [`HttpClientError`] if the bundle cannot be read or TLS cannot be set up.
pub fn http_client(env: &Env) -> Result<SharedHttpClient, HttpClientError> {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(builder.tls_context(tls(env)?).build_https())
}

/// Returns connections like those of [`http_client`], for access to AWS without an SDK client: the archive in S3.
///
/// # Errors
/// As [`http_client`].
pub fn http_connector(env: &Env) -> Result<SharedHttpConnector, HttpClientError> {
    Ok(connector(tls(env)?, CONNECT, ATTEMPT))
}

/// Returns connections with rustls on ring, and these times to connect and to read.
pub(crate) fn connector(tls: TlsContext, connect: Duration, read: Duration) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(connect).read_timeout(read).build();
    let builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls);
    SharedHttpConnector::new(builder.connector_settings(settings).sleep_impl(TokioSleep::new()).build())
}

/// Returns the trusted certificate authorities.
fn tls(env: &Env) -> Result<TlsContext, HttpClientError> {
    let roots = match env.optional::<String>("AWS_CA_BUNDLE", "the path of a PEM file")? {
        None => AMAZON_ROOTS.to_vec(),
        Some(path) => std::fs::read(&path).map_err(|source| HttpClientError::CaBundle { path, source })?,
    };
    let context = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(roots)).build();
    context.map_err(|error| HttpClientError::Tls(error.into()))
}

/// The configuration from which every service client of a process is made, with `aws_sdk_…::Client::new(&config)`.
///
/// Three attempts a call (SDK "standard" mode) within 5 s each and 10 s together, 1 s to connect; the behaviour version is pinned, so that an
/// update of the SDK changes none of this.
#[must_use]
pub fn sdk_config(env: &AwsEnv, http: SharedHttpClient) -> SdkConfig {
    let keys = &env.credentials;
    let credentials = Credentials::new(
        keys.access_key_id.clone(),
        keys.secret_access_key.expose().clone(),
        keys.session_token.as_ref().map(|token| token.expose().clone()),
        None,
        "environment",
    );
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // The keys are in memory already.
        .identity_cache(IdentityCache::no_cache())
        .http_client(http)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(OPERATION)
                .build(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(BACKOFF)
                .with_max_backoff(MAX_BACKOFF),
        )
        // Meant for streams of minutes; ours are small and have the timeouts above.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .service_config(env.endpoints.clone())
        .build()
}

/// Returns the configuration for the embedded services at `endpoints`, which check no keys. The process's environment
/// is not read.
///
/// # Errors
/// [`HttpClientError`] if TLS cannot be set up.
pub fn local_config(endpoints: Endpoints) -> Result<SdkConfig, HttpClientError> {
    let env = AwsEnv { region: "us-east-1".to_owned(), credentials: AwsCredentials::local(), endpoints };
    Ok(sdk_config(&env, http_client(&Env::from_pairs::<&str, &str>([]))?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_environment_that_lambda_sets_is_enough() {
        let env = Env::from_pairs([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret-key"),
            ("AWS_SESSION_TOKEN", "secret-token"),
        ]);
        let aws = AwsEnv::from_env(&env).unwrap();
        assert_eq!(aws.region, "eu-central-1");
        assert_eq!(aws.credentials.session_token.as_ref().unwrap().expose(), "secret-token");
        assert_eq!(aws.endpoints, Endpoints::default());
        assert!(!format!("{aws:?}").contains("secret-"), "neither key nor token may be printed");
    }

    #[test]
    fn a_missing_key_is_named() {
        for (absent, named) in [("AWS_REGION", "AWS_REGION"), ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")] {
            let all = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
            let env = Env::from_pairs(all.into_iter().filter(|key| *key != absent).map(|key| (key, "x")));
            assert!(AwsEnv::from_env(&env).unwrap_err().to_string().starts_with(named));
        }
    }

    #[test]
    fn a_service_takes_its_own_endpoint_before_the_common_one() {
        let endpoints = Endpoints {
            all: Some("http://127.0.0.1:1".to_owned()),
            sqs: Some("http://127.0.0.1:2".to_owned()),
            ..Endpoints::default()
        };
        let of = |service| {
            let key =
                ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
            endpoints.load_config(key.unwrap())
        };
        assert_eq!(of("SQS").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(of("DynamoDB").as_deref(), Some("http://127.0.0.1:1"));
        let other = ServiceConfigKey::builder().service_id("SQS").env("AWS_OTHER").profile("other").build().unwrap();
        assert_eq!(endpoints.load_config(other), None);
    }

    #[test]
    fn the_five_roots_of_aws_endpoints_are_bundled() {
        let pem = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        assert!(pem.matches("BEGIN CERTIFICATE").count() >= 5);
        http_client(&Env::from_pairs::<&str, &str>([])).expect("the bundled roots make a client");
    }

    #[test]
    fn when_the_ca_bundle_cannot_be_read_the_error_says_which() {
        let env = Env::from_pairs([("AWS_CA_BUNDLE", "/nonexistent/roots.pem")]);
        assert!(http_client(&env).unwrap_err().to_string().contains("/nonexistent/roots.pem"));
    }

    #[test]
    fn deadlines_and_retries_are_explicit() {
        let config = local_config(Endpoints::default()).unwrap();
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(1)));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(5)));
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(10)));
        assert_eq!(config.retry_config().unwrap().max_attempts(), 3);
    }
}
