#![doc = include_str!("../README.md")]

pub mod access;
pub mod config;
pub mod deps;
pub mod experiments;
pub mod handler;
pub mod journey_list;
pub mod lists;
pub mod play;
pub mod status;
mod subscriptions;

mod account;
mod answer;
mod confirm;
mod cors;
mod event;
mod explain;
mod features;
mod inbox;
mod journeys;
mod memberships;
mod page;
mod person;
mod profile;
mod rejects;
mod reports;
mod resume;
mod segments;
mod snippet;
#[cfg(test)]
mod test_support;
mod trail;
mod unmerge;
mod unsubscribe;
mod who;
mod wish;

pub use access::Access;
pub use config::Settings;
pub use deps::Deps;
pub use page::INVALID_LINK;
pub use status::{Depth, Depths, MaxAge, Status, WatchedQueue};
