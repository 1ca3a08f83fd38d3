//! Evaluates a state at a moment: stage, personas, scores, engagement, segments.

use crate::account::value::named_owner;
use crate::engagement::Engagement;
use crate::moment::Moment;
use crate::person::{NpsClass, Person};
use crate::score::values;
use crate::state::State;
use perennial_config::Config;
use perennial_domain::{AccountFacts, Score, Scores, Stage};

/// The evaluation of a state at a moment. For the reasons of a score see [`crate::explain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The stage.
    pub stage: Stage,
    /// Those of the nine likelihoods that apply.
    pub scores: Scores,
    /// Frequency and amount of activity, 0 to 100. For its components see [`Self::engaged`].
    pub engagement: Score,
    /// The components of engagement.
    pub engaged: Engagement,
    /// The class of the latest survey answer.
    pub nps: NpsClass,
    /// The average sentiment of the texts of the last three months, -1 to 1; `None` without any.
    pub sentiment: Option<f64>,
    /// The number of texts of the same time in unsupported languages, whose sentiment is unknown.
    pub unread_texts: u32,
    /// Whole days since the last activity; `None` where there was none.
    pub idle_days: Option<i64>,
    /// One bit for each configured persona, the first the lowest.
    pub(crate) personas: u32,
    /// One bit for each configured segment, the first the lowest.
    pub(crate) segments: u64,
}

impl Evaluation {
    /// Returns the personas, by their names in `config`, which the evaluation was made under.
    pub fn personas<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c str> {
        let bits = self.personas;
        let all = config.personas.all.iter().enumerate();
        all.filter(move |(at, _)| bits & (1 << at) != 0).map(|(_, persona)| persona.name.as_str())
    }

    /// Returns the segments, by their names in `config`, which the evaluation was made under.
    pub fn segments<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c str> {
        let bits = self.segments;
        let all = config.segments.all.iter().enumerate();
        all.filter(move |(at, _)| bits & (1 << at) != 0).map(|(_, segment)| segment.name.as_str())
    }

    /// Returns whether colleagues may call the person: none of their segments forbids it.
    pub fn may_call(&self, config: &Config) -> bool {
        let forbids = |name: &str| config.segments.get(name).is_some_and(|(_, segment)| !segment.phone);
        !self.segments(config).any(forbids)
    }

    /// Returns the person's owner, who gets tasks about them: that of the account's own trait, else the owner of the
    /// first of the person's segments, in the file's order, that has one, else the owner of the account's touch model.
    pub fn owner<'a>(&self, config: &'a Config, account: Option<&'a AccountFacts>) -> Option<&'a str> {
        let named = account.and_then(|account| named_owner(config, |name| account.traits.get(name)));
        let of_segment =
            || self.segments(config).find_map(|name| config.segments.get(name).and_then(|(_, of)| of.owner.as_deref()));
        named.or_else(of_segment).or_else(|| account.and_then(|account| account.owner.as_deref()))
    }
}

/// Evaluates `state` at a moment.
pub fn evaluate(moment: &Moment<'_>, state: &State) -> Evaluation {
    Evaluation::of(&look(moment, state))
}

/// Returns the fully evaluated person.
pub(crate) fn look<'a>(moment: &Moment<'a>, state: &'a State) -> Person<'a> {
    let mut person = Person::new(*moment, state);
    person.scores = values(&person);
    person.find_segments();
    person
}

impl Evaluation {
    pub(crate) fn of(person: &Person<'_>) -> Self {
        Self {
            stage: person.stage,
            scores: person.scores,
            engagement: person.engagement().value,
            engaged: person.engagement(),
            nps: person.nps_class(),
            sentiment: person.sentiment(),
            unread_texts: person.unread_texts(),
            idle_days: person.idle_days(),
            personas: person.personas,
            segments: person.segments,
        }
    }
}
