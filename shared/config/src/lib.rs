#![doc = include_str!("../README.md")]

pub mod bundle;
pub mod channels;
pub mod config;
pub mod error;
pub mod journeys;
pub mod lifecycle;
pub mod schedules;
pub mod scoring;
pub mod sources;

pub use bundle::Bundle;
pub use config::Config;
pub use error::{ConfigError, ConfigErrors};
