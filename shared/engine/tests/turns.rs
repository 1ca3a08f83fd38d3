//! One message at a time: which of several due messages is sent, and what happens to the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod laws;
mod reasons;
mod together;

use crate::support::at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Channel, Decision, Event, Withheld};
use perennial_engine::{Action, Mode, Moment, Processed, Profile, process, tick};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use std::collections::HashSet;

const TEMPLATE: &str = "subject = \"s\"\ntext = \"t\"\n";

/// A config of these journeys and limits. Each template `t…` of them is there, and `bill` of an essential topic.
fn config(journeys: &str, limits: &str) -> Config {
    let (journeys, limits) = (format!("!{journeys}"), format!("!{limits}"));
    let topics = "\n[[topic]]\nid = \"billing\"\ntitle = \"Billing\"\nessential = true\n";
    let bill = format!("{TEMPLATE}topic = \"billing\"\n");
    let files = [
        ("journeys.toml", journeys.as_str()),
        ("limits.toml", &limits),
        ("channels.toml", topics),
        ("templates/t.toml", TEMPLATE),
        ("templates/bill.toml", &bill),
    ];
    ConfigBuilder::least().with(&files).load()
}

/// Returns a journey that sends one message as soon as an event of this name was counted, triggered by a state. `more`
/// is added to the journey.
fn becomes(id: &str, event: &str, channel: &str, more: &str) -> String {
    format!(
        "[[journey]]\nid = \"{id}\"\ntrigger = {{ becomes = 'count(\"{event}\") >= 1' }}\n{more}\n{}",
        message(channel, "")
    )
}

/// Returns a journey that sends one message whenever an event of this name happens.
fn on_event(id: &str, event: &str, channel: &str, more: &str) -> String {
    format!(
        "[[journey]]\nid = \"{id}\"\ntrigger = {{ event = \"{event}\" }}\nreentry = \"always\"\n{more}\n{}",
        message(channel, "")
    )
}

/// A step that sends a message.
fn message(channel: &str, more: &str) -> String {
    format!("[[journey.step]]\nchannel = \"{channel}\"\ntemplate = \"t\"\n{more}\n")
}

/// A decision: the journey, when, and why it is not sent.
type Outcome = (String, String, Option<Withheld>);

struct Person {
    profile: Profile,
    user: String,
    events: u32,
}

impl Person {
    /// Returns a person with a mail address since long ago.
    fn new(config: &Config, user: &str) -> Self {
        let since = at("2026-01-01T00:00:00Z");
        let event = EventBuilder::identify(&format!("{user}-mail"), user, None)
            .with_trait("email", format!("{user}@example.com"));
        let event = event.at(since).build();
        let mut person = Self { profile: Profile::new(event.identity().unwrap()), user: user.to_owned(), events: 0 };
        person.feed(config, &[event], since);
        person
    }

    fn feed(&mut self, config: &Config, events: &[Event], now: Timestamp) -> Processed {
        process(&Moment::new(config, now), &mut self.profile, events, &HashSet::new(), Mode::Live)
    }

    fn event(&mut self, name: &str, now: Timestamp) -> Event {
        self.events += 1;
        EventBuilder::track(&format!("{}-{}", self.user, self.events), &self.user, name).at(now).build()
    }

    /// Records all events at once; returns the decisions.
    fn does(&mut self, config: &Config, names: &[&str], now: &str) -> Vec<Outcome> {
        let now = at(now);
        let events: Vec<Event> = names.iter().map(|name| self.event(name, now)).collect();
        self.feed(config, &events, now);
        self.decided().iter().map(outcome).collect()
    }

    fn look(&mut self, config: &Config, now: Timestamp) -> Vec<Decision> {
        tick(&Moment::new(config, now), &mut self.profile);
        self.decided()
    }

    fn decided(&mut self) -> Vec<Decision> {
        let sent = |action: &Action| if let Action::Send(decision) = action { Some(decision.clone()) } else { None };
        let decided = self.profile.outbox.iter().filter_map(sent).collect();
        self.profile.outbox.retain(Action::is_held);
        decided
    }

    /// Advances time from one due time to the next; returns the decisions up to `until`.
    fn goes_on(&mut self, config: &Config, until: &str) -> Vec<Outcome> {
        let (until, mut all) = (at(until), Vec::new());
        let mut looks = 0;
        while let Some(due) = self.profile.due_at.filter(|due| *due <= until) {
            all.extend(self.look(config, due).iter().map(outcome));
            assert!(self.profile.due_at.is_none_or(|next| next > due), "a due time lies ahead");
            looks += 1;
            assert!(looks < 200, "due times come to an end");
        }
        all
    }
}

fn outcome(decision: &Decision) -> Outcome {
    (decision.journey.clone(), decision.decided_at.to_string(), decision.withheld)
}

fn sent(journey: &str, when: &str) -> Outcome {
    (journey.to_owned(), when.to_owned(), None)
}

fn dropped(journey: &str, when: &str, why: Withheld) -> Outcome {
    (journey.to_owned(), when.to_owned(), Some(why))
}

/// Returns whether others wait after the decided message.
fn takes_turn(decision: &Decision) -> bool {
    decision.withheld.is_none() && decision.channel != Channel::Webhook
}
