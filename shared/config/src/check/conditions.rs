//! All conditions of a configuration, and their positions.

use super::places::Part::{self, At, Key};
use crate::cel::Program;
use crate::config::Config;
use crate::journeys::{Does, GoalBy, Trigger, Wait};
use crate::vocabulary::{EventSlot, PersonSlot};
use perennial_domain::Likelihood;

/// A condition, or a measure.
pub(super) struct Condition<'a, S> {
    pub(super) program: &'a Program<S>,
    pub(super) file: &'static str,
    pub(super) path: Vec<Part<'static>>,
}

/// Returns those on a person.
pub(super) fn on_persons(config: &Config) -> Vec<Condition<'_, PersonSlot>> {
    let mut all = Vec::new();
    let mut add = |program, file, path: &[Part<'static>]| {
        if let Some(program) = program {
            all.push(Condition { program, file, path: path.to_vec() });
        }
    };
    for (at, persona) in config.personas.all.iter().enumerate() {
        add(persona.when.as_ref(), "personas.toml", &[Key("persona"), At(at), Key("when")]);
    }
    for (at, signal) in config.scoring.signals.iter().enumerate() {
        add(Some(&signal.measure), "scoring.toml", &[Key("signal"), At(at), Key("measure")]);
        add(signal.when.as_ref(), "scoring.toml", &[Key("signal"), At(at), Key("when")]);
    }
    for score in Likelihood::ALL {
        let when = config.scoring.score(score).applies.when.as_ref();
        add(when, "scoring.toml", &[Key("applies"), Key(score.as_str()), Key("when")]);
    }
    for (at, segment) in config.segments.all.iter().enumerate() {
        add(Some(&segment.when), "segments.toml", &[Key("segment"), At(at), Key("when")]);
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let file = "journeys.toml";
        add(journey.when.as_ref(), file, &[Key("journey"), At(at), Key("when")]);
        if let Trigger::Becomes { when } = &journey.trigger {
            add(Some(when), file, &[Key("journey"), At(at), Key("trigger"), Key("becomes")]);
        }
        if let Some(GoalBy::State(when)) = journey.goal.as_ref().map(|goal| &goal.by) {
            add(Some(when), file, &[Key("journey"), At(at), Key("goal"), Key("when")]);
        }
        add(journey.exit.as_ref(), file, &[Key("journey"), At(at), Key("exit")]);
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Branch { when, .. } = &step.does {
                add(Some(when), file, &[Key("journey"), At(at), Key("step"), At(number), Key("branch"), Key("when")]);
            }
        }
    }
    all
}

/// Those on one event.
pub(super) fn on_events(config: &Config) -> Vec<Condition<'_, EventSlot>> {
    let mut all = Vec::new();
    let mut add = |program, file, path: &[Part<'static>]| {
        if let Some(program) = program {
            all.push(Condition { program, file, path: path.to_vec() });
        }
    };
    for (at, feature) in config.features.all.iter().enumerate() {
        add(feature.filter.as_ref(), "features.toml", &[Key("feature"), At(at), Key("where")]);
    }
    for (at, rule) in config.scoring.rules.iter().enumerate() {
        add(rule.filter.as_ref(), "scoring.toml", &[Key("rule"), At(at), Key("where")]);
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let file = "journeys.toml";
        add(journey.filter.as_ref(), file, &[Key("journey"), At(at), Key("trigger"), Key("where")]);
        if let Some(GoalBy::Event { filter, .. }) = journey.goal.as_ref().map(|goal| &goal.by) {
            add(filter.as_ref(), file, &[Key("journey"), At(at), Key("goal"), Key("where")]);
        }
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Wait(Wait::Event { filter, .. }) = &step.does {
                add(
                    filter.as_ref(),
                    file,
                    &[Key("journey"), At(at), Key("step"), At(number), Key("wait"), Key("where")],
                );
            }
        }
    }
    all
}
