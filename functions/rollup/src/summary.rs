//! What an account's people amount to. Pure.

use perennial_domain::{Likelihood, Member, Score};
use perennial_store::accounts::{AccountReason, AccountSummary};

/// People named as reasons at most.
const REASONS: usize = 10;

/// Rolls `members` up; their order does not matter.
pub fn summarise(members: &[Member]) -> AccountSummary {
    let mut summary = AccountSummary { people: u32::try_from(members.len()).unwrap_or(u32::MAX), ..AccountSummary::default() };
    let mut readiness = 0.0;
    let (mut health, mut paying) = (0.0, 0_u32);
    for member in members {
        *summary.stages.entry(member.stage).or_default() += 1;
        summary.last_seen = summary.last_seen.max(member.last_seen);
        if member.stage.pays() {
            paying += 1;
            health += f64::from(health_of(member)) / 3.0;
            summary.reasons.extend(reason(member, Likelihood::Success, 1));
            summary.reasons.extend(reason(member, Likelihood::Churn, -1));
        } else {
            readiness += f64::from(of(member, Likelihood::Purchase));
            summary.reasons.extend(reason(member, Likelihood::Purchase, 1));
        }
    }
    summary.score = Score::from_points(readiness);
    summary.health = (paying > 0).then(|| Score::from_points(health / f64::from(paying)));
    summary.reasons.sort_by(|a, b| b.points.abs().cmp(&a.points.abs()).then_with(|| (a.person, a.likelihood).cmp(&(b.person, b.likelihood))));
    summary.reasons.truncate(REASONS);
    summary
}

fn of(member: &Member, likelihood: Likelihood) -> u8 {
    member.scores.get(&likelihood).copied().unwrap_or_default().get()
}

/// Engagement, success and the opposite of churn together, 0 to 300.
fn health_of(member: &Member) -> u16 {
    u16::from(member.engagement.get()) + u16::from(of(member, Likelihood::Success)) + 100 - u16::from(of(member, Likelihood::Churn))
}

fn reason(member: &Member, likelihood: Likelihood, sign: i32) -> Option<AccountReason> {
    let points = sign * i32::from(of(member, likelihood));
    (points != 0).then_some(AccountReason { person: member.person, likelihood, points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_domain::{PersonId, Stage};

    fn member(name: &str, stage: Stage, scores: &[(Likelihood, u8)], engagement: u8) -> Member {
        let scores = scores.iter().map(|(likelihood, score)| (*likelihood, Score::from(*score))).collect();
        Member { person: PersonId::derive(&[name.as_bytes()]), stage, scores, engagement: Score::from(engagement), last_seen: None }
    }

    #[test]
    fn buyers_add_up_and_those_who_pay_do_not_count_as_buyers() {
        let members = [
            member("a", Stage::Trial, &[(Likelihood::Purchase, 45)], 50),
            member("b", Stage::Lead, &[(Likelihood::Purchase, 30)], 10),
            member("c", Stage::Adopting, &[(Likelihood::Purchase, 90), (Likelihood::Success, 60), (Likelihood::Churn, 20)], 70),
        ];
        let summary = summarise(&members);
        assert_eq!((summary.people, summary.score.get()), (3, 75));
        assert_eq!(summary.health.map(Score::get), Some(70), "(70 + 60 + 100 - 20) / 3");
        assert_eq!(summary.reasons.first().map(|r| (r.person, r.points)), Some((members[2].person, 60)));
        let mut reversed = members.to_vec();
        reversed.reverse();
        assert_eq!(summarise(&reversed), summary);
    }

    #[test]
    fn ten_thousand_buyers_are_one_hundred() {
        let members: Vec<Member> = (0..10_000).map(|i| member(&i.to_string(), Stage::Lead, &[(Likelihood::Purchase, 40)], 0)).collect();
        let summary = summarise(&members);
        assert_eq!((summary.people, summary.score.get(), summary.health, summary.reasons.len()), (10_000, 100, None, REASONS));
    }

    #[test]
    fn nobody_is_nothing() {
        assert_eq!(summarise(&[]), AccountSummary::default());
    }
}
