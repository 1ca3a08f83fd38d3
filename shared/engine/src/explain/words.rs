//! Explanations in words for colleagues: both the api's response and the output of `perennial explain` are made here.

use super::{Change, Explanation, Reason, ReasonKind, What};
use crate::evaluate::Evaluation;
use crate::instant::timestamp;
use crate::person::NpsClass;
use crate::state::State;
use crate::trend::TrendPoint;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::days_between;
use perennial_domain::{AccountFacts, AccountId, Likelihood, Stage, Touch};
use serde::{Deserialize, Serialize};

mod identity;
mod measure;
mod memberships;

pub use identity::identities;
pub use memberships::memberships;

/// The most changes shown in each direction.
const CHANGES: usize = 3;

/// A score in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldScore {
    /// "Churn 62, up 14 since Monday a week ago".
    pub title: String,
    /// Its components, largest first. The points, which have one decimal, add up to the total exactly.
    pub rows: Vec<ToldRow>,
    /// The score, a whole number.
    pub total: String,
    /// The largest possible changes: "another Demo Requested would add 12".
    pub changes: Vec<String>,
}

/// A share of a score in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldRow {
    /// With sign and one decimal.
    pub points: String,
    /// The reason.
    pub why: String,
    /// The number of events, and how much of their points has decayed; or the measure. Empty if there is neither.
    pub how: String,
}

/// All nine scores in a few words each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldGlance {
    /// The score's name.
    pub name: String,
    /// 0 to 100.
    pub value: String,
    /// A bar for each week's beginning, and one for now, from 0 to 100.
    pub trend: String,
    /// "+14", or empty if it did not change or the earlier value is unknown.
    pub moved: String,
    /// The largest contribution with its points; empty if there is none.
    pub reason: String,
}

/// Describes a score.
pub fn tell(explanation: &Explanation, now: Timestamp) -> ToldScore {
    let value = i64::from(explanation.value.get());
    let mut rows: Vec<ToldRow> = Vec::with_capacity(explanation.reasons.len() + 1);
    let tenths = in_tenths(&explanation.reasons);
    let sum: i64 = tenths.iter().sum();
    for (reason, tenths) in explanation.reasons.iter().zip(tenths) {
        rows.push(ToldRow { points: signed_tenths(tenths), why: reason.text.clone(), how: how(reason) });
    }
    let rounding = value * 10 - sum;
    if rounding != 0 {
        let why = "rounded to a whole number".to_owned();
        rows.push(ToldRow { points: signed_tenths(rounding), why, how: String::new() });
    }
    let moved = match movement(explanation, now) {
        None => String::new(),
        Some((0, since)) => format!(", as on {since}"),
        Some((by, since)) => format!(", {} {} since {since}", if by > 0 { "up" } else { "down" }, by.abs()),
    };
    ToldScore {
        title: format!("{} {value}{moved}", name(explanation.score)),
        rows,
        total: value.to_string(),
        changes: changes(explanation),
    }
}

/// Describes a score in a few words.
pub fn glance(explanation: &Explanation, now: Timestamp) -> ToldGlance {
    let strongest =
        explanation.reasons.iter().find(|reason| !matches!(reason.kind, ReasonKind::Base | ReasonKind::Limit));
    let bars = explanation.trend.iter().map(|point| point.value.get()).chain([explanation.value.get()]);
    ToldGlance {
        name: name(explanation.score).to_owned(),
        value: explanation.value.get().to_string(),
        trend: if explanation.trend.is_empty() { String::new() } else { bars.map(bar).collect() },
        moved: movement(explanation, now).filter(|(by, _)| *by != 0).map(|(by, _)| signed(by)).unwrap_or_default(),
        reason: strongest
            .map(|reason| format!("{} ({})", reason.text, signed(reason.points.round() as i64)))
            .unwrap_or_default(),
    }
}

/// Describes why a score does not apply: "applies in the stage trial".
pub fn absent(config: &Config, likelihood: Likelihood) -> String {
    let applies = &config.scoring.score(likelihood).applies;
    let stages: Vec<&str> = applies.stages.iter().map(|stage| stage.as_str()).collect();
    let stages = match stages.as_slice() {
        [] => None,
        [one] => Some(format!("in the stage {one}")),
        more => Some(format!("in the stages {}", more.join(", "))),
    };
    let when = applies.when.as_ref().map(|when| format!("where {} holds", when.source()));
    let conditions: Vec<String> = stages.into_iter().chain(when).collect();
    format!("applies {}", conditions.join(" and "))
}

/// Returns a score's name for readers.
pub fn name(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Purchase => "Purchase",
        Likelihood::Conversion => "Conversion to paid",
        Likelihood::TrialSuccess => "Success of the trial",
        Likelihood::Upgrade => "Upgrade",
        Likelihood::Success => "Success with the product",
        Likelihood::Churn => "Churn",
        Likelihood::Recommendation => "Recommendation",
        Likelihood::InfluenceInside => "Influence inside the company",
        Likelihood::InfluenceOutside => "Influence outside the company",
    }
}

/// Describes a stage for readers: "an established customer".
pub fn standing(stage: Stage) -> &'static str {
    match stage {
        Stage::Visitor => "a visitor",
        Stage::Lead => "a lead",
        Stage::Trial => "trying the product",
        Stage::Freemium => "on the free plan",
        Stage::Onboarding => "a new customer",
        Stage::Adopting => "a customer who grows into the product",
        Stage::Established => "an established customer",
        Stage::AtRisk => "a customer at risk",
        Stage::Churned => "a former customer",
        Stage::WonBack => "a customer won back",
    }
}

/// Describes the person, and other facts besides the scores: one line each.
pub fn about(
    config: &Config,
    person: &str,
    state: &State,
    evaluation: &Evaluation,
    account: Option<(&AccountId, Option<&AccountFacts>)>,
    now: Timestamp,
) -> Vec<String> {
    let personas: Vec<&str> = evaluation.personas(config).collect();
    let mut who = format!("{person} is {}", standing(evaluation.stage));
    if !personas.is_empty() {
        who += &format!(", {}", listed(&personas.iter().map(|persona| plain(persona)).collect::<Vec<_>>()));
    }
    if let Some((id, facts)) = account {
        who += &format!(", of {id}");
        if let Some(facts) = facts {
            who += match facts.touch {
                Touch::High => " (high touch",
                Touch::Low => " (low touch",
                Touch::None => " (no touch",
            };
            who += &facts.owner.as_ref().map_or_else(String::new, |owner| format!(", owned by {owner}"));
            who += ")";
        }
    }
    let mut lines = vec![who + "."];
    let active = evaluation.engaged.active_days;
    let seen = match evaluation.idle_days {
        None => "never active".to_owned(),
        Some(0) => "last active today".to_owned(),
        Some(days) => format!("last active {} ago", counted(days, "day")),
    };
    let actions = counted(i64::from(evaluation.engaged.actions), "action");
    lines.push(format!(
        "Engagement {}: active on {active} of the last 28 days, {actions} of late, {seen}.",
        evaluation.engagement.get()
    ));
    if let Some(answer) = state.nps {
        let class = match evaluation.nps {
            NpsClass::Promoter => "a promoter",
            NpsClass::Detractor => "a detractor",
            NpsClass::Passive | NpsClass::None => "passive",
        };
        let at = timestamp(answer.at);
        lines.push(format!("Survey: answered {} {}, {class}.", answer.points, ago(days_between(at, now))));
    }
    if let Some(sentiment) = evaluation.sentiment {
        lines.push(format!(
            "Tone of what they wrote in the last three months: {sentiment:+.2} on a scale from -1 to 1."
        ));
    }
    match evaluation.unread_texts {
        0 => {}
        1 => lines.push("1 text of theirs is in a language that is not known, and counts for nothing.".to_owned()),
        n => lines.push(format!("{n} texts of theirs are in languages that are not known, and count for nothing.")),
    }
    let tallies =
        config.scoring.tally_rules.iter().filter_map(|tally| Some((&tally.name, state.tallies.get(&tally.name)?)));
    let tallies: Vec<String> = tallies.map(|(name, n)| format!("{} {n}", plain(name))).collect();
    if !tallies.is_empty() {
        lines.push(format!("Actions by stage of the journey: {}.", tallies.join(", ")));
    }
    let segments: Vec<String> = evaluation.segments(config).map(plain).collect();
    if !segments.is_empty() {
        let which = if segments.len() == 1 { "segment" } else { "segments" };
        lines.push(format!("In the {which} {}.", listed(&segments)));
    }
    lines
}

/// Returns the points in tenths, such that they add up to the sum in tenths: those with the largest rounding errors are
/// adjusted.
fn in_tenths(reasons: &[Reason]) -> Vec<i64> {
    let exact: Vec<f64> = reasons.iter().map(|reason| reason.points * 10.0).collect();
    let mut tenths: Vec<i64> = exact.iter().map(|points| points.floor() as i64).collect();
    let missing = exact.iter().sum::<f64>().round() as i64 - tenths.iter().sum::<i64>();
    let mut by_rest: Vec<usize> = (0..exact.len()).collect();
    let rest = |at: usize| exact[at] - exact[at].floor();
    by_rest.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)).then(a.cmp(b)));
    for at in by_rest.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        tenths[at] += 1;
    }
    tenths
}

fn how(reason: &Reason) -> String {
    if let Some(measured) = &reason.measure {
        return measure::told(measured);
    }
    if reason.kind != ReasonKind::Rule {
        return String::new();
    }
    let events = i64::from(reason.events);
    let mut how = format!("{} gave {}", counted(events, "event"), rounded(reason.given));
    let gone = |points: f64| points.abs() >= 0.05;
    match (gone(reason.decayed), gone(reason.capped)) {
        (false, false) => {}
        (true, false) => how += &format!(", {} of it has faded", rounded(reason.decayed.abs())),
        (false, true) => how += &format!(", {} of it is over the rule's limit", rounded(reason.capped.abs())),
        (true, true) => {
            how += &format!(
                ", {} of it has faded, {} is over the rule's limit",
                rounded(reason.decayed.abs()),
                rounded(reason.capped.abs())
            );
        }
    }
    how
}

/// Returns the change of the score, and since when: since the Monday of the week before this one, or the nearest known
/// time.
fn movement(explanation: &Explanation, now: Timestamp) -> Option<(i64, String)> {
    let weeks_ago = |point: &TrendPoint| {
        i64::from(perennial_domain::time::week_of(now) - perennial_domain::time::week_of(point.at))
    };
    let point = explanation.trend.iter().min_by_key(|point| ((weeks_ago(point) - 1).abs(), weeks_ago(point)))?;
    let since = match weeks_ago(point) {
        0 => "Monday".to_owned(),
        1 => "Monday a week ago".to_owned(),
        weeks => format!("Monday {weeks} weeks ago"),
    };
    Some((i64::from(explanation.value.get()) - i64::from(point.value.get()), since))
}

/// The strongest in each direction, those that raise it first.
fn changes(explanation: &Explanation) -> Vec<String> {
    let told = |raises: bool| {
        let these = explanation.changes.iter().filter(move |change| (change.by > 0) == raises);
        // Of several periods of inactivity the one with the largest effect is shown.
        let mut quiet = false;
        let once =
            move |change: &&Change| !matches!(change.what, What::Quiet { .. }) || !std::mem::replace(&mut quiet, true);
        these.filter(once).take(CHANGES).map(change)
    };
    told(true).chain(told(false)).collect()
}

fn change(change: &Change) -> String {
    let what = match &change.what {
        What::Event { event, condition: None, .. } => format!("another \"{}\"", event_name(event)),
        // The event's name alone would be misleading if the rule counts only some of its events.
        What::Event { event, .. } => format!("another \"{}\" ({})", event_name(event), change.text),
        What::Measure { expression, reaches, .. } => measure::being(expression, *reaches),
        What::Quiet { days } => match days {
            7 => "a quiet week".to_owned(),
            days if days % 7 == 0 => format!("{} quiet weeks", in_words(days / 7)),
            days => format!("{} without activity", counted(*days, "day")),
        },
    };
    let (verb, by) = if change.by > 0 { ("add", change.by) } else { ("take", -change.by) };
    format!("{what} would {verb} {by}")
}

pub(crate) fn event_name(event: &str) -> &str {
    match event {
        "$page" => "page view",
        "$screen" => "screen view",
        "$identify" => "identify call",
        "$group" => "group call",
        "$alias" => "alias call",
        event => event,
    }
}

/// Returns one of eight bars.
fn bar(score: u8) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    BARS[(usize::from(score) * BARS.len() / 101).min(BARS.len() - 1)]
}

fn signed(n: i64) -> String {
    if n > 0 { format!("+{n}") } else { n.to_string() }
}

fn signed_tenths(tenths: i64) -> String {
    let sign = match tenths {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}.{}", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

/// Formats with one decimal, or none if that is 0.
fn rounded(x: f64) -> String {
    let text = format!("{x:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn counted(n: i64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn ago(days: i64) -> String {
    if days == 0 { "today".to_owned() } else { format!("{} ago", counted(days, "day")) }
}

/// Returns a configured name for readers.
fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// "a, b and c".
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn in_words(n: i64) -> String {
    match n {
        2 => "two".to_owned(),
        3 => "three".to_owned(),
        4 => "four".to_owned(),
        n => n.to_string(),
    }
}
