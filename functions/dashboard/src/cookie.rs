//! Cookies of the dashboard.

use http::{HeaderMap, HeaderValue, header};

/// The names and attributes of our cookies.
///
/// `__Host-` makes browsers refuse a cookie that another host or path set, or that came without TLS. Browsers keep no such
/// cookie for plain HTTP on loopback, where the embedded stack is: there both the prefix and `Secure` are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookies {
    pub(crate) is_secure: bool,
}

/// One of our cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session of a visitor.
    Session,
    /// A sign-in that has begun.
    SignIn,
}

/// The longest value that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 3_072;

impl Cookies {
    fn name(self, cookie: Cookie) -> String {
        let prefix = if self.is_secure { "__Host-" } else { "" };
        let name = match cookie {
            Cookie::Session => "perennial-session",
            Cookie::SignIn => "perennial-sign-in",
        };
        format!("{prefix}{name}")
    }

    /// Returns the value of a cookie in a request; `None` if there is none, or it is longer than any of ours.
    pub(crate) fn get(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        let name = self.name(cookie);
        // One by one: a cookie of another program may have any bytes.
        let all =
            headers.get_all(header::COOKIE).into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let mut pairs =
            all.filter_map(|pair| std::str::from_utf8(pair).ok()).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| value).filter(|value| value.len() <= MAX_BYTES)
    }

    /// Returns the header that sets a cookie for `seconds`; 0 removes it.
    pub(crate) fn set(self, cookie: Cookie, value: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = self.name(cookie);
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECURE: Cookies = Cookies { is_secure: true };

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::COOKIE, value.parse().unwrap())).collect()
    }

    #[test]
    fn cookie_is_found_among_others_and_by_its_whole_name() {
        let found = |values: &[&str]| SECURE.get(&headers(values), Cookie::Session).map(str::to_owned);
        assert_eq!(found(&["a=b; __Host-perennial-session=x.y;c=d"]).as_deref(), Some("x.y"));
        assert_eq!(found(&["a=b", "__Host-perennial-session=x.y"]).as_deref(), Some("x.y"));
        let foreign: HeaderMap =
            [(header::COOKIE, HeaderValue::from_bytes("a=é\u{ff}; __Host-perennial-session=x.y".as_bytes()).unwrap())]
                .into_iter()
                .collect();
        assert_eq!(SECURE.get(&foreign, Cookie::Session), Some("x.y"));
        for none in ["perennial-session=x", "x__Host-perennial-session=x", "__host-perennial-session=x", ""] {
            assert_eq!(found(&[none]), None, "{none}");
        }
        let long = format!("__Host-perennial-session={}", "x".repeat(MAX_BYTES + 1));
        assert_eq!(found(&[&long]), None);
    }

    #[test]
    fn cookie_is_for_this_host_alone_and_no_script_reads_it() {
        let set = SECURE.set(Cookie::Session, "v", 60).unwrap();
        assert_eq!(set, "__Host-perennial-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        let plain = Cookies { is_secure: false }.set(Cookie::SignIn, "", 0).unwrap();
        assert_eq!(plain, "perennial-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        assert_eq!(SECURE.set(Cookie::Session, "a\nb", 1), None);
    }
}
