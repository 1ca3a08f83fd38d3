//! The person that a journey is played for: an existing one, with their account, or an invented one.

use super::NotPlayed;
use super::request::Request;
use crate::person;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_domain::{AccountFacts, UserId};
use perennial_engine::account::{Account, facts};
use perennial_engine::membership::memberships;
use perennial_engine::play::Sample;
use perennial_engine::{Accounts, Profile, time_zone};
use perennial_store::{Consistency, Store};

/// A person that a journey is played for.
pub(super) struct Player {
    pub(super) profile: Profile,
    /// The account, for templates.
    pub(super) account: Option<Account>,
    /// The account's facts, for conditions.
    pub(super) facts: Option<AccountFacts>,
    /// `true` if another account of theirs pays.
    pays_elsewhere: bool,
    /// The displayed name.
    pub(super) name: String,
    pub(super) sample: bool,
}

impl Player {
    /// Looks a person up by any identity, with their account.
    pub(super) async fn known(
        store: &Store,
        config: &Config,
        identity: &str,
        now: Timestamp,
    ) -> Result<Self, NotPlayed> {
        let profile = person::resolve(store, config, identity).await?.ok_or(NotPlayed::NoPerson)?.profile;
        let accounts = memberships(config, &profile.view());
        let account = match accounts.first() {
            None => None,
            Some(id) => store.account_in_charge(id, Consistency::Eventual).await?.map(|stored| stored.account),
        };
        let facts = account.as_ref().map(|account| facts(config, account, now));
        let pays_elsewhere = store.pays_elsewhere(config, &accounts, facts.as_ref(), now).await?;
        let name = crate::person::identity(&profile, profile.id).map(|identity| identity.as_str().to_owned());
        let name = name.unwrap_or_else(|| profile.id.to_string());
        Ok(Self { profile, account, facts, pays_elsewhere, name, sample: false })
    }

    /// Returns the person's accounts, for conditions.
    pub(super) fn accounts(&self) -> Accounts<'_> {
        Accounts { primary: self.facts.as_ref(), pays_elsewhere: self.pays_elsewhere }
    }

    /// Removes the person's earlier entries of the journey.
    pub(super) fn forget(&mut self, journey: &Journey) {
        for part in &mut self.profile.parts {
            part.facts.entered.remove(&journey.key);
            part.facts.runs.remove(&journey.key);
        }
    }
}

/// Invents a person.
pub(super) fn sample(
    config: &Config,
    journey: &Journey,
    request: &Request,
    now: Timestamp,
) -> Result<Player, NotPlayed> {
    let asked = request.sample.clone().unwrap_or_default();
    let id = UserId::parse(request.sample_id())?;
    let sample = Sample { id, stage: asked.stage, traits: asked.traits };
    // The time zone is a trait, and may say when a day begins.
    let zone = time_zone(config, &sample.make(config, journey, now)?.view());
    let request = Request { person: None, ..request.clone() };
    let profile = sample.make(config, journey, request.times(&zone, now)?.from)?;
    Ok(Player { name: sample.id.to_string(), profile, account: None, facts: None, pays_elsewhere: false, sample: true })
}
