//! The scenarios of the domain, each over the whole system with the shipped configuration: who gets what, by which channel
//! and on which day, and who must not. That of 10,000 imported customers who hear nothing, 23, is in `imports.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod after_the_sale;
mod before_the_sale;
mod crm;
mod following;
mod house;
mod keeping;
mod story;
mod turns;
mod voices;

/// A Monday.
const START: &str = "2026-03-02T09:00:00Z";
