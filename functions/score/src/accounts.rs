//! What conditions may know of accounts, kept for a moment: most of a batch's people share a few.

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
/// How long what was read of an account may be used.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What was last read of accounts.
#[derive(Debug)]
pub(crate) struct Accounts {
    held: Recent<AccountId, Arc<Held>>,
}

/// One account, read by whoever asks first, for all who wait for it.
#[derive(Debug)]
struct Held {
    since: Timestamp,
    /// What is older than this write will not do.
    at_least: u64,
    known: Mutex<Option<Known>>,
}

/// What was read.
#[derive(Debug, Clone)]
enum Known {
    /// Nobody wrote anything of the account yet.
    Nothing,
    /// What conditions may know.
    Facts(Arc<AccountFacts>),
    /// Another account has its people.
    With(AccountId),
}

/// What accounts say of one of their people.
#[derive(Debug, Default)]
pub(crate) struct Around {
    primary: Option<Arc<AccountFacts>>,
    pays_elsewhere: bool,
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

    /// What is known of the account `id`, or of the one that has its people: as it was within the last minute. Half a read
    /// unit for each 4 KB where it has to be read.
    async fn facts(
        &self,
        store: &Store,
        config: &Config,
        id: &AccountId,
        now: Timestamp,
    ) -> Result<Option<Arc<AccountFacts>>, StoreError> {
        let known = match self.known(store, config, id, now).await? {
            Known::With(holder) => self.known(store, config, &holder, now).await?,
            known => known,
        };
        Ok(match known {
            Known::Facts(facts) => Some(facts),
            Known::Nothing | Known::With(_) => None,
        })
    }

    /// The same of those that `accounts` finds, the primary first: it is asked only where a condition of `config` speaks of accounts, and the others where
    /// people follow their accounts and that one does not pay.
    pub(crate) async fn asked(
        &self,
        store: &Store,
        config: &Config,
        accounts: impl FnOnce() -> Vec<AccountId>,
        now: Timestamp,
    ) -> Result<Around, StoreError> {
        let accounts = if config.asks_account() { accounts() } else { Vec::new() };
        let Some((primary, others)) = accounts.split_first() else { return Ok(Around::default()) };
        let primary = self.facts(store, config, primary, now).await?;
        let pays =
            |facts: &Option<Arc<AccountFacts>>| facts.as_ref().and_then(|facts| facts.stage).is_some_and(Stage::pays);
        let is_asked = config.lifecycle.people_follow_account && !pays(&primary);
        let mut pays_elsewhere = false;
        for other in others.iter().filter(|_| is_asked) {
            pays_elsewhere = pays_elsewhere || pays(&self.facts(store, config, other, now).await?);
        }
        Ok(Around { primary, pays_elsewhere })
    }

    async fn known(&self, store: &Store, config: &Config, id: &AccountId, now: Timestamp) -> Result<Known, StoreError> {
        let fresh = |held: &Arc<Held>| now < held.since + FRESH_FOR;
        let begin = || Arc::new(Held { since: now, at_least: 0, known: Mutex::new(None) });
        let held = self.held.get_or(id, fresh, begin);
        let mut slot = held.known.lock().await;
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let mut stored = store.account(id, Consistency::Eventual).await?;
        if stored.as_ref().map_or(0, |stored| stored.version) < held.at_least {
            stored = store.account(id, Consistency::Strong).await?;
        }
        let known = match stored {
            None => Known::Nothing,
            Some(stored) => match stored.account.holder() {
                Some(holder) => Known::With(holder.clone()),
                None => Known::Facts(Arc::new(facts(config, &stored.account, now))),
            },
        };
        *slot = Some(known.clone());
        Ok(known)
    }

    /// Forgets an account that has changed: what is read next is the write `version` or a later one.
    pub(crate) fn changed(&self, id: &AccountId, version: u64, now: Timestamp) {
        let held = Held { since: now, at_least: version, known: Mutex::new(None) };
        self.held.put(id.clone(), Arc::new(held));
    }
}
