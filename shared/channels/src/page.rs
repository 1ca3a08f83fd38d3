//! A page read over HTTPS, as a reader's browser would: with the roots that browsers trust, and no redirect followed.

use crate::transport::{Call, SystemResolver, Transport, TransportError};
use http::{HeaderMap, HeaderValue, Method, header};
use std::sync::Arc;

/// The most bytes that are read of a page.
const MAX_PAGE: usize = 64 * 1024;

/// The response of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPage {
    /// The host's name has no address.
    #[error("the name does not resolve")]
    Unresolved,
    /// The host's certificate is not valid.
    #[error("{0}")]
    Certificate(&'static str),
    /// No answer, for another reason.
    #[error("{0}")]
    NoAnswer(&'static str),
}

/// Reads the page at `url`, which has to begin with `https://`, or with `http://` for a server of one's own. `accept` is the media type that is asked for.
///
/// # Errors
/// [`NoPage`] if the server cannot be reached within 13 seconds, or its answer is longer than 64 KiB.
pub async fn read(url: &str, accept: &'static str) -> Result<Page, NoPage> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Perennial"));
    let call =
        Call { method: Method::GET, url, allow_private: true, headers, body: bytes::Bytes::new(), read: MAX_PAGE };
    let answer = Transport::new(Arc::new(SystemResolver)).send(call).await.map_err(|error| match error {
        TransportError::Unresolved => NoPage::Unresolved,
        TransportError::Certificate(reason) => NoPage::Certificate(reason),
        TransportError::NotAllowed(reason) | TransportError::NotSent(reason) | TransportError::Lost(reason) => {
            NoPage::NoAnswer(reason)
        }
    })?;
    Ok(Page { status: answer.status.as_u16(), body: answer.body.to_vec() })
}
