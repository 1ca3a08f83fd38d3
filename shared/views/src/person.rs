//! A person as of now, with the configuration and the account for evaluation.

use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, Identity, PersonId, Subject};
use perennial_engine::facts::Facts;
use perennial_engine::membership::memberships;
use perennial_engine::{Accounts, Moment, Profile, State};
use perennial_store::updates::UpdateRecord;
use perennial_store::{Consistency, Found as Read, Loaded, Store, StoreError, Stored};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A person who was found.
pub struct Found {
    /// The profile.
    pub profile: Profile,
    /// The combined state of all identities.
    pub state: State,
    /// The combined facts of all identities.
    pub facts: Facts,
    /// The configuration that they are evaluated under.
    pub config: Arc<Config>,
    /// The person's account, and the facts of it or of the one that owns its people.
    pub account: Option<(AccountId, Option<AccountFacts>)>,
    /// The updates of their contact in the CRM within the last 90 days, the newest first.
    pub updates: Read<UpdateRecord>,
    /// `true` if another account of theirs pays.
    pays_elsewhere: bool,
    /// The time that they are evaluated at.
    pub now: Timestamp,
}

impl Found {
    /// Looks a person up by any identity, with their accounts and the updates of the CRM: half a read unit each for 4 KB.
    ///
    /// # Errors
    /// [`ViewError::NotFound`] if nobody has the identity, or if the table fails.
    pub async fn look_up(views: &Views, identity: &str) -> Result<Self, ViewError> {
        let profile = find(views, identity).await?.profile;
        let (config, now) = (views.config.current().await, views.clock.now());
        let (state, facts) = (profile.view(), profile.facts());
        let accounts = memberships(&config, &state);
        let account = match accounts.first() {
            None => None,
            Some(id) => Some((id.clone(), account_facts(&views.store, &config, id, now).await?)),
        };
        let primary = account.as_ref().and_then(|(_, facts)| facts.as_ref());
        let pays_elsewhere = views.store.pays_elsewhere(&config, &accounts, primary, now).await?;
        let updates = match &profile.written {
            Some(_) => views.store.updates(&Subject::Person(profile.id)).await?,
            None => Read { items: Vec::new(), unreadable: 0 },
        };
        Ok(Self { profile, state, facts, config, account, updates, pays_elsewhere, now })
    }

    /// Returns the moment for evaluation.
    pub fn moment(&self) -> Moment<'_> {
        let primary = self.account.as_ref().and_then(|(_, facts)| facts.as_ref());
        let accounts = Accounts { primary, pays_elsewhere: self.pays_elsewhere };
        Moment::new(&self.config, self.now).with_account(accounts).of(self.profile.id)
    }

    /// Returns the person's displayed name: the product's id, else the profile id.
    pub fn name(&self) -> String {
        let identity = identity(&self.profile, self.profile.id);
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

/// Returns the profile behind any identity.
///
/// # Errors
/// As [`Found::look_up`].
pub async fn find(views: &Views, identity: &str) -> Result<Stored, ViewError> {
    const NONE: &str = "no person has this person id, user id, anonymous id, id in another system (such as stripe:cus_5) or mail address";
    let config = views.config.current().await;
    let found = resolve(&views.store, &config, identity).await?;
    found.ok_or(ViewError::NotFound(NONE))
}

/// Looks a person up like [`Store::resolve`], and by an id in another system with only the system's name, as in
/// `stripe:cus_5`; `None` if not found.
///
/// # Errors
/// [`StoreError`] if the table fails.
pub async fn resolve(store: &Store, config: &Config, identity: &str) -> Result<Option<Stored>, StoreError> {
    for id in config.identity.of_system(identity) {
        if let Some(stored) = store.find_external(&id).await? {
            return Ok(Some(stored));
        }
    }
    store.resolve(identity).await
}

/// Returns the person's ids before identities were merged: messages stay with the identity they were decided for.
pub fn people(profile: &Profile) -> BTreeSet<PersonId> {
    profile.parts.iter().map(perennial_engine::Part::owner).chain([profile.id]).collect()
}

/// Returns the identity that had the id `person` when something was sent to it, wherever its identity state is now in
/// `profile`.
pub fn identity(profile: &Profile, person: PersonId) -> Option<&Identity> {
    let own = profile.parts.iter().find(|part| part.owner() == person);
    own.or_else(|| profile.parts.first()).map(|part| &part.identity)
}

/// Returns the name that readers know a person by: the trait `name`, else the mail address, else the product's id.
pub fn display_name(profile: &Profile, state: &State) -> String {
    let given = |name: &str| state.text_trait(name).filter(|text| !text.trim().is_empty());
    given("name").or_else(|| given("email")).unwrap_or_else(|| {
        identity(profile, profile.id).map_or_else(|| profile.id.to_string(), |identity| identity.as_str().to_owned())
    })
}

/// Returns the names that readers know people by: one read for up to 100 of them. Those that cannot be read have none.
///
/// # Errors
/// [`StoreError`] if the table fails.
pub async fn names(views: &Views, people: &HashSet<PersonId>) -> Result<HashMap<PersonId, String>, StoreError> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let loaded = views.store.load_many(people).await?;
    let name = |(person, loaded)| match loaded {
        Ok(Loaded::Profile(stored)) => Some((person, display_name(&stored.profile, &stored.profile.view()))),
        _ => None,
    };
    Ok(loaded.into_iter().filter_map(name).collect())
}
