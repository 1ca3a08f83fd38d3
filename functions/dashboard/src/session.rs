//! The session of a visitor who signed in: a signed cookie, and nothing on the server.

use crate::keys::{Keys, Purpose};
use crate::role::Role;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most bytes of a subject, as OpenID Connect says.
pub(crate) const MAX_SUBJECT: usize = 255;
/// The most characters of a displayed name.
const MAX_NAME: usize = 80;

/// A session, as it is in its cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The subject at the provider.
    #[serde(rename = "s")]
    pub(crate) subject: String,
    /// The displayed name.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The role at the time of the sign-in.
    #[serde(rename = "r")]
    pub(crate) role: Role,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "e")]
    pub(crate) expires: i64,
}

impl Session {
    /// Returns a session from `now` on, for `hours`.
    pub(crate) fn new(subject: &str, name: &str, role: Role, now: Timestamp, hours: u16) -> Self {
        let name = name.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect();
        Self { subject: subject.to_owned(), name, role, expires: now.as_second() + i64::from(hours) * 3_600 }
    }

    /// Returns the value of its cookie.
    pub(crate) fn seal(&self, keys: &Keys) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        keys.seal(Purpose::Session, &json)
    }

    /// Returns the session in a cookie at `now`; `None` if we did not make it, it has ended, or it lasts longer than sessions
    /// of `hours` do now.
    pub(crate) fn open(cookie: &str, keys: &Keys, now: Timestamp, hours: u16) -> Option<Self> {
        let session: Self = serde_json::from_slice(&keys.open(Purpose::Session, cookie)?).ok()?;
        let left = session.expires.saturating_sub(now.as_second());
        (left > 0 && left <= i64::from(hours) * 3_600 && !session.subject.is_empty()).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    const KEY: &str = "the key of sessions of thirty-two bytes.";

    fn keys() -> Keys {
        Keys::parse(KEY).unwrap()
    }

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_second(now().as_second() + seconds).unwrap()
    }

    fn ada() -> Session {
        Session::new("u-1", "Ada", Role::Operator, now(), 8)
    }

    #[test]
    fn session_is_open_until_it_expires() {
        let cookie = ada().seal(&keys());
        assert_eq!(Session::open(&cookie, &keys(), later(8 * 3_600 - 1), 8), Some(ada()));
        assert_eq!(Session::open(&cookie, &keys(), later(8 * 3_600), 8), None);
        assert_eq!(Session::open(&cookie, &keys(), now(), 4), None, "sessions were made shorter since");
        assert_eq!(Session::open(&cookie, &keys(), later(5 * 3_600), 4), Some(ada()));
    }

    #[test]
    fn cookie_holds_subject_name_role_and_end_and_nothing_else() {
        let cookie = ada().seal(&keys());
        let json = BASE64URL_NOPAD.decode(cookie.split_once('.').unwrap().0.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), r#"{"s":"u-1","n":"Ada","r":"operator","e":1772474400}"#);
    }

    #[test]
    fn forged_cookies_open_nothing() {
        let cookie = ada().seal(&keys());
        let (payload, signature) = cookie.split_once('.').unwrap();
        let admin = BASE64URL_NOPAD.encode(br#"{"s":"u-1","n":"Ada","r":"admin","e":1772474400}"#);
        let other = Keys::parse("another key that is of thirty-two bytes").unwrap();
        let form = keys().sign(Purpose::Form, payload);
        let sign_in = keys().seal(Purpose::SignIn, br#"{"s":"u-1","n":"Ada","r":"admin","e":1772474400}"#);
        for wrong in [
            format!("{admin}.{signature}"),
            format!("{admin}."),
            format!("{admin}.{}", BASE64URL_NOPAD.encode(&[0; 32])),
            format!("{payload}.{form}"),
            sign_in,
            payload.to_owned(),
            format!("{payload}."),
            format!(".{signature}"),
            format!("{cookie}="),
            format!("{cookie}.{signature}"),
            format!(" {cookie}"),
            ada().seal(&other),
            keys().seal(Purpose::Session, b"{}"),
            keys().seal(Purpose::Session, br#"{"s":"","n":"Ada","r":"admin","e":1772474400}"#),
            keys().seal(Purpose::Session, br#"{"s":"u-1","n":"Ada","r":"owner","e":1772474400}"#),
            String::new(),
        ] {
            assert_eq!(Session::open(&wrong, &keys(), now(), 8), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_session_survives_its_cookie_and_fits_one(subject in "[!-~]{1,255}", name in "\\PC{0,200}", role in 0_usize..3) {
            let session = Session::new(&subject, &name, Role::ALL[role], now(), 24);
            let cookie = session.seal(&keys());
            prop_assert!(cookie.len() <= 3_072, "{} bytes", cookie.len());
            prop_assert_eq!(Session::open(&cookie, &keys(), now(), 24), Some(session));
        }

        #[test]
        fn any_cut_or_changed_cookie_opens_nothing(at in 0_usize..110, byte in proptest::num::u8::ANY) {
            let cookie = ada().seal(&keys());
            let at = at % cookie.len();
            prop_assert_eq!(Session::open(&cookie[..at], &keys(), now(), 8), None);
            let mut changed = cookie.clone().into_bytes();
            changed[at] = byte;
            if let Ok(changed) = String::from_utf8(changed) && changed != cookie {
                prop_assert_eq!(Session::open(&changed, &keys(), now(), 8), None);
            }
        }
    }
}
