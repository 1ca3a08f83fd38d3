//! The archive in a bucket: `object_store`'s S3, over the same TLS and with the same credentials as every other AWS
//! client of the process.
//!
//! `object_store` would bring its own HTTP client and TLS stack, and read the environment by its own rules. Here it
//! gets ours.

use super::{Archive, ArchiveError};
use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest as AwsRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use http_body_util::BodyExt;
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::client::{
    ClientOptions, CredentialProvider, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStoreExt, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// Time for one attempt of a call, its whole answer included. Objects hold a batch each.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Attempts of a call after the first.
const RETRIES: usize = 2;
/// No attempt begins later than this after the first.
const PATIENCE: Duration = Duration::from_secs(10);
/// The waits before a second and later attempts: random between these.
const BACKOFF: BackoffConfig =
    BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2.0 };

/// The credentials, region and endpoint of S3.
#[derive(Debug, Clone)]
pub struct S3Access {
    region: Option<String>,
    credentials: Option<SharedCredentialsProvider>,
    endpoint: Option<String>,
    http: SharedHttpConnector,
}

impl S3Access {
    /// Region, credentials and the endpoint of the service `S3` are those of `config`; `http` carries the requests.
    #[must_use]
    pub fn new(config: &SdkConfig, http: SharedHttpConnector) -> Self {
        let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
        Self {
            region: config.region().map(ToString::to_string),
            credentials: config.credentials_provider(),
            endpoint: own.or_else(|| config.endpoint_url().map(str::to_owned)),
            http,
        }
    }
}

impl Archive {
    /// Returns the archive below `prefix` in a bucket, without a request to S3.
    ///
    /// # Errors
    /// [`ArchiveError::Access`] if `access` has no region or no credentials.
    pub fn bucket(bucket: &str, prefix: &str, access: &S3Access) -> Result<Self, ArchiveError> {
        let region = access.region.as_deref().ok_or(ArchiveError::Access("no AWS region is set"))?;
        let credentials = access.credentials.clone().ok_or(ArchiveError::Access("there are no AWS credentials"))?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_credentials(Arc::new(Keys(credentials)))
            .with_retry(RetryConfig { backoff: BACKOFF, max_retries: RETRIES, retry_timeout: PATIENCE })
            .with_http_connector(Connector(access.http.clone()))
            .with_virtual_hosted_style_request(access.endpoint.is_none());
        if let Some(endpoint) = &access.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let objects = builder.build()?;
        if prefix.is_empty() {
            return Ok(Self::new(Arc::new(objects)));
        }
        Ok(Self::new(Arc::new(PrefixStore::new(objects, prefix))))
    }

    /// Requests a nonexistent object, to open the connection.
    ///
    /// # Errors
    /// Always, but the connection is open if S3 responded.
    pub async fn knock(&self) -> Result<(), ArchiveError> {
        self.objects.head(&Path::from("none")).await?;
        Ok(())
    }
}

/// The credentials of our AWS clients.
#[derive(Debug)]
struct Keys(SharedCredentialsProvider);

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let keys = self.0.provide_credentials().await;
        let keys = keys.map_err(|error| object_store::Error::Unauthenticated {
            path: "the archive".to_owned(),
            source: error.into(),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: keys.access_key_id().to_owned(),
            secret_key: keys.secret_access_key().to_owned(),
            token: keys.session_token().map(str::to_owned),
        }))
    }
}

/// The connections of our AWS clients.
#[derive(Debug, Clone)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ATTEMPT, self.send(request)).await;
        answer.unwrap_or_else(|elapsed| Err(HttpError::new(HttpErrorKind::Timeout, elapsed)))
    }
}

impl Connector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = SdkBody::from(body.collect().await?.to_bytes());
        let request = AwsRequest::try_from(http::Request::from_parts(parts, body));
        let request = request.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let answer = self.0.call(request).await.map_err(|error| HttpError::new(kind(&error), error))?;
        let answer = answer.try_into_http1x().map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| HttpError::new_boxed(HttpErrorKind::Interrupted, error))?;
        Ok(HttpResponse::from_parts(parts, body.to_bytes().into()))
    }
}

/// Returns the kind of error, by which `object_store` decides whether to retry.
fn kind(error: &ConnectorError) -> HttpErrorKind {
    if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_io() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    }
}
