//! Normalizes website addresses to their host names.

use super::mail::host;
use super::text::{is_absent, trimmed};

/// The most bytes of text that are looked at.
const MAX_BYTES: usize = 2_048;

/// Why a text is no website.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidWebsite {
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// Another scheme than `http` and `https`.
    #[error("not a web address")]
    Scheme,
    /// Not a host name below a top-level domain; IP addresses and `localhost` are rejected.
    #[error("not a domain")]
    Host,
}

/// Returns the host of a website in lower case and ASCII, without a leading `www.`:
/// `https://www.Acme.co.uk:443/about?x#y` is `acme.co.uk`. The scheme may be missing. [`super::CompanyDomain::of_host`]
/// returns the company.
///
/// # Errors
/// [`InvalidWebsite`] if there is no such host.
pub fn website(text: &str) -> Result<String, InvalidWebsite> {
    let text = trimmed(text);
    if is_absent(text) {
        return Err(InvalidWebsite::Absent);
    }
    if text.len() > MAX_BYTES {
        return Err(InvalidWebsite::Host);
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) => rest,
        Some((scheme, _)) if scheme.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c)) => {
            return Err(InvalidWebsite::Scheme);
        }
        _ => text.strip_prefix("//").unwrap_or(text),
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => authority,
    };
    let name = host(name).ok_or(InvalidWebsite::Host)?;
    let mut bare = &*name;
    while let Some(rest) = bare.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        bare = rest;
    }
    Ok(bare.to_owned())
}

#[cfg(test)]
mod tests {
    //! Websites are cleaned and standardized, or rejected with a reason.
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_website_is_its_host() {
        for (text, expected) in [
            ("acme.com", "acme.com"),
            ("https://www.Acme.co.uk:443/about?x=http://y#z", "acme.co.uk"),
            ("HTTP://ACME.com.", "acme.com"),
            ("//shop.acme.com/", "shop.acme.com"),
            ("www.bücher.example", "xn--bcher-kva.example"),
            ("www.com", "www.com"),
            (" acme.com:8080 ", "acme.com"),
            ("acme.com/?next=https://x.example", "acme.com"),
        ] {
            assert_eq!(website(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_website_is_rejected_with_a_reason() {
        for (text, reason) in [
            ("", InvalidWebsite::Absent),
            ("none", InvalidWebsite::Absent),
            ("ftp://acme.com", InvalidWebsite::Scheme),
            ("javascript://acme.com/%0aalert(1)", InvalidWebsite::Scheme),
            ("acme", InvalidWebsite::Host),
            ("http://localhost:8080", InvalidWebsite::Host),
            ("http://127.0.0.1", InvalidWebsite::Host),
            ("http://[::1]/", InvalidWebsite::Host),
            ("https://ada:secret@acme.com/", InvalidWebsite::Host),
            ("we have no website", InvalidWebsite::Host),
        ] {
            assert_eq!(website(text), Err(reason), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics_and_a_host_is_its_own_normal_form(text in "(https?://|//)?(www\\.){0,3}\\PC{0,20}(\\.com)?(:[0-9]*)?\\PC{0,4}") {
            if let Ok(host) = website(&text) {
                prop_assert_eq!(website(&host), Ok(host));
            }
        }
    }
}
