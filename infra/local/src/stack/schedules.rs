//! The schedules of the config, run on the stack's own clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::schedules::{Rhythm, Schedule};

/// A schedule with a time zone that this machine does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schedule `{id}`: `{zone}` is not a known time zone")]
pub struct UnknownZone {
    id: String,
    zone: String,
}

/// A schedule with its next moment.
#[derive(Debug, Clone)]
struct Timer {
    function: String,
    rhythm: Rhythm,
    zone: TimeZone,
    next: Option<Timestamp>,
}

/// All schedules. Times that were missed while the clock was not checked result in one call.
#[derive(Debug, Clone)]
pub struct Schedules {
    timers: Vec<Timer>,
}

impl Schedules {
    /// The schedules as timers; their first moments lie after `now`.
    ///
    /// # Errors
    /// [`UnknownZone`].
    pub fn new(schedules: &[Schedule], now: Timestamp) -> Result<Self, UnknownZone> {
        let timers = schedules.iter().map(|schedule| {
            let unknown = |_| UnknownZone { id: schedule.id.clone(), zone: schedule.time_zone.clone() };
            let zone = TimeZone::get(&schedule.time_zone).map_err(unknown)?;
            let next = schedule.rhythm.after(now, &zone);
            Ok(Timer { function: schedule.function.clone(), rhythm: schedule.rhythm.clone(), zone, next })
        });
        Ok(Self { timers: timers.collect::<Result<_, _>>()? })
    }

    /// The same with other schedules, from `now` on. One that stays as it is keeps its next moment, so that a rate does not restart.
    ///
    /// # Errors
    /// [`UnknownZone`].
    pub fn replanned(&self, schedules: &[Schedule], now: Timestamp) -> Result<Self, UnknownZone> {
        let mut new = Self::new(schedules, now)?;
        for timer in &mut new.timers {
            let is_same =
                |old: &&Timer| (&old.function, &old.rhythm, &old.zone) == (&timer.function, &timer.rhythm, &timer.zone);
            if let Some(old) = self.timers.iter().find(is_same) {
                timer.next = old.next;
            }
        }
        Ok(new)
    }

    /// The functions that are due at `now`, each once; their next moments lie after it.
    pub fn due(&mut self, now: Timestamp) -> Vec<String> {
        let mut due = Vec::new();
        for timer in &mut self.timers {
            if timer.next.is_some_and(|next| next <= now) {
                timer.next = timer.first_after(now);
                if !due.contains(&timer.function) {
                    due.push(timer.function.clone());
                }
            }
        }
        due
    }

    /// The first moment of `function`'s schedules that is not before `from`.
    #[must_use]
    pub fn first_call(&self, function: &str, from: Timestamp) -> Option<Timestamp> {
        let timers = self.timers.iter().filter(|timer| timer.function == function);
        timers.filter_map(|timer| timer.first_from(from)).min()
    }

    /// The next moment of a schedule of another function than `function`.
    #[must_use]
    pub fn next_call_of_others(&self, function: &str) -> Option<Timestamp> {
        self.timers.iter().filter(|timer| timer.function != function).filter_map(|timer| timer.next).min()
    }
}

impl Timer {
    /// Its first moment after `now`. A rate keeps to the moments that it began with.
    fn first_after(&self, now: Timestamp) -> Option<Timestamp> {
        let Rhythm::Every(period) = &self.rhythm else { return self.rhythm.after(now, &self.zone) };
        let next = self.next?;
        if next > now {
            return Some(next);
        }
        let rounds = now.duration_since(next).as_secs() / period.as_secs().max(1) + 1;
        next.checked_add(period.checked_mul(i32::try_from(rounds).ok()?)?).ok()
    }

    fn first_from(&self, from: Timestamp) -> Option<Timestamp> {
        let next = self.next?;
        if next >= from {
            Some(next)
        } else {
            self.first_after(from.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn schedule(expression: &str, zone: &str) -> Schedule {
        Schedule {
            id: "s".into(),
            function: "sweep".into(),
            expression: expression.into(),
            time_zone: zone.into(),
            rhythm: Rhythm::parse(expression).unwrap(),
        }
    }

    fn schedules(expression: &str, zone: &str, now: &str) -> Schedules {
        Schedules::new(&[schedule(expression, zone)], now.parse().unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_schedule_that_stays_keeps_its_next_moment_and_another_begins_now() {
        let mut s = schedules("rate(5 minutes)", "UTC", "2026-01-01T00:00:00Z");
        let now = at("2026-01-01T00:03:00Z");
        let same = s.replanned(&[schedule("rate(5 minutes)", "UTC")], now).unwrap();
        assert_eq!(same.first_call("sweep", now), Some(at("2026-01-01T00:05:00Z")));
        let other = s.replanned(&[schedule("rate(1 hour)", "UTC")], now).unwrap();
        assert_eq!(other.first_call("sweep", now), Some(at("2026-01-01T01:03:00Z")));
        assert_eq!(s.replanned(&[], now).unwrap().due(at("2027-01-01T00:00:00Z")), Vec::<String>::new());
        assert_eq!(s.due(at("2026-01-01T00:05:00Z")), ["sweep"], "the old ones stay as they are");
    }

    #[test]
    fn missed_calls_of_a_rate_are_made_up_for_by_one() {
        let mut s = schedules("rate(5 minutes)", "UTC", "2026-01-01T00:00:00Z");
        assert!(s.due(at("2026-01-01T00:04:59Z")).is_empty());
        assert_eq!(s.due(at("2026-01-01T00:05:00Z")), ["sweep"]);
        assert_eq!(s.due(at("2026-01-01T09:00:00Z")), ["sweep"]);
        assert!(s.due(at("2026-01-01T09:01:00Z")).is_empty());
    }

    #[test]
    fn rate_keeps_to_its_moments_however_late_it_is_looked_at() {
        let mut s = schedules("rate(5 minutes)", "UTC", "2026-01-01T00:00:00Z");
        assert_eq!(s.due(at("2026-01-01T00:13:00Z")), ["sweep"]);
        assert_eq!(s.first_call("sweep", at("2026-01-01T00:13:00Z")), Some(at("2026-01-01T00:15:00Z")));
        assert_eq!(s.first_call("sweep", at("2026-01-01T00:15:00Z")), Some(at("2026-01-01T00:15:00Z")));
        assert_eq!(s.first_call("sweep", at("2026-03-01T00:16:01Z")), Some(at("2026-03-01T00:20:00Z")));
        assert_eq!(s.first_call("report", at("2026-01-01T00:15:00Z")), None);
    }

    #[test]
    fn cron_is_read_in_its_time_zone() {
        // Monday to Friday at 06:00 in Berlin; 2026-01-03 is a Saturday.
        let mut s = schedules("cron(0 6 ? * 2-6 *)", "Europe/Berlin", "2026-01-02T06:00:00Z");
        assert!(s.due(at("2026-01-05T04:59:59Z")).is_empty());
        assert_eq!(s.due(at("2026-01-05T05:00:00Z")), ["sweep"]);
    }

    #[test]
    fn one_moment_comes_once() {
        let mut s = schedules("at(2026-02-01T06:00:00)", "UTC", "2026-01-01T00:00:00Z");
        assert_eq!(s.due(at("2026-02-02T00:00:00Z")), ["sweep"]);
        assert!(s.due(at("2027-02-02T00:00:00Z")).is_empty());
    }
}
