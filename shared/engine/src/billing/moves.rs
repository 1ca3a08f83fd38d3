//! Subscriptions that move from one account to another: both are notified.

use crate::action::Action;
use crate::profile::Profile;
use crate::state::State;
use perennial_domain::AccountId;
use perennial_domain::billing::SubscriptionReport;
use std::collections::{BTreeMap, BTreeSet};

/// Returns the accounts of subscriptions in the identity states of `profile`, by the subscriptions' keys.
pub(crate) fn holders(profile: &Profile) -> BTreeMap<u64, BTreeSet<AccountId>> {
    let mut holders: BTreeMap<u64, BTreeSet<AccountId>> = BTreeMap::new();
    for (key, each) in profile.parts.iter().flat_map(|part| &part.state.billing.subscriptions) {
        if let Some(account) = each.account_id().filter(|_| each.named) {
            holders.entry(*key).or_default().insert(account);
        }
    }
    holders
}

/// Notifies accounts of subscriptions that are another's, as far as events `reported` them, by the subscriptions' keys
/// and the accounts in the events: the accounts that had one before, by `had`, and those of late events.
pub(crate) fn tell(
    profile: &mut Profile,
    view: &State,
    reported: &[(u64, &AccountId)],
    had: &BTreeMap<u64, BTreeSet<AccountId>>,
) {
    for (key, account) in reported {
        let known = view.billing.subscriptions.get(key).and_then(|each| each.account.as_ref());
        let Some((at, Ok(holder))) = known.map(|known| (known.at, AccountId::parse(&known.value))) else { continue };
        let others = had.get(key).into_iter().flatten().chain([*account]);
        for other in others.filter(|other| **other != holder) {
            let report = SubscriptionReport::of_account(*key, at, holder.clone());
            profile.outbox.push(Action::AccountSubscription { account: other.clone(), report: Box::new(report) });
        }
    }
}
