//! Recomputes one account: reads it, applies changes, aggregates its people, and writes it and its outbox if it
//! changed.

use crate::curves::Curves;
use crate::deps::{Deps, Read};
use crate::domains;
use crate::error::RollupError;
use crate::outbox::{self, Performed};
use crate::people;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_contracts::queue::{AccountMilestone, AccountTraits, Joined};
use perennial_domain::billing::SubscriptionReport;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountId, Member, MessageId, PersonId};
use perennial_engine::account::listing::list;
use perennial_engine::account::{Account, AccountAction, Once, Tally, decide, facts, next_due};
use perennial_store::Consistency;
use perennial_store::accounts::StoredAccount;
use perennial_store::lists::Listee;
use std::collections::BTreeSet;
use std::time::Duration;

/// The most attempts after write conflicts.
const TRIES: u32 = 6;
/// The pause before the second try; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(10);
/// The largest difference between two machines' clocks.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// The changes of one account in a batch.
#[derive(Debug, Default)]
pub(crate) struct Change {
    calls: Vec<AccountTraits>,
    milestones: Vec<AccountMilestone>,
    renewals: Vec<MessageId>,
    subscriptions: Vec<SubscriptionReport>,
    joined: Vec<Joined>,
    /// The latest time of a change, if all messages have one.
    changed: Changed,
}

/// A change of the account itself in one message.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) traits: Option<AccountTraits>,
    pub(crate) milestones: Vec<AccountMilestone>,
    pub(crate) renewals: Vec<MessageId>,
    pub(crate) subscriptions: Vec<SubscriptionReport>,
    pub(crate) joined: Vec<Joined>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Changed {
    /// No message yet.
    #[default]
    Nothing,
    /// By this time.
    By(Timestamp),
    /// A message has no time.
    AtAnyTime,
}

impl Change {
    pub(crate) fn add(&mut self, said: Said, at: Option<Timestamp>) {
        let is_told = !said.milestones.is_empty() || !said.renewals.is_empty() || !said.subscriptions.is_empty();
        let brings_something = said.traits.is_some() || is_told;
        self.calls.extend(said.traits);
        self.milestones.extend(said.milestones);
        self.renewals.extend(said.renewals);
        self.subscriptions.extend(said.subscriptions);
        self.joined.extend(said.joined);
        self.changed = match (self.changed, at.filter(|_| !brings_something)) {
            (Changed::Nothing, Some(at)) => Changed::By(at),
            (Changed::By(known), Some(at)) => Changed::By(known.max(at)),
            _ => Changed::AtAnyTime,
        };
    }

    /// Returns whether nothing is reported about the account itself.
    fn is_empty(&self) -> bool {
        let is_silent = self.calls.is_empty() && self.milestones.is_empty();
        is_silent && self.renewals.is_empty() && self.subscriptions.is_empty()
    }

    /// Returns whether people who were read at `read` include all changes.
    fn is_known_since(&self, read: Timestamp) -> bool {
        matches!(self.changed, Changed::By(at) if at + SKEW < read)
    }
}

/// The result for an account.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    /// `true` if it was written.
    pub(crate) written: bool,
    /// The number of people who are evaluated again because of it.
    pub(crate) woken: u64,
    /// Updates of the CRM.
    pub(crate) updates: u64,
    /// The number of people whose entry is renewed because its curve has ended.
    pub(crate) renewed: u64,
    /// The number of unreadable entries.
    pub(crate) unreadable: u64,
}

/// Recomputes the account, or the one that owns its people. Then the people who are new in it are evaluated again if they were
/// evaluated with other facts than those that its people were last told of.
pub(crate) async fn recompute(
    deps: &Deps,
    config: &Config,
    id: AccountId,
    change: &Change,
) -> Result<Done, RollupError> {
    let known = deps.read.get(&id).filter(|read| change.is_known_since(read.at));
    let (mut done, read) = match known {
        Some(read) => (Done::default(), read),
        None => {
            let (done, read) = try_often(deps, config, &id, change).await?;
            deps.read.put(id, read.clone());
            (done, read)
        }
    };
    let outdated = match read.told {
        Some(told) if done.woken == 0 => people_who_saw_another(told, &change.joined),
        _ => Vec::new(),
    };
    outbox::wake(deps, &read.account, read.version, &outdated).await?;
    done.woken += outdated.len() as u64;
    Ok(done)
}

/// Returns those who were evaluated with other facts than those with the fingerprint `told`, once each.
fn people_who_saw_another(told: u64, joined: &[Joined]) -> Vec<PersonId> {
    let others: BTreeSet<PersonId> =
        joined.iter().filter(|joined| joined.saw != Some(told)).map(|joined| joined.person).collect();
    others.into_iter().collect()
}

async fn try_often(deps: &Deps, config: &Config, id: &AccountId, change: &Change) -> Result<(Done, Read), RollupError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match attempt(deps, config, id, change).await {
            Err(error) if error.is_conflict() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    attempt(deps, config, id, change).await
}

async fn attempt(deps: &Deps, config: &Config, id: &AccountId, change: &Change) -> Result<(Done, Read), RollupError> {
    let started = deps.clock.now();
    let mut done = Done::default();
    let mut stored = load(deps, id).await?;
    let was_own = stored.account.is_own();
    let before = stored.account.clone();
    for call in &change.calls {
        let (account, domains) = (&mut stored.account, &config.accounts.domains);
        match call.signed {
            true => account.merge_signed(domains, &call.traits, call.at, &call.message_id),
            false => account.merge(domains, &call.traits, call.at, &call.message_id),
        }
    }
    for fact in &change.milestones {
        stored.account.mark_milestone(fact.milestone, fact.at);
    }
    change.renewals.iter().for_each(|message_id| stored.account.renewed(message_id));
    change.subscriptions.iter().for_each(|report| stored.account.subscribed(report));
    if !was_own && stored.account.is_own() {
        // Until now it was the account of a domain only, which another may have had.
        outbox::notify(deps, &stored.account.claimant).await?;
    }
    if let Some(holder) = stored.account.holder().cloned() {
        // Its people belong to the owner; they are read before it, as below.
        stored.account.summary = None;
        let facts = facts(config, &stored.account, started);
        let decided_before = stored.account.outbox.clone();
        list(&mut stored.account, &facts, started);
        outbox::begin(deps, &stored.account, &decided_before);
        if stored.account != before {
            deps.store.save_account(&mut stored).await?;
            done.written = true;
        }
        for action in outbox::open(deps, &stored.account) {
            if matches!(action, AccountAction::List { .. }) {
                outbox::perform(deps, &stored, &action, &[]).await?;
            }
        }
        let (other, read) = Box::pin(attempt(deps, config, &holder, &Change::default())).await?;
        return Ok((Done { written: done.written || other.written, ..other }, Read { at: started, ..read }));
    }
    let owned = domains::settle(deps, &config.accounts.domains, &mut stored).await?;
    // Read after the account: who joins later has sent word, and comes with the next batch.
    let mut people = Vec::new();
    let mut curves = Curves::new(started);
    let mut tally = Tally::new(config, started);
    let mut once = Once::new(!owned.is_empty());
    // Conditions read the primary account; but a person who pays in any account is a customer.
    let follows = config.lifecycle.people_follow_account;
    let mut add = |member: &Member| {
        tally.add(member);
        curves.see(member);
        if !member.elsewhere || follows {
            people.push(member.person);
        }
    };
    let see = |member: &Member| {
        if once.is_first(member) {
            add(member);
        }
    };
    done.unreadable = people::each(deps, std::iter::once(id).chain(&owned), see).await?;
    once.rest().for_each(|member| add(&member));
    let (summary, course) = tally.finish();
    (stored.account.summary, stored.account.course) = (Some(summary), Some(course));
    stored.account.note_leading_buyer(config.accounts.score.ready);
    stored.account.note_trend(started);
    let open = outbox::open(deps, &stored.account);
    let acted = {
        stored.account.outbox.clone_from(&open);
        let facts = facts(config, &stored.account, started);
        let decided = decide(config, &mut stored.account, &facts, started, deps.wake_pause);
        list(&mut stored.account, &facts, started) || decided
    };
    outbox::begin(deps, &stored.account, &open);
    stored.account.due_at = next_due(config, &stored.account, started);
    let renewed = curves.to_renew();
    if !renewed.is_empty() {
        outbox::wake(deps, id, stored.version, renewed).await?;
        done.renewed = renewed.len() as u64;
    }
    // The people it requested write their entries, which recomputes the account once more: that write is sufficient.
    let is_awaited = before.due_at.is_some_and(|due| due <= started && started < plus_days(due, 1));
    if acted || renewed.is_empty() || !is_awaited || !change.is_empty() {
        done.written = write(deps, &mut stored, &before, acted).await?;
    }
    perform(deps, &stored, &people, &mut done).await?;
    let told = stored.account.told.map(|told| told.facts);
    Ok((done, Read { at: started, account: id.clone(), version: stored.version, told }))
}

async fn load(deps: &Deps, id: &AccountId) -> Result<StoredAccount, RollupError> {
    let found = deps.store.account(id, Consistency::Strong).await?;
    Ok(found.unwrap_or_else(|| StoredAccount::new(id.clone())))
}

/// Writes the account if anything but its outbox has changed, or its outbox has a new action; returns whether it did.
async fn write(deps: &Deps, stored: &mut StoredAccount, before: &Account, acted: bool) -> Result<bool, RollupError> {
    if stored.account.is_nothing() {
        if stored.version > 0 {
            unlist(deps, stored, before).await?;
            deps.store.delete_account(stored).await?;
        }
        return Ok(stored.version > 0);
    }
    let outbox = std::mem::take(&mut stored.account.outbox);
    let same = stored.account == Account { outbox: Vec::new(), ..before.clone() };
    stored.account.outbox = outbox;
    if same && !acted {
        return Ok(false);
    }
    deps.store.save_account(stored).await?;
    Ok(true)
}

/// Deletes the entries of an account without data from the lists: its versions begin again if it is stored once more.
async fn unlist(deps: &Deps, stored: &mut StoredAccount, before: &Account) -> Result<(), RollupError> {
    let mut entries = before.listed.clone();
    for action in before.outbox.iter().chain(&stored.account.outbox) {
        if let AccountAction::List { change, .. } = action {
            entries.extend(change.add.iter().chain(&change.remove).cloned());
        }
    }
    stored.account.outbox.retain(|action| !matches!(action, AccountAction::List { .. }));
    deps.store.delete_list_entries(Listee::Account(&stored.account.id), &entries).await?;
    Ok(())
}

/// Executes the outbox actions that this process has no record of executing.
async fn perform(deps: &Deps, stored: &StoredAccount, people: &[PersonId], done: &mut Done) -> Result<(), RollupError> {
    for action in outbox::open(deps, &stored.account) {
        match outbox::perform(deps, stored, &action, people).await? {
            Performed::Updated => done.updates += 1,
            Performed::Woke(people) => done.woken += people,
            Performed::Postponed | Performed::Notified | Performed::Listed => {}
        }
    }
    Ok(())
}
