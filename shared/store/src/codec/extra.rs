//! Optional data of the profile or of one identity state: a list after the body of format 5, and no byte if it is
//! empty.
//!
//! Older versions read the body and ignore the list.

use crate::error::StoreError;
use jiff::Timestamp;
use perennial_domain::{AccountId, Member, PersonId, Score, Stage};
use perennial_engine::activity::Months;
use perennial_engine::billing::{Payment, Refund, Subscription};
use perennial_engine::bounds::{Longest, Room};
use perennial_engine::candidate::Candidate;
use perennial_engine::facts::Sent;
use perennial_engine::listing::{Bands, Listed};
use perennial_engine::membership::StoredMemberships;
use perennial_engine::{Part, Profile, Written};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A fact of one identity state. Stored items contain the variants' numbers: append new variants at the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Extra {
    /// The message of a run waits for its turn.
    Candidate {
        /// The identity state's index.
        part: u16,
        /// The key of the run's journey.
        journey: [u8; 4],
        candidate: Candidate,
    },
    /// The essential ones among recently sent messages.
    Exempt {
        /// The identity state's index.
        part: u16,
        sent: Vec<Sent>,
    },
    /// A subscription.
    Subscription {
        /// The identity state's index.
        part: u16,
        /// Its key; `None` if it is derived from the subscription and the identity.
        key: Option<[u8; 8]>,
        subscription: Box<Subscription>,
    },
    /// A payment by its id.
    Payment {
        /// The identity state's index.
        part: u16,
        id: [u8; 8],
        payment: Payment,
    },
    /// A refund by its id.
    Refund {
        /// The identity state's index.
        part: u16,
        id: [u8; 8],
        refund: Refund,
    },
    /// A journey that starts on another day.
    Start {
        /// The identity state's index.
        part: u16,
        /// The journey's key.
        journey: [u8; 4],
        /// In seconds since 1970.
        due: i64,
    },
    /// The accounts of an identity state, if they are not derived from the rest of it.
    Memberships {
        /// The identity state's index.
        part: u16,
        stored: StoredMemberships,
    },
    /// The entry in an account that is not the primary one.
    Elsewhere {
        account: String,
        stage: Stage,
        /// Seconds since 1970.
        seen: Option<i64>,
        /// `None` where they are those that the item's attribute lists.
        personas: Option<BTreeSet<String>>,
    },
    /// The curve of the published entry.
    Curve(Vec<u8>),
    /// When the history of an identity was imported.
    Imported {
        /// The identity state's index.
        part: u16,
        /// In seconds since 1970.
        at: i64,
    },
    /// The longest values that traits had.
    Longest {
        /// The identity state's index.
        part: u16,
        /// `true` if it is about traits that are set only once.
        once: bool,
        longest: Longest,
    },
    /// Less is kept of the identity than usual.
    Room {
        /// The identity state's index.
        part: u16,
        room: Room,
    },
    /// When the identity left its primary account without naming it.
    LeftPrimary {
        /// The identity state's index.
        part: u16,
        /// In microseconds since 1970.
        at: Vec<i64>,
    },
    /// Since when the configuration was active under which thresholds and segments were last noted to have changed.
    NotedUnder {
        /// The part's index.
        part: u16,
        /// In milliseconds since 1970.
        since: i64,
    },
    /// The profile's entries in lists.
    Listed {
        bands: [u8; 5],
        owner: Option<[u8; 8]>,
        words: BTreeSet<String>,
        /// Stage, personas and segments; `None` if they are those of the item's attributes.
        rest: Option<(Stage, Vec<String>, Vec<String>)>,
    },
    /// Months in a segment that the person has left.
    Stayed {
        /// The identity state's index.
        part: u16,
        /// The segment's key.
        segment: [u8; 4],
        months: Months,
    },
    /// The last update of the contact in the CRM.
    Written {
        number: u64,
        record: Option<[u8; 8]>,
        /// The fields, as JSON.
        fields: Vec<u8>,
    },
}

/// The optional data that belongs to no identity state.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The entries in accounts that are not the primary one.
    pub(super) elsewhere: BTreeMap<AccountId, Member>,
    /// The bytes of the published entry's curve.
    pub(super) curve: Option<Vec<u8>>,
    /// The profile's entries in lists.
    pub(super) listed: Option<Listed>,
    /// The last update of its contact in the CRM.
    pub(super) written: Option<Written>,
}

/// The attributes of the item that optional data refers to, so that it need not repeat them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes<'a> {
    pub(super) stage: Stage,
    pub(super) personas: &'a [String],
    pub(super) segments: &'a [String],
}

/// Adds the extras of `profile`, whose item has `attributes`, to the bytes of a body.
pub(super) fn append(body: Vec<u8>, profile: &Profile, attributes: Attributes<'_>) -> postcard::Result<Vec<u8>> {
    let mut extras = of(&profile.parts);
    let others = profile.elsewhere.iter();
    extras.extend(others.map(|(account, member)| elsewhere(account, member, attributes.personas)));
    extras.extend(profile.listed.as_ref().map(|listed| listed_of(listed, attributes)));
    extras.extend(profile.written.as_ref().map(written_of).transpose()?);
    let published = profile.published.iter().map(|(_, member)| member);
    extras.extend(published.filter_map(|member| Some(Extra::Curve(member.curve.as_ref()?.to_bytes(member.last_seen)))));
    if extras.is_empty() { Ok(body) } else { postcard::to_extend(&extras, body) }
}

fn of(parts: &[Part]) -> Vec<Extra> {
    let mut extras = Vec::new();
    // A profile has a few hundred identity states at most.
    for (part, of) in (0_u16..).zip(parts) {
        let (facts, billing) = (&of.facts, &of.state.billing);
        let candidates = facts.runs.iter().filter_map(|(key, run)| Some((key.to_be_bytes(), run.candidate?)));
        extras.extend(candidates.map(|(journey, candidate)| Extra::Candidate { part, journey, candidate }));
        if !facts.exempt.is_empty() {
            extras.push(Extra::Exempt { part, sent: facts.exempt.clone() });
        }
        let starts = facts.starts.iter().map(|(key, due)| (key.to_be_bytes(), *due));
        extras.extend(facts.imported.map(|at| Extra::Imported { part, at }));
        extras.extend(facts.noted_under.map(|since| Extra::NotedUnder { part, since }));
        let stayed = facts.stayed.iter().map(|(key, months)| (key.to_be_bytes(), *months));
        extras.extend(stayed.map(|(segment, months)| Extra::Stayed { part, segment, months }));
        extras.extend(starts.map(|(journey, due)| Extra::Start { part, journey, due }));
        extras.extend(billing.subscriptions.iter().map(|(key, subscription)| Extra::Subscription {
            part,
            key: (subscription.implied_key(&of.identity) != *key).then(|| key.to_be_bytes()),
            subscription: Box::new(subscription.clone()),
        }));
        extras.extend(billing.payments.iter().map(|(id, payment)| Extra::Payment {
            part,
            id: id.to_be_bytes(),
            payment: payment.clone(),
        }));
        extras.extend(billing.refunds.iter().map(|(id, refund)| Extra::Refund {
            part,
            id: id.to_be_bytes(),
            refund: refund.clone(),
        }));
        for (once, longest) in [(false, &of.state.longest), (true, &of.state.longest_once)] {
            if !longest.0.is_empty() {
                extras.push(Extra::Longest { part, once, longest: longest.clone() });
            }
        }
        if of.state.room.is_reduced() {
            extras.push(Extra::Room { part, room: of.state.room });
        }
        extras.extend(of.state.stored_memberships().map(|stored| Extra::Memberships { part, stored }));
        let left = &of.state.memberships.left_primary;
        if !left.is_empty() {
            extras.push(Extra::LeftPrimary { part, at: left.iter().copied().collect() });
        }
    }
    extras
}

fn elsewhere(account: &AccountId, member: &Member, listed: &[String]) -> Extra {
    let are_listed = listed.iter().collect::<BTreeSet<_>>().into_iter().eq(&member.personas);
    Extra::Elsewhere {
        account: account.as_str().to_owned(),
        stage: member.stage,
        seen: member.last_seen.map(Timestamp::as_second),
        personas: (!are_listed).then(|| member.personas.clone()),
    }
}

fn listed_of(listed: &Listed, attributes: Attributes<'_>) -> Extra {
    let Listed { stage, personas, segments, owner, bands, words } = listed;
    let is_same = *stage == attributes.stage && personas == attributes.personas && segments == attributes.segments;
    Extra::Listed {
        bands: bands.to_bytes(),
        owner: owner.map(u64::to_be_bytes),
        words: words.clone(),
        rest: (!is_same).then(|| (*stage, personas.clone(), segments.clone())),
    }
}

fn written_of(written: &Written) -> postcard::Result<Extra> {
    let Written { number, record, fields } = written;
    let fields = serde_json::to_vec(fields).map_err(|_| postcard::Error::SerdeSerCustom)?;
    Ok(Extra::Written { number: *number, record: record.map(u64::to_be_bytes), fields })
}

/// Adds the optional data to its identity states, and returns the rest.
///
/// # Errors
/// [`StoreError::Corrupt`] if the list cannot be read, or refers to a missing identity state or run.
pub(super) fn read(
    rest: &[u8],
    parts: &mut [Part],
    person: PersonId,
    attributes: Attributes<'_>,
) -> Result<Behind, StoreError> {
    let mut behind = Behind::default();
    if rest.is_empty() {
        return Ok(behind);
    }
    let extras: Vec<Extra> = postcard::from_bytes(rest).map_err(|_| StoreError::corrupt("extras cannot be read"))?;
    for extra in extras {
        match extra {
            Extra::Candidate { part, journey, candidate } => {
                let facts = &mut named(parts, part)?.facts;
                let run = facts.runs.get_mut(&u32::from_be_bytes(journey)).ok_or_else(missing)?;
                run.candidate = Some(candidate);
            }
            Extra::Exempt { part, sent } => {
                named(parts, part)?.facts.exempt = sent;
            }
            Extra::Subscription { part, key, subscription } => {
                let of = named(parts, part)?;
                let key = key.map_or_else(|| subscription.implied_key(&of.identity), u64::from_be_bytes);
                of.state.billing.subscriptions.insert(key, *subscription);
            }
            Extra::Start { part, journey, due } => {
                named(parts, part)?.facts.starts.insert(u32::from_be_bytes(journey), due);
            }
            Extra::Payment { part, id, payment } => {
                let billing = &mut named(parts, part)?.state.billing;
                billing.payments.insert(u64::from_be_bytes(id), payment);
            }
            Extra::Refund { part, id, refund } => {
                let billing = &mut named(parts, part)?.state.billing;
                billing.refunds.insert(u64::from_be_bytes(id), refund);
            }
            Extra::Memberships { part, stored } => {
                named(parts, part)?.state.restore_memberships(Some(stored));
            }
            Extra::Elsewhere { account, stage, seen, personas } => {
                let account = AccountId::parse(&account).map_err(|_| missing())?;
                let member = Member {
                    person,
                    stage,
                    scores: BTreeMap::new(),
                    engagement: Score::default(),
                    last_seen: seen.map(Timestamp::from_second).transpose().map_err(|_| missing())?,
                    personas: personas.unwrap_or_else(|| attributes.personas.iter().cloned().collect()),
                    elsewhere: true,
                    curve: None,
                };
                behind.elsewhere.insert(account, member);
            }
            Extra::Imported { part, at } => named(parts, part)?.facts.imported = Some(at),
            Extra::NotedUnder { part, since } => named(parts, part)?.facts.noted_under = Some(since),
            Extra::Stayed { part, segment, months } => {
                named(parts, part)?.facts.stayed.insert(u32::from_be_bytes(segment), months);
            }
            Extra::Curve(bytes) => behind.curve = Some(bytes),
            Extra::Longest { part, once, longest } => {
                let state = &mut named(parts, part)?.state;
                *(if once { &mut state.longest_once } else { &mut state.longest }) = longest;
            }
            Extra::LeftPrimary { part, at } => {
                named(parts, part)?.state.memberships.left_primary = at.into_iter().collect();
            }
            Extra::Room { part, room } => named(parts, part)?.state.room = room,
            Extra::Written { number, record, fields } => {
                let fields = serde_json::from_slice(&fields);
                let fields = fields.map_err(|_| StoreError::corrupt("the fields of a CRM's contact cannot be read"))?;
                behind.written = Some(Written { number, record: record.map(u64::from_be_bytes), fields });
            }
            Extra::Listed { bands, owner, words, rest } => {
                let Attributes { stage, personas, segments } = attributes;
                let (stage, personas, segments) = rest.unwrap_or_else(|| (stage, personas.to_vec(), segments.to_vec()));
                let (owner, bands) = (owner.map(u64::from_be_bytes), Bands::from_bytes(bands));
                behind.listed = Some(Listed { stage, personas, segments, owner, bands, words });
            }
        }
    }
    Ok(behind)
}

fn named(parts: &mut [Part], at: u16) -> Result<&mut Part, StoreError> {
    parts.get_mut(usize::from(at)).ok_or_else(missing)
}

fn missing() -> StoreError {
    StoreError::corrupt("an extra names a part, a run, an account or a time that is not there")
}
