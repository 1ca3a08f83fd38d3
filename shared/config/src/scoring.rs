//! `scoring.toml`: points that events give, signals of state, and tallies.

use perennial_domain::{Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use toml::Spanned;

use crate::error::Reporter;

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    base: BTreeMap<Likelihood, Spanned<f64>>,
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    signal: Vec<Spanned<RawSignal>>,
    #[serde(default)]
    tally: Vec<Spanned<RawTally>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    score: Likelihood,
    event: String,
    #[serde(default, rename = "where")]
    filter: BTreeMap<String, toml::Value>,
    points: f64,
    half_life_days: Option<f64>,
    cap: Option<f64>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignal {
    id: String,
    score: Likelihood,
    signal: SignalKind,
    from: f64,
    to: f64,
    points: f64,
    #[serde(default)]
    stages: Vec<Stage>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTally {
    name: String,
    events: Vec<String>,
}

/// Points that an event gives to a score, decaying with time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The rule's name in reasons.
    pub id: String,
    /// The name's hash, which stored state is keyed by.
    pub key: u32,
    /// Which score it adds to.
    pub score: Likelihood,
    /// The event that it counts, as [`perennial_domain::Event::counted_as`] names it.
    pub event: String,
    /// Properties that the event must have: exactly this value, or one of these where it is a list.
    pub filter: BTreeMap<String, serde_json::Value>,
    /// Points of one event when it happens; negative ones lower the score.
    pub points: f64,
    /// Days until half of the points are left; `None` keeps them for good.
    pub half_life_days: Option<f64>,
    /// The most points, as a distance from 0, that the rule may give in all.
    pub cap: Option<f64>,
    /// What a reader is told; the id where nothing is written.
    pub reason: String,
}

/// What a signal measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// Whole days since the last activity.
    IdleDays,
    /// Active days of the last 28.
    ActiveDays28,
    /// Whole days since the first activity.
    TenureDays,
}

/// Points that a state gives: 0 at `from`, all of them at `to`, a straight line between.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The signal's name in reasons.
    pub id: String,
    /// Which score it adds to.
    pub score: Likelihood,
    /// What it measures.
    pub kind: SignalKind,
    /// The measure at which it gives nothing yet.
    pub from: f64,
    /// The measure from which it gives all its points; may be below `from`.
    pub to: f64,
    /// Points at `to`.
    pub points: f64,
    /// The stages in which it counts; all where empty.
    pub stages: Vec<Stage>,
    /// What a reader is told; the id where nothing is written.
    pub reason: String,
}

/// Compiled scoring: rules found by event name.
#[derive(Debug, Clone, Default)]
pub struct Scoring {
    /// Points that everyone starts with.
    pub base: BTreeMap<Likelihood, f64>,
    /// All rules.
    pub rules: Vec<Rule>,
    /// All signals.
    pub signals: Vec<Signal>,
    /// Event name to the rules (indices of [`Self::rules`]) that count it.
    pub by_event: HashMap<String, Vec<usize>>,
    /// Event name to the tallies that count it.
    pub tallies: HashMap<String, Vec<String>>,
}

impl Scoring {
    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let mut out = Self::default();
        for (score, points) in file.base {
            if !(0.0..=100.0).contains(points.get_ref()) {
                report.at(points.span(), format!("base.{} must be between 0 and 100", score.as_str()));
            }
            out.base.insert(score, points.into_inner());
        }
        let mut keys = HashMap::new();
        for raw in file.rule {
            let span = raw.span();
            let raw = raw.into_inner();
            if raw.event.trim().is_empty() {
                report.at(span.clone(), format!("rule `{}`: event is empty; page calls are \"$page\"", raw.id));
            }
            if !raw.points.is_finite() || raw.points == 0.0 || raw.points.abs() > 100.0 {
                report.at(span.clone(), format!("rule `{}`: points must be between -100 and 100, and not 0", raw.id));
            }
            if raw.half_life_days.is_some_and(|days| !(days.is_finite() && (0.1..=3650.0).contains(&days))) {
                report.at(span.clone(), format!("rule `{}`: half_life_days must be between 0.1 and 3650", raw.id));
            }
            if raw.cap.is_some_and(|cap| !(cap.is_finite() && cap > 0.0)) {
                report.at(span.clone(), format!("rule `{}`: cap must be above 0", raw.id));
            }
            let key = hash32(&raw.id);
            if let Some(other) = keys.insert(key, raw.id.clone()) {
                report.at(span.clone(), format!("two rules cannot share a name: `{}` and `{other}`", raw.id));
            }
            let filter = raw.filter.into_iter().filter_map(|(k, v)| match wanted(&v) {
                Some(value) => Some((k, value)),
                None => {
                    report.at(
                        span.clone(),
                        format!("rule `{}`: where.{k} must be a text, a number, true/false or a list of these", raw.id),
                    );
                    None
                }
            });
            let filter = filter.collect();
            out.by_event.entry(raw.event.clone()).or_default().push(out.rules.len());
            let reason = raw.reason.unwrap_or_else(|| raw.id.clone());
            out.rules.push(Rule {
                key,
                score: raw.score,
                event: raw.event,
                filter,
                points: raw.points,
                half_life_days: raw.half_life_days,
                cap: raw.cap,
                id: raw.id,
                reason,
            });
        }
        for raw in file.signal {
            let span = raw.span();
            let raw = raw.into_inner();
            if raw.from == raw.to || !raw.from.is_finite() || !raw.to.is_finite() {
                report.at(span.clone(), format!("signal `{}`: from and to must differ", raw.id));
            }
            if !raw.points.is_finite() || raw.points.abs() > 100.0 {
                report.at(span.clone(), format!("signal `{}`: points must be between -100 and 100", raw.id));
            }
            if let Some(other) = keys.insert(hash32(&raw.id), raw.id.clone()) {
                report.at(span, format!("two rules cannot share a name: `{}` and `{other}`", raw.id));
            }
            let reason = raw.reason.unwrap_or_else(|| raw.id.clone());
            out.signals.push(Signal {
                id: raw.id,
                score: raw.score,
                kind: raw.signal,
                from: raw.from,
                to: raw.to,
                points: raw.points,
                stages: raw.stages,
                reason,
            });
        }
        let mut names = HashSet::new();
        for raw in file.tally {
            let span = raw.span();
            let raw = raw.into_inner();
            if !names.insert(raw.name.clone()) {
                report.at(
                    span.clone(),
                    format!("two tallies cannot share the name `{}`: put all its events into one", raw.name),
                );
            }
            if raw.events.is_empty() {
                report.at(span, format!("tally `{}` needs at least one event", raw.name));
            }
            for event in raw.events {
                out.tallies.entry(event).or_default().push(raw.name.clone());
            }
        }
        out
    }
}

/// A value, or a list of at least one, that a property can be compared with.
fn wanted(value: &toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::Array(all) if !all.is_empty() => {
            all.iter().map(scalar).collect::<Option<Vec<_>>>().map(Into::into)
        }
        one => scalar(one),
    }
}

/// A value that a property can be compared with.
pub(crate) fn scalar(value: &toml::Value) -> Option<serde_json::Value> {
    match value {
        toml::Value::String(text) => Some(text.clone().into()),
        toml::Value::Integer(number) => Some((*number).into()),
        toml::Value::Float(number) => Some((*number).into()),
        toml::Value::Boolean(flag) => Some((*flag).into()),
        _ => None,
    }
}
