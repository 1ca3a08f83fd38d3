//! An invented person in a stage, with traits, and without other data.

use super::supposed::{InvalidSupposed, Supposed};
use crate::evaluate::look;
use crate::moment::Moment;
use crate::process::{Mode, process, reschedule};
use crate::profile::Profile;
use crate::situation::Situation;
use crate::stage::stage;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Trigger};
use perennial_config::lifecycle::Milestone;
use perennial_domain::time::plus_days;
use perennial_domain::{Identity, Properties, Stage, UserId};
use std::collections::HashSet;

/// The default address: `.example` is a reserved domain.
const ADDRESS: &str = "sample@customer.example";

/// The invented person.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The user id. Another id gets other variants of splits and holdouts.
    pub id: UserId,
    /// The stage; `None` for the journey's first stage.
    pub stage: Option<Stage>,
    /// The traits. Without `email` the person has an address of a reserved domain.
    pub traits: Properties,
}

/// The reason why there is no such person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSample {
    /// The lifecycle leads nobody there.
    #[error(
        "nobody can be made up whose stage is {0}: lifecycle.toml names no events that lead there, or leaves no days for it"
    )]
    Stage(Stage),
    /// A trait cannot be.
    #[error(transparent)]
    Traits(#[from] InvalidSupposed),
}

impl Sample {
    /// Returns the person at `at`, as if the events of their stage had happened before: without a history of messages
    /// and journeys, and inactive for as long as the journey's trigger requires.
    ///
    /// # Errors
    /// [`NoSample`] if no event leads to that stage.
    pub fn make(&self, config: &Config, journey: &Journey, at: Timestamp) -> Result<Profile, NoSample> {
        let wanted = self.stage.or_else(|| journey.stages.first().copied()).unwrap_or(Stage::Lead);
        let quiet = match &journey.trigger {
            Trigger::Idle { days } => i64::from(*days),
            _ => 0,
        };
        let quiet = if wanted == Stage::AtRisk {
            quiet.max(i64::from(config.lifecycle.at_risk_after_idle_days))
        } else {
            quiet
        };
        let last = plus_days(at, -quiet);
        let identity = Identity::User(self.id.clone());
        let mut traits = self.traits.clone();
        traits.entry("email").or_insert_with(|| ADDRESS.into());
        let mut supposed = Vec::new();
        for (days, milestone) in milestones(config, wanted) {
            // With the earlier ones, a stage without an event of its own can still be reached if another event leads
            // there.
            if let Some(event) = event_of(config, milestone) {
                let properties = Properties::new();
                supposed.push(Supposed { at: plus_days(last, -days), event: event.to_owned(), properties });
            }
        }
        supposed.push(Supposed { at: last, event: "$identify".to_owned(), properties: traits });
        let events = supposed.iter().enumerate().map(|(number, supposed)| supposed.event(&identity, "sample", number));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let mut profile = Profile::new(identity);
        let moment = Moment::new(config, at);
        process(&moment, &mut profile, &events, &HashSet::new(), Mode::Replay);
        let view = profile.view();
        if stage(&moment, &view) != wanted {
            return Err(NoSample::Stage(wanted));
        }
        let person = look(&moment, &view);
        Situation::new(&person, &mut profile).note();
        reschedule(&mut profile, &person);
        Ok(profile)
    }
}

/// Returns the milestones of a stage, each so many days before the last activity.
fn milestones(config: &Config, stage: Stage) -> Vec<(i64, Milestone)> {
    let lifecycle = &config.lifecycle;
    let paid = |days: u16| vec![(i64::from(days), Milestone::Customer)];
    match stage {
        Stage::Visitor => Vec::new(),
        Stage::Lead => vec![(1, Milestone::Lead)],
        Stage::Trial => vec![(1, Milestone::Trial)],
        Stage::Freemium => vec![(1, Milestone::Freemium)],
        Stage::Onboarding => paid(0),
        Stage::Adopting => paid(lifecycle.onboarding_days),
        Stage::Established | Stage::AtRisk => paid(lifecycle.adopting_days),
        Stage::Churned => vec![(60, Milestone::Customer), (1, Milestone::Churned)],
        Stage::WonBack => vec![(90, Milestone::Customer), (30, Milestone::Churned), (1, Milestone::Customer)],
    }
}

/// An event that is this milestone: of several the one that is no other too, then the first of the alphabet.
fn event_of(config: &Config, milestone: Milestone) -> Option<&str> {
    let events = config.lifecycle.milestones.iter().filter(|(_, of)| of.contains(&milestone));
    events.map(|(name, of)| (of.len(), name.as_str())).filter(|(_, name)| *name != "$group").min().map(|(_, name)| name)
}
