//! The reverse proxy in front of DynamoDB, used when its calls are to be metered or disturbed.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::http::{Answer, Answering, Call, Outcome, Service};

/// Forwards every call to one address over kept-alive connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    target: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why a call could not be forwarded.
#[derive(Debug, thiserror::Error)]
enum ProxyError {
    #[error("request: {0}")]
    Request(#[from] http::Error),
    #[error("connection: {0}")]
    Connection(#[from] hyper_util::client::legacy::Error),
    #[error("answer: {0}")]
    Answer(#[from] hyper::Error),
}

impl Proxy {
    pub(crate) fn new(target: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { target, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    async fn forward(&self, call: Call) -> Result<Answer, ProxyError> {
        let path_and_query = match &call.query {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path,
        };
        let uri =
            Uri::builder().scheme("http").authority(self.target.to_string()).path_and_query(path_and_query).build()?;
        let mut request = Request::builder().method(call.method).uri(uri).body(Full::new(call.body))?;
        *request.headers_mut() = call.headers;
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            request.headers_mut().remove(name);
        }
        let (mut parts, body) = self.client.request(request).await?.into_parts();
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.collect().await?.to_bytes() })
    }
}

impl Service for Proxy {
    fn call(self: Arc<Self>, call: Call) -> Answering {
        Box::pin(async move {
            Outcome::Answer(self.forward(call).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a call to the embedded DynamoDB could not be forwarded");
                Answer::json(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "application/x-amz-json-1.0",
                    r#"{"__type":"InternalServerError"}"#,
                )
            }))
        })
    }
}
