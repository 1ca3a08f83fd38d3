#![doc = include_str!("../README.md")]

mod config;
mod deps;
mod domains;
mod error;
pub mod handler;
mod outbox;
mod recompute;

pub use config::Settings;
pub use deps::{Deps, Parts};
pub use error::RollupError;
