//! `segments.toml`: groups of people by condition, which they enter and leave as their data changes.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::History;
use crate::spanned::Spanned;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use perennial_domain::hash::hash32;
use serde::{Deserialize, Serialize};

/// The most segments: a profile stores its segments as a set of bits.
pub const MAX_SEGMENTS: usize = 64;

/// Groups of people by condition, which they enter and leave as their data changes. At most 64; each may refer to those
/// above it.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// A segment: its condition, and who answers for it.
    #[serde(default)]
    segment: Vec<Spanned<RawSegment>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSegment {
    /// Its name, for conditions (segment("NAME")) and journeys: letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// A condition on the person and the account: the segment contains the people for whom it holds.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonCondition"))]
    when: Spanned<String>,
    /// The responsible colleague or team. Tasks about people whose account has no owner go to that of their first
    /// segment.
    owner: Option<String>,
    /// `false` if its people are not to be called, whichever other segments they are in: tasks say so, and `may_call` is false in templates. Default:
    /// true.
    phone: Option<bool>,
    /// The target retention in percent after a year.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    retention_target: Option<Spanned<u8>>,
    /// A description, for readers.
    #[serde(default)]
    description: String,
}

/// A segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// The name's hash, the key of stored facts.
    pub key: u32,
    /// The condition of membership.
    pub when: Program<PersonSlot>,
    /// Which colleague or team answers for it.
    pub owner: Option<String>,
    /// `false` if its people are not to be called.
    pub phone: bool,
    /// The target retention in percent after a year.
    pub retention_target: Option<u8>,
    /// A description, for readers.
    pub description: String,
}

/// All segments, in the file's order: each may refer to those before it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Segments {
    /// All of them.
    pub all: Vec<Segment>,
}

impl Segments {
    /// Returns the segments that `before` lacked, or had with another condition; all if `before` is unknown. Quiet
    /// profiles are not counted in them yet.
    pub fn unknown_to<'a>(&'a self, before: Option<&'a Self>) -> impl Iterator<Item = &'a Segment> {
        self.all.iter().filter(move |segment| {
            let known = before.and_then(|before| before.all.iter().find(|known| known.key == segment.key));
            known.is_none_or(|known| known.when.source() != segment.when.source())
        })
    }

    /// Checks and compiles the file. `vocabulary` is of [`crate::vocabulary::Level::Segment`].
    pub(crate) fn load(report: &mut Reporter<'_>, vocabulary: PersonVocabulary<'_>, history: &mut History) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let mut out = Self::default();
        let mut names: Vec<String> = Vec::new();
        let mut used = Used::default();
        if let Some(over) = file.segment.get(MAX_SEGMENTS) {
            report.at(over.span(), format!("there are more than {MAX_SEGMENTS} segments"));
        }
        for raw in file.segment.into_iter().take(MAX_SEGMENTS) {
            let raw = raw.into_inner();
            report.unique(&mut used, "a segment", "name", &raw.name);
            let name = raw.name.get_ref();
            let key = hash32(name);
            if let Some(target) = &raw.retention_target
                && *target.get_ref() > 100
            {
                report.at(target.span(), format!("segment `{name}`: retention_target is a percentage, 0 to 100"));
            }
            let vocabulary = PersonVocabulary { segments: &names, ..vocabulary };
            let when = condition::on_person(report, &raw.when, &vocabulary);
            // An invalid condition is reported once, and not again by those that refer to the segment.
            let Some(when) = when.or_else(|| condition::never(&vocabulary)) else { continue };
            history.ask(when.slots());
            let name = raw.name.into_inner();
            names.push(name.clone());
            out.all.push(Segment {
                name,
                key,
                when,
                owner: raw.owner,
                phone: raw.phone.unwrap_or(true),
                retention_target: raw.retention_target.map(Spanned::into_inner),
                description: raw.description,
            });
        }
        out
    }

    /// Returns the names, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|segment| segment.name.clone()).collect()
    }

    /// Returns the segment of that name, and its index.
    pub fn get(&self, name: &str) -> Option<(usize, &Segment)> {
        self.all.iter().enumerate().find(|(_, segment)| segment.name == name)
    }
}
