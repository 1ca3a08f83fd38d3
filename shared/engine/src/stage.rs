//! Where someone stands, from the product's own facts and those of the account.

use crate::instant::timestamp;
use crate::moment::Moment;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::lifecycle::{Lifecycle, Milestone};
use perennial_domain::Stage;
use perennial_domain::time::{days_between, plus_days};
use serde::Serialize;

/// The stage at a moment. The latest of trial, free plan, payment and cancellation decides; of the same moment, the one
/// later in that list. Who pays is at risk once idle for the configured days; else won back where a cancellation lies before
/// the payment; else new, adopting or established by the days since the first payment.
///
/// Where people follow their account, who is no customer by facts of their own is one as soon as the account pays (by the
/// days since they were first seen), and who is one has left when the account has.
pub fn stage(moment: &Moment<'_>, state: &State) -> Stage {
    let lifecycle = &moment.config.lifecycle;
    let own = own_stage(lifecycle, state, moment.now);
    let account = moment.account.filter(|_| lifecycle.people_follow_account).and_then(|account| account.stage);
    match account {
        Some(account)
            if account.pays() && matches!(own, Stage::Visitor | Stage::Lead | Stage::Trial | Stage::Freemium) =>
        {
            let since = state.seen.map_or(0, |seen| days_between(seen.first_at(), moment.now));
            if is_idle(lifecycle, state, moment.now) { Stage::AtRisk } else { by_tenure(lifecycle, since) }
        }
        Some(Stage::Churned) if own.pays() => Stage::Churned,
        _ => own,
    }
}

fn own_stage(lifecycle: &Lifecycle, state: &State, now: Timestamp) -> Stage {
    let of = |milestone| state.milestones.get(&milestone).copied();
    let order = [Milestone::Trial, Milestone::Freemium, Milestone::Customer, Milestone::Churned];
    let latest = order.into_iter().filter_map(|m| of(m).map(|span| (span.last, m))).max();
    match latest {
        Some((_, Milestone::Trial)) => Stage::Trial,
        Some((_, Milestone::Freemium)) => Stage::Freemium,
        Some((_, Milestone::Churned)) => Stage::Churned,
        Some((_, Milestone::Customer)) => paying(lifecycle, state, now),
        _ if of(Milestone::Lead).is_some() => Stage::Lead,
        _ => Stage::Visitor,
    }
}

fn paying(lifecycle: &Lifecycle, state: &State, now: Timestamp) -> Stage {
    if is_idle(lifecycle, state, now) {
        return Stage::AtRisk;
    }
    let (customer, churned) = (state.milestones.get(&Milestone::Customer), state.milestones.get(&Milestone::Churned));
    if churned.is_some_and(|churned| customer.is_some_and(|customer| churned.last < customer.last)) {
        return Stage::WonBack;
    }
    by_tenure(lifecycle, customer.map_or(0, |span| days_between(span.first_at(), now)))
}

fn is_idle(lifecycle: &Lifecycle, state: &State, now: Timestamp) -> bool {
    let idle = state.seen.map_or(0, |seen| days_between(seen.last_at(), now));
    idle >= i64::from(lifecycle.at_risk_after_idle_days)
}

fn by_tenure(lifecycle: &Lifecycle, days: i64) -> Stage {
    if days < i64::from(lifecycle.onboarding_days) {
        Stage::Onboarding
    } else if days < i64::from(lifecycle.adopting_days) {
        Stage::Adopting
    } else {
        Stage::Established
    }
}

/// One move of someone's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageMove {
    /// When.
    pub at: Timestamp,
    /// Where they have stood since.
    pub stage: Stage,
}

/// How someone came to stand where they stand, the oldest move first: from the first time of each milestone, the newest
/// moves, and the days that make a customer adopting or established. The last pause that made them at risk is the only one
/// that is told.
pub fn stage_history(moment: &Moment<'_>, state: &State) -> Vec<StageMove> {
    let firsts = state.milestones.iter().map(|(milestone, span)| (span.first, *milestone));
    let mut moves: Vec<(i64, Milestone)> = firsts.chain(state.moves.iter().copied()).collect();
    moves.sort_unstable();
    moves.dedup();
    let lifecycle = &moment.config.lifecycle;
    let paid_first = state.milestones.get(&Milestone::Customer).map(|span| span.first_at());
    let mut told: Vec<StageMove> = Vec::new();
    let mut left = false;
    for (index, (at, milestone)) in moves.iter().enumerate() {
        let at = timestamp(*at);
        let until = moves.get(index + 1).map_or(moment.now, |(next, _)| timestamp(*next));
        match milestone {
            Milestone::Lead if told.is_empty() => tell(&mut told, at, Stage::Lead),
            Milestone::Lead => {}
            Milestone::Trial => tell(&mut told, at, Stage::Trial),
            Milestone::Freemium => tell(&mut told, at, Stage::Freemium),
            Milestone::Churned => {
                left = true;
                tell(&mut told, at, Stage::Churned);
            }
            Milestone::Customer if left => tell(&mut told, at, Stage::WonBack),
            Milestone::Customer => {
                let first = paid_first.unwrap_or(at);
                tell(&mut told, at, by_tenure(lifecycle, days_between(first, at)));
                for days in [lifecycle.onboarding_days, lifecycle.adopting_days] {
                    let grown = plus_days(first, i64::from(days));
                    if grown > at && grown <= until && grown <= moment.now {
                        tell(&mut told, grown, by_tenure(lifecycle, i64::from(days)));
                    }
                }
            }
        }
    }
    let now = stage(moment, state);
    if let (Stage::AtRisk, Some(seen)) = (now, state.seen) {
        tell(&mut told, plus_days(seen.last_at(), i64::from(lifecycle.at_risk_after_idle_days)), now);
    }
    told
}

fn tell(told: &mut Vec<StageMove>, at: Timestamp, stage: Stage) {
    if told.last().is_none_or(|last| last.stage != stage) {
        told.push(StageMove { at, stage });
    }
}
