//! Mail addresses in one normal form.

use super::text::{composed, is_invisible, is_joiner, trimmed};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The most bytes of an address: what fits between the brackets of a mail's envelope (RFC 5321 section 4.5.3.1.3, RFC 3696 erratum 1690).
pub const MAX_BYTES: usize = 254;
/// The most bytes before the `@` (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL_BYTES: usize = 64;
/// The most bytes of text that are looked at.
const MAX_TEXT_BYTES: usize = 2_048;

/// One mail address in its normal form: the local part as its owner writes it, in Unicode NFC; the domain in lower case
/// and ASCII.
///
/// Two addresses are equal if they differ only in case: in practice no server distinguishes `Ada@` from `ada@`. Dots
/// and `+tags` are kept, since only some providers ignore them. `Debug` shows only the length.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress {
    text: Box<str>,
    /// The place of the `@`.
    at: usize,
}

/// Why a text is no mail address. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidMail {
    /// Empty, or only white space.
    #[error("empty")]
    Empty,
    /// Longer than [`MAX_BYTES`], or than [`MAX_LOCAL_BYTES`] before the `@`.
    #[error("too long for a mail address")]
    TooLong,
    /// No `@`.
    #[error("no @")]
    NoAt,
    /// More than one `@`, or more than one address.
    #[error("more than one @")]
    SeveralAt,
    /// Nothing before the `@`, or invalid characters there. Quoted local parts (`"a b"@example.com`) are rejected: RFC
    /// 5321 allows them, but in practice they are mistakes.
    #[error("not a name before the @")]
    Local,
    /// Not a host name below a top-level domain. IP addresses and single words are rejected.
    #[error("not a domain after the @")]
    Domain,
}

impl MailAddress {
    /// Parses one address. Taken away are white space, invisible characters, commas and semicolons around it, `mailto:` with what follows
    /// a `?`, the angle brackets and the name before them, quotes around all of it or what stands before the `@`, a comment after it
    /// (`ada@example.com (Ada)`), the escapes of a URL, and the type that delivery status notifications write (`rfc822; ada@example.com`).
    ///
    /// ```
    /// use perennial_domain::hygiene::MailAddress;
    ///
    /// let address = MailAddress::parse("\"Byron, Ada\" <Ada.Byron+x@BÜCHER.Example>")?;
    /// assert_eq!(address.as_str(), "Ada.Byron+x@xn--bcher-kva.example");
    /// assert_eq!(address.key(), "ada.byron+x@xn--bcher-kva.example");
    /// # Ok::<(), perennial_domain::hygiene::InvalidMail>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidMail`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidMail> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvalidMail::TooLong);
        }
        let text = decoded(edges(text));
        let text = without_scheme(without_name(without_quotes(without_comment(without_type(edges(&text)))))?);
        let text = without_quotes(edges(&text));
        if text.is_empty() {
            return Err(InvalidMail::Empty);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidMail::NoAt)?;
        if domain.contains('@') {
            return Err(InvalidMail::SeveralAt);
        }
        // `"ada"@example.com`: the quotes are not part of the name.
        Self::of(local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).unwrap_or(local), domain)
    }

    fn of(local: &str, domain: &str) -> Result<Self, InvalidMail> {
        let local = composed(local);
        // The dot-atom of RFC 5322 section 3.2.3, with the letters of all scripts of RFC 6532 section 3.2.
        let atom = |c: char| match c {
            c if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
            c => !(c.is_whitespace() || is_invisible(c) || is_joiner(c)),
        };
        if !local.split('.').all(|part| !part.is_empty() && part.chars().all(atom)) {
            return Err(InvalidMail::Local);
        }
        let domain = host(domain).ok_or(InvalidMail::Domain)?;
        let text = format!("{local}@{domain}");
        if local.len() > MAX_LOCAL_BYTES || text.len() > MAX_BYTES {
            return Err(InvalidMail::TooLong);
        }
        Ok(Self { at: local.len(), text: text.into() })
    }

    /// The address as it is shown and written to.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the local part, before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// Returns the domain, after the `@`: a host name in lower case and ASCII.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Returns the address in lower case: the key for comparing, looking up and suppressing it.
    pub fn key(&self) -> Cow<'_, str> {
        if self.text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            Cow::Borrowed(&self.text)
        } else {
            Cow::Owned(lower(&self.text))
        }
    }
}

/// Returns the key for comparing, looking up and suppressing any text: [`MailAddress::key`] if it is an address, else
/// the trimmed text in lower case.
pub fn key(text: &str) -> String {
    MailAddress::parse(text).map_or_else(|_| lower(trimmed(text)), |address| address.key().into_owned())
}

/// Returns a host name below a top-level domain in lower case and ASCII (IDNA 2008 as UTS 46 maps it), or `None` if it
/// is not one. One trailing dot, the DNS root, is removed.
pub(super) fn host(text: &str) -> Option<String> {
    let name = idna::domain_to_ascii_strict(text.strip_suffix('.').unwrap_or(text)).ok()?;
    let (_, top) = name.rsplit_once('.')?;
    // Top-level domains contain digits only in their ASCII form (RFC 3696 section 2), which distinguishes them from IP
    // addresses.
    top.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn edges(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, ',' | ';') || c.is_whitespace() || is_invisible(c) || is_joiner(c))
}

/// Decodes URL escapes if the quotes or brackets around the address or its `@` are escaped. Elsewhere a `%` is part of
/// the name.
fn decoded(text: &str) -> Cow<'_, str> {
    const AROUND: [&str; 4] = ["%22", "%27", "%3C", "%3c"];
    let is_escaped =
        AROUND.iter().any(|escape| text.starts_with(escape)) || (!text.contains('@') && text.contains("%40"));
    if is_escaped { percent_decode_str(text).decode_utf8_lossy() } else { Cow::Borrowed(text) }
}

/// Without the type before an address (RFC 3464 section 2.1.2).
fn without_type(text: &str) -> &str {
    const TYPES: [&str; 4] = ["rfc822", "smtp", "utf-8", "x-smtp"];
    match text.split_once(';') {
        Some((kind, rest)) if TYPES.iter().any(|known| kind.trim().eq_ignore_ascii_case(known)) => edges(rest),
        _ => text,
    }
}

/// Without a comment after the address: `ada@example.com (Ada Byron)`.
fn without_comment(text: &str) -> &str {
    match text.split_once('(') {
        Some((address, comment)) if address.contains('@') && comment.ends_with(')') => edges(address),
        _ => text,
    }
}

/// Removes one kind of quotes around the whole text.
fn without_quotes(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    inner('"').or_else(|| inner('\'')).map_or(text, edges)
}

fn without_scheme(text: &str) -> Cow<'_, str> {
    const SCHEME: &str = "mailto:";
    match text.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            percent_decode_str(rest.split('?').next().unwrap_or_default()).decode_utf8_lossy()
        }
        _ => Cow::Borrowed(text),
    }
}

fn without_name(text: &str) -> Result<&str, InvalidMail> {
    let Some(inner) = text.strip_suffix('>') else { return Ok(text) };
    let (name, address) = inner.rsplit_once('<').ok_or(InvalidMail::Local)?;
    // `a@example.com, B <b@example.com>` are two; `Byron, Ada <ada@example.com>` is one.
    let several = name.contains(['<', '>']) || (name.contains('@') && name.contains([',', ';']));
    if several { Err(InvalidMail::SeveralAt) } else { Ok(trimmed(address)) }
}

impl PartialEq for MailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MailAddress {}

impl PartialOrd for MailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MailAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.text == other.text { Ordering::Equal } else { self.key().cmp(&other.key()) }
    }
}

impl Hash for MailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailAddress({} bytes)", self.text.len())
    }
}

impl TryFrom<String> for MailAddress {
    type Error = InvalidMail;
    fn try_from(text: String) -> Result<Self, InvalidMail> {
        Self::parse(&text)
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.text.into()
    }
}

impl std::str::FromStr for MailAddress {
    type Err = InvalidMail;
    fn from_str(text: &str) -> Result<Self, InvalidMail> {
        Self::parse(text)
    }
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
