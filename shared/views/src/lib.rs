#![doc = include_str!("../README.md")]

pub mod account;
pub mod digest;
pub mod experiments;
pub mod explain;
pub mod features;
pub mod journey_list;
pub mod journeys;
pub mod lists;
pub mod memberships;
pub mod person;
pub mod play;
pub mod profile;
pub mod rejects;
pub mod reports;
pub mod segments;
pub mod status;
pub mod subscriptions;
pub mod today;
pub mod trail;
pub mod unmerge;
pub mod who;
pub mod why_not;
pub mod words;

mod error;

pub use error::ViewError;
pub use status::{MaxAge, Status};

use perennial_lambda_kit::Clock;
use perennial_store::{ConfigHandle, Store};

/// The dependencies of all views, one for the whole process.
#[derive(Debug)]
pub struct Views {
    /// The table.
    pub store: Store,
    /// The active configuration.
    pub config: ConfigHandle,
    /// The cache of depths and totals.
    pub status: Status,
    /// The time that views are of.
    pub clock: Clock,
}
