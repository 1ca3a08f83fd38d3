//! Education: who attended, against similar people who did not.

use crate::report::{Cell, Table, Unit};
use crate::retention::paid_at;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::{beginning_of_day, day_of, week_of_day};
use perennial_engine::{StageMove, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The days before and after the day of attending that are compared.
const PERIOD: i32 = 28;
/// The days on which attending counts: those for which a profile's 128 days hold the period before.
const DAYS: i32 = 70;
/// The fewest attendees, and people compared with them, for an interval.
const ENOUGH: u64 = 10;
/// The normal quantile of a 95 % interval.
const Z: f64 = 1.96;
/// The upper ends of the bands of active days before; the last one is open.
const BANDS: [u32; 5] = [0, 2, 5, 9, 14];

/// People who are alike before the day: of one week, new or known, paying or not, and about as active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Alike {
    /// The week of the day, from Monday to Sunday.
    week: i32,
    /// `true` if their first activity was in the period before.
    is_new: bool,
    /// `true` if they paid at the beginning of the day.
    pays: bool,
    /// The band of the active days in the period before.
    band: u8,
}

/// The outcome for people within the period after the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct After {
    people: u64,
    /// The sum of their active days, and of the squares.
    days: u64,
    squares: u64,
    /// Those with an active day.
    active: u64,
    /// Those who pay at its end.
    pay: u64,
}

/// Those who attended on their day, and those who had not attended by the end of the period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Both {
    attended: After,
    others: After,
}

/// People by education, its name, and by what they were like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effects(BTreeMap<String, Vec<(Alike, Both)>>);

/// A person, as far as this counts.
struct Person<'a> {
    state: &'a State,
    history: &'a [StageMove],
    first_day: i32,
}

impl Person<'_> {
    /// Returns the person as they were before `day`, and the outcome after it.
    fn at(&self, day: i32) -> (Alike, After) {
        let length = PERIOD.unsigned_abs();
        let before = self.state.days.active(day - 1, length);
        let after = u64::from(self.state.days.active(day + PERIOD, length));
        let band = BANDS.iter().filter(|end| before > **end).count();
        let alike = Alike {
            week: week_of_day(day),
            is_new: self.first_day >= day - PERIOD,
            pays: paid_at(self.history, beginning_of_day(day)),
            band: u8::try_from(band).unwrap_or(u8::MAX),
        };
        let after = After {
            people: 1,
            days: after,
            squares: after * after,
            active: u64::from(after > 0),
            pay: u64::from(paid_at(self.history, beginning_of_day(day + PERIOD + 1))),
        };
        (alike, after)
    }
}

impl After {
    fn add(&mut self, other: Self) {
        self.people += other.people;
        self.days += other.days;
        self.squares += other.squares;
        self.active += other.active;
        self.pay += other.pay;
    }
}

impl Effects {
    /// Counts a person with this stage history, the oldest change first.
    pub(crate) fn add(&mut self, config: &Config, state: &State, history: &[StageMove], now: Timestamp) {
        let Some(seen) = state.seen.filter(|_| !config.features.education.is_empty()) else { return };
        let person = Person { state, history, first_day: day_of(seen.first_at()) };
        let (first, last) = days(day_of(now));
        for education in &config.features.education {
            let attended = state.spans.get(&education.key).map(|span| day_of(span.first_at()));
            let effect = self.0.entry(education.name.clone()).or_default();
            if let Some(day) = attended.filter(|day| (first..=last).contains(day)) {
                let (alike, after) = person.at(day);
                both(effect, alike).attended.add(after);
            }
            // The Thursday of each week stands for its days.
            for day in (week_of_day(first)..=week_of_day(last)).map(|week| week * 7) {
                let is_known = person.first_day <= day && (first..=last).contains(&day);
                if is_known && attended.is_none_or(|attended| attended > day + PERIOD) {
                    let (alike, after) = person.at(day);
                    both(effect, alike).others.add(after);
                }
            }
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, effect) in &other.0 {
            let mine = self.0.entry(name.clone()).or_default();
            for (alike, counts) in effect {
                let sum = both(mine, *alike);
                sum.attended.add(counts.attended);
                sum.others.add(counts.others);
            }
        }
    }

    /// Returns a row for each education and outcome.
    pub(crate) fn table(&self, config: &Config, notes: &mut Vec<String>) -> Table {
        let columns = [
            ("education", Unit::Text),
            ("outcome", Unit::Text),
            ("attended", Unit::Count),
            ("without anyone alike", Unit::Count),
            ("others", Unit::Count),
            ("of attendees", Unit::Number),
            ("of others alike", Unit::Number),
            ("difference", Unit::Number),
            ("at least", Unit::Number),
            ("at most", Unit::Number),
        ];
        let mut table = Table::new("effects", &columns);
        for education in &config.features.education {
            let effect = self.0.get(&education.name).map_or(&[][..], Vec::as_slice);
            for outcome in Outcome::ALL {
                table.row(row(&education.name, outcome, effect));
            }
        }
        if config.features.education.is_empty() {
            notes.push("features.toml names no education: add [[education]] with the event of attending it".to_owned());
        } else {
            notes.push(
                "people chose to attend: a difference is no effect of attending unless who was invited was drawn by lot"
                    .to_owned(),
            );
        }
        table
    }
}

/// Returns the first and the last day on which attending counts: the period after the last one is over.
pub(crate) fn days(today: i32) -> (i32, i32) {
    let last = today - PERIOD - 1;
    (last - DAYS + 1, last)
}

fn both(effect: &mut Vec<(Alike, Both)>, alike: Alike) -> &mut Both {
    let at = match effect.binary_search_by_key(&alike, |(alike, _)| *alike) {
        Ok(at) => at,
        Err(at) => {
            effect.insert(at, (alike, Both::default()));
            at
        }
    };
    &mut effect[at].1
}

/// An outcome that is compared.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Days,
    Active,
    Pay,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Days, Self::Active, Self::Pay];

    fn words(self) -> &'static str {
        match self {
            Self::Days => "active days within 28 days",
            Self::Active => "active within 28 days, in %",
            Self::Pay => "pays after 28 days, in %",
        }
    }

    /// Returns the sum over people, and that of the squares.
    fn sums(self, after: &After) -> (f64, f64) {
        match self {
            Self::Days => (after.days as f64, after.squares as f64),
            // The square of 100 for each of them.
            Self::Active => (after.active as f64 * 100.0, after.active as f64 * 10_000.0),
            Self::Pay => (after.pay as f64 * 100.0, after.pay as f64 * 10_000.0),
        }
    }
}

/// The variance within the groups of those who are alike, pooled over them; `None` without two in any of them.
fn pooled<'a>(outcome: Outcome, groups: impl Iterator<Item = &'a After>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0_u64);
    for group in groups.filter(|group| group.people > 0) {
        let (sum, of_squares) = outcome.sums(group);
        squares += of_squares - sum * sum / group.people as f64;
        freedom += group.people - 1;
    }
    (freedom > 0).then(|| (squares / freedom as f64).max(0.0))
}

/// The mean difference between attendees and others who are alike, weighted by the attendees: the effect on those who attended, by exact
/// matching (Stuart, "Matching methods for causal inference", Statistical Science 25, 2010, section 3.1). Its standard error is that of a
/// stratified difference of means.
fn row(name: &str, outcome: Outcome, effect: &[(Alike, Both)]) -> Vec<Cell> {
    let attended: u64 = effect.iter().map(|(_, both)| both.attended.people).sum();
    let is_matched = |both: &&Both| both.attended.people > 0 && both.others.people > 0;
    let matched: Vec<&Both> = effect.iter().map(|(_, both)| both).filter(is_matched).collect();
    let of_matched: u64 = matched.iter().map(|both| both.attended.people).sum();
    let others: u64 = matched.iter().map(|both| both.others.people).sum();
    let mut cells = vec![
        Cell::text(name),
        Cell::text(outcome.words()),
        Cell::Count(attended),
        Cell::Count(attended - of_matched),
        Cell::Count(others),
    ];
    if of_matched == 0 {
        return cells;
    }
    let of = |after: &After| outcome.sums(after).0 / after.people as f64;
    let weighted = |value: &dyn Fn(&Both) -> f64| {
        matched.iter().map(|both| both.attended.people as f64 * value(both)).sum::<f64>() / of_matched as f64
    };
    let (theirs, alike) = (weighted(&|both| of(&both.attended)), weighted(&|both| of(&both.others)));
    cells.extend([theirs, alike, theirs - alike].map(Cell::number));
    let variances = pooled(outcome, matched.iter().map(|both| &both.attended))
        .zip(pooled(outcome, matched.iter().map(|both| &both.others)));
    if let Some((of_attended, of_others)) = variances.filter(|_| of_matched.min(others) >= ENOUGH) {
        let error = matched.iter().map(|both| {
            let weight = both.attended.people as f64 / of_matched as f64;
            weight * weight * (of_attended / both.attended.people as f64 + of_others / both.others.people as f64)
        });
        let radius = Z * error.sum::<f64>().sqrt();
        cells.extend([theirs - alike - radius, theirs - alike + radius].map(Cell::number));
    }
    cells
}
