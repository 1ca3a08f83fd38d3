//! Takes a batch of the accounts queue.

use crate::summary::Tally;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::stream::{self, StreamExt};
use perennial_contracts::queue::{AccountTraits, AccountsPayload};
use perennial_domain::AccountId;
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::batch::{Batch, BatchError, Panicked, catch};
use perennial_lambda_kit::metrics::Metrics;
use perennial_store::accounts::Account;
use perennial_store::{Store, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// Accounts worked on at once.
const CONCURRENCY: usize = 8;
/// How often an account is done again where others write at the same time.
const TRIES: u32 = 6;
/// The pause before the second try; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(10);

/// What the handler works with.
#[derive(Debug, Clone)]
pub struct Deps {
    store: Store,
    clock: Clock,
}

impl Deps {
    /// Puts the parts together. The clock only stamps metrics.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }
}

/// What a batch says of one account.
#[derive(Debug, Default)]
struct Change {
    calls: Vec<AccountTraits>,
    /// The messages that say so.
    records: Vec<String>,
}

/// Recomputes each account of the batch once; gives the records that have to come again.
///
/// # Errors
/// [`BatchError`] where a record has no id, so that the batch cannot be answered record by record.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse, BatchError> {
    let (mut batch, records) = Batch::open(event)?;
    let mut changes: BTreeMap<String, (AccountId, Change)> = BTreeMap::new();
    for record in records {
        match serde_json::from_str(&record.body) {
            Ok(AccountsPayload::Changed { account, traits }) => {
                let (_, change) =
                    changes.entry(account.as_str().to_owned()).or_insert_with(|| (account, Change::default()));
                change.calls.extend(traits);
                change.records.push(record.message_id);
            }
            Err(error) => {
                // The error's text may quote the body.
                tracing::error!(message_id = %record.message_id, line = error.line(), column = error.column(), "a record is no payload of the accounts queue");
                batch.fail(&record.message_id);
            }
        }
    }
    let mut metrics = Metrics::new("Perennial", "rollup").count("AccountsSeen", changes.len() as u64);
    let work = changes.into_values().map(|(account, change)| async move {
        let outcome = catch(recompute(&deps.store, account, &change.calls)).await;
        (change.records, outcome)
    });
    let mut outcomes = stream::iter(work).buffer_unordered(CONCURRENCY);
    while let Some((records, outcome)) = outcomes.next().await {
        let error = match outcome {
            Ok(Ok(written)) => {
                metrics = metrics.count("AccountsWritten", u64::from(written));
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panicked @ Panicked) => panicked.to_string(),
        };
        tracing::error!(%error, records = records.len(), "an account could not be recomputed; its records come again");
        metrics = metrics.count("AccountsFailed", 1);
        records.iter().for_each(|record| batch.fail(record));
    }
    metrics.emit(deps.clock.now());
    Ok(batch.into_response())
}

/// Recomputes one account; gives whether it had to be written.
async fn recompute(store: &Store, id: AccountId, calls: &[AccountTraits]) -> Result<bool, StoreError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match try_recompute(store, &id, calls).await {
            Err(error) if error.is_conflict() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    try_recompute(store, &id, calls).await
}

async fn try_recompute(store: &Store, id: &AccountId, calls: &[AccountTraits]) -> Result<bool, StoreError> {
    // Read before its people: who joins after that has sent word, and comes with the next batch.
    let mut account = store.account(id).await?.unwrap_or_else(|| Account::new(id.clone()));
    let mut changed = account.version == 0;
    for call in calls {
        changed |= account.merge(call);
    }
    let mut tally = Tally::default();
    let mut from = None;
    loop {
        let page = store.members(id, from).await?;
        page.members.iter().for_each(|member| tally.add(member));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let summary = Some(tally.finish());
    changed |= account.summary != summary;
    if changed {
        account.summary = summary;
        store.save_account(&mut account).await?;
    }
    Ok(changed)
}
