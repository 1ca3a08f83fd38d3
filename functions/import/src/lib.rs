#![doc = include_str!("../README.md")]

pub mod config;
pub mod deps;
pub mod file;
pub mod handler;
pub mod run;

pub mod notice;
mod object;
#[cfg(test)]
mod test_support;

pub use config::Settings;
pub use deps::{Backlog, Deps, QueueBacklog, Suppressions};
pub use run::{ImportError, Outcome, Request, Watch, run};
