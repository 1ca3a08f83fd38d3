//! When a person has to be looked at again.

use crate::evaluate::{ceiling, ramp, value_of};
use crate::facts::Facts;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::{Journey, Trigger};
use perennial_config::lifecycle::Milestone;
use perennial_config::scoring::SignalKind;
use perennial_domain::time::plus_days;

/// The earliest moment after `now` at which time alone could change what is decided; `None` where nothing waits.
/// Later activity only moves it later, except where [`lower_bound`] says otherwise.
pub fn next_due(config: &Config, state: &State, facts: &Facts, now: Timestamp) -> Option<Timestamp> {
    let last = state.seen?.last_at();
    let after_idle = |days: i64| Some(plus_days(last, days)).filter(|at| *at > now);
    let journeys = config.journeys.all.iter().filter_map(|journey| match &journey.trigger {
        Trigger::Idle { days } => after_idle(i64::from(*days)),
        Trigger::Score { .. } => crossing(config, state, facts, journey, last, now),
        Trigger::Event { .. } => None,
    });
    let at_risk = state
        .milestones
        .contains_key(&Milestone::Customer)
        .then(|| after_idle(i64::from(config.lifecycle.at_risk_after_idle_days)));
    journeys.chain(at_risk.flatten()).min()
}

/// A moment that is not later than [`next_due`], found without looking ahead day by day: the index needs rewriting only
/// where it holds a later one. Positive points are taken as if they never decayed, negative ones as if they were gone.
pub fn lower_bound(config: &Config, state: &State, now: Timestamp) -> Option<Timestamp> {
    let last = state.seen?.last_at();
    let days = config.journeys.all.iter().filter_map(|journey| match &journey.trigger {
        Trigger::Idle { days } => Some(i64::from(*days)),
        Trigger::Score { score, above } => {
            let (without_idleness, idle) = ceiling(config, state, *score, now);
            let reach = idle.iter().map(|s| s.from.max(s.to).ceil() as i64).max()?;
            let at = |days: i64| without_idleness + idle.iter().map(|s| ramp(s, days as f64)).sum::<f64>();
            (0..=reach).find(|days| at(*days) >= f64::from(*above) - 0.5)
        }
        Trigger::Event { .. } => None,
    });
    let at_risk = state
        .milestones
        .contains_key(&Milestone::Customer)
        .then(|| i64::from(config.lifecycle.at_risk_after_idle_days));
    days.chain(at_risk).min().map(|days| plus_days(last, days))
}

/// The first day on which idleness alone brings the journey's score to its threshold.
fn crossing(
    config: &Config,
    state: &State,
    facts: &Facts,
    journey: &Journey,
    last: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let Trigger::Score { score, above } = journey.trigger else { return None };
    if facts.above.contains(&journey.key) {
        return None;
    }
    let signals =
        config.scoring.signals.iter().filter(|s| s.score == score && s.kind == SignalKind::IdleDays && s.points > 0.0);
    let reach = signals.map(|s| s.from.max(s.to).ceil() as i64).max()?;
    let idle = perennial_domain::time::days_between(last, now);
    (idle + 1..=reach).map(|days| plus_days(last, days)).find(|at| value_of(config, state, score, *at).get() >= above)
}
