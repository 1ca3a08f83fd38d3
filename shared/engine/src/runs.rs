//! The way through a journey: what its steps do, where someone waits, and what lets them go on.

use crate::action::Action;
use crate::decide::Situation;
use crate::facts::{Facts, Run};
use crate::occurrence::Occurrence;
use crate::profile::Profile;
use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use perennial_config::journeys::{Does, GoalBy, Journey, Message, Step, Wait, Way};
use perennial_domain::event::JOURNEYS;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{
    Cause, Decision, DecisionId, Event, EventKind, Identity, InvalidId, MessageId, Properties, SourceId, hash,
};
use std::collections::BTreeMap;

/// The traits that may hold someone's time zone, by its IANA name; UTC where none does.
const TIME_ZONES: [&str; 2] = ["timezone", "time_zone"];
/// Days that are looked through for an allowed weekday: a week, and the day on which it begins anew.
const DAYS_AHEAD: i32 = 8;

/// What a way through a journey began with.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// When, in milliseconds since 1970.
    pub(crate) entered: i64,
    pub(crate) cause: Cause,
    pub(crate) cause_key: u64,
}

/// The earliest moment at which someone on the way goes on by time alone. Of two ways through one journey, as two people who are one
/// now had begun, only that counts which [`Facts::merge`] keeps.
pub(crate) fn next_due(profile: &Profile) -> Option<Timestamp> {
    let mut runs: BTreeMap<u32, &Run> = BTreeMap::new();
    for (key, run) in profile.parts.iter().flat_map(|part| &part.facts.runs) {
        let first = runs.entry(*key).or_insert(run);
        if run.is_before(first) {
            *first = run;
        }
    }
    runs.values().map(|run| run.due).min().and_then(|second| Timestamp::from_second(second).ok())
}

impl Situation<'_, '_> {
    /// Lets who waits for this event go on, and notes that it is a journey's goal.
    pub(crate) fn on_event(&mut self, journey: &Journey, event: &Event, occurrence: &Occurrence<'_>) {
        let at = event.timestamp.as_millisecond();
        if let Some(GoalBy::Event { event: name, filter }) = journey.goal.as_ref().map(|goal| &goal.by)
            && name == event.counted_as()
            && filter.as_ref().is_none_or(|filter| filter.is_true(occurrence))
            && self.may_reach(journey, at)
        {
            self.reach(journey, at);
        }
        let Some(run) = self.facts.runs.get(&journey.key) else { return };
        let Some((_, step)) = position(journey, run) else { return };
        let Does::Wait(Wait::Event { event: name, filter, .. }) = &step.does else { return };
        let wanted = filter.as_ref().is_none_or(|filter| filter.is_true(occurrence));
        if name == event.counted_as() && wanted && at >= run.since {
            let (run, next) = (run.clone(), step.next);
            if self.is_out(journey) { self.leave(journey.key) } else { self.go_on(journey, &run, next) }
        }
    }

    /// Lets everyone go on whose time has come, and lets out whom a journey is not for any more.
    pub(crate) fn on_time(&mut self) {
        let config = self.config();
        let now = self.now().as_millisecond();
        for journey in &config.journeys.all {
            if let Some(GoalBy::State(when)) = journey.goal.as_ref().map(|goal| &goal.by)
                && self.may_reach(journey, now)
                && when.is_true(self.person)
            {
                self.reach(journey, now);
            }
        }
        let under_way: Vec<(u32, Run)> = self.facts.runs.iter().map(|(key, run)| (*key, run.clone())).collect();
        for (key, run) in under_way {
            let Some(journey) = config.journeys.get(key) else {
                self.leave(key);
                continue;
            };
            match position(journey, &run) {
                // Of what is written down under no config any more nobody can say where it leads.
                None => self.leave(key),
                Some(_) if self.is_out(journey) => self.leave(key),
                Some((at, step)) if run.due <= self.now().as_second() => {
                    let next = match &step.does {
                        Does::Wait(Wait::Event { timeout, .. }) => *timeout,
                        Does::Wait(_) => step.next,
                        // It was a wait when they came to it.
                        _ => at,
                    };
                    self.go_on(journey, &run, next);
                }
                Some(_) => {}
            }
        }
    }

    fn go_on(&mut self, journey: &Journey, run: &Run, next: usize) {
        let start = Start { entered: run.entered, cause: run.cause.clone(), cause_key: run.cause_key };
        self.walk(journey, &start, next);
    }

    /// Whether the journey is not, or not any more, for this person.
    fn is_out(&self, journey: &Journey) -> bool {
        !journey.is_for(self.person.stage) || journey.exit.as_ref().is_some_and(|exit| exit.is_true(self.person))
    }

    /// Whether what happened at `at` could be the goal of someone who entered before, and has not reached it.
    fn may_reach(&self, journey: &Journey, at: i64) -> bool {
        let days = journey.goal.as_ref().map_or(0, |goal| i64::from(goal.within_days));
        self.facts.entered.get(&journey.key).is_some_and(|entered| {
            entered.reached.is_none() && (entered.last..entered.last + days * DAY_SECONDS * 1000).contains(&at)
        })
    }

    fn reach(&mut self, journey: &Journey, at: i64) {
        let note = |facts: &mut Facts| {
            if let Some(entered) = facts.entered.get_mut(&journey.key) {
                entered.reached = Some(at);
            }
        };
        note(&mut self.facts);
        self.profile.parts.iter_mut().for_each(|part| note(&mut part.facts));
        self.leave(journey.key);
    }

    /// Takes the person out of the journey, with everyone that they are made of.
    fn leave(&mut self, journey: u32) {
        self.facts.runs.remove(&journey);
        for part in &mut self.profile.parts {
            part.facts.runs.remove(&journey);
        }
    }

    /// Does what the steps from index `at` on ask for, up to one that waits, or to the end. Steps lead forward only.
    pub(crate) fn walk(&mut self, journey: &Journey, start: &Start, mut at: usize) {
        while let Some(step) = journey.steps.get(at) {
            at = match &step.does {
                Does::Send(message) => {
                    self.send(journey, start, at, message);
                    step.next
                }
                Does::Wait(wait) => match self.due(wait) {
                    due if due > self.now().as_second() => return self.wait(journey, start, step, due),
                    _ => step.next,
                },
                Does::Branch { when, to } => {
                    if when.is_true(self.person) {
                        *to
                    } else {
                        step.next
                    }
                }
                Does::Split { ways } => self.way(journey, step, ways),
                Does::Event { name } => {
                    self.count(journey, start, at, |event| event.event = Some(name.clone()));
                    step.next
                }
                Does::Traits { traits } => {
                    self.count(journey, start, at, |event| {
                        event.kind = EventKind::Identify;
                        event.traits = traits.clone();
                    });
                    step.next
                }
            };
        }
        self.leave(journey.key);
    }

    fn decision_id(&self, journey: &Journey, start: &Start, step: usize) -> DecisionId {
        let step = u16::try_from(step).unwrap_or(u16::MAX);
        DecisionId::of(self.profile.id, &journey.id, step, &start.cause_key.to_be_bytes())
    }

    fn send(&mut self, journey: &Journey, start: &Start, at: usize, message: &Message) {
        let decision = Decision {
            id: self.decision_id(journey, start, at),
            person: self.profile.id,
            journey: journey.id.clone(),
            step: u16::try_from(at).unwrap_or(u16::MAX),
            channel: message.channel,
            template: message.template.clone(),
            endpoint: message.endpoint.clone(),
            cause: start.cause.clone(),
            decided_at: self.now(),
            config: self.config().version.clone(),
            variant: None,
            withheld: None,
        };
        self.profile.outbox.push(Action::Send(decision));
    }

    /// When a wait that begins now ends by itself, in seconds since 1970.
    fn due(&self, wait: &Wait) -> i64 {
        let now = self.now();
        match wait {
            Wait::For { seconds } | Wait::Event { seconds, .. } => whole_second(now).saturating_add(*seconds),
            Wait::Until { time, weekdays } => next_time(now, &self.time_zone(), *time, weekdays),
        }
    }

    /// Writes down where the person waits, in the part that the journey was entered because of.
    fn wait(&mut self, journey: &Journey, start: &Start, step: &Step, due: i64) {
        let run = Run {
            entered: start.entered,
            step: step.key,
            since: self.now().as_millisecond(),
            due,
            cause: start.cause.clone(),
            cause_key: start.cause_key,
        };
        let is_here = |facts: &Facts| {
            let key = &journey.key;
            facts.runs.get(key).map(|run| (run.entered, run.cause_key)) == Some((start.entered, start.cause_key))
                || (!facts.runs.contains_key(key)
                    && facts.entered.get(key).map(|entered| entered.last) == Some(start.entered))
        };
        let at = self.profile.parts.iter().position(|part| is_here(&part.facts)).unwrap_or(0);
        if let Some(part) = self.profile.parts.get_mut(at) {
            part.facts.runs.insert(journey.key, run.clone());
        }
        self.facts.runs.insert(journey.key, run);
    }

    fn time_zone(&self) -> TimeZone {
        let named = TIME_ZONES.iter().filter_map(|name| self.person.state.text_trait(name));
        named.filter_map(|name| TimeZone::get(&name).ok()).next().unwrap_or(TimeZone::UTC)
    }

    /// The way that this person takes: the same whenever it is asked for.
    fn way(&self, journey: &Journey, step: &Step, ways: &[Way]) -> usize {
        let of = [self.profile.id.as_bytes().as_slice(), journey.id.as_bytes(), step.id.as_bytes()];
        let mut left = hash::hash64(&of) % 100;
        for way in ways {
            let share = u64::from(way.share);
            if left < share {
                return way.to;
            }
            left -= share;
        }
        step.next
    }

    /// Counts an event of the journey's for the person.
    fn count(&mut self, journey: &Journey, start: &Start, at: usize, fill: impl FnOnce(&mut Event)) {
        let id = self.decision_id(journey, start, at);
        let Some(identity) = self.profile.primary_mut().map(|part| part.identity.clone()) else { return };
        // Neither can be wrong: both are short and made of letters and digits.
        let Ok(mut event) = own_event(&identity, id, self.now()) else { return };
        event.properties = Properties::from_iter([("journey".to_owned(), journey.id.as_str().into())]);
        fill(&mut event);
        self.profile.outbox.push(Action::Count { event });
    }
}

fn own_event(identity: &Identity, id: DecisionId, at: Timestamp) -> Result<Event, InvalidId> {
    let message_id = MessageId::parse(&format!("journey-{id}"))?;
    Ok(Event::new(identity, EventKind::Track, message_id, SourceId::parse(JOURNEYS)?, at))
}

/// The step at which a run waits, and its index; `None` where the journey has it no more.
fn position<'j>(journey: &'j Journey, run: &Run) -> Option<(usize, &'j Step)> {
    journey.steps.iter().enumerate().find(|(_, step)| step.key == run.step)
}

/// The first whole second that is not before `at`.
fn whole_second(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// The first moment from `now` on at which the clock shows `time` in `zone` on one of `weekdays`, in seconds since 1970.
fn next_time(now: Timestamp, zone: &TimeZone, time: Time, weekdays: &[Weekday]) -> i64 {
    let today = now.to_zoned(zone.clone()).date();
    let days = (0..DAYS_AHEAD).filter_map(|day| today.checked_add(jiff::Span::new().days(day)).ok());
    let allowed = days.filter(|day| weekdays.is_empty() || weekdays.contains(&day.weekday()));
    let moments =
        allowed.filter_map(|day| Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp().as_second()));
    let first = whole_second(now);
    moments.filter(|second| *second >= first).min().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn a_time_of_day_is_the_persons_own_through_changes_of_the_clock() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let nine = Time::constant(9, 0, 0, 0);
        let next = |now: &str, weekdays: &[Weekday]| next_time(now.parse().unwrap(), &berlin, nine, weekdays);
        assert_eq!(next("2026-01-15T07:59:59.5Z", &[]), seconds("2026-01-15T08:00:00Z"));
        assert_eq!(next("2026-01-15T08:00:00Z", &[]), seconds("2026-01-15T08:00:00Z"));
        assert_eq!(next("2026-01-15T08:00:01Z", &[]), seconds("2026-01-16T08:00:00Z"));
        // Summer time begins in the night to 29 March.
        assert_eq!(next("2026-03-28T12:00:00Z", &[]), seconds("2026-03-29T07:00:00Z"));
        // 16 January is a Friday.
        assert_eq!(next("2026-01-16T12:00:00Z", &[Weekday::Monday, Weekday::Friday]), seconds("2026-01-19T08:00:00Z"));
        // A time that the clock leaves out is the first one after it.
        let half_past_two = Time::constant(2, 30, 0, 0);
        assert_eq!(
            next_time("2026-03-28T20:00:00Z".parse().unwrap(), &berlin, half_past_two, &[]),
            seconds("2026-03-29T01:30:00Z")
        );
    }
}
