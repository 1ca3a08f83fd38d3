//! The pages: each loads a view and renders it.

pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod crm;
pub(crate) mod experiments;
pub(crate) mod journey;
pub(crate) mod journeys;
mod list;
pub(crate) mod operations;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod person;
pub(crate) mod report;
pub(crate) mod reports;
pub(crate) mod segments;
pub(crate) mod why_not;
