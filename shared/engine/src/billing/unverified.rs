//! Trials and free plans that only a public source reported.
//!
//! They stand among the subscriptions under keys of their own, one for the trial and one for the free plan of an identity. They count until a trusted
//! source reports a payment or an end: after that, nobody with a public key can make a churned customer look like a
//! returning one.

use super::keys::{FREE, key};
use super::{Phase, Subscription};
use crate::state::State;
use perennial_config::lifecycle::Milestone;
use perennial_domain::Event;

/// Records that a public source reported a free plan.
pub(crate) fn note_free_plan(state: &mut State, event: &Event) {
    let Some(identity) = event.identity() else { return };
    state.billing.add(key(FREE, &identity), Subscription::reported_at(event.timestamp.as_microsecond()));
    state.billing.bound();
}

/// Returns what a subscription under such a `key` is where its report counts; `None` for other keys.
pub(super) fn free_plan(key: u64, subscription: &Subscription) -> Option<Phase> {
    (key >> 32 == FREE).then_some(Phase::Free { since: subscription.last })
}

/// Returns whether trusted sources reported a payment or an end, which outranks all reports of public sources. `phases`
/// are those of the subscriptions of trusted sources.
pub(super) fn is_outranked(state: &State, mut phases: impl Iterator<Item = Phase>) -> bool {
    let told = |milestone| state.milestones.contains_key(&milestone);
    told(Milestone::Customer)
        || told(Milestone::Churned)
        || phases.any(|phase| matches!(phase, Phase::Paid { .. } | Phase::Ended { .. }))
}
