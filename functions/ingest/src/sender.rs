//! The client's address.

use http::HeaderName;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use std::net::{IpAddr, SocketAddr};

/// Returns the client's address: from the header called `header`, which a proxy in front sets, if configured, else as
/// Lambda saw it. `None` if neither is available.
pub(crate) fn address(request: &Request, header: Option<&HeaderName>) -> Option<IpAddr> {
    match header {
        Some(header) => parse(request.headers().get(header)?.to_str().ok()?),
        None => match request.request_context_ref()? {
            RequestContext::ApiGatewayV2(context) => parse(context.http.source_ip.as_deref()?),
            _ => None,
        },
    }
}

/// An address with or without a port, as `CloudFront-Viewer-Address` has it (`198.51.100.10:46532`, `2001:db8::1:46532`, where all behind the last colon is
/// the port), or the last of a list, as what stands in front adds it to `X-Forwarded-For`.
fn parse(text: &str) -> Option<IpAddr> {
    let last = text.rsplit(',').next().unwrap_or(text).trim();
    if let Ok(address) = last.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    // Eight groups and a port, or a shortened address that would be another one with it, are of CloudFront; what has no port stands as it is.
    let without_port = || last.rsplit_once(':').and_then(|(address, _)| address.parse::<IpAddr>().ok());
    last.parse().ok().or_else(without_port)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use lambda_http::Body;

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (text, expected) in [
            ("198.51.100.10", "198.51.100.10"),
            ("198.51.100.10:46532", "198.51.100.10"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:46532", "2001:db8::1"),
            ("10.0.0.1, 198.51.100.10", "198.51.100.10"),
            (" ::1 ", "::1"),
        ] {
            assert_eq!(parse(text), Some(expected.parse().unwrap()), "{text}");
        }
        for text in ["", "unknown", "1.2.3", "x:y:z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn header_counts_only_where_it_is_named() {
        let request = http::Request::builder().header("x-client", "192.0.2.1").body(Body::Empty).unwrap();
        assert_eq!(address(&request, None), None);
        let named = HeaderName::from_static("x-client");
        assert_eq!(address(&request, Some(&named)), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(address(&request, Some(&HeaderName::from_static("x-other"))), None);
    }
}
