//! Subscriptions that go from one account to another: both are told.

use crate::action::Action;
use crate::profile::Profile;
use crate::state::State;
use perennial_domain::AccountId;
use perennial_domain::billing::SubscriptionReport;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts that the parts of `profile` know their subscriptions to be of, by the subscriptions' keys.
pub(crate) fn holders(profile: &Profile) -> BTreeMap<u64, BTreeSet<AccountId>> {
    let mut holders: BTreeMap<u64, BTreeSet<AccountId>> = BTreeMap::new();
    for (key, each) in profile.parts.iter().flat_map(|part| &part.state.billing.subscriptions) {
        if let Some(account) = each.account_id().filter(|_| each.named) {
            holders.entry(*key).or_default().insert(account);
        }
    }
    holders
}

/// Tells accounts which subscriptions are another's, as far as events `reported` them, by the subscriptions' keys and the accounts that the events name: the
/// accounts that had one before, by `had`, and those of which an event comes late.
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
