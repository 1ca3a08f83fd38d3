#![doc = include_str!("../README.md")]

mod config;
mod error;
mod events;
pub mod handler;
mod profiles;

pub use config::Settings;
pub use error::ReportError;
pub use handler::{Deps, Made, Ran, Request};
