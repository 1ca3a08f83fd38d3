#![doc = include_str!("../README.md")]

pub mod config;
pub mod deps;
pub mod file;
pub mod handler;
pub mod run;

mod notice;
mod object;

pub use config::Settings;
pub use deps::{Backlog, Deps, QueueBacklog, Rejects};
pub use run::{ImportError, Outcome, Request, Watch, run};
