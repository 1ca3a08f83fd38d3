//! The listeners of an event: everything in a configuration that names it.

use crate::cel::Program;
use crate::config::Config;
use crate::journeys::{GoalBy, Trigger};
use crate::scoring::SurveyKind;
use crate::vocabulary::PersonSlot;
use std::collections::{BTreeMap, BTreeSet};

/// The listeners of each event, by its name as counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listeners(BTreeMap<String, BTreeSet<String>>);

impl Listeners {
    /// Returns everything in `config` that names an event. Current versions of journeys only.
    pub fn of(config: &Config) -> Self {
        let mut all = Self::default();
        all.scoring(config);
        all.lifecycle(config);
        for feature in &config.features.all {
            all.add(&feature.event, format_args!("feature {}", feature.name));
        }
        for education in &config.features.education {
            all.add(&education.event, format_args!("education {}", education.name));
        }
        for persona in &config.personas.all {
            all.condition(persona.when.as_ref(), format_args!("persona {}", persona.name));
        }
        for segment in &config.segments.all {
            all.condition(Some(&segment.when), format_args!("segment {}", segment.name));
        }
        for journey in &config.journeys.all {
            let name = format_args!("journey {}", journey.id);
            if let Trigger::Event { event, .. } = &journey.trigger {
                all.add(event, name);
            }
            if let Some(GoalBy::Event { event, .. }) = journey.goal.as_ref().map(|goal| &goal.by) {
                all.add(event, name);
            }
            journey.conditions().for_each(|condition| all.condition(Some(condition), name));
        }
        all
    }

    /// Returns the listeners of the event with this name, such as `rule pricing` and `journey welcome`, in alphabetical order.
    pub fn to(&self, event: &str) -> impl Iterator<Item = &str> {
        self.0.get(event).into_iter().flatten().map(String::as_str)
    }

    /// Returns all events that anything listens to, in alphabetical order.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn add(&mut self, event: &str, who: impl std::fmt::Display) {
        self.0.entry(event.to_owned()).or_default().insert(who.to_string());
    }

    fn condition(&mut self, condition: Option<&Program<PersonSlot>>, who: impl std::fmt::Display + Copy) {
        for slot in condition.into_iter().flat_map(Program::slots) {
            if let Some(event) = slot.event() {
                self.add(event, who);
            }
        }
    }

    fn scoring(&mut self, config: &Config) {
        let scoring = &config.scoring;
        for rule in &scoring.rules {
            self.add(&rule.event, format_args!("rule {}", rule.id));
        }
        for signal in &scoring.signals {
            let name = format_args!("signal {}", signal.id);
            self.condition(Some(&signal.measure), name);
            self.condition(signal.when.as_ref(), name);
        }
        for (event, tallies) in &scoring.tallies {
            tallies.iter().for_each(|tally| self.add(event, format_args!("tally {tally}")));
        }
        for survey in &scoring.surveys {
            let name = match survey.kind {
                SurveyKind::Nps => "survey nps",
                SurveyKind::Csat => "survey csat",
            };
            self.add(&survey.event, name);
        }
    }

    fn lifecycle(&mut self, config: &Config) {
        for event in config.lifecycle.milestones.keys() {
            self.add(event, "life cycle");
        }
        let billing = &config.billing;
        let of_billing = [
            &billing.subscription_events,
            &billing.one_time,
            &billing.paid,
            &billing.corrected,
            &billing.refunded,
            &billing.cancelled,
        ];
        of_billing.into_iter().flatten().for_each(|event| self.add(event, "billing"));
        let accounts = &config.accounts;
        accounts.stage_events.iter().chain(&accounts.member_events).for_each(|event| self.add(event, "accounts"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Bundle;

    fn listeners(files: &[(&str, &str)]) -> Listeners {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Listeners::of(&Config::load_all(&Bundle { files }).0)
    }

    #[test]
    fn whatever_names_an_event_listens_to_it() {
        let all = listeners(&[
            ("lifecycle.toml", "[milestones]\ntrial = [\"Trial Started\"]\n"),
            (
                "scoring.toml",
                "[[rule]]\nid = \"prices\"\nscore = \"purchase\"\nevent = \"Prices Viewed\"\npoints = 5\n",
            ),
            ("features.toml", "[[feature]]\nname = \"maps\"\nevent = \"Map Opened\"\n"),
            (
                "segments.toml",
                "[[segment]]\nname = \"curious\"\nwhen = 'count(\"Prices Viewed\", 7) >= 3 && days_since(\"Map Opened\") < 5'\n",
            ),
        ]);
        let to = |event: &str| all.to(event).collect::<Vec<_>>();
        assert_eq!(to("Prices Viewed"), ["rule prices", "segment curious"]);
        assert_eq!(to("Map Opened"), ["feature maps", "segment curious"]);
        assert_eq!(to("Trial Started"), ["life cycle"]);
        assert_eq!(to("Else"), [""; 0]);
        assert!(
            ["Prices Viewed", "Map Opened", "Trial Started"].iter().all(|event| all.events().any(|one| one == *event))
        );
    }
}
