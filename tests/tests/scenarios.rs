//! The eighteen scenarios, each over the whole system with the shipped configuration: who gets what, by which channel
//! and on which day, and who must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod after_the_sale;
mod before_the_sale;
mod house;
mod story;
mod turns;
mod voices;

/// A Monday.
const START: &str = "2026-03-02T09:00:00Z";
