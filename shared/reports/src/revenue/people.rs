//! The owner of a notice that does not name its subscription: a merged profile, or the only subscription that its customer pays for.

use super::ledger::{Known, Ledger};
use super::notice::Notice;
use crate::merged::{Merged, account_hash};
use perennial_domain::{AccountId, hash};
use std::collections::BTreeMap;

impl Ledger {
    /// Returns the same notices by profile: what the identities of a merged profile have without an id and an account is one
    /// subscription, and a change of terms without an id is one of the only subscription that its customer pays for at the time.
    pub(crate) fn by_profile(&self, merged: &Merged, trial_days: u16) -> Self {
        let mut settled = Self { unreadable: self.unreadable, ..Self::default() };
        let mut changes = Vec::new();
        for notice in self.subscriptions.values().flat_map(BTreeMap::values) {
            let mut notice = notice.clone();
            if let Some(profile) = merged.profile(notice.identity) {
                notice.identity = profile;
            }
            if !notice.report.named && notice.report.account.is_none() {
                notice.report.key = hash::hash64(&[b"subscription of profile", &notice.identity.to_be_bytes()]);
            }
            if notice.report.is_change_of_terms() { changes.push(notice) } else { settled.add(notice) }
        }
        let customers = Customers::of(&settled);
        let changed: Vec<Notice> =
            changes.into_iter().map(|change| customers.apply(&settled, change, trial_days)).collect();
        changed.into_iter().for_each(|notice| settled.add(notice));
        settled
    }
}

/// The keys of subscriptions by who has them: accounts, and the profiles that they were first reported for.
#[derive(Debug, Default)]
struct Customers(BTreeMap<u64, Vec<u64>>);

impl Customers {
    fn of(ledger: &Ledger) -> Self {
        let mut customers = Self::default();
        for (key, notices) in &ledger.subscriptions {
            let mut known = Known::default();
            notices.values().for_each(|notice| known.add(notice));
            let customer = known.customer();
            for owner in [Some(customer), Some(known.identity).filter(|own| *own != customer)].into_iter().flatten() {
                customers.0.entry(owner).or_default().push(*key);
            }
        }
        customers
    }

    /// Returns a change of terms as one of the subscription that it can only mean; the same if there is none, or more than one.
    fn apply(&self, ledger: &Ledger, mut change: Notice, trial_days: u16) -> Notice {
        let owner = change.report.account.as_ref().map(AccountId::as_str).map_or(change.identity, account_hash);
        let keys = self.0.get(&owner).map_or(&[][..], Vec::as_slice);
        let paid: Vec<(u64, bool)> =
            keys.iter().filter_map(|key| paid_at(ledger, *key, change.report.at, trial_days)).collect();
        // What is reported without an id beside one with an id is the same, reported twice.
        let has_named = paid.iter().any(|(_, named)| *named);
        let mut meant = paid.iter().filter(|(_, named)| *named || !has_named);
        if let (Some((key, named)), None) = (meant.next(), meant.next()) {
            change.report.key = *key;
            change.report.named = *named;
        }
        change
    }
}

/// Returns a subscription's key and whether it has an id, if it was paid for at `at`, in microseconds since 1970.
fn paid_at(ledger: &Ledger, key: u64, at: i64, trial_days: u16) -> Option<(u64, bool)> {
    let mut known = Known::default();
    let notices = ledger.subscriptions.get(&key)?;
    notices.range(..=(at, u64::MAX)).for_each(|(_, notice)| known.add(notice));
    known.mrr(trial_days, at).map(|_| (key, known.is_named()))
}
