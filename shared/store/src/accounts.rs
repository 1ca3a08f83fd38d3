//! Accounts, and the slim entries of their people.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, n, needed, s};
use crate::store::{Condition, Store, is_true};
use crate::{keys, table};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_contracts::queue::AccountTraits;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{AccountId, Member, MessageId, PersonId, Score, Stage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most traits of an account: the first of the alphabet.
pub const MAX_TRAITS: usize = 100;
/// The most bytes of a trait's JSON that an account keeps.
pub const MAX_TRAIT_BYTES: usize = 1024;
/// How long the tombstone of a member who left stays: no writer is slow for a week.
const TOMBSTONE_DAYS: i64 = 7;

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// What `group` calls said of it, by name.
    pub traits: BTreeMap<String, AccountTrait>,
    /// What its people amount to; `None` until it was first rolled up.
    pub summary: Option<AccountSummary>,
    /// Counts the writes; 0 where it was never written.
    pub version: u64,
}

/// One trait, and which call it is of: of several the latest stays, and of the same time that of the greater message id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountTrait {
    /// The value.
    pub value: serde_json::Value,
    /// The call's time.
    pub at: Timestamp,
    /// The call's id.
    pub message_id: MessageId,
}

/// What an account's people amount to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// How many people it has.
    pub people: u32,
    /// How many of them stand where.
    pub stages: BTreeMap<Stage, u32>,
    /// Readiness to buy: 0 to 100, the sum over those who do not pay yet.
    pub score: Score,
    /// Health as a customer: 0 to 100; `None` where nobody pays.
    pub health: Option<Score>,
    /// What score and health are made of, the strongest first.
    pub reasons: Vec<AccountReason>,
    /// The newest activity of anyone.
    pub last_seen: Option<Timestamp>,
}

/// One person's share of an account's score or health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountReason {
    /// Who.
    pub person: PersonId,
    /// Which of the person's measures.
    pub measure: Measure,
    /// Points of the account's score (for [`Measure::Purchase`]) or health (for the others) that it gives.
    pub points: i32,
}

/// What an account's score and health are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A buyer's readiness.
    Purchase,
    /// How active a paying person is.
    Engagement,
    /// A paying person's success with the product.
    Success,
    /// The likelihood that a paying person leaves, which lowers the health.
    Churn,
}

/// Some of an account's people.
#[derive(Debug, Clone, Default)]
pub struct MemberPage {
    /// Who, in the order of their ids.
    pub members: Vec<Member>,
    /// Where to go on; `None` where there are no more.
    pub next: Option<MemberCursor>,
}

/// Where a page of members ended. Opaque.
#[derive(Debug, Clone)]
pub struct MemberCursor(Item);

impl Account {
    /// An account of which nothing is known.
    pub fn new(id: AccountId) -> Self {
        Self { id, traits: BTreeMap::new(), summary: None, version: 0 }
    }

    /// Takes in what one `group` call said; gives whether that changed anything. The order of calls does not matter.
    pub fn merge(&mut self, call: &AccountTraits) -> bool {
        let before = self.traits.clone();
        for (name, value) in &call.traits {
            if value.to_string().len() > MAX_TRAIT_BYTES {
                continue;
            }
            let new = AccountTrait { value: value.clone(), at: call.at, message_id: call.message_id.clone() };
            match self.traits.get_mut(name) {
                Some(current) if (current.at, &current.message_id) >= (new.at, &new.message_id) => {}
                Some(current) => *current = new,
                None => {
                    self.traits.insert(name.clone(), new);
                }
            }
        }
        while self.traits.len() > MAX_TRAITS {
            self.traits.pop_last();
        }
        self.traits != before
    }
}

impl Store {
    /// Writes a person's entry as their profile's write `version` published it. Gives `false` where a later one is there.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn put_member(&self, account: &AccountId, member: &Member, version: u64) -> Result<bool, StoreError> {
        let mut item = member_key(account, member.person);
        let entry = serde_json::to_string(member).map_err(|error| StoreError::Unstorable(error.to_string()))?;
        item.insert("m".to_owned(), s(entry));
        item.insert("ver".to_owned(), n(version));
        Ok(unless_conflict(self.put("put_member", item, Some(Condition::newer(version))).await)?.is_some())
    }

    /// Takes a person's entry from an account, as their profile's write `version` asks. A tombstone stays for a week. Gives
    /// `false` where a later entry is there.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// A page of an account's people, of at most 1 MB (some 4,000). Half a read unit for each 4 KB, some 15 people.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails or an entry cannot be read.
    pub async fn members(&self, account: &AccountId, from: Option<MemberCursor>) -> Result<MemberPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :sk)")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":pk", s(keys::account(account)))
            .expression_attribute_values(":sk", s("P#"))
            .consistent_read(true)
            .set_exclusive_start_key(from.map(|cursor| cursor.0));
        let page = query.send().await.map_err(|error| sort("members", error))?;
        let mut members = Vec::new();
        for item in page.items.unwrap_or_default() {
            if !is_true(item.get("gone")) {
                let entry = needed("m", item.text("m")?)?;
                members.push(serde_json::from_str(entry).map_err(|_| StoreError::corrupt("a member cannot be read"))?);
            }
        }
        Ok(MemberPage { members, next: page.last_evaluated_key.map(MemberCursor) })
    }

    /// An account; `None` where nothing was ever written of it.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails or the item cannot be read.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let Some(item) = self.get("account", keys::key(keys::account(id), keys::ACCOUNT), true).await? else {
            return Ok(None);
        };
        Ok(Some(Account {
            id: id.clone(),
            traits: item.json("traits")?.unwrap_or_default(),
            summary: item.json("sum")?,
            version: needed("ver", item.number("ver")?)?,
        }))
    }

    /// Writes an account, if nobody wrote it since it was read, and moves its version on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where someone else wrote it.
    pub async fn save_account(&self, account: &mut Account) -> Result<(), StoreError> {
        let mut item = keys::key(keys::account(&account.id), keys::ACCOUNT);
        if !account.traits.is_empty() {
            item.insert("traits".to_owned(), crate::item::json(&account.traits)?);
        }
        if let Some(summary) = &account.summary {
            item.insert("sum".to_owned(), crate::item::json(summary)?);
            item.insert("people".to_owned(), n(summary.people));
            item.insert("score".to_owned(), n(summary.score.get()));
        }
        item.insert("ver".to_owned(), n(account.version + 1));
        self.put("save_account", item, Some(Condition::version(account.version))).await?;
        account.version += 1;
        Ok(())
    }
}

fn member_key(account: &AccountId, person: PersonId) -> Item {
    keys::key(keys::account(account), keys::person(person))
}

/// What stands in a member's place after they left, so that a slow writer of an earlier version cannot bring them back.
pub(crate) fn tombstone(account: &AccountId, person: PersonId, version: u64, now: Timestamp) -> Item {
    let mut item = member_key(account, person);
    item.insert("gone".to_owned(), AttributeValue::Bool(true));
    item.insert("ver".to_owned(), n(version));
    item.insert(table::TTL.to_owned(), n(now.as_second() + TOMBSTONE_DAYS * DAY_SECONDS));
    item
}
