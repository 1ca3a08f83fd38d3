//! A small configuration and a person with an in-memory ledger.
#![allow(unreachable_pub, clippy::expect_used, clippy::panic)]

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Event, Identity, Likelihood, PersonId, UserId};
use perennial_engine::{Action, Evaluation, Explanation, Mode, Moment, Processed, Profile, evaluate, explain, process};
use perennial_testkit::ConfigBuilder;
use std::collections::HashSet;

/// The small config.
pub fn config() -> Config {
    config_with(&[])
}

/// The default config of the project.
pub fn default_config() -> Config {
    ConfigBuilder::shipped().load()
}

/// The small config with `others` added to its files, or put in their place where they begin with `!`.
pub fn config_with(others: &[(&str, &str)]) -> Config {
    let files = [
        (
            "scoring.toml",
            r#"
            [base]
            churn = 10
            [[rule]]
            id = "bought"
            score = "purchase"
            event = "Order Completed"
            points = 30
            half_life_days = 20
            [[rule]]
            id = "big"
            score = "purchase"
            event = "Order Completed"
            where = 'properties.size == "big"'
            points = 15
            cap = 40
            [[rule]]
            id = "complained"
            score = "purchase"
            event = "Complained"
            points = -70
            half_life_days = 3.5
            [[signal]]
            id = "quiet"
            score = "churn"
            measure = 'idle_days'
            from = 7
            to = 27
            points = 80
            [[tally]]
            name = "decision"
            events = ["Order Completed", "$page"]
            "#,
        ),
        (
            "lifecycle.toml",
            r#"
            lead = ["$identify"]
            trial = ["Trial Started"]
            customer = ["Order Completed"]
            churned = ["Subscription Cancelled"]
            [activity]
            passive = ["Email Delivered"]
            "#,
        ),
        (
            "journeys.toml",
            r#"
            [[journey]]
            id = "welcome"
            trigger = { event = "Trial Started" }
            step = [{ channel = "mail", template = "t" }, { channel = "in_app", template = "t" }]
            [[journey]]
            id = "pricing"
            trigger = { event = "$page", times = 3, within_days = 7 }
            step = [{ channel = "in_app", template = "t" }]
            [[journey]]
            id = "quiet"
            trigger = { idle_days = 14 }
            reentry = "always"
            step = [{ channel = "mail", template = "t" }]
            [[journey]]
            id = "rescue"
            trigger = { score = "churn", above = 50 }
            reentry = "always"
            step = [{ channel = "mail", template = "t" }]
            "#,
        ),
        ("templates/t.toml", "subject = \"s\"\ntext = \"t\""),
    ];
    ConfigBuilder::least().with(&files).with(others).load()
}

/// A profile with its ledger, handled as `score` handles them.
pub struct Person {
    pub profile: Profile,
    pub ledger: HashSet<(PersonId, u64)>,
}

impl Person {
    pub fn new(user: &str) -> Self {
        Self::of(Identity::User(UserId::parse(user).expect("a user id")))
    }

    pub fn of(identity: Identity) -> Self {
        Self { profile: Profile::new(identity), ledger: HashSet::new() }
    }

    pub fn feed(&mut self, config: &Config, events: &[Event], now: Timestamp) -> Processed {
        let asked: HashSet<(PersonId, u64)> = events
            .iter()
            .filter_map(|event| {
                let part = self.profile.part(&event.identity()?)?;
                part.seen.may_be_in_ledger(event).then(|| (part.owner(), event.seen_id()))
            })
            .filter(|key| self.ledger.contains(key))
            .collect();
        let processed = process(&Moment::new(config, now), &mut self.profile, events, &asked, Mode::Live);
        for block in &processed.rolled {
            self.ledger.extend(block.ids.iter().map(|id| (block.owner, *id)));
        }
        processed
    }

    /// Stage, scores and the rest at `now`.
    pub fn at(&self, config: &Config, now: Timestamp) -> Evaluation {
        evaluate(&Moment::new(config, now), &self.profile.view())
    }

    /// Returns the explanation of `score`, which applies to them, at `now`.
    pub fn why(&self, config: &Config, now: Timestamp, score: Likelihood) -> Explanation {
        explain(&Moment::new(config, now), &self.profile.view(), &self.profile.facts(), score)
            .expect("a score that applies")
    }

    /// Journeys of the messages in the outbox, which is emptied.
    pub fn sent(&mut self) -> Vec<String> {
        let actions = std::mem::take(&mut self.profile.outbox);
        actions
            .into_iter()
            .filter_map(|action| if let Action::Send(decision) = action { Some(decision.journey) } else { None })
            .collect()
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}
