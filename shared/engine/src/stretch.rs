//! Finds out if anything can change during a stretch of silence, without looking at each of its days.
//!
//! Without events most values move one way: days since something grow, counts within a window and engagement fall, points decay towards 0. So
//! their values at both ends of a stretch enclose all values in between, and a condition that has the same truth for everything within
//! these ranges has it throughout. The ranges are as wide as needed and never too narrow: where it is not known how a value moves, anything is
//! possible, and the stretch has to be looked at in parts.

use crate::person::{NpsClass, Person};
use crate::score::{of_rule, ramp};
use crate::still::is_of_events_alone;
use perennial_config::cel::{Lookup, Outcomes, Range, Ranges, Value};
use perennial_config::scoring::{MAX_CATEGORIES, Signal};
use perennial_config::vocabulary::{AccountField, PersonSlot};
use perennial_domain::time::{hour_of, month_of};
use perennial_domain::{Likelihood, Score};

/// How much the ranges of points are widened, against rounding in sums.
const ROUNDING: f64 = 1e-6;

/// A stretch of silence, between looks at both ends.
pub(crate) struct Stretch<'p, 'a> {
    from: &'p Person<'a>,
    to: &'p Person<'a>,
    /// The possible results of each persona's and each segment's condition.
    personas: Vec<Outcomes>,
    segments: Vec<Outcomes>,
    /// The range of each score that is asked for.
    scores: [Range; Likelihood::ALL.len()],
}

impl<'p, 'a> Stretch<'p, 'a> {
    /// Returns the stretch between two looks at one person; `None` where the stage or the status by subscriptions changes in it.
    pub(crate) fn between(from: &'p Person<'a>, to: &'p Person<'a>) -> Option<Self> {
        let still = from.still()?;
        let (first, last) = (from.moment.now.as_microsecond(), to.moment.now.as_microsecond());
        let turns = from.standing.turns.iter().any(|turn| (first + 1..=last).contains(turn));
        if turns || from.stage != to.stage || from.standing != to.standing {
            return None;
        }
        let scores = [Range::Any; Likelihood::ALL.len()];
        let mut stretch = Self { from, to, personas: Vec::new(), segments: Vec::new(), scores };
        let config = from.moment.config;
        for (at, persona) in config.personas.all.iter().enumerate() {
            let outcomes = match &persona.when {
                _ if from.said_personas() & (1 << at) != 0 => Outcomes::TRUE,
                None => Outcomes::FALSE,
                Some(when) => truth(when.outcomes(&stretch)),
            };
            stretch.personas.push(outcomes);
        }
        for likelihood in Likelihood::ALL.into_iter().filter(|likelihood| still.is_asked(*likelihood)) {
            stretch.scores[likelihood as usize] = stretch.score(likelihood);
        }
        for segment in &config.segments.all {
            let outcomes = truth(segment.when.outcomes(&stretch));
            stretch.segments.push(outcomes);
        }
        Some(stretch)
    }

    /// The segments throughout, one bit each; `None` if they may change.
    pub(crate) fn segments(&self) -> Option<u64> {
        self.segments
            .iter()
            .enumerate()
            .try_fold(0, |bits, (at, outcomes)| Some(bits | u64::from(outcomes.certain()?) << at))
    }

    /// Returns whether a score reaches a threshold throughout; `None` if that may change.
    pub(crate) fn reaches(&self, likelihood: Likelihood, threshold: u8) -> Option<bool> {
        let threshold = i64::from(threshold);
        match self.scores[likelihood as usize] {
            Range::Missing => Some(false),
            Range::Ints(low, _) if low >= threshold => Some(true),
            Range::Ints(_, high) if high < threshold => Some(false),
            _ => None,
        }
    }

    /// The range of a score.
    fn score(&self, likelihood: Likelihood) -> Range {
        let scoring = &self.from.moment.config.scoring;
        let of = scoring.score(likelihood);
        let applies = of.applies.when.as_ref().map_or(Some(true), |when| when.outcomes(self).certain());
        match applies {
            _ if !of.applies.in_stage(self.from.stage) => return Range::Missing,
            Some(false) => return Range::Missing,
            None => return Range::Any,
            Some(true) => {}
        }
        let mut sum = Between(of.base, of.base);
        let mut shared = [Between(0.0, 0.0); MAX_CATEGORIES];
        let mut add = |category: Option<usize>, points: Between| match category.and_then(|at| shared.get_mut(at)) {
            Some(shared) => *shared = shared.plus(points),
            None => sum = sum.plus(points),
        };
        for (at, rule) in of.rules.iter().filter_map(|at| Some((*at, scoring.rules.get(*at)?))) {
            let points = |person| of_rule(person, at, rule).map(|contribution| contribution.points);
            match (points(self.from), points(self.to)) {
                (Some(first), Some(last)) => add(rule.category, Between::of(first, last)),
                (None, None) => {}
                _ => return Range::Any,
            }
        }
        for signal in of.signals.iter().filter_map(|at| scoring.signals.get(*at)) {
            add(signal.category, self.signal(signal));
        }
        for (category, together) in of.categories.iter().zip(shared) {
            let Between(low, high) = together;
            sum = sum.plus(Between(low.clamp(-category.cap, category.cap), high.clamp(-category.cap, category.cap)));
        }
        let rounded = |points: f64| i64::from(Score::from_points(points).get());
        Range::Ints(rounded(sum.0 - ROUNDING), rounded(sum.1 + ROUNDING))
    }

    /// The range of a signal's points.
    fn signal(&self, signal: &Signal) -> Between {
        let none = Between(0.0, 0.0);
        let counts = signal.stages.is_empty() || signal.stages.contains(&self.from.stage);
        if !counts || self.from.state.seen.is_none() {
            return none;
        }
        let when = signal.when.as_ref().map_or(Some(true), |when| when.outcomes(self).certain());
        if when == Some(false) {
            return none;
        }
        let exactly = || signal.measure.number(self.from).filter(|measure| measure.is_finite());
        let points = match signal.measure.bounds(self) {
            Range::Same => exactly().map_or(none, |measure| Between::of(ramp(signal, measure), ramp(signal, measure))),
            Range::Ints(low, high) => Between::of(ramp(signal, low as f64), ramp(signal, high as f64)),
            Range::Doubles(low, high) => Between::of(ramp(signal, low), ramp(signal, high)),
            Range::Missing => none,
            Range::Truths(_) | Range::Any => Between::of(0.0, signal.points),
        };
        if when.is_none() { points.or(none) } else { points }
    }

    /// The values from one end to the other of what moves one way.
    fn one_way(&self, slot: &PersonSlot) -> Range {
        match (self.from.get(slot), self.to.get(slot)) {
            (Some(Value::Int(first)), Some(Value::Int(last))) if first == last => Range::Same,
            (Some(Value::Int(first)), Some(Value::Int(last))) => Range::Ints(first.min(last), first.max(last)),
            (Some(Value::Double(first)), Some(Value::Double(last))) => Range::Doubles(first.min(last), first.max(last)),
            (None, None) => Range::Same,
            _ => Range::Any,
        }
    }

    /// The same of what falls, if nothing that it counts has a time in the future.
    fn falling(&self, slot: &PersonSlot, is_past: bool) -> Range {
        if is_past { self.one_way(slot) } else { Range::Any }
    }

    /// Returns whether the history of a key has nothing beyond `last`, a day or an hour.
    fn is_past(&self, key: u32, last: i32) -> bool {
        let newest = self.from.state.windows.get(&key).and_then(|counts| counts.keys().next_back());
        newest.is_none_or(|newest| *newest <= last)
    }

    fn engagement(&self) -> Range {
        let state = self.from.state;
        if !state.days.is_past(self.from.today) || !state.actions.is_past(self.from.moment.now) {
            return Range::Any;
        }
        let of = |person: &Person<'_>| person.engagement().often + person.engagement().much;
        let Between(low, high) = Between::of(of(self.from), of(self.to));
        let rounded = |points: f64| i64::from(Score::from_points(points).get());
        Range::Ints(rounded(low - ROUNDING), rounded(high + ROUNDING))
    }

    /// The class follows the answer, and for promoters whether they are engaged.
    fn nps_class(&self) -> Range {
        if self.from.state.nps.is_none_or(|answer| answer.points < 9) {
            return Range::Same;
        }
        let lowest = i64::from(self.from.moment.config.scoring.promoter_min_engagement);
        match self.engagement() {
            Range::Ints(low, high) if low >= lowest || high < lowest => {
                debug_assert_ne!(self.from.nps_class(), NpsClass::None);
                Range::Same
            }
            _ => Range::Any,
        }
    }

    fn account(&self, slot: &PersonSlot, field: &AccountField) -> Range {
        match (self.from.moment.account, field) {
            (Some(_), AccountField::RenewsInDays) => self.one_way(slot),
            (Some(_), _) => Range::Same,
            // A person without an account is looked at as one.
            (None, AccountField::Value | AccountField::Touch | AccountField::Owner)
                if !self.from.state.billing.subscriptions.is_empty() =>
            {
                Range::Any
            }
            (None, _) => Range::Same,
        }
    }
}

/// A condition's outcomes, without that it has no value: then it does not hold.
fn truth(outcomes: Outcomes) -> Outcomes {
    match outcomes.certain() {
        Some(true) => Outcomes::TRUE,
        Some(false) => Outcomes::FALSE,
        None => Outcomes::TRUE.or(Outcomes::FALSE),
    }
}

impl Lookup<PersonSlot> for Stretch<'_, '_> {
    /// At its beginning. Personas and segments have ranges of their own.
    fn get(&self, slot: &PersonSlot) -> Option<Value<'_>> {
        self.from.get(slot)
    }
}

impl Ranges<PersonSlot> for Stretch<'_, '_> {
    fn range(&self, slot: &PersonSlot) -> Range {
        let (state, today) = (self.from.state, self.from.today);
        let features = &self.from.moment.config.features;
        match slot {
            // Nothing of these changes in a stretch.
            PersonSlot::Stage | PersonSlot::Pays | PersonSlot::Cancels | PersonSlot::PastDue => Range::Same,
            slot if is_of_events_alone(slot) => Range::Same,
            PersonSlot::IdleDays
            | PersonSlot::TenureDays
            | PersonSlot::CustomerDays
            | PersonSlot::LostTrialDays
            | PersonSlot::NpsDays
            | PersonSlot::CsatDays
            | PersonSlot::DaysSince { .. }
            | PersonSlot::ReleasedDays { .. } => self.one_way(slot),
            PersonSlot::CountWithin { key, .. } => self.falling(slot, self.is_past(*key, today)),
            PersonSlot::CountHours { key, .. } => self.falling(slot, self.is_past(*key, hour_of(self.from.moment.now))),
            PersonSlot::Errors { key, .. } => self.falling(slot, self.is_past(*key, today)),
            PersonSlot::MostErrors(_) => {
                self.falling(slot, features.all.iter().all(|feature| self.is_past(feature.errors_key, today)))
            }
            PersonSlot::ActiveDays(_) => self.falling(slot, state.days.is_past(today)),
            PersonSlot::ActiveMonths(_) => self.falling(slot, state.months.is_past(month_of(self.from.moment.now))),
            PersonSlot::UsedDays { key, .. } => {
                self.falling(slot, state.uses.get(key).is_none_or(|uses| uses.is_past(today)))
            }
            PersonSlot::HighValueUsed(_) | PersonSlot::HighValueShare(_) => {
                let is_past = |key: &u32| state.uses.get(key).is_none_or(|uses| uses.is_past(today));
                self.falling(slot, features.high_value().all(|feature| is_past(&feature.key)))
            }
            PersonSlot::Engagement => self.engagement(),
            PersonSlot::NpsClass => self.nps_class(),
            PersonSlot::Sentiment => {
                let month = |person: &Person<'_>| month_of(person.moment.now);
                let is_same = state.mood.is_empty() || month(self.from) == month(self.to);
                if is_same { Range::Same } else { Range::Any }
            }
            // Of two falling numbers the change goes either way, until both are 0.
            PersonSlot::ActivityChange(days) => {
                let before = state.days.active(today, 2 * u32::from(*days));
                if before == 0 && state.days.is_past(today) { Range::Same } else { Range::Any }
            }
            PersonSlot::Account(field) => self.account(slot, field),
            PersonSlot::Score(likelihood) => self.scores[*likelihood as usize],
            PersonSlot::Persona(at) => self.personas.get(*at).map_or(Range::Any, |truths| Range::Truths(*truths)),
            PersonSlot::Segment(at) => self.segments.get(*at).map_or(Range::Any, |truths| Range::Truths(*truths)),
            // Where it is not known how one moves, this is always right.
            _ => Range::Any,
        }
    }
}

/// A range of points.
#[derive(Debug, Clone, Copy)]
struct Between(f64, f64);

impl Between {
    fn of(one: f64, other: f64) -> Self {
        Self(one.min(other), one.max(other))
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }

    fn or(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }
}
