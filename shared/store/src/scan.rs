//! Everyone, by a scan: for rebuilding, comparing and exporting, never for an answer to a request.

use crate::codec;
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, readable};
use crate::keys;
use crate::profiles::{Loaded, Stored};
use crate::store::Store;

/// The end of a page of profiles. Opaque.
#[derive(Debug, Clone)]
pub struct ScanCursor(pub(crate) Item);

/// A page of profiles.
#[derive(Debug, Clone, Default)]
pub struct PeoplePage {
    /// The profiles, in no order; pointers of merged profiles are left out.
    pub people: Vec<Stored>,
    /// Profiles that cannot be read, and are not among these.
    pub unreadable: u64,
    /// The cursor of the next page; `None` if there is none.
    pub next: Option<ScanCursor>,
}

impl PeoplePage {
    /// Returns the profiles with more than ids in other systems.
    pub fn known(&self) -> impl Iterator<Item = &Stored> {
        self.people.iter().filter(|stored| !stored.summary.external)
    }
}

impl Store {
    /// Returns a page of all profiles: up to 1 MB of the table. Costs half a read unit for each scanned 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if the scan fails. An unreadable profile is counted and does not affect others.
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
