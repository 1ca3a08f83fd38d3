//! Finding a person by anything that names one.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, n, s};
use crate::keys;
use crate::profiles::{Consistency, Stored};
use crate::store::Store;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use perennial_domain::{AnonymousId, ExternalId, Identity, PersonId, UserId};
use std::collections::BTreeSet;

/// Who is found by the value.
const TO: &str = "to";
/// Who claims it.
const BY: &str = "by";

/// A value by which people are found, and told to be one.
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

/// Who claims a value: people by their user ids' own person ids, the one who asked among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimants {
    /// As many as one person may have user ids.
    Few(BTreeSet<PersonId>),
    /// So many that the value is nobody's own. Whoever claims it after one too many did is not among them, but for the one who asked.
    TooMany(BTreeSet<PersonId>),
}

impl Store {
    /// Lets a mail address be found as `person`. Who was found by it before no longer is. A write unit.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn index_address(&self, address: &str, person: PersonId) -> Result<(), StoreError> {
        self.point(Value::Mail(address), person, None).await
    }

    /// Lets a value be found as `person`, as [`Self::index_address`] does, unless somebody claims it as their own.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// Adds `person` to those who claim a value, and gives all of them. Of several who do so at once at least one is told of
    /// all. More than `most` are too many; one too many is remembered, no more. A write unit.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
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

    /// The person that a mail address was last indexed for; they may have become part of another since.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn find_address(&self, address: &str) -> Result<Option<PersonId>, StoreError> {
        self.pointed(Value::Mail(address)).await
    }

    async fn pointed(&self, value: Value<'_>) -> Result<Option<PersonId>, StoreError> {
        let item = self.get("find", value.key(), false).await?;
        item.map(|item| item.parsed(TO)).transpose().map(Option::flatten)
    }

    /// The profile of an id in another system: of its events, or of whoever has it by a trait. A read unit at most for 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] where a read fails.
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

    /// The profile behind any identity: a person id, an id in another system (`TYPE:ID`), a mail address, a user id or an anonymous id, tried
    /// in this order, so that nobody hides somebody behind a user id that is spelled as their address.
    /// Pointers of people who became part of another are followed. Half a read unit for each try and 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] where a read fails.
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

    /// The person that `identity` was last indexed for, where it may be a mail address.
    pub(crate) async fn find_address_of(&self, identity: &str) -> Result<Option<PersonId>, StoreError> {
        let identity = identity.trim();
        if identity.contains('@') { self.find_address(identity).await } else { Ok(None) }
    }
}

/// The people whom `identity` can name as a person id, an id in another system, a user id or an anonymous id, in this order.
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
    let wrong = || StoreError::corrupt("who claims a value is not of its form");
    match item.and_then(|item| item.get(BY)) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(people)) => people.iter().map(|id| PersonId::parse(id).map_err(|_| wrong())).collect(),
        Some(_) => Err(wrong()),
    }
}
