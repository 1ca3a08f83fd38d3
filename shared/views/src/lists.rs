//! Lists of people and accounts, filtered, page by page, without a scan.
//!
//! A page walks one index of [`perennial_store::lists`], loads the profiles or accounts that it names, evaluates them now,
//! and keeps those for which all filters hold. So a list is right even where time has changed a profile since it was last
//! evaluated, and a page's cost does not depend on how many profiles there are.

mod accounts;
mod asked;
mod csv;
mod cursor;
mod params;
mod people;
mod walk;

pub use accounts::Row as AccountRow;
pub use csv::{ACCOUNTS, Columns, PEOPLE, table};
pub use params::{FORMAT, one};
pub use people::Row as PersonRow;
pub use walk::Page;

use crate::{ViewError, Views};

/// Returns the page of people that a query asks for: `segment`, `stage`, `persona`, `owner`, `score` with `min` and `max`,
/// `search`, `sort`, `limit` and `cursor`.
///
/// # Errors
/// [`ViewError::Wrong`] or [`ViewError::Invalid`] for a query that says something else, or if the table fails.
pub async fn people(views: &Views, query: &str) -> Result<Page<PersonRow>, ViewError> {
    people::page(views, query).await
}

/// Returns the page of accounts that a query asks for: `stage`, `touch`, `owner`, `score` with `min` and `max`, `search`,
/// `sort`, `limit` and `cursor`.
///
/// # Errors
/// As [`people`].
pub async fn accounts(views: &Views, query: &str) -> Result<Page<AccountRow>, ViewError> {
    accounts::page(views, query).await
}
