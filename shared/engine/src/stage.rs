//! Where someone stands, from the product's own facts.

use crate::state::State;
use jiff::Timestamp;
use perennial_config::lifecycle::{Lifecycle, Milestone};
use perennial_domain::Stage;
use perennial_domain::time::days_between;

/// The stage at `now`. The latest of trial, free plan, payment and cancellation decides; of the same moment, the one later
/// in that list. Who pays is at risk once idle for the configured days; else won back where a cancellation lies before the
/// payment; else new, adopting or established by the days since the first payment.
pub fn stage(lifecycle: &Lifecycle, state: &State, now: Timestamp) -> Stage {
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
    let idle = state.seen.map_or(0, |seen| days_between(seen.last_at(), now));
    if idle >= i64::from(lifecycle.at_risk_after_idle_days) {
        return Stage::AtRisk;
    }
    let (customer, churned) = (state.milestones.get(&Milestone::Customer), state.milestones.get(&Milestone::Churned));
    if churned.is_some_and(|churned| customer.is_some_and(|customer| churned.last < customer.last)) {
        return Stage::WonBack;
    }
    let tenure = customer.map_or(0, |span| days_between(span.first_at(), now));
    if tenure < i64::from(lifecycle.onboarding_days) {
        Stage::Onboarding
    } else if tenure < i64::from(lifecycle.adopting_days) {
        Stage::Adopting
    } else {
        Stage::Established
    }
}
