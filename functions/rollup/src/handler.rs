//! One batch of changes: each account in it is rolled up once.

use crate::summary::summarise;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use perennial_contracts::queue::{AccountTraits, AccountsPayload};
use perennial_domain::AccountId;
use perennial_lambda_kit::batch::{Batch, BatchError, Panicked, catch};
use perennial_store::accounts::Account;
use perennial_store::{Store, StoreError};
use std::collections::BTreeMap;

/// Attempts to write an account that someone else writes too.
const ATTEMPTS: u32 = 5;

/// What the handler works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where accounts are.
    pub store: Store,
}

/// What a batch says of one account.
#[derive(Default)]
struct Changes {
    traits: Vec<AccountTraits>,
    messages: Vec<String>,
}

/// Rolls up every account of the batch; the messages of an account that could not be are reported as failed.
///
/// # Errors
/// [`BatchError`] where the batch cannot be answered message by message.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse, BatchError> {
    let (mut batch, records) = Batch::open(event)?;
    let mut accounts: BTreeMap<AccountId, Changes> = BTreeMap::new();
    for record in records {
        match serde_json::from_str(&record.body) {
            Ok(AccountsPayload::Changed { account, traits }) => {
                let changes = accounts.entry(account).or_default();
                changes.traits.extend(traits);
                changes.messages.push(record.message_id);
            }
            Err(error) => {
                // The position tells what to look for; the text may hold what customers sent.
                tracing::error!(message_id = %record.message_id, line = error.line(), column = error.column(), "the body is no account payload");
                batch.fail(&record.message_id);
            }
        }
    }
    for (account, changes) in accounts {
        let failure = match catch(roll_up(deps, &account, &changes.traits)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(Panicked) => Panicked.to_string(),
        };
        tracing::error!(error = %failure, messages = changes.messages.len(), "an account was not rolled up");
        for message in &changes.messages {
            batch.fail(message);
        }
    }
    Ok(batch.into_response())
}

/// Reads the account and all its people, and writes it where something changed.
async fn roll_up(deps: &Deps, id: &AccountId, traits: &[AccountTraits]) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        let stored = deps.store.account(id).await?;
        let is_new = stored.is_none();
        let mut account = stored.unwrap_or_else(|| Account::new(id.clone()));
        let mut changed = is_new;
        for call in traits {
            changed |= account.merge(call);
        }
        let summary = summarise(&members(deps, id).await?);
        changed |= account.summary.as_ref() != Some(&summary);
        account.summary = Some(summary);
        if !changed {
            return Ok(());
        }
        match deps.store.save_account(&mut account).await {
            Err(StoreError::Conflict) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn members(deps: &Deps, id: &AccountId) -> Result<Vec<perennial_domain::Member>, StoreError> {
    let mut members = Vec::new();
    let mut from = None;
    loop {
        let page = deps.store.members(id, from).await?;
        members.extend(page.members);
        from = page.next;
        if from.is_none() {
            return Ok(members);
        }
    }
}
