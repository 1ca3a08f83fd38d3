//! `journeys.toml`: what sets a message off, for whom, and how it goes out.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, unknown};
use crate::history::{History, event_key};
use crate::segments::Segments;
use crate::spanned::Spanned;
use crate::vocabulary::{EventSlot, PersonSlot, PersonVocabulary};
use perennial_domain::{Channel, Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::HashMap;
use std::ops::Range;

/// What sets a message off, for whom, and how it goes out.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// What sets one message or several off, who may enter, and what is sent.
    #[serde(default)]
    journey: Vec<Spanned<RawJourney>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawJourney {
    /// A name of your own: letters, digits, `_` and `-`; unique. Renaming it makes it a new journey, which everyone may enter again.
    id: Spanned<String>,
    /// What sets it off: one of { event, where, times, within_days }, { idle_days }, { score, above } and { segment, change }.
    trigger: Spanned<RawTrigger>,
    /// A condition on the person: only for whom it holds may enter.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    when: Option<Spanned<String>>,
    /// The stages in which someone may enter; all where nothing is written. This keeps prospect campaigns from customers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    stages: Vec<Stage>,
    /// Whether the same person may enter again: "once" (never again; what is meant where nothing is written), "always", or
    /// { after_days = 30 }.
    #[serde(default)]
    reentry: RawReentry,
    /// What is sent: all steps go out together; at least one.
    step: Spanned<Vec<RawStep>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawTrigger {
    /// The event that sets it off, exactly as it is sent.
    event: Option<Spanned<String>>,
    /// With `event`: a condition on the event. Not together with `times`.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    filter: Option<Spanned<String>>,
    /// With `event`: from which time on it sets the journey off, 1 or more: 3 is the third time; 1 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    times: Option<Spanned<u16>>,
    /// With `times`: in how many days, 1 to 31, the day itself included; 1 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31)))]
    within_days: Option<Spanned<u16>>,
    /// Nothing happened for so many days, 1 or more, after something had.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    idle_days: Option<Spanned<u16>>,
    /// The score that rose to `above` or over it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::ScoreName>"))]
    score: Option<Likelihood>,
    /// With `score`: 1 to 100.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    above: Option<Spanned<u8>>,
    /// A segment of segments.toml that someone entered or left.
    segment: Option<Spanned<String>>,
    /// With `segment`: which of the two.
    change: Option<RawChange>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RawChange {
    Entered,
    Left,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum RawReentry {
    /// Never.
    #[default]
    Once,
    /// At each cause.
    Always,
    /// Not within so many days of the last time.
    AfterDays(u16),
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawStep {
    /// How it goes out.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ChannelName"))]
    channel: Channel,
    /// What it says: a file of the folder templates/, without ".toml".
    template: Spanned<String>,
    /// For a webhook only: where to, an endpoint of channels.toml.
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
            let raw = raw.into_inner();
            report.name("a journey", &raw.id);
            let id = raw.id.get_ref();
            let key = hash32(id);
            if let Some(other) = keys.insert(key, id.clone()) {
                report.at(raw.id.span(), format!("two journeys cannot share a name: `{id}` and `{other}`"));
            }
            let trigger = match trigger(raw.trigger.get_ref(), names.segments) {
                Ok(trigger) => Some(trigger),
                Err((at, message)) => {
                    report.at(at.unwrap_or(raw.trigger.span()), format!("journey `{id}`: {message}"));
                    None
                }
            };
            let steps = raw.step.get_ref();
            let filter = raw.trigger.get_ref().filter.as_ref().and_then(|filter| condition::on_event(report, filter));
            let when = raw.when.as_ref().and_then(|when| condition::on_person(report, when, &names.vocabulary));
            if let Some(when) = &when {
                history.ask(when.slots());
            }
            if steps.is_empty() {
                report.at(raw.step.span(), format!("journey `{id}` needs at least one step"));
            }
            for step in steps {
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
            let Some(trigger) = trigger else { continue };
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
            let steps = raw.step.into_inner().into_iter().map(|s| Step {
                channel: s.channel,
                template: s.template.into_inner(),
                endpoint: s.endpoint.map(Spanned::into_inner),
            });
            out.all.push(Journey {
                id: raw.id.into_inner(),
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

/// What is wrong with a trigger, and where, if not with the whole.
type Wrong = (Option<Range<usize>>, String);

fn trigger(raw: &RawTrigger, segments: &Segments) -> Result<Trigger, Wrong> {
    let RawTrigger { event, filter, times, within_days, idle_days, score, above, segment, change } = raw;
    let at = |at: Range<usize>, message: &str| Err((Some(at), message.to_owned()));
    if let (Some(filter), None) = (filter, event) {
        return at(filter.span(), "only a trigger with an event has where");
    }
    if let (Some(number), None) = (times.as_ref().or(within_days.as_ref()), event) {
        return at(number.span(), "only a trigger with an event has times and within_days");
    }
    match (event, idle_days, (score, above), (segment, change)) {
        (Some(event), None, (None, None), (None, None)) => {
            if event.get_ref().trim().is_empty() {
                return at(event.span(), "the trigger's event is empty; page calls are \"$page\"");
            }
            let bounds = "times must be at least 1 and within_days from 1 to 31";
            if let Some(times) = times.as_ref().filter(|times| *times.get_ref() == 0) {
                return at(times.span(), bounds);
            }
            if let Some(days) = within_days.as_ref().filter(|days| !(1..=31).contains(days.get_ref())) {
                return at(days.span(), bounds);
            }
            let number = |of: &Option<Spanned<u16>>| of.as_ref().map_or(1, |number| *number.get_ref());
            let (times, within_days) = (number(times), number(within_days));
            if let Some(filter) = filter.as_ref().filter(|_| times > 1) {
                let message = "times and where cannot stand together: all events of a name are counted, whatever their properties";
                return at(filter.span(), message);
            }
            let event = event.get_ref();
            Ok(Trigger::Event { event: event.clone(), key: event_key(event), times, within_days })
        }
        (None, Some(days), (None, None), (None, None)) => match days.get_ref() {
            0 => at(days.span(), "idle_days must be at least 1"),
            days => Ok(Trigger::Idle { days: *days }),
        },
        (None, None, (Some(score), Some(above)), (None, None)) => match above.get_ref() {
            above @ 1..=100 => Ok(Trigger::Score { score: *score, above: *above }),
            _ => at(above.span(), "above must be from 1 to 100"),
        },
        (None, None, (None, None), (Some(name), Some(change))) => match segments.get(name.get_ref()) {
            Some((segment, _)) => Ok(Trigger::Segment { segment, entered: matches!(change, RawChange::Entered) }),
            None => {
                let known = segments.all.iter().map(|one| one.name.as_str());
                Err((Some(name.span()), unknown("segment", name.get_ref(), known)))
            }
        },
        _ => Err((None, TRIGGERS.to_owned())),
    }
}
