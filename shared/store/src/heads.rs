//! Reads what is stored under a profile id by its plain attributes alone, so that a profile can be found and erased
//! although its state cannot be read.

use crate::error::{StoreError, sort};
use crate::item::{Item, Read, needed, s};
use crate::keys;
use crate::profiles::HOPS;
use crate::store::Store;
use perennial_domain::PersonId;
use std::collections::BTreeSet;

/// The plain attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The profile id.
    pub person: PersonId,
    /// Counts the writes.
    pub version: u64,
    /// The profile that it was merged into; `None` for a profile.
    pub to: Option<PersonId>,
}

impl Store {
    /// Returns what is stored under `person`'s own id, read consistently; `None` if nothing is. Pointers are not
    /// followed.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails, or the item has no version.
    pub async fn head(&self, person: PersonId) -> Result<Option<Head>, StoreError> {
        let item = self.get("head", keys::key(keys::person(person), keys::PROFILE), true).await?;
        item.map(|item| head(person, &item)).transpose()
    }

    /// Returns the profile that `person` is or was merged into; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn follow_head(&self, person: PersonId) -> Result<Option<Head>, StoreError> {
        let mut at = person;
        for _ in 0..HOPS {
            match self.head(at).await? {
                Some(Head { to: Some(to), .. }) => at = to,
                found => return Ok(found),
            }
        }
        Err(StoreError::corrupt("pointers lead in a circle"))
    }

    /// The profile behind any identity, as [`Self::resolve`] finds it.
    ///
    /// # Errors
    /// [`StoreError`] where a read fails.
    pub async fn resolve_head(&self, identity: &str) -> Result<Option<Head>, StoreError> {
        for person in crate::identities::people_named(identity) {
            if let Some(head) = self.follow_head(person).await? {
                return Ok(Some(head));
            }
        }
        match self.find_address_of(identity).await? {
            Some(person) => self.follow_head(person).await,
            None => Ok(None),
        }
    }

    /// Returns the profiles that were merged into `holder`, by a scan of the whole table: half a read unit for each 4
    /// KB. For a profile whose state, which lists them, cannot be read. `tell` is called for each page with the number
    /// of scanned items.
    ///
    /// # Errors
    /// [`StoreError`] if the scan fails.
    pub async fn pointers_to(
        &self,
        holder: PersonId,
        tell: &(dyn Fn(u64) + Sync),
    ) -> Result<BTreeSet<PersonId>, StoreError> {
        let (mut people, mut from) = (BTreeSet::new(), None);
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&*self.table)
                .consistent_read(true)
                .filter_expression("#sk = :profile AND #to = :holder")
                .projection_expression("#pk")
                .expression_attribute_names("#pk", keys::PK)
                .expression_attribute_names("#sk", keys::SK)
                .expression_attribute_names("#to", "to")
                .expression_attribute_values(":profile", s(keys::PROFILE))
                .expression_attribute_values(":holder", s(holder.to_string()))
                .set_exclusive_start_key(from);
            let page = scan.send().await.map_err(|error| sort("pointers_to", error))?;
            people.extend(page.items().iter().filter_map(|item| keys::person_of(item.text(keys::PK).ok()??)));
            tell(u64::try_from(page.scanned_count).unwrap_or(0));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(people);
            }
        }
    }
}

fn head(person: PersonId, item: &Item) -> Result<Head, StoreError> {
    Ok(Head { person, version: needed("ver", item.number("ver")?)?, to: item.parsed("to")? })
}
