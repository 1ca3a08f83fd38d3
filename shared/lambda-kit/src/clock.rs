//! Injected time. Nothing else in the workspace reads the system clock.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A source of the current time. Cheap to clone; clones of a simulated clock share its time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Simulated(SimulatedTime),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until the returned [`SimulatedTime`] moves it.
    #[must_use]
    pub fn simulated(start: Timestamp) -> (Self, SimulatedTime) {
        let time = SimulatedTime(Arc::new(Mutex::new(start)));
        (Self(Source::Simulated(time.clone())), time)
    }

    /// The present moment, in UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Simulated(time) => time.now(),
        }
    }

    /// Returns whether this clock is simulated.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(self.0, Source::Simulated(_))
    }
}

/// The hand that moves a simulated [`Clock`]. It only moves forward.
#[derive(Debug, Clone)]
pub struct SimulatedTime(Arc<Mutex<Timestamp>>);

impl SimulatedTime {
    /// The simulated moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves to `to`; an earlier moment than the present one is ignored, so that time never runs backwards. Returns the moment it now is.
    pub fn set(&self, to: Timestamp) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(to);
        *now
    }

    /// Moves on by `by`; a negative span is ignored, and the end of jiff's range (year 9999) is where it stops. Returns the moment it now is.
    pub fn advance(&self, by: SignedDuration) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(now.checked_add(by).unwrap_or(if by.is_negative() { *now } else { Timestamp::MAX }));
        *now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn clones_of_a_simulated_clock_share_its_time() {
        let (clock, time) = Clock::simulated(at("2024-01-01T00:00:00Z"));
        let clone = clock.clone();
        time.advance(SignedDuration::from_hours(24));
        assert_eq!(clock.now(), at("2024-01-02T00:00:00Z"));
        assert_eq!(clone.now(), clock.now());
        assert!(clock.is_simulated() && !Clock::system().is_simulated());
    }

    #[test]
    fn simulated_time_never_runs_backwards() {
        let (clock, time) = Clock::simulated(at("2024-01-02T00:00:00Z"));
        assert_eq!(time.set(at("2024-01-01T00:00:00Z")), at("2024-01-02T00:00:00Z"));
        time.advance(SignedDuration::from_hours(-1));
        time.advance(SignedDuration::MIN);
        assert_eq!(clock.now(), at("2024-01-02T00:00:00Z"));
        assert_eq!(time.set(at("2024-01-03T00:00:00Z")), at("2024-01-03T00:00:00Z"));
    }

    #[test]
    fn simulated_time_stops_at_the_end_of_its_range() {
        let (clock, time) = Clock::simulated(at("2024-01-02T00:00:00Z"));
        time.advance(SignedDuration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
