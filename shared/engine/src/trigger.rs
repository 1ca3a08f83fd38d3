//! Triggers by a state: whether one is met by a person at a moment, and the cause that it is then.

use crate::person::Person;
use perennial_config::journeys::Trigger;
use perennial_domain::Cause;
use perennial_domain::time::plus_days;

impl Person<'_> {
    /// Returns whether the person is over the trigger's threshold, or its condition holds; `None` of triggers that have neither. Of these
    /// [`crate::facts::Facts::above`] keeps whether they did at the last evaluation.
    pub(crate) fn is_over(&self, trigger: &Trigger) -> Option<bool> {
        match trigger {
            Trigger::Score { score, above } => Some(self.scores.reaches(*score, *above)),
            Trigger::Becomes { when } => Some(when.is_true(self)),
            Trigger::Event { .. } | Trigger::Idle { .. } | Trigger::Segment { .. } => None,
        }
    }

    /// Returns whether the trigger is met now, for however long; a trigger by an event never is.
    pub(crate) fn is_met(&self, trigger: &Trigger) -> bool {
        match trigger {
            Trigger::Idle { days } => {
                let since = self.state.seen.map(|seen| seen.last_at());
                since.is_some_and(|since| plus_days(since, i64::from(*days)) <= self.moment.now)
            }
            Trigger::Segment { segment, entered } => (self.segments & (1 << segment) != 0) == *entered,
            trigger => self.is_over(trigger) == Some(true),
        }
    }

    /// Returns the cause that the trigger is where it is met; `None` of one by an event.
    pub(crate) fn cause_of(&self, trigger: &Trigger) -> Option<Cause> {
        Some(match trigger {
            Trigger::Idle { days } => Cause::Quiet { since: self.state.seen?.last_at(), days: *days },
            Trigger::Score { score, .. } => Cause::Score { score: *score, value: self.scores.get(*score)? },
            Trigger::Segment { segment, entered } => {
                let name = self.moment.config.segments.all.get(*segment).map(|segment| segment.name.clone());
                Cause::Segment { name: name.unwrap_or_default(), entered: *entered }
            }
            Trigger::Becomes { when } => Cause::Became { condition: when.source().to_owned() },
            Trigger::Event { .. } => return None,
        })
    }
}
