//! `journeys.toml`: what triggers a journey, who enters it, and its steps.

mod asked;
mod rank;
mod raw;
mod steps;
mod trigger;
mod versions;

pub use asked::Asked;
pub use rank::Rank;
pub(crate) use raw::File;
pub use steps::{Does, MAX_STEPS, Message, Step, Wait, Way};
pub use trigger::Trigger;
pub(crate) use versions::retired;

use crate::cel::Program;
use crate::channels::Template;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::History;
use crate::limits;
use crate::segments::Segments;
use crate::spanned::Spanned;
use crate::vocabulary::{EventSlot, PersonSlot, PersonVocabulary};
use perennial_domain::{Stage, hash::hash32};
use rank::RawRank;
use raw::{RawGoal, RawJourney, RawOnChange, RawOnStart, RawReentry};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The default number of days after entry in which a goal counts.
const GOAL_DAYS: u16 = 30;

/// Specifies whether the same profile may enter again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reentry {
    /// Never.
    Once,
    /// At each cause.
    Always,
    /// Not within that many days of the last time.
    AfterDays(u16),
}

/// The goal of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// How it is reached.
    pub by: GoalBy,
    /// The number of days after entry in which it counts, 1 to 366.
    pub within_days: u16,
}

/// How a goal is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum GoalBy {
    /// By an event.
    Event {
        /// Its name, as counted.
        event: String,
        /// Which of its events; all where `None`.
        filter: Option<Program<EventSlot>>,
    },
    /// By a condition on the person.
    State(Program<PersonSlot>),
}

impl std::fmt::Display for GoalBy {
    /// The event or the condition.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Event { event, .. } => event,
            Self::State(when) => when.source(),
        })
    }
}

/// A compiled journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Its name.
    pub id: String,
    /// The name's hash, the key of stored facts.
    pub key: u32,
    /// Its purpose, for readers; may be empty.
    pub description: String,
    /// Its trigger.
    pub trigger: Trigger,
    /// Which of the trigger's events set it off; all where `None`.
    pub filter: Option<Program<EventSlot>>,
    /// The condition to enter; everyone may if `None`.
    pub when: Option<Program<PersonSlot>>,
    /// The stages in which a person may enter and continue; all if empty.
    pub stages: Vec<Stage>,
    /// Specifies whether a person may enter again.
    pub reentry: Reentry,
    /// A hash of its content: a run of another version continues in that version.
    pub version: u32,
    /// The percentage of entering people who are in the holdout group, 0 to 50.
    pub holdout: u8,
    /// The age limit of its messages in days, 1 to 90, for steps without their own.
    pub max_age_days: u16,
    /// `true` if it is exempt from all limits.
    pub essential: bool,
    /// `true` if its messages are sent in quiet hours too.
    pub any_hour: bool,
    /// `true` if messages that are due for a person are dropped when they enter.
    pub replaces_due: bool,
    /// `true` if runs of another version continue in this one.
    pub moves: bool,
    /// `true` if it starts for people for whom the trigger already held before the journey was active.
    pub spreads: bool,
    /// Its goal. A person who reaches it exits.
    pub goal: Option<Goal>,
    /// The condition at which a person exits.
    pub exit: Option<Program<PersonSlot>>,
    /// Its steps; at least one.
    pub steps: Vec<Step>,
    /// The properties of the event that starts it that its templates put in.
    pub asked: Asked,
}

impl Journey {
    /// Returns whether it is for people of that stage.
    pub fn is_for(&self, stage: Stage) -> bool {
        self.stages.is_empty() || self.stages.contains(&stage)
    }

    /// Returns everything that it can send.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.steps.iter().filter_map(|step| match &step.does {
            Does::Send(message) => Some(message),
            _ => None,
        })
    }

    /// Returns its conditions on the person.
    pub fn conditions(&self) -> impl Iterator<Item = &Program<PersonSlot>> {
        let trigger = match &self.trigger {
            Trigger::Becomes { when } => Some(when),
            _ => None,
        };
        let goal = self.goal.as_ref().and_then(|goal| match &goal.by {
            GoalBy::State(when) => Some(when),
            GoalBy::Event { .. } => None,
        });
        let branches = self.steps.iter().filter_map(|step| match &step.does {
            Does::Branch { when, .. } => Some(when),
            _ => None,
        });
        trigger.into_iter().chain(&self.when).chain(goal).chain(&self.exit).chain(branches)
    }

    /// Returns the events that it records for people, as counted.
    pub fn counts(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.does {
            Does::Event { name } => Some(name.as_str()),
            Does::Traits { .. } => Some("$identify"),
            _ => None,
        })
    }

    /// Returns the events of its trigger and its goal.
    fn events(&self) -> impl Iterator<Item = &str> {
        let trigger = match &self.trigger {
            Trigger::Event { event, .. } => Some(event.as_str()),
            _ => None,
        };
        let goal = self.goal.as_ref().and_then(|goal| match &goal.by {
            GoalBy::Event { event, .. } => Some(event.as_str()),
            GoalBy::State(_) => None,
        });
        trigger.into_iter().chain(goal)
    }
}

/// All journeys, with an index by event name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Journeys {
    /// All journeys, in the file's order.
    pub all: Vec<Journey>,
    /// Earlier versions, which nobody enters any more and in which existing runs finish.
    pub retired: Vec<Journey>,
    /// Event name to the journeys (indices of [`Self::all`]) that it triggers, or whose goal it is.
    #[serde(serialize_with = "crate::stored::sorted_map")]
    pub by_event: HashMap<String, Vec<usize>>,
}

impl Journeys {
    /// Records the properties of events that journeys keep. `answers` are those with survey answers and texts.
    pub(crate) fn ask(&mut self, templates: &BTreeMap<String, Template>, answers: &[&str]) {
        for journey in self.all.iter_mut().chain(&mut self.retired) {
            journey.asked = Asked::by(journey, templates, answers);
        }
    }

    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>, names: &Names<'_>, history: &mut History) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let versions = versions::of(report.text());
        let mut out = Self::default();
        let mut ids = Used::default();
        let mut places = Vec::new();
        for raw in file.journey {
            let raw = raw.into_inner();
            let raw_id = raw.id.span();
            report.unique(&mut ids, "a journey", "id", &raw.id);
            let id = raw.id.get_ref();
            let version = versions.get(id).copied().unwrap_or_default();
            let Some(journey) = journey(report, raw, version, names, history) else { continue };
            let index = out.all.len();
            for event in journey.events() {
                let listeners = out.by_event.entry(event.to_owned()).or_default();
                if listeners.last() != Some(&index) {
                    listeners.push(index);
                }
            }
            places.push(raw_id);
            out.all.push(journey);
        }
        for (journey, (other, event)) in out.circles() {
            let message = format!(
                "journey `{}` begins anew with each `{event}`, which `{other}` counts and which follows from it: they would go round for ever. \
                 Take another reentry than \"always\", or another event",
                out.all[journey].id
            );
            report.at(places[journey].clone(), message);
        }
        out
    }

    /// Checks, compiles and adds an earlier version of a journey.
    pub(crate) fn retire(&mut self, report: &mut Reporter<'_>, names: &Names<'_>, history: &mut History) {
        let versions = versions::of(report.text());
        let journeys = report.parse::<File>().map(|file| file.journey).unwrap_or_default();
        for raw in journeys.into_iter().map(Spanned::into_inner) {
            let version = versions.get(raw.id.get_ref()).copied().unwrap_or_default();
            self.retired.extend(journey(report, raw, version, names, history));
        }
    }

    /// Returns journeys with re-entry "always" that are triggered by an event that follows from them, each with the
    /// journey that records it.
    fn circles(&self) -> Vec<(usize, (String, String))> {
        let always = |at: &usize| self.all[*at].reentry == Reentry::Always;
        let set_off = |event: &str| -> Vec<usize> {
            let all = self.by_event.get(event).map(Vec::as_slice).unwrap_or_default();
            let by = |at: &usize| matches!(&self.all[*at].trigger, Trigger::Event { event: by, .. } if by == event);
            all.iter().copied().filter(by).filter(always).collect()
        };
        let mut found = Vec::new();
        for first in (0..self.all.len()).filter(always) {
            let (mut reached, mut open) = (HashSet::new(), vec![first]);
            'search: while let Some(at) = open.pop() {
                for event in self.all[at].counts() {
                    for next in set_off(event) {
                        if next == first {
                            found.push((first, (self.all[at].id.clone(), event.to_owned())));
                            break 'search;
                        }
                        if reached.insert(next) {
                            open.push(next);
                        }
                    }
                }
            }
        }
        found
    }

    /// Returns the journey of this name.
    pub fn named(&self, id: &str) -> Option<&Journey> {
        self.all.iter().find(|journey| journey.id == id)
    }

    /// Returns the journey whose name has this hash.
    pub fn get(&self, key: u32) -> Option<&Journey> {
        self.all.iter().find(|journey| journey.key == key)
    }

    /// Returns the journeys with a trigger by state that `before` lacked, or had with another trigger; all of them if
    /// `before` is unknown. Quiet profiles have not been evaluated for them.
    pub fn unknown_to<'a>(&'a self, before: Option<&'a Self>) -> impl Iterator<Item = &'a Journey> {
        self.all.iter().filter(move |journey| {
            let known = before.and_then(|before| before.get(journey.key));
            !matches!(journey.trigger, Trigger::Event { .. })
                && known.is_none_or(|known| known.trigger != journey.trigger)
        })
    }

    /// Returns the journey in which a run of `version` continues: that version if it is kept, else the active one.
    pub fn under_way(&self, key: u32, version: u32) -> Option<&Journey> {
        let current = self.get(key)?;
        let is_it = |journey: &&Journey| journey.key == key && journey.version == version;
        let goes_on_here = current.moves || current.version == version;
        let kept = if goes_on_here { None } else { self.retired.iter().find(is_it) };
        Some(kept.unwrap_or(current))
    }
}

fn journey(
    report: &mut Reporter<'_>,
    raw: RawJourney,
    version: u32,
    names: &Names<'_>,
    history: &mut History,
) -> Option<Journey> {
    let id = raw.id.into_inner();
    let trigger = trigger::load(report, &id, &raw.trigger, names.segments, &names.vocabulary);
    let filter = raw.trigger.get_ref().filter.as_ref().and_then(|filter| condition::on_event(report, filter));
    let mut on_person = |condition: &Option<Spanned<String>>| {
        condition.as_ref().and_then(|when| condition::on_person(report, when, &names.vocabulary))
    };
    let (when, exit) = (on_person(&raw.when), on_person(&raw.exit));
    let goal = raw.goal.as_ref().and_then(|raw| goal(report, &id, raw, names));
    let rank =
        RawRank { priority: raw.priority.as_ref(), worth: raw.worth.as_ref(), max_age_days: raw.max_age_days.as_ref() };
    let rank = rank.load(report, Rank { max_age_days: names.max_age_days, ..Rank::default() });
    let steps = steps::load(report, (&id, raw.trigger.get_ref().event.is_some()), raw.step, rank, names);
    let holdout = raw.holdout.as_ref().map_or(0, |share| limits::percent(report, share));
    if let Some(share) = raw.holdout.as_ref().filter(|_| raw.essential) {
        report.at(share.span(), "an essential journey has no holdout: everyone gets it");
    }
    if let Some(Trigger::Event { event, times: 2.., within_days, .. }) = &trigger {
        history.count(event, *within_days);
    }
    if let (Some(Trigger::Event { .. }), Some(start)) = (&trigger, &raw.on_start) {
        report.at(start.span(), "on_start is for triggers by a state; an event triggers the journey when it happens");
    }
    let reentry = match raw.reentry {
        RawReentry::Once => Reentry::Once,
        RawReentry::Always => Reentry::Always,
        RawReentry::AfterDays(days) => Reentry::AfterDays(days),
    };
    let journey = Journey {
        key: hash32(&id),
        id,
        description: raw.description,
        trigger: trigger?,
        filter,
        when,
        stages: raw.stages,
        reentry,
        version,
        holdout,
        max_age_days: rank.max_age_days,
        essential: raw.essential,
        any_hour: raw.any_hour,
        replaces_due: raw.replaces_due,
        moves: matches!(raw.on_change, RawOnChange::Move),
        spreads: !raw.on_start.is_some_and(|start| matches!(start.get_ref(), RawOnStart::Skip)),
        goal,
        exit,
        steps,
        asked: Asked::default(),
    };
    journey.conditions().for_each(|condition| history.ask(condition.slots()));
    Some(journey)
}

fn goal(report: &mut Reporter<'_>, id: &str, raw: &Spanned<RawGoal>, names: &Names<'_>) -> Option<Goal> {
    let RawGoal { event, filter, when, within_days } = raw.get_ref();
    if let Some(days) = within_days.as_ref().filter(|days| !(1..=366).contains(days.get_ref())) {
        report.at(days.span(), "within_days must be from 1 to 366");
    }
    let within_days = within_days.as_ref().map_or(GOAL_DAYS, |days| *days.get_ref());
    let by = match (event, when) {
        (Some(event), None) => {
            report.event(event);
            let filter = filter.as_ref().and_then(|filter| condition::on_event(report, filter));
            GoalBy::Event { event: event.get_ref().clone(), filter }
        }
        (None, Some(when)) if filter.is_none() => GoalBy::State(condition::on_person(report, when, &names.vocabulary)?),
        _ => {
            let message =
                format!("journey `{id}`: goal takes {{ event, where?, within_days? }} or {{ when, within_days? }}");
            report.at(raw.span(), message);
            return None;
        }
    };
    Some(Goal { by, within_days })
}

/// Names that journeys can refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Templates.
    pub(crate) templates: &'a [&'a str],
    /// Endpoints of webhooks.
    pub(crate) endpoints: &'a [&'a str],
    /// Segments.
    pub(crate) segments: &'a Segments,
    /// The vocabulary of their conditions.
    pub(crate) vocabulary: PersonVocabulary<'a>,
    /// The age limit in days of messages whose journey has none.
    pub(crate) max_age_days: u16,
}
