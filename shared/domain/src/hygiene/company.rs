//! Derives the company from a mail address.
//!
//! The lists are data files beside this one, one lower-case entry a line, sorted. They are our own, and are extended as
//! addresses turn up. The configuration can add free-mail domains.

use super::mail::{MailAddress, host};
use crate::identity::is_placeholder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

/// Providers at which anyone may have a mailbox, internet providers included.
static FREE_MAIL: List = LazyLock::new(|| Lines::of(include_str!("data/free_mail.txt")));
/// Providers of addresses that are thrown away.
static DISPOSABLE: List = LazyLock::new(|| Lines::of(include_str!("data/disposable.txt")));
/// Hosts that forward to someone's real address, and hosts on which each company has a subdomain. An entry that begins
/// with a dot matches only subdomains.
static RELAYS_AND_TENANTS: List = LazyLock::new(|| Lines::of(include_str!("data/relays_and_tenants.txt")));
/// Local parts that are shared by several people or belong to nobody; without dots, hyphens and underscores.
static SHARED_NAMES: List = LazyLock::new(|| Lines::of(include_str!("data/shared_names.txt")));

/// The top-level domains that RFC 2606 reserves for documents and tests. They are not public suffixes, but sample data
/// uses them.
const FOR_SAMPLES: [&str; 2] = ["example", "test"];

/// A company's internet domain: the registrable part of a host name, such as `acme.co.uk` of `mail.eu.acme.co.uk`. In
/// lower case and ASCII. Never a domain under which strangers have addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CompanyDomain(Box<str>);

/// Why a host is no company's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoCompany {
    /// Not a host name below a top-level domain.
    #[error("not a domain")]
    NotADomain,
    /// Not registrable: a public suffix such as `co.uk`, or a top-level domain that does not exist.
    #[error("no registrable domain")]
    NotRegistrable,
    /// Anyone can have an address there.
    #[error("a free-mail domain")]
    FreeMail,
    /// Addresses there are thrown away.
    #[error("a disposable mail domain")]
    Disposable,
    /// Forwards to the real address, or is shared by many companies.
    #[error("a relay's domain")]
    Relay,
}

impl CompanyDomain {
    /// Returns the company domain of `name`, a host or a domain. `extra_free` are free-mail domains beyond the built-in
    /// ones, in lower case and ASCII.
    ///
    /// # Errors
    /// [`NoCompany`] if it does not belong to one company.
    pub fn of_host(name: &str, extra_free: &BTreeSet<String>) -> Result<Self, NoCompany> {
        Self::of_normal(&host(name).ok_or(NoCompany::NotADomain)?, extra_free)
    }

    fn of_normal(host: &str, extra_free: &BTreeSet<String>) -> Result<Self, NoCompany> {
        let registrable = registrable(host).ok_or(NoCompany::NotRegistrable)?;
        if FREE_MAIL.holds_host(host) || parents(host).any(|parent| extra_free.contains(parent)) {
            Err(NoCompany::FreeMail)
        } else if DISPOSABLE.holds_host(host) {
            Err(NoCompany::Disposable)
        } else if RELAYS_AND_TENANTS.holds_host(host) {
            Err(NoCompany::Relay)
        } else {
            Ok(Self(registrable.into()))
        }
    }

    /// The domain's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The domain of the company that gives its people such addresses; `None` where strangers have addresses there too: free mail, disposable
/// addresses, relays, public suffixes. `extra_free` are free-mail domains beyond the built-in ones, in lower case and ASCII.
///
/// ```
/// use perennial_domain::hygiene::{MailAddress, company_domain};
///
/// let company = |text| company_domain(&MailAddress::parse(text).unwrap(), &Default::default()).map(|c| c.to_string());
/// assert_eq!(company("ada@mail.eu.acme.co.uk").as_deref(), Some("acme.co.uk"));
/// assert_eq!(company("ada@gmail.com"), None);
/// ```
pub fn company_domain(address: &MailAddress, extra_free: &BTreeSet<String>) -> Option<CompanyDomain> {
    CompanyDomain::of_normal(address.domain(), extra_free).ok()
}

/// Returns whether the address is shared by several people or read by nobody (`info@`, `sales@`, `no-reply@`): two
/// people with such an address are not the same person.
///
/// The same holds for placeholders before the `@` (`none@`, `undefined@`, `unknown@`), in the domain (`x@none.com`), or
/// both together (`no@email.com`).
///
/// Case, dots, hyphens, underscores and a `+tag` make no difference; a name of at least five letters in the list may be
/// followed by one of these and more (`sales.emea@`, `support-de@`).
pub fn is_shared(address: &MailAddress) -> bool {
    /// A shorter one may be a person's initials.
    const TELLING: usize = 5;
    let local = address.local().to_lowercase();
    let name = local.split('+').next().unwrap_or_default();
    let joined: String = name.chars().filter(|c| !matches!(c, '.' | '-' | '_')).collect();
    let joined = joined.trim_end_matches(|c: char| c.is_ascii_digit());
    let first = name.split(['.', '-', '_']).next().unwrap_or_default();
    joined.is_empty()
        || is_no_address(joined, address.domain())
        || SHARED_NAMES.holds(joined)
        || (first.len() >= TELLING && SHARED_NAMES.holds(first))
        || ["noreply", "donotreply", "mailerdaemon", "bounce"].iter().any(|prefix| joined.starts_with(prefix))
}

/// Returns whether an address is a placeholder, given its local part without trailing digits.
fn is_no_address(local: &str, domain: &str) -> bool {
    const NO_MAIL: [&str; 6] = ["noaddress", "noemail", "noemailaddress", "nomail", "nomailaddress", "nonegiven"];
    let label = registrable(domain).and_then(|name| name.split('.').next()).unwrap_or_default();
    let is_made_up = |name: &str| is_placeholder(name) || NO_MAIL.contains(&name);
    is_made_up(local)
        || (is_made_up(label) && !is_free_mail(domain))
        || NO_MAIL.contains(&format!("{local}{label}").as_str())
}

/// Returns whether anyone can have a mailbox at `domain` (lower case, ASCII) or a domain above it.
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.holds_host(domain)
}

/// Returns whether addresses at `domain` (lower case, ASCII) or a domain above it are disposable.
pub fn is_disposable(domain: &str) -> bool {
    DISPOSABLE.holds_host(domain)
}

/// Returns the registrable part of `host` (<https://publicsuffix.org/list/>, private suffixes included: `ada.github.io`
/// belongs to its user).
fn registrable(host: &str) -> Option<&str> {
    let domain = psl::domain(host.as_bytes())?;
    let known = domain.suffix().is_known() || host.rsplit_once('.').is_some_and(|(_, top)| FOR_SAMPLES.contains(&top));
    known.then(|| host.get(host.len() - domain.as_bytes().len()..)).flatten()
}

/// `host` and the domains above it, its top-level domain not included.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
        .filter(|host| host.contains('.'))
}

/// Sorted lines.
type List = LazyLock<Lines>;

struct Lines(Box<[&'static str]>);

impl Lines {
    fn of(text: &'static str) -> Self {
        Self(text.lines().collect())
    }

    fn holds(&self, entry: &str) -> bool {
        self.0.binary_search(&entry).is_ok()
    }

    fn holds_host(&self, host: &str) -> bool {
        // Below `.example.com` means: a dot and `example.com` at the end.
        let below = || host.match_indices('.').any(|(at, _)| self.holds(&host[at..]));
        parents(host).any(|parent| self.holds(parent)) || below()
    }
}

impl fmt::Display for CompanyDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CompanyDomain {
    type Error = NoCompany;
    fn try_from(text: String) -> Result<Self, NoCompany> {
        let domain = Self::of_host(&text, &BTreeSet::new())?;
        if *domain.0 == *text { Ok(domain) } else { Err(NoCompany::NotRegistrable) }
    }
}

impl From<CompanyDomain> for String {
    fn from(domain: CompanyDomain) -> Self {
        domain.0.into()
    }
}

#[cfg(test)]
#[path = "company_tests.rs"]
mod tests;
