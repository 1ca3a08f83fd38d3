//! Connections to endpoints, and their receivers' pauses.

use crate::pause::{self, Pauses};
use crate::transport::{Answer, Call, Resolve, Transport, TransportError};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use perennial_config::channels::Endpoint;
use std::sync::Arc;

/// Why a message was not offered whose receiver wants to be left alone.
pub(crate) const PAUSED: &str = "the receiver asked to be left alone for a while";

/// Connections and the pauses of receivers.
#[derive(Debug)]
pub(crate) struct Http {
    transport: Transport,
    pauses: Pauses,
}

impl Http {
    pub(crate) fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { transport: Transport::new(resolver), pauses: Pauses::default() }
    }
}

/// The connection to one endpoint.
#[derive(Clone, Copy)]
pub(crate) struct HttpTo<'a> {
    pub(crate) http: &'a Http,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) now: Timestamp,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The address is not allowed.
    Refused(&'static str),
    /// The receiver wants to be left alone for so long.
    Paused(std::time::Duration),
    /// It was not sent.
    NotSent(&'static str),
    /// It may have been sent.
    Lost(&'static str),
}

impl HttpTo<'_> {
    /// Sends one request, unless the receiver wants to be left alone.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
        read: usize,
    ) -> Result<Answer, Unanswered> {
        if let Some(after) = self.http.pauses.left(url, self.now) {
            return Err(Unanswered::Paused(after));
        }
        let allow_private = self.endpoint.allow_private;
        let call = Call { method, url, allow_private, headers, body: body.into(), read };
        let answer = self.http.transport.send(call).await.map_err(|error| match error {
            TransportError::NotAllowed(reason) => Unanswered::Refused(reason),
            TransportError::Unresolved | TransportError::Certificate(_) | TransportError::NotSent(_) => {
                Unanswered::NotSent(error.reason())
            }
            TransportError::Lost(reason) => Unanswered::Lost(reason),
        })?;
        if matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            && let Some(after) = pause::retry_after(&answer.headers, self.now)
        {
            self.http.pauses.begin(url, self.now, after);
        }
        Ok(answer)
    }
}

/// The headers of a JSON body.
pub(crate) fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Perennial"));
    headers
}
