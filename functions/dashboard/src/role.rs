//! Roles, and who has which.

use perennial_lambda_kit::{Env, EnvError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::str::FromStr;

/// The claims of an ID token.
pub(crate) type Claims = Map<String, Value>;

/// The claim that names groups, if none is configured.
const GROUPS: &str = "groups";
/// The most groups that a refusal shows.
const SHOWN: usize = 20;
/// The most characters of a group that a refusal shows.
const SHOWN_CHARACTERS: usize = 100;
/// Google's issuer. It verifies addresses of other companies' domains once, and `hd` alone says who belongs to one.
pub(crate) const GOOGLE: &str = "https://accounts.google.com";

/// The roles of visitors, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees every page.
    Viewer,
    /// Also acts: unmerges, resumes journeys, redrives dead letters.
    Operator,
    /// Also sees the audit log.
    Admin,
}

impl Role {
    /// All roles, in ascending order.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Returns `viewer`, `operator` or `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Returns whether the role may change something.
    pub(crate) fn may_act(self) -> bool {
        self >= Self::Operator
    }

    /// Returns whether the role may see the audit log.
    pub(crate) fn may_audit(self) -> bool {
        self >= Self::Admin
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Viewer => "OIDC_VIEWERS",
            Self::Operator => "OIDC_OPERATORS",
            Self::Admin => "OIDC_ADMINS",
        }
    }
}

/// A group, or people by their address, that has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    /// The members of a group, by its exact name.
    Group(String),
    /// The owner of a verified mail address, in lower case.
    Address(String),
    /// The people with verified mail addresses of a domain, in lower case.
    Domain(String),
}

impl FromStr for Member {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once(':') {
            Some(("mail", address)) => Self::Address(address.trim().to_ascii_lowercase()),
            Some(("domain", domain)) => Self::Domain(domain.trim().trim_start_matches('@').to_ascii_lowercase()),
            _ => Self::Group(text.to_owned()),
        })
    }
}

/// The members of each role.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The claim that names groups, or the path to it, with dots.
    claim: String,
    members: Vec<(Role, Member)>,
}

/// Somebody has no role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoRole {
    /// The groups in the token, at most 20.
    pub(crate) seen: Vec<String>,
    /// How many more there are.
    pub(crate) more: usize,
    /// `true` if the provider left groups out because they are too many.
    pub(crate) left_out: bool,
}

impl Rules {
    /// Reads `OIDC_GROUPS_CLAIM`, `OIDC_VIEWERS`, `OIDC_OPERATORS` and `OIDC_ADMINS`. `None` if nobody has a role.
    ///
    /// # Errors
    /// [`EnvError`] naming a variable that is wrong.
    pub(crate) fn from_env(env: &Env) -> Result<Option<Self>, EnvError> {
        const ALLOWED: &str = "groups, `mail:ADDRESS` or `domain:DOMAIN`, with commas between";
        let claim = env.optional("OIDC_GROUPS_CLAIM", "the name of a claim, or a path such as realm_access.roles")?;
        let mut members = Vec::new();
        for role in Role::ALL {
            members.extend(env.list::<Member>(role.variable(), ALLOWED)?.into_iter().map(|member| (role, member)));
        }
        let claim = claim.unwrap_or_else(|| GROUPS.to_owned());
        Ok((!members.is_empty()).then_some(Self { claim, members }))
    }

    /// Returns the highest role of the person that `claims` describe.
    ///
    /// # Errors
    /// [`NoRole`] with the groups that were seen.
    pub(crate) fn role(&self, claims: &Claims) -> Result<Role, NoRole> {
        let groups = self.groups(claims);
        let address = verified_address(claims);
        let domain = address.as_deref().and_then(|address| domain_of(claims, address));
        let is_theirs = address.as_deref().is_some_and(|address| is_owned(claims, address));
        let is_one = |member: &Member| match member {
            Member::Group(name) => groups.contains(&name.as_str()),
            Member::Address(own) => is_theirs && address.as_ref() == Some(own),
            Member::Domain(own) => domain.as_ref() == Some(own),
        };
        let role = self.members.iter().filter(|(_, member)| is_one(member)).map(|(role, _)| *role).max();
        role.ok_or_else(|| NoRole {
            seen: groups.iter().take(SHOWN).map(|name| name.chars().take(SHOWN_CHARACTERS).collect()).collect(),
            more: groups.len().saturating_sub(SHOWN),
            left_out: is_left_out(claims),
        })
    }

    /// Returns the name of the claim with groups.
    pub(crate) fn claim(&self) -> &str {
        &self.claim
    }

    /// Returns who has a role, as it is configured: the role, and its groups, addresses and domains.
    pub(crate) fn needed(&self) -> Vec<(Role, Vec<String>)> {
        let shown = |member: &Member| match member {
            Member::Group(name) => name.clone(),
            // Not which: anyone who may register at the provider would learn whom to imitate.
            Member::Address(_) => "an address".to_owned(),
            Member::Domain(_) => "addresses of a domain".to_owned(),
        };
        let of = |role: Role| {
            let mut own: Vec<String> =
                self.members.iter().filter(|(of, _)| *of == role).map(|(_, member)| shown(member)).collect();
            own.dedup();
            (role, own)
        };
        Role::ALL.map(of).into_iter().filter(|(_, own): &(Role, Vec<String>)| !own.is_empty()).collect()
    }

    /// Returns the groups in a token: an array of names, or one name.
    fn groups<'a>(&self, claims: &'a Claims) -> Vec<&'a str> {
        match at(claims, &self.claim) {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns the claim at a path. A name may contain dots itself, as Auth0's `https://acme.example/roles` and Keycloak's client
/// ids do, so a whole name is tried before its parts.
fn at<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let (name, rest) = path.split_at(dot);
        at(claims.get(name)?.as_object()?, &rest[1..])
    })
}

/// Returns the mail address, in lower case, if the provider says that it belongs to the person. Some say so as text.
fn verified_address(claims: &Claims) -> Option<String> {
    let is_verified = match claims.get("email_verified") {
        Some(Value::Bool(is_verified)) => *is_verified,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    let address = claims.get("email").and_then(Value::as_str).filter(|_| is_verified)?;
    Some(address.to_ascii_lowercase())
}

/// Returns whether a verified address still belongs to the person. Google verifies once that a consumer account can read an address,
/// and never that its owner still has it: only `hd` and addresses of its own say that.
/// <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>
fn is_owned(claims: &Claims, address: &str) -> bool {
    let domain = domain_part(address);
    !is_googles(claims) || domain == Some("gmail.com") || hosted_domain(claims).as_deref() == domain
}

fn domain_part(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

/// Returns whether a token is of Google, whose issuer has two forms.
fn is_googles(claims: &Claims) -> bool {
    let issuer = claims.get("iss").and_then(Value::as_str);
    issuer.is_some_and(|issuer| issuer == GOOGLE || Some(issuer) == GOOGLE.strip_prefix("https://"))
}

/// Returns the domain of the organisation that a Google account belongs to.
fn hosted_domain(claims: &Claims) -> Option<String> {
    claims.get("hd").and_then(Value::as_str).map(str::to_ascii_lowercase)
}

/// Returns the domain that a person with a verified address belongs to.
fn domain_of(claims: &Claims, address: &str) -> Option<String> {
    if is_googles(claims) {
        return hosted_domain(claims);
    }
    domain_part(address).map(str::to_owned)
}

/// Returns whether Entra left groups out of a token, as it does for more than 200.
fn is_left_out(claims: &Claims) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    elsewhere.is_some_and(|names| names.contains_key("groups"))
        || claims.get("hasgroups").is_some_and(|has| has == &Value::Bool(true) || has == "true")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn rules(pairs: &[(&str, &str)]) -> Rules {
        Rules::from_env(&Env::from_pairs(pairs.iter().copied())).unwrap().unwrap()
    }

    fn role(rules: &Rules, claims: &Value) -> Option<Role> {
        rules.role(claims.as_object().unwrap()).ok()
    }

    #[test]
    fn groups_are_found_where_each_provider_puts_them() {
        for (provider, claim, group, claims) in [
            ("Cognito", "cognito:groups", "ops", json!({ "cognito:groups": ["staff", "ops"] })),
            ("Okta", "groups", "ops", json!({ "groups": ["Everyone", "ops"] })),
            ("Okta, one group as text", "groups", "ops", json!({ "groups": "ops" })),
            (
                "Entra, by object id",
                "groups",
                "0760b6cf-170e-4a14-91b3-4b78e0739963",
                json!({ "groups": ["0760b6cf-170e-4a14-91b3-4b78e0739963"] }),
            ),
            ("Entra, app roles", "roles", "Perennial.Operate", json!({ "roles": ["Perennial.Operate"] })),
            (
                "Auth0, namespaced",
                "https://acme.example/roles",
                "ops",
                json!({ "https://acme.example/roles": ["ops"] }),
            ),
            ("Keycloak, realm", "realm_access.roles", "ops", json!({ "realm_access": { "roles": ["ops"] } })),
            (
                "Keycloak, client with dots",
                "resource_access.crm.acme.example.roles",
                "ops",
                json!({ "resource_access": { "account": {}, "crm.acme.example": { "roles": ["ops"] } } }),
            ),
            ("Keycloak, path of a group", "groups", "/staff/ops", json!({ "groups": ["/staff/ops"] })),
        ] {
            let rules = rules(&[("OIDC_GROUPS_CLAIM", claim), ("OIDC_OPERATORS", group)]);
            assert_eq!(role(&rules, &claims), Some(Role::Operator), "{provider}");
        }
    }

    #[test]
    fn highest_role_counts_and_names_are_compared_exactly() {
        let rules = rules(&[("OIDC_VIEWERS", "staff"), ("OIDC_OPERATORS", "ops"), ("OIDC_ADMINS", "boss")]);
        assert_eq!(role(&rules, &json!({ "groups": ["boss", "staff"] })), Some(Role::Admin));
        assert_eq!(role(&rules, &json!({ "groups": ["staff", "ops"] })), Some(Role::Operator));
        for none in [
            json!({ "groups": ["Boss", "boss ", "/boss", "bosses"] }),
            json!({ "groups": "staff,boss" }),
            json!({ "groups": [["boss"], { "boss": true }, 7, null] }),
            json!({ "groups": { "boss": true } }),
            json!({ "groups": null }),
            json!({ "cognito:groups": ["boss"] }),
            json!({}),
        ] {
            assert_eq!(role(&rules, &none), None, "{none}");
        }
    }

    #[test]
    fn addresses_and_domains_count_only_if_the_provider_verified_them() {
        let rules = rules(&[("OIDC_VIEWERS", "domain:acme.example"), ("OIDC_ADMINS", "mail:Ada@Acme.example")]);
        let of = |claims: Value| role(&rules, &claims);
        assert_eq!(of(json!({ "email": "ADA@acme.example", "email_verified": true })), Some(Role::Admin));
        assert_eq!(of(json!({ "email": "bob@ACME.example", "email_verified": "true" })), Some(Role::Viewer), "as text");
        for none in [
            json!({ "email": "ada@acme.example" }),
            json!({ "email": "ada@acme.example", "email_verified": false }),
            json!({ "email": "ada@acme.example", "email_verified": "false" }),
            json!({ "email": "ada@acme.example", "email_verified": 1 }),
            json!({ "email": "ada@acme.example.evil.example", "email_verified": true }),
            json!({ "email": "bob@sub.acme.example", "email_verified": true }),
            json!({ "groups": ["mail:ada@acme.example", "domain:acme.example", "ada@acme.example"] }),
            json!({ "preferred_username": "ada@acme.example", "email_verified": true }),
        ] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }

    /// <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>: who left a company may keep
    /// an account of Google's with its address, which was verified once.
    #[test]
    fn domain_at_google_is_the_hosted_one() {
        let rules = rules(&[("OIDC_VIEWERS", "domain:acme.example")]);
        for issuer in [GOOGLE, "accounts.google.com"] {
            let claims = json!({ "iss": issuer, "email": "ada@acme.example", "email_verified": true });
            assert_eq!(role(&rules, &claims), None, "{issuer}, a consumer's account");
            let mut hosted = claims.clone();
            hosted["hd"] = "acme.example".into();
            assert_eq!(role(&rules, &hosted), Some(Role::Viewer));
            hosted["hd"] = "other.example".into();
            assert_eq!(role(&rules, &hosted), None);
            hosted["hd"] = "acme.example".into();
            hosted["email"] = "ada@alias.example".into();
            assert_eq!(role(&rules, &hosted), Some(Role::Viewer), "`hd` alone says who belongs to a domain");
        }
        let elsewhere = json!({ "iss": "https://login.example", "email": "x@evil.example", "email_verified": true, "hd": "acme.example" });
        assert_eq!(role(&rules, &elsewhere), None, "the claim is Google's alone");
    }

    /// Somebody who has left keeps a consumer account with the address.
    #[test]
    fn address_at_google_counts_if_it_is_of_the_accounts_own_domain_or_of_google() {
        let rules = rules(&[("OIDC_VIEWERS", "mail:ada@acme.example, mail:ada@gmail.com")]);
        let claims = |email: &str| json!({ "iss": GOOGLE, "email": email, "email_verified": true });
        assert_eq!(role(&rules, &claims("ada@acme.example")), None);
        let mut hosted = claims("Ada@acme.example");
        hosted["hd"] = "acme.example".into();
        assert_eq!(role(&rules, &hosted), Some(Role::Viewer));
        assert_eq!(role(&rules, &claims("ada@gmail.com")), Some(Role::Viewer));
    }

    #[test]
    fn refusal_says_which_groups_were_seen_and_which_are_needed() {
        let rules = rules(&[("OIDC_VIEWERS", "staff, domain:acme.example"), ("OIDC_ADMINS", "boss")]);
        let many: Vec<String> = (0..25).map(|number| format!("{number}{}", "x".repeat(200))).collect();
        let refused = rules.role(json!({ "groups": many }).as_object().unwrap()).unwrap_err();
        assert_eq!((refused.seen.len(), refused.more, refused.left_out), (20, 5, false));
        assert!(refused.seen.iter().all(|name| name.chars().count() <= 100));
        let staff = vec!["staff".to_owned(), "addresses of a domain".to_owned()];
        assert_eq!(rules.needed(), [(Role::Viewer, staff), (Role::Admin, vec!["boss".to_owned()])]);
        let left_out = [
            json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://graph" } } }),
            json!({ "hasgroups": true }),
        ];
        for claims in left_out {
            assert!(rules.role(claims.as_object().unwrap()).unwrap_err().left_out, "{claims}");
        }
    }

    #[test]
    fn nobody_has_a_role_that_nobody_was_given() {
        assert!(Rules::from_env(&Env::from_pairs([("OIDC_ADMINS", " , ")])).unwrap().is_none());
    }
}
