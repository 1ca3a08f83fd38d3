//! Decides whether a condition can ever hold: it is evaluated in every stage, with every value of each slot that has
//! few values, while all else stays unknown. Unknown values decide nothing, so a condition that is false then is always
//! false.

use crate::cel::{Lookup, Program, Value};
use crate::config::Config;
use crate::scoring::SurveyKind;
use crate::vocabulary::{AccountField, EventSlot, PersonSlot};
use perennial_domain::{Likelihood, Stage};

/// The known values in one case.
#[derive(Clone, Copy)]
struct Case<'a> {
    config: &'a Config,
    stage: Stage,
    known: Option<(&'a PersonSlot, &'a Value<'a>)>,
}

impl Lookup<PersonSlot> for Case<'_> {
    fn get(&self, slot: &PersonSlot) -> Option<Value<'_>> {
        match slot {
            PersonSlot::Stage => Some(self.stage.as_str().into()),
            PersonSlot::Pays => Some(self.stage.pays().into()),
            // A segment refers only to those before it, so this terminates.
            PersonSlot::Segment(at) => match self.config.segments.all.get(*at)?.when.eval(self) {
                Ok(Value::Bool(holds)) => Some(holds.into()),
                _ => None,
            },
            slot => self.known.filter(|(known, _)| *known == slot).map(|(_, value)| value.borrow()),
        }
    }
}

/// Why something can never hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Never(pub(super) String);

/// Returns whether a key may be tested with `has` or `in`, which distinguish unknown from missing.
fn asks_has<S>(program: &Program<S>) -> bool {
    let source: String = program.source().split_whitespace().collect();
    ["has(", "intraits", "inproperties", "incontext", "inaccount"].iter().any(|asking| source.contains(asking))
}

/// Returns why all of `programs` together hold for nobody in `stages` (all stages if empty); `None` if they may.
pub(super) fn never(config: &Config, programs: &[&Program<PersonSlot>], stages: &[Stage]) -> Option<Never> {
    if programs
        .iter()
        .any(|program| asks_has(program) || config.segments.all.iter().any(|segment| asks_has(&segment.when)))
    {
        return None;
    }
    let all = stages.is_empty();
    let stages = if all { &Stage::ALL[..] } else { stages };
    let fails = |case: Case<'_>| programs.iter().any(|program| matches!(program.eval(&case), Ok(Value::Bool(false))));
    let open: Vec<Stage> =
        stages.iter().copied().filter(|stage| !fails(Case { config, stage: *stage, known: None })).collect();
    if open.is_empty() {
        let within = if all { "in no stage".to_owned() } else { format!("in none of the stages {}", list(stages)) };
        return Some(Never(format!("it holds {within}")));
    }
    for slot in slots(config, programs) {
        let never_with = |stage: Stage| {
            let (values, _) = values(config, &slot, stage)?;
            let never = values.iter().all(|value| fails(Case { config, stage, known: Some((&slot, value)) }));
            Some(never)
        };
        if open.iter().all(|stage| never_with(*stage) == Some(true)) {
            // Of several stages, the one that leaves the most open explains the most.
            let about =
                open.iter().filter_map(|stage| values(config, &slot, *stage)).max_by_key(|(values, _)| values.len());
            return Some(Never(about.map(|(_, about)| about).unwrap_or_default()));
        }
    }
    None
}

/// Returns what the programs look up, and the segments that they refer to.
fn slots(config: &Config, programs: &[&Program<PersonSlot>]) -> Vec<PersonSlot> {
    let mut all: Vec<PersonSlot> = Vec::new();
    let mut open: Vec<&PersonSlot> = programs.iter().flat_map(|program| program.slots()).collect();
    while let Some(slot) = open.pop() {
        if let PersonSlot::Segment(at) = slot
            && let Some(segment) = config.segments.all.get(*at)
        {
            open.extend(segment.when.slots());
        } else if !all.contains(slot) {
            all.push(slot.clone());
        }
    }
    all
}

/// Returns every value that `slot` may have in `stage`, if there are few, with a sentence about them. Missing values
/// need no case: a missing value makes nothing hold that does not hold with every value.
fn values(config: &Config, slot: &PersonSlot, stage: Stage) -> Option<(Vec<Value<'static>>, String)> {
    let numbers = |most: i64, about: String| Some(((0..=most).map(Value::Int).collect(), about));
    let texts = |texts: &[&'static str], what: &str| {
        let values = texts.iter().map(|text| Value::from(*text)).collect();
        Some((values, format!("{what} is one of {}", texts.join(", "))))
    };
    match slot {
        PersonSlot::Engagement => numbers(100, "engagement is from 0 to 100".to_owned()),
        PersonSlot::Nps => numbers(10, "nps is from 0 to 10".to_owned()),
        PersonSlot::Csat => {
            let highest = config.scoring.survey(SurveyKind::Csat)?.highest;
            numbers(highest.into(), format!("csat is from 1 to {highest}"))
        }
        PersonSlot::NpsClass => texts(&["promoter", "passive", "detractor", "none"], "nps_class"),
        PersonSlot::Score(score) => {
            let most = most_points(config, *score, &[stage]).clamp(0.0, 100.0).round();
            numbers(most as i64, format!("scores.{} can be {most} at most", score.as_str()))
        }
        PersonSlot::ActiveDays(days) => numbers(i64::from(*days), format!("active_days({days}) is {days} at most")),
        PersonSlot::ActiveMonths(months) => {
            numbers(i64::from(*months), format!("active_months({months}) is {months} at most"))
        }
        PersonSlot::UsedDays { days, .. } => {
            numbers(i64::from(*days), format!("used_days(…, {days}) is {days} at most"))
        }
        PersonSlot::HighValueUsed(days) => {
            let all = config.features.high_value().count();
            numbers(all as i64, format!("high_value_used({days}) is {all} at most: features.toml has no more"))
        }
        PersonSlot::HighValueShare(_) => {
            let all = config.features.high_value().count().max(1);
            let shares = (0..=all).map(|used| Value::Double(used as f64 / all as f64)).collect();
            Some((shares, format!("the share is one of {all} parts of 1, from 0 to 1")))
        }
        PersonSlot::Account(AccountField::Touch) => texts(&["high", "low", "none"], "account.touch"),
        PersonSlot::Account(AccountField::Stage) => texts(&Stage::ALL.map(Stage::as_str), "account.stage"),
        PersonSlot::Account(AccountField::Score) => numbers(100, "account.score is from 0 to 100".to_owned()),
        PersonSlot::Account(AccountField::Health) => numbers(100, "account.health is from 0 to 100".to_owned()),
        _ => None,
    }
}

/// The most points that a score can have in some of `stages` (all where empty), before 100 bounds it; infinite where a rule has
/// no cap.
pub(super) fn most_points(config: &Config, score: Likelihood, stages: &[Stage]) -> f64 {
    let scoring = &config.scoring;
    let of = scoring.score(score);
    let stages = if stages.is_empty() { &Stage::ALL[..] } else { stages };
    let stages: Vec<Stage> = stages.iter().copied().filter(|stage| of.applies.in_stage(*stage)).collect();
    // If it is absent, no condition on it holds.
    if stages.is_empty() {
        return 0.0;
    }
    let rules = of.rules.iter().filter_map(|at| scoring.rules.get(*at)).map(|rule| {
        // Without a cap events add up, as no half-life keeps them from coming faster.
        (rule.category, if rule.points > 0.0 { rule.cap.unwrap_or(f64::INFINITY) } else { 0.0 })
    });
    let counts = |of: &[Stage]| of.is_empty() || of.iter().any(|stage| stages.contains(stage));
    let signals = of.signals.iter().filter_map(|at| scoring.signals.get(*at)).filter(|signal| counts(&signal.stages));
    let signals = signals.map(|signal| (signal.category, signal.points.max(0.0)));
    let mut alone = 0.0;
    let mut shared = vec![0.0; of.categories.len()];
    for (category, points) in rules.chain(signals) {
        match category.and_then(|at| shared.get_mut(at)) {
            Some(shared) => *shared += points,
            None => alone += points,
        }
    }
    let shared: f64 = of.categories.iter().zip(&shared).map(|(category, points)| points.min(category.cap)).sum();
    of.base + alone + shared
}

/// Returns the smallest and the largest share of its points that a signal can give, 0 to 1, if its measure has few
/// values.
pub(super) fn shares(config: &Config, signal: &crate::scoring::Signal) -> Option<(f64, f64)> {
    if asks_has(&signal.measure) {
        return None;
    }
    let stages = if signal.stages.is_empty() { &Stage::ALL[..] } else { &signal.stages };
    let mut others = signal.measure.slots().iter().filter(|slot| !matches!(slot, PersonSlot::Stage | PersonSlot::Pays));
    let (slot, more) = (others.next()?, others.next());
    if more.is_some() {
        return None;
    }
    let mut range: Option<(f64, f64)> = None;
    for stage in stages {
        for value in &values(config, slot, *stage)?.0 {
            let case = Case { config, stage: *stage, known: Some((slot, value)) };
            let Some(measure) = signal.measure.number(&case) else { continue };
            let share = ((measure - signal.from) / (signal.to - signal.from)).clamp(0.0, 1.0);
            let (least, most) = range.unwrap_or((share, share));
            range = Some((least.min(share), most.max(share)));
        }
    }
    range
}

/// The known values of an event.
struct EventCase<'a> {
    event: &'a str,
    source: &'a str,
}

/// Returns the call of an event with this name.
fn call(event: &str) -> &str {
    match event.strip_prefix('$') {
        Some(call) if CALLS.contains(&call) => call,
        _ => "track",
    }
}

/// Calls that are counted under their own name with a `$` before it.
pub(super) const CALLS: [&str; 5] = ["identify", "page", "screen", "group", "alias"];

impl Lookup<EventSlot> for EventCase<'_> {
    fn get(&self, slot: &EventSlot) -> Option<Value<'_>> {
        match slot {
            EventSlot::Event => Some(self.event.into()),
            EventSlot::Kind => Some(call(self.event).into()),
            EventSlot::Source => Some(self.source.into()),
            _ => None,
        }
    }
}

/// Sources of events that stand in no file: the mail service, and the inbox and preference pages.
const OWN_SOURCES: [&str; 2] = ["ses", "perennial"];

/// Returns why a condition holds for no event of that name; `None` if it may.
pub(super) fn never_for(config: &Config, filter: &Program<EventSlot>, event: &str) -> Option<Never> {
    let has = |of: fn(&EventSlot) -> bool| filter.slots().iter().any(of);
    let call = call(event);
    if has(|slot| matches!(slot, EventSlot::Trait(_))) && !matches!(call, "identify" | "group") {
        return Some(Never(format!(
            "traits come with `identify` and `group` calls only; {} has properties",
            event_words(event)
        )));
    }
    if has(|slot| matches!(slot, EventSlot::Property(_))) && matches!(call, "identify" | "group" | "alias") {
        return Some(Never(format!("`{call}` calls have no properties; what they say is in traits")));
    }
    if has(|slot| *slot == EventSlot::Sentiment) && config.scoring.texts.is_empty() {
        return Some(Never("no texts are read: name their properties in scoring.toml, [sentiment]".to_owned()));
    }
    if asks_has(filter) {
        return None;
    }
    let fails = |source: &str| matches!(filter.eval(&EventCase { event, source }), Ok(Value::Bool(false)));
    let imports = config.imports.iter().map(|import| import.id.as_str());
    let sources = config.sources.iter().map(|source| source.id.as_str()).chain(imports).chain(OWN_SOURCES);
    if !sources.clone().all(fails) {
        return None;
    }
    let about =
        if has(|slot| *slot == EventSlot::Source) && !has(|slot| matches!(slot, EventSlot::Event | EventSlot::Kind)) {
            format!("source is one of {}", sources.collect::<Vec<_>>().join(", "))
        } else {
            format!("it is false for every event \"{event}\", a `{call}` call")
        };
    Some(Never(about))
}

fn event_words(event: &str) -> String {
    match call(event) {
        "track" => "a `track` call".to_owned(),
        call => format!("a `{call}` call"),
    }
}

/// Joins names of stages with commas.
pub(super) fn list(stages: &[Stage]) -> String {
    stages.iter().map(|stage| stage.as_str()).collect::<Vec<_>>().join(", ")
}
