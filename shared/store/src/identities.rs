//! Finds profiles by their identifiers.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, n, s};
use crate::keys;
use crate::reads::Consistency;
use crate::store::Store;
use crate::stored::Stored;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use perennial_domain::{AnonymousId, ExternalId, Identity, PersonId, UserId};
use std::collections::BTreeSet;

/// The profile of the value.
const TO: &str = "to";
/// The owners of the value.
const BY: &str = "by";

/// A value by which profiles are found and linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A mail address.
    Mail(&'a str),
    /// An id in another system, as `type:id`.
    External(&'a str),
}

impl Value<'_> {
    fn key(self) -> Item {
        let pk = match self {
            Self::Mail(address) => keys::mail_address(address),
            Self::External(id) => keys::external_id(id),
        };
        keys::key(pk, keys::IDENTITY)
    }
}

/// The owners of a value: people by the profile ids of their user ids, the caller included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimants {
    /// At most as many as one profile may have user ids.
    Few(BTreeSet<PersonId>),
    /// So many that the value identifies nobody. Owners after the limit are not recorded, except for the caller.
    TooMany(BTreeSet<PersonId>),
}

impl Store {
    /// Makes a mail address resolve to `person`, in place of an earlier profile. Costs a write unit.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn index_address(&self, address: &str, person: PersonId) -> Result<(), StoreError> {
        self.point(Value::Mail(address), person, None).await
    }

    /// Makes a value resolve to `person`, like [`Self::index_address`], unless somebody claims it as their own.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn index(&self, value: Value<'_>, person: PersonId) -> Result<(), StoreError> {
        self.point(value, person, Some("attribute_not_exists(#by)")).await
    }

    async fn point(&self, value: Value<'_>, person: PersonId, only_if: Option<&str>) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(value.key()));
        let update = update
            .update_expression("SET #to = :to")
            .set_condition_expression(only_if.map(str::to_owned))
            .expression_attribute_names("#to", TO)
            .expression_attribute_values(":to", s(person.to_string()));
        let update = if only_if.is_some() { update.expression_attribute_names("#by", BY) } else { update };
        unless_conflict(update.send().await.map_err(|error| sort("index", error))).map(drop)
    }

    /// Adds `person` to the owners of a value, and returns all of them. Of several concurrent callers at least one gets
    /// all. More than `most` are too many; only one beyond the limit is recorded. Costs a write unit.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn claim_value(&self, value: Value<'_>, person: PersonId, most: u16) -> Result<Claimants, StoreError> {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(value.key()));
        let update = update
            .update_expression("SET #to = :to ADD #by :me")
            .condition_expression("attribute_not_exists(#by) OR size(#by) <= :most OR contains(#by, :to)")
            .expression_attribute_names("#to", TO)
            .expression_attribute_names("#by", BY)
            .expression_attribute_values(":to", s(person.to_string()))
            .expression_attribute_values(":me", AttributeValue::Ss(vec![person.to_string()]))
            .expression_attribute_values(":most", n(most))
            .return_values(ReturnValue::AllNew);
        let all = match unless_conflict(update.send().await.map_err(|error| sort("claim_value", error)))? {
            Some(answer) => claimants(answer.attributes.as_ref())?,
            None => {
                let mut all = claimants(self.get("claim_value", value.key(), true).await?.as_ref())?;
                all.insert(person);
                all
            }
        };
        let few = all.len() <= usize::from(most);
        Ok(if few { Claimants::Few(all) } else { Claimants::TooMany(all) })
    }

    /// Returns the profile that a mail address was last indexed for; it may have been merged since.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn find_address(&self, address: &str) -> Result<Option<PersonId>, StoreError> {
        self.pointed(Value::Mail(address)).await
    }

    async fn pointed(&self, value: Value<'_>) -> Result<Option<PersonId>, StoreError> {
        let item = self.get("find", value.key(), false).await?;
        item.map(|item| item.parsed(TO)).transpose().map(Option::flatten)
    }

    /// Returns the profile of an id in another system: of its own events, or of the person who has it by a trait. Costs
    /// a read unit at most for 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn find_external(&self, id: &ExternalId) -> Result<Option<Stored>, StoreError> {
        let own = Identity::External(id.clone()).person_id();
        if let Some(stored) = self.follow(own, Consistency::Eventual).await? {
            return Ok(Some(stored));
        }
        match self.pointed(Value::External(id.as_str())).await? {
            Some(person) => self.follow(person, Consistency::Eventual).await,
            None => Ok(None),
        }
    }

    /// Returns the profile of any identity: a profile id, an id in another system (`TYPE:ID`), a mail address, a user
    /// id or an anonymous id, tried in this order, so that a user id spelled like another person's address does not
    /// hide that person. Pointers of merged profiles are followed. Costs half a read unit for each attempt and 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn resolve(&self, identity: &str) -> Result<Option<Stored>, StoreError> {
        if let Ok(id) = ExternalId::parse(identity)
            && let Some(stored) = self.find_external(&id).await?
        {
            return Ok(Some(stored));
        }
        if let Some(person) = self.find_address_of(identity).await?
            && let Some(stored) = self.follow(person, Consistency::Eventual).await?
        {
            return Ok(Some(stored));
        }
        for person in people_named(identity) {
            if let Some(stored) = self.follow(person, Consistency::Eventual).await? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    /// Returns the ids of all profiles that `identity` can mean, where [`Self::resolve`] returns the first: also those with a user
    /// id or anonymous id that is spelled like another's mail address, and all owners of an address. Costs a read unit at most for
    /// each of them and 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn all_named(&self, identity: &str) -> Result<BTreeSet<PersonId>, StoreError> {
        let mut people: Vec<PersonId> = people_named(identity).collect();
        let address = identity.trim();
        let external = ExternalId::parse(address).ok();
        let values = [
            address.contains('@').then_some(Value::Mail(address)),
            external.as_ref().map(|id| Value::External(id.as_str())),
        ];
        for value in values.into_iter().flatten() {
            let item = self.get("all_named", value.key(), true).await?;
            let holder = item.as_ref().map(|item| item.parsed::<PersonId>(TO)).transpose()?;
            people.extend(holder.flatten());
            people.extend(claimants(item.as_ref())?);
        }
        let mut found = BTreeSet::new();
        for person in people {
            found.extend(self.follow_head(person).await?.map(|head| head.person));
        }
        Ok(found)
    }

    /// Returns the profile that `identity` was last indexed for, if it may be a mail address.
    pub(crate) async fn find_address_of(&self, identity: &str) -> Result<Option<PersonId>, StoreError> {
        let identity = identity.trim();
        if identity.contains('@') { self.find_address(identity).await } else { Ok(None) }
    }
}

/// Returns the profile ids that `identity` can mean: as a profile id, an id in another system, a user id or an
/// anonymous id, in this order.
pub(crate) fn people_named(identity: &str) -> impl Iterator<Item = PersonId> {
    let identity = identity.trim();
    let named = [
        PersonId::parse(identity).ok(),
        ExternalId::parse(identity).ok().map(|id| Identity::External(id).person_id()),
        UserId::parse(identity).ok().map(|id| Identity::User(id).person_id()),
        AnonymousId::parse(identity).ok().map(|id| Identity::Anonymous(id).person_id()),
    ];
    named.into_iter().flatten()
}

fn claimants(item: Option<&Item>) -> Result<BTreeSet<PersonId>, StoreError> {
    let wrong = || StoreError::corrupt("the owners of a value are invalid");
    match item.and_then(|item| item.get(BY)) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(people)) => people.iter().map(|id| PersonId::parse(id).map_err(|_| wrong())).collect(),
        Some(_) => Err(wrong()),
    }
}
