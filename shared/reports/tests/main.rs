//! Tallies and ledgers add up in any order; calendar and currencies.
#![allow(clippy::unwrap_used)]

mod laws;
mod revenue;
