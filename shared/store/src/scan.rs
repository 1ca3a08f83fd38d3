//! Everyone, by a scan: for rebuilding, comparing and exporting, never for an answer to a request.

use crate::codec;
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, readable};
use crate::keys;
use crate::messages::{self, MessageRecord};
use crate::store::Store;
use crate::stored::{Loaded, Stored};
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;

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

/// A page of profiles and messages.
#[derive(Debug, Clone, Default)]
pub struct FiguresPage {
    /// The profiles, and the cursor of the next page. What it counts as unreadable are messages, too.
    pub profiles: PeoplePage,
    /// The messages, in no order, without test mails.
    pub messages: Vec<MessageRecord>,
}

impl Store {
    /// Returns a page of all profiles: up to 1 MB of the table. Costs half a read unit for each scanned 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if the scan fails. An unreadable profile is counted and does not affect others.
    pub async fn people(&self, from: Option<ScanCursor>) -> Result<PeoplePage, StoreError> {
        let only = self.client.scan().filter_expression("#sk = :profile");
        let (items, next) = self.scan_page("people", only, from).await?;
        let (people, unreadable) = readable(&items, profile);
        Ok(PeoplePage { people, unreadable, next })
    }

    /// Returns a page of all profiles and messages: up to 1 MB of the table. Costs as [`Self::people`].
    ///
    /// # Errors
    /// [`StoreError`] if the scan fails. An unreadable item is counted and does not affect others.
    pub async fn people_and_messages(&self, from: Option<ScanCursor>) -> Result<FiguresPage, StoreError> {
        let only = self.client.scan().filter_expression("#sk = :profile OR begins_with(#sk, :message)");
        let only = only.expression_attribute_values(":message", crate::item::s(keys::MESSAGE));
        let (items, next) = self.scan_page("people_and_messages", only, from).await?;
        let (profiles, messages): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| matches!(item.text(keys::SK), Ok(Some(keys::PROFILE))));
        let (people, unreadable) = readable(&profiles, profile);
        let (messages, unreadable_messages) = readable(&messages, message);
        let profiles = PeoplePage { people, unreadable: unreadable + unreadable_messages, next };
        Ok(FiguresPage { profiles, messages })
    }

    async fn scan_page(
        &self,
        operation: &'static str,
        only: ScanFluentBuilder,
        from: Option<ScanCursor>,
    ) -> Result<(Vec<Item>, Option<ScanCursor>), StoreError> {
        let scan = only
            .table_name(&*self.table)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":profile", crate::item::s(keys::PROFILE))
            .set_exclusive_start_key(from.map(|cursor| cursor.0));
        let page = scan.send().await.map_err(|error| sort(operation, error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key.map(ScanCursor)))
    }
}

/// Returns the profile of an item; `None` if it is the pointer of a merged one.
fn profile(item: &Item) -> Result<Option<Stored>, StoreError> {
    if item.text("to")?.is_some() {
        return Ok(None);
    }
    match codec::decode(item)? {
        Loaded::Profile(stored) => Ok(Some(stored)),
        Loaded::Moved(_) | Loaded::Absent => Ok(None),
    }
}

/// Returns the message of an item; `None` if it is a test mail, or an update of an account's record in a CRM.
fn message(item: &Item) -> Result<Option<MessageRecord>, StoreError> {
    if item.text(keys::PK)?.is_some_and(keys::is_account) {
        return Ok(None);
    }
    let message = messages::read(item)?;
    Ok((!message.test).then_some(message))
}
