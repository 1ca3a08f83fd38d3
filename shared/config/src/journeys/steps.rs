//! The steps of a journey: messages, waits, branches, splits, events and traits.
//!
//! Steps lead forward only, so that every run ends.

use super::Names;
use super::rank::{Rank, RawRank};
use super::raw::{RawBranch, RawStep, RawWait, RawWeekday};
use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::spanned::Spanned;
use crate::spelling::unknown;
use crate::vocabulary::{EventSlot, PersonSlot};
use jiff::civil::{Time, Weekday};
use perennial_domain::{Channel, EventName, Properties, hash::hash32};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most steps of one journey.
pub const MAX_STEPS: usize = 100;
/// The longest wait, in days.
const MAX_WAIT_DAYS: u16 = 366;
/// The target that ends a journey.
const END: &str = "end";

/// One step of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name, or its number from 1.
    pub id: String,
    /// The name's hash, by which positions are stored.
    pub key: u32,
    /// Its action.
    pub does: Does,
    /// The step that follows, by index; that of no step where the journey ends.
    pub next: usize,
}

/// The action of a step. Targets are indices of later steps, or one past the last step at the end of the journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Does {
    /// Sends something.
    Send(Message),
    /// Waits.
    Wait(Wait),
    /// Continues at another step if the condition holds.
    Branch {
        /// The condition.
        when: Program<PersonSlot>,
        /// The target.
        to: usize,
    },
    /// Continues at one of several steps.
    Split {
        /// The variants, in the order of their ids.
        ways: Vec<Way>,
    },
    /// Records an event for the person.
    Event {
        /// Its name.
        name: EventName,
    },
    /// Sets traits of the person.
    Traits {
        /// Which.
        #[serde(with = "crate::stored::json_map")]
        traits: Properties,
    },
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The channel.
    pub channel: Channel,
    /// The template's name.
    pub template: String,
    /// The endpoint of a webhook, from `channels.toml`.
    pub endpoint: Option<String>,
    /// Its rank among other messages that wait for the same profile.
    pub rank: Rank,
}

/// One variant of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The variant's name: the id of its target step.
    pub name: String,
    /// Its percentage.
    pub share: u16,
    /// The target.
    pub to: usize,
}

/// The end of a wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Wait {
    /// A number of seconds.
    For {
        /// 60 or more.
        seconds: i64,
    },
    /// A time of day in the person's time zone.
    Until {
        /// The time.
        time: Time,
        /// On which days; on any where empty.
        #[serde(with = "crate::stored::weekdays")]
        weekdays: Vec<Weekday>,
    },
    /// One of several events, or a number of seconds.
    Event {
        /// Their names, as counted; at least one.
        events: Vec<String>,
        /// Which of its events; all where `None`.
        filter: Option<Program<EventSlot>>,
        /// The longest that is waited.
        seconds: i64,
        /// The property of the triggering event with the time from which the seconds are counted; from the beginning of the wait where `None`, or where it
        /// has no time.
        from: Option<String>,
        /// The target if none happens.
        timeout: usize,
    },
}

/// The positions of a journey's step ids, known before the steps are compiled.
struct Places {
    by_id: BTreeMap<String, usize>,
    count: usize,
}

impl Places {
    /// Returns the index of the step `name`, as a target of step `from`.
    fn to(&self, report: &mut Reporter<'_>, from: usize, name: &Spanned<String>) -> usize {
        match self.by_id.get(name.get_ref()) {
            _ if name.get_ref() == END => self.count,
            Some(to) if *to > from => *to,
            Some(_) => {
                let message =
                    format!("`{}` stands before this step: steps lead forward only, or to \"end\"", name.get_ref());
                report.at(name.span(), message);
                self.count
            }
            None => {
                let known = self.by_id.iter().filter(|(_, at)| **at > from).map(|(id, _)| id.as_str());
                let known: Vec<&str> = known.chain([END]).collect();
                report.at(name.span(), unknown("step after this one", name.get_ref(), known.iter().copied()));
                self.count
            }
        }
    }
}

/// Checks and compiles the steps of a journey. `by_event` is whether an event triggers it.
pub(super) fn load(
    report: &mut Reporter<'_>,
    (journey, by_event): (&str, bool),
    raw: Spanned<Vec<Spanned<RawStep>>>,
    rank: Rank,
    names: &Names<'_>,
) -> Vec<Step> {
    let span = raw.span();
    let raw = raw.into_inner();
    if raw.is_empty() {
        report.at(span.clone(), format!("journey `{journey}` needs at least one step"));
    }
    if raw.len() > MAX_STEPS {
        report.at(span, format!("journey `{journey}` has {} steps; {MAX_STEPS} are allowed", raw.len()));
    }
    let places = places(report, &raw);
    let mut steps = Vec::new();
    for (at, step) in raw.into_iter().enumerate() {
        let span = step.span();
        let step = step.into_inner();
        let id = step.id.as_ref().map_or_else(|| (at + 1).to_string(), |id| id.get_ref().clone());
        let next = step.then.as_ref().map_or(at + 1, |then| places.to(report, at, then));
        let mut here = Here { report, places: &places, at, by_event, rank, names };
        let Some(does) = here.does(span, step) else { continue };
        steps.push(Step { key: hash32(&id), id, does, next });
    }
    steps
}

fn places(report: &mut Reporter<'_>, raw: &[Spanned<RawStep>]) -> Places {
    let (mut by_id, mut used) = (BTreeMap::new(), Used::default());
    for (at, step) in raw.iter().enumerate() {
        let Some(id) = &step.get_ref().id else {
            by_id.entry((at + 1).to_string()).or_insert(at);
            continue;
        };
        report.name("a step", id);
        let name = id.get_ref();
        if name == END {
            report.at(id.span(), "no step can be called \"end\": that leads out of the journey");
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            report.at(id.span(), format!("`{name}` is a number, which steps without an id are called by"));
        } else if report.first_use(&mut used, "id", id) {
            by_id.insert(name.clone(), at);
        }
    }
    Places { by_id, count: raw.len() }
}

/// The kinds of steps.
const KINDS: &str = "a step is a message (channel and template), or one of wait, branch, split, event and traits, and one of these only";

struct Here<'a, 'r, 'n> {
    report: &'a mut Reporter<'r>,
    places: &'a Places,
    at: usize,
    by_event: bool,
    /// The journey's.
    rank: Rank,
    names: &'a Names<'n>,
}

impl Here<'_, '_, '_> {
    /// Returns the step's action; `None` if it is invalid, which is reported.
    fn does(&mut self, span: Range<usize>, step: RawStep) -> Option<Does> {
        let written = RawRank {
            priority: step.priority.as_ref(),
            worth: step.worth.as_ref(),
            max_age_days: step.max_age_days.as_ref(),
        };
        if let Some(place) = written.place().filter(|_| !matches!(step.channel, Some(Channel::Mail | Channel::InApp))) {
            self.report.at(place, "only a mail or an in-app message has priority, worth and max_age_days");
        }
        let rank = written.load(self.report, self.rank);
        let RawStep { channel, template, endpoint, wait, branch, split, event, traits, .. } = step;
        let kinds = [
            channel.is_some() || template.is_some() || endpoint.is_some(),
            wait.is_some(),
            branch.is_some(),
            split.is_some(),
            event.is_some(),
            traits.is_some(),
        ];
        if kinds.into_iter().filter(|is| *is).count() != 1 {
            self.report.at(span, KINDS);
            return None;
        }
        match (wait, branch, split, event, traits) {
            (Some(wait), ..) => self.wait(&wait).map(Does::Wait),
            (_, Some(branch), ..) => self.branch(branch.get_ref()),
            (_, _, Some(split), ..) => Some(self.split(&split)),
            (_, _, _, Some(event), _) => match EventName::parse(event.get_ref()) {
                Ok(name) => Some(Does::Event { name }),
                Err(error) => {
                    self.report.at(event.span(), format!("the event's name cannot be used: {error}"));
                    None
                }
            },
            (.., Some(traits)) => self.traits(&traits),
            _ => self.message(span, channel, template, endpoint, rank),
        }
    }

    fn message(
        &mut self,
        span: Range<usize>,
        channel: Option<Channel>,
        template: Option<Spanned<String>>,
        endpoint: Option<Spanned<String>>,
        rank: Rank,
    ) -> Option<Does> {
        let (Some(channel), Some(template)) = (channel, template) else {
            self.report.at(span, "a message needs `channel` and `template`");
            return None;
        };
        let (templates, endpoints) = (self.names.templates, self.names.endpoints);
        if !templates.contains(&template.get_ref().as_str()) {
            self.report.at(template.span(), unknown("template", template.get_ref(), templates.iter().copied()));
        }
        match (&endpoint, channel) {
            (None, Channel::Webhook) => {
                self.report.at(template.span(), "a webhook step needs `endpoint`, one of channels.toml");
            }
            (Some(endpoint), Channel::Webhook) if !endpoints.contains(&endpoint.get_ref().as_str()) => {
                self.report.at(endpoint.span(), unknown("endpoint", endpoint.get_ref(), endpoints.iter().copied()));
            }
            (Some(endpoint), Channel::Mail | Channel::InApp) => {
                self.report.at(endpoint.span(), "only a webhook step has an endpoint");
            }
            _ => {}
        }
        let endpoint = endpoint.map(Spanned::into_inner);
        Some(Does::Send(Message { channel, template: template.into_inner(), endpoint, rank }))
    }

    fn wait(&mut self, wait: &Spanned<RawWait>) -> Option<Wait> {
        let raw = wait.get_ref();
        let seconds = i64::from(raw.days.unwrap_or(0)) * 86_400
            + i64::from(raw.hours.unwrap_or(0)) * 3600
            + i64::from(raw.minutes.unwrap_or(0)) * 60;
        let most = i64::from(MAX_WAIT_DAYS) * 86_400;
        let events: Option<Vec<&Spanned<String>>> = match (&raw.event, &raw.events) {
            (Some(event), Some(_)) => {
                self.report.at(event.span(), "a wait has either event or events: put all of them into events");
                return None;
            }
            (event, events) => events
                .as_ref()
                .map(|events| events.get_ref().iter().collect())
                .or(event.as_ref().map(|event| vec![event])),
        };
        let of_event = raw.filter.as_ref().or(raw.timeout.as_ref()).or(raw.from.as_ref());
        if let (Some(of_event), None) = (of_event, &events) {
            self.report.at(of_event.span(), "only a wait for an event has where, from and timeout");
            return None;
        }
        if let (Some(weekdays), None) = (&raw.weekdays, &raw.until) {
            self.report.at(weekdays.span(), "only a wait until a time of day has weekdays");
            return None;
        }
        match (events, &raw.until) {
            (None, Some(until)) if seconds == 0 => {
                let Ok(time) = Time::strptime("%H:%M", until.get_ref()) else {
                    self.report.at(until.span(), "until is a time of day, from \"00:00\" to \"23:59\"");
                    return None;
                };
                let weekdays =
                    raw.weekdays.as_ref().map(|days| days.get_ref().iter().map(|day| weekday(*day)).collect());
                Some(Wait::Until { time, weekdays: weekdays.unwrap_or_default() })
            }
            (None, None) if (60..=most).contains(&seconds) => Some(Wait::For { seconds }),
            (Some(events), None) if (60..=most).contains(&seconds) => Some(self.wait_for(raw, &events, seconds)),
            _ => {
                let message = format!(
                    "wait takes {{ days, hours, minutes }} (a minute to {MAX_WAIT_DAYS} days), {{ until = \"09:00\", weekdays? }}, or {{ event or events, where?, days, hours, minutes, from?, timeout? }}"
                );
                self.report.at(wait.span(), message);
                None
            }
        }
    }

    /// Returns a wait for one of `events`, or for so many seconds.
    fn wait_for(&mut self, raw: &RawWait, events: &[&Spanned<String>], seconds: i64) -> Wait {
        events.iter().for_each(|event| self.report.event(event));
        if let Some(none) = raw.events.as_ref().filter(|events| events.get_ref().is_empty()) {
            self.report.at(none.span(), "events names one event or more, exactly as they are sent");
        }
        if let Some(from) = &raw.from {
            if from.get_ref().trim().is_empty() {
                self.report.at(from.span(), "from names a property of the triggering event, such as \"starts_at\"");
            } else if !self.by_event {
                let message = "from reads a property of the event that triggers the journey, and this journey is triggered by a state";
                self.report.at(from.span(), message);
            }
        }
        let filter = raw.filter.as_ref().and_then(|filter| condition::on_event(self.report, filter));
        let next = self.at + 1;
        let timeout = raw.timeout.as_ref().map_or(next, |to| self.places.to(self.report, self.at, to));
        let events = events.iter().map(|event| event.get_ref().clone()).collect();
        Wait::Event { events, filter, seconds, from: raw.from.as_ref().map(|from| from.get_ref().clone()), timeout }
    }

    fn branch(&mut self, branch: &RawBranch) -> Option<Does> {
        let to = self.places.to(self.report, self.at, &branch.go_to);
        let when = condition::on_person(self.report, &branch.when, &self.names.vocabulary)?;
        Some(Does::Branch { when, to })
    }

    fn split(&mut self, split: &Spanned<BTreeMap<Spanned<String>, u16>>) -> Does {
        let ways = split.get_ref();
        let sum: u32 = ways.values().map(|share| u32::from(*share)).sum();
        if ways.len() < 2 || sum != 100 || ways.values().any(|share| *share == 0) {
            let message = format!(
                "split names two or more later steps, each with its share of a hundred, 1 or more: together these are {sum}, and must be 100"
            );
            self.report.at(split.span(), message);
        }
        let way = |(name, share): (&Spanned<String>, &u16)| Way {
            name: name.get_ref().clone(),
            share: *share,
            to: self.places.to(self.report, self.at, name),
        };
        Does::Split { ways: ways.iter().map(way).collect() }
    }

    fn traits(&mut self, traits: &Spanned<toml::Table>) -> Option<Does> {
        if traits.get_ref().is_empty() {
            self.report.at(traits.span(), "traits names one trait or more, with its value");
        }
        match serde_json::to_value(traits.get_ref()) {
            Ok(serde_json::Value::Object(traits)) => Some(Does::Traits { traits }),
            _ => {
                self.report.at(
                    traits.span(),
                    "a trait's value is a text, a number, true or false, or a list or table of these",
                );
                None
            }
        }
    }
}

fn weekday(day: RawWeekday) -> Weekday {
    match day {
        RawWeekday::Mon => Weekday::Monday,
        RawWeekday::Tue => Weekday::Tuesday,
        RawWeekday::Wed => Weekday::Wednesday,
        RawWeekday::Thu => Weekday::Thursday,
        RawWeekday::Fri => Weekday::Friday,
        RawWeekday::Sat => Weekday::Saturday,
        RawWeekday::Sun => Weekday::Sunday,
    }
}
