//! Points that cannot be given, and thresholds that cannot be reached.

use super::Remarks;
use super::cases::{most_points, shares};
use super::places::Part::{At, Key};
use crate::config::Config;
use crate::journeys::Trigger;
use perennial_domain::{Likelihood, Stage};

const SCORING: &str = "scoring.toml";

pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    rules(config, remarks);
    signals(config, remarks);
    thresholds(config, remarks);
}

fn rules(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, rule) in config.scoring.rules.iter().enumerate() {
        let (id, points) = (&rule.id, rule.points);
        let category = rule.category.and_then(|at| config.scoring.score(rule.score).categories.get(at));
        if let Some(cap) = rule.cap.filter(|cap| *cap < points.abs()) {
            remarks.at(
                SCORING,
                &[Key("rule"), At(at), Key("cap")],
                format!("rule `{id}`: one event gives {points} points, and cap lets {cap} through; raise cap or lower points"),
            );
        }
        if let Some(category) = category.filter(|category| category.cap < points.abs()) {
            remarks.at(
                SCORING,
                &[Key("rule"), At(at), Key("category")],
                format!(
                    "rule `{id}`: one event gives {points} points, and category `{}` lets {} through; raise its cap or lower points",
                    category.name, category.cap
                ),
            );
        }
        if rule.cap.is_none() && rule.half_life_days.is_none() && category.is_none() {
            remarks.at(
                SCORING,
                &[Key("rule"), At(at), Key("points")],
                format!("rule `{id}`: its points add up for good; give it a half_life_days or a cap"),
            );
        }
    }
}

fn signals(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, signal) in config.scoring.signals.iter().enumerate() {
        let id = &signal.id;
        if signal.measure.constant().is_some() {
            let message =
                format!("signal `{id}`: its measure is the same for everyone; use [base] for points that everyone has");
            remarks.at(SCORING, &[Key("signal"), At(at), Key("measure")], message);
            continue;
        }
        let Some((least, most)) = shares(config, signal) else { continue };
        if most == 0.0 {
            remarks.at(
                SCORING,
                &[Key("signal"), At(at), Key("from")],
                format!(
                    "signal `{id}` can never give points: `{}` never gets beyond from = {}",
                    signal.measure.source(),
                    signal.from
                ),
            );
        } else if most < 1.0 {
            let gives = (signal.points * most * 10.0).round() / 10.0;
            remarks.at(
                SCORING,
                &[Key("signal"), At(at), Key("to")],
                format!(
                    "signal `{id}` can give {gives} of its {} points at most: `{}` never gets to {}; choose a `to` that can be reached",
                    signal.points,
                    signal.measure.source(),
                    signal.to
                ),
            );
        } else if least == 1.0 {
            remarks.at(
                SCORING,
                &[Key("signal"), At(at), Key("to")],
                format!(
                    "signal `{id}` always gives all its points: `{}` is never short of {}",
                    signal.measure.source(),
                    signal.to
                ),
            );
        }
    }
}

fn thresholds(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let Trigger::Score { score, above } = &journey.trigger else { continue };
        let (score, above) = (*score, *above);
        let most = most_points(config, score, &journey.stages).min(100.0).round();
        if most < f64::from(above) {
            let within = if journey.stages.is_empty() { "" } else { " in its stages" };
            remarks.at(
                "journeys.toml",
                &[Key("journey"), At(at), Key("trigger"), Key("above")],
                format!(
                    "journey `{}` can never start: {}{within} can be {most} at most (base, and all positive points with their caps); \
                     lower `above`, or raise points or caps in scoring.toml",
                    journey.id,
                    score.as_str()
                ),
            );
        }
    }
    if config.accounts.score.ready.is_some() {
        let open: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| !stage.pays()).collect();
        if most_points(config, Likelihood::Purchase, &open).round() < 1.0 {
            remarks.at(
                "accounts.toml",
                &[Key("score"), Key("ready")],
                "no account can ever be ready: nothing in scoring.toml gives points to `purchase` before someone pays",
            );
        }
    }
}
