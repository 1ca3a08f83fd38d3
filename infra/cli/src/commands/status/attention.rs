//! Problems that need attention, and what to do about them.

use super::{House, Inside, lasting};
use crate::commands::tables::number;
use jiff::SignedDuration;

/// The number of missed periods after which the sweep is late.
const RATES: i64 = 3;

/// Returns each thing that needs attention, in a sentence.
pub(super) fn attention(house: &House, inside: Option<&Inside>) -> Vec<String> {
    let mut all = Vec::new();
    for (name, queue) in house.queues.iter().filter(|(_, queue)| queue.dlq > 0) {
        all.push(format!(
            "{} dead letters of {name}: find the cause in the function's log, then `perennial redrive {name}`",
            number(queue.dlq)
        ));
    }
    if let Some(calls) = inside.and_then(|inside| inside.schedules_dlq).filter(|calls| *calls > 0) {
        all.push(format!("{} calls of schedules failed: the next run makes up for them", number(calls)));
    }
    let unreadable = house.numbers.as_ref().map_or(0, |numbers| numbers.unreadable);
    if unreadable > 0 {
        all.push(format!(
            "{} items of the table cannot be read: the function's log names the profiles; `perennial erase` removes one, and its events can be sent again",
            number(unreadable)
        ));
    }
    all.extend(sweep(house, inside));
    for paused in &house.paused_journeys {
        all.push(format!(
            "the journey {0} sends no mail since {1:.0}, as too many bounced or were reported as spam: `perennial journey resume {0}` once the cause is fixed",
            paused.journey, paused.since
        ));
    }
    let alarms = inside.and_then(|inside| inside.alarms.as_ref()).into_iter().flatten();
    all.extend(alarms.map(|alarm| format!("{} is in alarm: {}", alarm.name, alarm.why)));
    if house.in_force.is_none() {
        all.push("no configuration is active: `perennial config push`".to_owned());
    }
    all
}

fn sweep(house: &House, inside: Option<&Inside>) -> Option<String> {
    let last = house.sweeps.first();
    if let Some(last) = last.filter(|last| last.failed) {
        return Some(format!("the sweep of {:.0} did not read all of the due index: see its log", last.at));
    }
    let patience = SignedDuration::from_secs(RATES.saturating_mul(inside?.sweep_every_seconds?));
    // Before the first run, the config's first moment is what there is to go by.
    let since = last.map(|last| last.at).or_else(|| house.in_force.as_ref().map(|config| config.since))?;
    let ago = house.now.duration_since(since);
    (ago > patience).then(|| {
        format!("the sweep has not run for {}: timers do not fire; check its schedule and its log", lasting(ago))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::house;
    use super::*;

    fn swept(at: &str, failed: bool) -> Vec<String> {
        let mut house = house();
        house.sweeps[0].at = at.parse().unwrap();
        house.sweeps[0].failed = failed;
        attention(&house, Some(&Inside { sweep_every_seconds: Some(300), ..Inside::default() }))
    }

    #[test]
    fn a_sweep_is_late_after_three_rates() {
        assert!(swept("2026-03-02T08:00:30Z", false).is_empty(), "15 minutes ago");
        assert_eq!(swept("2026-03-02T08:00:29Z", false).len(), 1);
        assert_eq!(swept("2026-03-02T08:15:00Z", true).len(), 1, "a run that failed");
    }

    #[test]
    fn a_sweep_that_never_ran_is_late_three_rates_after_the_config_came() {
        let inside = Inside { sweep_every_seconds: Some(300), ..Inside::default() };
        let mut house = house();
        house.sweeps.clear();
        assert_eq!(attention(&house, Some(&inside)).len(), 1);
        house.in_force.as_mut().unwrap().since = house.now;
        assert!(attention(&house, Some(&inside)).is_empty());
        house.in_force = None;
        assert_eq!(attention(&house, Some(&inside)), ["no configuration is active: `perennial config push`"]);
    }
}
