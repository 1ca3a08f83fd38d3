//! Finding a person by anything that names one.

use crate::error::StoreError;
use crate::item::{Read, s};
use crate::keys;
use crate::profiles::{Consistency, Stored};
use crate::store::Store;
use perennial_domain::{AnonymousId, Identity, PersonId, UserId};

impl Store {
    /// Lets a mail address be found as `person`. Who was found by it before no longer is.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn index_address(&self, address: &str, person: PersonId) -> Result<(), StoreError> {
        let mut item = keys::key(keys::mail_address(address), keys::IDENTITY);
        item.insert("to".to_owned(), s(person.to_string()));
        self.put("index_address", item, None).await
    }

    /// The person that a mail address was last indexed for; they may have become part of another since.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn find_address(&self, address: &str) -> Result<Option<PersonId>, StoreError> {
        let item = self.get("find_address", keys::key(keys::mail_address(address), keys::IDENTITY), false).await?;
        item.map(|item| item.parsed("to")).transpose().map(Option::flatten)
    }

    /// The profile behind any identity: a person id, a user id, an anonymous id or a mail address, tried in this order.
    /// Pointers of people who became part of another are followed. Half a read unit for each try and 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] where a read fails.
    pub async fn resolve(&self, identity: &str) -> Result<Option<Stored>, StoreError> {
        let identity = identity.trim();
        let tries = [
            PersonId::parse(identity).ok(),
            UserId::parse(identity).ok().map(|id| Identity::User(id).person_id()),
            AnonymousId::parse(identity).ok().map(|id| Identity::Anonymous(id).person_id()),
        ];
        for person in tries.into_iter().flatten() {
            if let Some(stored) = self.follow(person, Consistency::Eventual).await? {
                return Ok(Some(stored));
            }
        }
        if !identity.contains('@') {
            return Ok(None);
        }
        match self.find_address(identity).await? {
            Some(person) => self.follow(person, Consistency::Eventual).await,
            None => Ok(None),
        }
    }
}
