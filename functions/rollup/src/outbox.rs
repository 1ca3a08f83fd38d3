//! Executes an account's outbox actions. An action stays in the account until its next write; a process that has no
//! record of its execution repeats it, which is harmless.

use crate::deps::Deps;
use crate::error::RollupError;
use jiff::{SignedDuration, Timestamp};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, MessagesPayload, WOKEN_AT_ONCE};
use perennial_domain::{AccountId, PersonId, hash};
use perennial_engine::account::{Account, AccountAction};
use perennial_lambda_kit::queue::Delay;
use perennial_store::accounts::StoredAccount;
use perennial_store::lists::Listee;

/// The result of executing an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Performed {
    /// A CRM update was sent.
    Updated,
    /// This number of people is evaluated again.
    Woke(u64),
    /// The account is evaluated again later.
    Postponed,
    /// Other accounts are recomputed.
    Notified,
    /// Entries in lists were changed.
    Listed,
}

/// How long after its decision an action may still wait for a message that is redelivered. A CRM update waits without
/// limit.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Returns the actions that this process has no record of executing.
pub(crate) fn open(deps: &Deps, account: &Account) -> Vec<AccountAction> {
    let now = deps.clock.now();
    let may_wait = |action: &AccountAction| match action {
        AccountAction::Update(_) | AccountAction::List { .. } => true,
        AccountAction::Wake { at } | AccountAction::LookAgain { at } | AccountAction::Recompute { at, .. } => {
            now < *at + OPEN_FOR
        }
    };
    let open = account.outbox.iter().filter(|action| may_wait(action));
    open.filter(|action| deps.performed.get(&key(account, action)).is_none()).cloned().collect()
}

/// Forgets that this process executed an action that equals one decided now: it is another one, which is yet to be executed.
/// `before` are the actions in the outbox before the decision.
pub(crate) fn begin(deps: &Deps, account: &Account, before: &[AccountAction]) {
    for action in account.outbox.iter().filter(|action| !before.contains(action)) {
        deps.performed.forget(&key(account, action));
    }
}

/// Executes one action of `stored`, whose people are `people`, and records it.
pub(crate) async fn perform(
    deps: &Deps,
    stored: &StoredAccount,
    action: &AccountAction,
    people: &[PersonId],
) -> Result<Performed, RollupError> {
    let account = &stored.account.id;
    let performed = match action {
        AccountAction::Update(update) => {
            let body = serde_json::to_string(&MessagesPayload::update(update.clone()))?;
            deps.messages.send(vec![body], Delay::NONE).await.into_result()?;
            Performed::Updated
        }
        AccountAction::Wake { .. } => {
            wake(deps, account, stored.version, people).await?;
            Performed::Woke(people.len() as u64)
        }
        AccountAction::LookAgain { at } => {
            let body = serde_json::to_string(&AccountsPayload::anew(account.clone()))?;
            deps.accounts.send(vec![body], until(*at, deps.clock.now())).await.into_result()?;
            Performed::Postponed
        }
        AccountAction::List { change, .. } => {
            let now = deps.clock.now();
            deps.store.change_lists(Listee::Account(account), change, stored.version, now).await?;
            Performed::Listed
        }
        AccountAction::Recompute { accounts, .. } => {
            notify(deps, accounts).await?;
            Performed::Notified
        }
    };
    deps.performed.put(key(&stored.account, action), ());
    Ok(performed)
}

/// Requests a recomputation of `accounts`, because their people may have changed.
pub(crate) async fn notify(deps: &Deps, accounts: impl IntoIterator<Item = &AccountId>) -> Result<(), RollupError> {
    let bodies = accounts.into_iter().map(|account| serde_json::to_string(&AccountsPayload::anew(account.clone())));
    let bodies = bodies.collect::<Result<Vec<_>, _>>()?;
    if !bodies.is_empty() {
        deps.accounts.send(bodies, Delay::NONE).await.into_result()?;
    }
    Ok(())
}

/// Has some of the account's people evaluated again, with its facts as of `version` or later.
pub(crate) async fn wake(
    deps: &Deps,
    account: &AccountId,
    version: u64,
    people: &[PersonId],
) -> Result<(), RollupError> {
    let wake = |people: &[PersonId]| {
        serde_json::to_string(&EventsPayload::Wake { account: account.clone(), version, people: people.to_vec() })
    };
    let bodies = people.chunks(WOKEN_AT_ONCE).map(wake).collect::<Result<Vec<_>, _>>()?;
    if !bodies.is_empty() {
        deps.events.send(bodies, deps.wake_after).await.into_result()?;
    }
    Ok(())
}

/// The delay with which a message sent at `now` comes at `at` or a moment later.
fn until(at: Timestamp, now: Timestamp) -> Delay {
    let seconds = (at.as_second() - now.as_second()).saturating_add(1);
    Delay::at_most(u64::try_from(seconds).unwrap_or_default())
}

/// Returns the key under which an action is recorded.
fn key(account: &Account, action: &AccountAction) -> u64 {
    // An action that could not be written as JSON could not have been in an outbox.
    hash::hash64(&[account.id.as_str().as_bytes(), &serde_json::to_vec(action).unwrap_or_default()])
}
