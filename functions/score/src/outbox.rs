//! Performing what profiles ask for.

use crate::deps::Deps;
use crate::intake::RecordIndex;
use crate::joins::{self, Meeting};
use crate::performed::{self, Ticket};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::queue::{AccountMilestone, AccountTraits, AccountsPayload, EventsPayload, MessagesPayload};
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{AccountId, Event, MessageId, PersonId};
use perennial_engine::Action;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::{Store, StoreError, Stored};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// The most facts of each kind in one message about an account: of all three kinds some 500 KB, and a queue accepts 1
/// MB.
const MAX_FACTS: usize = 300;
/// Store writes at once.
const CONCURRENCY: usize = 16;

/// One action of a profile's outbox, as the write with that version left it.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) person: PersonId,
    pub(crate) version: u64,
    pub(crate) action: Action,
    /// Prevents concurrent execution by others.
    pub(crate) _ticket: Option<Arc<Ticket>>,
}

/// Why an entry was not performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a queue did not accept a message: {0}")]
    Unsent(String),
    #[error("an action could not be written")]
    Unwritable(#[from] serde_json::Error),
}

/// A message for a queue, and the actions it contains.
struct Outgoing {
    body: String,
    of: Vec<usize>,
}

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
    let outgoing = (messages(planned), accounts(planned, deps.clock.now()), events(planned, &open));
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
        AccountMilestone, AccountRenewal, AccountSubscription, AccountTraits, Count, ForAccount, LookAgain, Send,
    };
    let told = matches!(action, AccountTraits { .. } | AccountMilestone { .. } | AccountRenewal { .. });
    let of_account = told || matches!(action, AccountSubscription { .. });
    of_account || matches!(action, Send(_) | Count { .. } | LookAgain { .. } | ForAccount { .. })
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

/// Returns one message a decision.
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

/// The changes of one account.
struct Changed<'a> {
    account: &'a AccountId,
    calls: Vec<AccountTraits>,
    milestones: Vec<AccountMilestone>,
    renewals: Vec<MessageId>,
    subscriptions: Vec<SubscriptionReport>,
    of: Vec<usize>,
}

impl<'a> Changed<'a> {
    fn new(account: &'a AccountId) -> Self {
        let (calls, milestones, renewals) = (Vec::new(), Vec::new(), Vec::new());
        Self { account, calls, milestones, renewals, subscriptions: Vec::new(), of: Vec::new() }
    }
}

/// The first `most` of `all`, which keeps the others.
fn take_first<T>(all: &mut Vec<T>, most: usize) -> Vec<T> {
    let rest = all.split_off(most.min(all.len()));
    std::mem::replace(all, rest)
}

/// Returns one message an account, or one for each call with its traits and for each [`MAX_FACTS`] facts; and one for
/// each event of an account. `now` is later than all writes of members.
fn accounts(planned: &[Planned], now: Timestamp) -> Result<Vec<Outgoing>, serde_json::Error> {
    let mut changed: BTreeMap<&AccountId, Changed<'_>> = BTreeMap::new();
    let mut outgoing = Vec::new();
    for (index, planned) in planned.iter().enumerate() {
        let (mut traits, mut milestone, mut renewal, mut subscription) = (None, None, None, None);
        let account = match &planned.action {
            Action::PublishMember { account, .. } | Action::LeaveAccount { account, .. } => account,
            Action::AccountTraits { account, traits: said, at, message_id, signed } => {
                let (traits_said, message_id) = (said.clone(), message_id.clone());
                traits = Some(AccountTraits { traits: traits_said, at: *at, message_id, signed: *signed });
                account
            }
            Action::AccountMilestone { account, milestone: fact, at } => {
                milestone = Some(AccountMilestone { milestone: *fact, at: *at });
                account
            }
            Action::AccountRenewal { account, message_id } => {
                renewal = Some(message_id.clone());
                account
            }
            Action::AccountSubscription { account, report } => {
                subscription = Some(SubscriptionReport::clone(report));
                account
            }
            Action::ForAccount { account, to, entry } => {
                let (account, to, entry) = (account.clone(), to.clone(), entry.clone());
                let event = AccountsPayload::Event { account, to, named: planned.person, entry };
                outgoing.push(Outgoing { body: serde_json::to_string(&event)?, of: vec![index] });
                continue;
            }
            Action::Send(_)
            | Action::Hold(_)
            | Action::Recall { .. }
            | Action::Defer { .. }
            | Action::Count { .. }
            | Action::LookAgain { .. }
            | Action::IndexAddress { .. }
            | Action::Claim { .. }
            | Action::Alias { .. }
            | Action::Regroup { .. } => continue,
        };
        let changed = changed.entry(account).or_insert_with(|| Changed::new(account));
        changed.calls.extend(traits);
        changed.milestones.extend(milestone);
        changed.renewals.extend(renewal);
        changed.subscriptions.extend(subscription);
        changed.of.push(index);
    }
    for Changed { account, calls, mut milestones, mut renewals, mut subscriptions, of } in changed.into_values() {
        let mut calls = calls.into_iter();
        loop {
            let changed = AccountsPayload::Changed {
                account: account.clone(),
                traits: calls.next(),
                milestones: take_first(&mut milestones, MAX_FACTS),
                renewals: take_first(&mut renewals, MAX_FACTS),
                subscriptions: take_first(&mut subscriptions, MAX_FACTS),
                at: Some(now),
            };
            outgoing.push(Outgoing { body: serde_json::to_string(&changed)?, of: of.clone() });
            if calls.len() == 0 && milestones.is_empty() && renewals.is_empty() && subscriptions.is_empty() {
                break;
            }
        }
    }
    Ok(outgoing)
}

/// Forwards what calls without a person contain about accounts, if they are trusted: they are in the archive, and no
/// profile has to be written. Returns the records whose messages were not accepted.
pub(crate) async fn tell_accounts(deps: &Deps, events: &[(RecordIndex, Event)]) -> BTreeSet<RecordIndex> {
    let now = deps.clock.now();
    let message = |(record, event): &(RecordIndex, Event)| {
        let (traits, message_id) = (event.traits.clone(), event.message_id.clone());
        let traits = AccountTraits { traits, at: event.timestamp, message_id, signed: !event.vouches() };
        let changed = AccountsPayload::Changed {
            account: event.account().cloned()?,
            traits: Some(traits),
            milestones: Vec::new(),
            renewals: Vec::new(),
            subscriptions: Vec::new(),
            at: Some(now),
        };
        // Plain data always becomes JSON.
        Some(Outgoing { body: serde_json::to_string(&changed).ok()?, of: vec![*record] })
    };
    let outgoing = events.iter().filter_map(message).collect();
    send(&*deps.accounts, outgoing, deps.debounce).await.into_iter().collect()
}

/// Sends everything packed; returns the actions whose message was not accepted.
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
