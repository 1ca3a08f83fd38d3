//! What a state means at a moment: stage, personas, scores, engagement, segments.

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
    /// All nine likelihoods.
    pub scores: Scores,
    /// Active days of the last 28, as 0 to 100, where 20 days are 100.
    pub engagement: Score,
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

    /// Who answers for the person, which is whose a task about them is: the owner of the account, else that of the first segment in the
    /// file's order that the person is in and that has one.
    pub fn owner<'a>(&self, config: &'a Config, account: Option<&'a AccountFacts>) -> Option<&'a str> {
        let of_account = account.and_then(|account| account.owner.as_deref());
        of_account.or_else(|| {
            self.segments(config).find_map(|name| config.segments.get(name).and_then(|(_, of)| of.owner.as_deref()))
        })
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
            engagement: person.engagement(),
            nps: person.nps_class(),
            sentiment: person.sentiment(),
            unread_texts: person.unread_texts(),
            idle_days: person.idle_days(),
            personas: person.personas,
            segments: person.segments,
        }
    }
}
