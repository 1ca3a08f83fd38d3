//! `scoring.toml`: points for events, signals of state, caps, tallies, surveys and texts.

mod load;
mod raw;
mod survey;
mod theme;

use crate::cel::Program;
use crate::vocabulary::{EventSlot, PersonSlot};
use perennial_domain::{Likelihood, Properties, Stage};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub(crate) use load::{load, tally_names};
#[cfg(feature = "schema")]
pub(crate) use raw::File;
pub use survey::{Survey, SurveyKind};
pub use theme::Theme;

/// The most shared caps of one score.
pub const MAX_CATEGORIES: usize = 8;

/// The most themes of survey answers.
pub const MAX_THEMES: usize = 32;

/// The most words of a theme.
pub const MAX_WORDS: usize = 100;

/// Points that an event gives to a score, decaying with time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// The rule's name in reasons.
    pub id: String,
    /// The name's hash, the key of stored state.
    pub key: u32,
    /// Which score it adds to.
    pub score: Likelihood,
    /// The event that it counts, by [`perennial_domain::Event::counted_as`].
    pub event: String,
    /// Which of those events count; all where `None`.
    pub filter: Option<Program<EventSlot>>,
    /// Points of one event when it happens; negative ones lower the score.
    pub points: f64,
    /// Days until half of the points remain; `None` if they do not decay.
    pub half_life_days: Option<f64>,
    /// The most points in total, as a distance from 0.
    pub cap: Option<f64>,
    /// Which of [`ScoreRules::categories`] caps it together with others.
    pub category: Option<usize>,
    /// The reason shown to readers; the id by default.
    pub reason: String,
    /// The survey whose answer the filter tests. Such a rule counts only the latest answer: a new answer replaces the
    /// effect of the one before.
    pub answer: Option<Answered>,
}

/// How a rule tests a survey's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The survey.
    pub survey: SurveyKind,
    /// `true` if the filter tests nothing else of the event, so that the stored answer is sufficient.
    pub alone: bool,
}

/// Points for a state: 0 if its measure is at `from`, all of them at `to`, linear in between.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signal {
    /// The signal's name in reasons.
    pub id: String,
    /// Which score it adds to.
    pub score: Likelihood,
    /// Its measure; no points if it is missing.
    pub measure: Program<PersonSlot>,
    /// The measure that gives no points.
    pub from: f64,
    /// The measure that gives all points; may be below `from`.
    pub to: f64,
    /// Points at `to`.
    pub points: f64,
    /// The condition to count; everyone if `None`.
    pub when: Option<Program<PersonSlot>>,
    /// The stages in which it counts; all where empty.
    pub stages: Vec<Stage>,
    /// Which of [`ScoreRules::categories`] caps it together with others.
    pub category: Option<usize>,
    /// The reason shown to readers; the id by default.
    pub reason: String,
}

/// A cap that several rules and signals of one score share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// The most points that they may add up to, as a distance from 0.
    pub cap: f64,
}

/// The people that a score applies to: for anyone else it is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Applies {
    /// The stages; all where empty.
    pub stages: Vec<Stage>,
    /// A condition on the person; everyone where `None`.
    pub when: Option<Program<PersonSlot>>,
}

impl Applies {
    /// Returns whether it applies in a stage to people for whom the condition holds.
    pub fn in_stage(&self, stage: Stage) -> bool {
        self.stages.is_empty() || self.stages.contains(&stage)
    }
}

/// How engagement is computed from the frequency and the amount of activity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EngagementRule {
    /// Active days of the last 28 that are full engagement: 1 to 28.
    pub active_days: u8,
    /// The number of recent actions at which the amount gives half of its most: 1 or more.
    pub actions: u32,
    /// The most, 0 to 100, that the amount alone can give.
    pub most: u8,
}

impl Default for EngagementRule {
    fn default() -> Self {
        Self { active_days: 20, actions: 24, most: 60 }
    }
}

/// The components of one score.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScoreRules {
    /// The people that it applies to.
    pub applies: Applies,
    /// Points that everyone starts with, 0 to 100.
    pub base: f64,
    /// Indices of [`Scoring::rules`].
    pub rules: Vec<usize>,
    /// Indices of [`Scoring::signals`].
    pub signals: Vec<usize>,
    /// Its shared caps.
    pub categories: Vec<Category>,
}

/// A counter of content and actions in one stage of the journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyRule {
    /// Its name.
    pub name: String,
    /// The events that it counts.
    pub events: Vec<String>,
}

/// Compiled scoring rules, with an index by event name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scoring {
    /// All rules.
    pub rules: Vec<Rule>,
    /// All signals.
    pub signals: Vec<Signal>,
    /// The components of each score, in the order of [`Likelihood::ALL`].
    pub scores: [ScoreRules; 9],
    /// Event name to the rules (indices of [`Self::rules`]) that count it.
    #[serde(serialize_with = "crate::stored::sorted_map")]
    pub by_event: HashMap<String, Vec<usize>>,
    /// Event name to the tallies that count it.
    #[serde(serialize_with = "crate::stored::sorted_map")]
    pub tallies: HashMap<String, Vec<String>>,
    /// All tallies, in the file's order, which is that of the journey's stages.
    pub tally_rules: Vec<TallyRule>,
    /// The surveys, at most one of each kind.
    pub surveys: Vec<Survey>,
    /// Below this engagement, 0 to 100, who answers 9 or 10 to the recommendation survey counts as passive.
    pub promoter_min_engagement: u8,
    /// How engagement is computed.
    pub engagement: EngagementRule,
    /// The properties with texts that people wrote.
    pub texts: Vec<String>,
    /// The themes of survey answers, in the file's order.
    pub themes: Vec<Theme>,
}

impl Scoring {
    /// Returns the components of `likelihood`.
    pub fn score(&self, likelihood: Likelihood) -> &ScoreRules {
        &self.scores[likelihood as usize]
    }

    /// Returns the survey of that kind, if there is one.
    pub fn survey(&self, kind: SurveyKind) -> Option<&Survey> {
        self.surveys.iter().find(|survey| survey.kind == kind)
    }

    /// Returns the survey whose answer is in the property of an event, by the event's name as counted.
    pub fn survey_of(&self, event: &str, property: &str) -> Option<&Survey> {
        self.surveys.iter().find(|survey| survey.event == event && survey.property == property)
    }

    /// Returns the properties with survey answers, and those with texts that people wrote.
    pub fn answer_properties(&self) -> Vec<&str> {
        let surveys = self.surveys.iter().map(|survey| survey.property.as_str());
        surveys.chain(self.texts.iter().map(String::as_str)).collect()
    }

    /// Returns the surveys with an unreadable answer in `properties` of an event, by the event's name as counted.
    pub fn unreadable_answers<'a>(
        &'a self,
        event: &'a str,
        properties: &'a Properties,
    ) -> impl Iterator<Item = &'a Survey> {
        let surveys = self.surveys.iter().filter(move |survey| survey.event == event);
        surveys.filter(|survey| properties.get(&survey.property).is_some_and(|value| survey.is_unreadable(value)))
    }

    /// Returns the tallies' names, in the file's order.
    pub fn tally_names(&self) -> Vec<String> {
        self.tally_rules.iter().map(|tally| tally.name.clone()).collect()
    }
}
