//! Rules that can never fire, and conditions that are no conditions.

use super::Remarks;
use super::cases::{list, never, never_for};
use super::places::Part::{self, At, Key};
use crate::cel::{Program, Value};
use crate::config::Config;
use crate::journeys::Trigger;
use crate::scoring::SurveyKind;
use crate::vocabulary::{AccountField, EventSlot, PersonSlot};
use perennial_domain::Stage;

/// Remarks on the conditions of scoring.toml and features.toml.
pub(super) fn scoring(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, feature) in config.features.all.iter().enumerate() {
        let path = [Key("feature"), At(at), Key("where")];
        on_event(
            config,
            remarks,
            "features.toml",
            &path,
            &format!("feature `{}` is never used", feature.name),
            feature.filter.as_ref(),
            &feature.event,
        );
    }
    for (at, rule) in config.scoring.rules.iter().enumerate() {
        let path = [Key("rule"), At(at), Key("where")];
        on_event(
            config,
            remarks,
            "scoring.toml",
            &path,
            &format!("rule `{}` can never fire", rule.id),
            rule.filter.as_ref(),
            &rule.event,
        );
    }
    for (at, signal) in config.scoring.signals.iter().enumerate() {
        let path = [Key("signal"), At(at), Key("when")];
        let what = format!("signal `{}` can never count", signal.id);
        on_person(config, remarks, "scoring.toml", &path, &what, signal.when.as_ref(), &signal.stages);
        let path = [Key("signal"), At(at), Key("measure")];
        nothing_known(config, remarks, "scoring.toml", &path, &signal.measure);
    }
}

/// Remarks on the conditions of personas, segments and journeys.
pub(super) fn others(config: &Config, remarks: &mut Remarks<'_>) {
    for (at, persona) in config.personas.all.iter().enumerate() {
        let path = [Key("persona"), At(at), Key("when")];
        let what = format!("nobody is ever `{}` by rule", persona.name);
        on_person(config, remarks, "personas.toml", &path, &what, persona.when.as_ref(), &[]);
    }
    for (at, segment) in config.segments.all.iter().enumerate() {
        let path = [Key("segment"), At(at), Key("when")];
        let what = format!("nobody is ever in segment `{}`", segment.name);
        on_person(config, remarks, "segments.toml", &path, &what, Some(&segment.when), &[]);
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        let file = "journeys.toml";
        let what = format!("journey `{}` can never start", journey.id);
        let known = remarks.all.len();
        on_person(
            config,
            remarks,
            file,
            &[Key("journey"), At(at), Key("when")],
            &what,
            journey.when.as_ref(),
            &journey.stages,
        );
        let told = remarks.all.len() > known;
        let trigger = |key| [Key("journey"), At(at), Key("trigger"), Key(key)];
        match &journey.trigger {
            Trigger::Event { event, .. } => {
                on_event(config, remarks, file, &trigger("where"), &what, journey.filter.as_ref(), event);
            }
            Trigger::Becomes { when } => {
                let what = format!("journey `{}` can never start", journey.id);
                on_person(config, remarks, file, &trigger("becomes"), &what, Some(when), &journey.stages);
            }
            Trigger::Idle { days } => idle(config, remarks, at, *days, &what, &journey.stages),
            Trigger::Segment { segment, entered: true } if !told => {
                let Some(segment) = config.segments.all.get(*segment) else { continue };
                let mut programs = vec![&segment.when];
                programs.extend(&journey.when);
                let together = if journey.when.is_some() { "its stages and its condition" } else { "its stages" };
                // A segment that nobody can enter has its own remark.
                if never(config, &[&segment.when], &[]).is_none() && never(config, &programs, &journey.stages).is_some()
                {
                    let message = format!(
                        "{what}: nobody who is in segment `{}` fits {together}; change one of them",
                        segment.name
                    );
                    remarks.at(file, &trigger("segment"), message);
                }
            }
            _ => {}
        }
    }
}

/// Paying people are at risk from a certain number of idle days on, and not before.
fn idle(config: &Config, remarks: &mut Remarks<'_>, at: usize, days: u16, what: &str, stages: &[Stage]) {
    let risk = config.lifecycle.at_risk_after_idle_days;
    let path = [Key("journey"), At(at), Key("stages")];
    let lively = |stage: &Stage| stage.pays() && *stage != Stage::AtRisk;
    if stages.is_empty() {
        return;
    }
    if days >= risk && stages.iter().all(lively) {
        let message = format!(
            "{what}: after {days} idle days who pays is at_risk (at_risk_after_idle_days = {risk}), and its stages are {}; \
             add \"at_risk\" or take fewer idle_days",
            list(stages)
        );
        remarks.at("journeys.toml", &path, message);
    }
    // It starts within this time of its day, or never.
    let latest = u32::from(days) * 24 + u32::from(config.channels.max_event_age_hours);
    if latest < u32::from(risk) * 24 && stages.iter().all(|stage| *stage == Stage::AtRisk) {
        let message = format!(
            "{what}: nobody is at_risk after {days} idle days, but only after {risk} (at_risk_after_idle_days); take more idle_days"
        );
        remarks.at("journeys.toml", &path, message);
    }
}

fn on_event(
    config: &Config,
    remarks: &mut Remarks<'_>,
    file: &str,
    path: &[Part<'_>],
    what: &str,
    filter: Option<&Program<EventSlot>>,
    event: &str,
) {
    let Some(filter) = filter else { return };
    match filter.constant() {
        Some(Value::Bool(true)) => remarks.at(file, path, ALWAYS),
        Some(_) => remarks.at(file, path, format!("{what}: {NEVER}")),
        None => {
            if let Some(never) = never_for(config, filter, event) {
                remarks.at(file, path, format!("{what}: {}", never.0));
            }
        }
    }
}

fn on_person(
    config: &Config,
    remarks: &mut Remarks<'_>,
    file: &str,
    path: &[Part<'_>],
    what: &str,
    when: Option<&Program<PersonSlot>>,
    stages: &[Stage],
) {
    let Some(when) = when else { return };
    match when.constant() {
        Some(Value::Bool(true)) => remarks.at(file, path, ALWAYS),
        Some(_) => remarks.at(file, path, format!("{what}: {NEVER}")),
        None => {
            if let Some(never) = never(config, &[when], stages) {
                remarks.at(file, path, format!("{what}: {}; correct the condition or what it contradicts", never.0));
            }
            nothing_known(config, remarks, file, path, when);
        }
    }
}

const ALWAYS: &str = "the condition always holds: leave it out, or ask for something that differs";
const NEVER: &str = "the condition never holds, whatever happens; correct it, or take the whole out";

/// Remarks on values that are used but never set, because their file is missing or empty.
fn nothing_known(
    config: &Config,
    remarks: &mut Remarks<'_>,
    file: &str,
    path: &[Part<'_>],
    program: &Program<PersonSlot>,
) {
    for slot in program.slots() {
        let message = match slot {
            PersonSlot::Nps | PersonSlot::NpsDays | PersonSlot::NpsClass
                if config.scoring.survey(SurveyKind::Nps).is_none() =>
            {
                "there are no survey answers to ask for: describe the survey in scoring.toml, [nps]"
            }
            PersonSlot::Csat | PersonSlot::CsatDays if config.scoring.survey(SurveyKind::Csat).is_none() => {
                "there are no survey answers to ask for: describe the survey in scoring.toml, [csat]"
            }
            PersonSlot::Sentiment if config.scoring.texts.is_empty() => {
                "no texts are read, so there is no sentiment: name their properties in scoring.toml, [sentiment]"
            }
            PersonSlot::HighValueUsed(_) | PersonSlot::HighValueShare(_)
                if config.features.high_value().next().is_none() =>
            {
                "no feature counts as high-value: write high_value = true in features.toml for those that make customers stay"
            }
            PersonSlot::Account(AccountField::Value) if config.accounts.value.is_none() => {
                "no account has a value: name the trait that says what it pays in accounts.toml, [value]"
            }
            PersonSlot::Account(AccountField::Renewals) if config.accounts.renewal.events.is_empty() => {
                "no account has renewed: name the events that are a renewal in accounts.toml, [renewal]"
            }
            PersonSlot::Account(AccountField::RenewsInDays) if config.accounts.renewal.r#trait.is_none() => {
                "nobody says when an account renews: name the trait that does in accounts.toml, [renewal]"
            }
            _ => continue,
        };
        remarks.at(file, path, message);
    }
}
