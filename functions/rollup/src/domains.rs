//! Company domains of an account: it claims those that its traits name, and has those that it claims first.
//!
//! A claim is an item beside the domain's own account and is written together with the account that makes it. The domain's own account holds who claims
//! the domain first, and is brought up to date after each claim that is made or withdrawn; only if that changes are the accounts concerned notified.

use crate::deps::Deps;
use crate::error::RollupError;
use crate::outbox;
use perennial_config::accounts::Domains;
use perennial_domain::AccountId;
use perennial_engine::account::AccountAction;
use perennial_store::Consistency;
use perennial_store::accounts::{ClaimChange, StoredAccount};
use std::collections::BTreeSet;

/// Makes the claims of `stored` what its traits name, notifies those whom that concerns, and returns the accounts of the domains that it has. Idempotent
/// at any point. Writes the account if its claims change.
pub(crate) async fn settle(
    deps: &Deps,
    rules: &Domains,
    stored: &mut StoredAccount,
) -> Result<Vec<AccountId>, RollupError> {
    let wanted = stored.account.domains(rules).into_iter();
    let wanted = wanted.filter_map(|(domain, since)| Some((AccountId::parse(&domain).ok()?, since)));
    let wanted: Vec<_> = wanted.collect();
    let registered = &stored.account.registered;
    let is_new = |(domain, since): &&(AccountId, _)| registered.get(domain.as_str()) != Some(&Some(*since));
    let is_wanted = |domain: &AccountId| wanted.iter().any(|(wanted, _)| wanted == domain);
    let held = registered.keys().filter_map(|domain| AccountId::parse(domain).ok());
    let change = ClaimChange {
        made: wanted.iter().filter(is_new).cloned().collect(),
        withdrawn: held.filter(|domain| !is_wanted(domain)).collect(),
    };
    let changed: BTreeSet<&AccountId> = change.made.iter().map(|(domain, _)| domain).chain(&change.withdrawn).collect();
    for domain in &changed {
        move_old_claims(deps, domain).await?;
    }
    if !changed.is_empty() {
        let account = &mut stored.account;
        account.registered = wanted.iter().map(|(domain, since)| (domain.to_string(), Some(*since))).collect();
        account.unsettled.extend(changed.iter().map(ToString::to_string));
        deps.store.save_account_claiming(stored, &change).await?;
    }
    let mut owned = Vec::new();
    let unsettled = stored.account.unsettled.iter().filter_map(|domain| AccountId::parse(domain).ok());
    let unsettled: BTreeSet<AccountId> = unsettled.collect();
    for domain in &unsettled {
        let holder = refresh(deps, domain).await?;
        if holder.as_ref() == Some(&stored.account.id) {
            owned.push(domain.clone());
        }
    }
    for (domain, _) in wanted.iter().filter(|(domain, _)| !unsettled.contains(domain)) {
        let found = deps.store.account(domain, Consistency::Strong).await?;
        if found.is_some_and(|found| found.account.holder() == Some(&stored.account.id)) {
            owned.push(domain.clone());
        }
    }
    stored.account.unsettled.clear();
    owned.sort_unstable();
    Ok(owned)
}

/// Moves the claims of a domain that an earlier version stored at its account: before the first change, so that none is moved after it was withdrawn.
async fn move_old_claims(deps: &Deps, domain: &AccountId) -> Result<(), RollupError> {
    if let Some(mut stored) = deps.store.account(domain, Consistency::Strong).await? {
        deps.store.move_old_claims(&mut stored).await?;
    }
    Ok(())
}

/// Brings the account of a domain up to date with the claims of the domain, and returns the account that has its people. Reads the claims after the
/// account, and again after each write: of several who do so at once, the last one sees all claims.
async fn refresh(deps: &Deps, domain: &AccountId) -> Result<Option<AccountId>, RollupError> {
    loop {
        let found = deps.store.account(domain, Consistency::Strong).await?;
        let mut stored = found.unwrap_or_else(|| StoredAccount::new(domain.clone()));
        let first = deps.store.first_claimant(domain).await?;
        if stored.account.claimant == first {
            for action in outbox::open(deps, &stored.account) {
                if matches!(action, AccountAction::Recompute { .. }) {
                    outbox::perform(deps, &stored, &action, &[]).await?;
                }
            }
            return Ok(stored.account.holder().cloned());
        }
        stored.account.outbox = outbox::open(deps, &stored.account);
        let mut accounts = stored.account.set_claimant(first);
        let action = (!accounts.is_empty()).then(|| {
            // The domain itself has its people again, or not any more.
            accounts.insert(domain.clone());
            AccountAction::Recompute { accounts, at: deps.clock.now() }
        });
        stored.account.outbox.extend(action.clone());
        deps.store.save_account(&mut stored).await?;
        // Whatever this process remembers of an equal one: that was of an earlier write.
        if let Some(action) = action {
            outbox::perform(deps, &stored, &action, &[]).await?;
        }
    }
}
