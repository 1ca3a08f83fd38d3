//! The reasons of a score, its trend, and what would change it most.

pub mod why_not;
pub mod words;

use crate::evaluate::look;
use crate::facts::Facts;
use crate::moment::Moment;
use crate::occurrence::AnswerOf;
use crate::person::Person;
use crate::score::{Contribution, Source, applies, contributions, ramp};
use crate::span::Span;
use crate::state::{Answer, State};
use crate::trend::{TrendPoint, trend};
use perennial_config::scoring::{Answered, Rule, Signal};
use perennial_domain::time::{day_of, plus_days, week_of};
use perennial_domain::{ConfigVersion, Likelihood, Score};
use serde::Serialize;

/// The periods of inactivity whose effect is shown, in days.
const QUIET_DAYS: [i64; 3] = [7, 14, 28];

/// Measures that only time, or returning, changes.
const TIMES: [&str; 4] = ["idle_days", "tenure_days", "customer_days", "nps_days"];

/// A score with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Which score.
    pub score: Likelihood,
    /// 0 to 100.
    pub value: Score,
    /// The contributions, largest first, whose points add up to the value, except for up to half a point of rounding.
    pub reasons: Vec<Reason>,
    /// The score at the beginnings of the newest weeks, the oldest first.
    pub trend: Vec<TrendPoint>,
    /// Possible changes, largest first; only those of at least a point.
    pub changes: Vec<Change>,
    /// The config that it is computed under.
    pub config: ConfigVersion,
}

/// One contribution to a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The kind of contribution.
    pub kind: ReasonKind,
    /// The rule's, signal's or category's name; `base` for the initial points, `limit` for the part beyond 0 and 100.
    pub rule: String,
    /// The text for readers.
    pub text: String,
    /// Its current points.
    pub points: f64,
    /// The number of events behind it; 0 for anything but a rule over events.
    pub events: u32,
    /// Points that the events gave when they happened; for anything else the same as `points`.
    pub given: f64,
    /// Points of these that time has taken.
    pub decayed: f64,
    /// Points of these that the rule's own cap has taken.
    pub capped: f64,
    /// A signal's measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measured>,
}

/// A kind of contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The initial points.
    Base,
    /// Events.
    Rule,
    /// A state.
    Signal,
    /// A cap that several rules share.
    Category,
    /// The bounds of a score.
    Limit,
}

/// A signal's measure, and the range in which its points rise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The measure as config writes it.
    pub expression: String,
    /// The measured value.
    pub value: f64,
    /// The value that gives no points.
    pub from: f64,
    /// The value that gives all points.
    pub to: f64,
}

/// A possible change of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its cause.
    pub what: What,
    /// The text of the rule or signal for readers; empty for inactivity.
    pub text: String,
    /// The score after it.
    pub value: Score,
    /// The change in points.
    pub by: i16,
}

/// Something that may happen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum What {
    /// One more event that a rule counts.
    Event {
        /// The event.
        event: String,
        /// The rule.
        rule: String,
        /// The rule's condition on the event, as config writes it, where it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
    },
    /// A signal's measure reaches the value that gives all points, or the one that gives none.
    Measure {
        /// The signal.
        signal: String,
        /// The measure as config writes it.
        expression: String,
        /// The measure that it would have to reach.
        reaches: f64,
    },
    /// Inactivity.
    Quiet {
        /// The number of further days.
        days: i64,
    },
}

/// Explains one score of a state; `None` if it does not apply to the person, see [`words::absent`].
pub fn explain(moment: &Moment<'_>, state: &State, facts: &Facts, likelihood: Likelihood) -> Option<Explanation> {
    let (value, reasons) = reasons_of(moment, state, likelihood)?;
    Some(Explanation {
        score: likelihood,
        value,
        reasons,
        trend: trend(moment, state, facts, likelihood),
        changes: changes(moment, state, likelihood, value),
        config: moment.config.version.clone(),
    })
}

/// Returns one score and its reasons alone, which is a small part of the work of [`explain`]; `None` if it does not
/// apply.
pub fn reasons_of(moment: &Moment<'_>, state: &State, likelihood: Likelihood) -> Option<(Score, Vec<Reason>)> {
    let person = look(moment, state);
    applies(&person, likelihood).then(|| reasons(&person, likelihood))
}

fn reasons(person: &Person<'_>, likelihood: Likelihood) -> (Score, Vec<Reason>) {
    let mut reasons = Vec::new();
    let sum = contributions(person, likelihood, &mut |contribution| reasons.push(reason(contribution)));
    reasons.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then_with(|| a.rule.cmp(&b.rule)));
    let cut = sum.clamp(0.0, 100.0) - sum;
    if cut != 0.0 {
        reasons.push(plain(ReasonKind::Limit, "limit", "a score stays between 0 and 100", cut));
    }
    (Score::from_points(sum), reasons)
}

fn reason(contribution: Contribution<'_>) -> Reason {
    let points = contribution.points;
    match contribution.of {
        Source::Base => plain(ReasonKind::Base, "base", "what everyone starts with", points),
        Source::Rule { rule, events, left } => {
            let given = f64::from(events) * rule.points;
            Reason {
                events,
                given,
                decayed: given - left,
                capped: left - points,
                ..plain(ReasonKind::Rule, &rule.id, &rule.reason, points)
            }
        }
        Source::Signal { signal, measure } => {
            let expression = signal.measure.source().to_owned();
            let measure = Some(Measured { expression, value: measure, from: signal.from, to: signal.to });
            Reason { measure, ..plain(ReasonKind::Signal, &signal.id, &signal.reason, points) }
        }
        Source::Category(category) => {
            plain(ReasonKind::Category, &category.name, "these reasons share a limit", points)
        }
    }
}

fn plain(kind: ReasonKind, rule: &str, text: &str, points: f64) -> Reason {
    Reason {
        kind,
        rule: rule.to_owned(),
        text: text.to_owned(),
        points,
        events: 0,
        given: points,
        decayed: 0.0,
        capped: 0.0,
        measure: None,
    }
}

/// Simulates possible changes: each of the score's events once more, each of its signals at its better and worse end,
/// and inactivity.
fn changes(moment: &Moment<'_>, state: &State, likelihood: Likelihood, value: Score) -> Vec<Change> {
    let scoring = &moment.config.scoring;
    let of = scoring.score(likelihood);
    let mut changes = Vec::new();
    let mut add = |what, text: &str, after: Option<Score>| {
        // A change that ends the stage in which it applies ends the score.
        let Some(after) = after else { return };
        let by = i16::from(after.get()) - i16::from(value.get());
        if by != 0 {
            changes.push(Change { what, text: text.to_owned(), value: after, by });
        }
    };
    for rule in of.rules.iter().filter_map(|at| scoring.rules.get(*at)) {
        let after = score(moment, &once_more(moment, state, rule), likelihood);
        let condition = rule.filter.as_ref().map(|filter| filter.source().to_owned());
        let what = What::Event { event: rule.event.clone(), rule: rule.id.clone(), condition };
        add(what, &rule.reason, after);
    }
    let person = look(moment, state);
    let sum = contributions(&person, likelihood, &mut |_| {});
    for signal in of.signals.iter().filter_map(|at| scoring.signals.get(*at)) {
        let Some(now) = measured(&person, signal) else { continue };
        // Changes by time alone are shown as inactivity.
        if TIMES.contains(&signal.measure.source().trim()) {
            continue;
        }
        for reaches in [signal.from, signal.to] {
            let after = Some(Score::from_points(sum - ramp(signal, now) + ramp(signal, reaches)));
            let what =
                What::Measure { signal: signal.id.clone(), expression: signal.measure.source().to_owned(), reaches };
            add(what, &signal.reason, after);
        }
    }
    for days in QUIET_DAYS {
        let after = score(&moment.at(plus_days(moment.now, days)), state, likelihood);
        add(What::Quiet { days }, "", after);
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.by.unsigned_abs()));
    changes
}

/// Returns the signal's measure, if it counts for the person.
fn measured(person: &Person<'_>, signal: &Signal) -> Option<f64> {
    let counts = (signal.stages.is_empty() || signal.stages.contains(&person.stage))
        && signal.when.as_ref().is_none_or(|when| when.is_true(person));
    if counts { signal.measure.number(person) } else { None }
}

/// The state with one more of the rule's events, right now.
fn once_more(moment: &Moment<'_>, state: &State, rule: &Rule) -> State {
    let mut state = state.clone();
    let at = moment.now.as_microsecond();
    match rule.answer {
        Some(answered) => {
            if let Some(points) = counted_answer(moment, rule, answered) {
                *state.answer_mut(answered.survey) = Some(Answer { at, points });
                state.mark_span(rule.key, Span::at(at));
            }
        }
        None => state.points.entry(rule.key).or_default().add(moment.now.as_second(), rule.half_life_days),
    }
    if !moment.config.lifecycle.passive.contains(&rule.event) {
        state.mark_seen(Span::at(moment.now.as_microsecond()));
        state.days.mark(day_of(moment.now));
        state.actions.count(week_of(moment.now));
    }
    state
}

/// The lowest answer that the rule counts.
fn counted_answer(moment: &Moment<'_>, rule: &Rule, answered: Answered) -> Option<u8> {
    let survey = moment.config.scoring.survey(answered.survey)?;
    let filter = rule.filter.as_ref()?;
    let counts = |points: &u8| !answered.alone || filter.is_true(&AnswerOf { survey, points: *points });
    (survey.lowest..=survey.highest).find(counts)
}

fn score(moment: &Moment<'_>, state: &State, likelihood: Likelihood) -> Option<Score> {
    look(moment, state).scores.get(likelihood)
}
