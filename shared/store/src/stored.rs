//! A profile as it is stored: with its version, and with what an operator can read without decoding it.

use perennial_config::Config;
use perennial_domain::{Likelihood, PersonId, Score, Stage};
use perennial_engine::{Evaluation, NpsClass, Profile};
use std::collections::BTreeMap;

/// The item under a profile id.
#[expect(clippy::large_enum_variant, reason = "almost every load finds a profile, which is moved once")]
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    /// None.
    Absent,
    /// A profile.
    Profile(Stored),
    /// A pointer: the profile was merged into another.
    Moved(Moved),
}

/// The target of a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The profile that it was merged into.
    pub to: PersonId,
    /// The pointer's version.
    pub version: u64,
}

/// A profile's attributes, which an operator can read without decoding it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The stage at the last evaluation.
    pub stage: Stage,
    /// The scores that applied at the last evaluation.
    pub scores: BTreeMap<Likelihood, Score>,
    /// The class of the latest survey answer at the last evaluation.
    pub nps: NpsClass,
    /// The names of the personas.
    pub personas: Vec<String>,
    /// The names of the segments.
    pub segments: Vec<String>,
    /// Texts of the last months, then, in languages that are not known.
    pub unread_texts: u32,
    /// `true` if it consists only of ids in other systems: it is not counted as a person until they are linked to one.
    pub external: bool,
}

impl Summary {
    /// Returns the summary of `profile` with its `evaluation` under `config`.
    pub fn of(profile: &Profile, evaluation: &Evaluation, config: &Config) -> Self {
        Self {
            stage: evaluation.stage,
            scores: evaluation.scores.iter().collect(),
            nps: evaluation.nps,
            personas: evaluation.personas(config).map(str::to_owned).collect(),
            segments: evaluation.segments(config).map(str::to_owned).collect(),
            unread_texts: evaluation.unread_texts,
            external: profile.is_external(),
        }
    }
}

/// A profile with what its next write needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The profile.
    pub profile: Profile,
    /// Counts the writes; 0 for a profile that was never written.
    pub version: u64,
    /// Its attributes.
    pub summary: Summary,
}

impl Stored {
    /// Returns a profile that is not in the table yet.
    pub fn new(profile: Profile) -> Self {
        Self { profile, version: 0, summary: Summary::default() }
    }
}
