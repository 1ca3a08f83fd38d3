#![doc = include_str!("../README.md")]

mod config;
mod count;
pub mod handler;

pub use config::{LIMIT, Settings};
pub use handler::{Deps, SweepError, Swept};
