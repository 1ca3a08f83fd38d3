#![doc = include_str!("../README.md")]
#![allow(clippy::expect_used, clippy::panic, reason = "test support: a builder that fails should fail its test")]

pub mod config;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
pub mod event;
pub mod labelled;

pub use config::ConfigBuilder;
pub use event::EventBuilder;
