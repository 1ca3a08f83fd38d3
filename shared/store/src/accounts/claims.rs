//! Claims of company domains: an item for each account that names a domain as its own, in the partition of the domain's own account.
//! However many claim a domain, who has it takes one query of as many claims as may be made of a domain that somebody has.

use super::{StoredAccount, account_item};
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, needed, s};
use crate::keys;
use crate::store::{Condition, Store};
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use jiff::Timestamp;
use perennial_domain::AccountId;
use perennial_engine::account::first_claimant;
use perennial_engine::bounds::SHARED_CLAIMS;
use std::collections::BTreeMap;

/// Since when the domain is claimed.
const SINCE: &str = "at";
/// Claims of an earlier version that are moved in one transaction.
const MOVED_AT_ONCE: usize = 50;
/// The most claims that are read of a domain: with one too many, the domain identifies nobody.
const READ: usize = SHARED_CLAIMS + 1;

/// How the claims of one account change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimChange {
    /// The domains that it claims, and since when.
    pub made: Vec<(AccountId, Timestamp)>,
    /// The domains that it does not claim any more.
    pub withdrawn: Vec<AccountId>,
}

impl Store {
    /// Returns the account that claims `domain` first; `None` if nobody does or too many do. Consistent; at most two read units and a half, however many
    /// claim it.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails or a claim cannot be read.
    pub async fn first_claimant(&self, domain: &AccountId) -> Result<Option<AccountId>, StoreError> {
        let query = self
            .query(keys::account(domain), keys::CLAIM)
            .consistent_read(true)
            .limit(i32::try_from(READ).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(|error| sort("first_claimant", error))?;
        let claims = page.items().iter().map(read).collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(first_claimant(&claims).cloned())
    }

    /// Writes an account and the changes of its claims in one transaction, if nobody wrote the account since it was read, and moves its version on. So a
    /// claim is stored exactly as long as its account says so. Two write units for each KB of the account and for each claim.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if someone else wrote it.
    pub async fn save_account_claiming(
        &self,
        stored: &mut StoredAccount,
        change: &ClaimChange,
    ) -> Result<(), StoreError> {
        let id = &stored.account.id;
        let mut writes = vec![self.putting(account_item(stored)?, Some(Condition::version(stored.version)))?];
        for (domain, since) in &change.made {
            writes.push(self.putting(claim(domain, id, *since), None)?);
        }
        for domain in &change.withdrawn {
            let delete = Delete::builder().table_name(&*self.table).set_key(Some(key(domain, id))).build();
            let delete = delete.map_err(|error| StoreError::Unstorable(error.to_string()))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        self.transact("save_account_claiming", writes).await?;
        stored.version += 1;
        Ok(())
    }

    /// Moves the claims that an earlier version stored at the account of a domain into items of their own.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if someone else wrote the account.
    pub async fn move_old_claims(&self, domain: &mut StoredAccount) -> Result<(), StoreError> {
        while !domain.account.old_claims.is_empty() {
            let mut writes = Vec::new();
            while let Some((id, since)) = domain.account.old_claims.pop_first() {
                writes.push(self.putting(claim(&domain.account.id, &id, since), None)?);
                if writes.len() == MOVED_AT_ONCE {
                    break;
                }
            }
            writes.push(self.putting(account_item(domain)?, Some(Condition::version(domain.version)))?);
            self.transact("move_old_claims", writes).await?;
            domain.version += 1;
        }
        Ok(())
    }
}

/// Reads the domains that an account claims. Earlier versions stored their names alone.
pub(super) fn registered(item: &Item) -> Result<BTreeMap<String, Option<Timestamp>>, StoreError> {
    if let Ok(names) = item.json::<Vec<String>>("reg") {
        return Ok(names.unwrap_or_default().into_iter().map(|name| (name, None)).collect());
    }
    Ok(item.json("reg")?.unwrap_or_default())
}

/// Reads who claims a domain first. Earlier versions stored the claims alone.
pub(super) fn claimant(item: &Item) -> Result<Option<AccountId>, StoreError> {
    match item.parsed("first")? {
        Some(first) => Ok(Some(first)),
        None => Ok(item.json("claims")?.as_ref().and_then(first_claimant).cloned()),
    }
}

fn key(domain: &AccountId, claimant: &AccountId) -> Item {
    keys::key(keys::account(domain), keys::claim(claimant))
}

fn claim(domain: &AccountId, claimant: &AccountId, since: Timestamp) -> Item {
    let mut item = key(domain, claimant);
    item.insert(SINCE.to_owned(), s(since.to_string()));
    item
}

fn read(item: &Item) -> Result<(AccountId, Timestamp), StoreError> {
    let id = item.text(keys::SK)?.and_then(|key| AccountId::parse(key.strip_prefix(keys::CLAIM)?).ok());
    Ok((needed(keys::SK, id)?, needed(SINCE, item.parsed(SINCE)?)?))
}
