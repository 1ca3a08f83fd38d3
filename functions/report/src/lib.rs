#![doc = include_str!("../README.md")]

mod config;
mod deps;
mod error;
mod events;
pub mod handler;
mod profiles;

pub use config::Settings;
pub use deps::Deps;
pub use error::ReportError;
pub use events::SUBSCRIPTIONS;
pub use handler::{Made, Ran, Request};
