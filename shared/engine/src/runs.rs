//! Runs of journeys: executes steps, stores waits, and resumes them.

use crate::action::Action;
use crate::candidate::Candidate;
use crate::clock_time::{next_time, whole_second};
use crate::facts::{Facts, Run};
use crate::instant::{moment as entered_at, second};
use crate::occurrence::Occurrence;
use crate::profile::{Part, Profile};
use crate::send::Sending;
use crate::situation::Situation;
use crate::start::{Start, position};
use crate::taken::{Left, Taken};
use crate::turns::{HeldUp, Pace};
use jiff::Timestamp;
use perennial_config::journeys::{Does, GoalBy, Journey, Step, Wait};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Event, EventKind, Properties, timestamp};

/// The longest time in seconds for which a wait from a time in an event's property lasts.
const MOST: i64 = 366 * DAY_SECONDS;

/// Returns the earliest time at which a run resumes by time alone.
pub(crate) fn next_due(profile: &Profile) -> Option<Timestamp> {
    profile.runs().values().map(|run| run.due).min().and_then(|second| Timestamp::from_second(second).ok())
}

impl Situation<'_, '_> {
    /// Records that an event is a journey's goal, if it is for a person who entered.
    pub(crate) fn on_goal(&mut self, journey: &Journey, event: &Event, occurrence: &Occurrence<'_>) {
        let at = event.timestamp.as_millisecond();
        if let Some(GoalBy::Event { event: name, filter }) = journey.goal.as_ref().map(|goal| &goal.by)
            && name == occurrence.name()
            && filter.as_ref().is_none_or(|filter| filter.is_true(occurrence))
            && self.may_reach(journey, at)
        {
            self.reach(journey, at);
        }
    }

    /// Resumes the runs that wait for this event.
    pub(crate) fn on_awaited(&mut self, event: &Event, occurrence: &Occurrence<'_>) {
        let config = self.config();
        let at = event.timestamp.as_millisecond();
        let awaited = |(key, run): (&u32, &Run)| {
            let journey = config.journeys.under_way(*key, run.version)?;
            let (_, step) = position(journey, run)?;
            let Does::Wait(Wait::Event { events, filter, .. }) = &step.does else { return None };
            let wanted = events.iter().any(|name| name == occurrence.name())
                && at >= run.since
                && filter.as_ref().is_none_or(|filter| filter.is_true(occurrence));
            wanted.then(|| (journey, step, run.clone()))
        };
        let going_on: Vec<_> = self.facts.runs.iter().filter_map(awaited).collect();
        for (journey, step, run) in going_on {
            self.tell(journey, Some(step), Taken::Happened { event: occurrence.name().to_owned() });
            if let Some(why) = self.why_out(journey) {
                self.give_up(journey, why);
            } else {
                self.go_on(journey, &run, step.next, Pace::AtOnce);
            }
        }
    }

    /// Resumes all due runs, and ends those that no longer apply.
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
            let Some(journey) = config.journeys.under_way(key, run.version) else {
                self.leave(key);
                continue;
            };
            match (position(journey, &run), self.why_out(journey)) {
                // Without any configuration of its version, the target of a run is unknown.
                (None, _) => self.give_up(journey, Left::Gone),
                (Some(_), Some(why)) => self.give_up(journey, why),
                // Turns are decided once all waiting messages are known.
                (Some((_, step)), None) if run.candidate.is_some() && matches!(step.does, Does::Send(_)) => {}
                (Some((at, step)), None) if self.due_again(journey, step, &run) <= self.now().as_second() => {
                    let in_turn = Pace::InTurn { due: self.now().as_second() };
                    let (next, pace) = match &step.does {
                        Does::Wait(Wait::Event { timeout, .. }) => (*timeout, in_turn),
                        Does::Wait(_) => (step.next, in_turn),
                        // Quiet hours deferred a message that an event had triggered.
                        Does::Send(_) => (at, Pace::AtOnce),
                        // It was a message or a wait when the run reached it.
                        _ => (at, in_turn),
                    };
                    self.go_on(journey, &run, next, pace);
                }
                (Some(_), None) => {}
            }
        }
    }

    /// Returns when the run resumes, by the time zone that is known now: another one than at the start of the wait may
    /// be known. A changed time is stored.
    fn due_again(&mut self, journey: &Journey, step: &Step, run: &Run) -> i64 {
        // If the journey has changed meanwhile, the step may be another one.
        let due = match &step.does {
            _ if journey.version != run.version => return run.due,
            Does::Wait(Wait::Until { time, weekdays }) => {
                next_time(entered_at(run.since), &self.time_zone(), *time, weekdays)
            }
            // Quiet hours held it back.
            Does::Send(message) => self.quiet_until(journey, message).unwrap_or(self.now().as_second()),
            _ => return run.due,
        };
        if due != run.due {
            self.edit_run(journey.key, run, |run| run.due = due);
        }
        due
    }

    /// Edits a stored run, in whichever identity it is.
    pub(crate) fn edit_run(&mut self, journey: u32, run: &Run, edit: impl Fn(&mut Run)) {
        let facts = self.profile.parts.iter_mut().map(|part| &mut part.facts);
        let runs = facts.chain([&mut self.facts]).filter_map(|facts| facts.runs.get_mut(&journey));
        runs.filter(|other| other.is_of(run)).for_each(edit);
    }

    fn go_on(&mut self, journey: &Journey, run: &Run, next: usize, pace: Pace) {
        let Run { entered, cause, cause_key, .. } = run.clone();
        let start = Start { entered, cause, properties: self.recalled(journey.key, cause_key), cause_key };
        self.walk(journey, &start, next, pace);
    }

    /// Returns why the journey does not, or no longer, apply to this person; `None` if it does.
    pub(crate) fn why_out(&self, journey: &Journey) -> Option<Left> {
        if !journey.is_for(self.person.stage) {
            return Some(Left::Stage);
        }
        journey.exit.as_ref().is_some_and(|exit| exit.is_true(self.person)).then_some(Left::Exit)
    }

    fn give_up(&mut self, journey: &Journey, why: Left) {
        self.tell(journey, None, Taken::Left(why));
        self.leave(journey.key);
    }

    /// Returns whether an event at `at` could be the goal of a person who entered before, and has not reached it.
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
        self.tell(journey, None, Taken::Reached);
        self.leave(journey.key);
    }

    /// Ends the run of a journey. If another identity of the profile has a run of it too, that one is suspended: it
    /// continues if the identities are unmerged.
    pub(crate) fn leave(&mut self, journey: u32) {
        let Some(run) = self.facts.runs.remove(&journey) else { return };
        self.forget_properties(journey, run.cause_key);
        let is_it = |part: &Part| part.facts.runs.get(&journey).is_some_and(|of_part| of_part.is_of(&run));
        let owner = self.profile.parts.iter().find(|part| is_it(part)).map(Part::owner);
        for part in &mut self.profile.parts {
            let Some(of_part) = part.facts.runs.get_mut(&journey) else { continue };
            if of_part.is_of(&run) {
                part.facts.runs.remove(&journey);
            } else {
                of_part.aside_for = of_part.aside_for.or(owner);
            }
        }
    }

    /// Executes the steps from index `at` on, up to one that waits, or to the end. Steps lead forward only.
    pub(crate) fn walk(&mut self, journey: &Journey, start: &Start, mut at: usize, pace: Pace) {
        let held_out = self.is_held_out(journey);
        while let Some(step) = journey.steps.get(at) {
            at = match &step.does {
                Does::Send(message) => match self.held_up(journey, message, pace) {
                    Some(HeldUp::Night(end)) => {
                        self.tell(journey, Some(step), Taken::PutOff { until: second(end) });
                        return self.wait(journey, start, step, end, None);
                    }
                    Some(HeldUp::Candidate(candidate)) => {
                        return self.wait(journey, start, step, candidate.expires, Some(candidate));
                    }
                    None => {
                        self.send(journey, start, at, message, Sending::Now);
                        step.next
                    }
                },
                Does::Wait(wait) => match (self.due(wait, start), wait) {
                    (due, _) if due > self.now().as_second() => {
                        let event = match wait {
                            Wait::Event { events, .. } => Some(events.join("\" or \"")),
                            Wait::For { .. } | Wait::Until { .. } => None,
                        };
                        self.tell(journey, Some(step), Taken::Waits { until: second(due), event });
                        return self.wait(journey, start, step, due, None);
                    }
                    // Its time had passed before the journey began.
                    (_, Wait::Event { timeout, .. }) => *timeout,
                    _ => step.next,
                },
                Does::Branch { when, to } => {
                    let held = when.is_true(self.person);
                    self.tell(journey, Some(step), Taken::Branched { held });
                    if held { *to } else { step.next }
                }
                Does::Split { ways } => match self.way(journey, step, ways) {
                    Some(way) => {
                        self.tell(journey, Some(step), Taken::Split { way: way.name.clone() });
                        way.to
                    }
                    None => step.next,
                },
                Does::Event { .. } | Does::Traits { .. } if held_out => {
                    self.tell(journey, Some(step), Taken::Skipped);
                    step.next
                }
                Does::Event { name } => {
                    self.tell(journey, Some(step), Taken::Counted { event: name.to_string() });
                    self.count(journey, start, at, |event| event.event = Some(name.clone()));
                    step.next
                }
                Does::Traits { traits } => {
                    self.tell(journey, Some(step), Taken::Wrote { traits: traits.keys().cloned().collect() });
                    self.count(journey, start, at, |event| {
                        event.kind = EventKind::Identify;
                        event.traits = traits.clone();
                    });
                    step.next
                }
            };
        }
        self.tell(journey, None, Taken::Ended);
        self.leave(journey.key);
    }

    /// When a wait that begins now ends by itself, in seconds since 1970.
    fn due(&self, wait: &Wait, start: &Start) -> i64 {
        let now = self.now();
        let after = |seconds: i64| whole_second(now).saturating_add(seconds);
        match wait {
            Wait::For { seconds } | Wait::Event { seconds, from: None, .. } => after(*seconds),
            Wait::Event { seconds, from: Some(name), .. } => {
                let from = start.properties.get(name).and_then(timestamp::of_json);
                from.map_or_else(|| after(*seconds), |from| whole_second(from).saturating_add(*seconds))
                    .min(after(MOST))
            }
            Wait::Until { time, weekdays } => next_time(now, &self.time_zone(), *time, weekdays),
        }
    }

    /// Stores a wait, in the identity that caused the journey's entry.
    fn wait(&mut self, journey: &Journey, start: &Start, step: &Step, due: i64, candidate: Option<Candidate>) {
        let run = Run {
            entered: start.entered,
            step: step.key,
            since: self.now().as_millisecond(),
            due,
            cause: start.cause.clone(),
            cause_key: start.cause_key,
            version: journey.version,
            aside_for: None,
            candidate,
        };
        let is_here = |facts: &Facts| {
            let key = &journey.key;
            let known = facts.runs.get(key);
            known.is_some_and(|known| known.is_of(&run))
                || (known.is_none_or(|known| known.aside_for.is_some())
                    && facts.entered.get(key).map(|entered| entered.last) == Some(start.entered))
        };
        let at = self.profile.parts.iter().position(|part| is_here(&part.facts)).unwrap_or(0);
        if let Some(part) = self.profile.parts.get_mut(at) {
            part.facts.runs.insert(journey.key, run.clone());
        }
        self.facts.runs.insert(journey.key, run);
        if !start.properties.is_empty() {
            self.forget_properties(journey.key, start.cause_key);
            let (journey, cause_key, properties) = (journey.key, start.cause_key, start.properties.clone());
            self.profile.outbox.push(Action::Recall { journey, cause_key, properties });
        }
    }

    /// Returns the stored properties of the event that started a run.
    pub(crate) fn recalled(&self, key: u32, of: u64) -> Properties {
        let kept = self.profile.outbox.iter().find_map(|action| match action {
            Action::Recall { journey, cause_key, properties } if (*journey, *cause_key) == (key, of) => {
                Some(properties)
            }
            _ => None,
        });
        kept.cloned().unwrap_or_default()
    }

    fn forget_properties(&mut self, key: u32, of: u64) {
        self.profile.outbox.retain(
            |action| !matches!(action, Action::Recall { journey, cause_key, .. } if (*journey, *cause_key) == (key, of)),
        );
    }
}
