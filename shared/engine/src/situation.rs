//! Everything that a decision looks at.

use crate::facts::Facts;
use crate::person::Person;
use crate::profile::Profile;
use crate::taken::{StepTaken, Taken};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Step};

/// Everything that a decision looks at, and the profile that it is written into.
pub(crate) struct Situation<'a, 'p> {
    pub(crate) person: &'a Person<'a>,
    pub(crate) profile: &'p mut Profile,
    /// The combined facts of all identities, updated with changes.
    pub(crate) facts: Facts,
    /// The steps that journeys took.
    pub(crate) taken: Vec<StepTaken>,
}

impl<'a, 'p> Situation<'a, 'p> {
    pub(crate) fn new(person: &'a Person<'a>, profile: &'p mut Profile) -> Self {
        let facts = profile.facts();
        Self { person, profile, facts, taken: Vec::new() }
    }

    /// Records an action of a journey.
    pub(crate) fn tell(&mut self, journey: &Journey, step: Option<&Step>, what: Taken) {
        let (journey, step) = (journey.id.clone(), step.map(|step| step.id.clone()));
        self.taken.push(StepTaken { journey, step, what });
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.person.moment.config
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.person.moment.now
    }
}
