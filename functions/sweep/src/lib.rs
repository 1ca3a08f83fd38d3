#![doc = include_str!("../README.md")]

pub mod config;
pub mod handler;

pub use config::Settings;
pub use handler::{Deps, Swept};
