//! Evaluates an account's people from their current profiles, if they are few enough to be read for a view.

use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountId, AccountSummary, Member, PersonId};
use perennial_engine::account::{Account, Once, Tally, facts, member};
use perennial_engine::membership::memberships;
use perennial_engine::{Accounts, Moment, evaluate};
use perennial_store::{Loaded, Store, StoreError};
use std::collections::HashSet;

/// The most profiles that are read: the limit of one BatchGetItem.
const MOST: usize = 100;

/// Returns the people of an account and its domains, evaluated at `now`; `None` if there are none, or more than
/// [`MOST`]. A profile that cannot be read is taken from its entry. Costs half a read unit for each 4 KB of the
/// profiles, and of the other accounts of people who have several.
pub(super) async fn people(
    store: &Store,
    config: &Config,
    account: &Account,
    domains: &[AccountId],
    now: Timestamp,
) -> Result<Option<Vec<Member>>, StoreError> {
    if account.summary.as_ref().is_some_and(|summary| summary.people as usize > MOST) {
        return Ok(None);
    }
    let mut entries: Vec<Member> = Vec::new();
    for part in std::iter::once(&account.id).chain(domains) {
        let limit = u16::try_from(MOST + 1 - entries.len()).unwrap_or(u16::MAX);
        entries.extend(store.members(part, None, Some(limit)).await?.members);
        if entries.len() > MOST {
            return Ok(None);
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let mut once = Once::new(!domains.is_empty());
    entries.retain(|entry| once.is_first(entry));
    entries.extend(once.rest());
    let people: HashSet<PersonId> = entries.iter().map(|entry| entry.person).collect();
    let loaded = store.load_many(&people).await?;
    let facts = facts(config, account, now);
    let mut evaluated = Vec::with_capacity(entries.len());
    for entry in entries {
        // A person with another primary account is taken from the entry: their points count there.
        let Some(Ok(Loaded::Profile(stored))) = loaded.get(&entry.person).filter(|_| !entry.elsewhere) else {
            evaluated.push(entry);
            continue;
        };
        let view = stored.profile.view();
        let accounts = memberships(config, &view);
        let pays_elsewhere = store.pays_elsewhere(config, &accounts, Some(&facts), now).await?;
        let moment = Moment::new(config, now).with_account(Accounts { primary: Some(&facts), pays_elsewhere });
        evaluated.push(member(config, entry.person, &view, &evaluate(&moment, &view)));
    }
    Ok(Some(evaluated))
}

/// Returns the aggregate of the people.
pub(super) fn summary(config: &Config, people: &[Member], now: Timestamp) -> AccountSummary {
    let mut tally = Tally::new(config, now);
    people.iter().for_each(|member| tally.add(member));
    tally.finish().0
}
