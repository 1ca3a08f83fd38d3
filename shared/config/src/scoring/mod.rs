//! `scoring.toml`: points that events give, signals of state, caps, tallies, and how surveys and texts are read.

mod load;

use crate::cel::Program;
use crate::vocabulary::{EventSlot, PersonSlot};
use perennial_domain::{Likelihood, Stage};
use std::collections::HashMap;

#[cfg(feature = "schema")]
pub(crate) use load::File;
pub(crate) use load::{load, tally_names};

/// The most shared caps of one score.
pub const MAX_CATEGORIES: usize = 8;

/// Points that an event gives to a score, decaying with time.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The rule's name in reasons.
    pub id: String,
    /// The name's hash, which stored state is keyed by.
    pub key: u32,
    /// Which score it adds to.
    pub score: Likelihood,
    /// The event that it counts, as [`perennial_domain::Event::counted_as`] names it.
    pub event: String,
    /// Which of those events count; all where `None`.
    pub filter: Option<Program<EventSlot>>,
    /// Points of one event when it happens; negative ones lower the score.
    pub points: f64,
    /// Days until half of the points are left; `None` keeps them for good.
    pub half_life_days: Option<f64>,
    /// The most points, as a distance from 0, that the rule may give in all.
    pub cap: Option<f64>,
    /// Which of [`ScoreRules::categories`] caps it together with others.
    pub category: Option<usize>,
    /// What a reader is told; the id where nothing is written.
    pub reason: String,
}

/// Points that a state gives: 0 where its measure is at `from`, all of them at `to`, a straight line between.
#[derive(Debug, Clone)]
pub struct Signal {
    /// The signal's name in reasons.
    pub id: String,
    /// Which score it adds to.
    pub score: Likelihood,
    /// What it measures; no points where that is missing.
    pub measure: Program<PersonSlot>,
    /// The measure at which it gives nothing yet.
    pub from: f64,
    /// The measure from which it gives all its points; may be below `from`.
    pub to: f64,
    /// Points at `to`.
    pub points: f64,
    /// For whom it counts; everyone where `None`.
    pub when: Option<Program<PersonSlot>>,
    /// The stages in which it counts; all where empty.
    pub stages: Vec<Stage>,
    /// Which of [`ScoreRules::categories`] caps it together with others.
    pub category: Option<usize>,
    /// What a reader is told; the id where nothing is written.
    pub reason: String,
}

/// A cap that several rules and signals of one score share.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// The most points, as a distance from 0, that they may give together.
    pub cap: f64,
}

/// What one score is made of.
#[derive(Debug, Clone, Default)]
pub struct ScoreRules {
    /// Points that everyone starts with, 0 to 100.
    pub base: f64,
    /// Indices of [`Scoring::rules`].
    pub rules: Vec<usize>,
    /// Indices of [`Scoring::signals`].
    pub signals: Vec<usize>,
    /// Its shared caps.
    pub categories: Vec<Category>,
}

/// A counter of how many pieces of content or actions someone took in one stage of the journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyRule {
    /// Its name.
    pub name: String,
    /// The events that it counts.
    pub events: Vec<String>,
}

/// How the answers to the recommendation survey are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nps {
    /// The event that brings an answer; empty where there is no survey.
    pub event: String,
    /// The property that holds it: 0 to 10, or 1 to 10.
    pub property: String,
    /// Below this engagement who answers 9 or 10 counts as passive.
    pub promoter_min_engagement: u8,
}

/// Compiled scoring: rules found by event name.
#[derive(Debug, Clone, Default)]
pub struct Scoring {
    /// All rules.
    pub rules: Vec<Rule>,
    /// All signals.
    pub signals: Vec<Signal>,
    /// What each score is made of, in the order of [`Likelihood::ALL`].
    pub scores: [ScoreRules; 9],
    /// Event name to the rules (indices of [`Self::rules`]) that count it.
    pub by_event: HashMap<String, Vec<usize>>,
    /// Event name to the tallies that count it.
    pub tallies: HashMap<String, Vec<String>>,
    /// All tallies, in the file's order: that of the journey's stages.
    pub tally_rules: Vec<TallyRule>,
    /// How survey answers are read.
    pub nps: Nps,
    /// The properties that hold texts which people wrote.
    pub texts: Vec<String>,
}

impl Scoring {
    /// What `likelihood` is made of.
    pub fn score(&self, likelihood: Likelihood) -> &ScoreRules {
        &self.scores[likelihood as usize]
    }

    /// The tallies' names, in the file's order.
    pub fn tally_names(&self) -> Vec<String> {
        self.tally_rules.iter().map(|tally| tally.name.clone()).collect()
    }
}
