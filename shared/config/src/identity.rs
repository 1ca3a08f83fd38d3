//! `identity.toml`: which identifiers link identities, and the limits of a merge.

use crate::error::Reporter;
use crate::spanned::Spanned;
use perennial_domain::ExternalId;
use perennial_domain::hygiene::mail;
use perennial_domain::identity::{bare_id, is_placeholder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most identities of one profile: moving all of them is one transaction.
pub const MAX_IDENTITIES: u16 = 80;

/// Compiled rules of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identities {
    /// `true` if `identify` with both ids links the anonymous id to the user.
    pub anonymous: bool,
    /// `true` if `alias` links its two ids.
    pub alias: bool,
    /// `true` if user ids with the same mail address are linked.
    pub mail: bool,
    /// Types of `context.externalIds` that link identities.
    pub external_types: BTreeSet<String>,
    /// Traits of `identify` that link identities.
    pub external_traits: BTreeSet<String>,
    /// Ids that link nothing, as [`perennial_domain::identity::bare_id`] writes them.
    pub blocked_ids: BTreeSet<String>,
    /// Mail addresses that link nothing.
    pub blocked_addresses: Vec<AddressPattern>,
    /// The limits of a profile.
    pub limits: Limits,
    /// The limits of a merge.
    pub breaker: Breaker,
}

/// The most identifiers of a profile by kind; further ones link nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// User ids, 1 to 80; default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 80)))]
    pub user_ids: u16,
    /// Anonymous ids (browsers and apps), 1 to 80; default: 40.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 80)))]
    pub anonymous_ids: u16,
    /// Mail addresses, 1 to 80; default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 80)))]
    pub addresses: u16,
    /// Ids in other systems, 1 to 80; default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 80)))]
    pub external_ids: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { user_ids: 10, anonymous_ids: 40, addresses: 10, external_ids: 10 }
    }
}

/// The limits beyond which a link is more likely a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Identities that a merge may bring together at most; 2 to [`MAX_IDENTITIES`].
    pub identities: u16,
    /// The most user ids that may have the same mail address or external id; beyond that it links nothing. 2 to 20.
    pub claimed_by: u16,
}

impl Default for Identities {
    /// The defaults without `identity.toml`: all identity links, no external ids, and default limits.
    fn default() -> Self {
        Self {
            anonymous: true,
            alias: true,
            mail: true,
            external_types: BTreeSet::new(),
            external_traits: BTreeSet::new(),
            blocked_ids: BTreeSet::new(),
            blocked_addresses: Vec::new(),
            limits: Limits::default(),
            breaker: Breaker { identities: 50, claimed_by: 4 },
        }
    }
}

impl Identities {
    /// Returns whether an id may be linked: it is not a placeholder ([`is_placeholder`]), and not blocked by the
    /// configuration, in any case or quotes.
    pub fn allows_id(&self, id: &str) -> bool {
        !is_placeholder(id) && (self.blocked_ids.is_empty() || !self.blocked_ids.contains(&bare_id(id)))
    }

    /// Returns the possible ids in other systems for `text` with only a system's name, as in `stripe:cus_5`: one for
    /// each of [`Self::external_types`] that begins with `stripe_`.
    pub fn of_system<'a>(&'a self, text: &'a str) -> impl Iterator<Item = ExternalId> + 'a {
        let (system, id) = text.split_once(':').unwrap_or_default();
        let is_of = move |kind: &&String| kind.strip_prefix(system.trim()).is_some_and(|rest| rest.starts_with('_'));
        self.external_types.iter().filter(is_of).filter_map(move |kind| ExternalId::new(kind, id).ok())
    }

    /// Returns whether the configuration lets a mail address, given as its [`mail::key`], link identities.
    pub fn allows_address(&self, address: &str) -> bool {
        !self.blocked_addresses.iter().any(|pattern| pattern.matches(address))
    }
}

/// An address, all of a domain (`*@example.com`), or a local part at any domain (`office@*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPattern {
    local: Option<String>,
    domain: Option<String>,
}

impl AddressPattern {
    fn parse(text: &str) -> Option<Self> {
        const ANY: &str = "*";
        let (local, domain) = text.trim().rsplit_once('@')?;
        let is_wrong = |side: &str| side.is_empty() || (side != ANY && side.contains(ANY));
        if is_wrong(local) || is_wrong(domain) || (local == ANY && domain == ANY) {
            return None;
        }
        // Each side in the form of an address's key, such as the ASCII form of a domain.
        let or = |side: &str, other: &str| if side == ANY { other.to_owned() } else { side.to_owned() };
        let key = mail::key(&format!("{}@{}", or(local, "any"), or(domain, "any.example")));
        let (local_key, domain_key) = key.rsplit_once('@')?;
        Some(Self {
            local: (local != ANY).then(|| local_key.to_owned()),
            domain: (domain != ANY).then(|| domain_key.to_owned()),
        })
    }

    fn matches(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(local, domain)| {
            self.local.as_deref().is_none_or(|wanted| wanted == local)
                && self.domain.as_deref().is_none_or(|wanted| wanted == domain)
        })
    }
}

/// The identifiers that link two ids to one profile, and what prevents a merge.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The identifiers that link ids.
    #[serde(default)]
    evidence: RawEvidence,
    /// Values that link nothing.
    #[serde(default)]
    blocked: RawBlocked,
    /// The limits of a profile; ids beyond them get a profile of their own.
    limits: Option<Spanned<Limits>>,
    /// The limits of a merge.
    #[serde(default)]
    breaker: RawBreaker,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct RawEvidence {
    /// `true` if `identify` with both ids links the anonymous id to the user.
    anonymous: bool,
    /// `true` if `alias` links its two ids.
    alias: bool,
    /// `true` if user ids with the same mail address are linked.
    mail: bool,
    /// Types of `context.externalIds` whose values identify one person.
    external_types: BTreeSet<String>,
    /// Traits of `identify` whose values identify one person.
    external_traits: BTreeSet<String>,
}

impl Default for RawEvidence {
    fn default() -> Self {
        let Identities { anonymous, alias, mail, external_types, external_traits, .. } = Identities::default();
        Self { anonymous, alias, mail, external_types, external_traits }
    }
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct RawBlocked {
    /// Ids, in any case and quotes.
    ids: Vec<Spanned<String>>,
    /// Mail addresses: one, all of a domain (`*@example.com`), or a local part at any domain (`office@*`).
    addresses: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct RawBreaker {
    /// The most identities after a merge, 2 to 80; default: 50.
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 80)))]
    identities: Option<Spanned<u16>>,
    /// The most user ids that may have the same mail address or external id, 2 to 20; beyond that it links nothing;
    /// default: 4.
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 20)))]
    claimed_by: Option<Spanned<u16>>,
}

impl Identities {
    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(File { evidence, blocked, limits, breaker }) = report.parse::<File>() else {
            return Self::default();
        };
        let defaults = Self::default();
        let mut blocked_ids = BTreeSet::new();
        for id in blocked.ids {
            let bare = bare_id(id.get_ref());
            if bare.is_empty() {
                report.at(id.span(), "blocked.ids: an empty id needs no blocking; nothing takes it for an id");
            }
            blocked_ids.insert(bare);
        }
        let mut blocked_addresses = Vec::new();
        for address in blocked.addresses {
            match AddressPattern::parse(address.get_ref()) {
                Some(pattern) => blocked_addresses.push(pattern),
                None => report.at(
                    address.span(),
                    format!(
                        "blocked.addresses: `{}` is none of `name@example.com`, `*@example.com` and `name@*`",
                        address.get_ref()
                    ),
                ),
            }
        }
        let limits = limits.map_or(defaults.limits, |limits| {
            let Limits { user_ids, anonymous_ids, addresses, external_ids } = *limits.get_ref();
            for (name, n) in [
                ("user_ids", user_ids),
                ("anonymous_ids", anonymous_ids),
                ("addresses", addresses),
                ("external_ids", external_ids),
            ] {
                if n == 0 || n > MAX_IDENTITIES {
                    report.at(limits.span(), format!("limits.{name} must be 1 to {MAX_IDENTITIES}; it is {n}"));
                }
            }
            limits.into_inner()
        });
        let mut bounded = |value: Option<Spanned<u16>>, name: &str, default: u16, most: u16| {
            let Some(value) = value else { return default };
            if !(2..=most).contains(value.get_ref()) {
                report.at(value.span(), format!("breaker.{name} must be 2 to {most}; it is {}", value.get_ref()));
            }
            value.into_inner()
        };
        let breaker = Breaker {
            identities: bounded(breaker.identities, "identities", defaults.breaker.identities, MAX_IDENTITIES),
            claimed_by: bounded(breaker.claimed_by, "claimed_by", defaults.breaker.claimed_by, 20),
        };
        let RawEvidence { anonymous, alias, mail, external_types, external_traits } = evidence;
        Self {
            anonymous,
            alias,
            mail,
            external_types,
            external_traits,
            blocked_ids,
            blocked_addresses,
            limits,
            breaker,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::ConfigError;

    fn load(text: &str) -> (Identities, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let identities = Identities::load(&mut Reporter::new("identity.toml", text, &mut errors));
        (identities, errors)
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let (identities, errors) = load("");
        assert!(errors.is_empty() && identities == Identities::default());
    }

    #[test]
    fn ids_of_another_system_are_found_by_the_system_alone() {
        let (identities, _) = load(
            "[evidence]\nexternal_types = [\"stripe_customer_id\", \"stripe_link_id\", \"striped\", \"github_login\"]",
        );
        let found = |text: &str| identities.of_system(text).map(|id| id.to_string()).collect::<Vec<_>>();
        assert_eq!(found("stripe:cus_5"), ["stripe_customer_id:cus_5", "stripe_link_id:cus_5"]);
        assert_eq!(found("github: octo"), ["github_login:octo"]);
        for nothing in ["cus_5", "stripe:", ":cus_5", "zendesk:7", "git:octo"] {
            assert_eq!(found(nothing), Vec::<String>::new(), "{nothing}");
        }
    }

    #[test]
    fn blocked_values_join_nobody() {
        let (identities, errors) =
            load("[blocked]\nids = [\"Test\"]\naddresses = [\"*@acme.test\", \"office@*\", \"Ada@B.com\"]");
        assert!(errors.is_empty());
        for id in ["TEST", "\"test\"", "'Test'", "null", "\"null\"", "distinct_id"] {
            assert!(!identities.allows_id(id), "{id}");
        }
        assert!(identities.allows_id("u-1") && identities.allows_id("testa"));
        for address in ["x@acme.test", "office@any.org", "ada@b.com"] {
            assert!(!identities.allows_address(address), "{address}");
        }
        assert!(identities.allows_address("bob@b.com"));
    }

    #[test]
    fn a_blocked_address_is_the_same_however_it_is_written() {
        let (identities, errors) =
            load("[blocked]\naddresses = [\"*@Bücher.example\", \"Ada Lovelace <ADA@b.com>\", \"Büro@*\"]");
        assert!(errors.is_empty(), "{errors:?}");
        for address in
            ["x@BÜCHER.example", "x@xn--bcher-kva.example", "ada@B.com", "BÜRO@any.org", "bu\u{308}ro@any.org"]
        {
            assert!(!identities.allows_address(&mail::key(address)), "{address}");
        }
        assert!(identities.allows_address(&mail::key("bob@b.com")));
    }

    #[test]
    fn every_error_has_its_line_and_what_is_allowed() {
        let text = "[evidence]\nmail = true\n[blocked]\naddresses = [\"ok@a.com\",\n\"a*@b.com\"]\n[limits]\nuser_ids = 0\n[breaker]\nidentities = 500\nclaimed_by = 1\n";
        let (_, errors) = load(text);
        let told: Vec<(usize, bool)> =
            errors.iter().map(|error| (error.line, error.message.contains("2 to"))).collect();
        assert_eq!(told.len(), 4, "{errors:?}");
        assert!(errors[0].line == 5 && errors[0].message.contains("*@example.com"), "{errors:?}");
        assert!(errors[1].message.contains("limits.user_ids must be 1 to 80"), "{errors:?}");
        assert_eq!(told[2..], [(9, true), (10, true)]);
        let (_, errors) = load("[evidence]\nmials = true\n");
        assert!(errors[0].line == 2 && errors[0].message.contains("Allowed: anonymous, alias, mail"), "{errors:?}");
    }
}
