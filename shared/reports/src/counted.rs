//! A profile as reports count it.

use perennial_domain::{Likelihood, Score, Stage};
use perennial_engine::{NpsClass, Profile};
use std::collections::BTreeMap;

/// A profile with the results of its last evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// Its stage, with its account considered.
    pub stage: Stage,
    /// The class of its latest survey answer.
    pub nps: NpsClass,
    /// The scores that applied.
    pub scores: &'a BTreeMap<Likelihood, Score>,
    /// The names of its segments.
    pub segments: &'a [String],
}
