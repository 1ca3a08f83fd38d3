#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

//! The sample company's accounts while its people are inactive: at any moment each equals an independent sum over its
//! people.

use super::analysis_tests::{Known, known};
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{AccountId, Identity, Likelihood, Member};
use perennial_engine::account::silence::curve;
use perennial_engine::account::{Account, Tally, facts, member};
use perennial_engine::{Evaluation, Moment, evaluate};

fn end() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

/// Returns a person of an account at a moment.
fn at(known: &Known, identity: &Identity, account: &AccountId, now: Timestamp) -> Evaluation {
    let moment = Moment::new(&known.config, now).with_account(known.accounts.get(account));
    evaluate(&moment, &known.people[identity].0)
}

/// The entry that `score` writes at a moment.
fn entry(known: &Known, identity: &Identity, account: &AccountId, now: Timestamp) -> Member {
    let state = &known.people[identity].0;
    let moment = Moment::new(&known.config, now).with_account(known.accounts.get(account));
    let mut entry = member(&known.config, identity.person_id(), state, &at(known, identity, account, now));
    entry.curve = Some(curve(&moment, state, &entry));
    entry
}

/// Score and health by the rules of `accounts.toml`, from the whole scores that readers of profiles see.
fn summed(known: &Known, people: &[Evaluation]) -> (f64, Option<f64>) {
    let (mut score, mut health, mut weights) = (0.0, 0.0, 0.0);
    for person in people {
        let of = |likelihood| f64::from(person.scores.get(likelihood).unwrap_or_default().get());
        if !person.stage.pays() {
            score += of(Likelihood::Purchase);
            continue;
        }
        let weighs = |persona: &str| match persona {
            "executive_sponsor" => 4.0,
            "buyer" | "administrator" | "power_user" => 2.0,
            _ => 1.0,
        };
        let weight = person.personas(&known.config).map(weighs).fold(1.0, f64::max);
        let engagement = f64::from(person.engagement.get());
        health += weight * (0.5 * engagement + 0.5 * of(Likelihood::Success) - of(Likelihood::Churn));
        weights += weight;
    }
    (score.clamp(0.0, 100.0), (weights > 0.0).then(|| (health / weights).clamp(0.0, 100.0)))
}

#[test]
fn every_account_equals_an_independent_sum_over_its_people_at_any_moment() {
    let known = known();
    let (mut moved, mut compared, mut renewed) = (0, 0, 0);
    for id in known.accounts.keys() {
        let people: Vec<&Identity> =
            known.members.iter().filter(|(_, account)| *account == id).map(|(identity, _)| identity).collect();
        if people.is_empty() {
            continue;
        }
        let mut account = Account::new(id.clone());
        let mut entries: Vec<Member> = people.iter().map(|identity| entry(&known, identity, id, end())).collect();
        let mut add_up = |entries: &[Member], now: Timestamp| {
            let mut tally = Tally::new(&known.config, now);
            entries.iter().for_each(|entry| tally.add(entry));
            let (summary, course) = tally.finish();
            (account.summary, account.course) = (Some(summary), Some(course));
            account.clone()
        };
        let mut account = add_up(&entries, end());
        let first = account.score_at(end());
        for step in 0..14_i64 {
            let now = end() + SignedDuration::from_secs(step * step * 53_777);
            if account.course.as_ref().unwrap().end.is_some_and(|end| end <= now.as_second()) {
                // The due time triggers the sweep, which requests new entries of people whose curves end.
                for (entry, identity) in entries.iter_mut().zip(&people) {
                    if !entry.curve.as_ref().unwrap().reaches(now) {
                        *entry = self::entry(&known, identity, id, now);
                        renewed += 1;
                    }
                }
                account = add_up(&entries, now);
            }
            let evaluated: Vec<Evaluation> = people.iter().map(|identity| at(&known, identity, id, now)).collect();
            let (score, health) = summed(&known, &evaluated);
            let found = facts(&known.config, &account, now);
            let apart = (f64::from(found.score.get()) - score).abs();
            assert!(apart <= people.len() as f64 * 0.5 + 0.5, "{id}: {} for {score} at {now}", found.score.get());
            assert_eq!(found.health.is_some(), health.is_some(), "{id} at {now}");
            if let Some((found, health)) = found.health.zip(health) {
                // The integer scores of profiles differ by up to a point from the exact ones, and this health by half a
                // point.
                let apart = (f64::from(found.get()) - health).abs();
                assert!(apart <= 2.0, "{id}: health {} for {health} at {now}", found.get());
            }
            compared += 1;
        }
        moved += usize::from(account.score_at(end() + SignedDuration::from_hours(24 * 100)) != first);
    }
    assert!(compared > 700 && moved >= 15 && renewed > 0, "{compared} compared, {moved} moved, {renewed} renewed");
}
