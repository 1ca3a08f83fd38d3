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
/// How long a cached account may be used.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

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

/// The cached state.
#[derive(Debug, Clone)]
enum Known {
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

    /// Returns the facts of the account `id`, or of the one that owns its people, at most a minute old. Costs half a
    /// read unit for each 4 KB if it has to be read.
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

    /// Invalidates a changed account: the next read returns version `version` or a later one.
    pub(crate) fn changed(&self, id: &AccountId, version: u64, now: Timestamp) {
        let held = Held { since: now, at_least: version, known: Mutex::new(None) };
        self.held.put(id.clone(), Arc::new(held));
    }
}
