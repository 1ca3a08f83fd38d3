//! The aggregate of an account's people.

use super::course::{Counts, Course, Sum as CurveSum};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::accounts::THOUSAND;
use perennial_domain::{AccountReason, AccountSummary, Likelihood, Measure, Member, PersonId, Score, Stage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The number of people whose contributions an account keeps for its score, and for its health.
pub const REASONS: usize = 12;

/// Adds up people, page by page, in constant memory. All sums are of integers, so the order of people does not matter.
#[derive(Debug, Clone)]
pub struct Tally<'a> {
    config: &'a Config,
    now: Timestamp,
    people: u32,
    elsewhere: u32,
    stages: BTreeMap<Stage, u32>,
    last_seen: Option<Timestamp>,
    /// Thousandths of points, times thousandths of weight.
    score: Shares,
    /// Thousandths of points, times thousandths of weight.
    health: Shares,
    /// Thousandths.
    weight: i64,
    curves: CurveSum,
}

impl<'a> Tally<'a> {
    /// Creates an empty tally. People count as they are at `now`, if they have been inactive since their entries were
    /// written.
    pub fn new(config: &'a Config, now: Timestamp) -> Self {
        Self {
            config,
            now,
            people: 0,
            elsewhere: 0,
            stages: BTreeMap::new(),
            last_seen: None,
            score: Shares::default(),
            health: Shares::default(),
            weight: 0,
            curves: CurveSum::new(now),
        }
    }

    /// Adds one person. A person with another primary account is only counted.
    pub fn add(&mut self, member: &Member) {
        let stage = member.stage_at(self.now);
        self.people += 1;
        *self.stages.entry(stage).or_default() += 1;
        self.last_seen = self.last_seen.max(member.last_seen);
        if member.elsewhere {
            self.elsewhere += 1;
            return;
        }
        let config = self.config;
        let counts = counts(config, member, stage);
        let points = match counts {
            Counts::Health(weight) => self.add_health(member, weight),
            Counts::Score(weight) => self.add_score(member, weight),
            Counts::Not => 0,
        };
        self.curves.add(member, points, |at| self::counts(config, member, member.stage_at(at)));
    }

    /// Adds the readiness of a buyer; returns it in thousandths of a point.
    fn add_score(&mut self, member: &Member, weight: i64) -> i64 {
        let of_entry = || points(member, Likelihood::Purchase) * THOUSAND;
        let points = member.curve.as_ref().map_or_else(of_entry, |curve| curve.points(self.now));
        self.score.add(member.person, Measure::Purchase, points * weight);
        points
    }

    /// Adds a paying person's contribution to the health; returns it in thousandths of a point.
    fn add_health(&mut self, member: &Member, weight: i64) -> i64 {
        let rule = &self.config.accounts.health;
        let of_entry = [
            (Measure::Engagement, i64::from(member.engagement.get()) * rule.engagement),
            (Measure::Success, points(member, Likelihood::Success) * rule.success),
            (Measure::Churn, -points(member, Likelihood::Churn) * rule.churn),
        ];
        let counted: Vec<_> = of_entry.into_iter().filter(|_| member.stage.pays()).collect();
        let sum: i64 = counted.iter().map(|(_, points)| points).sum();
        let points = member.curve.as_ref().map_or(sum, |curve| curve.points(self.now));
        for (measure, points) in counted.into_iter().chain([(Measure::Silence, points - sum)]) {
            self.health.add(member.person, measure, points * weight);
        }
        self.weight += weight;
        points
    }

    /// Returns the aggregate now, and how it changes while the people are inactive.
    pub fn finish(self) -> (AccountSummary, Course) {
        let course = self.curves.course();
        let reasons = self.score.finish(THOUSAND * THOUSAND);
        let health_reasons = (self.weight > 0).then(|| self.health.finish(self.weight * THOUSAND));
        let summary = AccountSummary {
            people: self.people,
            elsewhere: self.elsewhere,
            stages: self.stages,
            score: course.score(self.now),
            health: course.health(self.now),
            reasons,
            health_reasons: health_reasons.unwrap_or_default(),
            last_seen: self.last_seen,
            config: Some(self.config.version.clone()),
        };
        (summary, course)
    }
}

/// A likelihood of an entry, in points.
fn points(member: &Member, likelihood: Likelihood) -> i64 {
    i64::from(member.scores.get(&likelihood).copied().unwrap_or_default().get())
}

/// Returns what the points of a member at a stage count for.
fn counts(config: &Config, member: &Member, stage: Stage) -> Counts {
    let rules = &config.accounts;
    if stage.pays() {
        Counts::Health(rules.health.weights.of(&member.personas))
    } else if rules.score.buyers.is_empty() || !rules.score.buyers.is_disjoint(&member.personas) {
        Counts::Score(rules.score.weights.of(&member.personas))
    } else {
        Counts::Not
    }
}

/// The shares of one number: their sum by measure, and the greatest by themselves.
#[derive(Debug, Clone, Default)]
struct Shares {
    sums: BTreeMap<Measure, Sum>,
    top: BTreeSet<(Reverse<u64>, PersonId, Measure, i64)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    points: i64,
    people: u32,
}

impl Shares {
    fn add(&mut self, person: PersonId, measure: Measure, points: i64) {
        if points == 0 {
            return;
        }
        let sum = self.sums.entry(measure).or_default();
        sum.points += points;
        sum.people += 1;
        self.top.insert((Reverse(points.unsigned_abs()), person, measure, points));
        if self.top.len() > REASONS {
            self.top.pop_last();
        }
    }

    /// The reasons of the number, in whole hundredths of a point. `unit` is what a point is counted in.
    fn finish(mut self, unit: i64) -> Vec<AccountReason> {
        let total: i64 = self.sums.values().map(|sum| sum.points).sum();
        let score = Score::from_points(total as f64 / unit as f64);
        let mut reasons = Vec::new();
        let mut told = 0;
        for (_, person, measure, points) in self.top {
            let share = hundredths(points, unit);
            if share == 0 {
                continue;
            }
            told += share;
            if let Some(sum) = self.sums.get_mut(&measure) {
                sum.points -= points;
                sum.people -= 1;
            }
            reasons.push(AccountReason { person: Some(person), measure, points: in_points(share), people: 1 });
        }
        let rest = self.sums.iter().filter(|(_, sum)| sum.people > 0);
        for (measure, sum) in rest {
            let share = hundredths(sum.points, unit);
            told += share;
            reasons.push(AccountReason {
                person: None,
                measure: *measure,
                points: in_points(share),
                people: sum.people,
            });
        }
        // The rounding error of the contributions is far below that of the score.
        let cut = i64::from(score.get()) * 100 - told;
        if cut.abs() > 50 + reasons.len() as i64 {
            reasons.push(AccountReason { person: None, measure: Measure::Limit, points: in_points(cut), people: 0 });
        }
        reasons
    }
}

/// `points`, counted in `unit`, in hundredths of a point, rounded half away from zero.
fn hundredths(points: i64, unit: i64) -> i64 {
    let (scaled, unit) = (i128::from(points) * 200, i128::from(unit));
    let rounded = (scaled + unit * scaled.signum()) / (2 * unit);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

fn in_points(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}
