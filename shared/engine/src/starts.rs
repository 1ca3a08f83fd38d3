//! Journeys whose trigger already held before it could be acted on: for imported customers who have long been at risk,
//! or for everyone when a new journey is pushed. They start on a later day, spread over two weeks, if the trigger still
//! holds then.

use crate::profile::Profile;
use crate::situation::Situation;
use jiff::Timestamp;
use perennial_config::journeys::{Journey, Reentry, Trigger};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{PersonId, hash};

/// The longest inactivity, in seconds, of a person for whom a journey is planned when they become known: 90 days.
const LATELY: i64 = 90 * DAY_SECONDS;
/// The number of days over which starts are spread.
const SPREAD_DAYS: i64 = 14;
/// The most journeys that wait to be started for one profile; of more, those of the config's order are first.
const MAX_STARTS: usize = 16;

/// How long after an import its consequences may still arrive, in seconds: more of the history, and its effect on
/// accounts.
const IMPORT: i64 = DAY_SECONDS;

/// Returns whether a condition at `now` may hold because of the import at `at`, in seconds since 1970.
pub(crate) fn is_of_import(at: Option<i64>, now: Timestamp) -> bool {
    at.is_some_and(|at| now.as_second() - at < IMPORT)
}

/// How to act on a trigger that has started to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Onset {
    /// The journey starts.
    Now,
    /// It starts on a later day: its cause is in the past.
    Later,
    /// It is only recorded.
    Note,
}

/// Returns how to act on a trigger that holds because of an import, for a person who was last active `idle` seconds
/// ago.
pub(crate) fn onset_of_import(idle: Option<i64>) -> Onset {
    if idle.is_some_and(|idle| idle > LATELY) { Onset::Note } else { Onset::Later }
}

/// Returns the earliest moment at which a journey starts that waits for its day.
pub(crate) fn next_due(profile: &Profile) -> Option<Timestamp> {
    let all = profile.parts.iter().flat_map(|part| part.facts.starts.values());
    all.min().and_then(|second| Timestamp::from_second(*second).ok())
}

/// Returns the second at which `person` starts `journey`, spread over the days after `now` by the hash of both.
fn start_of(person: PersonId, journey: &Journey, now: Timestamp) -> i64 {
    let spread = (SPREAD_DAYS * DAY_SECONDS).unsigned_abs();
    let hash = hash::hash64(&[person.as_bytes(), &journey.key.to_be_bytes()]);
    now.as_second() + 1 + i64::try_from(hash % spread).unwrap_or_default()
}

/// Returns whether the journey is triggered by leaving a segment.
fn is_leaving(journey: &Journey) -> bool {
    matches!(journey.trigger, Trigger::Segment { entered: false, .. })
}

impl Situation<'_, '_> {
    /// Plans the start of a journey whose trigger holds, unless it is planned, or was entered and may not be again. A
    /// person who was never seen in a segment has not left it.
    pub(crate) fn plan_start(&mut self, journey: &Journey) {
        let is_over = journey.reentry == Reentry::Once && self.facts.entered.contains_key(&journey.key);
        let is_full = self.facts.starts.len() >= MAX_STARTS;
        if !journey.spreads || is_leaving(journey) || is_over || is_full || self.facts.starts.contains_key(&journey.key)
        {
            return;
        }
        let due = start_of(self.profile.id, journey, self.now());
        self.facts.starts.insert(journey.key, due);
        if let Some(part) = self.profile.primary_mut() {
            part.facts.starts.insert(journey.key, due);
        }
    }

    /// Forgets that a journey was to start.
    pub(crate) fn drop_start(&mut self, key: u32) {
        if self.facts.starts.remove(&key).is_some() {
            for part in &mut self.profile.parts {
                part.facts.starts.remove(&key);
            }
        }
    }

    /// Starts the due journeys whose trigger still holds.
    pub(crate) fn take_starts(&mut self) {
        let now = self.now().as_second();
        let due = self.facts.starts.iter().filter(|(_, due)| **due <= now);
        let due: Vec<(u32, i64)> = due.map(|(key, due)| (*key, *due)).collect();
        for (key, due) in due {
            self.drop_start(key);
            let holds = |journey: &&Journey| self.person.is_met(&journey.trigger) && !is_leaving(journey);
            if let Some(journey) = self.config().journeys.get(key).filter(holds)
                && let Some(cause) = self.person.cause_of(&journey.trigger)
            {
                self.enter(journey, None, cause, &due.to_be_bytes());
            }
        }
    }
}
