//! Restricts calls to a stack on this machine to programs on it, and pages that it serves. A page from elsewhere, which
//! any browser on the machine may show, could otherwise read everything: directly, or under its own name that resolves
//! to 127.0.0.1 (DNS rebinding).

use super::errors::error;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// The names, besides those of this machine, under which the stack may be called.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    allowed: Arc<[String]>,
}

impl Guard {
    /// Creates a guard. `allowed` are host names without ports, in any case.
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Answers a request from elsewhere itself.
    pub(super) async fn check(State(guard): State<Self>, request: Request, next: Next) -> Response {
        match guard.refusal(request.uri(), request.headers()) {
            Some(message) => error(StatusCode::FORBIDDEN, "foreign", &message),
            None => next.run(request).await,
        }
    }

    /// Why a request is not answered; `None` where it is.
    fn refusal(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
        let host = uri.authority().map(ToString::to_string).or_else(|| text(header::HOST));
        if let Some(host) = host.filter(|host| !self.knows(host)) {
            return Some(format!(
                "this stack is for this machine, and was called as {host}; `perennial up --allow-host NAME` lets another name in"
            ));
        }
        let origin = text(header::ORIGIN)?;
        let page = origin.split_once("://").map(|(_, host)| host);
        (!page.is_some_and(|page| self.knows(page))).then(|| {
            format!("this stack is for this machine, and not for pages of {origin}; `perennial up --allow-host NAME` lets them in")
        })
    }

    /// Returns whether `authority` (a host, possibly with a port) is this machine, or an allowed name.
    fn knows(&self, authority: &str) -> bool {
        let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || self.allowed.contains(&host)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(allowed: &[&str], host: &str, origin: Option<&str>) -> bool {
        let guard = Guard::new(&allowed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let mut headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
        guard.refusal(&"/api/status".parse().unwrap(), &headers).is_some()
    }

    #[test]
    fn this_machine_and_its_pages_are_let_in() {
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:8080",
            "127.0.0.2",
            "shop.localhost:3000",
            "localhost.",
        ] {
            assert!(!refused(&[], host, None), "{host}");
        }
        for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "https://app.localhost", "http://[::1]:5173"] {
            assert!(!refused(&[], "127.0.0.1:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn other_names_and_pages_of_others_are_not() {
        for host in ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.5", "", "?"] {
            assert!(refused(&[], host, None), "{host}");
        }
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", "http://evil.example:8080"] {
            assert!(refused(&[], "127.0.0.1:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn name_that_was_allowed_is_let_in() {
        assert!(!refused(&["Tunnel.Example"], "tunnel.example", Some("https://tunnel.example")));
        assert!(refused(&["tunnel.example"], "other.tunnel.example", None));
    }
}
