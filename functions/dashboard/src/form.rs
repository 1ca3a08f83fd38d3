//! Forms: their fields, and the token that proves that one of our own pages sent them.
//!
//! A token is `EXPIRES.SIGNATURE`, the signature being HMAC-SHA-256 over the time and the visitor's session. A page of another origin can neither read
//! nor make one; and a browser that says that the request comes from elsewhere is refused before that.

use crate::keys::{Keys, Purpose};
use http::{HeaderMap, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

/// The seconds for which a form can be sent after its page was shown.
const LIFETIME_SECONDS: i64 = 12 * 60 * 60;
/// The longest body that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Makes and verifies the tokens of forms.
#[derive(Debug)]
pub(crate) struct Tokens(Keys);

impl Tokens {
    /// Returns tokens of these keys.
    pub(crate) fn new(keys: Keys) -> Self {
        Self(keys)
    }

    /// Returns a token for a form that `session` is shown at `now`.
    pub(crate) fn make(&self, session: &str, now: Timestamp) -> String {
        let expires = now.as_second() + LIFETIME_SECONDS;
        format!("{expires}.{}", self.0.sign(Purpose::Form, &message(expires, session)))
    }

    /// Returns whether `token` was made for `session`, and is still valid at `now`.
    pub(crate) fn is_valid(&self, token: &str, session: &str, now: Timestamp) -> bool {
        let Some((expires, signature)) = token.split_once('.') else { return false };
        let Ok(expires) = expires.parse() else { return false };
        self.0.is_signed(Purpose::Form, &message(expires, session), signature) && now.as_second() < expires
    }
}

fn message(expires: i64, session: &str) -> String {
    format!("{expires}:{session}")
}

/// Returns whether a request comes from one of our own pages, as far as the browser says: `Sec-Fetch-Site`, else `Origin`,
/// which has to be the requested host. A request with neither comes from no browser of today.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(header::HOST.as_str());
    text(header::ORIGIN.as_str())
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, from)| Some(from) == host)
}

/// The fields of a form that was sent (`application/x-www-form-urlencoded`).
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses a body; `None` if it is too long or not UTF-8.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= MAX_BYTES)?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        });
        pairs.collect::<Option<_>>().map(Self)
    }

    /// Returns the first value of a field, without white space around it; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }
}

/// Returns the decoded text of a field or a query's value.
pub(crate) fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn token_is_valid_for_its_session_until_it_expires() {
        let (tokens, others) = (Tokens::new(Keys::random()), Tokens::new(Keys::random()));
        let token = tokens.make("ada", now());
        assert!(tokens.is_valid(&token, "ada", now()));
        assert!(!tokens.is_valid(&token, "eve", now()), "another session's");
        assert!(!others.is_valid(&token, "ada", now()), "another key's");
        let later = Timestamp::from_second(now().as_second() + LIFETIME_SECONDS).unwrap();
        assert!(!tokens.is_valid(&token, "ada", later), "expired");
        let (expires, signature) = token.split_once('.').unwrap();
        let longer = format!("{}.{signature}", expires.parse::<i64>().unwrap() + 1);
        for wrong in [longer.as_str(), "", ".", "1.", &format!("{token}A")] {
            assert!(!tokens.is_valid(wrong, "ada", now()), "{wrong}");
        }
    }

    #[test]
    fn only_pages_of_the_same_origin_may_send_forms() {
        let headers = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap()));
            HeaderMap::from_iter(pairs)
        };
        let host = ("host", "127.0.0.1:8080");
        for (allowed, pairs) in [
            (true, vec![host, ("sec-fetch-site", "same-origin")]),
            (true, vec![host, ("origin", "http://127.0.0.1:8080")]),
            (false, vec![host, ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8080")]),
            (false, vec![host, ("sec-fetch-site", "cross-site")]),
            (false, vec![host, ("sec-fetch-site", "none")]),
            (false, vec![host, ("origin", "http://127.0.0.1:3000")]),
            (false, vec![host, ("origin", "null")]),
            (false, vec![host]),
        ] {
            assert_eq!(is_same_origin(&headers(&pairs)), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn fields_are_read_as_browsers_encode_them() {
        let fields = Fields::parse("identity=user%3A1&why=a+shared%20desk&why=again&empty=".as_bytes()).unwrap();
        assert_eq!(
            (fields.get("identity"), fields.get("why"), fields.get("empty"), fields.get("none")),
            ("user:1", "a shared desk", "", "")
        );
        assert!(Fields::parse(b"a=%ff").is_none());
        assert!(Fields::parse(&vec![b'a'; MAX_BYTES + 1]).is_none());
    }
}
