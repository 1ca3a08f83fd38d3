#![doc = include_str!("../README.md")]

pub mod config;
pub mod deps;
pub mod handler;

mod act;
mod brief;
mod claims;
mod confirm;
mod decision;
mod delivered;
mod doubt;
mod error;
mod feedback;
mod input;
mod jitter;
mod noted;
mod pace;
mod pauses;
mod plan;
mod requeue;
pub mod secrets;
mod test_send;
#[cfg(test)]
mod test_support;
mod unsettled;
mod update;
mod workbench;

pub use config::Settings;
pub use deps::{Deps, EndpointService, MailService};
pub use error::DeliverError;
pub use pace::MailAccount;
