//! The personal data on a page, for the audit log.

use perennial_domain::PersonId;

/// The personal data on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    /// The page, without what a visitor searched for.
    pub(crate) page: String,
    /// The profiles on it; the first of many.
    pub(crate) people: Vec<PersonId>,
    /// The number of rows about people or companies.
    pub(crate) rows: usize,
}

impl Read {
    /// Returns the read of a page with these profiles, a row each.
    pub(crate) fn of(page: impl Into<String>, people: impl IntoIterator<Item = PersonId>) -> Self {
        let people: Vec<PersonId> = people.into_iter().collect();
        let rows = people.len();
        Self { page: page.into(), people, rows }
    }

    /// Returns the read of a page with rows that are of no profile.
    pub(crate) fn rows(page: impl Into<String>, rows: usize) -> Self {
        Self { page: page.into(), people: Vec::new(), rows }
    }
}
