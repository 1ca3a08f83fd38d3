//! Performing what profiles ask for.

use crate::deps::Deps;
use crate::performed;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_contracts::queue::{AccountMilestone, AccountTraits, AccountsPayload, MessagesPayload};
use perennial_domain::{AccountId, PersonId};
use perennial_engine::Action;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::{Store, StoreError, Stored};
use std::collections::{BTreeMap, HashSet};

/// Store writes at once.
const CONCURRENCY: usize = 16;

/// One entry of a person's outbox, as the write with that version left it.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) person: PersonId,
    pub(crate) version: u64,
    pub(crate) action: Action,
}

/// Why an entry was not performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a queue did not take what was sent: {0}")]
    Unsent(String),
    #[error("an action could not be written")]
    Unwritable(#[from] serde_json::Error),
}

/// A message for a queue, and whose entries it stands for.
struct Outgoing {
    body: String,
    of: Vec<usize>,
}

/// Performs all of `planned`, in each person's order where it matters, and gives the people of whom something failed. What was performed is
/// remembered.
pub(crate) async fn perform(deps: &Deps, planned: &[Planned], now: Timestamp) -> HashSet<PersonId> {
    let mut failed = vec![false; planned.len()];
    // Members before the news of them: `rollup` reads what is there.
    for (index, error) in write_all(&deps.store, planned, now).await {
        tracing::warn!(person = %planned[index].person, %error, "an outbox entry could not be written; it stays");
        failed[index] = true;
    }
    let (messages, accounts) = match (messages(planned), accounts(planned, deps.clock.now())) {
        (Ok(messages), Ok(accounts)) => (messages, accounts),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "outbox entries could not be written as messages");
            return planned.iter().map(|planned| planned.person).collect();
        }
    };
    let (a, b) =
        tokio::join!(send(&*deps.messages, messages, Delay::NONE), send(&*deps.accounts, accounts, deps.debounce));
    for index in a.into_iter().chain(b) {
        failed[index] = true;
    }
    for (planned, failed) in planned.iter().zip(&failed) {
        if !failed {
            deps.performed.remember(performed::key(planned.person, &planned.action));
        }
    }
    planned.iter().zip(failed).filter(|(_, failed)| *failed).map(|(planned, _)| planned.person).collect()
}

/// Performs what a stored outbox holds and this process does not remember having performed.
pub(crate) async fn perform_leftover(deps: &Deps, stored: &Stored, now: Timestamp) -> Result<(), PerformError> {
    let person = stored.profile.id;
    let open = stored.profile.outbox.iter().filter(|action| !deps.performed.contains(performed::key(person, action)));
    let planned: Vec<Planned> =
        open.map(|action| Planned { person, version: stored.version, action: action.clone() }).collect();
    if planned.is_empty() || perform(deps, &planned, now).await.is_empty() {
        return Ok(());
    }
    Err(PerformError::Unsent("entries of an earlier write".to_owned()))
}

/// The entries that are writes to the table, person by person; gives those that failed.
async fn write_all(store: &Store, planned: &[Planned], now: Timestamp) -> Vec<(usize, PerformError)> {
    let mut people: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
    for (index, planned) in planned.iter().enumerate() {
        if !matches!(
            planned.action,
            Action::Send(_) | Action::AccountTraits { .. } | Action::AccountMilestone { .. }
        ) {
            people.entry(planned.person).or_default().push(index);
        }
    }
    let each = stream::iter(people.into_values()).map(|indices| async move {
        let mut failures = Vec::new();
        for index in indices {
            if let Err(error) = write(store, &planned[index], now).await {
                failures.push((index, error.into()));
            }
        }
        failures
    });
    each.buffer_unordered(CONCURRENCY).concat().await
}

async fn write(store: &Store, planned: &Planned, now: Timestamp) -> Result<(), StoreError> {
    match &planned.action {
        Action::PublishMember { account, member } => store.put_member(account, member, planned.version).await.map(drop),
        // Someone whose part moved here left in the transaction that moved it.
        Action::LeaveAccount { person, .. } if *person != planned.person => Ok(()),
        Action::LeaveAccount { account, person } => {
            store.leave_account(account, *person, planned.version, now).await.map(drop)
        }
        Action::IndexAddress { address } => store.index_address(address, planned.person).await,
        Action::Send(_) | Action::AccountTraits { .. } | Action::AccountMilestone { .. } => Ok(()),
    }
}

/// One message a decision.
fn messages(planned: &[Planned]) -> Result<Vec<Outgoing>, serde_json::Error> {
    let decisions = planned.iter().enumerate().filter_map(|(index, planned)| match &planned.action {
        Action::Send(decision) => Some((index, decision)),
        _ => None,
    });
    decisions
        .map(|(index, decision)| {
            let body = serde_json::to_string(&MessagesPayload::Decision(decision.clone()))?;
            Ok(Outgoing { body, of: vec![index] })
        })
        .collect()
}

/// What is to be said of one account.
struct Changed<'a> {
    account: &'a AccountId,
    calls: Vec<AccountTraits>,
    milestones: Vec<AccountMilestone>,
    of: Vec<usize>,
}

/// One message an account, or one for each call that told of its traits. `now` is later than all writes of members.
fn accounts(planned: &[Planned], now: Timestamp) -> Result<Vec<Outgoing>, serde_json::Error> {
    let mut changed: BTreeMap<&AccountId, Changed<'_>> = BTreeMap::new();
    for (index, planned) in planned.iter().enumerate() {
        let (account, traits, milestone) = match &planned.action {
            Action::PublishMember { account, .. } | Action::LeaveAccount { account, .. } => (account, None, None),
            Action::AccountTraits { account, traits, at, message_id } => {
                let traits = AccountTraits { traits: traits.clone(), at: *at, message_id: message_id.clone() };
                (account, Some(traits), None)
            }
            Action::AccountMilestone { account, milestone, at } => {
                (account, None, Some(AccountMilestone { milestone: *milestone, at: *at }))
            }
            Action::Send(_) | Action::IndexAddress { .. } => continue,
        };
        let empty = || Changed { account, calls: Vec::new(), milestones: Vec::new(), of: Vec::new() };
        let changed = changed.entry(account).or_insert_with(empty);
        changed.calls.extend(traits);
        changed.milestones.extend(milestone);
        changed.of.push(index);
    }
    let mut outgoing = Vec::new();
    for Changed { account, calls, mut milestones, of } in changed.into_values() {
        let calls = if calls.is_empty() { vec![None] } else { calls.into_iter().map(Some).collect() };
        for traits in calls {
            let milestones = std::mem::take(&mut milestones);
            let changed = AccountsPayload::Changed { account: account.clone(), traits, milestones, at: Some(now) };
            outgoing.push(Outgoing { body: serde_json::to_string(&changed)?, of: of.clone() });
        }
    }
    Ok(outgoing)
}

/// Sends everything packed; gives the entries whose message was not taken.
async fn send(queue: &dyn Sender, outgoing: Vec<Outgoing>, delay: Delay) -> Vec<usize> {
    if outgoing.is_empty() {
        return Vec::new();
    }
    let (bodies, of): (Vec<String>, Vec<Vec<usize>>) =
        outgoing.into_iter().map(|outgoing| (outgoing.body, outgoing.of)).unzip();
    let report = queue.send(bodies, delay).await;
    if let Some(first) = report.unsent.first() {
        tracing::warn!(unsent = report.unsent.len(), code = %first.code, "outbox entries could not be sent; they stay");
    }
    report.unsent.iter().filter_map(|unsent| of.get(unsent.index)).flatten().copied().collect()
}
