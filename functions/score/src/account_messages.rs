//! Messages about accounts: what profiles and calls without a profile change there.

use crate::deps::Deps;
use crate::outgoing::{Outgoing, send};
use crate::planned::Planned;
use crate::timers::RecordIndex;
use jiff::Timestamp;
use perennial_contracts::queue::{AccountMilestone, AccountTraits, AccountsPayload, Joined};
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::{AccountId, Event, MessageId};
use perennial_engine::Action;
use std::collections::{BTreeMap, BTreeSet};

/// The most facts of each kind in one message about an account: of all three kinds some 500 KB, and a queue accepts 1
/// MB.
const MAX_FACTS: usize = 300;
/// The changes of one account.
struct Changed<'a> {
    account: &'a AccountId,
    calls: Vec<AccountTraits>,
    milestones: Vec<AccountMilestone>,
    renewals: Vec<MessageId>,
    subscriptions: Vec<SubscriptionReport>,
    joined: Vec<Joined>,
    of: Vec<usize>,
}

impl<'a> Changed<'a> {
    fn new(account: &'a AccountId) -> Self {
        let (calls, milestones, renewals) = (Vec::new(), Vec::new(), Vec::new());
        Self { account, calls, milestones, renewals, subscriptions: Vec::new(), joined: Vec::new(), of: Vec::new() }
    }
}

/// The first `most` of `all`, which keeps the others.
fn take_first<T>(all: &mut Vec<T>, most: usize) -> Vec<T> {
    let rest = all.split_off(most.min(all.len()));
    std::mem::replace(all, rest)
}

/// Returns one message an account, or one for each call with its traits and for each [`MAX_FACTS`] facts; and one for
/// each event of an account. `now` is later than all writes of members.
pub(crate) fn messages(planned: &[Planned], now: Timestamp) -> Result<Vec<Outgoing>, serde_json::Error> {
    let mut changed: BTreeMap<&AccountId, Changed<'_>> = BTreeMap::new();
    let mut outgoing = Vec::new();
    for (index, planned) in planned.iter().enumerate() {
        let (mut traits, mut milestone, mut renewal, mut subscription, mut joined) = (None, None, None, None, None);
        let account = match &planned.action {
            Action::PublishMember { account, .. } | Action::LeaveAccount { account, .. } => account,
            Action::AccountTraits { account, traits: said, at, message_id, signed } => {
                let (traits_said, message_id) = (said.clone(), message_id.clone());
                traits = Some(AccountTraits { traits: traits_said, at: *at, message_id, signed: *signed });
                account
            }
            Action::Join { account, saw } => {
                joined = Some(Joined { person: planned.person, saw: *saw });
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
            | Action::List(_)
            | Action::Unlist { .. }
            | Action::UpdateCrm(_)
            | Action::Regroup { .. } => continue,
        };
        let changed = changed.entry(account).or_insert_with(|| Changed::new(account));
        changed.calls.extend(traits);
        changed.milestones.extend(milestone);
        changed.renewals.extend(renewal);
        changed.subscriptions.extend(subscription);
        changed.joined.extend(joined);
        changed.of.push(index);
    }
    for Changed { account, calls, mut milestones, mut renewals, mut subscriptions, mut joined, of } in
        changed.into_values()
    {
        let mut calls = calls.into_iter();
        loop {
            let changed = AccountsPayload::Changed {
                account: account.clone(),
                traits: calls.next(),
                milestones: take_first(&mut milestones, MAX_FACTS),
                renewals: take_first(&mut renewals, MAX_FACTS),
                subscriptions: take_first(&mut subscriptions, MAX_FACTS),
                joined: take_first(&mut joined, MAX_FACTS),
                at: Some(now),
            };
            outgoing.push(Outgoing { body: serde_json::to_string(&changed)?, of: of.clone() });
            let is_rest = !milestones.is_empty() || !renewals.is_empty() || !subscriptions.is_empty();
            if calls.len() == 0 && !is_rest && joined.is_empty() {
                break;
            }
        }
    }
    Ok(outgoing)
}

/// Forwards what calls without a person contain about accounts, if they are trusted: they are in the archive, and no
/// profile has to be written. Returns the records whose messages were not accepted.
pub(crate) async fn forward(deps: &Deps, events: &[(RecordIndex, Event)]) -> BTreeSet<RecordIndex> {
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
            joined: Vec::new(),
            at: Some(now),
        };
        // Plain data always becomes JSON.
        Some(Outgoing { body: serde_json::to_string(&changed).ok()?, of: vec![*record] })
    };
    let outgoing = events.iter().filter_map(message).collect();
    send(&*deps.accounts, outgoing, deps.debounce).await.into_iter().collect()
}
