#![doc = include_str!("../README.md")]

mod config;
mod curves;
mod deps;
mod domains;
mod error;
pub mod handler;
mod outbox;
mod people;
mod recompute;
mod resolve;

pub use config::Settings;
pub use deps::{Deps, Parts};
pub use error::RollupError;
