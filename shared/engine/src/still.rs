//! The part of an evaluation that time alone does not change, for looks at many moments: the next time at which something changes is found by looking
//! at each day of the silence to come, and most conditions ask for nothing that time changes.

use crate::points::Points;
use crate::state::State;
use perennial_config::Config;
use perennial_config::cel::Program;
use perennial_config::journeys::Trigger;
use perennial_config::vocabulary::{AccountField, PersonSlot};
use perennial_domain::Likelihood;
use std::cell::OnceCell;

/// Where a condition stands in the config, by its index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// A persona's condition.
    Persona(usize),
    /// A signal's condition.
    Signal(usize),
    /// A score's condition.
    Applies(Likelihood),
    /// A segment's condition.
    Segment(usize),
    /// The condition of a journey's trigger.
    Journey(usize),
}

/// A value that no moment changes, once it is known; `None` for one that time may change.
type Kept<T> = Option<OnceCell<T>>;

/// The values of a person that time alone does not change.
#[derive(Debug, Clone)]
pub(crate) struct Still<'a> {
    personas: Vec<Kept<bool>>,
    signals: Vec<Kept<bool>>,
    measures: Vec<Kept<Option<f64>>>,
    applies: Vec<Kept<bool>>,
    segments: Vec<Kept<bool>>,
    journeys: Vec<Kept<bool>>,
    /// The person's points by the index of their rule.
    points: Vec<Option<&'a Points>>,
    /// The scores that conditions and triggers ask for.
    asked: [bool; Likelihood::ALL.len()],
}

impl<'a> Still<'a> {
    /// Returns what is still about the person of `state`, whose account, if it has one, stays the same.
    pub(crate) fn of(config: &Config, state: &'a State, has_account: bool) -> Self {
        let mut slots = Slots { has_account, personas: Vec::new(), segments: Vec::new() };
        for persona in &config.personas.all {
            let is_still = persona.when.as_ref().is_none_or(|when| slots.are_still(when));
            slots.personas.push(is_still);
        }
        for segment in &config.segments.all {
            let is_still = slots.are_still(&segment.when);
            slots.segments.push(is_still);
        }
        let of = |when: &Option<Program<PersonSlot>>| kept(when.as_ref().is_none_or(|when| slots.are_still(when)));
        let scoring = &config.scoring;
        Self {
            signals: scoring.signals.iter().map(|signal| of(&signal.when)).collect(),
            measures: scoring.signals.iter().map(|signal| kept(slots.are_still(&signal.measure))).collect(),
            applies: Likelihood::ALL.iter().map(|likelihood| of(&scoring.score(*likelihood).applies.when)).collect(),
            journeys: config
                .journeys
                .all
                .iter()
                .map(|journey| match &journey.trigger {
                    Trigger::Becomes { when } => kept(slots.are_still(when)),
                    _ => None,
                })
                .collect(),
            points: scoring.rules.iter().map(|rule| state.points.get(&rule.key)).collect(),
            asked: asked(config),
            personas: slots.personas.into_iter().map(kept).collect(),
            segments: slots.segments.into_iter().map(kept).collect(),
        }
    }

    /// Returns whether a condition holds, evaluated only where that is not known.
    pub(crate) fn holds(&self, place: Place, evaluate: impl FnOnce() -> bool) -> bool {
        let kept = match place {
            Place::Persona(at) => self.personas.get(at),
            Place::Signal(at) => self.signals.get(at),
            Place::Applies(likelihood) => self.applies.get(likelihood as usize),
            Place::Segment(at) => self.segments.get(at),
            Place::Journey(at) => self.journeys.get(at),
        };
        known(kept, evaluate)
    }

    /// Returns the measure of the signal at an index, evaluated only where that is not known.
    pub(crate) fn measure(&self, signal: usize, evaluate: impl FnOnce() -> Option<f64>) -> Option<f64> {
        known(self.measures.get(signal), evaluate)
    }

    /// Returns the person's points of the rule at an index.
    pub(crate) fn points(&self, rule: usize) -> Option<&'a Points> {
        self.points.get(rule).copied().flatten()
    }

    /// Returns whether a condition or a trigger asks for a score.
    pub(crate) fn is_asked(&self, likelihood: Likelihood) -> bool {
        self.asked.get(likelihood as usize).copied().unwrap_or(true)
    }
}

fn kept<T>(is_still: bool) -> Kept<T> {
    is_still.then(OnceCell::new)
}

fn known<T: Copy>(kept: Option<&Kept<T>>, evaluate: impl FnOnce() -> T) -> T {
    match kept.and_then(Option::as_ref) {
        Some(cell) => *cell.get_or_init(evaluate),
        None => evaluate(),
    }
}

/// The scores that segments and the triggers of journeys ask for. Nothing else that decides does: personas and signals come before scores.
fn asked(config: &Config) -> [bool; Likelihood::ALL.len()] {
    let mut asked = [false; Likelihood::ALL.len()];
    let triggers = || config.journeys.all.iter().map(|journey| &journey.trigger);
    let conditions = triggers().filter_map(|trigger| match trigger {
        Trigger::Becomes { when } => Some(when),
        _ => None,
    });
    let segments = config.segments.all.iter().map(|segment| &segment.when);
    for slot in segments.chain(conditions).flat_map(Program::slots) {
        if let PersonSlot::Score(likelihood) = slot {
            asked[*likelihood as usize] = true;
        }
    }
    for trigger in triggers() {
        if let Trigger::Score { score, .. } = trigger {
            asked[*score as usize] = true;
        }
    }
    asked
}

/// Knows which look-ups time changes.
struct Slots {
    has_account: bool,
    /// `true` for each persona so far that is still, and each segment.
    personas: Vec<bool>,
    segments: Vec<bool>,
}

impl Slots {
    fn are_still(&self, program: &Program<PersonSlot>) -> bool {
        program.slots().iter().all(|slot| self.is_still(slot))
    }

    fn is_still(&self, slot: &PersonSlot) -> bool {
        match slot {
            slot if is_of_events_alone(slot) => true,
            // Without an account the person is looked at as one, whose stage and value time changes.
            PersonSlot::Account(field) => self.has_account && *field != AccountField::RenewsInDays,
            PersonSlot::Persona(at) => self.personas.get(*at).copied().unwrap_or(false),
            PersonSlot::Segment(at) => self.segments.get(*at).copied().unwrap_or(false),
            // All others, as far as is known: of one that is still it costs time, and nothing else.
            _ => false,
        }
    }
}

/// Returns whether a look-up depends on events alone: neither on time nor on anything that does.
pub(crate) fn is_of_events_alone(slot: &PersonSlot) -> bool {
    matches!(
        slot,
        PersonSlot::Events
            | PersonSlot::Nps
            | PersonSlot::Csat
            | PersonSlot::MailDomain
            | PersonSlot::Trait(_)
            | PersonSlot::Tally(_)
            | PersonSlot::Count { .. }
            | PersonSlot::EverUsed { .. }
            | PersonSlot::Title(_)
            | PersonSlot::Revenue(_)
    )
}
