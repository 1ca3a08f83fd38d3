//! A user whose events are counted as they happen.

use crate::support::{Person, at};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, Event, Likelihood, Score, Stage, Touch};
use perennial_testkit::EventBuilder;

pub(crate) fn start() -> Timestamp {
    at("2026-03-02T09:00:00Z")
}

/// Events of one user, with unique ids.
pub(crate) struct Life {
    pub(crate) config: Config,
    pub(crate) person: Person,
    events: u32,
}

impl Life {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, person: Person::new("u"), events: 0 }
    }

    pub(crate) fn event(&mut self, name: &str, properties: serde_json::Value, when: Timestamp) -> Event {
        self.events += 1;
        EventBuilder::track(&format!("m{}", self.events), "u", name).at(when).properties(properties).build()
    }

    /// Records an event at its own time.
    pub(crate) fn does(&mut self, name: &str, properties: serde_json::Value, when: Timestamp) {
        let event = self.event(name, properties, when);
        self.person.feed(&self.config, &[event], when);
    }

    pub(crate) fn says(&mut self, traits: serde_json::Value, when: Timestamp) {
        self.events += 1;
        let event = EventBuilder::identify(&format!("m{}", self.events), "u", None).at(when).traits(traits).build();
        self.person.feed(&self.config, &[event], when);
    }

    pub(crate) fn score(&self, likelihood: Likelihood, when: Timestamp) -> u8 {
        self.person.at(&self.config, when).scores.get(likelihood).unwrap_or_default().get()
    }

    /// Returns the number of entries of a journey.
    pub(crate) fn entered(&self, journey: &str) -> u32 {
        let journey = self.config.journeys.all.iter().find(|one| one.id == journey).unwrap();
        self.person.profile.facts().entered.get(&journey.key).map_or(0, |entered| entered.times)
    }

    pub(crate) fn segments(&self, when: Timestamp) -> Vec<String> {
        self.person.at(&self.config, when).segments(&self.config).map(str::to_owned).collect()
    }

    pub(crate) fn personas(&self, when: Timestamp) -> Vec<String> {
        self.person.at(&self.config, when).personas(&self.config).map(str::to_owned).collect()
    }
}

/// Returns an account of so many people, without other data.
pub(crate) fn account(people: u32, stage: Option<Stage>) -> AccountFacts {
    AccountFacts {
        id: AccountId::parse("acme").unwrap(),
        people,
        score: Score::default(),
        health: None,
        value: None,
        touch: Touch::None,
        owner: None,
        stage,
        left: None,
        ended: Default::default(),
        renewals: 0,
        cancels: false,
        past_due: false,
        renews_at: None,
        leading_buyer: None,
        traits: Default::default(),
    }
}
