//! Sends one request over one connection, to an address that was checked.

use crate::guard::is_public;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, RootCertStore, crypto};
use url::{Host, Url};

/// Time to find, reach and greet a receiver.
const CONNECT: Duration = Duration::from_secs(3);
/// The timeout of a delivery; Standard Webhooks recommends 15 to 30 s at most, and a queue's consumer should not wait
/// so long.
const TOTAL: Duration = Duration::from_secs(10);
/// The most bytes of an answer's head that are read.
const MAX_HEAD: usize = 16 * 1024;

/// A request to a receiver.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    /// `true` if private addresses and `http://` are allowed.
    pub(crate) allow_private: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The most bytes of the answer's body that are read; with 0 it is not read at all.
    pub(crate) read: usize,
}

/// A receiver's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Finds the addresses of a host.
pub(crate) trait Resolve: Send + Sync {
    /// Returns all addresses of `host`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver.
#[derive(Debug)]
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportError {
    /// The URL, or where it leads, is not allowed.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// It was certainly not sent: the host's name could not be resolved.
    #[error("the host's name could not be resolved")]
    Unresolved,
    /// It was certainly not sent: the host's certificate is not valid, which this says more of.
    #[error("{0}")]
    Certificate(&'static str),
    /// It was certainly not sent, this time.
    #[error("{0}")]
    NotSent(&'static str),
    /// It may have been sent: there is no answer.
    #[error("{0}")]
    Lost(&'static str),
}

impl TransportError {
    /// The reason, without more.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Unresolved => "the host's name could not be resolved",
            Self::NotAllowed(reason) | Self::Certificate(reason) | Self::NotSent(reason) | Self::Lost(reason) => reason,
        }
    }
}

/// Opens connections.
pub(crate) struct Transport {
    resolver: Arc<dyn Resolve>,
    connect: Duration,
    total: Duration,
    tls: OnceLock<Option<TlsConnector>>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transport")
    }
}

impl Transport {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, connect: CONNECT, total: TOTAL, tls: OnceLock::new() }
    }

    /// Sends `call`, once. Redirects are answers like any other.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let target = Target::parse(call.url, call.allow_private)?;
        let read = call.read;
        let began = tokio::time::Instant::now();
        let connecting = async {
            let addresses = self.checked_addresses(&target, call.allow_private).await?;
            connect(&addresses).await
        };
        let late = TransportError::NotSent("the receiver could not be reached in time");
        let stream = tokio::time::timeout(self.connect, connecting).await.unwrap_or(Err(late))?;
        let request = target.request(call)?;
        if !target.tls {
            return self.exchange(began, stream, request, read).await;
        }
        let connector = self.connector().ok_or(TransportError::NotSent("TLS could not be set up"))?;
        let name = ServerName::try_from(target.name())
            .map_err(|_| TransportError::NotAllowed("the host is no name for TLS"))?;
        let stream = tokio::time::timeout(self.connect, connector.connect(name, stream))
            .await
            .map_err(|_| late)?
            .map_err(|error| handshake(&error))?;
        self.exchange(began, stream, request, read).await
    }

    /// Runs the exchange within the rest of the timeout since `began`.
    async fn exchange<S>(
        &self,
        began: tokio::time::Instant,
        stream: S,
        request: Request<Full<Bytes>>,
        read: usize,
    ) -> Result<Answer, TransportError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        tokio::time::timeout_at(began + self.total, exchange(stream, request, read))
            .await
            .unwrap_or(Err(TransportError::Lost("the receiver did not answer in time")))
    }

    /// Returns all addresses of the target; an error if one of them is not public and private ones are not allowed.
    async fn checked_addresses(&self, target: &Target, allow_private: bool) -> Result<Vec<SocketAddr>, TransportError> {
        let addresses = match &target.host {
            Host::Ipv4(ip) => vec![SocketAddr::new(IpAddr::V4(*ip), target.port)],
            Host::Ipv6(ip) => vec![SocketAddr::new(IpAddr::V6(*ip), target.port)],
            Host::Domain(name) => {
                let found = self.resolver.resolve(name, target.port).await;
                found.map_err(|_| TransportError::Unresolved)?
            }
        };
        if addresses.is_empty() {
            return Err(TransportError::Unresolved);
        }
        if !allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err(TransportError::NotAllowed("the host is not on the public Internet"));
        }
        Ok(addresses)
    }

    fn connector(&self) -> Option<&TlsConnector> {
        self.tls.get_or_init(tls).as_ref()
    }
}

/// Returns TLS 1.2 or 1.3 on ring, with the roots that browsers trust.
fn tls() -> Option<TlsConnector> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// Why a handshake failed.
fn handshake(error: &std::io::Error) -> TransportError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<tokio_rustls::rustls::Error>());
    let Some(tokio_rustls::rustls::Error::InvalidCertificate(why)) = inner else {
        return TransportError::NotSent("the TLS handshake failed");
    };
    TransportError::Certificate(match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::UnknownIssuer => "the certificate is signed by nobody whom browsers trust",
        _ => "the certificate is not valid",
    })
}

/// Tries the addresses one after the other.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, TransportError> {
    for address in addresses {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(TransportError::NotSent("the receiver could not be reached"))
}

/// Sends the request over `stream` and returns the response, with at most `read` bytes of body.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>, read: usize) -> Result<Answer, TransportError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |_: hyper::Error| TransportError::Lost("the connection to the receiver broke");
    let mut http = hyper::client::conn::http1::Builder::new();
    http.max_buf_size(MAX_HEAD);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body = if read == 0 {
            Bytes::new()
        } else {
            let unread = TransportError::Lost("the receiver's answer could not be read");
            Limited::new(body, read).collect().await.map_err(|_| unread)?.to_bytes()
        };
        Ok(Answer { status: head.status, headers: head.headers, body })
    };
    let answer = answer.await;
    connection.abort();
    answer
}

/// The target of a URL.
struct Target {
    tls: bool,
    host: Host<String>,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn parse(url: &str, allow_private: bool) -> Result<Self, TransportError> {
        let url = Url::parse(url).map_err(|_| TransportError::NotAllowed("the URL cannot be read"))?;
        let tls = match url.scheme() {
            "https" => true,
            "http" if allow_private => false,
            _ => return Err(TransportError::NotAllowed("the URL must begin with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TransportError::NotAllowed("the URL must not contain credentials"));
        }
        let host = url.host().map(|host| host.to_owned()).ok_or(TransportError::NotAllowed("the URL has no host"))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { tls, host, port, authority, path })
    }

    /// Returns the name that the receiver's certificate must have.
    fn name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.trim_end_matches('.').to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        }
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, TransportError> {
        let request = Request::builder()
            .method(call.method)
            .uri(&self.path)
            .header("host", &self.authority)
            .header("connection", "close");
        let mut request = request
            .body(Full::new(call.body))
            .map_err(|_| TransportError::NotAllowed("the URL cannot be requested"))?;
        request.headers_mut().extend(call.headers);
        Ok(request)
    }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
