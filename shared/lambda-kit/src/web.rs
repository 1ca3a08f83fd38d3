//! Calls of HTTPS servers that are not AWS's: one request, one bounded answer.
//!
//! The clients of [`crate::aws`] trust Amazon's roots alone. Others chain to any public authority, so this client trusts
//! those of the system, which are read when it is first used: a function that calls nobody pays nothing.

use crate::aws::connector;
use crate::env::Env;
use crate::redact::Redacted;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures::future::{BoxFuture, FutureExt};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::OnceLock;
use std::time::Duration;

/// Time to open a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(3);
/// Time for a call as a whole.
const CALL: Duration = Duration::from_secs(8);

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The URL.
    pub url: String,
    /// Headers besides those of the body.
    pub headers: Vec<(&'static str, Redacted<String>)>,
    /// The body of a `POST` of a form; `None` for a `GET`.
    pub form: Option<Redacted<String>>,
    /// The most bytes of the answer's body.
    pub limit: usize,
}

impl Call {
    /// Returns a `GET` whose answer has at most `limit` bytes.
    #[must_use]
    pub fn get(url: impl Into<String>, limit: usize) -> Self {
        Self { url: url.into(), headers: Vec::new(), form: None, limit }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status. Redirects are not followed.
    pub status: u16,
    /// The body.
    pub body: Redacted<Vec<u8>>,
}

/// The reason why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The URL is not one.
    #[error("the URL cannot be called")]
    Url,
    /// No connection, or none within its time.
    #[error("no answer within {} seconds", CALL.as_secs())]
    NoAnswer,
    /// The answer is longer than allowed.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    /// TLS could not be set up: no roots on this system.
    #[error("TLS could not be set up with the roots of this system")]
    Tls,
}

/// A client, which tests replace.
pub trait Web: Send + Sync {
    /// Makes one call, without a retry.
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, WebError>>;
}

/// The client of a process, with rustls on ring.
#[derive(Debug, Default)]
pub struct WebClient {
    bundle: Option<String>,
    connector: OnceLock<Option<SharedHttpConnector>>,
}

impl WebClient {
    /// Returns a client that trusts the roots of the system, or those of the PEM file that `SSL_CERT_FILE` names.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let bundle = env.optional::<String>("SSL_CERT_FILE", "the path of a PEM file").ok().flatten();
        Self { bundle, connector: OnceLock::new() }
    }

    fn connector(&self) -> Result<&SharedHttpConnector, WebError> {
        let made = self.connector.get_or_init(|| {
            let roots = match &self.bundle {
                Some(path) => TrustStore::empty().with_pem_certificate(std::fs::read(path).ok()?),
                None => TrustStore::empty().with_native_roots(true),
            };
            let context = TlsContext::builder().with_trust_store(roots).build().ok()?;
            Some(connector(context, CONNECT, CALL))
        });
        made.as_ref().ok_or(WebError::Tls)
    }

    async fn send(&self, call: Call) -> Result<Answer, WebError> {
        let method = if call.form.is_some() { "POST" } else { "GET" };
        let mut request = http::Request::builder().method(method).uri(&call.url).header("accept", "application/json");
        if call.form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value.expose());
        }
        let body = call.form.map_or_else(SdkBody::empty, |form| SdkBody::from(form.into_exposed()));
        let request = request.body(body).map_err(|_| WebError::Url)?;
        let request = HttpRequest::try_from(request).map_err(|_| WebError::Url)?;
        let answer = self.connector()?.call(request).await.map_err(|_| WebError::NoAnswer)?;
        let answer = answer.try_into_http1x().map_err(|_| WebError::NoAnswer)?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, call.limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { WebError::TooLong(call.limit) } else { WebError::NoAnswer }
        })?;
        Ok(Answer { status: parts.status.as_u16(), body: Redacted::new(body.to_bytes().to_vec()) })
    }
}

impl Web for WebClient {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, WebError>> {
        async move {
            let answer = tokio::time::timeout(CALL, self.send(call)).await;
            answer.unwrap_or(Err(WebError::NoAnswer))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Answers one request with `answer`, and returns the URL of the server and what it received.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a?b=c", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = vec![0; 4096];
            let length = stream.read(&mut received).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&received[..length]).into_owned()
        });
        (url, served)
    }

    fn client() -> WebClient {
        WebClient::new(&Env::from_pairs::<&str, &str>([]))
    }

    #[tokio::test]
    async fn form_is_posted_and_its_answer_returned_whatever_its_status() {
        let (url, served) =
            server("HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
        let headers = vec![("authorization", Redacted::new("Basic x".to_owned()))];
        let call = Call { url, headers, form: Some(Redacted::new("a=b".to_owned())), limit: 10 };
        let answer = client().call(call.clone()).await.unwrap();
        assert_eq!((answer.status, answer.body.expose().as_slice()), (400, &b"{}"[..]));
        let received = served.await.unwrap().to_ascii_lowercase();
        assert!(received.starts_with("post /a?b=c http/1.1\r\n"), "{received}");
        assert!(received.contains("content-type: application/x-www-form-urlencoded"), "{received}");
        assert!(received.contains("authorization: basic x"), "{received}");
        assert!(!format!("{call:?} {answer:?}").contains("Basic x"), "secrets are not printed");
    }

    #[tokio::test]
    async fn redirect_is_not_followed_and_a_long_answer_is_an_error() {
        let (url, _) = server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(client().call(Call::get(url, 10)).await.unwrap().status, 302);
        let (url, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world").await;
        assert_eq!(client().call(Call::get(url, 10)).await.unwrap_err(), WebError::TooLong(10));
        assert_eq!(client().call(Call::get("http://127.0.0.1:1/", 10)).await.unwrap_err(), WebError::NoAnswer);
        assert_eq!(client().call(Call::get("not a url", 10)).await.unwrap_err(), WebError::Url);
    }
}
