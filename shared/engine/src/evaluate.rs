//! What a state means at a moment: stage, personas, scores, engagement, segments.

use crate::account::standing::named_owner;
use crate::engagement::Engagement;
use crate::moment::Moment;
use crate::person::{NpsClass, Person};
use crate::score::values;
use crate::state::State;
use perennial_config::Config;
use perennial_domain::{AccountFacts, Score, Scores, Stage};

/// A state at a moment. Why a score is what it is: [`crate::explain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Where the person stands.
    pub stage: Stage,
    /// The likelihoods, of the nine those that apply to the person.
    pub scores: Scores,
    /// How often and how much the person does something, 0 to 100. What it is made of: [`Self::engaged`].
    pub engagement: Score,
    /// What the engagement is made of.
    pub engaged: Engagement,
    /// What the latest survey answer makes of the person.
    pub nps: NpsClass,
    /// How kind the texts of the last three months are on average, -1 to 1; `None` where there are none.
    pub sentiment: Option<f64>,
    /// Texts of the same time in languages that are not known: nothing can be said of them.
    pub unread_texts: u32,
    /// Whole days since the last activity; `None` where there was none.
    pub idle_days: Option<i64>,
    /// One bit for each persona of the config, the first the lowest.
    pub(crate) personas: u32,
    /// One bit for each segment of the config, the first the lowest.
    pub(crate) segments: u64,
}

impl Evaluation {
    /// The person's personas, by their names in `config`, which the evaluation was made under.
    pub fn personas<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c str> {
        let bits = self.personas;
        let all = config.personas.all.iter().enumerate();
        all.filter(move |(at, _)| bits & (1 << at) != 0).map(|(_, persona)| persona.name.as_str())
    }

    /// The segments that the person is in, by their names in `config`, which the evaluation was made under.
    pub fn segments<'c>(&self, config: &'c Config) -> impl Iterator<Item = &'c str> {
        let bits = self.segments;
        let all = config.segments.all.iter().enumerate();
        all.filter(move |(at, _)| bits & (1 << at) != 0).map(|(_, segment)| segment.name.as_str())
    }

    /// Returns who answers for the person, and so who gets tasks about them: whom the account's own trait names, else the owner of the
    /// first segment in the file's order that the person is in and that has one, else the owner of the account's touch level.
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

/// The person with everything worked out.
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
