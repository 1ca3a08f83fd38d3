//! A profile as an item, and back.

mod extra;
mod v2;
mod v3;
mod v4;

use crate::error::StoreError;
use crate::inflate::inflate;
use crate::item::{Item, Read, b, bounded, n, needed, s};
pub use crate::item::{MAX_ITEM_BYTES, size};
use crate::stored::{Loaded, Moved, Stored, Summary};
use crate::{keys, table};
use extra::Attributes;
use flate2::{Compress, Compression, FlushCompress, Status};
use jiff::Timestamp;
use perennial_domain::{AccountId, Curve, Identity, Likelihood, Member, PersonId, Score, Stage};
use perennial_engine::listing::Listed;
use perennial_engine::{Action, NpsClass, Part, Profile, Written};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The format that is written.
const FORMAT: u8 = 5;
/// Set in the first byte where the rest is deflated.
const DEFLATED: u8 = 0x80;
/// The bytes that one write unit pays for.
pub const WRITE_UNIT: usize = 1024;
/// The most bytes of a state before it is deflated. What inflates to more is not read, so more is not written.
const MAX_INFLATED: usize = 8 * 1024 * 1024;

/// The parts of a profile that are not attributes of their own.
#[derive(Serialize)]
struct Body<'a> {
    parts: &'a [Part],
    published: Option<Published<'a>>,
    outbox: Vec<Entry>,
}

#[derive(Deserialize)]
struct OwnedBody {
    parts: Vec<Part>,
    published: Option<Published<'static>>,
    outbox: Vec<Entry>,
}

/// A stored state in any format.
struct State {
    parts: Vec<Part>,
    published: Option<(AccountId, Member)>,
    elsewhere: BTreeMap<AccountId, Member>,
    listed: Option<Listed>,
    written: Option<Written>,
    outbox: Vec<Entry>,
}

/// An entry given to an account, smaller than a [`Member`] writes itself.
#[derive(Serialize, Deserialize)]
struct Published<'a> {
    account: Cow<'a, str>,
    /// `None` for the profile's own id.
    person: Option<[u8; 15]>,
    stage: Stage,
    scores: Cow<'a, BTreeMap<Likelihood, Score>>,
    engagement: Score,
    /// Seconds since 1970, and nanoseconds.
    last_seen: Option<(i64, i32)>,
    /// `None` where they are those that the item's attribute lists.
    personas: Option<Cow<'a, BTreeSet<String>>>,
}

impl<'a> Published<'a> {
    fn of(person: PersonId, (account, member): &'a (AccountId, Member), listed: &[String]) -> Self {
        Self {
            account: Cow::Borrowed(account.as_str()),
            person: (member.person != person).then(|| *member.person.as_bytes()),
            stage: member.stage,
            scores: Cow::Borrowed(&member.scores),
            engagement: member.engagement,
            last_seen: member.last_seen.map(|at| (at.as_second(), at.subsec_nanosecond())),
            personas: (!listed.iter().collect::<BTreeSet<_>>().iter().copied().eq(&member.personas))
                .then_some(Cow::Borrowed(&member.personas)),
        }
    }

    fn read(self, person: PersonId, listed: &[String]) -> Result<(AccountId, Member), StoreError> {
        let wrong = |what: &str| StoreError::Corrupt(format!("what was published has a wrong {what}"));
        let last_seen = self.last_seen.map(|(second, nanosecond)| Timestamp::new(second, nanosecond)).transpose();
        let member = Member {
            person: self.person.map_or(person, PersonId::from_bytes),
            stage: self.stage,
            scores: self.scores.into_owned(),
            engagement: self.engagement,
            last_seen: last_seen.map_err(|_| wrong("time"))?,
            personas: self.personas.map_or_else(|| listed.iter().cloned().collect(), Cow::into_owned),
            curve: None,
            elsewhere: false,
        };
        Ok((AccountId::parse(&self.account).map_err(|_| wrong("account"))?, member))
    }
}

/// One outbox action.
#[derive(Serialize, Deserialize)]
enum Entry {
    /// Publish the stored entry to the account.
    Published,
    /// Anything else, as JSON: its types leave fields out, which postcard cannot read back.
    Json(Vec<u8>),
}

/// Returns the item of a profile that is about to be written as `version`.
///
/// # Errors
/// [`StoreError::TooLarge`] if it exceeds an item's limit; [`StoreError::Unstorable`] if it cannot be encoded, which no
/// profile causes.
pub fn encode(profile: &Profile, summary: &Summary, version: u64) -> Result<Item, StoreError> {
    let mut item = keys::key(keys::person(profile.id), keys::PROFILE);
    if let Some(identity) = first_identity(profile) {
        item.insert("id".to_owned(), s(identity.to_string()));
    }
    item.insert("stage".to_owned(), s(summary.stage.as_str()));
    if !summary.scores.is_empty() {
        item.insert("scores".to_owned(), s(short_scores(&summary.scores)));
    }
    if summary.nps != NpsClass::None {
        item.insert("nps".to_owned(), s(summary.nps.as_str()));
    }
    for (name, of) in [("pers", &summary.personas), ("segs", &summary.segments)] {
        if !of.is_empty() {
            item.insert(name.to_owned(), s(of.join(" ")));
        }
    }
    if summary.unread_texts > 0 {
        item.insert("unread".to_owned(), n(u64::from(summary.unread_texts)));
    }
    if summary.external {
        item.insert("ext".to_owned(), n(1_u64));
    }
    // Members by company domain have no account in their own state.
    let named = || profile.parts.iter().filter_map(|part| part.state.account.as_ref()).max();
    let named = || named().map(|named| named.value.as_str()).filter(|account| !has_left(profile, account));
    let published = profile.published.as_ref().map(|(account, _)| account.as_str());
    if let Some(account) = published.or_else(named) {
        item.insert("acct".to_owned(), s(account));
    }
    item.insert("n".to_owned(), n(profile.counted()));
    item.insert("ver".to_owned(), n(version));
    if let Some(due) = profile.due_at {
        item.insert(table::DUE_SHARD.to_owned(), s(keys::due_shard(profile.id)));
        item.insert(table::DUE_AT.to_owned(), n(due.as_second()));
    }
    let attributes = Attributes { stage: summary.stage, personas: &summary.personas, segments: &summary.segments };
    let state = encode_state(profile, attributes, size(&item) + "state".len())?;
    item.insert("state".to_owned(), b(state));
    bounded("a profile", item)
}

/// Returns whether the person left an account since it was last named.
fn has_left(profile: &Profile, account: &str) -> bool {
    let said = profile.parts.iter().filter_map(|part| part.state.memberships.said.get(account));
    said.max_by_key(|said| (said.at, said.ended)).is_some_and(|said| said.ended)
}

/// Decodes a profile's item, or the pointer of a merged profile.
///
/// # Errors
/// [`StoreError::Corrupt`] if an attribute is missing or invalid.
pub fn decode(item: &Item) -> Result<Loaded, StoreError> {
    let id = keys::person_of(needed(keys::PK, item.text(keys::PK)?)?)
        .ok_or_else(|| StoreError::corrupt("no person's key"))?;
    let version = needed("ver", item.number::<u64>("ver")?)?;
    if let Some(to) = item.parsed::<PersonId>("to")? {
        return Ok(Loaded::Moved(Moved { to, version }));
    }
    let (personas, segments) = (names(item.text("pers")?), names(item.text("segs")?));
    let stage = stage(needed("stage", item.text("stage")?)?)?;
    let attributes = Attributes { stage, personas: &personas, segments: &segments };
    let body = decode_state(id, needed("state", item.bytes("state")?)?, attributes)?;
    let mut outbox = Vec::with_capacity(body.outbox.len());
    for entry in body.outbox {
        outbox.push(match (entry, &body.published) {
            (Entry::Json(json), _) => {
                serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("an outbox entry is no action"))?
            }
            (Entry::Published, Some((account, member))) => {
                Action::PublishMember { account: account.clone(), member: member.clone() }
            }
            (Entry::Published, None) => return Err(StoreError::corrupt("an outbox entry speaks of nothing published")),
        });
    }
    let due_at = item.number::<i64>(table::DUE_AT)?.map(Timestamp::from_second).transpose();
    let due_at = due_at.map_err(|_| StoreError::corrupt("due_at is out of range"))?;
    let summary = Summary {
        stage,
        scores: long_scores(item.text("scores")?.unwrap_or_default())?,
        nps: nps_class(item.text("nps")?.unwrap_or(NpsClass::None.as_str()))?,
        personas,
        segments,
        unread_texts: item.number("unread")?.unwrap_or_default(),
        external: item.number::<u64>("ext")?.is_some(),
    };
    Ok(Loaded::Profile(Stored {
        profile: Profile {
            id,
            parts: body.parts,
            outbox,
            published: body.published,
            elsewhere: body.elsewhere,
            listed: body.listed,
            written: body.written,
            due_at,
        },
        version,
        summary,
    }))
}

/// Returns the pointer that replaces `person`.
pub(crate) fn encode_pointer(person: PersonId, moved: &Moved) -> Item {
    let mut item = keys::key(keys::person(person), keys::PROFILE);
    item.insert("to".to_owned(), s(moved.to.to_string()));
    item.insert("ver".to_owned(), n(moved.version));
    item
}

fn encode_state(profile: &Profile, attributes: Attributes<'_>, rest: usize) -> Result<Vec<u8>, StoreError> {
    let unstorable = |error: &dyn std::fmt::Display| StoreError::Unstorable(error.to_string());
    let mut outbox = Vec::with_capacity(profile.outbox.len());
    for action in &profile.outbox {
        outbox.push(match (action, &profile.published) {
            (Action::PublishMember { account, member }, Some((of, entry))) if account == of && member == entry => {
                Entry::Published
            }
            _ => Entry::Json(serde_json::to_vec(action).map_err(|error| unstorable(&error))?),
        });
    }
    let published =
        profile.published.as_ref().map(|published| Published::of(profile.id, published, attributes.personas));
    let body = Body { parts: &profile.parts, published, outbox };
    let plain = postcard::to_extend(&body, vec![FORMAT]).map_err(|error| unstorable(&error))?;
    let plain = extra::append(plain, profile, attributes).map_err(|error| unstorable(&error))?;
    if plain.len() > MAX_INFLATED {
        return Err(StoreError::TooLarge {
            what: "a profile before it is deflated",
            bytes: plain.len(),
            most: MAX_INFLATED,
        });
    }
    if rest + plain.len() <= WRITE_UNIT {
        return Ok(plain);
    }
    Ok(deflate(&plain).unwrap_or(plain))
}

thread_local! {
    /// A compressor's tables take 300 KB: dearer to make for each profile than the deflating itself.
    static DEFLATER: RefCell<Compress> = RefCell::new(Compress::new(Compression::best(), false));
}

/// `plain`, which begins with its format, deflated; `None` where that is not smaller.
fn deflate(plain: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = plain.split_first()?;
    DEFLATER.with_borrow_mut(|deflater| {
        deflater.reset();
        let mut out = Vec::with_capacity(plain.len());
        out.push(head | DEFLATED);
        let status = deflater.compress_vec(rest, &mut out, FlushCompress::Finish).ok()?;
        (status == Status::StreamEnd && out.len() < plain.len()).then_some(out)
    })
}

fn decode_state(person: PersonId, bytes: &[u8], attributes: Attributes<'_>) -> Result<State, StoreError> {
    let listed = attributes.personas;
    let (head, rest) = bytes.split_first().ok_or_else(|| StoreError::corrupt("a state is empty"))?;
    let inflated;
    let plain = if head & DEFLATED == 0 {
        rest
    } else {
        inflated = inflate("a state", rest, MAX_INFLATED)?;
        &inflated
    };
    let unreadable = |_| StoreError::corrupt("a state cannot be read");
    let mut state = match head & !DEFLATED {
        1 => postcard::from_bytes::<v2::Body1>(plain).map(v2::Body1::read).map_err(unreadable),
        2 => postcard::from_bytes::<v2::Body2>(plain).map_err(unreadable)?.read(person),
        3 => postcard::from_bytes::<v3::Body3>(plain).map_err(unreadable)?.read(person, listed),
        4 => postcard::from_bytes::<v4::Body4>(plain).map_err(unreadable)?.read(person, listed),
        FORMAT => {
            let (mut body, rest): (OwnedBody, _) = postcard::take_from_bytes(plain).map_err(unreadable)?;
            let behind = extra::read(rest, &mut body.parts, person, attributes)?;
            let mut published = body.published.map(|published| published.read(person, listed)).transpose()?;
            if let (Some((_, member)), Some(bytes)) = (&mut published, behind.curve) {
                let curve = Curve::from_bytes(&bytes, member.last_seen);
                member.curve = Some(curve.ok_or_else(|| StoreError::corrupt("a curve cannot be read"))?);
            }
            let extra::Behind { elsewhere, listed, written, .. } = behind;
            Ok(State { parts: body.parts, published, elsewhere, listed, written, outbox: body.outbox })
        }
        other => Err(StoreError::Corrupt(format!("a state has format {other}, which this version does not know"))),
    }?;
    for part in state.parts.iter_mut().filter(|part| part.state.memberships.is_usual()) {
        part.state.restore_memberships(None);
    }
    Ok(state)
}

/// The identity that the profile began with, or the first it has.
fn first_identity(profile: &Profile) -> Option<&Identity> {
    let own = profile.parts.iter().find(|part| part.owner() == profile.id);
    own.or(profile.parts.first()).map(|part| &part.identity)
}

pub(crate) fn nps_class(text: &str) -> Result<NpsClass, StoreError> {
    let found = NpsClass::ALL.into_iter().find(|class| class.as_str() == text);
    found.ok_or_else(|| StoreError::corrupt("no class of the survey has that name"))
}

/// Returns the names in an attribute.
pub(crate) fn names(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn stage(text: &str) -> Result<Stage, StoreError> {
    Stage::ALL
        .into_iter()
        .find(|stage| stage.as_str() == text)
        .ok_or_else(|| StoreError::corrupt("no stage has that name"))
}

/// Two letters a likelihood, so that an operator can read them and the item stays small.
fn code(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Purchase => "pu",
        Likelihood::Conversion => "co",
        Likelihood::TrialSuccess => "tr",
        Likelihood::Upgrade => "up",
        Likelihood::Success => "su",
        Likelihood::Churn => "ch",
        Likelihood::Recommendation => "re",
        Likelihood::InfluenceInside => "ii",
        Likelihood::InfluenceOutside => "io",
    }
}

fn short_scores(scores: &BTreeMap<Likelihood, Score>) -> String {
    let each = scores.iter().map(|(likelihood, score)| format!("{}{}", code(*likelihood), score.get()));
    each.collect::<Vec<_>>().join(" ")
}

pub(crate) fn long_scores(text: &str) -> Result<BTreeMap<Likelihood, Score>, StoreError> {
    let read = |short: &str| {
        let likelihood = Likelihood::ALL.into_iter().find(|l| short.starts_with(code(*l)))?;
        Some((likelihood, Score::from(short.get(2..)?.parse::<u8>().ok()?)))
    };
    text.split_whitespace()
        .map(|short| read(short).ok_or_else(|| StoreError::corrupt("scores cannot be read")))
        .collect()
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
