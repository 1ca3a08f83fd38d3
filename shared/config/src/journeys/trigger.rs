//! Triggers of journeys.

use super::raw::{RawChange, RawTrigger};
use crate::cel::Program;
use crate::condition;
use crate::error::Reporter;
use crate::history::event_key;
use crate::segments::Segments;
use crate::spanned::Spanned;
use crate::spelling::unknown;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use perennial_domain::Likelihood;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A trigger of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        /// Names of personas: everyone of the event's account enters who has the first of them that anyone there has;
        /// if nobody has any, the person in the event enters. If empty, only the person in the event enters.
        to: Vec<String>,
    },
    /// The person was inactive for this many days, after earlier activity.
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
    /// The profile entered or left a segment.
    Segment {
        /// The segment's index.
        segment: usize,
        /// Entered; else left.
        entered: bool,
    },
    /// A condition started to hold.
    Becomes {
        /// The condition.
        when: Program<PersonSlot>,
    },
}

/// The kinds of triggers.
const TRIGGERS: &str = "trigger takes { event, where?, times?, within_days?, to? }, { idle_days } (1 or more), { score, above } (1 to 100), { segment, change } (\"entered\" or \"left\") or { becomes } (a condition)";

/// An error in a trigger and its position, if it is not the whole trigger.
type Wrong = (Option<Range<usize>>, String);

/// Checks and compiles a journey's trigger; `None` where it is wrong, which is reported.
pub(super) fn load(
    report: &mut Reporter<'_>,
    journey: &str,
    raw: &Spanned<RawTrigger>,
    segments: &Segments,
    vocabulary: &PersonVocabulary<'_>,
) -> Option<Trigger> {
    let one = raw.get_ref();
    let others = one.event.is_some() || one.idle_days.is_some() || one.score.is_some() || one.segment.is_some();
    if let (Some(condition), false) = (&one.becomes, others) {
        return Some(Trigger::Becomes { when: condition::on_person(report, condition, vocabulary)? });
    }
    match trigger(one, segments, vocabulary.personas) {
        Ok(trigger) => Some(trigger),
        Err((at, message)) => {
            report.at(at.unwrap_or(raw.span()), format!("journey `{journey}`: {message}"));
            None
        }
    }
}

fn trigger(raw: &RawTrigger, segments: &Segments, personas: &[String]) -> Result<Trigger, Wrong> {
    let RawTrigger { event, filter, times, within_days, to, idle_days, score, above, segment, change, becomes } = raw;
    let at = |at: Range<usize>, message: &str| Err((Some(at), message.to_owned()));
    if let (Some(filter), None) = (filter, event) {
        return at(filter.span(), "only a trigger with an event has where");
    }
    if let (Some(number), None) = (times.as_ref().or(within_days.as_ref()), event) {
        return at(number.span(), "only a trigger with an event has times and within_days");
    }
    if let (Some(to), None) = (to, event) {
        return at(to.span(), "only a trigger with an event has to");
    }
    if let Some(condition) = becomes {
        return at(condition.span(), TRIGGERS);
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
            let (event, to) = (event.get_ref(), people(to.as_ref(), personas)?);
            Ok(Trigger::Event { event: event.clone(), key: event_key(event), times, within_days, to })
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

/// The personas that an account's event is for.
fn people(to: Option<&Spanned<Vec<Spanned<String>>>>, personas: &[String]) -> Result<Vec<String>, Wrong> {
    let Some(to) = to else { return Ok(Vec::new()) };
    if to.get_ref().is_empty() {
        return Err((Some(to.span()), "to names at least one persona of personas.toml".to_owned()));
    }
    let known = |name: &Spanned<String>| {
        if personas.contains(name.get_ref()) {
            return Ok(name.get_ref().clone());
        }
        Err((Some(name.span()), unknown("persona", name.get_ref(), personas.iter().map(String::as_str))))
    };
    to.get_ref().iter().map(known).collect()
}
