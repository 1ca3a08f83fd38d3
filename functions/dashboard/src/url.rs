//! Links between pages, and which of them a visitor may be sent to.

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

/// The characters that are encoded in a segment of a path, and in a value of a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The longest address of a page that a visitor is sent back to after a sign-in.
const MAX_OWN: usize = 1_024;

/// Returns a text encoded for a segment of a path or a value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns the path of these segments, each encoded: an id may contain a slash.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |mut path, segment| {
        let _infallible = write!(path, "/{}", utf8_percent_encode(segment, ENCODED));
        path
    })
}

/// Returns the path with a query of those pairs that have a value.
pub(crate) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let join = if url.contains('?') { '&' } else { '?' };
        let _infallible = write!(url, "{join}{name}={}", utf8_percent_encode(value, ENCODED));
    }
    url
}

/// Returns an address that a visitor may be sent to: one of this origin, given as a path with or without a query. Everything
/// else, such as `//evil.example`, `/\evil.example` or one with a tab that browsers leave out, becomes `/`.
pub(crate) fn own_page(text: &str) -> String {
    let is_own = text.len() <= MAX_OWN
        && text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !["/sign-in", "/sign-out", "/signed-out"].iter().any(|other| text.starts_with(other));
    let parsed = is_own.then(|| text.parse::<PathAndQuery>().ok()).flatten();
    parsed.map_or_else(|| "/".to_owned(), |page| page.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_with_slashes_and_markup_stay_one_segment() {
        assert_eq!(path(&["people", "user/1?<b>\"&#"]), "/people/user%2F1%3F%3Cb%3E%22%26%23");
        assert_eq!(
            query("/people", &[("search", "a b&c=d"), ("stage", ""), ("min", "5")]),
            "/people?search=a%20b%26c%3Dd&min=5"
        );
        assert_eq!(query("/people", &[]), "/people");
    }

    #[test]
    fn only_pages_of_this_origin_are_returned_to() {
        for own in [
            "/",
            "/people/user%2F1",
            "/people?search=a%20b&min=5",
            "/reports/revenue?day=2026-01-31",
            "/%2F%2Fevil.example",
            "/a//b",
        ] {
            assert_eq!(own_page(own), own);
        }
        for foreign in [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "evil.example",
            "?search=a",
            "/people\u{202e}",
            "/é",
            "/sign-in?to=/sign-in",
            "/sign-out",
            "/people\r\nset-cookie: a=b",
        ] {
            assert_eq!(own_page(foreign), "/", "{foreign:?}");
        }
        assert_eq!(own_page(&format!("/{}", "a".repeat(MAX_OWN))), "/");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_a_browser_stays_on_this_host(text in "[/\\\\.:@?#%a-z\\t\\n ]{0,40}") {
            let page = own_page(&text);
            let there = ::url::Url::parse("https://dashboard.example/sign-in/callback").and_then(|base| base.join(&page));
            prop_assert_eq!(there.map(|url| url.origin().ascii_serialization()), Ok("https://dashboard.example".to_owned()));
        }
    }
}
