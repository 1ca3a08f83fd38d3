//! `journeys.toml`: what sets a message off, for whom, and how it goes out.

use crate::error::Reporter;
use crate::scoring::scalar;
use perennial_domain::{Channel, Event, Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
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
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, toml::Value>,
    times: Option<u16>,
    within_days: Option<u16>,
    idle_days: Option<u16>,
    score: Option<Likelihood>,
    above: Option<u8>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Its name.
    pub id: String,
    /// The name's hash, which stored facts are keyed by.
    pub key: u32,
    /// What sets it off.
    pub trigger: Trigger,
    /// Properties that the trigger's event must have, each with one of these values; empty for other triggers.
    pub filter: BTreeMap<String, Vec<serde_json::Value>>,
    /// Who may enter; everyone where empty.
    pub stages: Vec<Stage>,
    /// Whether someone may enter again.
    pub reentry: Reentry,
    /// What is sent; at least one.
    pub steps: Vec<Step>,
}

impl Journey {
    /// Whether `event`, of the trigger's name, has the properties that [`Self::filter`] asks for. Numbers are compared by
    /// value: 9 is 9.0.
    pub fn wants(&self, event: &Event) -> bool {
        self.filter.iter().all(|(name, allowed)| {
            event.properties.get(name).is_some_and(|value| allowed.iter().any(|a| same(a, value)))
        })
    }
}

fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// All journeys, found by event name.
#[derive(Debug, Clone, Default)]
pub struct Journeys {
    /// All of them, in the file's order.
    pub all: Vec<Journey>,
    /// Event name to the journeys (indices of [`Self::all`]) that it may set off.
    pub by_event: HashMap<String, Vec<usize>>,
    /// Event name to the most days that a windowed trigger looks back: only these events keep day counts.
    pub windows: HashMap<String, u16>,
}

impl Journeys {
    /// Checks and compiles the file. `templates` and `endpoints` are the names that steps may use.
    pub(crate) fn load(report: &mut Reporter<'_>, templates: &[&str], endpoints: &[&str]) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
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
            let trigger = match trigger(&raw.trigger) {
                Ok(trigger) => trigger,
                Err(message) => {
                    report.at(span.clone(), format!("journey `{}`: {message}", raw.id));
                    continue;
                }
            };
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
            let mut filter = BTreeMap::new();
            for (name, value) in &raw.trigger.filter {
                match values(value) {
                    Some(values) => {
                        filter.insert(name.clone(), values);
                    }
                    None => report.at(
                        span.clone(),
                        format!(
                            "journey `{}`: where.{name} must be a text, a number, true/false or a list of these",
                            raw.id
                        ),
                    ),
                }
            }
            let index = out.all.len();
            if let Trigger::Event { event, times, within_days } = &trigger {
                out.by_event.entry(event.clone()).or_default().push(index);
                if *times > 1 {
                    let window = out.windows.entry(event.clone()).or_default();
                    *window = (*window).max(*within_days);
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
                stages: raw.stages,
                reentry,
                steps: steps.collect(),
            });
        }
        out
    }
}

/// One value, or one of several; `None` for what a property cannot be compared with.
fn values(value: &toml::Value) -> Option<Vec<serde_json::Value>> {
    match value {
        toml::Value::Array(all) if !all.is_empty() => all.iter().map(scalar).collect(),
        one => scalar(one).map(|one| vec![one]),
    }
}

fn trigger(raw: &RawTrigger) -> Result<Trigger, &'static str> {
    match raw {
        RawTrigger { event: Some(event), times, within_days, filter, idle_days: None, score: None, above: None } => {
            if event.trim().is_empty() {
                return Err("the trigger's event is empty; page calls are \"$page\"");
            }
            let (times, within_days) = (times.unwrap_or(1), within_days.unwrap_or(1));
            if times == 0 || !(1..=31).contains(&within_days) {
                return Err("times must be at least 1 and within_days from 1 to 31");
            }
            if times > 1 && !filter.is_empty() {
                return Err(
                    "times and where cannot stand together: all events of a name are counted, whatever their properties",
                );
            }
            Ok(Trigger::Event { event: event.clone(), times, within_days })
        }
        RawTrigger { filter, .. } if !filter.is_empty() => Err("only a trigger with an event has where"),
        RawTrigger {
            idle_days: Some(days @ 1..),
            event: None,
            times: None,
            within_days: None,
            score: None,
            above: None,
            ..
        } => Ok(Trigger::Idle { days: *days }),
        RawTrigger {
            score: Some(score),
            above: Some(above @ 1..=100),
            event: None,
            times: None,
            within_days: None,
            idle_days: None,
            ..
        } => Ok(Trigger::Score { score: *score, above: *above }),
        _ => Err(
            "trigger takes { event, where?, times?, within_days? }, { idle_days } (1 or more) or { score, above } (1 to 100)",
        ),
    }
}
