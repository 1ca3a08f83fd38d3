//! The people who were erased, and the times, so that an import of an old file does not bring them back.
//!
//! Nothing but a hash of each id is kept. It cannot be compared with the ids of profiles, which are hashes as well.

use crate::error::StoreError;
use crate::item::{Item, Read, n};
use crate::keys;
use crate::reads::Consistency;
use crate::store::Store;
use jiff::Timestamp;
use perennial_domain::PersonId;
use std::collections::{BTreeSet, HashMap};

/// The attribute of when, in milliseconds since 1970.
const AT: &str = "at";

fn key(person: PersonId) -> Item {
    keys::key(keys::erased(person), keys::ERASED)
}

impl Store {
    /// Records that `people`, by the ids of their identities' own profiles, were erased at `at`. Costs a write unit each.
    ///
    /// # Errors
    /// [`StoreError`] if not all are recorded; recording all of them again is right then.
    pub async fn note_erased(&self, people: &BTreeSet<PersonId>, at: Timestamp) -> Result<(), StoreError> {
        for person in people {
            let mut item = key(*person);
            item.insert(AT.to_owned(), n(at.as_millisecond()));
            self.put("note_erased", item, None).await?;
        }
        Ok(())
    }

    /// Returns when those among `people` were erased who were, a hundred a call. Costs half a read unit each.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn erased(&self, people: &BTreeSet<PersonId>) -> Result<HashMap<PersonId, Timestamp>, StoreError> {
        let wanted: HashMap<String, PersonId> = people.iter().map(|person| (keys::erased(*person), *person)).collect();
        let keys = people.iter().map(|person| key(*person)).collect();
        let mut erased = HashMap::new();
        for item in self.get_many("erased", keys, Consistency::Eventual).await? {
            let person = item.text(keys::PK)?.and_then(|pk| wanted.get(pk));
            erased.extend(person.copied().zip(item.moment(AT)?));
        }
        Ok(erased)
    }
}
