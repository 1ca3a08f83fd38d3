//! The company domains of an account: it claims those in its traits, at the domain's own account, and has those for
//! which its claim is the first.

use crate::deps::Deps;
use crate::error::RollupError;
use jiff::Timestamp;
use perennial_config::accounts::Domains;
use perennial_contracts::queue::AccountsPayload;
use perennial_domain::AccountId;
use perennial_engine::account::Account;
use perennial_lambda_kit::queue::Delay;
use perennial_store::Consistency;
use perennial_store::accounts::StoredAccount;
use std::collections::BTreeSet;

/// Updates the claims of `account` to match its traits, notifies every account that this affects, and returns the
/// accounts of the domains that it has. Idempotent at any point.
pub(crate) async fn settle(deps: &Deps, rules: &Domains, account: &mut Account) -> Result<Vec<AccountId>, RollupError> {
    let wanted = account.domains(rules);
    let mut owned = Vec::new();
    for (domain, since) in &wanted {
        let Ok(domain_id) = AccountId::parse(domain) else { continue };
        let (stored, is_new) = claim(deps, &domain_id, &account.id, Some(*since)).await?;
        let (before, after) = (stored.account.holder_without(&account.id), stored.account.holder());
        // A claim that was written but not notified is notified by the retry: it is not registered yet.
        if (is_new || !account.registered.contains(domain)) && before != after {
            let others = before.into_iter().chain(after).filter(|other| **other != account.id);
            notify(deps, others.chain([&domain_id])).await?;
        }
        if after == Some(&account.id) {
            owned.push(domain_id);
        }
    }
    for domain in account.registered.iter().filter(|domain| !wanted.contains_key(*domain)) {
        let Ok(domain_id) = AccountId::parse(domain) else { continue };
        let (stored, _) = claim(deps, &domain_id, &account.id, None).await?;
        notify(deps, stored.account.holder().into_iter().chain([&domain_id])).await?;
    }
    account.registered = wanted.into_keys().collect::<BTreeSet<_>>();
    Ok(owned)
}

/// Adds or removes the claim of `claimant` to the domain; returns the domain's account as it is now, and whether that
/// changed it.
async fn claim(
    deps: &Deps,
    domain: &AccountId,
    claimant: &AccountId,
    since: Option<Timestamp>,
) -> Result<(StoredAccount, bool), RollupError> {
    let found = deps.store.account(domain, Consistency::Strong).await?;
    let mut stored = found.unwrap_or_else(|| StoredAccount::new(domain.clone()));
    if !stored.account.claim(claimant, since) {
        return Ok((stored, false));
    }
    if stored.account.holder().is_some() {
        stored.account.summary = None;
    }
    deps.store.save_account(&mut stored).await?;
    Ok((stored, true))
}

/// Requests a recomputation of accounts, because the assignment of people may have changed.
pub(crate) async fn notify(deps: &Deps, accounts: impl IntoIterator<Item = &AccountId>) -> Result<(), RollupError> {
    let bodies = accounts.into_iter().map(|account| serde_json::to_string(&AccountsPayload::anew(account.clone())));
    let bodies = bodies.collect::<Result<Vec<_>, _>>()?;
    if !bodies.is_empty() {
        deps.accounts.send(bodies, Delay::NONE).await.into_result()?;
    }
    Ok(())
}
