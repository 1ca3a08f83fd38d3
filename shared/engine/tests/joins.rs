//! The laws of identity: who is one person follows from what was said, in any order, and a merge that is undone was never there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod house;
mod laws;
