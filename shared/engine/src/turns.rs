//! Turns: of several messages that are due for one person one is sent, and the others wait or are dropped.
//!
//! The choice is a function of the candidates and of the sent messages, and each evaluation makes it once, at its end:
//! by priority, worth, how long the message has been due, and the journey's id. A message that an event triggers takes
//! no part in it, and counts as the last message for those that wait.

use crate::candidate::{Candidate, Delay, MAX_CANDIDATES};
use crate::candidates::{Waiting, waiting};
use crate::facts::Run;
use crate::instant::second;
use crate::known::has_address;
use crate::send::Sending;
use crate::situation::Situation;
use crate::start::{Start, position};
use crate::taken::Taken;
use perennial_config::journeys::{Does, Journey, Message};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Channel, Withheld};

/// How long after its age limit a message may still be sent if its turn came in time, in seconds: the due index is
/// processed some minutes late.
const GRACE: i64 = 15 * 60;

/// How the messages of a walk through a journey's steps are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: an event triggered them.
    AtOnce,
    /// In their turn: a state triggered them.
    InTurn {
        /// Since when they are due, in seconds since 1970.
        due: i64,
    },
    /// Now: it is their turn.
    Chosen {
        /// Since when, in seconds since 1970.
        at: i64,
        /// Since when they were due.
        due: i64,
    },
}

/// The reason why a message is not sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldUp {
    /// Quiet hours, up to this second; then it is sent before anything else that waits.
    Night(i64),
    /// It waits for its turn, or for a cap.
    Candidate(Candidate),
}

/// Why a candidate stops waiting without having been chosen.
enum Over {
    /// It is exempt from limits now.
    Exempt,
    /// No mail address came: it is handed over, and recorded as not deliverable.
    Unreachable,
    /// It is dropped.
    Dropped(Withheld),
    /// Another profile of the same person has had it.
    Had,
}

impl<'a> Situation<'a, '_> {
    /// Returns whether the message takes a turn: mails and in-app messages that are not essential and not for a person
    /// in a holdout.
    fn takes_turn(&self, journey: &Journey, message: &Message) -> bool {
        matches!(message.channel, Channel::Mail | Channel::InApp)
            && !self.is_essential(journey, message)
            && !self.is_held_out(journey)
    }

    fn gap(&self) -> i64 {
        self.config().limits.gap_seconds()
    }

    /// Returns why a message that a walk of this pace has reached is not sent now; `None` if it is.
    pub(crate) fn held_up(&self, journey: &Journey, message: &Message, pace: Pace) -> Option<HeldUp> {
        let night = self.quiet_until(journey, message);
        if !self.takes_turn(journey, message) {
            return night.map(HeldUp::Night);
        }
        let due = match pace {
            Pace::AtOnce => self.now().as_second(),
            Pace::InTurn { due } | Pace::Chosen { due, .. } => due,
        };
        let wait = |delay| {
            let rank = message.rank;
            let expires = due.saturating_add(i64::from(rank.max_age_days) * DAY_SECONDS);
            Some(HeldUp::Candidate(Candidate { due, expires, priority: rank.priority, worth: rank.worth, delay }))
        };
        match pace {
            // The reason of its wait is determined when turns are taken, at the end of the evaluation.
            Pace::InTurn { .. } if self.gap() > 0 => wait(Delay::Turn),
            _ if self.over_caps_until(message.channel).is_some() => wait(Delay::Cap),
            Pace::Chosen { at, .. } if night.is_some() && self.gap() > 0 => wait(Delay::QuietHours { chosen: at }),
            _ => night.map(HeldUp::Night),
        }
    }

    /// Sends the best candidate whose turn it is, drops those that are too old or too many, and records what the others
    /// wait for.
    pub(crate) fn take_turns(&mut self) {
        if self.facts.runs.values().all(|run| run.candidate.is_none()) {
            return;
        }
        // The step after a finished message may be a candidate too. Steps lead forward only, so that both loops end.
        while let Some((waiting, over)) = self.first_over() {
            self.end(&waiting, &over);
        }
        while let Some((waiting, at)) = self.next_up() {
            let pace = Pace::Chosen { at, due: waiting.candidate.due };
            self.resume(&waiting, waiting.at, pace);
        }
        for waiting in self.waiting() {
            self.settle(&waiting);
        }
    }

    /// The candidates, the best first.
    fn waiting(&self) -> Vec<Waiting<'a>> {
        waiting(self.config(), self.facts.runs.iter().map(|(key, run)| (*key, run)))
    }

    /// The first candidate that stops waiting without having been chosen.
    fn first_over(&self) -> Option<(Waiting<'a>, Over)> {
        let all = self.waiting();
        let surplus = all.len() > MAX_CANDIDATES;
        let over = all.iter().find_map(|waiting| Some((waiting.clone(), self.over(waiting)?)));
        over.or_else(|| Some((all.last()?.clone(), Over::Dropped(Withheld::Displaced))).filter(|_| surplus))
    }

    fn over(&self, waiting: &Waiting<'_>) -> Option<Over> {
        let Waiting { journey, message, candidate, .. } = waiting;
        let now = self.now().as_second();
        if !self.takes_turn(journey, message) {
            return Some(Over::Exempt);
        }
        if self.had_elsewhere(waiting).is_some() {
            return Some(Over::Had);
        }
        if let Some(until) = self.address_until(message, candidate) {
            return (until <= now).then_some(Over::Unreachable);
        }
        if self.holds_turn(candidate).is_some() {
            return None;
        }
        let in_time = self.free_at(message) <= candidate.expires && now <= candidate.expires + GRACE;
        let why = if candidate.delay == Delay::Cap { Withheld::Capped } else { Withheld::Expired };
        (now > candidate.expires && !in_time).then_some(Over::Dropped(why))
    }

    /// Drops every message that is due for the person and waits, whatever it waits for, except for essential ones and those of
    /// the journey that replaces them. Their journeys continue.
    pub(crate) fn replace_due(&mut self, by: &Journey) {
        // The step after a dropped message may be another one that waits. Steps lead forward only, so that this ends.
        while let Some((journey, run, at, message)) = self.due_but(by) {
            let Run { entered, cause, cause_key, .. } = run;
            let start = Start { entered, cause, properties: self.recalled(journey.key, cause_key), cause_key };
            self.send(journey, &start, at, message, Sending::Withheld(Withheld::Displaced));
            let next = journey.steps.get(at).map_or(at + 1, |step| step.next);
            self.walk(journey, &start, next, Pace::InTurn { due: self.now().as_second() });
        }
    }

    /// The first message of a journey other than `by` that is due and waits.
    fn due_but(&self, by: &Journey) -> Option<(&'a Journey, Run, usize, &'a Message)> {
        self.facts.runs.iter().filter(|(key, _)| **key != by.key).find_map(|(key, run)| {
            let journey = self.config().journeys.under_way(*key, run.version)?;
            let (at, step) = position(journey, run)?;
            let Does::Send(message) = &step.does else { return None };
            (!self.is_essential(journey, message)).then(|| (journey, run.clone(), at, message))
        })
    }

    fn end(&mut self, waiting: &Waiting<'a>, over: &Over) {
        let Waiting { journey, at, step, message, candidate, .. } = waiting;
        // The next step was due with it.
        let rest = Pace::InTurn { due: candidate.due };
        match over {
            Over::Exempt => return self.resume(waiting, *at, Pace::AtOnce),
            Over::Unreachable => self.send(journey, &self.start(waiting), *at, message, Sending::Unreachable),
            Over::Dropped(why) => self.send(journey, &self.start(waiting), *at, message, Sending::Withheld(*why)),
            Over::Had => {
                let Some((refusal, under_way)) = self.had_elsewhere(waiting) else { return };
                self.tell(journey, Some(step), Taken::Refused(refusal));
                if !under_way {
                    return self.leave(journey.key);
                }
            }
        }
        self.resume(waiting, step.next, rest);
    }

    /// Continues the run of a candidate at a step.
    fn resume(&mut self, waiting: &Waiting<'a>, at: usize, pace: Pace) {
        let start = self.start(waiting);
        self.walk(waiting.journey, &start, at, pace);
    }

    fn start(&self, waiting: &Waiting<'_>) -> Start {
        let Run { entered, cause, cause_key, .. } = waiting.run.clone();
        Start { entered, cause, properties: self.recalled(waiting.journey.key, cause_key), cause_key }
    }

    /// Returns the candidate to send now, and since when it is its turn; `None` if there is none.
    fn next_up(&self) -> Option<(Waiting<'a>, i64)> {
        let now = self.now().as_second();
        let all = self.waiting();
        if self.gap() > 0 {
            if let Some((waiting, chosen)) = self.holder(&all) {
                let is_over = self.quiet_until(waiting.journey, waiting.message).is_none();
                return is_over.then(|| (waiting.clone(), chosen));
            }
            if self.gap_over() > now {
                return None;
            }
        }
        let goes = |waiting: &Waiting<'_>| {
            self.address_until(waiting.message, &waiting.candidate).is_none()
                && self.over_caps_until(waiting.message.channel).is_none()
        };
        all.into_iter().find(goes).map(|waiting| (waiting, now))
    }

    /// The candidate that was chosen in quiet hours, and when.
    fn holder<'w>(&self, all: &'w [Waiting<'a>]) -> Option<(&'w Waiting<'a>, i64)> {
        all.iter().find_map(|waiting| Some((waiting, self.holds_turn(&waiting.candidate)?)))
    }

    /// When a candidate was chosen that waits for the end of the quiet hours. It loses its turn where another message went out since.
    fn holds_turn(&self, candidate: &Candidate) -> Option<i64> {
        let Delay::QuietHours { chosen } = candidate.delay else { return None };
        self.facts.last_turn().is_none_or(|last| last <= chosen).then_some(chosen)
    }

    /// The second at which the gap after the last message is over; that of long ago where there was none.
    fn gap_over(&self) -> i64 {
        self.facts.last_turn().map_or(i64::MIN, |last| last.saturating_add(self.gap()))
    }

    /// Returns the first second at which neither the gap nor a cap defers a message of this channel, as far as is known
    /// now.
    fn free_at(&self, message: &Message) -> i64 {
        let gap_over = if self.gap() > 0 { self.gap_over() } else { i64::MIN };
        gap_over.max(self.over_caps_until(message.channel).unwrap_or(i64::MIN))
    }

    /// Until when a mail waits for an address; `None` where it needs none, or one is known.
    fn address_until(&self, message: &Message, candidate: &Candidate) -> Option<i64> {
        let is_missing = message.channel == Channel::Mail && !has_address(self.person.state);
        let wait = i64::from(self.config().channels.mail.wait_for_address_minutes) * 60;
        is_missing.then(|| candidate.due.saturating_add(wait))
    }

    /// Records the reason that a candidate waits, and when it is evaluated again.
    fn settle(&mut self, waiting: &Waiting<'a>) {
        let Waiting { journey, step, message, run, candidate, .. } = waiting;
        let all = self.waiting();
        let holder = self.holder(&all).filter(|_| self.gap() > 0);
        let morning = holder.and_then(|(holder, _)| self.quiet_until(holder.journey, holder.message));
        let is_holder = holder.is_some_and(|(holder, _)| holder.journey.key == journey.key);
        let (gap_over, free_at) = (self.gap_over(), self.free_at(message));
        let (delay, look) = match (self.address_until(message, candidate), morning) {
            (Some(until), _) => (Delay::Address, until),
            (None, Some(morning)) if is_holder => (candidate.delay, morning),
            (None, Some(morning)) => (Delay::Turn, morning),
            (None, None) if self.gap() > 0 && gap_over >= free_at => {
                (Delay::Gap { sent: self.facts.last_turn().unwrap_or_default() }, gap_over)
            }
            (None, None) => (Delay::Cap, free_at),
        };
        // A candidate whose turn comes too late is dropped as soon as it is too old.
        let look = if look > candidate.expires && !is_holder { candidate.expires + 1 } else { look };
        let look = look.max(self.now().as_second() + 1);
        if (delay, look) == (candidate.delay, run.due) {
            return;
        }
        let what = match delay {
            Delay::QuietHours { .. } => Taken::PutOff { until: second(look) },
            delay => Taken::Queued { waits_for: delay.into(), until: second(look) },
        };
        self.tell(journey, Some(step), what);
        self.edit_run(journey.key, run, |run| {
            run.due = look;
            run.candidate = Some(Candidate { delay, ..*candidate });
        });
    }
}
