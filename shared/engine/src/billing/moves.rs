//! Subscriptions that go from one account to another: both are told.

use super::report;
use crate::action::Action;
use crate::profile::Profile;
use crate::state::State;
use perennial_config::Config;
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{AccountId, Event, Identity};
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

/// Tells accounts which subscriptions are another's, as far as the events say it: those that had one before, by `had`, and those of which an event comes
/// late.
pub(crate) fn tell(
    config: &Config,
    profile: &mut Profile,
    view: &State,
    fresh: &[(&Event, Identity)],
    had: &BTreeMap<u64, BTreeSet<AccountId>>,
) {
    for (event, _) in fresh {
        let Some(account) = event.account() else { continue };
        let Some(report) = report(config, event).filter(|report| report.named) else { continue };
        let known = view.billing.subscriptions.get(&report.key).and_then(|each| each.account.as_ref());
        let Some((at, Ok(holder))) = known.map(|known| (known.at, AccountId::parse(&known.value))) else { continue };
        let others = had.get(&report.key).into_iter().flatten().chain([account]);
        for other in others.filter(|other| **other != holder) {
            let report = SubscriptionReport::of_account(report.key, at, holder.clone());
            profile.outbox.push(Action::AccountSubscription { account: other.clone(), report: Box::new(report) });
        }
    }
}
