//! The file as it is written.

use crate::spanned::Spanned;
use perennial_domain::{Likelihood, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What people do, turned into nine likelihoods from 0 to 100. A score is its base, the points of its rules and the points of its
/// signals, less what shared caps take, kept within 0 and 100.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Points that everyone starts with, by score, 0 to 100; 0 where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::ScoreName, crate::schema::Percent>"))]
    pub(super) base: BTreeMap<Likelihood, Spanned<f64>>,
    /// Whom a score applies to, by score; everyone where nothing is written. For anyone else the score is absent: no number is
    /// shown, and no condition on it holds.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::ScoreName, RawApplies>"))]
    pub(super) applies: BTreeMap<Likelihood, RawApplies>,
    /// How engagement is worked out.
    #[serde(default)]
    pub(super) engagement: RawEngagement,
    /// The most that several rules and signals of one score may give together; at most 8 for each score.
    #[serde(default)]
    pub(super) category: Vec<Spanned<RawCategory>>,
    /// An event gives points to a score, which fade away.
    #[serde(default)]
    pub(super) rule: Vec<Spanned<RawRule>>,
    /// A state gives points to a score: none at `from`, all at `to`, a straight line between.
    #[serde(default)]
    pub(super) signal: Vec<Spanned<RawSignal>>,
    /// A plain counter of how many pieces of content or actions someone took in one stage of the journey.
    #[serde(default)]
    pub(super) tally: Vec<RawTally>,
    /// The survey that asks how likely someone is to recommend you; leave it out where there is none.
    pub(super) nps: Option<RawNps>,
    /// The survey that asks how satisfied someone is; leave it out where there is none.
    pub(super) csat: Option<RawCsat>,
    /// Which texts are read for how kind they are.
    #[serde(default)]
    pub(super) sentiment: RawSentiment,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawApplies {
    /// The stages in which it applies; all where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// A condition on the person: it applies only to whom it holds.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawEngagement {
    /// How often: so many active days of the last 28 are full engagement, 1 to 28; 20 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 28)))]
    pub(super) active_days: Option<Spanned<u8>>,
    /// How much: so many actions of late, 1 or more, give half of `most`; 24 where nothing is written. Those of this week count
    /// whole, and lose half their weight in each week after it.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) actions: Option<Spanned<u32>>,
    /// The most that the amount alone can give, 0 to 100; 60 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    pub(super) most: Option<Spanned<u8>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawCategory {
    /// A name of your own: letters, digits, `_` and `-`; unique within the score.
    pub(super) name: Spanned<String>,
    /// The score whose rules and signals share the cap.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    pub(super) score: Likelihood,
    /// The most points, above 0, that they give together; negative points are limited alike.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    pub(super) cap: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals. Renaming a rule starts its points from zero.
    pub(super) id: Spanned<String>,
    /// The score that it gives points to.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    pub(super) score: Likelihood,
    /// The event's name exactly as it is sent. Page calls are "$page", group calls "$group".
    pub(super) event: Spanned<String>,
    /// A condition on the event: only events for which it holds count.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// Points of one event when it happens: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    pub(super) points: Spanned<f64>,
    /// After so many days, 0.1 to 3650, half of the points are left. Without it they stay for good.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.1, max = 3650.0)))]
    pub(super) half_life_days: Option<Spanned<f64>>,
    /// The most points, above 0, that the rule gives in all; negative points are limited alike. Without it there is no limit.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    pub(super) cap: Option<Spanned<f64>>,
    /// The shared cap that it counts in: the name of a [[category]] of the same score.
    pub(super) category: Option<Spanned<String>>,
    /// What a colleague reads next to the score; the id where nothing is written.
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals.
    pub(super) id: Spanned<String>,
    /// The score that it gives points to.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    pub(super) score: Likelihood,
    /// What is measured: a number about the person. Where it is missing, the signal gives nothing.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonNumber"))]
    pub(super) measure: Spanned<String>,
    /// The measure at which it gives nothing yet.
    pub(super) from: Spanned<f64>,
    /// The measure from which on it gives all its points; below `from` where less is more. Must differ from `from`.
    pub(super) to: Spanned<f64>,
    /// Points at `to`: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    pub(super) points: Spanned<f64>,
    /// A condition on the person: it counts only for whom it holds.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
    /// The stages in which it counts; all where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// The shared cap that it counts in: the name of a [[category]] of the same score.
    pub(super) category: Option<Spanned<String>>,
    /// What a colleague reads next to the score; the id where nothing is written.
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTally {
    /// A name of your own, for conditions (tallies.NAME): letters, digits, `_` and `-`; unique.
    pub(super) name: Spanned<String>,
    /// The names of the events that it counts, exactly as they are sent; at least one.
    pub(super) events: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawNps {
    /// The name of the event that brings an answer.
    pub(super) event: Spanned<String>,
    /// The event's property that holds the answer: a whole number from `lowest` to 10, or its text. Anything else is no answer.
    pub(super) property: Spanned<String>,
    /// The lowest answer of the scale: 0 (default), or 1 where the survey asks for 1 to 10.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub(super) lowest: Option<Spanned<u8>>,
    /// Who answers 9 or 10 but has an engagement below this, 0 to 100, counts as passive; 0 where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    pub(super) promoter_min_engagement: Option<Spanned<u8>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawCsat {
    /// The name of the event that brings an answer.
    pub(super) event: Spanned<String>,
    /// The event's property that holds the answer: a whole number from 1 to `highest`, or its text. Anything else is no answer.
    pub(super) property: Spanned<String>,
    /// The highest answer of the scale, 2 to 100; 5 where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 100)))]
    pub(super) highest: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawSentiment {
    /// The names of event properties that hold texts which people wrote, such as "comment".
    #[serde(default)]
    pub(super) properties: Vec<String>,
}
