#![doc = include_str!("../README.md")]

mod account_messages;
mod accounts;
mod config;
mod contention;
mod deps;
mod erased;
mod error;
mod group;
pub mod handler;
pub mod history;
mod intake;
mod joins;
mod links;
mod outbox;
mod outgoing;
mod performed;
mod person;
mod planned;
mod reshape;
mod timers;

pub use config::{DEBOUNCE_SECONDS, Settings};
pub use deps::{Deps, Parts};
