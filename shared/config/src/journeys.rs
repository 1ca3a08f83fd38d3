//! `journeys.toml`: what sets a message off, for whom, and how it goes out.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, unknown};
use crate::history::{History, event_key};
use crate::segments::Segments;
use crate::vocabulary::{EventSlot, PersonSlot, PersonVocabulary};
use perennial_domain::{Channel, Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::HashMap;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    journey: Vec<Spanned<RawJourney>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJourney {
    id: String,
    trigger: RawTrigger,
    when: Option<Spanned<String>>,
    #[serde(default)]
    stages: Vec<Stage>,
    #[serde(default)]
    reentry: RawReentry,
    step: Vec<RawStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrigger {
    event: Option<String>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    times: Option<u16>,
    within_days: Option<u16>,
    idle_days: Option<u16>,
    score: Option<Likelihood>,
    above: Option<u8>,
    segment: Option<Spanned<String>>,
    change: Option<RawChange>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawChange {
    Entered,
    Left,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum RawReentry {
    #[default]
    Once,
    Always,
    AfterDays(u16),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    channel: Channel,
    template: Spanned<String>,
    endpoint: Option<Spanned<String>>,
}

/// What sets a journey off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// The event happened, or happened for the `times`th time within `within_days` days (the day it happens included).
    Event {
        /// The event, as counted.
        event: String,
        /// The key of the event's history.
        key: u32,
        /// 1 or more.
        times: u16,
        /// 1 to 31; only counts where `times` is more than 1.
        within_days: u16,
    },
    /// Nothing happened for that many days, after something had.
    Idle {
        /// 1 or more.
        days: u16,
    },
    /// The score rose to `above` or over it.
    Score {
        /// Which score.
        score: Likelihood,
        /// 1 to 100.
        above: u8,
    },
    /// The person entered or left a segment.
    Segment {
        /// The segment's index.
        segment: usize,
        /// Entered; else left.
        entered: bool,
    },
}

/// Whether the same person may enter again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reentry {
    /// Never.
    Once,
    /// At each cause.
    Always,
    /// Not within that many days of the last time.
    AfterDays(u16),
}

/// One message of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How it goes out.
    pub channel: Channel,
    /// What it says: a template's name.
    pub template: String,
    /// Where to, for a webhook: an endpoint of `channels.toml`.
    pub endpoint: Option<String>,
}

/// A compiled journey.
#[derive(Debug, Clone)]
pub struct Journey {
    /// Its name.
    pub id: String,
    /// The name's hash, which stored facts are keyed by.
    pub key: u32,
    /// What sets it off.
    pub trigger: Trigger,
    /// Which of the trigger's events set it off; all where `None`.
    pub filter: Option<Program<EventSlot>>,
    /// Who may enter; everyone where `None`.
    pub when: Option<Program<PersonSlot>>,
    /// The stages in which someone may enter; all where empty.
    pub stages: Vec<Stage>,
    /// Whether someone may enter again.
    pub reentry: Reentry,
    /// What is sent; at least one.
    pub steps: Vec<Step>,
}

/// All journeys, found by event name.
#[derive(Debug, Clone, Default)]
pub struct Journeys {
    /// All of them, in the file's order.
    pub all: Vec<Journey>,
    /// Event name to the journeys (indices of [`Self::all`]) that it may set off.
    pub by_event: HashMap<String, Vec<usize>>,
}

impl Journeys {
    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>, names: &Names<'_>, history: &mut History) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let (templates, endpoints) = (names.templates, names.endpoints);
        let mut out = Self::default();
        let mut keys = HashMap::new();
        for raw in file.journey {
            let span = raw.span();
            let raw = raw.into_inner();
            let key = hash32(&raw.id);
            if raw.id.trim().is_empty() {
                report.at(span.clone(), "a journey needs an id that is not empty");
            }
            if let Some(other) = keys.insert(key, raw.id.clone()) {
                report.at(span.clone(), format!("two journeys cannot share a name: `{}` and `{other}`", raw.id));
            }
            let trigger = match trigger(&raw.trigger, names.segments) {
                Ok(trigger) => trigger,
                Err(message) => {
                    report.at(span.clone(), format!("journey `{}`: {message}", raw.id));
                    continue;
                }
            };
            let filter = raw.trigger.filter.as_ref().and_then(|filter| condition::on_event(report, filter));
            let when = raw.when.as_ref().and_then(|when| condition::on_person(report, when, &names.vocabulary));
            if let Some(when) = &when {
                history.ask(when.slots());
            }
            if raw.step.is_empty() {
                report.at(span.clone(), format!("journey `{}` needs at least one step", raw.id));
            }
            for step in &raw.step {
                if !templates.contains(&step.template.get_ref().as_str()) {
                    report.at(
                        step.template.span(),
                        crate::error::unknown("template", step.template.get_ref(), templates.iter().copied()),
                    );
                }
                match (&step.endpoint, step.channel) {
                    (None, Channel::Webhook) => {
                        report.at(step.template.span(), "a webhook step needs `endpoint`, one of channels.toml")
                    }
                    (Some(endpoint), Channel::Webhook) if !endpoints.contains(&endpoint.get_ref().as_str()) => {
                        report.at(
                            endpoint.span(),
                            crate::error::unknown("endpoint", endpoint.get_ref(), endpoints.iter().copied()),
                        );
                    }
                    (Some(endpoint), Channel::Mail | Channel::InApp) => {
                        report.at(endpoint.span(), "only a webhook step has an endpoint")
                    }
                    _ => {}
                }
            }
            let index = out.all.len();
            if let Trigger::Event { event, times, within_days, .. } = &trigger {
                out.by_event.entry(event.clone()).or_default().push(index);
                if *times > 1 {
                    history.count(event, *within_days);
                }
            }
            let reentry = match raw.reentry {
                RawReentry::Once => Reentry::Once,
                RawReentry::Always => Reentry::Always,
                RawReentry::AfterDays(days) => Reentry::AfterDays(days),
            };
            let steps = raw.step.into_iter().map(|s| Step {
                channel: s.channel,
                template: s.template.into_inner(),
                endpoint: s.endpoint.map(Spanned::into_inner),
            });
            out.all.push(Journey {
                id: raw.id,
                key,
                trigger,
                filter,
                when,
                stages: raw.stages,
                reentry,
                steps: steps.collect(),
            });
        }
        out
    }
}

/// What journeys may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Templates.
    pub(crate) templates: &'a [&'a str],
    /// Endpoints of webhooks.
    pub(crate) endpoints: &'a [&'a str],
    /// Segments.
    pub(crate) segments: &'a Segments,
    /// What their conditions may speak of.
    pub(crate) vocabulary: PersonVocabulary<'a>,
}

/// What a trigger may be.
const TRIGGERS: &str = "trigger takes { event, where?, times?, within_days? }, { idle_days } (1 or more), { score, above } (1 to 100) or { segment, change } (\"entered\" or \"left\")";

fn trigger(raw: &RawTrigger, segments: &Segments) -> Result<Trigger, String> {
    let RawTrigger { event, filter, times, within_days, idle_days, score, above, segment, change } = raw;
    if filter.is_some() && event.is_none() {
        return Err("only a trigger with an event has where".to_owned());
    }
    if event.is_none() && (times.is_some() || within_days.is_some()) {
        return Err("only a trigger with an event has times and within_days".to_owned());
    }
    match (event, idle_days, (score, above), (segment, change)) {
        (Some(event), None, (None, None), (None, None)) => {
            if event.trim().is_empty() {
                return Err("the trigger's event is empty; page calls are \"$page\"".to_owned());
            }
            let (times, within_days) = (times.unwrap_or(1), within_days.unwrap_or(1));
            if times == 0 || !(1..=31).contains(&within_days) {
                return Err("times must be at least 1 and within_days from 1 to 31".to_owned());
            }
            if times > 1 && filter.is_some() {
                let message = "times and where cannot stand together: all events of a name are counted, whatever their properties";
                return Err(message.to_owned());
            }
            Ok(Trigger::Event { event: event.clone(), key: event_key(event), times, within_days })
        }
        (None, Some(days @ 1..), (None, None), (None, None)) => Ok(Trigger::Idle { days: *days }),
        (None, None, (Some(score), Some(above @ 1..=100)), (None, None)) => {
            Ok(Trigger::Score { score: *score, above: *above })
        }
        (None, None, (None, None), (Some(name), Some(change))) => match segments.get(name.get_ref()) {
            Some((segment, _)) => Ok(Trigger::Segment { segment, entered: matches!(change, RawChange::Entered) }),
            None => Err(unknown("segment", name.get_ref(), segments.all.iter().map(|one| one.name.as_str()))),
        },
        _ => Err(TRIGGERS.to_owned()),
    }
}
