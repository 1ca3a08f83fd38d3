//! The facts of an account that stay when the events of a contact are erased, without the person.

use perennial_config::Config;
use perennial_domain::{AccountId, Event};
use perennial_engine::Profile;
use perennial_reports::{Notice, notice};
use perennial_store::traces::Subject;
use std::collections::BTreeMap;

/// Returns the accounts that have the subscriptions which were reported for a person, by the subscriptions' keys.
pub(super) fn payers(profile: &Profile) -> BTreeMap<u64, AccountId> {
    let subscriptions = profile.view().billing.subscriptions;
    let with_account = subscriptions.into_iter().filter_map(|(key, each)| Some((key, each.account?.value)));
    with_account.filter_map(|(key, account)| Some((key, AccountId::parse(&account).ok()?))).collect()
}

/// Returns what `events` report about subscriptions of accounts. An account that bears an id or address of the person is the
/// person's own, and none of it is kept.
pub(super) fn of(
    config: &Config,
    events: &[Event],
    payers: &BTreeMap<u64, AccountId>,
    subject: &Subject,
) -> Vec<Notice> {
    let is_own = |account: &AccountId| {
        subject.ids.iter().chain(&subject.addresses).any(|own| own.eq_ignore_ascii_case(account.as_str()))
    };
    let facts = events.iter().filter_map(|event| {
        let notice = notice(config, event)?;
        let account = notice.report.account.clone().or_else(|| payers.get(&notice.report.key).cloned())?;
        (!is_own(&account)).then(|| notice.of_account(account))
    });
    facts.collect()
}
