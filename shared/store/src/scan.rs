//! Everyone, by a scan: for rebuilding, comparing and exporting, never for an answer to a request.

use crate::codec;
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, readable};
use crate::keys;
use crate::profiles::{Loaded, Stored};
use crate::store::Store;

/// Where a page of people ended. Opaque.
#[derive(Debug, Clone)]
pub struct ScanCursor(Item);

/// Some of all people.
#[derive(Debug, Clone, Default)]
pub struct PeoplePage {
    /// Who, in no order; pointers of people who became part of another are left out.
    pub people: Vec<Stored>,
    /// Profiles that cannot be read, and are not among these.
    pub unreadable: u64,
    /// Where to go on; `None` where there are no more.
    pub next: Option<ScanCursor>,
}

impl PeoplePage {
    /// Those of whom more is known than ids in other systems.
    pub fn known(&self) -> impl Iterator<Item = &Stored> {
        self.people.iter().filter(|stored| !stored.summary.external)
    }
}

impl Store {
    /// A page of all people: what 1 MB of the table holds. Half a read unit for each 4 KB that is passed over.
    ///
    /// # Errors
    /// [`StoreError`] where the scan fails. A profile that cannot be read is counted, and concerns no other.
    pub async fn people(&self, from: Option<ScanCursor>) -> Result<PeoplePage, StoreError> {
        let scan = self
            .client
            .scan()
            .table_name(&*self.table)
            .filter_expression("#sk = :profile")
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":profile", crate::item::s(keys::PROFILE))
            .set_exclusive_start_key(from.map(|cursor| cursor.0));
        let page = scan.send().await.map_err(|error| sort("people", error))?;
        let (people, unreadable) = readable(page.items(), |item| match item.text("to")? {
            Some(_) => Ok(None),
            None => match codec::decode(item)? {
                Loaded::Profile(stored) => Ok(Some(stored)),
                Loaded::Moved(_) | Loaded::Absent => Ok(None),
            },
        });
        Ok(PeoplePage { people, unreadable, next: page.last_evaluated_key.map(ScanCursor) })
    }
}
