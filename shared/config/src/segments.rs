//! `segments.toml`: groups of people by condition, which they enter and leave as what they do changes.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::History;
use crate::spanned::Spanned;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use perennial_domain::hash::hash32;
use serde::Deserialize;

/// The most segments: a person's are a set of bits.
pub const MAX_SEGMENTS: usize = 64;

/// Groups of people by condition, which they enter and leave as what they do changes. At most 64; each may ask for those above it.
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
    /// A condition on the person and the account: for whom it holds, is in the segment.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonCondition"))]
    when: Spanned<String>,
    /// The colleague or team that answers for it. Tasks about people whose account has no owner go to that of the first segment they are in.
    owner: Option<String>,
    /// How many of a hundred are to stay for a year.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    retention_target: Option<Spanned<u8>>,
    /// Who they are, for readers.
    #[serde(default)]
    description: String,
}

/// A segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// The name's hash, which stored facts are keyed by.
    pub key: u32,
    /// Who is in it.
    pub when: Program<PersonSlot>,
    /// Which colleague or team answers for it.
    pub owner: Option<String>,
    /// How many of a hundred are to stay for a year.
    pub retention_target: Option<u8>,
    /// Who they are, for readers.
    pub description: String,
}

/// All segments, in the file's order: each may ask for those before it.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    /// All of them.
    pub all: Vec<Segment>,
}

impl Segments {
    /// Returns the segments that `before` did not have, or had with another condition; all, where nothing is known of what was before. Profiles that
    /// are quiet are not counted in them.
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
            // A wrong condition is told once; nobody who asks for the segment is wrong too.
            let Some(when) = when.or_else(|| condition::never(&vocabulary)) else { continue };
            history.ask(when.slots());
            let name = raw.name.into_inner();
            names.push(name.clone());
            out.all.push(Segment {
                name,
                key,
                when,
                owner: raw.owner,
                retention_target: raw.retention_target.map(Spanned::into_inner),
                description: raw.description,
            });
        }
        out
    }

    /// The names, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|segment| segment.name.clone()).collect()
    }

    /// The segment of that name, and its index.
    pub fn get(&self, name: &str) -> Option<(usize, &Segment)> {
        self.all.iter().enumerate().find(|(_, segment)| segment.name == name)
    }
}
