//! The laws of identity resolution: profiles follow from the events, in any order, and an unmerged profile is as if it
//! had never been merged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod house;
mod laws;
