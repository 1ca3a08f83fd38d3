//! Removes a person from the table.
//!
//! The profile is removed last, in one transaction with the pointers of the identities that were merged into it: as
//! long as it exists, everything can be restarted, and no earlier step needs to be recorded.

use crate::error::{StoreError, sort, unless_conflict};
use crate::heads::Head;
use crate::item::{Item, Read, n, s};
use crate::keys;
use crate::profiles::MAX_RESHAPED;
use crate::reads::Consistency;
use crate::store::{Condition, Store};
use crate::stored::{Loaded, Stored};
use crate::traces::Subject;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, DeleteRequest, TransactWriteItem, WriteRequest};
use perennial_domain::{AccountId, PersonId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Writes of one BatchWriteItem.
const BATCH: usize = 25;
/// Rounds in which what DynamoDB left unprocessed is offered again.
const ROUNDS: u32 = 8;
/// The pause before the second round; doubled before each later one.
const PAUSE: Duration = Duration::from_millis(50);
/// The most attempts at an item after write conflicts.
const TRIES: u32 = 6;

impl Store {
    /// Deletes items by their keys; those that are not there count as deleted.
    ///
    /// # Errors
    /// [`StoreError`] where not all are deleted; deleting all of them again is right then.
    pub async fn delete_keys(&self, keys: impl IntoIterator<Item = (String, String)>) -> Result<(), StoreError> {
        const OPERATION: &str = "delete_keys";
        let mut writes = Vec::new();
        for (pk, sk) in keys {
            let delete = DeleteRequest::builder().set_key(Some(keys::key(pk, sk))).build();
            let delete = delete.map_err(|error| StoreError::Unstorable(error.to_string()))?;
            writes.push(WriteRequest::builder().delete_request(delete).build());
        }
        for chunk in writes.chunks(BATCH) {
            let (mut chunk, mut pause) = (chunk.to_vec(), PAUSE);
            for round in 0.. {
                let request = self.client.batch_write_item().request_items(&*self.table, chunk);
                let answer = request.send().await.map_err(|error| sort(OPERATION, error))?;
                chunk = answer.unprocessed_items.and_then(|mut left| left.remove(&*self.table)).unwrap_or_default();
                if chunk.is_empty() {
                    break;
                }
                if round + 1 == ROUNDS {
                    return Err(StoreError::Throttled { operation: OPERATION });
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Ok(())
    }

    /// Removes `people` from the owners of a pointer's value, and deletes it if there are no others.
    ///
    /// # Errors
    /// [`StoreError`] if the table fails, or others write the value all the time.
    pub async fn release_pointer(&self, pk: &str, people: &BTreeSet<PersonId>) -> Result<(), StoreError> {
        const OPERATION: &str = "release_pointer";
        for _ in 0..TRIES {
            let key = keys::key(pk, keys::IDENTITY);
            let Some(item) = self.get(OPERATION, key.clone(), true).await? else { return Ok(()) };
            let to = item.parsed::<PersonId>("to")?;
            let by = match item.get("by") {
                Some(AttributeValue::Ss(by)) => by.clone(),
                _ => Vec::new(),
            };
            let is_theirs = |id: &String| PersonId::parse(id).is_ok_and(|person| people.contains(&person));
            let (mine, others): (Vec<String>, Vec<String>) = by.iter().cloned().partition(is_theirs);
            let kept =
                to.filter(|to| !people.contains(to)).map(|to| to.to_string()).or_else(|| others.first().cloned());
            let condition = unchanged(&item);
            let done = match kept {
                None => {
                    let delete = self.client.delete_item().table_name(&*self.table).set_key(Some(key));
                    let delete = delete
                        .condition_expression(condition.expression)
                        .set_expression_attribute_names(Some(condition.names))
                        .set_expression_attribute_values(condition.values);
                    delete.send().await.map(drop).map_err(|error| sort(OPERATION, error))
                }
                Some(kept) => {
                    let update = self.client.update_item().table_name(&*self.table).set_key(Some(key));
                    let mut update = update
                        .condition_expression(condition.expression)
                        .set_expression_attribute_names(Some(condition.names))
                        .set_expression_attribute_values(condition.values)
                        .expression_attribute_names("#to", "to")
                        .expression_attribute_values(":kept", s(kept));
                    update = if mine.is_empty() {
                        update.update_expression("SET #to = :kept")
                    } else {
                        update
                            .update_expression("SET #to = :kept DELETE #by :mine")
                            .expression_attribute_names("#by", "by")
                            .expression_attribute_values(":mine", AttributeValue::Ss(mine))
                    };
                    update.send().await.map(drop).map_err(|error| sort(OPERATION, error))
                }
            };
            if unless_conflict(done)?.is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Conflict { operation: OPERATION })
    }

    /// Deletes items in a person's own partition with a matching sort key, except the profile: messages, blocks of the
    /// ledger, and any later kinds. Returns the sort keys.
    ///
    /// # Errors
    /// [`StoreError`] if the table fails.
    pub async fn delete_own(
        &self,
        person: PersonId,
        is_meant: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<String>, StoreError> {
        let mut own = self.sort_keys(person).await?;
        own.retain(|sk| sk != keys::PROFILE && is_meant(sk));
        let pk = keys::person(person);
        self.delete_keys(own.iter().map(|sk| (pk.clone(), sk.clone()))).await?;
        Ok(own)
    }

    /// Deletes the profile of `subject` and the pointers of their identities at once, if the profile still has
    /// `version` (0 for none) and each identity still belongs to it. Returns the number of items.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the profile was written, merged or unmerged: read again and retry.
    pub async fn delete_person(&self, subject: &Subject, holder: PersonId, version: u64) -> Result<u64, StoreError> {
        const CONFLICT: StoreError = StoreError::Conflict { operation: "delete_person" };
        let mut deletes = Vec::new();
        for person in subject.people.iter().filter(|person| **person != holder) {
            match self.head(*person).await? {
                None => {}
                Some(Head { to: Some(to), version, .. }) if subject.people.contains(&to) => {
                    deletes.push((*person, version));
                }
                Some(_) => return Err(CONFLICT),
            }
        }
        if version > 0 {
            deletes.push((holder, version));
        }
        let count = deletes.len() as u64;
        // The profile is in the last transaction: a person rarely needs more than one.
        for chunk in deletes.chunks(MAX_RESHAPED) {
            let writes = chunk.iter().map(|(person, version)| delete(&self.table, *person, *version));
            let writes = writes.collect::<Result<Vec<_>, _>>()?;
            self.transact("delete_person", writes).await?;
        }
        Ok(count)
    }

    /// Takes the links to `subject`'s user ids out of somebody else's profile: they hold no more, or the profile would be theirs. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] if the table fails, the profile cannot be read, or others write it all the time.
    pub async fn forget_links(&self, person: PersonId, subject: &Subject) -> Result<u64, StoreError> {
        for _ in 0..TRIES {
            let Loaded::Profile(mut stored) = self.load(person, Consistency::Strong).await? else { return Ok(0) };
            let count = |stored: &Stored| stored.profile.parts.iter().map(|part| part.links.len()).sum::<usize>();
            let before = count(&stored);
            for part in &mut stored.profile.parts {
                part.links.retain(|link| !subject.is_user(&link.user));
            }
            let removed = before - count(&stored);
            if removed == 0 {
                return Ok(0);
            }
            match self.save(&mut stored).await {
                Err(error) if error.is_conflict() => {}
                done => return done.map(|()| removed as u64),
            }
        }
        Err(StoreError::Conflict { operation: "forget_links" })
    }

    /// Which partitions of `subject`'s suppressions there are, and whether each holds anything.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn has_suppressions(&self, subject: &Subject) -> Result<BTreeMap<String, bool>, StoreError> {
        let mut found = BTreeMap::new();
        for pk in subject.suppressions() {
            let item = self.get("has_suppressions", keys::key(&pk, keys::SUPPRESSION), true).await?;
            found.insert(pk, item.is_some());
        }
        Ok(found)
    }

    /// Removes `people` from an account's data about single people outside of their entries: its leading buyer. The
    /// next rollup selects another.
    ///
    /// # Errors
    /// [`StoreError`] if the table fails, or others write the account all the time.
    pub async fn forget_leading_buyer(&self, id: &AccountId, people: &BTreeSet<PersonId>) -> Result<(), StoreError> {
        const OPERATION: &str = "forget_leading_buyer";
        for _ in 0..TRIES {
            // The rest of the account need not be readable.
            let key = keys::key(keys::account(id), keys::ACCOUNT);
            let Some(item) = self.get(OPERATION, key.clone(), true).await? else { return Ok(()) };
            let buyer = item.json::<PersonId>("lead")?.filter(|buyer| people.contains(buyer));
            let (Some(_), Some(lead)) = (buyer, item.get("lead")) else { return Ok(()) };
            // The version is incremented, so that a process that has read the account before does not restore it.
            let update = self.client.update_item().table_name(&*self.table).set_key(Some(key));
            let update = update
                .update_expression("REMOVE #lead ADD #ver :one")
                .condition_expression("#lead = :lead")
                .expression_attribute_names("#lead", "lead")
                .expression_attribute_names("#ver", "ver")
                .expression_attribute_values(":lead", lead.clone())
                .expression_attribute_values(":one", n(1));
            let done = update.send().await.map(drop).map_err(|error| sort(OPERATION, error));
            if unless_conflict(done)?.is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Conflict { operation: OPERATION })
    }
}

/// A pointer is as it was read.
fn unchanged(item: &Item) -> Condition {
    let mut condition = Condition {
        expression: "attribute_not_exists(#to) AND attribute_not_exists(#by)",
        names: [("#to".to_owned(), "to".to_owned()), ("#by".to_owned(), "by".to_owned())].into(),
        values: None,
    };
    let mut values = Item::new();
    for name in ["to", "by"] {
        values.extend(item.get(name).map(|value| (format!(":{name}"), value.clone())));
    }
    condition.expression = match (item.contains_key("to"), item.contains_key("by")) {
        (true, true) => "#to = :to AND #by = :by",
        (true, false) => "#to = :to AND attribute_not_exists(#by)",
        (false, true) => "attribute_not_exists(#to) AND #by = :by",
        (false, false) => condition.expression,
    };
    condition.values = (!values.is_empty()).then_some(values);
    condition
}

fn delete(table: &str, person: PersonId, version: u64) -> Result<TransactWriteItem, StoreError> {
    let condition = Condition::version(version);
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(keys::key(keys::person(person), keys::PROFILE)))
        .condition_expression(condition.expression)
        .set_expression_attribute_names(Some(condition.names))
        .set_expression_attribute_values(condition.values)
        .build()
        .map_err(|error| StoreError::Unstorable(error.to_string()))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}
