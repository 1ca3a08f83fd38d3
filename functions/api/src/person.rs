//! A person as of now, with the configuration and the account for evaluation.

use crate::answer::Failure;
use crate::deps::Deps;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, PersonId};
use perennial_engine::facts::Facts;
use perennial_engine::membership::memberships;
use perennial_engine::{Accounts, Moment, Profile, State};
use perennial_store::{Consistency, Store, StoreError, Stored};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A person who was found.
pub(crate) struct Found {
    pub(crate) profile: Profile,
    /// The combined state of all identities.
    pub(crate) state: State,
    /// The combined facts of all identities.
    pub(crate) facts: Facts,
    pub(crate) config: Arc<Config>,
    /// The person's account, and the facts of it or of the one that owns its people.
    pub(crate) account: Option<(AccountId, Option<AccountFacts>)>,
    /// `true` if another account of theirs pays.
    pays_elsewhere: bool,
    pub(crate) now: Timestamp,
}

impl Found {
    /// Looks a person up by any identity, with their accounts: half a read unit each for 4 KB.
    pub(crate) async fn look_up(deps: &Deps, identity: &str) -> Result<Self, Failure> {
        let profile = find(deps, identity).await?.profile;
        let (config, now) = (deps.config.current().await, deps.clock.now());
        let (state, facts) = (profile.view(), profile.facts());
        let accounts = memberships(&config, &state);
        let account = match accounts.first() {
            None => None,
            Some(id) => Some((id.clone(), account_facts(&deps.store, &config, id, now).await?)),
        };
        let primary = account.as_ref().and_then(|(_, facts)| facts.as_ref());
        let pays_elsewhere = deps.store.pays_elsewhere(&config, &accounts, primary, now).await?;
        Ok(Self { profile, state, facts, config, account, pays_elsewhere, now })
    }

    /// Returns the moment for evaluation.
    pub(crate) fn moment(&self) -> Moment<'_> {
        let primary = self.account.as_ref().and_then(|(_, facts)| facts.as_ref());
        let accounts = Accounts { primary, pays_elsewhere: self.pays_elsewhere };
        Moment::new(&self.config, self.now).with_account(accounts).of(self.profile.id)
    }

    /// Returns the person's displayed name: the product's id, else the profile id.
    pub(crate) fn name(&self) -> String {
        let identity = crate::event::identity(&self.profile, self.profile.id);
        identity.map_or_else(|| self.profile.id.to_string(), |identity| identity.as_str().to_owned())
    }
}

async fn account_facts(
    store: &Store,
    config: &Config,
    id: &AccountId,
    now: Timestamp,
) -> Result<Option<AccountFacts>, StoreError> {
    let stored = store.account_in_charge(id, Consistency::Eventual).await?;
    Ok(stored.map(|stored| perennial_engine::account::facts(config, &stored.account, now)))
}

/// The profile behind any identity.
pub(crate) async fn find(deps: &Deps, identity: &str) -> Result<Stored, Failure> {
    const NONE: &str = "no person has this person id, user id, anonymous id, id in another system (such as stripe:cus_5) or mail address";
    let config = deps.config.current().await;
    let found = resolve(&deps.store, &config, identity).await?;
    found.ok_or(Failure::NotFound(NONE))
}

/// Looks a person up like [`Store::resolve`], and by an id in another system with only the system's name, as in
/// `stripe:cus_5`; `None` if not found.
pub(crate) async fn resolve(store: &Store, config: &Config, identity: &str) -> Result<Option<Stored>, StoreError> {
    for id in config.identity.of_system(identity) {
        if let Some(stored) = store.find_external(&id).await? {
            return Ok(Some(stored));
        }
    }
    store.resolve(identity).await
}

/// Returns the person's ids before identities were merged: messages stay with the identity they were decided for.
pub(crate) fn people(profile: &Profile) -> BTreeSet<PersonId> {
    profile.parts.iter().map(perennial_engine::Part::owner).chain([profile.id]).collect()
}
