//! The eighteen scenarios of the domain, each over the whole system with the config that the project ships: who gets what, by which
//! channel and on which day, and beside them those who may get nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod after_the_sale;
mod before_the_sale;
mod house;
mod story;
mod turns;
mod voices;

/// A Monday.
const START: &str = "2026-03-02T09:00:00Z";
