//! What a state means at a moment: stage, scores with their reasons, engagement.

use crate::stage::stage;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::scoring::{Rule, Signal, SignalKind};
use perennial_domain::time::{day_of, days_between};
use perennial_domain::{Likelihood, Score, Stage};
use serde::Serialize;
use std::collections::BTreeMap;

/// Active days of the last 28 that count as full engagement: every working day.
const FULL_ENGAGEMENT_DAYS: f64 = 20.0;

/// A state at a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Where the person stands.
    pub stage: Stage,
    /// All nine likelihoods.
    pub scores: BTreeMap<Likelihood, Scored>,
    /// Active days of the last 28, as 0 to 100, where 20 days are 100.
    pub engagement: Score,
    /// Whole days since the last activity; `None` where there was none.
    pub idle_days: Option<i64>,
}

/// A score and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scored {
    /// 0 to 100.
    pub value: Score,
    /// The contributions, whose points add up to the value (to the half point that rounding takes).
    pub reasons: Vec<Reason>,
}

/// One contribution to a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The rule's or signal's name; `base` for what everyone starts with, `limit` for what 0 and 100 cut off.
    pub rule: String,
    /// What a reader is told.
    pub text: String,
    /// Points that it gives now.
    pub points: f64,
    /// Events behind it; 0 for what is no rule over events.
    pub events: u32,
    /// Points that have decayed or were capped: what the events gave when they happened, less what is left.
    pub decayed: f64,
}

/// Evaluates `state` at `now`.
pub fn evaluate(config: &Config, state: &State, now: Timestamp) -> Evaluation {
    let stage = stage(&config.lifecycle, state, now);
    let mut scores: BTreeMap<Likelihood, Scored> = BTreeMap::new();
    for likelihood in Likelihood::ALL {
        let mut reasons = Vec::new();
        if let Some(points) = config.scoring.base.get(&likelihood).copied().filter(|points| *points != 0.0) {
            reasons.push(Reason {
                rule: "base".into(),
                text: "what everyone starts with".into(),
                points,
                events: 0,
                decayed: 0.0,
            });
        }
        scores.insert(likelihood, Scored { value: Score::default(), reasons });
    }
    for rule in &config.scoring.rules {
        if let Some(reason) = rule_reason(rule, state, now) {
            scores.entry(rule.score).or_default().reasons.push(reason);
        }
    }
    for signal in &config.scoring.signals {
        if let Some(reason) = signal_reason(signal, state, stage, now) {
            scores.entry(signal.score).or_default().reasons.push(reason);
        }
    }
    for scored in scores.values_mut() {
        settle(scored);
    }
    let active = state.days.active(day_of(now), 28);
    Evaluation {
        stage,
        scores,
        engagement: Score::from_points(f64::from(active) / FULL_ENGAGEMENT_DAYS * 100.0),
        idle_days: state.seen.map(|seen| days_between(seen.last_at(), now)),
    }
}

/// One score's value alone, for looking ahead.
pub(crate) fn value_of(config: &Config, state: &State, likelihood: Likelihood, now: Timestamp) -> Score {
    let stage = stage(&config.lifecycle, state, now);
    let base = config.scoring.base.get(&likelihood).copied().unwrap_or(0.0);
    let rules = config.scoring.rules.iter().filter(|rule| rule.score == likelihood);
    let signals = config.scoring.signals.iter().filter(|signal| signal.score == likelihood);
    let points = rules.filter_map(|rule| rule_reason(rule, state, now)).map(|reason| reason.points).sum::<f64>()
        + signals
            .filter_map(|signal| signal_reason(signal, state, stage, now))
            .map(|reason| reason.points)
            .sum::<f64>();
    Score::from_points(base + points)
}

/// The most that a score could be without idleness, and the signals by which idleness raises it.
pub(crate) fn ceiling<'a>(
    config: &'a Config,
    state: &State,
    likelihood: Likelihood,
    now: Timestamp,
) -> (f64, Vec<&'a Signal>) {
    let base = config.scoring.base.get(&likelihood).copied().unwrap_or(0.0);
    let rules = config
        .scoring
        .rules
        .iter()
        .filter(|rule| rule.score == likelihood)
        .filter_map(|rule| rule_reason(rule, state, now));
    let rising = config.scoring.signals.iter().filter(|signal| signal.score == likelihood && signal.points > 0.0);
    let (idle, other): (Vec<&Signal>, Vec<&Signal>) = rising.partition(|signal| signal.kind == SignalKind::IdleDays);
    (
        base + rules.map(|reason| reason.points.max(0.0)).sum::<f64>()
            + other.iter().map(|signal| signal.points).sum::<f64>(),
        idle,
    )
}

/// The signal's points at `measure`: a straight line from 0 at `from` to all of them at `to`, level beyond.
pub(crate) fn ramp(signal: &Signal, measure: f64) -> f64 {
    signal.points * ((measure - signal.from) / (signal.to - signal.from)).clamp(0.0, 1.0)
}

fn rule_reason(rule: &Rule, state: &State, now: Timestamp) -> Option<Reason> {
    let counted = state.points.get(&rule.key)?;
    let given = f64::from(counted.events) * rule.points;
    // Before their own time events weigh no more than in it.
    let weight = counted.weight(now.as_second(), rule.half_life_days).min(f64::from(counted.events));
    let left = rule.points * weight;
    let points = rule.cap.map_or(left, |cap| left.clamp(-cap, cap));
    Some(Reason {
        rule: rule.id.clone(),
        text: rule.reason.clone(),
        points,
        events: counted.events,
        decayed: given - points,
    })
}

fn signal_reason(signal: &Signal, state: &State, stage: Stage, now: Timestamp) -> Option<Reason> {
    if !signal.stages.is_empty() && !signal.stages.contains(&stage) {
        return None;
    }
    let seen = state.seen?;
    let measure = match signal.kind {
        SignalKind::IdleDays => days_between(seen.last_at(), now) as f64,
        SignalKind::ActiveDays28 => f64::from(state.days.active(day_of(now), 28)),
        SignalKind::TenureDays => days_between(seen.first_at(), now) as f64,
    };
    let points = ramp(signal, measure);
    (points != 0.0).then(|| Reason {
        rule: signal.id.clone(),
        text: signal.reason.clone(),
        points,
        events: 0,
        decayed: 0.0,
    })
}

/// Adds the contributions up, the strongest first, and names what the bounds of a score cut off.
fn settle(scored: &mut Scored) {
    let sum: f64 = scored.reasons.iter().map(|reason| reason.points).sum();
    scored.value = Score::from_points(sum);
    let cut = sum.clamp(0.0, 100.0) - sum;
    scored.reasons.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then_with(|| a.rule.cmp(&b.rule)));
    if cut != 0.0 {
        scored.reasons.push(Reason {
            rule: "limit".into(),
            text: "a score stays between 0 and 100".into(),
            points: cut,
            events: 0,
            decayed: 0.0,
        });
    }
}
