//! Tallies and ledgers add up in any order; calendar and currencies.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod catalogue;
mod education;
mod experiments;
mod laws;
mod messages;
mod nps;
mod revenue;
mod risk;
mod support;
