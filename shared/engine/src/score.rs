//! The components of a score.

use crate::occurrence::AnswerOf;
use crate::person::Person;
use crate::points::left_of_one;
use crate::still::Place;
use perennial_config::scoring::{Answered, Category, Rule, ScoreRules, Signal};
use perennial_domain::{Likelihood, Score, Scores};

/// One contribution to a score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contribution<'a> {
    pub(crate) of: Source<'a>,
    /// Its current points.
    pub(crate) points: f64,
}

/// The source of points.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// The initial points.
    Base,
    /// Events: their number, their original points, and the rest before the rule's cap.
    Rule { rule: &'a Rule, events: u32, left: f64 },
    /// A state, and its measure.
    Signal { signal: &'a Signal, measure: f64 },
    /// The reduction by a shared cap.
    Category(&'a Category),
}

/// Passes each contribution to `take`, and returns their sum, which is limited to 0 and 100 only afterwards. Values and
/// explanations both come from here, so they cannot differ.
pub(crate) fn contributions<'a>(
    person: &Person<'a>,
    likelihood: Likelihood,
    take: &mut impl FnMut(Contribution<'a>),
) -> f64 {
    let scoring = &person.moment.config.scoring;
    let of: &ScoreRules = scoring.score(likelihood);
    let mut sum = of.base;
    if of.base != 0.0 {
        take(Contribution { of: Source::Base, points: of.base });
    }
    let mut shared = [0.0; perennial_config::scoring::MAX_CATEGORIES];
    let mut add = |category: Option<usize>, contribution: Contribution<'a>| {
        sum += contribution.points;
        if let Some(shared) = category.and_then(|at| shared.get_mut(at)) {
            *shared += contribution.points;
        }
        take(contribution);
    };
    for (at, rule) in of.rules.iter().filter_map(|at| Some((*at, scoring.rules.get(*at)?))) {
        if let Some(contribution) = of_rule(person, at, rule) {
            add(rule.category, contribution);
        }
    }
    for (at, signal) in of.signals.iter().filter_map(|at| Some((*at, scoring.signals.get(*at)?))) {
        if let Some(contribution) = of_signal(person, at, signal) {
            add(signal.category, contribution);
        }
    }
    for (category, together) in of.categories.iter().zip(shared) {
        let cut = together.clamp(-category.cap, category.cap) - together;
        if cut != 0.0 {
            sum += cut;
            take(Contribution { of: Source::Category(category), points: cut });
        }
    }
    sum
}

/// Returns whether a score applies to the person.
pub(crate) fn applies(person: &Person<'_>, likelihood: Likelihood) -> bool {
    let applies = &person.moment.config.scoring.score(likelihood).applies;
    applies.in_stage(person.stage)
        && applies.when.as_ref().is_none_or(|when| person.holds(Place::Applies(likelihood), when))
}

/// Returns one score's value; `None` if it does not apply.
pub(crate) fn value(person: &Person<'_>, likelihood: Likelihood) -> Option<Score> {
    applies(person, likelihood).then(|| Score::from_points(contributions(person, likelihood, &mut |_| {})))
}

/// Returns one score's points before they are rounded, within 0 and 100; 0 if it does not apply.
pub(crate) fn points(person: &Person<'_>, likelihood: Likelihood) -> f64 {
    if applies(person, likelihood) { contributions(person, likelihood, &mut |_| {}).clamp(0.0, 100.0) } else { 0.0 }
}

/// Those of the nine that apply.
pub(crate) fn values(person: &Person<'_>) -> Scores {
    Scores::new(|likelihood| value(person, likelihood))
}

/// Of these, the ones that conditions and triggers ask for, where several moments are looked at.
pub(crate) fn asked_values(person: &Person<'_>) -> Scores {
    let is_asked = |likelihood| person.still().is_none_or(|still| still.is_asked(likelihood));
    Scores::new(|likelihood| if is_asked(likelihood) { value(person, likelihood) } else { None })
}

/// The signal's points at `measure`: a straight line from 0 at `from` to all of them at `to`, level beyond.
pub(crate) fn ramp(signal: &Signal, measure: f64) -> f64 {
    signal.points * ((measure - signal.from) / (signal.to - signal.from)).clamp(0.0, 1.0)
}

/// Returns the contribution of a rule by its index; `None` if the person has none.
pub(crate) fn of_rule<'a>(person: &Person<'a>, at: usize, rule: &'a Rule) -> Option<Contribution<'a>> {
    let now = person.moment.now.as_second();
    let (events, weight) = match rule.answer {
        Some(answered) => (1, of_answer(person, rule, answered)?),
        None => {
            let counted = match person.still() {
                Some(still) => still.points(at)?,
                None => person.state.points.get(&rule.key)?,
            };
            (counted.events, counted.weight(now, rule.half_life_days))
        }
    };
    // Before their own time events weigh no more than in it.
    let left = rule.points * weight.min(f64::from(events));
    let points = rule.cap.map_or(left, |cap| left.clamp(-cap, cap));
    Some(Contribution { of: Source::Rule { rule, events, left }, points })
}

/// Returns the rest of the latest survey answer's points; `None` if the rule does not count that answer.
fn of_answer(person: &Person<'_>, rule: &Rule, answered: Answered) -> Option<f64> {
    let scoring = &person.moment.config.scoring;
    let answer = person.state.answer(answered.survey)?;
    let counts = if answered.alone {
        let survey = scoring.survey(answered.survey)?;
        rule.filter.as_ref()?.is_true(&AnswerOf { survey, points: answer.points })
    } else {
        person.state.spans.get(&rule.key).is_some_and(|counted| counted.last == answer.at)
    };
    counts.then(|| rule.half_life_days.map_or(1.0, |days| left_of_one(answer.at, person.moment.now, days)))
}

fn of_signal<'a>(person: &Person<'a>, at: usize, signal: &'a Signal) -> Option<Contribution<'a>> {
    let counts = (signal.stages.is_empty() || signal.stages.contains(&person.stage))
        && person.state.seen.is_some()
        && signal.when.as_ref().is_none_or(|when| person.holds(Place::Signal(at), when));
    if !counts {
        return None;
    }
    let measure = || signal.measure.number(person);
    let measure = match person.still() {
        Some(still) => still.measure(at, measure),
        None => measure(),
    };
    let measure = measure.filter(|measure| measure.is_finite())?;
    let points = ramp(signal, measure);
    (points != 0.0).then_some(Contribution { of: Source::Signal { signal, measure }, points })
}
