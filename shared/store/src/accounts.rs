//! Accounts, and the entries of their people.

mod claims;
mod member;

pub use claims::ClaimChange;

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, b, bounded, json, n, needed, readable, s};
use crate::reads::Consistency;
use crate::store::{Condition, Store, is_true};
use crate::{keys, table};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{AccountFacts, AccountId, Member, PersonId, Stage};
use perennial_engine::account::{Account, Course, facts};
use perennial_engine::billing::Billing;
use std::collections::{BTreeSet, HashMap};

/// How long the tombstone of a former member is kept: no writer is delayed by a week.
const TOMBSTONE_DAYS: i64 = 7;

/// An account with what its next write needs.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAccount {
    /// The account.
    pub account: Account,
    /// Counts the writes; 0 where it was never written, or deleted since.
    pub version: u64,
}

/// A page of an account's people.
#[derive(Debug, Clone, Default)]
pub struct MemberPage {
    /// The members, in the order of their ids.
    pub members: Vec<Member>,
    /// Entries that cannot be read, and are not among these.
    pub unreadable: u64,
    /// The cursor of the next page; `None` if there is none.
    pub next: Option<MemberCursor>,
}

/// The end of a page of members.
#[derive(Debug, Clone)]
pub struct MemberCursor(Item);

impl MemberCursor {
    /// Returns the cursor after `person` of `account`, who need not exist any more.
    pub fn after(account: &AccountId, person: PersonId) -> Self {
        Self(member_key(account, person))
    }
}

impl StoredAccount {
    /// Returns an account that is not in the table yet.
    pub fn new(id: AccountId) -> Self {
        Self { account: Account::new(id), version: 0 }
    }
}

impl Store {
    /// Writes a person's entry as published by their profile's write `version`. Returns `false` if a later one exists.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn put_member(&self, account: &AccountId, member: &Member, version: u64) -> Result<bool, StoreError> {
        let mut item = member_key(account, member.person);
        item.insert("m".to_owned(), b(member::encode(member)?));
        item.insert("ver".to_owned(), n(version));
        Ok(unless_conflict(self.put("put_member", item, Some(Condition::newer(version))).await)?.is_some())
    }

    /// Removes a person's entry from an account, as of their profile's write `version`. A tombstone is kept for a week.
    /// Returns `false` if a later entry exists.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn leave_account(
        &self,
        account: &AccountId,
        person: PersonId,
        version: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = tombstone(account, person, version, now);
        Ok(unless_conflict(self.put("leave_account", item, Some(Condition::newer(version))).await)?.is_some())
    }

    /// Returns a page of an account's people, read consistently: up to 1 MB, some 10,000, or `limit`. Costs a read unit
    /// for each 4 KB, some 45 people.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails. An unreadable entry is counted and does not affect others.
    pub async fn members(
        &self,
        account: &AccountId,
        from: Option<MemberCursor>,
        limit: Option<u16>,
    ) -> Result<MemberPage, StoreError> {
        let query = self
            .query(keys::account(account), "P#")
            .consistent_read(true)
            .set_limit(limit.map(i32::from))
            .set_exclusive_start_key(from.map(|cursor| cursor.0));
        let page = query.send().await.map_err(|error| sort("members", error))?;
        let (members, unreadable) = readable(page.items(), |item| {
            if is_true(item.get("gone")) {
                return Ok(None);
            }
            let person = needed(keys::SK, item.text(keys::SK)?.and_then(keys::person_of))?;
            member::decode(person, item.get("m")).map(Some)
        });
        Ok(MemberPage { members, unreadable, next: page.last_evaluated_key.map(MemberCursor) })
    }

    /// Returns an account; `None` if it does not exist. An eventually consistent read costs half a read unit for each 4
    /// KB, a consistent one a whole.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails or the item cannot be read.
    pub async fn account(&self, id: &AccountId, consistency: Consistency) -> Result<Option<StoredAccount>, StoreError> {
        let key = keys::key(keys::account(id), keys::ACCOUNT);
        let item = self.get("account", key, consistency == Consistency::Strong).await?;
        item.map(|item| decode_account(id, &item)).transpose()
    }

    /// Returns several accounts with eventually consistent reads, a hundred a call; missing ones are left out. Costs half a
    /// read unit for each 4 KB of each.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails. An unreadable account is an error of its own only.
    pub async fn accounts_many(
        &self,
        ids: &BTreeSet<AccountId>,
    ) -> Result<HashMap<AccountId, Result<StoredAccount, StoreError>>, StoreError> {
        let keys = ids.iter().map(|id| keys::key(keys::account(id), keys::ACCOUNT)).collect();
        let mut accounts = HashMap::new();
        for item in self.get_many("accounts_many", keys, Consistency::Eventual).await? {
            let id = needed(keys::PK, item.text(keys::PK)?.and_then(keys::account_of))?;
            let account = decode_account(&id, &item);
            accounts.insert(id, account);
        }
        Ok(accounts)
    }

    /// Returns the account that owns the people of `id`: itself, or the one that claims its domain; `None` if it does
    /// not exist.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn account_in_charge(
        &self,
        id: &AccountId,
        consistency: Consistency,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let found = self.account(id, consistency).await?;
        match found.as_ref().and_then(|stored| stored.account.holder()) {
            Some(holder) => self.account(holder, consistency).await,
            None => Ok(found),
        }
    }

    /// Returns whether an account other than the primary one pays at `now`. `accounts` are all of a profile's accounts,
    /// the primary first, whose facts are `primary`. Reads only if people follow their accounts and the primary one
    /// does not pay: otherwise `false`. Costs half a read unit for each 4 KB of the other accounts, up to the first
    /// that pays.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn pays_elsewhere(
        &self,
        config: &Config,
        accounts: &[AccountId],
        primary: Option<&AccountFacts>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let is_paid = primary.and_then(|facts| facts.stage).is_some_and(Stage::pays);
        if is_paid || !config.lifecycle.people_follow_account {
            return Ok(false);
        }
        for id in accounts.iter().skip(1) {
            let found = self.account_in_charge(id, Consistency::Eventual).await?;
            let stage = found.and_then(|stored| facts(config, &stored.account, now).stage);
            if stage.is_some_and(Stage::pays) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the company domains that `account` claims and has: their people are its own as well.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn domains_of(&self, account: &Account, consistency: Consistency) -> Result<Vec<AccountId>, StoreError> {
        let mut owned = Vec::new();
        for domain in account.registered.keys().filter_map(|domain| AccountId::parse(domain).ok()) {
            let found = self.account(&domain, consistency).await?;
            if found.is_some_and(|stored| stored.account.holder() == Some(&account.id)) {
                owned.push(domain);
            }
        }
        Ok(owned)
    }

    /// Writes an account, if nobody wrote it since it was read, and increments its version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it was written by someone else; [`StoreError::TooLarge`] if it does not fit into an
    /// item, which the limits of [`perennial_engine::bounds`] prevent.
    pub async fn save_account(&self, stored: &mut StoredAccount) -> Result<(), StoreError> {
        self.put("save_account", account_item(stored)?, Some(Condition::version(stored.version))).await?;
        stored.version += 1;
        Ok(())
    }

    /// Deletes an account without data, if nobody wrote it since it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it was written by someone else.
    pub async fn delete_account(&self, stored: &StoredAccount) -> Result<(), StoreError> {
        let condition = Condition::version(stored.version);
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::account(&stored.account.id), keys::ACCOUNT)))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values);
        delete.send().await.map(drop).map_err(|error| sort("delete_account", error))
    }
}

/// Reads the item of the account `id`.
fn decode_account(id: &AccountId, item: &Item) -> Result<StoredAccount, StoreError> {
    let account = Account {
        id: id.clone(),
        traits: item.json("traits")?.unwrap_or_default(),
        dropped: item.json("cut")?.unwrap_or_default(),
        milestones: item.json("miles")?.unwrap_or_default(),
        billing: item.bytes("bill")?.map(billing).transpose()?.unwrap_or_default(),
        renewals: item.json("ren")?.unwrap_or_default(),
        cycles: item.json("cyc")?.unwrap_or_default(),
        named: item.json("named")?.unwrap_or_default(),
        registered: claims::registered(item)?,
        unsettled: item.json("unset")?.unwrap_or_default(),
        claimant: claims::claimant(item)?,
        old_claims: item.json("claims")?.unwrap_or_default(),
        summary: item.json("sum")?,
        leading_buyer: item.json("lead")?,
        trend: item.json("trend")?.unwrap_or_default(),
        touch: item.json("tch")?,
        written: item.json("crm")?,
        told: item.json("told")?,
        outbox: item.json("out")?.unwrap_or_default(),
        listed: item.json("lst")?.unwrap_or_default(),
        course: item.bytes("crs")?.map(course).transpose()?,
        due_at: due_at(item)?,
    };
    Ok(StoredAccount { account, version: needed("ver", item.number("ver")?)? })
}

/// The item of an account's next write.
fn account_item(stored: &StoredAccount) -> Result<Item, StoreError> {
    let account = &stored.account;
    let mut item = keys::key(keys::account(&account.id), keys::ACCOUNT);
    let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    if !account.traits.is_empty() {
        set("traits", json(&account.traits)?);
    }
    if !account.dropped.is_empty() {
        set("cut", json(&account.dropped)?);
    }
    if !account.milestones.is_empty() {
        set("miles", json(&account.milestones)?);
    }
    if !account.renewals.is_empty() {
        set("ren", json(&account.renewals)?);
    }
    if !account.billing.is_empty() {
        let bytes = postcard::to_stdvec(&account.billing);
        set("bill", b(bytes.map_err(|error| StoreError::Unstorable(error.to_string()))?));
    }
    if !account.cycles.is_empty() {
        set("cyc", json(&account.cycles)?);
    }
    if !account.named.is_empty() {
        set("named", json(&account.named)?);
    }
    if !account.registered.is_empty() {
        set("reg", json(&account.registered)?);
    }
    if !account.unsettled.is_empty() {
        set("unset", json(&account.unsettled)?);
    }
    if let Some(claimant) = &account.claimant {
        set("first", s(claimant.as_str()));
    }
    if !account.old_claims.is_empty() {
        set("claims", json(&account.old_claims)?);
    }
    if let Some(holder) = account.holder() {
        set("to", s(holder.as_str()));
    }
    if let Some(summary) = &account.summary {
        set("sum", json(summary)?);
        set("people", n(summary.people));
        set("score", n(summary.score.get()));
    }
    if let Some(buyer) = &account.leading_buyer {
        set("lead", json(buyer)?);
    }
    if !account.trend.is_empty() {
        set("trend", json(&account.trend)?);
    }
    if let Some(touch) = &account.touch {
        set("tch", json(touch)?);
    }
    if let Some(written) = &account.written {
        set("crm", json(written)?);
    }
    if let Some(told) = &account.told {
        set("told", json(told)?);
    }
    if !account.outbox.is_empty() {
        set("out", json(&account.outbox)?);
    }
    if !account.listed.is_empty() {
        set("lst", json(&account.listed)?);
    }
    if let Some(course) = &account.course {
        let bytes = postcard::to_stdvec(course);
        set("crs", b(bytes.map_err(|error| StoreError::Unstorable(error.to_string()))?));
    }
    if let Some(due) = account.due_at {
        set(table::DUE_SHARD, s(keys::due_shard_of_account(&account.id)));
        set(table::DUE_AT, n(due.as_second()));
    }
    set("ver", n(stored.version + 1));
    bounded("an account", item)
}

/// Reads an account's subscriptions.
fn billing(bytes: &[u8]) -> Result<Billing, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::corrupt("the subscriptions of an account cannot be read"))
}

/// Reads how an account's score and health change while its people are inactive.
fn course(bytes: &[u8]) -> Result<Course, StoreError> {
    postcard::from_bytes(bytes).map_err(|_| StoreError::corrupt("the course of an account cannot be read"))
}

/// The moment at which an item is in the due index.
fn due_at(item: &Item) -> Result<Option<Timestamp>, StoreError> {
    let second = item.number::<i64>(table::DUE_AT)?;
    let at = second.map(Timestamp::from_second).transpose();
    at.map_err(|_| StoreError::corrupt("due_at is out of range"))
}

fn member_key(account: &AccountId, person: PersonId) -> Item {
    keys::key(keys::account(account), keys::person(person))
}

/// Returns the item that replaces a former member, so that a slow writer of an earlier version cannot restore it.
pub(crate) fn tombstone(account: &AccountId, person: PersonId, version: u64, now: Timestamp) -> Item {
    let mut item = member_key(account, person);
    item.insert("gone".to_owned(), AttributeValue::Bool(true));
    item.insert("ver".to_owned(), n(version));
    item.insert(table::TTL.to_owned(), n(now.as_second() + TOMBSTONE_DAYS * DAY_SECONDS));
    item
}
