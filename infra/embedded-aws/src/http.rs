//! The small HTTP server and the service trait that the three embedded services share.
//!
//! It sits on `hyper` itself and not on a router, because the fault layer has to be able to hang up without an answer, and a
//! router always answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The largest request body read: above the 40 MiB of a mail in base64 with its envelope.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// How long calls in progress at shutdown may still take. It cuts long polls short.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// One of the embedded services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// Amazon DynamoDB, awsJson 1.0.
    DynamoDb,
    /// Amazon SQS, awsJson 1.0.
    Sqs,
    /// Amazon SES v2, restJson 1.
    Ses,
}

impl ServiceKind {
    /// Returns the name of the operation of `call`: the last part of `X-Amz-Target`, or for SES the one of its method
    /// and path.
    pub(crate) fn operation(self, call: &Call) -> String {
        match self {
            Self::DynamoDb | Self::Sqs => call
                .headers
                .get("x-amz-target")
                .and_then(|target| target.to_str().ok())
                .and_then(|target| target.rsplit('.').next())
                .unwrap_or("Unknown")
                .to_owned(),
            Self::Ses => super::ses::operation::of(&call.method, &call.path).to_owned(),
        }
    }
}

/// A request, read completely.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path as sent, still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A complete response.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A JSON answer of the given media type.
    pub(crate) fn json(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { status, headers, body: body.into() }
    }

    /// Returns the same response with one more header; an invalid header value is left out.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// The outcome of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A response.
    Answer(Answer),
    /// The connection is closed without an answer.
    Hangup,
}

/// The future of an [`Outcome`].
pub(crate) type Answering = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Something that answers calls: a service, or a layer around one.
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers one call.
    fn call(self: Arc<Self>, call: Call) -> Answering;
}

/// Why a connection ends early.
#[derive(Debug, thiserror::Error)]
enum ConnectionEnd {
    #[error("the answer was withheld")]
    Hangup,
    #[error("the request could not be read or answered: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// Serves `service` on `listener` until `stop` is `true` or its sender is dropped.
pub(crate) async fn serve(listener: TcpListener, service: Arc<dyn Service>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let for_connections = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&service), for_connections.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
}

/// Waits until `stop` is `true` or its sender is dropped. The channel's value is dropped here, because it must not live
/// across another await.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

async fn connection(stream: TcpStream, service: Arc<dyn Service>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set");
    }
    let answer_with = service_fn(move |request| respond(Arc::clone(&service), request));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), answer_with);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

async fn respond(
    service: Arc<dyn Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionEnd> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(ConnectionEnd::Broken)?.to_bytes();
    let call = Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    };
    match service.call(call).await {
        Outcome::Answer(answer) => {
            let mut response = Response::new(Full::new(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        }
        Outcome::Hangup => Err(ConnectionEnd::Hangup),
    }
}
