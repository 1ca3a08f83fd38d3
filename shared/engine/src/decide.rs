//! Decides which journeys a profile enters, and which segments it enters and leaves.

use crate::action::Awaited;
use crate::facts::Entered;
use crate::occurrence::Occurrence;
use crate::situation::Situation;
use crate::start::Start;
use crate::starts::Onset;
use crate::state::Answer;
use crate::taken::Taken;
use crate::turns::Pace;
use jiff::Timestamp;
use perennial_config::journeys::{Journey, Reentry, Trigger};
use perennial_domain::event::MAX_TRAIT_NAME_BYTES;
use perennial_domain::time::{day_of, plus_days, plus_hours};
use perennial_domain::{Cause, Event, Identity, Properties, hash};
use std::collections::HashSet;

/// The reason of a journey entry.
#[derive(Debug, Clone)]
pub(crate) struct Because {
    pub(crate) cause: Cause,
    /// The properties of the triggering event that the journey's templates use.
    pub(crate) properties: Properties,
}

impl From<Cause> for Because {
    fn from(cause: Cause) -> Self {
        Self { cause, properties: Properties::new() }
    }
}

/// The most properties of an event that are kept for a journey's messages: the first of the alphabet.
const MAX_PROPERTIES: usize = 20;
/// The largest stored JSON of one property, in bytes; a longer one is left out.
const MAX_PROPERTY_BYTES: usize = 512;
/// The most bytes of JSON of all of them.
const MAX_PROPERTIES_BYTES: usize = 2048;

/// Returns the properties of `event` that the templates of `journey` use, as far as they are kept: those of waiting
/// runs are stored.
pub(crate) fn asked_of(journey: &Journey, event: &Event) -> Properties {
    let mut left = MAX_PROPERTIES_BYTES;
    let wanted = event
        .properties
        .iter()
        .filter(|(name, value)| !value.is_null() && name.len() <= MAX_TRAIT_NAME_BYTES && journey.asked.contains(name));
    let kept = wanted.filter(|(name, value)| {
        let bytes = name.len() + value.to_string().len();
        let fits = bytes <= MAX_PROPERTY_BYTES.min(left);
        left -= if fits { bytes } else { 0 };
        fits
    });
    kept.take(MAX_PROPERTIES).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// An event that has to happen several times within some days.
#[derive(Debug, Clone, Copy)]
struct Repeated {
    /// The key of the event's history.
    key: u32,
    times: u16,
    within_days: u16,
}

impl Situation<'_, '_> {
    /// Handles the events among `fresh` (new ones, with their identities) that trigger a journey.
    pub(crate) fn on_events(&mut self, fresh: &[(&Event, Identity)]) {
        let config = self.config();
        let days: Vec<(&str, i32)> =
            fresh.iter().map(|(event, _)| (config.counted_as(event), day_of(event.timestamp))).collect();
        for (nth, (event, identity)) in fresh.iter().enumerate() {
            let recent = self.is_recent(event.timestamp);
            let occurrence = Occurrence::new(config, event);
            let name = occurrence.name();
            if !event.is_trusted() && config.is_of_money(name) {
                continue;
            }
            let journeys = config.journeys.by_event.get(name).map(Vec::as_slice).unwrap_or_default();
            let journeys = || journeys.iter().filter_map(|at| config.journeys.all.get(*at));
            if recent {
                for journey in journeys() {
                    self.on_goal(journey, event, &occurrence);
                }
            }
            // A goal that was reached ends a run; nothing else follows from what is imported as history.
            if event.history || self.is_replaced(event, &occurrence) {
                continue;
            }
            if recent {
                self.on_awaited(event, &occurrence);
            }
            for journey in journeys() {
                let Trigger::Event { event: trigger, key, times, within_days, to } = &journey.trigger else { continue };
                if trigger != name || journey.filter.as_ref().is_some_and(|filter| !filter.is_true(&occurrence)) {
                    continue;
                }
                let triggers = if *times > 1 {
                    let repeated = Repeated { key: *key, times: *times, within_days: *within_days };
                    let later = days.get(nth + 1..).unwrap_or_default();
                    self.completes(repeated, event, later.iter().filter(|(other, _)| *other == name), recent)
                } else {
                    recent
                };
                if !triggers {
                    continue;
                }
                let cause = Cause::Event { name: name.to_owned(), message_id: event.message_id.clone() };
                if to.is_empty() || !self.ask_account(journey, event, to, &cause) {
                    let because = Because { cause, properties: asked_of(journey, event) };
                    let awaited =
                        self.enter(journey, Some(identity), because.clone(), event.message_id.as_str().as_bytes());
                    if let Some(until) = awaited {
                        self.defer(journey, because, event.timestamp, until);
                    }
                }
            }
        }
    }

    /// Returns whether the event contains a survey answer, and a newer one is known: class, points and actions are
    /// those of the newest.
    fn is_replaced(&self, event: &Event, occurrence: &Occurrence<'_>) -> bool {
        let at = event.timestamp.as_microsecond();
        let newest = |(survey, points)| self.person.state.answer(survey) == Some(Answer { at, points });
        occurrence.answers().next().is_some() && !occurrence.answers().any(newest)
    }

    /// Returns whether there is a span of days, including that of `event`, in which the event had happened often enough
    /// once this one was counted. So the order of arrival does not matter: the last to arrive completes the number,
    /// whether it is the newest or the oldest. `later` are the days of those after it in the batch. An event that is
    /// not recent counts only if one in its span is, so that old events trigger no messages.
    fn completes<'e>(
        &self,
        repeated: Repeated,
        event: &Event,
        later: impl Iterator<Item = &'e (&'e str, i32)> + Clone,
        recent: bool,
    ) -> bool {
        let Some(counted) = self.person.state.windows.get(&repeated.key) else { return false };
        let day = day_of(event.timestamp);
        // It is unknown whether an event on the day of the limit came before it or after.
        let oldest = day_of(plus_hours(self.now(), -i64::from(self.config().channels.max_event_age_hours))) + 1;
        (day..day + i32::from(repeated.within_days)).any(|last| {
            let span = last - i32::from(repeated.within_days) + 1..=last;
            let of_span = counted.range(span.clone());
            let happened: u32 = of_span.clone().map(|(_, n)| *n).sum();
            let to_come = later.clone().filter(|(_, day)| span.contains(day)).count();
            let is_recent = || recent || of_span.clone().next_back().is_some_and(|(newest, _)| *newest >= oldest);
            happened as usize >= usize::from(repeated.times) + to_come && is_recent()
        })
    }

    /// Handles triggers by time, a score, a segment or a condition, and resumes waiting runs. Inactivity starts
    /// journeys whatever the onset, if it was reached recently. While it is open whether a person has left or only
    /// changes their plan, all of it waits.
    pub(crate) fn on_state(&mut self, onset: Onset) {
        if onset == Onset::Now && self.person.settles_at().is_some() {
            return;
        }
        let config = self.config();
        let changed = self.on_segments();
        self.on_time();
        for journey in &config.journeys.all {
            let Some(cause) = self.onset(journey, &changed, onset) else { continue };
            match onset {
                Onset::Now => {
                    self.enter(journey, None, cause, &self.now().as_second().to_be_bytes());
                }
                Onset::Later => self.plan_start(journey),
                Onset::Note => {}
            }
        }
        self.take_starts();
        self.take_turns();
    }

    /// Records whether the journey's trigger holds; returns its cause if it has just started to hold. Inactivity is
    /// handled here.
    fn onset(&mut self, journey: &Journey, changed: &[(usize, bool)], onset: Onset) -> Option<Cause> {
        match &journey.trigger {
            Trigger::Idle { days } => {
                self.on_idle(journey, *days, onset);
                None
            }
            Trigger::Score { .. } | Trigger::Becomes { .. } => {
                self.note_threshold(journey).then(|| self.person.cause_of(&journey.trigger)).flatten()
            }
            Trigger::Segment { segment, entered } => {
                changed.contains(&(*segment, *entered)).then(|| self.person.cause_of(&journey.trigger)).flatten()
            }
            Trigger::Event { .. } => None,
        }
    }

    /// Plans the starts of these new journeys, for which the trigger holds already.
    pub(crate) fn on_new(&mut self, journeys: &HashSet<u32>) {
        let config = self.config();
        self.on_segments();
        for journey in config.journeys.all.iter().filter(|journey| journeys.contains(&journey.key)) {
            self.note_threshold(journey);
            if self.person.is_met(&journey.trigger) {
                self.plan_start(journey);
            }
        }
    }

    /// Records segments and thresholds without triggering anything.
    pub(crate) fn note(&mut self) {
        self.on_segments();
        for journey in &self.config().journeys.all {
            self.note_threshold(journey);
        }
    }

    /// Records whether the journey's score is over its threshold, or its condition holds; returns whether that has just
    /// started.
    fn note_threshold(&mut self, journey: &Journey) -> bool {
        let Some(over) = self.person.is_over(&journey.trigger) else { return false };
        let was_over = self.facts.above.contains(&journey.key);
        if over == was_over || self.is_superseded() {
            return false;
        }
        self.note_config();
        if over {
            self.facts.above.insert(journey.key);
            if let Some(part) = self.profile.primary_mut() {
                part.facts.above.insert(journey.key);
            }
        } else {
            self.facts.above.remove(&journey.key);
            for part in &mut self.profile.parts {
                part.facts.above.remove(&journey.key);
            }
        }
        over
    }

    /// Records which segments were entered and left; returns them by index, with whether they were entered.
    fn on_segments(&mut self) -> Vec<(usize, bool)> {
        let now = self.now().as_millisecond();
        let mut changed = Vec::new();
        if self.is_superseded() {
            return changed;
        }
        for (at, segment) in self.config().segments.all.iter().enumerate() {
            let inside = self.person.segments & (1 << at) != 0;
            if inside == self.facts.segments.contains_key(&segment.key) {
                continue;
            }
            changed.push((at, inside));
            self.note_config();
            if inside {
                self.facts.segments.insert(segment.key, now);
                if let Some(part) = self.profile.primary_mut() {
                    part.facts.segments.insert(segment.key, now);
                }
            } else {
                let since = self.facts.segments.remove(&segment.key).filter(|_| segment.retention_target.is_some());
                if let Some(since) = since {
                    let left = self.now();
                    self.facts.note_left(segment.key, since, left);
                    if let Some(part) = self.profile.primary_mut() {
                        part.facts.note_left(segment.key, since, left);
                    }
                }
                for part in &mut self.profile.parts {
                    part.facts.segments.remove(&segment.key);
                }
            }
        }
        changed
    }

    fn on_idle(&mut self, journey: &Journey, days: u16, onset: Onset) {
        let Some(seen) = self.person.state.seen else { return };
        let since = seen.last_at();
        let rang = plus_days(since, i64::from(days));
        let entered = self.facts.entered.get(&journey.key);
        if rang > self.now() || entered.is_some_and(|entered| entered.last >= rang.as_millisecond()) {
            return;
        }
        let is_of_import = self.facts.imported.is_some_and(|at| rang.as_second() <= at);
        if !self.is_recent(rang) || is_of_import {
            // They became inactive before their data arrived.
            if onset == Onset::Later {
                self.plan_start(journey);
            }
        } else {
            let since_bytes = since.as_millisecond().to_be_bytes();
            self.enter(journey, None, Cause::Quiet { since, days }, &since_bytes);
        }
    }

    pub(crate) fn is_recent(&self, at: Timestamp) -> bool {
        let age = self.now().as_second() - at.as_second();
        age <= i64::from(self.config().channels.max_event_age_hours) * 3600
    }

    /// Starts a run of a journey, if its stages, its condition and its re-entry rule allow it. A run in progress is not
    /// started again. Returns what may come that would allow it; `None` if they entered, or nothing would.
    pub(crate) fn enter(
        &mut self,
        journey: &Journey,
        identity: Option<&Identity>,
        because: impl Into<Because>,
        cause_bytes: &[u8],
    ) -> Option<Awaited> {
        let Because { cause, properties } = because.into();
        let now = self.now().as_millisecond();
        let entered = self.facts.entered.get(&journey.key).copied();
        if let Some(refusal) = self.refusal(journey) {
            let awaited = refusal.awaits();
            self.tell(journey, None, Taken::Refused(refusal));
            return awaited;
        }
        // With re-entry "once" the decision ids are the same whatever the cause, so that nothing leads to a second
        // message.
        let cause_bytes = if journey.reentry == Reentry::Once { b"once".as_slice() } else { cause_bytes };
        let part = match identity {
            Some(identity) => Some(self.profile.part_mut(identity)),
            None => self.profile.primary_mut(),
        };
        if let Some(part) = part {
            let times = entered.map_or(0, |entered| entered.times);
            let entered = Entered { times: times + 1, last: now, reached: None };
            part.facts.entered.insert(journey.key, entered);
            self.facts.entered.insert(journey.key, entered);
        }
        self.drop_start(journey.key);
        self.tell(journey, None, Taken::Entered { cause: cause.clone() });
        self.hold_out(journey);
        if journey.replaces_due && !self.is_held_out(journey) {
            self.replace_due(journey);
        }
        let pace = match &cause {
            Cause::Event { .. } => Pace::AtOnce,
            Cause::Quiet { .. } | Cause::Score { .. } | Cause::Segment { .. } | Cause::Became { .. } => {
                Pace::InTurn { due: self.now().as_second() }
            }
        };
        let start = Start { entered: now, cause, properties, cause_key: hash::hash64(&[cause_bytes]) };
        self.walk(journey, &start, 0, pace);
        None
    }
}
