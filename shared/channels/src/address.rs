//! Mail addresses that can go into a header and an envelope.

use crate::text;
use perennial_domain::hygiene::mail;
use std::fmt;

/// The longest address that SES takes, in bytes: 64 before the `@`, 255 after it.
const MAX_BYTES: usize = 320;
/// The longest name beside an address that is kept, in bytes.
const MAX_NAME_BYTES: usize = 120;

/// One address, such as `ada@example.com`, of ASCII characters that need no quoting (RFC 5321's dot-string and host
/// names). `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

/// Why a text is no address that we write to. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Longer than 320 bytes, or 64 before the `@`.
    #[error("the address is too long")]
    TooLong,
    /// Not of the form `name@host.tld`, or more than one.
    #[error("the text is not one mail address")]
    Form,
    /// Contains characters that only newer mail servers accept (RFC 6531), which SES does not.
    #[error("the address contains characters outside of ASCII")]
    NotAscii,
}

impl Address {
    /// Parses one bare address. White space around it is dropped and the host is converted to lower case; the local
    /// part is unchanged.
    ///
    /// # Errors
    /// [`InvalidAddress`] for anything that is not exactly one plain address: lists, names, quotes, control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim_matches(' ');
        if text.len() > MAX_BYTES {
            return Err(InvalidAddress::TooLong);
        }
        if !text.is_ascii() {
            return Err(InvalidAddress::NotAscii);
        }
        let (local, host) = text.split_once('@').ok_or(InvalidAddress::Form)?;
        if local.len() > 64 {
            return Err(InvalidAddress::TooLong);
        }
        let atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
        let atoms_are_fine = local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
        let label_is_fine = |label: &str| {
            let inner = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
            (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
        };
        let host_is_fine = host.len() <= 255 && host.contains('.') && host.split('.').all(label_is_fine);
        if !atoms_are_fine || !host_is_fine {
            return Err(InvalidAddress::Form);
        }
        Ok(Self(format!("{local}@{}", host.to_ascii_lowercase())))
    }

    /// The address as it is written to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key by which the address is looked up and suppressed ([`mail::key`]).
    #[must_use]
    pub fn normalised(&self) -> String {
        mail::key(&self.0)
    }

    /// Returns the host, after the `@`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, host)| host)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({} bytes)", self.0.len())
    }
}

/// An address with a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; one line of at most 120 bytes.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// Parses `Name <address>` or an address.
    ///
    /// # Errors
    /// [`InvalidAddress`] if the address is invalid.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let Some(inner) = text.strip_suffix('>') else {
            return Ok(Self { name: None, address: Address::parse(text)? });
        };
        let (name, address) = inner.rsplit_once('<').ok_or(InvalidAddress::Form)?;
        let name = text::one_line(name.trim().trim_matches('"'), MAX_NAME_BYTES);
        Ok(Self { name: (!name.is_empty()).then_some(name), address: Address::parse(address)? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_addresses_are_taken_and_their_host_is_lowered() {
        for (text, address) in [
            ("ada@example.com", "ada@example.com"),
            (" Ada.Byron+x@Mail.Example.COM ", "Ada.Byron+x@mail.example.com"),
            ("o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example"),
        ] {
            assert_eq!(Address::parse(text).unwrap().as_str(), address);
        }
    }

    #[test]
    fn what_could_become_two_addresses_or_a_header_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let refused = [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a@b@example.com",
            "ada@example.com,eve@example.com",
            "ada@example.com eve@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\n",
            "ada\t@example.com",
            "\"ada\"@example.com",
            "<ada@example.com>",
            "a..b@example.com",
            ".a@example.com",
            "ada@exa_mple.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@[127.0.0.1]",
            "adä@example.com",
            "ada;x@example.com",
            &long,
        ];
        for text in refused {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Address::parse(&"x".repeat(321)), Err(InvalidAddress::TooLong));
    }

    #[test]
    fn a_name_beside_an_address_becomes_one_line() {
        let mailbox = Mailbox::parse("\"Ada,\r\n Countess\" <ada@example.com>").unwrap();
        assert_eq!(mailbox.name.as_deref(), Some("Ada, Countess"));
        assert_eq!(Mailbox::parse("ada@example.com").unwrap().name, None);
        assert!(Mailbox::parse("Ada <ada@example.com> x").is_err());
        assert!(Mailbox::parse("Ada ada@example.com>").is_err());
    }

    #[test]
    fn an_address_does_not_print_itself() {
        let mailbox = Mailbox::parse("ada@example.com").unwrap();
        assert!(!format!("{mailbox:?}").contains("ada"));
    }

    proptest! {
        #[test]
        fn no_accepted_address_can_break_a_header(text in "[a-zA-Z0-9.@ ,;:<>\\r\\n\\t\"()+ä-]{1,40}") {
            if let Ok(address) = Address::parse(&text) {
                let text = address.as_str();
                prop_assert!(text.bytes().all(|c| c.is_ascii_graphic() && !b",;:<>\"()".contains(&c)));
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert_eq!(Address::parse(text), Ok(address.clone()));
            }
        }
    }
}
