#![doc = include_str!("../README.md")]

mod config;
pub mod handler;

pub use config::{LIMIT, Settings};
pub use handler::{Deps, SweepError, Swept};
