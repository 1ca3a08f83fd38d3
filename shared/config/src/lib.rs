#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod artefact;
pub mod billing;
pub mod bundle;
pub mod cel;
pub mod channels;
pub mod check;
mod condition;
pub mod config;
pub mod deployment;
pub mod error;
pub mod features;
pub mod history;
pub mod identity;
pub mod imports;
pub mod journeys;
pub mod lifecycle;
pub mod limits;
pub mod listeners;
pub mod mapping;
pub mod overrides;
pub mod pause;
pub mod personas;
mod position;
mod read;
#[cfg(feature = "schema")]
pub mod reference;
pub mod schedules;
#[cfg(feature = "schema")]
pub mod schema;
pub mod scoring;
pub mod segments;
pub mod soft_bounces;
pub mod sources;
mod spanned;
pub mod spelling;
mod stored;
mod taken_apart;
pub mod topics;
pub mod vocabulary;
pub mod warm_up;

pub use bundle::Bundle;
pub use config::Config;
pub use error::{ConfigError, ConfigErrors};
pub use stored::Unreadable;
pub use taken_apart::ClauseProgram;
