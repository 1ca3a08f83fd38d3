//! The lists that a profile is in: by stage, segment, persona, owner, score band, and the words of its name.
//!
//! A list is an index in the table. A profile keeps what the lists have of it ([`Listed`]), so that a write knows the
//! difference, which its outbox then carries ([`crate::Action::List`]). Anonymous visitors are in no list: see
//! [`crate::relist`].
//!
//! Scores are listed by bands of ten points. An entry is rewritten when the score is more than [`SLACK`] points outside of
//! its band as the profile is evaluated for another reason, and by a timer when silence alone takes it [`DRIFT`] points
//! outside. So a reader who looks [`REACH`] points beyond a band misses nobody, and a score that varies around the limit of
//! two bands is not written each time.

pub(crate) mod change;
pub(crate) mod entry;
pub(crate) mod listed;
mod scale;

pub use change::ListChange;
pub use entry::{ListEntry, owner_key};
pub use listed::Listed;
pub use scale::{BANDS, Bands, DRIFT, REACH, SLACK, Scale, around, band, bands_of, is_within};

use crate::evaluate::Evaluation;
use crate::moment::Moment;
use crate::state::State;
use perennial_domain::traits::Fact;
use perennial_domain::{Score, search};
use std::collections::BTreeSet;

impl Scale {
    /// Returns the value of an evaluation; `None` if the score does not apply.
    pub fn of(self, evaluation: &Evaluation) -> Option<Score> {
        match self {
            Self::Score(likelihood) => evaluation.scores.get(likelihood),
            Self::Engagement => Some(evaluation.engagement),
        }
    }
}

impl Listed {
    /// Returns what the lists should have of a profile. `before` is what they have.
    pub fn of(moment: &Moment<'_>, view: &State, evaluation: &Evaluation, before: Option<&Self>) -> Self {
        let config = moment.config;
        Self {
            stage: evaluation.stage,
            personas: evaluation.personas(config).map(str::to_owned).collect(),
            segments: evaluation.segments(config).map(str::to_owned).collect(),
            owner: evaluation.owner(config, moment.account).map(owner_key),
            bands: Bands::new(before.map(|before| &before.bands), |scale| scale.of(evaluation)),
            words: words(view),
        }
    }
}

/// Returns the words that a person is found by: of the name, the company, and the parts of the name.
pub fn words(view: &State) -> BTreeSet<String> {
    let names = [Fact::Name, Fact::FirstName, Fact::LastName, Fact::Company];
    let names: Vec<String> = names.into_iter().filter_map(|fact| view.text_trait(fact.as_str())).collect();
    search::words(names.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;
