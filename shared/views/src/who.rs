//! The identities of a profile, why they are linked, and what was not merged.

use jiff::Timestamp;
use perennial_domain::{Identity, PersonId};
use perennial_engine::instant::timestamp;
use perennial_engine::joins::{Evidence, Join, Limit, Noted, Standing};
use perennial_engine::{Part, Profile};
use serde::Serialize;

/// An identity of the profile.
#[derive(Debug, Serialize)]
pub struct IdentityView<'a> {
    /// `user`, `anonymous` or `external`.
    pub kind: &'static str,
    /// The id.
    pub id: &'a str,
    /// When it was linked to the user, for a linked anonymous id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
}

/// Two identities of the profile, and what links them.
#[derive(Debug, Serialize)]
pub struct JoinView<'a> {
    /// The one.
    pub identity: String,
    /// The other.
    pub with: String,
    /// The kind of link.
    pub evidence: Evidence,
    /// The common value, as far as it may be shown.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub shown: &'a str,
    /// When it was reported.
    pub at: Timestamp,
    /// The message that reported it.
    pub message: String,
}

/// A link that does not merge an identity with others.
#[derive(Debug, Serialize)]
pub struct ApartView<'a> {
    /// The identity of the profile.
    pub identity: String,
    /// The kind of link; `None` for a manual unmerge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// The common value, as far as it may be shown.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub shown: &'a str,
    /// When it was reported.
    pub at: Timestamp,
    /// Why it does not merge them.
    pub why: Why<'a>,
    /// The profile on the other side, by its id at the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<PersonId>,
}

/// The reason why a link does not merge.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why<'a> {
    /// Too many identities have the value.
    Shared,
    /// A limit stopped the merge.
    Limit(Limit),
    /// The identity gave up the mail address then; a later owner is another person.
    GivenUp(Timestamp),
    /// An operator unmerged them; earlier links no longer count.
    Severed,
    /// A public source reported it without the user's token, so it is unverified.
    Unverified,
    /// An operator unmerged them: who, and why.
    Parted {
        /// The operator.
        by: &'a str,
        /// The given reason.
        why: &'a str,
    },
}

/// Returns the identities. An earlier user id that an alias named and that has no events is left out if there are
/// others.
pub fn identities(profile: &Profile) -> Vec<IdentityView<'_>> {
    let acted = |part: &&Part| !part.identity.is_user() || part.state.counts.total() > 0;
    let shown: Vec<&Part> = profile.parts.iter().filter(acted).collect();
    let shown = if shown.is_empty() { profile.parts.iter().collect() } else { shown };
    shown.into_iter().map(identity).collect()
}

fn identity(part: &Part) -> IdentityView<'_> {
    let kind = match part.identity {
        Identity::User(_) => "user",
        Identity::Anonymous(_) => "anonymous",
        Identity::External(_) => "external",
    };
    let joined_at = part.holder().map(|link| timestamp(link.said_at()));
    IdentityView { kind, id: part.identity.as_str(), joined_at }
}

/// Returns why the identities are linked, the earliest reason first.
pub fn joins(profile: &Profile) -> Vec<JoinView<'_>> {
    profile.joins().into_iter().map(view).collect()
}

fn view(join: Join<'_>) -> JoinView<'_> {
    let Join { identity, with, evidence, shown, at, message } = join;
    JoinView { identity: identity.to_string(), with: with.to_string(), evidence, shown, at, message }
}

/// Returns the links that do not merge the identities with others.
pub fn apart(profile: &Profile) -> Vec<ApartView<'_>> {
    let why = |standing| match standing {
        Standing::Holds | Standing::Idle => None,
        Standing::Shared => Some(Why::Shared),
        Standing::Refused(limit) => Some(Why::Limit(limit)),
        Standing::Severed => Some(Why::Severed),
        Standing::Unverified => Some(Why::Unverified),
    };
    let mut all = Vec::new();
    for part in &profile.parts {
        let identity = || part.identity.to_string();
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap_or_default();
        for link in &part.links {
            all.extend(why(link.standing).map(|why| ApartView {
                identity: identity(),
                evidence: Some(link.evidence),
                shown: link.user.as_str(),
                at: timestamp(link.said_at()),
                why,
                other: None,
            }));
        }
        for claim in &part.claims {
            let given_up = part.given_up(claim).filter(|_| claim.standing == Standing::Holds);
            all.extend(why(claim.standing).or(given_up.map(|until| Why::GivenUp(timestamp(until)))).map(|why| {
                ApartView {
                    identity: identity(),
                    evidence: Some(claim.evidence),
                    shown: &claim.shown,
                    at: timestamp(claim.at),
                    why,
                    other: None,
                }
            }));
        }
        for note in &part.notes {
            let (evidence, why) = match &note.what {
                Noted::Parted { by, why } => (None, Why::Parted { by, why }),
                Noted::TurnedAway { evidence, limit } => (Some(*evidence), Why::Limit(*limit)),
            };
            let other = Some(note.other);
            all.push(ApartView { identity: identity(), evidence, shown: "", at: at(note.at), why, other });
        }
    }
    all.sort_by(|a, b| (a.at, &a.identity).cmp(&(b.at, &b.identity)));
    all
}
