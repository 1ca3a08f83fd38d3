#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod archive;
pub mod codec;
pub mod config;
mod dated;
pub mod due;
pub mod erase;
mod error;
pub mod heads;
pub mod identities;
mod inflate;
mod item;
pub mod keys;
pub mod ledger;
pub mod mails;
pub mod messages;
pub mod pace;
pub mod pauses;
pub mod preferences;
pub mod profiles;
pub mod rejects;
pub mod reports;
pub mod scan;
mod store;
pub mod suppressions;
pub mod sweeps;
pub mod table;
pub mod totals;
pub mod traces;
pub mod updates;

pub use archive::{Archive, ArchiveError};
pub use config::{ConfigHandle, ConfigStoreError};
pub use error::StoreError;
pub use profiles::{Consistency, Loaded, Moved, Stored, Summary};
pub use store::Store;
