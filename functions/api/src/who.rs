//! Who a person is: the identities, why they are one person, and what was not joined.

use jiff::Timestamp;
use perennial_domain::{Identity, PersonId};
use perennial_engine::instant::timestamp;
use perennial_engine::joins::{Evidence, Join, Limit, Noted, Standing};
use perennial_engine::{Part, Profile};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct IdentityView<'a> {
    kind: &'static str,
    id: &'a str,
    /// When it was joined to the user, for an anonymous id that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_at: Option<Timestamp>,
}

/// Two identities of the person, and what says that they are one.
#[derive(Serialize)]
pub(crate) struct JoinView<'a> {
    identity: String,
    with: String,
    evidence: Evidence,
    /// What may be shown of the value that both gave.
    #[serde(skip_serializing_if = "str::is_empty")]
    shown: &'a str,
    at: Timestamp,
    message: String,
}

/// What could have joined an identity to others, and does not.
#[derive(Serialize)]
pub(crate) struct ApartView<'a> {
    identity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    #[serde(skip_serializing_if = "str::is_empty")]
    shown: &'a str,
    at: Timestamp,
    why: Why<'a>,
    /// The person on the other side, by its id then.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<PersonId>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why<'a> {
    /// Too many give the value.
    Shared,
    /// A limit stopped the merge.
    Limit(Limit),
    /// The identity gave up the mail address then; who is given it later is someone else.
    GivenUp(Timestamp),
    /// Someone said that they are different people; what joined them counts no more.
    Severed,
    /// A public source said it without the user's token: nobody vouches for it.
    Unverified,
    /// Someone said so: who, and why.
    Parted { by: &'a str, why: &'a str },
}

/// The identities. An earlier user id that an alias named and that never did anything is left out where there are others.
pub(crate) fn identities(profile: &Profile) -> Vec<IdentityView<'_>> {
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

/// Why the identities are one person, the earliest reason first.
pub(crate) fn joins(profile: &Profile) -> Vec<JoinView<'_>> {
    profile.joins().into_iter().map(view).collect()
}

fn view(join: Join<'_>) -> JoinView<'_> {
    let Join { identity, with, evidence, shown, at, message } = join;
    JoinView { identity: identity.to_string(), with: with.to_string(), evidence, shown, at, message }
}

/// What does not join the identities to others although it was said.
pub(crate) fn apart(profile: &Profile) -> Vec<ApartView<'_>> {
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
