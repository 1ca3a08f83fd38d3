//! Triggers by state: whether one holds for a person at a moment, and its cause.

use crate::person::Person;
use perennial_config::journeys::Trigger;
use perennial_domain::Cause;
use perennial_domain::time::plus_days;

impl Person<'_> {
    /// Returns whether the trigger's threshold is reached, or its condition holds; `None` for triggers that have
    /// neither. [`crate::facts::Facts::above`] records whether it was at the last evaluation.
    pub(crate) fn is_over(&self, trigger: &Trigger) -> Option<bool> {
        match trigger {
            Trigger::Score { score, above } => Some(self.scores.reaches(*score, *above)),
            Trigger::Becomes { when } => Some(when.is_true(self)),
            Trigger::Event { .. } | Trigger::Idle { .. } | Trigger::Segment { .. } => None,
        }
    }

    /// Returns whether the trigger holds now; a trigger by an event never does.
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

    /// Returns the cause of a trigger that holds; `None` for one by an event.
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
