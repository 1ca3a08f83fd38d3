//! Handles a batch of the accounts queue.

use crate::deps::Deps;
use crate::recompute::{Change, Said, recompute};
use crate::resolve::{Asked, resolve};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::stream::{self, StreamExt};
use perennial_contracts::queue::AccountsPayload;
use perennial_domain::AccountId;
use perennial_lambda_kit::batch::{Batch, BatchError, Panicked, catch};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use std::collections::BTreeMap;

/// Accounts worked on at once.
const CONCURRENCY: usize = 8;

/// Recomputes each account of the batch once, and finds the people that events of accounts are for; returns the records
/// to retry.
///
/// # Errors
/// [`BatchError`] if a record has no id, so that partial failures cannot be reported.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse, BatchError> {
    let (mut batch, records) = Batch::open(event)?;
    let mut changes: BTreeMap<AccountId, (Change, Vec<String>)> = BTreeMap::new();
    let mut events: BTreeMap<AccountId, (Vec<Asked>, Vec<String>)> = BTreeMap::new();
    for record in records {
        match serde_json::from_str(&record.body) {
            Ok(AccountsPayload::Changed { account, traits, milestones, renewals, subscriptions, joined, at }) => {
                let (change, records) = changes.entry(account).or_default();
                change.add(Said { traits, milestones, renewals, subscriptions, joined }, at);
                records.push(record.message_id);
            }
            Ok(AccountsPayload::Event { account, to, named, entry }) => {
                let (asked, records) = events.entry(account).or_default();
                asked.push(Asked { to, named, entry });
                records.push(record.message_id);
            }
            Err(error) => {
                // The error's text may quote the body.
                tracing::error!(message_id = %record.message_id, line = error.line(), column = error.column(), "failed to parse a record of the accounts queue");
                batch.fail(&record.message_id);
            }
        }
    }
    let mut metrics = Metrics::new("Perennial", "rollup").count("AccountsSeen", changes.len() as u64);
    let config = deps.config.current().await;
    let config = &*config;
    metrics = metrics.count(CONFIGS_COMPILED, deps.config.take_compiled());
    let work = changes.into_iter().map(|(account, (change, records))| async move {
        let outcome = catch(recompute(deps, config, account, &change)).await;
        (records, outcome)
    });
    let mut outcomes = stream::iter(work).buffer_unordered(CONCURRENCY);
    while let Some((records, outcome)) = outcomes.next().await {
        let error = match outcome {
            Ok(Ok(done)) => {
                metrics = metrics
                    .count("AccountsWritten", u64::from(done.written))
                    .count("AccountsUnchanged", u64::from(!done.written))
                    .count("PeopleWoken", done.woken)
                    .count("EntriesRenewed", done.renewed)
                    .count("CrmUpdates", done.updates)
                    .count("EntriesUnreadable", done.unreadable);
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panicked @ Panicked) => panicked.to_string(),
        };
        tracing::error!(%error, records = records.len(), "failed to recompute an account; its records will be retried");
        metrics = metrics.count("AccountsFailed", 1);
        records.iter().for_each(|record| batch.fail(record));
    }
    drop(outcomes);
    // After the changes, so that people who joined through them are included.
    let work = events.into_iter().map(|(account, (asked, records))| async move {
        let outcome = catch(resolve(deps, &account, asked)).await;
        (records, outcome)
    });
    let mut outcomes = stream::iter(work).buffer_unordered(CONCURRENCY);
    while let Some((records, outcome)) = outcomes.next().await {
        let error = match outcome {
            Ok(Ok(people)) => {
                metrics = metrics.count("PeopleMeant", people);
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panicked @ Panicked) => panicked.to_string(),
        };
        tracing::error!(%error, records = records.len(), "failed to find an account's people for an event; its records will be retried");
        metrics = metrics.count("AccountsFailed", 1);
        records.iter().for_each(|record| batch.fail(record));
    }
    drop(outcomes);
    metrics.emit(deps.clock.now());
    Ok(batch.into_response())
}
