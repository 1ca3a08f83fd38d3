//! What an account's people amount to.

use jiff::Timestamp;
use perennial_domain::{Likelihood, Member, PersonId, Score, Stage};
use perennial_store::accounts::{AccountReason, AccountSummary, Measure};
use std::collections::BTreeMap;

/// How many reasons an account keeps.
pub const REASONS: usize = 12;

/// Adds up people, page by page.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    people: u32,
    stages: BTreeMap<Stage, u32>,
    buyers: Vec<(PersonId, u8)>,
    paying: Vec<Paying>,
    last_seen: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Paying {
    person: PersonId,
    engagement: f64,
    success: f64,
    churn: f64,
}

impl Paying {
    fn health(self) -> f64 {
        (self.engagement + self.success) / 2.0 - self.churn
    }
}

impl Tally {
    /// Adds one person.
    pub fn add(&mut self, member: &Member) {
        let score = |likelihood| member.scores.get(&likelihood).copied().unwrap_or_default().get();
        self.people += 1;
        *self.stages.entry(member.stage).or_default() += 1;
        self.last_seen = self.last_seen.max(member.last_seen);
        if member.stage.pays() {
            self.paying.push(Paying {
                person: member.person,
                engagement: f64::from(member.engagement.get()),
                success: f64::from(score(Likelihood::Success)),
                churn: f64::from(score(Likelihood::Churn)),
            });
        } else if score(Likelihood::Purchase) > 0 {
            self.buyers.push((member.person, score(Likelihood::Purchase)));
        }
    }

    /// The account's summary. The order in which people were added does not matter.
    pub fn finish(mut self) -> AccountSummary {
        // A sum of numbers with fractions depends on its order; that of the ids is always the same.
        self.paying.sort_by_key(|paying| paying.person);
        let readiness: f64 = self.buyers.iter().map(|(_, points)| f64::from(*points)).sum();
        let n = self.paying.len() as f64;
        let health = self.paying.iter().map(|paying| paying.health()).sum::<f64>() / n;
        AccountSummary {
            people: self.people,
            score: Score::from_points(readiness),
            health: (!self.paying.is_empty()).then(|| Score::from_points(health)),
            reasons: self.reasons(n),
            stages: self.stages,
            last_seen: self.last_seen,
        }
    }

    /// The strongest shares, at most [`REASONS`].
    fn reasons(&self, paying: f64) -> Vec<AccountReason> {
        let reason = |person, measure, points: f64| AccountReason { person, measure, points: points.round() as i32 };
        let mut reasons: Vec<_> =
            self.buyers.iter().map(|(person, points)| reason(*person, Measure::Purchase, f64::from(*points))).collect();
        for one in &self.paying {
            reasons.push(reason(one.person, Measure::Engagement, one.engagement / 2.0 / paying));
            reasons.push(reason(one.person, Measure::Success, one.success / 2.0 / paying));
            reasons.push(reason(one.person, Measure::Churn, -one.churn / paying));
        }
        reasons.retain(|reason| reason.points != 0);
        reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.points.abs()), reason.person, reason.measure));
        reasons.truncate(REASONS);
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, stage: Stage, scores: &[(Likelihood, u8)], engagement: u8) -> Member {
        let scores = scores.iter().map(|(likelihood, score)| (*likelihood, Score::from(*score))).collect();
        Member {
            person: PersonId::derive(&[name.as_bytes()]),
            stage,
            scores,
            engagement: Score::from(engagement),
            last_seen: None,
            personas: std::collections::BTreeSet::new(),
        }
    }

    fn summary(members: &[Member]) -> AccountSummary {
        let mut tally = Tally::default();
        members.iter().for_each(|member| tally.add(member));
        tally.finish()
    }

    #[test]
    fn the_sum_over_buyers_is_the_readiness_and_stays_below_a_hundred() {
        let buyer = |name, points| member(name, Stage::Lead, &[(Likelihood::Purchase, points)], 0);
        assert_eq!(summary(&[buyer("a", 30), buyer("b", 45)]).score.get(), 75);
        let ready = summary(&[buyer("a", 60), buyer("b", 70)]);
        assert_eq!((ready.score.get(), ready.health, ready.reasons[0].points), (100, None, 70));
    }

    #[test]
    fn who_pays_already_makes_health_and_not_readiness() {
        let scores = [(Likelihood::Purchase, 90), (Likelihood::Success, 60), (Likelihood::Churn, 10)];
        let one = member("a", Stage::Adopting, &scores, 80);
        let other = member("b", Stage::AtRisk, &[(Likelihood::Churn, 50)], 0);
        assert_eq!(
            (summary(std::slice::from_ref(&one)).score.get(), summary(std::slice::from_ref(&one)).health),
            (0, Some(Score::from(60)))
        );
        let both = summary(&[one, other]);
        assert_eq!((both.health, both.people), (Some(Score::from(5)), 2));
        assert_eq!(both.reasons[0].points, -25, "the colleague who is about to leave weighs most");
    }

    #[test]
    fn the_order_of_people_does_not_matter() {
        let mut members: Vec<_> = (0..30_u8)
            .map(|i| member(&i.to_string(), Stage::Adopting, &[(Likelihood::Success, i * 3)], 100 - i))
            .collect();
        let forward = summary(&members);
        members.reverse();
        assert_eq!(summary(&members), forward);
        assert_eq!(forward.reasons.len(), REASONS);
    }

    #[test]
    fn an_account_without_people_is_empty() {
        assert_eq!(summary(&[]), AccountSummary::default());
    }
}
