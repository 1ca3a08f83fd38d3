//! Performing what profiles ask for.

use crate::account_messages;
use crate::deps::Deps;
use crate::error::PerformError;
use crate::joins::{self, Meeting};
use crate::outgoing::{Outgoing, send};
use crate::performed;
use crate::planned::Planned;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::queue::{EventsPayload, MessagesPayload};
use perennial_domain::PersonId;
use perennial_engine::Action;
use perennial_engine::listing::ListChange;
use perennial_lambda_kit::queue::Delay;
use perennial_store::lists::Listee;
use perennial_store::{Store, StoreError, Stored};
use std::collections::{BTreeMap, HashSet};

/// Store writes at once.
const CONCURRENCY: usize = 16;

/// Rounds in which the actions of merged profiles are executed as well: more than one if a merged profile has pending
/// actions.
const ROUNDS: usize = 4;

/// The result of executing actions.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Profiles with a failed action.
    pub(crate) failed: HashSet<PersonId>,
    /// The number of merges and unmerges.
    pub(crate) reshaped: u64,
    /// Merges that a limit stopped.
    pub(crate) refused: u64,
}

/// Executes all of `planned`, in each profile's order where it matters, and the resulting actions. Executed actions are
/// recorded.
pub(crate) async fn perform(deps: &Deps, config: &Config, planned: &[Planned], now: Timestamp) -> Report {
    let mut report = Report::default();
    let mut further = perform_once(deps, config, planned, now, &mut report).await;
    for _ in 1..ROUNDS {
        if further.is_empty() {
            break;
        }
        further = perform_once(deps, config, &further, now, &mut report).await;
    }
    // The rest stays in its outbox; the records are retried for it.
    report.failed.extend(further.iter().map(|planned| planned.person));
    report
}

/// Executes `planned` once; returns the resulting actions.
async fn perform_once(
    deps: &Deps,
    config: &Config,
    planned: &[Planned],
    now: Timestamp,
    report: &mut Report,
) -> Vec<Planned> {
    let mut failed = vec![false; planned.len()];
    let mut met = Vec::new();
    // Members are written before accounts are notified: `rollup` reads them.
    for (index, outcome) in write_all(&deps.store, config, planned, now).await {
        match outcome {
            Ok(meeting) => met.push((index, meeting)),
            Err(error) => {
                tracing::warn!(person = %planned[index].person, %error, "an outbox entry could not be written; it stays");
                failed[index] = true;
            }
        }
    }
    // Others with the same identifier are evaluated when they are merged; if that could not be written, they are
    // unknown.
    let open: HashSet<PersonId> = (met.iter().map(|(index, _)| *index))
        .chain(failed.iter().enumerate().filter_map(|(index, failed)| failed.then_some(index)))
        .map(|index| planned[index].person)
        .collect();
    let outgoing = (messages(planned), account_messages::messages(planned, deps.clock.now()), events(planned, &open));
    let ((essential, messages), accounts, events) = match outgoing {
        (Ok(messages), Ok(accounts), Ok(events)) => (split_essential(config, planned, messages), accounts, events),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            tracing::error!(%error, "failed to serialize outbox entries as messages");
            report.failed.extend(planned.iter().map(|planned| planned.person));
            return Vec::new();
        }
    };
    let (messages, essential, accounts, events) = tokio::join!(
        send(&*deps.messages, messages, Delay::NONE),
        send(&*deps.essential, essential, Delay::NONE),
        send(&*deps.accounts, accounts, deps.debounce),
        send(&*deps.events, events, Delay::NONE)
    );
    for index in messages.into_iter().chain(essential).chain(accounts).chain(events) {
        failed[index] = true;
    }
    let is_meeting: HashSet<usize> = met.iter().map(|(index, _)| *index).collect();
    for (index, planned) in planned.iter().enumerate() {
        if !failed[index] && !is_meeting.contains(&index) {
            deps.performed.remember(performed::key(planned.person, planned.version, &planned.action));
        }
    }
    // Merges come last: the profiles' own actions are then executed, and need not move.
    let mut further = Vec::new();
    for (index, meeting) in met {
        let Planned { person, version, action, .. } = &planned[index];
        match joins::meet(deps, config, meeting, now).await {
            Ok(outcomes) => {
                deps.performed.remember(performed::key(*person, *version, action));
                for outcome in outcomes {
                    report.reshaped += u64::from(!outcome.written.is_empty());
                    report.refused += u64::from(outcome.refused.is_some() && !outcome.written.is_empty());
                    further.extend(outcome.planned);
                }
            }
            Err(error) => {
                tracing::error!(%person, %error, "failed to merge profiles; the records will be retried");
                failed[index] = true;
            }
        }
    }
    report.failed.extend(planned.iter().zip(failed).filter(|(_, failed)| *failed).map(|(planned, _)| planned.person));
    further
}

/// Executes stored outbox actions that this process has no record of executing, waiting for actions that it is
/// executing now. Returns whether there were any.
pub(crate) async fn perform_leftover(
    deps: &Deps,
    config: &Config,
    stored: &Stored,
    now: Timestamp,
) -> Result<bool, PerformError> {
    let (person, version) = (stored.profile.id, stored.version);
    let entries = stored.profile.outbox.iter().filter(|action| !action.is_held());
    let mut open: Vec<(u64, &Action)> = entries
        .map(|action| (performed::key(person, version, action), action))
        .filter(|(key, _)| !deps.performed.contains(*key))
        .collect();
    if open.is_empty() {
        return Ok(false);
    }
    deps.performed.settled(person).await;
    open.retain(|(key, _)| !deps.performed.contains(*key));
    if open.is_empty() {
        return Ok(false);
    }
    let ticket = Some(deps.performed.begin(person));
    let planned: Vec<Planned> = open
        .into_iter()
        .map(|(_, action)| Planned { person, version, action: action.clone(), _ticket: ticket.clone() })
        .collect();
    if perform(deps, config, &planned, now).await.failed.is_empty() {
        return Ok(true);
    }
    Err(PerformError::Unsent("entries of an earlier write".to_owned()))
}

/// Executes the actions that are writes to the table, profile by profile; returns those that failed, and those by which
/// profiles are merged.
async fn write_all(
    store: &Store,
    config: &Config,
    planned: &[Planned],
    now: Timestamp,
) -> Vec<(usize, Result<Meeting, PerformError>)> {
    let mut people: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
    for (index, planned) in planned.iter().enumerate() {
        if !is_sent(&planned.action) {
            people.entry(planned.person).or_default().push(index);
        }
    }
    let each = stream::iter(people.into_values()).map(|indices| async move {
        let mut outcomes = Vec::new();
        for index in indices {
            match write(store, config, &planned[index], now).await {
                Ok(None) => {}
                Ok(Some(meeting)) => outcomes.push((index, Ok(meeting))),
                Err(error) => outcomes.push((index, Err(error.into()))),
            }
        }
        outcomes
    });
    each.buffer_unordered(CONCURRENCY).concat().await
}

/// Returns whether the action only sends a message.
fn is_sent(action: &Action) -> bool {
    use Action::{
        AccountMilestone, AccountRenewal, AccountSubscription, AccountTraits, Count, ForAccount, Join, LookAgain, Send,
        UpdateCrm,
    };
    let told = matches!(action, AccountTraits { .. } | AccountMilestone { .. } | AccountRenewal { .. });
    let of_account = told || matches!(action, AccountSubscription { .. } | Join { .. });
    of_account || matches!(action, Send(_) | UpdateCrm(_) | Count { .. } | LookAgain { .. } | ForAccount { .. })
}

async fn write(
    store: &Store,
    config: &Config,
    planned: &Planned,
    now: Timestamp,
) -> Result<Option<Meeting>, StoreError> {
    match &planned.action {
        Action::PublishMember { account, member } => {
            store.put_member(account, member, planned.version).await?;
        }
        // A merged profile left its primary account in the merging transaction.
        Action::LeaveAccount { person, version: None, .. } if *person != planned.person => {}
        Action::LeaveAccount { account, person, version } => {
            store.leave_account(account, *person, version.unwrap_or(planned.version), now).await?;
        }
        Action::List(change) => {
            store.change_lists(Listee::Person(planned.person), change, planned.version, now).await?;
        }
        Action::Unlist { person, version, entries } => {
            let change = ListChange { remove: entries.clone(), ..ListChange::default() };
            store.change_lists(Listee::Person(*person), &change, *version, now).await?;
        }
        Action::IndexAddress { address } => store.index_address(address, planned.person).await?,
        Action::Claim { identity, evidence, value, joins } => {
            return joins::claim(store, config, identity, *evidence, value, *joins).await;
        }
        Action::Alias { user, previous } => {
            return Ok(Some(Meeting::Earlier { user: user.clone(), previous: previous.clone() }));
        }
        Action::Regroup { identity } => return Ok(Some(Meeting::GaveUp { identity: identity.clone() })),
        action => debug_assert!(is_sent(action), "an entry that is neither sent nor written"),
    }
    Ok(None)
}

/// Returns one message a decision, and one an update of the CRM.
fn messages(planned: &[Planned]) -> Result<Vec<Outgoing>, serde_json::Error> {
    let payloads = planned.iter().enumerate().filter_map(|(index, planned)| match &planned.action {
        Action::Send(decision) => Some((index, MessagesPayload::Decision(decision.clone()))),
        Action::UpdateCrm(update) => Some((index, MessagesPayload::update(update.clone()))),
        _ => None,
    });
    payloads.map(|(index, payload)| Ok(Outgoing { body: serde_json::to_string(&payload)?, of: vec![index] })).collect()
}

/// Separates the messages that must not wait behind others.
fn split_essential(config: &Config, planned: &[Planned], messages: Vec<Outgoing>) -> (Vec<Outgoing>, Vec<Outgoing>) {
    let is_essential = |outgoing: &Outgoing| {
        let actions = outgoing.of.iter().filter_map(|index| planned.get(*index)).map(|planned| &planned.action);
        actions
            .into_iter()
            .any(|action| matches!(action, Action::Send(decision) if config.takes_essential_queue(decision)))
    };
    messages.into_iter().partition(is_essential)
}

/// Returns one message for each event that a journey records, and for each profile that is to be evaluated again and is
/// not `open`.
fn events(planned: &[Planned], open: &HashSet<PersonId>) -> Result<Vec<Outgoing>, serde_json::Error> {
    let events = planned.iter().enumerate().filter_map(|(index, planned)| match &planned.action {
        Action::Count { event } => Some((index, EventsPayload::Events { events: vec![event.clone()] })),
        Action::LookAgain { at } if !open.contains(&planned.person) => {
            Some((index, EventsPayload::Tick { person: planned.person, due_at: *at }))
        }
        _ => None,
    });
    events.map(|(index, payload)| Ok(Outgoing { body: serde_json::to_string(&payload)?, of: vec![index] })).collect()
}
