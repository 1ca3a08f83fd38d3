//! A short-lived cache of accounts' facts for conditions: most of a batch's people share a few accounts.

use futures::lock::Mutex;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, Stage};
use perennial_engine::account::facts;
use perennial_lambda_kit::recent::Recent;
use perennial_store::{Consistency, Store, StoreError};
use std::sync::Arc;

/// Accounts that a process keeps at once.
const KEPT: usize = 500;
/// How long a cached account may be used. Another process learns of a change by the message that has the account's people evaluated
/// again; `rollup` sends it late enough that none of them is written thereafter with facts from before the change.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(2);

/// The cache.
#[derive(Debug)]
pub(crate) struct Accounts {
    held: Recent<AccountId, Arc<Held>>,
}

/// One account, read by the first caller on behalf of all waiting ones.
#[derive(Debug)]
struct Held {
    since: Timestamp,
    /// Older versions than this must not be used.
    at_least: u64,
    known: Mutex<Option<Known>>,
}

impl Held {
    fn unread(since: Timestamp, at_least: u64) -> Arc<Self> {
        Arc::new(Self { since, at_least, known: Mutex::new(None) })
    }
}

/// One version of an account.
#[derive(Debug, Clone)]
struct Known {
    /// The version; 0 if the account does not exist yet.
    version: u64,
    state: State,
}

/// The state of an account.
#[derive(Debug, Clone)]
enum State {
    /// The account does not exist yet.
    Nothing,
    /// The facts for conditions.
    Facts(Arc<AccountFacts>),
    /// Another account owns its people.
    With(AccountId),
}

/// A person's data in their accounts.
#[derive(Debug, Default)]
pub(crate) struct Around {
    primary: Option<Arc<AccountFacts>>,
    pays_elsewhere: bool,
    /// The accounts that were read, with their versions.
    read: Vec<(AccountId, u64)>,
}

impl<'a> From<&'a Around> for perennial_engine::Accounts<'a> {
    fn from(around: &'a Around) -> Self {
        Self { primary: around.primary.as_deref(), pays_elsewhere: around.pays_elsewhere }
    }
}

impl Accounts {
    pub(crate) fn new() -> Self {
        Self { held: Recent::new(KEPT) }
    }

    /// Returns the facts of the account `id`, or of the one that owns its people, and notes in `read` which versions were used.
    /// Costs half a read unit for each 4 KB if it has to be read.
    async fn facts(
        &self,
        store: &Store,
        config: &Config,
        id: &AccountId,
        read: &mut Vec<(AccountId, u64)>,
        now: Timestamp,
    ) -> Result<Option<Arc<AccountFacts>>, StoreError> {
        let mut known = self.known(store, config, id, now).await?;
        read.push((id.clone(), known.version));
        if let State::With(holder) = known.state {
            known = self.known(store, config, &holder, now).await?;
            read.push((holder, known.version));
        }
        Ok(match known.state {
            State::Facts(facts) => Some(facts),
            State::Nothing | State::With(_) => None,
        })
    }

    /// Returns the facts of the accounts in `accounts`, the primary first. It is read only if a condition of `config`
    /// uses accounts, and the others if people follow their accounts and the primary one does not pay.
    pub(crate) async fn asked(
        &self,
        store: &Store,
        config: &Config,
        accounts: impl FnOnce() -> Vec<AccountId>,
        now: Timestamp,
    ) -> Result<Around, StoreError> {
        let accounts = if config.asks_account() { accounts() } else { Vec::new() };
        let Some((primary, others)) = accounts.split_first() else { return Ok(Around::default()) };
        let mut read = Vec::new();
        let primary = self.facts(store, config, primary, &mut read, now).await?;
        let pays =
            |facts: &Option<Arc<AccountFacts>>| facts.as_ref().and_then(|facts| facts.stage).is_some_and(Stage::pays);
        let is_asked = config.lifecycle.people_follow_account && !pays(&primary);
        let mut pays_elsewhere = false;
        for other in others.iter().filter(|_| is_asked) {
            pays_elsewhere = pays_elsewhere || pays(&self.facts(store, config, other, &mut read, now).await?);
        }
        Ok(Around { primary, pays_elsewhere, read })
    }

    /// Returns an account in `around` of which this process has learnt since that it has changed, with its version: a
    /// person who was written with these facts must be evaluated again, because the message about the change may have come before.
    pub(crate) fn outdated(&self, around: &Around) -> Option<(AccountId, u64)> {
        around.read.iter().find_map(|(id, version)| {
            let later = self.held.get(id).map(|held| held.at_least).filter(|later| later > version)?;
            Some((id.clone(), later))
        })
    }

    /// Like [`outdated`](Self::outdated), for a process that receives no such messages: reads the accounts again, for a read unit each.
    pub(crate) async fn outdated_in_table(
        &self,
        store: &Store,
        around: &Around,
        now: Timestamp,
    ) -> Result<Option<(AccountId, u64)>, StoreError> {
        for (id, version) in &around.read {
            let stored = store.account(id, Consistency::Strong).await?;
            if let Some(later) = stored.map(|stored| stored.version).filter(|later| later > version) {
                self.changed(id, later, now);
                return Ok(Some((id.clone(), later)));
            }
        }
        Ok(None)
    }

    async fn known(&self, store: &Store, config: &Config, id: &AccountId, now: Timestamp) -> Result<Known, StoreError> {
        let fresh = |held: &Arc<Held>| now < held.since + FRESH_FOR;
        let begin = |old: Option<&Arc<Held>>| Held::unread(now, old.map_or(0, |held| held.at_least));
        let held = self.held.get_or(id, fresh, begin);
        let mut slot = held.known.lock().await;
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let mut stored = store.account(id, Consistency::Eventual).await?;
        if stored.as_ref().map_or(0, |stored| stored.version) < held.at_least {
            stored = store.account(id, Consistency::Strong).await?;
        }
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        let state = match stored {
            None => State::Nothing,
            Some(stored) => match stored.account.holder() {
                Some(holder) => State::With(holder.clone()),
                None => State::Facts(Arc::new(facts(config, &stored.account, now))),
            },
        };
        let known = Known { version, state };
        *slot = Some(known.clone());
        Ok(known)
    }

    /// Invalidates a changed account: the next read returns version `version` or a later one.
    pub(crate) fn changed(&self, id: &AccountId, version: u64, now: Timestamp) {
        self.held.get_or(id, |held| held.at_least >= version, |_| Held::unread(now, version));
    }
}
