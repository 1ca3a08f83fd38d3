//! The file as it is written.

use crate::spanned::Spanned;
use perennial_domain::{Likelihood, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The rules of nine likelihoods from 0 to 100. A score is its base, the points of its rules and the points of its
/// signals, limited by shared caps and to 0 to 100.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The initial points of everyone, by score, 0 to 100; default: 0.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::ScoreName, crate::schema::Percent>"))]
    pub(super) base: BTreeMap<Likelihood, Spanned<f64>>,
    /// The people that a score applies to, by score; default: everyone. For anyone else the score is absent: it is not
    /// shown, and no condition on it holds.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::ScoreName, RawApplies>"))]
    pub(super) applies: BTreeMap<Likelihood, RawApplies>,
    /// How engagement is computed.
    #[serde(default)]
    pub(super) engagement: RawEngagement,
    /// The most that several rules and signals of one score may add up to; at most 8 for each score.
    #[serde(default)]
    pub(super) category: Vec<Spanned<RawCategory>>,
    /// An event that gives points to a score, which decay.
    #[serde(default)]
    pub(super) rule: Vec<Spanned<RawRule>>,
    /// A state that gives points to a score: none at `from`, all at `to`, linear in between.
    #[serde(default)]
    pub(super) signal: Vec<Spanned<RawSignal>>,
    /// A counter of content and actions in one stage of the journey.
    #[serde(default)]
    pub(super) tally: Vec<RawTally>,
    /// The survey about how likely a person is to recommend the product. Optional.
    pub(super) nps: Option<RawNps>,
    /// The survey about a person's satisfaction. Optional.
    pub(super) csat: Option<RawCsat>,
    /// The texts whose sentiment is analysed.
    #[serde(default)]
    pub(super) sentiment: RawSentiment,
    /// A theme of survey answers, for the report `answers`; at most 32.
    #[serde(default)]
    pub(super) theme: Vec<Spanned<RawTheme>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawApplies {
    /// The stages in which it applies; default: all.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// A condition on the person that must hold for it to apply.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawEngagement {
    /// The frequency of full engagement: active days of the last 28, 1 to 28; default: 20.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 28)))]
    pub(super) active_days: Option<Spanned<u8>>,
    /// The number of recent actions, 1 or more, that give half of `most`; default: 24. Those of this week count in
    /// full, and lose half their weight in each week after it.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) actions: Option<Spanned<u32>>,
    /// The most that the amount alone can give, 0 to 100; default: 60.
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
    /// The most points, above 0, that they add up to; negative points are limited in the same way.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    pub(super) cap: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals. Renaming a rule starts its points from zero.
    pub(super) id: Spanned<String>,
    /// The score that receives the points.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    pub(super) score: Likelihood,
    /// The event's exact name. Page calls are "$page", group calls "$group".
    pub(super) event: Spanned<String>,
    /// A condition on the event: only events for which it holds count.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// Points of one event when it happens: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    pub(super) points: Spanned<f64>,
    /// The number of days, 0.1 to 3650, after which half of the points remain; default: no decay.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.1, max = 3650.0)))]
    pub(super) half_life_days: Option<Spanned<f64>>,
    /// The most points, above 0, that the rule gives in total; negative points are limited in the same way; default: no
    /// limit.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    pub(super) cap: Option<Spanned<f64>>,
    /// The shared cap: the name of a [[category]] of the same score.
    pub(super) category: Option<Spanned<String>>,
    /// The reason that colleagues see next to the score; default: the id.
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignal {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals.
    pub(super) id: Spanned<String>,
    /// The score that receives the points.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    pub(super) score: Likelihood,
    /// The measure: a number about the person. If it is missing, the signal gives nothing.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonNumber"))]
    pub(super) measure: Spanned<String>,
    /// The measure that gives no points.
    pub(super) from: Spanned<f64>,
    /// The measure that gives all points; below `from` if less is more. Must differ from `from`.
    pub(super) to: Spanned<f64>,
    /// Points at `to`: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    pub(super) points: Spanned<f64>,
    /// A condition on the person that must hold for it to count.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
    /// The stages in which it counts; default: all.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// The shared cap: the name of a [[category]] of the same score.
    pub(super) category: Option<Spanned<String>>,
    /// The reason that colleagues see next to the score; default: the id.
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTally {
    /// A name of your own, for conditions (tallies.NAME): letters, digits, `_` and `-`; unique.
    pub(super) name: Spanned<String>,
    /// The events that it counts, by their exact names; at least one.
    pub(super) events: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawNps {
    /// The name of the event with an answer.
    pub(super) event: Spanned<String>,
    /// The event's property with the answer: a whole number from `lowest` to 10, or its text. Anything else is ignored.
    pub(super) property: Spanned<String>,
    /// The lowest answer of the scale: 0 (default), or 1 where the survey asks for 1 to 10.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub(super) lowest: Option<Spanned<u8>>,
    /// The engagement, 0 to 100, below which a person who answers 9 or 10 counts as passive; default: 0.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    pub(super) promoter_min_engagement: Option<Spanned<u8>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawCsat {
    /// The name of the event with an answer.
    pub(super) event: Spanned<String>,
    /// The event's property with the answer: a whole number from 1 to `highest`, or its text. Anything else is ignored.
    pub(super) property: Spanned<String>,
    /// The highest answer of the scale, 2 to 100; default: 5.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 100)))]
    pub(super) highest: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawSentiment {
    /// The event properties with texts that people wrote, such as "comment".
    #[serde(default)]
    pub(super) properties: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTheme {
    /// Its name in the report: letters, digits, `_` and `-`; unique.
    pub(super) name: Spanned<String>,
    /// Words or phrases, or their beginnings ("pric" for price and pricing), in any language; upper and lower case are the same. An
    /// answer with one of them is of the theme. 1 to 100.
    pub(super) words: Spanned<Vec<Spanned<String>>>,
}
