//! The real handler over a DynamoDB behind its real HTTP API; the queues are in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod counting;
mod crashes;
mod orders;
mod support;
