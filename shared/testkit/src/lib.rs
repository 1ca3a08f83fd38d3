#![doc = include_str!("../README.md")]
#![allow(clippy::expect_used, reason = "test support: a builder that fails should fail its test")]

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
pub mod event;
pub mod labelled;

pub use event::EventBuilder;
